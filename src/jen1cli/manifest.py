"""Folders of music: audio files with their captions, made by `jen1 corpus` or by a user.

A folder with `manifest.jsonl` is read line by line. Any other folder is searched for audio, with
captions from sidecar `.txt` or `.json` files, from tags, or from the file's name, so that training
and evaluation never know the difference.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST_NAME = "manifest.jsonl"


@dataclass(frozen=True)
class Clip:
    """One audio file with what is known about it."""

    path: Path  # of the audio file, absolute
    captions: tuple[str, ...]  # at least one; several ways to say the same
    seconds: float
    split: str = "train"  # train, validation or test
    attributes: dict[str, Any] = field(default_factory=dict)
    # of made music: style, bpm, key, mode, meter, instruments, drums, energy, moods
