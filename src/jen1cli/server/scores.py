"""The score of a take for a page: beats, bars, chords, drums, melody and parts, with times."""

import math
from collections.abc import Sequence
from typing import Any

from jen1cli.midi import Passage
from jen1cli.midi.general_midi import PROGRAMS, track_name
from jen1cli.music.chords import NO_CHORD
from jen1cli.music.controls import BEATS, NO_CONTROLS, SIXTEENTHS, Controls
from jen1cli.music.full_score import ScorePart, drum_of_key
from jen1cli.music.heard import KEPT, Heard
from jen1cli.music.keys import note_names
from jen1cli.music.patterns import DRUMS

_NEAR = 0.05  # seconds; the grids of an edit and of the music around it differ by less


def score_facts(passages: Sequence[Passage], *, heard: bool) -> dict[str, Any]:
    """Return a score as JSON values.

    Args:
        passages: on the clock of the take.
        heard: whether it was transcribed, not played.
    """
    main = max(
        passages, key=lambda item: (item.timed.has_bars, item.stop - item.start), default=None
    )
    controls = Controls() if main is None else main.timed
    names = note_names(controls.key, controls.mode)
    beats = [time for passage in passages for time in _grid(passage, bars=False)]
    bars = [time for passage in passages for time in _grid(passage, bars=True)]
    parts = _merged(passages)
    lead = [note for part in parts if part.role == "lead" for note in part.notes]
    return {
        "bpm": controls.bpm or None,
        "key": f"{controls.key} {controls.mode}" if controls.key else None,
        "metre": controls.meter or None,
        "beats": beats,
        "bars": bars,
        "chords": [
            {
                "start": round(max(start, passage.start), 3),
                "end": round(min(stop, passage.stop), 3),
                "name": NO_CHORD if chord is None else chord.named(names),
            }
            for passage in passages
            for start, stop, chord in passage.chords()
        ],
        "drums": _drums(parts, controls, bars),
        "melody": [
            {"start": round(onset, 3), "end": round(onset + length, 3), "pitch": pitch}
            for onset, length, pitch, _ in sorted(lead)
        ],
        "parts": [
            {
                "name": track_name(part.role, part.family),
                "program": PROGRAMS[part.family],
                "notes": [
                    [round(onset, 3), round(length, 3), pitch, round(level, 3)]
                    for onset, length, pitch, level in part.notes
                ],
            }
            for part in parts
        ],
        "heard": heard,
    }


def heard_facts(heard: Heard) -> dict[str, Any]:
    """Return the score of a recording as JSON values, with guesses, and what of it is sure."""
    known = [name for name in KEPT if heard.has(name)]
    controls = heard.controls(known) if known else NO_CONTROLS
    passages = [Passage(controls, 0.0, heard.seconds)]
    confidence = {name: round(value, 3) for name, value in heard.confidence.items()}
    facts = score_facts(passages, heard=True)
    sure = [*heard.sure, *(["meter"] if heard.is_sure("meter") and heard.is_sure("tempo") else [])]
    return facts | {"sure": sure, "confidence": confidence}


def _grid(passage: Passage, *, bars: bool) -> list[float]:
    """Return the times of beats or bar lines in a passage.

    A line a little before a passage belongs to it, and one a little before its end does not: else
    a bar that an edit begins would be lost, and a bar of no length would stand at its end.
    """
    controls = passage.timed
    if not controls.has_bars:
        return []
    step = controls.bar_seconds if bars else controls.bar_seconds / BEATS[controls.meter]
    first = math.ceil((passage.start - controls.downbeat - _NEAR) / step)
    last = math.ceil((passage.stop - controls.downbeat - _NEAR) / step)
    return [round(controls.downbeat + number * step, 3) for number in range(first, last)]


def _merged(passages: Sequence[Passage]) -> list[ScorePart]:
    found: dict[tuple[str, str], list[ScorePart]] = {}
    for passage in passages:
        for part in passage.parts():
            found.setdefault((part.role, part.family), []).append(part)
    return [
        ScorePart(role, family, tuple(sorted(note for part in parts for note in part.notes)))
        for (role, family), parts in found.items()
    ]


def _drums(
    parts: Sequence[ScorePart], controls: Controls, bars: Sequence[float]
) -> dict[str, list[int]] | None:
    """Return 0 and 1 for each sixteenth from the first bar line on; None if no drums are known."""
    if not bars or not controls.has_bars:
        return None
    sixteenth = controls.bar_seconds / SIXTEENTHS[controls.meter]
    rows: dict[str, list[int]] = {}
    for part in parts:
        if part.role != "drums":
            continue
        for onset, _, pitch, _ in part.notes:
            step = round((onset - bars[0]) / sixteenth)
            if step >= 0:
                row = rows.setdefault(drum_of_key(pitch, part.family), [])
                row.extend([0] * (step + 1 - len(row)))
                row[step] = 1
    length = max(map(len, rows.values()), default=0)
    whole = -(-length // SIXTEENTHS[controls.meter]) * SIXTEENTHS[controls.meter]
    return {
        name: rows[name] + [0] * (whole - len(rows[name])) for name in DRUMS if name in rows
    } or None
