"""Captions of a score, with every claim checked against it."""
