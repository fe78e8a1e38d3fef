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

_NOT = re.compile(
    r"\b(?:no|not|without|minus|free of|never|neither|avoid(?:ing)?|excluding|instead of"
    r"|rather than|cannot|dont|\w+n['’]t)\s+"
    r"(?:(?:(?!(?:but|just|only|with|and|more)\b)[\w-]+,? ){1,3}(?:or|nor)\s+)?"  # "bass or drums"
    r"(?:(?:be|is|being|have|use|using|add|include|want|need|play|too|very|so|really"
    r"|overly|particularly|especially|any|an?|the|more|of)\s+){0,4}$"
)
_REACH = 64  # characters before a word that are searched for a negation

DRUM_FAMILIES = frozenset({"drums", "orchestral percussion"})
_DRUM_WORDS = frozenset({"drums", "drum", "beat", "beats", "percussion", "drumming", "drum kit"})
_NO_DRUMS = re.compile(
    r"\b(?:beatless|drumless|(?:drums?|percussion|beat)[ -](?:free|less)|unaccompanied)\b"
)

_SLOW = re.compile(
    r"\b(?:slow|slowly|slow-paced|unhurried|lazy|sleepy|calm|relaxed|relaxing|gentle|peaceful"
    r"|largo|lento|adagio|downtempo|ballad|lullaby|laid-back|mellow|soothing|serene|tranquil|restful"
    r"|meditative|dreamy|tender|wistful)\b"
)
_SAD = re.compile(r"\b(?:sad|melanchol(?:y|ic)|mournful|sorrowful|lonely)\b")
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
_DRUMMING = r"(?:drums(?: and percussion)?|drumming|percussion|beats?)"
_SOLOISTS = (
    r"(?:piano|guitar|violin|cello|viola|harp|flute|organ|strings|harpsichord|sax\w*|clarinet"
    r"|trumpet|accordion|kalimba|koto|sitar|synth|banjo|fiddle|marimba|vibraphone|music box)"
)
_SOLE = r"(?:only|just|nothing but|solely)(?: an?| the)?"
_DRUMS_ONLY = re.compile(
    rf"\b(?:drums? (?:solo|loop|track)|{_DRUMMING} (?:only|alone|solo)|solo {_DRUMMING}"
    rf"|{_SOLE} {_DRUMMING})\b"
)
_DUO = re.compile(r"\b(?:duo|duet)\b")
# "piano solo" is a piece where it begins the text, and a passage in "rock with a guitar solo"
_SOLO = re.compile(
    rf"\bsolo (?:[\w-]+ ){{0,2}}{_SOLOISTS}\b|\bunaccompanied\b"
    rf"|\b(?:{_SOLE} (?:[\w-]+ )?{_SOLOISTS}|{_SOLOISTS} (?:only|alone))\b"
    rf"|^\W*(?:(?!(?:with|and|featuring|plus|has)\b)[\w-]+ ){{0,3}}{_SOLOISTS} solo\b"
)
_TWELVE_BARS = re.compile(r"\b(?:12|twelve)[ -]?bars?\b")
_TONIC = re.compile(
    r"\b[Ii]n (?:the key of )?([A-G])([#b♯♭]|[ -](?:sharp|flat))?"
    r"(?= *(?:$|[,;.:!?)]|(?:with|and|at|for)\b))"
)


# Names of styles that are everyday words: only these may mean another thing.
_EVERYDAY = frozenset((
    "acid", "alternative", "americana", "breaks", "carol", "christmas", "cinematic", "classical",
    "corporate", "country", "downbeat", "drill", "drone", "folk", "garage", "horror", "house",
    "hymn", "indie", "jungle", "lounge", "lullaby", "march", "metal", "orchestral", "outrun", "pop",
    "punk", "rag", "rock", "soul", "sounds", "soundtrack", "spiritual", "stride", "strings",
    "suspense", "swing", "trance", "trap", "vapor", "western",
))  # fmt: skip
_IMPLAUSIBLE = 0.001  # probability below which they do: "haunted house"
_LEAST_NAMED = 0.2  # weight of a named style, relative to the likeliest named one
_LEAST_SHARE = 0.1  # share of the likeliest style's probability, where none is named
_SHARPNESS = 1.5  # exponent of the probabilities, which prefers the likelier styles


@dataclass(frozen=True)
class PromptHints:
    """Requests of a prompt beside its `Controls` that the composer obeys; defaults: left open."""

    drums: bool | None = None
    pace: int = 0  # -1: the slow end of the style's tempi, 1: the fast end
    minor: bool | None = None
    tonic: str = ""  # tonic of a key without a mode, one of `TONICS`
    ensemble: Ensemble = ""
    twelve_bars: bool = False


NO_HINTS = PromptHints()


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
    prompt: str,
    probabilities: Mapping[str, float] | None = None,
    *,
    music_only: bool = False,
) -> dict[str, float]:
    """Return the styles that fit a prompt, with their weights; the seed draws one of them.

    Args:
        prompt: text.
        probabilities: by style, from a network that reads the text; None without one.
        music_only: whether to leave out noises, which have no tempo, key or notes.

    Returns:
        the named styles, if there are any but everyday words that the network takes for another
        meaning; else the likeliest of the network. Empty if nothing is named and there is no
        network. An empty prompt allows all music.
    """
    allowed = _music() if music_only else tuple(STYLES)
    if not prompt.strip():
        return dict.fromkeys(_music(), 1.0)
    named = [name for name in named_styles(prompt) if name in allowed]
    if probabilities is None:
        return dict.fromkeys(named, 1.0)
    shares = {name: probabilities.get(name, 0.0) for name in allowed}
    certain = _certain_styles(prompt)
    likely = {n: shares[n] for n in named if n in certain or shares[n] >= _IMPLAUSIBLE}
    if likely:
        least = max(_LEAST_NAMED * max(likely.values()), _IMPLAUSIBLE)
        likely = {name: max(share, least) for name, share in likely.items()}
    else:
        most = max(shares.values())
        likely = {name: share for name, share in shares.items() if share >= _LEAST_SHARE * most}
    return {name: share**_SHARPNESS for name, share in likely.items()}


def _certain_styles(prompt: str) -> set[str]:
    """Return the styles that a prompt names by words without an everyday meaning."""
    names = {match[1] for match in find_styles(prompt.lower())} - _EVERYDAY
    return {style for name in names for style in style_words()[name]}


def _music() -> tuple[str, ...]:
    return tuple(name for name, style in STYLES.items() if style.kind == "music")


def read_hints(prompt: str) -> PromptHints:
    """Return what a prompt asks of the composer beside style, tempo, metre and key."""
    text = whole = prompt.lower()
    for match in find_words(style_words(), text):  # "dark ambient" says nothing about the mode
        text = text[: match.start()] + "_" * len(match[0]) + text[match.end() :]
    slow, fast = (_said(words, text) for words in (_SLOW, _FAST))
    minor, major = (_said(words, text) for words in (_MINOR, _MAJOR))
    slow = slow or (_said(_SAD, text) and not major)
    ensemble: Ensemble = (
        "drums" if _said(_DRUMS_ONLY, text)
        else "duo" if _said(_DUO, whole)
        else "solo" if _said(_SOLO, whole)
        else ""
    )  # fmt: skip
    return PromptHints(
        drums=read_drums(text),
        pace=0 if slow == fast else 1 if fast else -1,
        minor=None if minor == major else minor,
        tonic=_tonic(prompt),
        ensemble=ensemble,
        twelve_bars=_TWELVE_BARS.search(whole) is not None,
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
