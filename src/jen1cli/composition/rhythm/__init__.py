"""Meters, swing and drum grooves."""
