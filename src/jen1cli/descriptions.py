"""Descriptions of a clip from a JSON object, tags, or the file name."""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jen1cli.errors import ConfigError
from jen1cli.jsonfiles import JsonError, json_type, parse_json
from jen1cli.typed_json import from_dict

T = TypeVar("T")

MAX_CAPTION_CHARACTERS = 100_000
"""More are refused: words of styles and instruments are looked for at every place of a text."""

_SPLIT_WORDS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip
_CAPTION_KEYS = ("captions", "caption", "prompt", "text", "description")
_TAGS = ("title", "artist", "genre")


@dataclass(frozen=True)
class Description:
    """Fields of a clip's JSON object; None if missing."""

    captions: tuple[str, ...] = ()
    seconds: float | None = None
    split: str | None = None
    offset: int | None = None  # first byte of the clip in a tar file
    size: int | None = None  # its length in bytes
    attributes: dict[str, Any] | None = None

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Description":
        """Read the known fields; unknown fields and null are ignored.

        Raises:
            ConfigError: a field has the wrong type or an invalid value.
        """
        present = {name: value for name, value in values.items() if value is not None}
        found = _read_known(cls, present | {"captions": _captions(present)}, "")
        for name in ("seconds", "offset", "size"):
            number = getattr(found, name)
            if number is not None and (number < 0 or (name == "seconds" and not number)):
                raise ConfigError(f"{name} is {number}, which no clip can have")
        if found.split is not None and found.named_split is None:
            raise ConfigError(
                f"split is '{found.split}', which is unknown; known: train, validation, test"
            )
        known = {name: v for name, v in (found.attributes or {}).items() if v is not None}
        _read_known(_Attributes, known, "attributes")
        return dataclasses.replace(found, attributes=known)

    @property
    def named_split(self) -> str | None:
        """Split by its usual name; None if missing or unknown."""
        return known_split(self.split or "")


@dataclass(frozen=True)
class _Attributes:
    """Types of the attributes that training and evaluation use."""

    style: str | None = None
    bpm: float | None = None
    downbeat: float | None = None
    key: str | None = None
    mode: str | None = None
    meter: str | None = None
    chords: str | None = None
    drum_pattern: str | None = None
    melody: str | None = None
    instruments: tuple[str, ...] | None = None
    drums: bool | None = None
    energy: float | None = None
    moods: tuple[str, ...] | None = None


def read_attributes(values: object) -> dict[str, Any]:
    """Return the attributes of a piece; null means unknown.

    Raises:
        ConfigError: they are not an object, or a known attribute has the wrong type.
    """
    return Description.read({"attributes": values}).attributes or {}


def known_split(word: str) -> str | None:
    """Return train, validation or test for one of its names, else None."""
    return _SPLIT_WORDS.get(word.lower())


def captions_from_text(text: str) -> tuple[str, ...]:
    """Return the captions of a text with one caption per line."""
    return tuple(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def captions_from_tags(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return captions from genre, title, artist and comment."""
    captions = []
    comment = tags.get("comment", "").strip()
    if comment.startswith("{"):  # the recipe of a file that `jen1` wrote
        try:
            recipe = parse_json(comment, "the comment")
        except JsonError:
            recipe = {}
        comment = ""
        prompt = recipe.get("prompt")
        if isinstance(prompt, str) and prompt.strip():
            return (prompt.strip(),)
    words = [tags.get(key, "").strip() for key in ("genre", "title")]
    caption = ", ".join(filter(None, words))
    artist = tags.get("artist", "").strip()
    if caption:
        captions.append(f"{caption} by {artist}" if artist and words[1] else caption)
    if comment:
        captions.append(" ".join(comment.split()))
    return tuple(captions)


def caption_from_name(stem: str) -> str:
    """Turn a file's name into words: `03_Slow-Blues (take 2)` becomes `Slow Blues take 2`."""
    readable = stem.encode("utf-8", "ignore").decode()  # without bytes that are not UTF-8
    words = re.sub(r"[_\-.()\[\]{}]+", " ", unicodedata.normalize("NFC", readable))
    words = re.sub(r"^\s*\d{1,2}\s+(?=\D)", "", words)
    return " ".join(words.split()) or readable or "music"


def _read_known(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    known = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    chosen = {name: value for name, value in values.items() if name in known}
    return from_dict(kind, chosen, where, complete=False)


def _captions(values: Mapping[str, Any]) -> list[str]:
    """Return the captions of a JSON object under any of their usual keys."""
    for key in _CAPTION_KEYS:
        given = values.get(key, [])
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ConfigError(f"{key} must be text or a list of texts, not {json_type(given)}")
        longest = max(map(len, texts), default=0)
        if longest > MAX_CAPTION_CHARACTERS:
            raise ConfigError(
                f"{key} has {longest:,} characters; at most {MAX_CAPTION_CHARACTERS:,} are read"
            )
        if captions := [" ".join(text.split()) for text in texts if text.strip()]:
            return captions
    tags = {key: values[key] for key in _TAGS if key in values}
    for key, value in tags.items():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ConfigError(f"{key} must be text, not {json_type(value)}")
    return list(captions_from_tags({key: str(value) for key, value in tags.items()}))
