"""Languages with spaces between words: Spanish, Portuguese, French and German.

Terms are compared without accents, endings of number, gender and case, and the two spellings of
umlauts; German compounds are taken apart.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from jen1cli.composition.languages.glossary import (
    Glossary,
    Kind,
    Piece,
    english_words,
    load_glossary,
    plain,
)
from jen1cli.composition.languages.marking import Marked, marked
from jen1cli.composition.words import instrument_words, style_words

_TOKEN = re.compile(r"[^\W_]+(?:&[^\W_]+)?|[\ue000-\uf8ff]|[,;:.!?/()|\n–—]+")
_NOT_OTHERS = frozenset(
    ("the", "and", "with", "of", "without", "from", "by", "featuring", "this", "that", "it",
     "very", "some", "into", "for", "music")
)  # fmt: skip
"""Words of English that none of these languages has."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_KNOWN = 0.5  # share of a prompt's words
_END = ""  # key of a trie under which a term ends
_Trie = dict[str, Any]
_Term = tuple[str, Kind]

_ENDINGS = {
    "es": (("s", ""), ("es", ""), ("a", "o"), ("as", "o"), ("a", ""), ("as", ""), ("ces", "z")),
    "pt": (
        ("s", ""), ("es", ""), ("a", "o"), ("as", "o"), ("a", ""), ("oes", "ao"), ("ais", "al"),
        ("eis", "el"), ("ns", "m"), ("inho", "o"), ("inha", "a"),
    ),
    "fr": (
        ("s", ""), ("x", ""), ("e", ""), ("es", ""), ("euse", "eux"), ("euses", "eux"), ("ve", "f"),
        ("lle", "l"), ("lles", "l"), ("nne", "n"), ("nnes", "n"), ("aux", "al"), ("ere", "er"),
    ),
    "de": tuple(
        (ending, kept)
        for ending in ("e", "er", "es", "en", "em", "n", "s", "ern", "te", "ter", "es")
        for kept in ("", "e")
    ),
}  # fmt: skip
_LEAST_STEM = 3
_LEAST_PART = 3  # letters of a part of a compound
_JOINTS = ("", "s", "n", "en", "es", "er")
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ß", "ss"))


@dataclass(frozen=True)
class Reading:
    """A prompt as read in one language."""

    pieces: list[Piece]
    words: int  # without English names of styles and instruments, which all languages use
    known: int  # words in the glossary
    telling: int  # terms of the glossary that are not English

    @property
    def is_this(self) -> bool:
        """Whether the prompt is in this language; names that all languages share say nothing."""
        return self.telling > 0 and self.known >= _LEAST_KNOWN * self.words

    @property
    def fit(self) -> tuple[int, int, int]:
        """How well the language fits: known words, those with a meaning, in few terms."""
        dropped = sum(piece.kind == "dropped" for piece in self.pieces)
        return self.known, -dropped, -len(self.pieces)


def is_english(prompt: str) -> bool:
    """Whether all words of a prompt are known to be English, so that no language can claim it.

    Reads no glossary.
    """
    return _english().issuperset(_WORD.findall(prompt.lower()))


def read_spaced(prompt: str, language: str) -> Reading:
    """Read a prompt in one of the languages with spaces."""
    glossary = load_glossary(language)
    text = marked(prompt, glossary)
    tokens = list(_TOKEN.finditer(text.plain))
    if any(token[0] in _NOT_OTHERS for token in tokens):
        return Reading([], len(tokens), 0, 0)
    pieces: list[Piece] = []
    at = 0
    while at < len(tokens):
        mark = text.piece(tokens[at][0])
        pieces.append(mark or _next(text, tokens[at:], glossary))
        at += 1 if mark else pieces[-1].words
    words = [piece for piece in pieces if piece.kind != "stop"]
    known = sum(piece.words for piece in words if piece.kind not in ("unknown", "kept"))
    names = sum(piece.words for piece in words if piece.shared)
    count = sum(piece.words for piece in words)
    telling = sum(_tells(piece) for piece in words)
    return Reading(pieces, count - names, known - names, telling)


