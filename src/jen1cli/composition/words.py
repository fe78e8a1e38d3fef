"""Reads a prompt for the composer: names of styles, drums, pace, mode, tonic, ensemble.

Names of styles are those of the corpus' captions (`styles/words.json`, made by
`tests/evaluation/make_data.py`); longer names win over the words inside them. Tempo, metre and key
are read by `jen1cli.music.prompt`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.styles import STYLES
from jen1cli.jsonfiles import parse_object
from jen1cli.music.chords import tonic_of
from jen1cli.music.prompt import read_key

Ensemble = Literal["", "solo", "duo", "drums"]

_NOT = re.compile(r"\b(?:no|not|without|minus|free of|never any)\s+(?:any\s+)?$")
_REACH = 48  # characters before a word that are searched for a negation

DRUM_FAMILIES = frozenset({"drums", "orchestral percussion"})
_DRUM_WORDS = frozenset({"drums", "drum", "beat", "beats", "percussion", "drumming", "drum kit"})
_NO_DRUMS = re.compile(r"\b(?:beatless|drumless|drum-free|unaccompanied)\b")

_SLOW = re.compile(
    r"\b(?:slow|slowly|slow-paced|unhurried|lazy|sleepy|calm|relaxed|relaxing|gentle|peaceful"
    r"|largo|lento|adagio|downtempo|ballad|lullaby)\b"
)
_FAST = re.compile(
    r"\b(?:fast|quick|rapid|up-?tempo|high-energy|energetic|frantic|frenetic|furious"
    r"|driving(?! (?:through|home|to|in|on|at|down|along|past|around)\b)"
    r"|breakneck|presto|allegro|vivace|racing|intense|upbeat)\b"
)
_MINOR = re.compile(
    r"\b(?:sad|melanchol(?:y|ic)|dark|gloomy|sombre|somber|mournful|sorrowful|tragic|lonely|eerie"
    r"|sinister|menacing|tense|brooding|minor)\b"
)
_MAJOR = re.compile(
    r"\b(?:happy|cheerful|joyful|joyous|merry|sunny|uplifting|optimistic|triumphant|festive"
    r"|playful|carefree|major)\b"
)
_ENSEMBLES: dict[Ensemble, re.Pattern[str]] = {
    "drums": re.compile(
        r"\b(?:drum(?:s)? (?:solo|loop|track)|(?:drums|percussion|beat|drums and percussion)"
        r" (?:only|alone)|(?:only|just|solo) (?:drums|percussion))\b"
    ),
    "duo": re.compile(r"\b(?:duo|duet)\b"),
    "solo": re.compile(
        r"\bsolo (?:[\w-]+ ){0,2}(?:piano|guitar|violin|cello|viola|harp|flute|organ|strings"
        r"|harpsichord|sax\w*|clarinet|trumpet|accordion|kalimba|koto|sitar|synth|banjo)\b"
        r"|\bunaccompanied\b"
    ),
}
_TWELVE_BARS = re.compile(r"\b(?:12|twelve)[ -]?bars?\b")
_TONIC = re.compile(
    r"\b[Ii]n (?:the key of )?([A-G])([#b♯♭]|[ -](?:sharp|flat))?"
    r"(?= *(?:$|[,;.:!?)]|(?:with|and|at|for)\b))"
)


@dataclass(frozen=True)
class Wishes:
    """Requests of a prompt that bind the composer beside its `Controls`; defaults: open."""

    drums: bool | None = None
    pace: int = 0  # -1: the slow end of the style's tempi, 1: the fast end
    minor: bool | None = None
    tonic: str = ""  # of a key without a mode, one of `TONICS`
    ensemble: Ensemble = ""
    twelve_bars: bool = False


NO_WISHES = Wishes()


@cache
def style_words() -> dict[str, tuple[str, ...]]:
    """Return what people call styles, in lower case, and the styles that each word may mean."""
    data = files("jen1cli.composition.styles").joinpath("words.json").read_bytes()
    return {word: tuple(names) for word, names in parse_object(data, "words.json").items()}


@cache
def instrument_words() -> dict[str, tuple[str, ...]]:
    """Return what people call instruments, in lower case, and the families that it may mean."""
    found: dict[str, set[str]] = {}
    for item in INSTRUMENTS.values():
        for word in (*item.words, item.family):
            found.setdefault(word.lower(), set()).add(item.family)
    return {word: tuple(sorted(families)) for word, families in sorted(found.items())}


@cache
def _any_of(words: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(sorted(words), key=len, reverse=True)
    return re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


def find_words(words: Mapping[str, object], text: str) -> list[re.Match[str]]:
    """Return the non-overlapping occurrences of a table's words, longer words first."""
    return list(_any_of(frozenset(words)).finditer(text))


