"""Measures of audio signals that training, evaluation and corpus share."""
