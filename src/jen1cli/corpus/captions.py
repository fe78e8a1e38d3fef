"""What people would call a clip: captions of many kinds, every word true of the score."""

from typing import Any

from jen1cli.corpus.dice import Dice
from jen1cli.corpus.instruments import INSTRUMENTS
from jen1cli.corpus.rhythm import METERS
from jen1cli.corpus.score import Part, Score


def felt_bpm(score: Score) -> float:
    """Beats per minute as the foot taps them: dotted quarters in 6/8."""
    return score.bpm / METERS[score.meter].pulse


def heard_parts(score: Score) -> list[Part]:
    """Parts that a random ten seconds will contain: present in most of the clip, telling first."""
    order = ("melody", "riff", "chords", "strum", "arpeggio", "stabs", "pad", "bass", "counter")
    parts = [part for part in score.parts if _coverage(score, part) >= 0.55]
    return sorted(parts, key=lambda p: order.index(p.role) if p.role in order else len(order))


def _coverage(score: Score, part: Part) -> float:
    """Share of the clip's two-second windows in which a part sounds."""
    window = 2.0 * score.bpm / 60.0
    count = max(1, int(score.length_beats / window))
    heard = [False] * count
    for note in part.notes:
        first = int(note.beat / window)
        last = int((note.beat + note.duration) / window)
        for index in range(first, min(count, last + 1)):
            heard[index] = True
    return sum(heard) / count


def attributes(score: Score) -> dict[str, Any]:
    """What is known of a clip, for evaluation; plain JSON values."""
    return {
        "style": score.style,
        "bpm": round(felt_bpm(score), 2),
        "key": score.key,
        "mode": score.mode,
        "meter": score.meter,
        "instruments": sorted({part.instrument for part in score.parts}),
        "drums": score.has_drums,
        "energy": score.energy,
        "moods": list(score.moods),
    }


def captions(score: Score, seed: int) -> tuple[str, ...]:
    """Several captions of one clip.

    Args:
        score: The clip.
        seed: Chooses the wording.
    """
    dice = Dice(seed, "captions")
    if score.style == "sounds":
        return _sound_captions(score, dice)
    style = score.style
    parts = heard_parts(score)
    names: list[str] = []
    for part in parts:
        word = dice.pick(INSTRUMENTS[part.instrument].words)
        if part.stem != "drums" and word not in names:
            names.append(word)
    mood = list(score.moods) or ["instrumental"]
    bpm = round(felt_bpm(score))
    key = f"{score.key} {score.mode}" if score.key else ""
    drums = "with drums" if score.has_drums else dice.pick(("no drums", "without drums"))
    first = names[0] if names else "drums"
    listed = _list(names[:4]) if names else "drums"
    found = [
        f"{style} {first}",
        f"{mood[0]} {style}",
        f"{style}, {', '.join(names[:3] or ['drums'])}, {mood[0]}",
        f"A {mood[-1]} {style} track with {listed}.",
        f"{style} at {bpm} bpm",
        f"{mood[0]} {style}, {drums}, {bpm} bpm" + (f", {key}" if key else ""),
    ]
    if key:
        found.append(f"{style} in {key} with {listed}")
    if len({p.instrument for p in score.parts}) == 1 and names:
        found.append(f"solo {INSTRUMENTS[score.parts[0].instrument].words[0]}")
    return tuple(dict.fromkeys(found))


def _list(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _sound_captions(score: Score, dice: Dice) -> tuple[str, ...]:
    kind = score.sections[0].name
    names = [dice.pick(INSTRUMENTS[part.instrument].words) for part in score.parts]
    found = [kind, f"sound of {kind}", f"{kind}, no melody"]
    if names:
        found.append(f"{kind}: {_list(names)}")
    return tuple(dict.fromkeys(found))
