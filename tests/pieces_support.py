"""Helper of the tests of pieces."""

from jen1cli.composition.pieces.piece import compose_piece
from jen1cli.composition.transcription import score_controls
from jen1cli.composition.words import PromptHints
from jen1cli.music.controls import NO_CONTROLS


def composed(style, seed, seconds, given=NO_CONTROLS, hints=None):
    """The score, and the controls that a network gets."""
    score = compose_piece(style, seed, seconds, given, hints or PromptHints())
    return score, given.over(score_controls(score)).with_bar_at(0.0)
