"""Names of takes and files, as they are shown."""

import unicodedata

from jen1cli.music.texts import check_text

_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """Return a text as one line: control characters become spaces.

    Characters that turn the direction of writing around are left out: they would turn the words
    around the name, too.

    Raises:
        ConfigError: it holds halves of UTF-16 pairs.
    """
    plain = "".join(
        " " if unicodedata.category(char) == "Cc" else char
        for char in text
        if char not in _DIRECTIONS
    )
    return " ".join(check_text(plain, "the name").split())
