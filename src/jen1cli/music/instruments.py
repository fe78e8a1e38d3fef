"""Families of instruments by the names that people use, and scores for given families alone."""

import dataclasses
import difflib
import re
from collections import Counter

from jen1cli.errors import ConfigError
from jen1cli.music.full_score import FAMILIES, FullScore, ScorePart

DRUM_FAMILIES = ("drums", "percussion")
_UNPITCHED = (*DRUM_FAMILIES, "effects")

_SYNONYMS = {
    "piano": "grand piano, acoustic piano, upright piano, keys, keyboard, klavier",
    "electric piano": "e-piano, epiano, rhodes, wurlitzer, clavinet, clav",
    "organ": "hammond, church organ, pipe organ, accordion, harmonica, bandoneon, harmonium",
    "guitar": "acoustic guitar, electric guitar, clean guitar, nylon guitar, steel guitar,"
    " classical guitar, jazz guitar, ukulele, mandolin",
    "distorted guitar": "overdriven guitar, distortion guitar, heavy guitar, rock guitar",
    "bass": "upright bass, double bass, electric bass, bass guitar, acoustic bass, slap bass,"
    " fretless bass, e-bass",
    "synth bass": "sub bass, 808, 808 bass, acid bass, analog bass",
    "strings": "violin, viola, cello, contrabass, fiddle, string section, string ensemble,"
    " string quartet, string orchestra, pizzicato",
    "choir": "voice, voices, vocal, vocals, vox, oohs, aahs",
    "brass": "trumpet, trombone, tuba, horn, french horn, brass section, cornet, flugelhorn",
    "saxophone": "sax, alto sax, tenor sax, soprano sax, baritone sax, saxes",
    "woodwinds": "flute, clarinet, oboe, bassoon, piccolo, recorder, pan flute, english horn,"
    " shakuhachi, ocarina, whistle, winds, woodwind, bagpipes, bass clarinet",
    "mallets": "vibraphone, vibes, marimba, xylophone, glockenspiel, celesta, music box, bells,"
    " tubular bells, kalimba, steel drums, chimes",
    "plucked": "harp, harpsichord, sitar, koto, banjo, dulcimer, shamisen, lute, plucked strings",
    "synth lead": "lead, lead synth, saw lead, square lead, theremin, chip",
    "synth pad": "pad, pads, warm pad, drone",
    "synth keys": "synth, synthesizer, synthesiser, pluck, plucks, synth pluck, stabs, arpeggio,"
    " synth arpeggio, arp",
    "drums": "drum, drum kit, drum set, drumset, kit, drum machine, beat, beats",
    "percussion": "timpani, taiko, congas, bongos, tambourine, shaker, woodblock, perc",
    "effects": "fx, sound effects, effect, noise, riser",
}
_FAMILY_OF = {
    name.strip(): family
    for family, names in _SYNONYMS.items()
    for name in (family, *names.split(","))
}
_LONGEST_FIRST = sorted(_FAMILY_OF, key=len, reverse=True)
_WORDS = re.compile(
    r"(?<![a-z])(" + "|".join(map(re.escape, _LONGEST_FIRST)) + r")s?(?![a-z])", re.IGNORECASE
)


def parse_instruments(text: str) -> tuple[str, ...]:
    """Read families of instruments, such as "piano, upright bass", each once.

    Raises:
        ConfigError: a name is unknown, or there is none.
    """
    found: list[str] = []
    for word in filter(None, (" ".join(part.lower().split()) for part in text.split(","))):
        family = _FAMILY_OF.get(word) or _FAMILY_OF.get(word.removesuffix("s"))
        if family is None:
            close = difflib.get_close_matches(word, _FAMILY_OF, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise ConfigError(
                f"unknown instrument '{word[:40]}'; {hint}known: {', '.join(FAMILIES)}"
            )
        if family not in found:
            found.append(family)
    if not found:
        raise ConfigError("no instrument is named; write them like 'piano, strings'")
    return tuple(found)


def family_in(text: str) -> str:
    """Return the family that a name such as "Alto Sax 2" contains; "" if none."""
    match = _WORDS.search(text)
    return _FAMILY_OF[match[1].lower()] if match else ""


def with_families(score: FullScore, families: tuple[str, ...]) -> FullScore:
    """Return a score that only the given families play.

    A part of another family goes to the least used family that can play it: parts of drums to drums
    or percussion, effects to effects, a bass to a bass if there is one. Without such a family the
    part is left out.
    """
    used = Counter(part.family for part in score.parts if part.family in families)
    parts: list[ScorePart] = []
    for part in score.parts:
        if part.family not in families:
            able = _able(part.role, families)
            if not able:
                continue
            family = min(able, key=lambda name: (used[name], families.index(name)))
            used[family] += 1
            part = dataclasses.replace(part, family=family)
        parts.append(part)
    left_open = tuple(group for group in score.left_open if group != "families")
    return dataclasses.replace(score, parts=tuple(parts), left_open=left_open)


def _able(role: str, families: tuple[str, ...]) -> list[str]:
    if role == "drums":
        return [name for name in families if name in DRUM_FAMILIES]
    if role == "effects":
        return [name for name in families if name == "effects"]
    pitched = [name for name in families if name not in _UNPITCHED]
    low = [name for name in pitched if name.endswith("bass")]
    if role == "bass":
        return low or pitched
    return [name for name in pitched if name not in low]


_LEVEL = 0.5  # level of a family whose notes are open
_PITCH = 60


def families_alone(families: tuple[str, ...], start: float, seconds: float) -> FullScore:
    """Return a score of families that play, whose notes are open."""
    parts = tuple(
        ScorePart("effects", family, ((0.0, seconds, _PITCH, _LEVEL),)) for family in families
    )
    open_roles = ("bass", "comping", "lead", "drums")
    return FullScore(parts, seconds, start=start, left_open=open_roles)
