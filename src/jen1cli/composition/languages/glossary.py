"""Glossaries: what people write in one language, and its English words with their kind.

One TOML file per language holds a table per kind: English words = terms, separated by semicolons.
`dropped.words` are words without a meaning of their own, `rewrites` regular expressions of tempi,
metres and decades, `characters.pairs` variants of characters.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal[
    "style",  # names of styles
    "instrument",
    "mood",  # adjectives: moods, pace, origin, era
    "use",  # what the music is for
    "noun",  # all other nouns
    "link",  # "with", "and", "without": in front of its words, as in English
    "after",  # the same behind its words
    "kept",  # English, or a number
    "apart",  # tempo, metre or key
    "stop",  # a comma
    "dropped",
    "unknown",
]

KINDS: dict[str, Kind] = {
    "styles": "style", "instruments": "instrument", "moods": "mood", "uses": "use",
    "nouns": "noun", "links": "link", "after": "after",
}  # fmt: skip
SPACED = ("es", "pt", "fr", "de")
"""Languages that separate all words by spaces, by code; in doubt the first is taken."""

LANGUAGES = ("ko", "ja", "zh", *SPACED)


@dataclass(frozen=True)
class Piece:
    """A part of a prompt."""

    text: str  # in English; empty if dropped or unknown
    kind: Kind
    source: str = ""  # what the prompt has
    words: int = 1  # number of words of the source
    shared: bool = False  # an English name that all languages use


@dataclass(frozen=True)
class Glossary:
    """The words of one language."""

    language: str
    terms: Mapping[str, tuple[str, Kind]]  # by term: English words and kind
    dropped: frozenset[str]
    rewrites: tuple[tuple[re.Pattern[str], str], ...]
    variants: Mapping[int, int]  # code points of characters, for `str.translate`


@cache
def load_glossary(language: str) -> Glossary:
    """Return the glossary of a language, one of `LANGUAGES`."""
    data = _tables(language)
    terms: dict[str, tuple[str, Kind]] = {}
    for table, kind in KINDS.items():
        for english, written in data.get(table, {}).items():
            for term in written.split(";"):
                terms.setdefault(" ".join(term.split()), (english, kind))
    rewrites = tuple(
        (_compiled(pattern, language), result) for pattern, result in data["rewrites"].items()
    )
    pairs = data.get("characters", {}).get("pairs", "").split()
    variants = {ord(pair[0]): ord(pair[1]) for pair in pairs}
    return Glossary(
        language, terms, frozenset(data["dropped"]["words"].split()), rewrites, variants
    )


@cache
def english_words() -> frozenset[str]:
    """Return words that are English, those of all results among them: the list of english.txt."""
    lines = _data("english.txt").decode().split("\n")
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _tables(language: str) -> dict[str, Any]:
    return tomllib.loads(_data(f"{language}.toml").decode())


def _data(name: str) -> bytes:
    return files("jen1cli.composition.languages").joinpath(name).read_bytes()


def _compiled(pattern: str, language: str) -> re.Pattern[str]:
    if language in SPACED:  # not inside a word, as "anos 80" is in "pianos 80"
        pattern = rf"(?<![^\W_])(?:{plain(pattern)})(?![^\W_])"
    return re.compile(pattern, re.IGNORECASE)


def plain(text: str) -> str:
    """Return a text in lower case without accents, of the same length."""
    return "".join(map(_plain_character, text))


@cache
def _plain_character(character: str) -> str:
    lower = character.lower()
    if len(lower) > 1:
        return character
    base = unicodedata.normalize("NFD", lower)
    return base[0] if len(base) > 1 and unicodedata.combining(base[1]) else lower
