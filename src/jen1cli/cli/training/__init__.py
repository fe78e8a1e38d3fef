"""`jen1 train`."""
