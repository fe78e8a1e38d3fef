"""Korean, Japanese and Chinese: the cheapest division of a prompt into terms, longest terms first.

Japanese and Chinese have no spaces; Korean has them between words, but not before particles.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from jen1cli.composition.languages.glossary import Glossary, Kind, Piece, load_glossary
from jen1cli.composition.languages.marking import Marked, marked

_FOREIGN = re.compile(r"[^\W_]+(?:[&'’.#/+-][^\W_]+)*")  # a run of Latin letters and digits
_TERM, _DROPPED, _UNKNOWN = 10, 11, 30  # costs, the last one of each character
_STOPS = frozenset(",、。・;:!?…/()[]「」『』|\n~·，．")
_AFTER_LATIN = 0x250  # the first code point behind the Latin letters
_HANGUL_FIRST, _FINALS, _FINAL_N, _FINAL_B = 0xAC00, 28, 4, 17
_ENDINGS_KO = ("고", "게", "며", "면서", "지만", "지", "지는")
_ENDINGS_JA = ("く", "くて", "さ", "め", "げ", "げな", "かった", "そうな", "くは", "す", "過")

_PARTICLES = frozenset("을를은는이가의에도로와과랑만용풍")
"""Korean syllables that are never a word of their own."""

_Step = tuple[int, int, Piece]  # cost so far, beginning, piece


def is_latin(character: str) -> bool:
    """Whether a character is a Latin letter or a digit."""
    return character.isalnum() and ord(character) < _AFTER_LATIN


def read_unspaced(prompt: str, language: str) -> list[Piece]:
    """Read a prompt in Korean, Japanese or Chinese."""
    glossary = load_glossary(language)
    if language == "ja":
        prompt = re.sub(r"(?<=[ァ-ヺー])・(?=[ァ-ヺ])", "", prompt)
    text = marked(prompt, glossary)
    pieces: list[Piece] = []
    for chunk in _chunks(text.plain, spaced=language == "ko"):
        start, stop = chunk
        if text.plain[start] in _STOPS:
            pieces.append(Piece("", "stop", text.text[start:stop]))
        else:
            pieces += _joined(_divided(text, start, stop, glossary), language)
    return pieces


def _chunks(text: str, *, spaced: bool) -> Iterator[tuple[int, int]]:
    """Yield begin and end of stops and of what is between them, or for Korean of phrases."""
    start = 0
    for at, character in enumerate(text):
        if character in _STOPS:
            if text[start:at].strip():
                yield start, at
            yield at, at + 1
            start = at + 1
    if text[start:].strip():
        yield start, len(text)


def _divided(text: Marked, start: int, stop: int, glossary: Glossary) -> list[Piece]:
    """Return the cheapest division of a part of a text."""
    best: dict[int, _Step] = {start: (0, start, Piece("", "dropped"))}
    for at in range(start, stop):
        cost = best[at][0] if at in best else None
        if cost is None:
            continue
        for end, price, piece in _options(text, at, start, stop, glossary):
            if end not in best or cost + price < best[end][0]:
                best[end] = (cost + price, at, piece)
    pieces: list[Piece] = []
    at = stop
    while at > start:
        _, begin, piece = best[at]
        pieces.append(piece)
        at = begin
    return pieces[::-1]


def _options(
    text: Marked, at: int, start: int, stop: int, glossary: Glossary
) -> Iterator[tuple[int, int, Piece]]:
    """Yield end, cost and piece of what may begin at a place."""
    character = text.plain[at]
    if mark := text.piece(character):
        yield at + 1, 0, mark
        return
    if character.isspace():
        yield at + 1, 0, Piece(" ", "dropped")
        return
    terms, longest = _terms(glossary.language)
    korean = glossary.language == "ko"
    begins = at == start or text.plain[at - 1].isspace()
    for end in range(at + 1, min(stop, at + longest) + 1):
        written = text.plain[at:end]
        if _cuts_latin(text.plain, at) or _cuts_latin(text.plain, end):
            continue
        term = terms.get(written)
        single = korean and len(written) == 1
        particle = written in _PARTICLES
        if term and (not single or begins != particle or written == "곡"):
            yield end, _TERM, Piece(*term, text.text[at:end])
        if written in glossary.dropped and not (single and begins and particle):
            yield end, _DROPPED, Piece("", "dropped", text.text[at:end])
    if (run := _FOREIGN.match(text.plain, at)) and is_latin(character):
        end = _latin_end(text.plain, at, min(stop, run.end()))
        yield end, _TERM, Piece(text.text[at:end], "kept", text.text[at:end])
    elif not character.isalnum():
        yield at + 1, 0, Piece(" ", "dropped")
    else:
        yield at + 1, _UNKNOWN, Piece("", "unknown", text.text[at])


def _latin_end(text: str, at: int, stop: int) -> int:
    end = at
    while end < stop and ord(text[end]) < _AFTER_LATIN:
        end += 1
    return end


def _cuts_latin(text: str, at: int) -> bool:
    """Whether a place is between two Latin letters."""
    return 0 < at < len(text) and is_latin(text[at - 1]) and is_latin(text[at])


def _joined(pieces: list[Piece], language: str) -> Iterator[Piece]:
    """Yield the pieces with unknown characters joined, and single characters beside them.

    A single character inside an unknown word is no word.
    """
    joined: list[Piece] = []
    for index, piece in enumerate(pieces):
        before = joined[-1] if joined else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        alone = len(piece.source) == 1 and any(
            other is not None and other.kind == "unknown" and _alike(piece, other)
            for other in (before, after)
        )
        if piece.kind == "unknown" or alone:
            if before is not None and before.kind == "unknown" and before.source:
                joined[-1] = Piece("", "unknown", before.source + piece.source)
            else:
                joined.append(Piece("", "unknown", piece.source))
        else:
            joined.append(piece)
    for piece in joined:
        ending = language == "ja" and len(piece.source) == 1 and "ぁ" <= piece.source <= "ん"
        if not (piece.kind == "unknown" and ending):
            yield piece


def _alike(piece: Piece, other: Piece) -> bool:
    return bool(other.source) and _script(piece.source[0]) == _script(other.source[-1])


def _script(character: str) -> str:
    """Return the script of a character, such as "CJK" or "HIRAGANA"."""
    return unicodedata.name(character, "?").split()[0]


@cache
def _terms(language: str) -> tuple[dict[str, tuple[str, Kind]], int]:
    """Return all terms of a language with their forms, and the length of the longest."""
    found: dict[str, tuple[str, Kind]] = {}
    for term, meaning in load_glossary(language).terms.items():
        for form in _forms(term.lower(), language, meaning[1]):
            found.setdefault(form, meaning)
    return found, max(map(len, found))


def _forms(term: str, language: str, kind: Kind) -> Iterator[str]:
    term = term.replace("・", "") if language == "ja" else term
    yield term
    if " " in term:
        yield term.replace(" ", "")
    if kind != "mood":
        return
    if language == "ja" and term.endswith("い"):
        yield from (term[:-1] + ending for ending in _ENDINGS_JA)
    elif language == "ko":
        yield from (stem + ending for stem in _stems(term) for ending in _ENDINGS_KO)


def _stems(term: str) -> Iterator[str]:
    """Yield the stems of a Korean adjective, such as 느리 of 느린 and 어둡 of 어두운."""
    last = ord(term[-1]) - _HANGUL_FIRST
    if term[-1] in "은는":
        yield term[:-1]
    elif term[-1] == "운" and len(term) > 1:
        yield term[:-2] + chr(ord(term[-2]) + _FINAL_B)
    elif last >= 0 and last % _FINALS == _FINAL_N:
        yield term[:-1] + chr(ord(term[-1]) - _FINAL_N)
