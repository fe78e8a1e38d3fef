"""Prompts put into English: which language a prompt is in, its text, and what was not understood.

Prompts in English, and all that the glossaries do not know, keep every byte.
"""

import logging
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from textwrap import shorten

from jen1cli.composition.languages.glossary import SPACED, Piece
from jen1cli.composition.languages.spaced import is_english, read_spaced
from jen1cli.composition.languages.unspaced import read_unspaced
from jen1cli.composition.languages.wording import english_text
from jen1cli.errors import ConfigError

logger = logging.getLogger(__name__)

_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_QUOTED = 160  # characters of a prompt, and of its unknown words, in a warning
_KNOWN = (
    "styles, instruments, moods, uses, tempo and key in English and seven other languages"
    " (docs/make.md)"
)
_MOST_CHARACTERS = 2000  # of a prompt that is read; the encoder takes fewer


@dataclass(frozen=True)
class Translation:
    """A prompt in English."""

    text: str
    language: str = ""  # code of ISO 639-1; "" for English, or a language without a glossary
    unknown: tuple[str, ...] = ()  # words that `text` lacks


@lru_cache(maxsize=256)
def in_english(prompt: str) -> Translation:
    """Return a prompt in English words.

    Args:
        prompt: in English, Korean, Japanese, Chinese, Spanish, Portuguese, French or German.

    Returns:
        the English text, empty if nothing is known; the prompt itself if it is in English or in a
        language without a glossary.
    """
    written = _PRIVATE.sub(" ", unicodedata.normalize("NFKC", prompt))
    if len(written) > _MOST_CHARACTERS or not any(map(str.isalpha, written)):
        return Translation(prompt)
    if _HANGUL.search(written):
        return _translated(prompt, read_unspaced(written, "ko"), "ko")
    if _KANA.search(written):
        return _translated(prompt, read_unspaced(written, "ja"), "ja")
    if _HAN.search(written):
        readings = {language: read_unspaced(written, language) for language in ("zh", "ja")}
        language = min(readings, key=lambda name: _unknown_characters(readings[name]))
        return _translated(prompt, readings[language], language)
    if is_english(written):
        return Translation(prompt, unknown=_other_scripts(written))
    readings_of = {language: read_spaced(written, language) for language in SPACED}
    likely = [name for name, reading in readings_of.items() if reading.is_this]
    if not likely:
        return Translation(prompt, unknown=_other_scripts(written))
    best = max(likely, key=lambda name: readings_of[name].fit)
    return _translated(prompt, readings_of[best].pieces, best)


def english_prompt(prompt: str) -> str:
    """Return a prompt in English words, with a warning about words that are not understood.

    Raises:
        ConfigError: it is in Korean, Japanese or Chinese, and nothing of it is understood.
    """
    found = in_english(prompt)
    shown = shorten(prompt, _QUOTED, placeholder=" ...")
    if not found.text and prompt:
        raise ConfigError(f"nothing is understood in '{shown}'; known are {_KNOWN}")
    if found.unknown:
        unknown = shorten(", ".join(found.unknown), _QUOTED, placeholder=" ...")
        logger.warning("not understood in '%s': %s; known are %s", shown, unknown, _KNOWN)
    return found.text


def _unknown_characters(pieces: list[Piece]) -> int:
    return sum(len(piece.source) for piece in pieces if piece.kind == "unknown")


def _translated(prompt: str, pieces: list[Piece], language: str) -> Translation:
    unknown = dict.fromkeys(piece.source for piece in pieces if piece.kind == "unknown")
    return Translation(english_text(pieces, language), language, tuple(unknown))


def _other_scripts(prompt: str) -> tuple[str, ...]:
    """Return the words in scripts that no glossary has, such as Cyrillic."""
    words = re.findall(r"[^\W\d_]+", prompt)
    return tuple(
        dict.fromkeys(
            word
            for word in words
            if not unicodedata.name(word[0], "LATIN").startswith(("LATIN", "GREEK"))
            and unicodedata.category(word[0]) in ("Lu", "Ll", "Lo")
        )
    )
