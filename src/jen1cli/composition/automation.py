"""Changes to finished parts: filter sweeps and risers in a build, held final chords."""

from dataclasses import replace

from jen1cli.composition.plan import Plan
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Effect, Note, Part, Section

_OPENING = frozenset({"chords", "pad", "arpeggio", "stabs", "riff"})
_RESTING = frozenset({"chords", "strum", "arpeggio", "bass", "stabs"})


def automate_build(plan: Plan, parts: list[Part], random: RandomStream) -> list[Part]:
    """Sweep the filters of the harmony open during a build; add a riser and an impact after it."""
    build = next((section for section in plan.sections if section.name == "build"), None)
    if build is None:
        return parts
    done = list(parts)
    if random.chance(0.7):
        sweep = Effect(
            "sweep",
            0.6,
            {
                "start_beat": build.start_beat,
                "end_beat": build.start_beat + build.length_beats,
                "low": round(random.uniform(500.0, 1100.0)),
                "high": 16000.0,
            },
        )
        done = [
            replace(part, effects=(*part.effects, sweep)) if part.role in _OPENING else part
            for part in done
        ]
    if random.chance(0.75):
        done.append(_riser(build))
    if random.chance(0.4):
        done.append(_impact(build))
    return done


def _riser(build: Section) -> Part:
    note = Note(build.start_beat, build.length_beats, 60, 0.7)
    return Part("texture", "harmony", "riser", (note,), gain_db=-15.0, reverb=0.2)


def _impact(build: Section) -> Part:
    note = Note(build.start_beat + build.length_beats, 4.0, 36, 0.8)
    return Part("texture", "drums", "impact", (note,), gain_db=-10.0, reverb=0.4)


def hold_last_chord(plan: Plan, parts: list[Part]) -> list[Part]:
    """Hold the last chord for the whole last bar, unless it begins within that bar."""
    start = plan.beats - plan.meter.beats
    last = plan.chords[-1]
    if last.start > start + 1e-6:
        return parts
    return [_rested(plan, part, start) if part.role in _RESTING else part for part in parts]


def _rested(plan: Plan, part: Part, start: float) -> Part:
    classes = set(plan.chords[-1].classes)
    slack = plan.seconds(0.06)
    ending = [note for note in part.notes if note.beat >= start - slack]
    chord = sorted({note.pitch for note in ending if note.pitch % 12 in classes})
    if not chord:
        return part
    if part.role == "bass":
        chord = chord[:1]
    level = max(note.velocity for note in ending)
    spread = plan.seconds(0.035) if part.role in ("arpeggio", "strum") else 0.0
    held = [
        Note(
            round(start + index * spread, 5),
            round(plan.beats - start - index * spread, 5),
            pitch,
            round(level * (1.0 - 0.03 * index), 4),
        )
        for index, pitch in enumerate(chord[:6])
    ]
    kept = [
        replace(note, duration=round(min(note.duration, start - note.beat), 5))
        for note in part.notes
        if note.beat < start - slack
    ]
    return replace(part, notes=(*kept, *held))
