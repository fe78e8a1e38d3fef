"""Checks of prompts, before a text encoder reads them."""

import re
import unicodedata

from jen1cli.errors import ConfigError

MAX_PROMPT_CHARACTERS = 1_000
_SCRIPTS = ("LATIN", "HANGUL", "HIRAGANA", "KATAKANA", "CJK")  # in the names of characters
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_text(text: str, what: str) -> str:
    """Return the text.

    Raises:
        ConfigError: it holds bytes that are not UTF-8, or halves of UTF-16 pairs.
    """
    if wrong := _SURROGATE.search(text):
        at = wrong.start()
        raise ConfigError(
            f"{what} is not text in UTF-8: '{text[max(0, at - 20) : at + 20]}';"
            " type it again, or set the terminal to UTF-8"
        )
    return text


def check_prompt(prompt: str, where: str = "the prompt") -> str:
    """Return the prompt without surrounding whitespace.

    Raises:
        ConfigError: it is empty, far too long, no plain text, or in a script that neither the text
            encoder nor a glossary (`jen1cli.composition.languages`) reads.
    """
    text = " ".join(check_text(prompt, where).split())
    if not text:
        raise ConfigError(f"{where} is empty; say what the music should be, such as 'lofi piano'")
    if len(text) > MAX_PROMPT_CHARACTERS:  # first, since the other checks take their time
        raise ConfigError(
            f"{where} has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are read,"
            " so shorten it to what matters"
        )
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise ConfigError(f"{where} holds control characters; write it as plain text")
    letters = [letter for letter in text if letter.isalpha()]
    foreign = [letter for letter in letters if not _is_read(letter)]
    if not letters or 2 * len(foreign) > len(letters):
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise ConfigError(
            f"{where} '{shown}' is not in Latin letters or those of Korean, Japanese or Chinese;"
            " write it in English"
        )
    return text


def _is_read(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return any(script in name for script in _SCRIPTS)
