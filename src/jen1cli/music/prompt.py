"""Parser of tempo, metre and key in prompts: "at 92 bpm", "in 3/4", "F sharp minor".

Only unambiguous statements are parsed: "a minor setback" is not a key, "in 4 parts" not a metre,
"1960s" not a tempo. "Half-time" and "double-time" describe drums over a beat and change neither
tempo nor metre. This file does not import torch.
"""

import re
import unicodedata
from collections.abc import Iterator

from jen1cli.errors import ConfigError
from jen1cli.music.chords import TONICS, tonic_of
from jen1cli.music.controls import BEATS, MAX_BPM, MIN_BPM, Controls
from jen1cli.music.keys import MODES

_SIGNS = str.maketrans(
    {"♯": "#", "♭": "b", "♮": " natural", "⁄": "/", "−": "-",
     **dict.fromkeys("‐‑‒–—―", "-")}
)  # fmt: skip

# --- tempo ---

_NUMBER = r"\d{2,3}(?:\.\d+|,\d(?!\d))?"
_RANGE = rf"({_NUMBER})(?: ?(-|/|to|and|or|bis|\.\.) ?({_NUMBER}))?"
_UNIT = (
    r"(?:bpms?(?![a-z])|b\.p\.m\.?|beats? ?(?:per|a|/) ?min(?:ute)?\b"
    r"|(?:schläge|slag|battements|battiti|pulsaciones|batidas) (?:pro|per|par|por|al) min\w*)"
)
_ABOUT = r"(?:(?:(?:is|of|at|around|about|circa|roughly)\b|approx\.?|ca?\.) ?|[~≈] ?)"
_BEFORE = (
    rf"(?:\b(?:tempo|bpm)[ :=-]*{_ABOUT}{{0,2}}|(?:♩\.?|\bm\. ?m\.|\bmm) ?=? ?"
    r"|\b(?:quarter(?: note)?|crotchet|1/4) ?= ?)"
)
_NUMBER_ENDS = r"(?![\w%]|[.,:/]\d)"
TEMPO_WORDS = re.compile(
    rf"(?i)(?<!\w)(?<!\d[.,]){_RANGE}[ -]*{_UNIT}|{_BEFORE}{_RANGE}{_NUMBER_ENDS}"
)
"""A number before its unit or after its name; groups 1-3 or 4-6: first number, sign, second."""

_AT = re.compile(rf"(?i)\bat {_ABOUT}?({_NUMBER})(?= *(?:$|[,;!?)]|[.:](?!\d)))")  # a number alone
_NOT_A_TEMPO = re.compile(
    r"(?i)\b(?:recorded|sampled|mastered|rendered|exported|mixed|panned|volume|level|gain|starts"
    r"|starting|begins|ends|ending|arrives|aged?|turned|looks|feels),? $"
)  # before a number without a unit, as in "at 96"
_LIKELY_BPM = (40.0, 240.0)  # range of a number without a unit
_WIDEST_RANGE = 2.0  # sign in a range such as "90-100 bpm"

# --- metre ---

_METERS = re.compile(
    rf"(?i)(?<![\d/.,])({'|'.join(BEATS)})"
    r"(?![\d/]|[ -]?(?:of|inch\w*|size\w*|scale|length|view|mile|hour|cup|full)\b|[\"”″])"
)
_SPOKEN_METERS = {
    "four[ -]four": "4/4", "three[ -](?:four|quarter)": "3/4", "six[ -]eight": "6/8",
    "twelve[ -]eight": "12/8", "five[ -](?:four|quarter)": "5/4", "seven[ -]eight": "7/8",
    "two[ -](?:four|quarter)": "2/4",
}  # fmt: skip
_TIME = r"(?:time|met(?:er|re)|feel|groove|rhythm|beat|takt)"
_NAMED_METERS = {
    rf"triple {_TIME}": "3/4", rf"common {_TIME}": "4/4", rf"compound duple {_TIME}": "6/8",
    "dreivierteltakt": "3/4", "viervierteltakt": "4/4", "sechsachteltakt": "6/8",
    "zweivierteltakt": "2/4",
    # by what the word means
    r"(?:waltz(?:es)?|walzer\w*|valse|valzer|vals|minuets?|menuet|mazurkas?)": "3/4",
    r"(?:(?<!slip )jigs?|gigues?|tarantellas?|barcarolles?)": "6/8",
}  # fmt: skip
_NO = r"(?<!no )(?<!not )(?<!not a )(?<!non-)"

# --- key ---

