"""Texts of tags in an edit: times in them move, and what described the old file is left out."""

import re

from jen1cli.audio.metadata.model import Moves, Texts

_CHAPTER = re.compile(r"CHAPTER\d+")
_CHAPTER_TIME = re.compile(r"(\d+):(\d\d):(\d\d)\.(\d{3})")
_INDEX = re.compile(r"(INDEX +\d+ +)(\d+):(\d\d):(\d\d)")  # in a cue sheet: minute:second:frame
_FRAMES_PER_SECOND = 75
_LYRICS = ("LYRICS", "SYNCEDLYRICS", "UNSYNCEDLYRICS", "USLT")
_LRC_TIME = re.compile(r"[\[<]\d{1,3}:\d\d(?:[.:]\d{1,3})?[\]>]")
_STALE = {
    "ITUNSMPB", "COMMENT:ITUNSMPB",  # samples of the old file, behind which players stop
    "MP3GAIN_UNDO", "MP3GAIN_MINMAX", "MP3GAIN_ALBUM_MINMAX",  # of the frames of the old stream
}  # fmt: skip
_OPAQUE = re.compile(r"SERATO_MARKERS.*|SERATO_BEATGRID|TRAKTOR4")
"""Fields of DJ programs with cue points and beats in a form of their own."""


def edited_texts(texts: Texts, moves: Moves) -> tuple[Texts, list[str]]:
    """Return the texts that an edit keeps, with the times of chapters and cue sheets adjusted.

    Returns:
        the texts, and the names of what is left out or has times that are not adjusted.
    """
    dropped = [name for name, _ in texts if name in _STALE]
    kept = tuple(pair for pair in texts if pair[0] not in _STALE)
    if not moves.any:
        return kept, dropped
    for name, text in kept:
        if name in _LYRICS and _LRC_TIME.search(text):
            dropped.append(f"the places of the time stamps in {name}")
        elif _OPAQUE.fullmatch(name):
            dropped.append(f"the places in {name}")
    return tuple((name, _moved(name, text, moves)) for name, text in kept), dropped


def _moved(name: str, text: str, moves: Moves) -> str:
    def chapter(found: re.Match[str]) -> str:
        hours, minutes, seconds, thousandths = map(int, found.groups())
        value = ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
        seconds, thousandths = divmod(moves.time(value, 1000), 1000)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"

    def index(found: re.Match[str]) -> str:
        minutes, seconds, frames = map(int, found.groups()[1:])
        value = moves.time((minutes * 60 + seconds) * _FRAMES_PER_SECOND + frames, 75)
        seconds, frames = divmod(value, _FRAMES_PER_SECOND)
        return f"{found[1]}{seconds // 60:02}:{seconds % 60:02}:{frames:02}"

    if _CHAPTER.fullmatch(name):
        return _CHAPTER_TIME.sub(chapter, text)
    return _INDEX.sub(index, text) if name == "CUESHEET" else text
