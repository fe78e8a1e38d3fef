"""Repetition in a recording: what an unknown interval would be if the music went on as before."""

from jen1cli.pipeline.repetition.search import Piece, Repeat, find_repeat
from jen1cli.pipeline.repetition.splicing import splice

__all__ = ["Piece", "Repeat", "find_repeat", "splice"]
