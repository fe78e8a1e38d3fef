"""Scales, chords and chord progressions."""