_MODES = {
    **{mode: mode for mode in MODES},
    "natural minor": "minor", "melodic minor": "minor", "aeolian": "minor", "ionian": "major",
    "min": "minor", "maj": "major",
}  # fmt: skip
_MODE = "|".join(sorted(_MODES, key=len, reverse=True))
_MARKS = {"#": "#", "sharp": "#", "b": "b", "flat": "b", "natural": "", "": ""}
_NOTE = r"([a-g])(?:[ -]?(#|sharp|flat|natural(?= *-? *(?:major|minor))|b(?![a-z])))?"
_NAMES_KEY = r"\b(?:key|tonality|tonalité|tonalidad|tonart)(?: of| is)?[ :=-]+(?:the )?"
_IN = r"\b(?:in|of|en|em) "
_KEY = re.compile(rf"(?i)({_NAMES_KEY}|{_IN})?\b{_NOTE}[ -]+({_MODE})\b")
_SHORT_KEY = re.compile(rf"((?i:{_NAMES_KEY}|\bin ))([A-Ga-g])(#|b)?(m|min|maj)?(?![\w#+])")
_GERMAN_KEY = re.compile(
    r"(?i)\b([cdefgah]is|[cdfg]es|hes|es|as|[a-h])[ -](dur|moll)\b"
)  # German: h is B, b is B flat
_SYLLABLE_KEY = re.compile(
    rf"(?i)({_NAMES_KEY}|{_IN})?\b(d[oó]|r[eé]|mi|f[aá]|sol|l[aá]|si)"
    r"(?:[ -](#|b\b|bemolle?|bémol|sostenido|sustenido|di[eè]se|diesis))?"
    r"[ -](majeur|mineur|maggiore|minore|mayor|menor|maior)\b"
)
_SYLLABLES = {"do": "C", "re": "D", "mi": "E", "fa": "F", "sol": "G", "la": "A", "si": "B"}
_WORDS_TOO = frozenset(("a", "do", "re", "mi", "la", "si"))  # notes that are words as well
_ENDS = re.compile(
    r"(?i) *(?:$|[,;.:!?)/|]|- |\d|(?:with|and|at|for|by|on|over|from|but|then|plus|feat|featuring"
    r"|mit|und|con|avec|et|e|y|com)\b)"
)
_STOPS = ",;.:!?()/|-"

Key = tuple[str, str]
"""Tonic and mode; two empty strings for none."""
_Found = tuple[int, Key]  # position and key


def read_tempo(prompt: str) -> float:
    """Return the tempo named in a prompt in beats per minute; 0 for none.

    A range, such as "120-130 bpm", gives its middle.
    """
    text = _plain(prompt)
    for match in TEMPO_WORDS.finditer(text):
        first, sign, second = match.groups()[:3] if match[1] else match.groups()[3:]
        if bpm := _checked_bpm(_number(first), sign, _number(second or first)):
            return bpm
    for match in _AT.finditer(text):
        bpm = _number(match[1])
        low, high = _LIKELY_BPM
        front = text[max(0, match.start() - 20) : match.start()]
        if low <= bpm <= high and not _NOT_A_TEMPO.search(front):
            return bpm
    return 0.0


def _checked_bpm(first: float, sign: str | None, second: float) -> float:
    """Return one tempo for one or two numbers; 0 if out of range."""
    ends = sorted((first, second))
    if sign == "/":  # in "70/140 bpm" the beat, not the half-time count
        bpm = first
    elif ends[0] >= MIN_BPM and ends[1] <= min(MAX_BPM, _WIDEST_RANGE * ends[0]):
        bpm = sum(ends) / 2.0
    else:
        bpm = second  # the number next to the unit: "808s and 120 bpm"
    return bpm if MIN_BPM <= bpm <= MAX_BPM else 0.0


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def read_meter(prompt: str) -> str:
    """Return the metre named in a prompt, a key of `BEATS`; "" for none."""
    text = _plain(prompt)
    if match := _METERS.search(text):
        return match[1]
    for words, meter in _SPOKEN_METERS.items():
        if re.search(rf"(?i)\bin {words}(?= *(?:$|[,;.:!?)]))|\b{words}s? {_TIME}\b", text):
            return meter
    for words, meter in _NAMED_METERS.items():
        if re.search(rf"(?i){_NO}\b{words}\b", text):
            return meter
    return ""


def read_key(prompt: str) -> Key:
    """Return tonic and mode named in a prompt; two empty strings for none.

    In "a minor setback" the "a" is an article; it is a key after "in" or "of", between commas, or
    a capital inside the sentence. A note without a mode is read, as major, only after "key".
    """
    text = _plain(prompt)
    found = [*_english(text), *_short(text), *_german(text), *_syllables(text)]
    return min(found)[1] if found else ("", "")


