"""Tempi, metres, decades and keys of a prompt, each replaced by one private character."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from jen1cli.composition.languages.glossary import SPACED, Glossary, Piece, plain
from jen1cli.music.chords import tonic_of
from jen1cli.music.prompt import parse_key

_FIRST = 0xE000  # of the private use area
_Match = re.Match[str]

_SYLLABLES = {
    "do": "C", "ut": "C", "re": "D", "mi": "E", "fa": "F", "sol": "G", "la": "A", "si": "B",
}  # fmt: skip
_HANGUL = dict(zip("다라마바사가나", "CDEFGAB", strict=True))
_KATAKANA = dict(zip("ハニホヘトイロへ", "CDEFGABF", strict=True))
_SIGNS = {
    **dict.fromkeys(("#", "♯", "sostenido", "sustenido", "diese"), "#"),
    **dict.fromkeys(("올림", "샵", "嬰", "シャープ", "升"), "#"),
    **dict.fromkeys(("b", "♭", "bemol", "내림", "플랫", "変", "フラット", "降"), "b"),
}  # fmt: skip
_MINOR = ("menor", "mineur", "moll", "단조", "마이너", "短調", "マイナー", "小调", "minor", "m")

_NUMBER = r"\d{2,3}(?:[.,]\d)?"
_TEMPO = re.compile(
    rf"(?:\b(?:a|à|em|en|mit|bei)\s+)?({_NUMBER}(?:\s?-\s?{_NUMBER})?)\s*bpm(?![a-z])|\bbpm\s*[:=]?\s*({_NUMBER})",
    re.IGNORECASE,
)

_BEFORE = r"(?:\b(?:en|em|tonalidad|tonalite|tonalidade|tono|tom|ton)\s+(?:de\s+)?)"
_SIGN = r"(?:[ -]?(#|♯|♭|b\b|bemol|sostenido|sustenido|diese))?"
_NOTE = "|".join(_SYLLABLES)
_NEXT = r"con|com|avec|y|e|et|a|para|pour|pra|sin|sem|sans"
_END = rf"(?=\s*(?:$|[,.;:!?)/|\d\ue000-\uf8ff]|(?:{_NEXT})\b))"


def _romance(modes: str) -> tuple[str, ...]:
    mode = rf"[ -]({modes})\b"
    return (
        rf"{_BEFORE}()({_NOTE}){_SIGN}{mode}",
        rf"()\b({_NOTE}){_SIGN}{mode}{_END}",
        rf"{_BEFORE}()([a-g]){_SIGN}{mode}",
    )


# by language: patterns with the groups sign, note, sign, mode
_KEYS = {
    "es": _romance("mayor|menor"),
    "pt": _romance("maior|menor"),
    "fr": _romance("majeur|mineur"),
    "de": (r"(?:\bin\s+)?()\b([cdefgah]is|[cdfg]es|hes|es|as|[a-h])()[ -](dur|moll)\b",),
    "ko": (
        r"(?<![가-힣])(올림|내림)?([다라마바사가나])()(장조|단조)",
        r"()(?<![a-z])([a-g])\s*(#|♯|b|♭|샵|플랫)?\s*(장조|단조|메이저|마이너|major\b|minor\b|m\b)",
    ),
    "ja": (
        r"(嬰|変)?([ハニホヘトイロへ])()\s*(長調|短調)",
        r"()(?<![a-z])([a-g])\s*(#|♯|b|♭|シャープ|フラット)?\s*(長調|短調|メジャー|マイナー|major\b|minor\b)",
    ),
    "zh": (r"(升|降)?\s*(?<![a-z])([a-g])\s*(#|♯|b|♭|升|降)?\s*(大调|小调|major\b|minor\b)",),
}


@dataclass
class Marked:
    """A prompt whose statements of tempo, metre, decade and key are private characters."""

    text: str
    plain: str  # as compared with a glossary; of the same length
    pieces: list[Piece] = field(default_factory=list)

    def piece(self, character: str) -> Piece | None:
        """Return what a private character stands for; None for other characters."""
        index = ord(character) - _FIRST if len(character) == 1 else -1
        return self.pieces[index] if 0 <= index < len(self.pieces) else None

    def replace(self, pattern: re.Pattern[str], piece: Callable[[_Match], Piece]) -> None:
        """Replace the matches of a pattern in the plain text."""
        for match in reversed(list(pattern.finditer(self.plain))):
            made = piece(match)
            self.pieces.append(replace(made, words=len(made.source.split())))
            mark = chr(_FIRST + len(self.pieces) - 1)
            self.text = self.text[: match.start()] + mark + self.text[match.end() :]
            self.plain = self.plain[: match.start()] + mark + self.plain[match.end() :]


def marked(prompt: str, glossary: Glossary) -> Marked:
    """Mark keys, then tempi, metres and decades, in a prompt without private characters."""
    spaced = glossary.language in SPACED
    found = Marked(prompt, plain(prompt) if spaced else prompt.lower().translate(glossary.variants))
    for pattern in _KEYS[glossary.language]:
        found.replace(re.compile(pattern), _key)
    found.replace(_TEMPO, _tempo)
    for compiled, result in glossary.rewrites:
        found.replace(compiled, _rewritten(result))
    return found


def _rewritten(result: str) -> Callable[[_Match], Piece]:
    apart = "bpm" in result or result.startswith("in ") or result.endswith("bars")

    def piece(match: _Match) -> Piece:
        return Piece(match.expand(result), "apart" if apart else "mood", match[0])

    return piece


def _tempo(match: _Match) -> Piece:
    return Piece(f"{match[1] or match[2]} bpm", "apart", match[0])


def _key(match: _Match) -> Piece:
    first, note, second, mode = match.groups()
    minor = mode in _MINOR
    if mode in ("dur", "moll"):
        tonic, _ = parse_key(f"{note}-{mode}")
    else:
        letter = _SYLLABLES.get(note) or _HANGUL.get(note) or _KATAKANA.get(note) or note.upper()
        tonic = tonic_of(letter + _SIGNS.get(first or second or "", ""))
    return Piece(f"in {tonic} {'minor' if minor else 'major'}", "apart", match[0].strip())
