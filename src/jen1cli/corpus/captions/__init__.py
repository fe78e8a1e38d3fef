"""Captions of a score; every claim in them is checked against the score."""
