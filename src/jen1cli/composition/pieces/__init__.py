"""Whole pieces of any length, composed at inference: they honour given controls and have a form."""
