"""Repetition in a recording: what an unknown interval would be if the music went on as before."""

from jen1cli.pipeline.edits.repetition.blending import with_detail_of
from jen1cli.pipeline.edits.repetition.guessing import LONGEST_SECONDS, Guess, guess

__all__ = ["LONGEST_SECONDS", "Guess", "guess", "with_detail_of"]