def is_denied(text: str, start: int) -> bool:
    """Whether a negation such as "no" precedes a word by at most `_REACH` characters."""
    return _NOT.search(text[max(0, start - _REACH) : start]) is not None


def find_styles(text: str) -> list[re.Match[str]]:
    """Return the names of styles in a lower-case text.

    Denied ones and those inside the name of an instrument, such as "rock" in "rock organ", are left
    out.
    """
    instruments = [match.span() for match in find_words(instrument_words(), text)]

    def inside(start: int, stop: int) -> bool:
        return any(a <= start and stop <= b and (a, b) != (start, stop) for a, b in instruments)

    return [
        match
        for match in find_words(style_words(), text)
        if not inside(*match.span()) and not is_denied(text, match.start())
    ]


def read_drums(text: str) -> bool | None:
    """Return whether a lower-case text asks for drums or denies them; None if it says neither."""
    found = [
        is_denied(text, match.start())
        for match in find_words(instrument_words(), text)
        if DRUM_FAMILIES.issuperset(instrument_words()[match[1]])
    ]
    if any(found) or _NO_DRUMS.search(text):
        return False
    for word in re.finditer(r"[\w-]+", text):
        if word[0] in _DRUM_WORDS:
            return not is_denied(text, word.start())
    return True if found else None


def named_styles(prompt: str) -> tuple[str, ...]:
    """Return the styles that a prompt names, in its order."""
    meanings = [style_words()[match[1]] for match in find_styles(prompt.lower())]
    return tuple(dict.fromkeys(style for styles in meanings for style in styles))


def style_weights(
    prompt: str, probabilities: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the styles that fit a prompt, with their weights; the seed draws one of them.

    Args:
        prompt: text.
        probabilities: of every style, by a network that reads the text; None: there is none.

    Returns:
        the named styles, if there are any that the network does not rule out; else the likeliest
        of the network. Empty if nothing is named and there is no network. An empty prompt allows
        all music.
    """
    named = named_styles(prompt)
    if probabilities is None or not prompt.strip():
        return dict.fromkeys(named or () if prompt.strip() else _music(), 1.0)
    likely = {name: probabilities.get(name, 0.0) for name in named}
    likely = {name: share for name, share in likely.items() if share >= _IMPLAUSIBLE}
    if not likely:
        most = max(probabilities.values())
        likely = {name: p for name, p in probabilities.items() if p >= _LEAST_SHARE * most}
    return {name: share**_SHARPNESS for name, share in likely.items()}


_IMPLAUSIBLE = 0.01  # probability below which a name is taken for another meaning: "haunted house"
_LEAST_SHARE = 0.1  # of the likeliest style's probability
_SHARPNESS = 1.5


def _music() -> tuple[str, ...]:
    return tuple(name for name, style in STYLES.items() if style.kind == "music")


def read_wishes(prompt: str) -> Wishes:
    """Return what a prompt asks of the composer beside style, tempo, metre and key."""
    text = prompt.lower()
    for match in find_words(style_words(), text):  # "dark ambient" says nothing about the mode
        text = text[: match.start()] + "_" * len(match[0]) + text[match.end() :]
    slow, fast = (_said(words, text) for words in (_SLOW, _FAST))
    minor, major = (_said(words, text) for words in (_MINOR, _MAJOR))
    ensembles: list[Ensemble] = [name for name, said in _ENSEMBLES.items() if _said(said, text)]
    return Wishes(
        drums=read_drums(text),
        pace=0 if slow == fast else 1 if fast else -1,
        minor=None if minor == major else minor,
        tonic=_tonic(prompt),
        ensemble=ensembles[0] if ensembles else "",
        twelve_bars=_TWELVE_BARS.search(prompt.lower()) is not None,
    )


def _said(words: re.Pattern[str], text: str) -> bool:
    return any(not is_denied(text, match.start()) for match in words.finditer(text))


def _tonic(prompt: str) -> str:
    """Return the tonic of a key without a mode, as in "12 bar blues in E"."""
    match = None if read_key(prompt)[0] else _TONIC.search(prompt)
    if match is None:
        return ""
    mark = (match[2] or "").strip(" -")
    return tonic_of(match[1] + {"sharp": "#", "flat": "b"}.get(mark, mark))
