"""How dense the music is, and whether its notes, transcribed, have the given chords and melody.

These are stricter than the shares in `analysis`, which ask only whether a chord is likelier than
its transpositions. The transcription misses notes and adds some in any music, so that each figure
means something only beside that of real music.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from jen1cli.audio import Signal
from jen1cli.evaluation.analysis import SHORTEST_CHORD, SHORTEST_NOTE
from jen1cli.evaluation.transcriber import find_activity, find_notes
from jen1cli.metrics.signals import level
from jen1cli.music.controls import Controls
from jen1cli.music.patterns import Sound, parse_melody

BLOCK_SECONDS = 0.1  # length of the blocks whose levels are measured
QUIETEST = -60.0  # dB of full scale below which all levels count as equal
SOUNDS_FOR = 0.5  # share of a melody's note in which its pitch must sound
STEP = 0.02  # seconds between the times at which notes are counted
_TRIADS = ((0, 4, 7), (0, 3, 7))

NOTE = (
    "Notes as Basic Pitch transcribes them, a network from outside. Polyphony: notes that sound at"
    " once, where any does. Range: from the 10th to the 95th percentile of the levels of 100 ms."
    " Melody: share of its notes that sound at their very pitch. Roots: share of time in which the"
    " triad that fits the notes best has the chord's root."
)


def measure_notes(signal: Signal, sample_rate: int, controls: Controls) -> dict[str, float]:
    """Return the measures by name; NaN where the controls or the music have nothing to measure.

    Args:
        signal: [channels, samples].
        sample_rate: Hz.
        controls: the score that was asked for, in the time of the signal.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    notes = find_notes(find_activity(signal, sample_rate))
    seconds = signal.shape[1] / sample_rate
    at_once = _counts(notes, seconds)
    return {
        "notes per second": len(notes) / seconds,
        "polyphony": float(at_once[at_once > 0].mean()) if at_once.any() else float("nan"),
        "range of levels, dB": level_range(signal, sample_rate),
        "melody notes at pitch": melody_at_pitch(notes, controls, seconds),
        "chord roots": roots_heard(notes, controls, seconds),
    }


def level_range(signal: Signal, sample_rate: int) -> float:
    """Return the range of the levels of 100 ms in dB; NaN for less than a second."""
    size = round(BLOCK_SECONDS * sample_rate)
    count = signal.shape[1] // size
    if count < 10:
        return float("nan")
    levels = [level(signal[:, i * size : (i + 1) * size]) for i in range(count)]
    low, high = np.percentile(np.maximum(levels, QUIETEST), [10, 95])
    return float(high - low)


def melody_at_pitch(notes: Sequence[Sound], controls: Controls, seconds: float) -> float:
    """Return the share of the melody's notes that are transcribed at their pitch and octave."""
    if not controls.melody or not controls.has_bars:
        return float("nan")
    found = []
    for wanted in controls.sounding(parse_melody(controls.melody), 0.0, seconds):
        start, stop = max(wanted.start, 0.0), min(wanted.stop, seconds)
        if stop - start < SHORTEST_NOTE:
            continue
        sounding = sum(
            max(0.0, min(note.stop, stop) - max(note.start, start))
            for note in notes
            if note.number == wanted.number
        )
        found.append(sounding >= SOUNDS_FOR * (stop - start))
    return float(np.mean(found)) if found else float("nan")


def roots_heard(notes: Sequence[Sound], controls: Controls, seconds: float) -> float:
    """Return the share of time in which the best triad has the root of the given chord.

    The pitch classes of a chord's time are weighted by how long they sound; the lowest note counts
    twice. Chords shorter than `SHORTEST_CHORD`, or without notes, are left out.
    """
    right = total = 0.0
    for start, stop, root in _spans(controls, seconds):
        if stop - start < SHORTEST_CHORD:
            continue
        weights = _pitch_classes(notes, start, stop)
        if not weights.any():
            continue
        fits = [
            max(sum(weights[(place + tone) % 12] for tone in triad) for triad in _TRIADS)
            + weights[place]  # chooses among triads with the same notes the one on the stronger
            for place in range(12)
        ]
        right += (stop - start) * (int(np.argmax(fits)) == root)
        total += stop - start
    return right / total if total else float("nan")


def _counts(notes: Sequence[Sound], seconds: float) -> Int[np.ndarray, " times"]:
    """Return how many notes sound every `STEP` seconds."""
    times = np.arange(0.0, seconds, STEP)
    counts = np.zeros(len(times), int)
    for note in notes:
        counts += (times >= note.start) & (times < note.stop)
    return counts


def _spans(controls: Controls, seconds: float) -> Iterator[tuple[float, float, int]]:
    """Yield start and stop of each chord, and its root; times without a chord are left out."""
    place = 0
    for chord, run in itertools.groupby(
        controls.chord_at((i + 0.5) * STEP) for i in range(int(seconds / STEP))
    ):
        length = len(list(run))
        if chord is not None:
            yield place * STEP, (place + length) * STEP, chord.root
        place += length


def _pitch_classes(
    notes: Sequence[Sound], start: float, stop: float
) -> Float[np.ndarray, " pitch_classes"]:
    """Return for how long each pitch class sounds; the lowest note counts twice."""
    weights = np.zeros(12)
    inside = [note for note in notes if note.start < stop and note.stop > start]
    lowest = min((note.number for note in inside), default=0)
    for note in inside:
        length = min(note.stop, stop) - max(note.start, start)
        weights[note.number % 12] += length * (2.0 if note.number == lowest else 1.0)
    return weights
