"""Metrics of audio signals, shared by training, evaluation and corpus."""
