"""Words of the captions that a model learned from, stored beside its text encoder.

A prompt may have any words, but the music can follow only those that captions had. The list is
written by `jen1 train text-encoder`.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from jen1cli.errors import CheckpointError
from jen1cli.files import write_text

FILE = "words.txt"
_WORD = re.compile(r"\b[^\W\d_]{3,}\b")
_CONTRACTION = re.compile(r"\b[^\W\d_]+n['’]t\b", re.IGNORECASE)  # such as "don't"
_FUNCTION_WORDS = {
    "about", "all", "also", "and", "another", "any", "are", "because", "been", "but", "can",
    "could", "did", "does", "each", "every", "for", "from", "get", "give", "had", "has", "have",
    "her", "here", "his", "how", "into", "its", "just", "less", "let", "like", "made", "make",
    "many", "may", "maybe", "more", "most", "much", "must", "need", "not", "only", "other", "our",
    "out", "over", "own", "please", "same", "should", "some", "someone", "something", "such",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "too", "use", "used", "uses", "using", "very", "want", "was", "were", "what", "when", "where",
    "which", "while", "who", "whose", "why", "will", "with", "without", "would", "you", "your",
}  # fmt: skip
# ends of words, and what a listed word may have in their place
_ENDINGS = (
    ("s", ("",)), ("es", ("",)), ("ies", ("y",)), ("ing", ("", "e")), ("ed", ("", "e")),
    ("ly", ("", "le")), ("y", ("", "e")), ("er", ("", "e")), ("est", ("", "e")), ("ish", ("",)),
    ("ness", ("",)), ("less", ("",)), ("ful", ("",)),
)  # fmt: skip


class Vocabulary:
    """The words that a model knows, in lower case."""

    def __init__(self, words: Iterable[str]) -> None:
        """Keep the words."""
        self.words = frozenset(words)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """Collect the words of texts."""
        return cls(word for text in texts for word in _WORD.findall(text.lower()))

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary | None":
        """Read the list beside a text encoder; None if there is none.

        Raises:
            CheckpointError: the file cannot be read.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            return cls(path.read_text("utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(
                f"cannot read the list of words {path} ({error}); get the weight set again"
            ) from error

    def save(self, folder: Path) -> None:
        """Write the list into the folder of the text encoder."""
        write_text(folder / FILE, "\n".join(sorted(self.words)) + "\n")

    def unknown(self, text: str) -> tuple[str, ...]:
        """Return the words of a text that are not listed, nor forms of listed ones."""
        found = dict.fromkeys(_WORD.findall(_CONTRACTION.sub(" ", text)))
        return tuple(word for word in found if not self._has(word.lower()))

    def _has(self, word: str) -> bool:
        return word in _FUNCTION_WORDS or not self._forms.isdisjoint(_stems(word))

    @cached_property
    def _forms(self) -> set[str]:
        """The words, and the words of which they may be forms."""
        return {stem for word in self.words for stem in _stems(word)}


def _stems(word: str) -> set[str]:
    """Return a word, and words of which it may be a form: "runny" of "runn", "run" and "runne"."""
    found = {word}
    for ending, others in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            found.update(stem + other for other in others)
            if len(stem) > 2 and stem[-1] == stem[-2]:
                found.add(stem[:-1])
    return found
