"""Scores as standard MIDI files: written from controls, and read as controls."""

from jen1cli.midi.passages import Passage
from jen1cli.midi.tune import KEEP, Tune, read_midi
from jen1cli.midi.writing import has_score, midi_bytes, write_midi

__all__ = ["KEEP", "Passage", "Tune", "has_score", "midi_bytes", "read_midi", "write_midi"]
