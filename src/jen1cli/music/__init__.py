"""Symbolic music: chords, keys, drum patterns, melodies, and controls composed of them."""
