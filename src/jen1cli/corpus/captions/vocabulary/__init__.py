"""Vocabulary of the captions, by style and in general."""

from dataclasses import dataclass
from functools import lru_cache

from jen1cli.corpus.captions.vocabulary import acoustic, electronic, world


@dataclass(frozen=True)
class StyleWords:
    """Words for one style."""

    names: tuple[str, ...]  # names of the style
    uses: tuple[str, ...]  # "for …"
    scenes: tuple[str, ...]  # noun phrases of scenes
    words: tuple[str, ...]  # adjectives
    eras: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def style_words() -> dict[str, StyleWords]:
    """Return the words of all styles, by style."""
    found: dict[str, StyleWords] = {}
    for text in (electronic.TEXT, acoustic.TEXT, world.TEXT):
        for block in text.split("\n# ")[1:]:
            name, *lines = block.strip().splitlines()
            lists: dict[str, tuple[str, ...]] = {}
            for line in lines:
                label, _, rest = line.partition(": ")
                lists[label] = tuple(part.strip() for part in rest.split(";") if part.strip())
            found[name.strip()] = StyleWords(**lists)
    return found
