"""`jen1 evaluate`."""
