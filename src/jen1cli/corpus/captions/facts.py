"""Facts about a score, from which captions are written and checked."""

from dataclasses import dataclass

from jen1cli.composition.harmony.chord_loops import is_minor
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.rhythm.grooves import KEYS as DRUM_KEYS
from jen1cli.composition.score import Part, Score
from jen1cli.composition.styles import STYLES
from jen1cli.composition.transcription import felt_bpm

LEAST_COVERAGE = 0.55  # least share of the clip's two-second windows in which a named part sounds

_SOUND_NAMES = {number: name for name, number in DRUM_KEYS.items()}
_ORDER = ("melody", "riff", "chords", "strum", "arpeggio", "stabs", "pad", "bass", "counter")


@dataclass(frozen=True)
class Facts:
    """Properties of a clip that captions may state."""

    style: str
    bpm: float  # felt beats per minute
    key: str
    mode: str
    meter: str
    minor: bool
    energy: float
    parts: tuple[Part, ...]  # parts that sound most of the time, the most prominent first
    prominent: frozenset[str]  # instruments of `parts`
    everything: frozenset[str]  # instruments of all parts
    drums: bool  # any percussion at all
    drum_sounds: frozenset[str]  # drums of the kits, such as "kick" or "conga_h"
    four_floor: bool  # a kick on every beat
    backbeat: bool  # a snare or clap on two and four
    effects: frozenset[str]
    echo: bool  # one of the first three parts has a strong delay
    swung: bool
    room: str
    tags: frozenset[str]
    own_moods: frozenset[str]  # moods of the style in any mode

    @property
    def drums_prominent(self) -> bool:
        """Whether percussion sounds for most of the clip."""
        return any(part.stem == "drums" for part in self.parts)

    @property
    def drums_only(self) -> bool:
        """Whether there is nothing but percussion."""
        return self.drums and all(
            INSTRUMENTS[n].stem == "drums" and INSTRUMENTS[n].family != "impact"
            for n in self.everything
        )


def coverage(score: Score, part: Part) -> float:
    """Return the share of the clip's two-second windows in which a part sounds."""
    window = 2.0 * score.bpm / 60.0
    count = max(1, int(score.length_beats / window))
    sounding: set[int] = set()
    for note in part.notes:
        first, last = int(note.beat / window), int((note.beat + note.duration) / window)
        sounding.update(range(first, last + 1))
    return len([index for index in sounding if index < count]) / count


def find_facts(score: Score) -> Facts:
    """Derive the facts from a score."""
    style = STYLES[score.style]
    parts = [part for part in score.parts if coverage(score, part) >= LEAST_COVERAGE]
    parts.sort(key=lambda p: _ORDER.index(p.role) if p.role in _ORDER else len(_ORDER))
    kits = [part for part in parts if INSTRUMENTS[part.instrument].family == "drums"]
    sounds = {_SOUND_NAMES[n.pitch] for part in kits for n in part.notes if n.pitch in _SOUND_NAMES}
    effects = {effect.name for part in parts for effect in part.effects if effect.amount >= 0.3}
    effects |= {effect.name for effect in score.master}
    swing_least, swing_most = style.swing[1:]
    return Facts(
        style=score.style,
        bpm=felt_bpm(score),
        key=score.key,
        mode=score.mode,
        meter=score.meter,
        minor=is_minor(score.mode),
        energy=score.energy,
        parts=tuple(parts),
        prominent=frozenset(part.instrument for part in parts),
        everything=frozenset(part.instrument for part in score.parts),
        drums=score.has_drums,
        drum_sounds=frozenset(sounds),
        four_floor=_hits(score, kits, (36,), 0, 1),
        backbeat=score.meter == "4/4" and _hits(score, kits, (38, 39), 1, 2),
        effects=frozenset(effects),
        echo=any(part.delay >= 0.25 for part in parts[:3]),
        swung=swing_least >= 0.54 and swing_most >= 0.58,
        room=score.room,
        tags=frozenset(style.tags.split()),
        own_moods=frozenset(w.replace("_", " ") for w in style.moods.get("any", "").split()),
    )


def _hits(score: Score, kits: list[Part], keys: tuple[int, ...], first: int, step: int) -> bool:
    """Whether 85 % of the beats `first`, `first` + `step`, … have a stroke of these keys."""
    if score.meter != "4/4":
        return False
    near = 0.06 * score.bpm / 60.0
    strokes = [n.beat for part in kits for n in part.notes if n.pitch in keys]
    nearby = {round(beat) for beat in strokes if abs(beat - round(beat)) < near}
    wanted = set(range(first, int(score.length_beats), step))
    return bool(wanted) and len(wanted & nearby) >= 0.85 * len(wanted)