def _next(text: Marked, tokens: Sequence[re.Match[str]], glossary: Glossary) -> Piece:
    token = tokens[0]
    if not token[0][0].isalnum():
        return Piece("", "stop", token[0])
    words = [match[0] for match in _until_stop(tokens)]
    language = glossary.language
    length, term = _longest(_terms(language), words, language)
    named, name = _longest(_english_names(), words, "")
    raw = text.text[token.start() : tokens[max(length, named, 1) - 1].end()]
    if name is not None and named >= length:
        return Piece(*name, raw, named, shared=True)
    if term is not None:
        return Piece(*term, raw, length)
    if words[0] in glossary.dropped or words[0] in _dropped(language):
        return Piece("", "dropped", raw)
    if words[0] in english_words() or words[0].isdigit():
        return Piece(raw, "kept", raw)
    if language == "de" and (parts := _compound(words[0])):
        return Piece(" ".join(part for part, _ in parts), parts[-1][1], raw)
    return Piece("", "unknown", raw)


def _until_stop(tokens: Sequence[re.Match[str]]) -> Iterator[re.Match[str]]:
    for token in tokens:
        if not token[0][0].isalnum():
            return
        yield token


def _tells(piece: Piece) -> bool:
    """Whether a piece has a meaning, and a word that is not English."""
    if piece.kind in ("kept", "dropped", "unknown"):
        return False
    if piece.kind == "link" and piece.text != "without":
        return False
    written = _WORD.findall(piece.source.lower())
    if written and written[-1] in ("dur", "moll"):
        return False  # the readers of English prompts know these keys
    return not _english().issuperset(written)


def _longest(trie: _Trie, words: Sequence[str], language: str) -> tuple[int, _Term | None]:
    """Return the number of words of the longest term at the beginning, and the term."""
    best: tuple[int, _Term | None] = (0, trie.get(_END))
    if words:
        for form in _forms(words[0], language):
            if form in trie:
                length, term = _longest(trie[form], words[1:], language)
                if term is not None and length + 1 > best[0]:
                    best = (length + 1, term)
    return best


@lru_cache(maxsize=10_000)
def _forms(word: str, language: str) -> tuple[str, ...]:
    """Return what a word without accents may be in a glossary, likeliest first."""
    spellings = [word]
    if language == "de":
        for written, letter in _UMLAUTS:
            spellings += [one.replace(written, letter) for one in spellings if written in one]
    found = list(spellings)
    for spelling in spellings:
        for ending, kept in _ENDINGS.get(language, ()):
            if spelling.endswith(ending) and len(spelling) - len(ending) >= _LEAST_STEM:
                found.append(spelling[: len(spelling) - len(ending)] + kept)
    return tuple(dict.fromkeys(found))


def _key_words(term: str) -> list[str]:
    return [match[0] for match in _TOKEN.finditer(plain(term).replace("ß", "ss"))]


def _put(trie: _Trie, words: Sequence[str], term: _Term) -> None:
    for word in words:
        trie = trie.setdefault(word, {})
    trie.setdefault(_END, term)


@cache
def _terms(language: str) -> _Trie:
    trie: _Trie = {}
    for term, meaning in load_glossary(language).terms.items():
        _put(trie, _key_words(term), meaning)
    return trie


@cache
def _dropped(language: str) -> frozenset[str]:
    return frozenset(plain(word).replace("ß", "ss") for word in load_glossary(language).dropped)


@cache
def _english() -> frozenset[str]:
    names = (word for name in (*style_words(), *instrument_words()) for word in _key_words(name))
    return english_words() | frozenset(names) | {"bpm", "em", "en", "mit", "bei"}


@cache
def _english_names() -> _Trie:
    """Return the English names of styles and instruments, which all languages use."""
    trie: _Trie = {}
    names: tuple[tuple[dict[str, tuple[str, ...]], Kind], ...] = (
        (style_words(), "style"),
        (instrument_words(), "instrument"),
    )
    for table, kind in names:
        for name in table:
            _put(trie, _key_words(name), (name, kind))
    return trie


def _compound(word: str) -> list[_Term]:
    """Return the parts of a German compound; empty if one of them is unknown."""
    terms = _terms("de")
    for cut in range(len(word) - _LEAST_PART, _LEAST_PART - 1, -1):
        for joint in _JOINTS:
            front = word[:cut].removesuffix(joint) if joint else word[:cut]
            if len(front) < _LEAST_PART or (joint and front == word[:cut]):
                continue
            first = _single(terms, front)
            if first is None:
                continue
            last = _single(terms, word[cut:])
            rest = [last] if last else _compound(word[cut:])
            if rest:
                return [first, *rest]
    return []


def _single(terms: _Trie, word: str) -> _Term | None:
    for form in _forms(word, "de"):
        if form in terms and _END in terms[form]:
            return terms[form][_END]
        if form in _english_names() and _END in _english_names()[form]:
            return _english_names()[form][_END]
    return None