def _english(text: str) -> Iterator[_Found]:
    for match in _KEY.finditer(text):
        before, letter, mark, mode = match.groups()
        large = letter == "A" and not text.isupper() and not _begins_sentence(text, match.start(2))
        if mark or letter.lower() not in _WORDS_TOO or large or _stands_as_key(text, match, before):
            yield match.start(2), (_tonic(letter, mark), _MODES[mode.lower()])


def _short(text: str) -> Iterator[_Found]:
    """Find keys such as "in Am", "key: F#m" and "key of C"."""
    for match in _SHORT_KEY.finditer(text):
        before, letter, mark, mode = match.groups()
        named = not before.lower().startswith("in")
        certain = letter.isupper() or before.rstrip()[-1] in ":=" or before.rstrip().endswith("of")
        if re.match(rf"(?i)[ -]*(?:{_MODE}|sharp|flat|dur|moll)\b", text[match.end() :]):
            continue  # spelled out for the other patterns
        if not (named and certain if mode is None else letter.isupper() or named):
            continue
        if letter == "a" and mode is None and not _ENDS.match(text, match.end()):
            continue
        minor = (mode or "").startswith("m") and mode != "maj"
        yield match.start(2), (_tonic(letter, mark), "minor" if minor else "major")


def _german(text: str) -> Iterator[_Found]:
    for match in _GERMAN_KEY.finditer(text):
        yield match.start(1), (_german_tonic(match[1]), _german_mode(match[2]))


def _syllables(text: str) -> Iterator[_Found]:
    """Find keys such as "la mineur", "si bemolle maggiore" and "do mayor"."""
    for match in _SYLLABLE_KEY.finditer(text):
        before, syllable, mark, mode = match.groups()
        plain = unicodedata.normalize("NFD", syllable.lower())[: len(syllable)].replace(
            "\u0301", ""
        )
        plain = "sol" if plain.startswith("s") and len(syllable) == 3 else plain[:2]
        if mark or plain not in _WORDS_TOO or _stands_as_key(text, match, before):
            sign = "" if not mark else "b" if mark.lower().startswith("b") else "#"
            minor = mode.lower().startswith(("min", "men"))
            yield match.start(2), (_tonic(_SYLLABLES[plain], sign), "minor" if minor else "major")


def _stands_as_key(text: str, match: "re.Match[str]", before: str | None) -> bool:
    """Return whether a note name that is also a word occurs where only a key is possible."""
    if before and re.fullmatch(rf"(?i){_NAMES_KEY}", before):
        return True
    ended = _ENDS.match(text, match.end()) is not None
    front = text[: match.start(2)].rstrip()
    return ended and (before is not None or not front or front[-1] in _STOPS)


def _begins_sentence(text: str, place: int) -> bool:
    front = text[:place].rstrip()
    return not front or front[-1] in ".!?"


def read_controls(prompt: str) -> Controls:
    """Return the tempo, metre and key named in a prompt, such as "92 bpm" and "D minor"."""
    key, mode = read_key(prompt)
    return Controls(bpm=read_tempo(prompt), meter=read_meter(prompt), key=key, mode=mode)


def parse_key(text: str) -> Key:
    """Read a key as musicians write it: "D minor", "F# dorian", "Bb", "Am", "h-Moll".

    Raises:
        ConfigError: it is not a key.
    """
    words = " ".join(_plain(text).split())
    if match := re.fullmatch(rf"(?i){_NOTE}[ -]*({_MODE}|m)?", words):
        mode = (match[3] or "major").lower()
        return _tonic(match[1], match[2]), "minor" if mode == "m" else _MODES[mode]
    if match := _GERMAN_KEY.fullmatch(words):
        return _german_tonic(match[1]), _german_mode(match[2])
    raise ConfigError(
        f"'{text}' is no key; write it like 'D minor', 'Bb major' or 'F# dorian'; modes:"
        f" {', '.join(MODES)}"
    )


def _plain(text: str) -> str:
    """Normalise signs: ♯ to #, every dash to -, full-width digits to ASCII."""
    return unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)


def _tonic(letter: str, mark: str | None) -> str:
    return tonic_of(letter + _MARKS[(mark or "").lower()])


def _german_tonic(name: str) -> str:
    name = name.lower()
    shift = 1 if name.endswith("is") else -1 if name.endswith("s") else 0
    letter = {"b": "A#", "h": "B"}.get(name[0], name[0].upper())
    return TONICS[(TONICS.index(letter) + shift) % 12]


def _german_mode(word: str) -> str:
    return "minor" if word.lower() == "moll" else "major"
