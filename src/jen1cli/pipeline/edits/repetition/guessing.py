"""A guess for an unknown interval of a recording, from the recording's own repetition."""

from dataclasses import dataclass

import numpy as np

from jen1cli.audio import Signal
from jen1cli.midi import Passage
from jen1cli.music.chords import Chord
from jen1cli.pipeline.edits.repetition.features import (
    FRAME_RATE,
    count_frames,
    find_features,
    to_mono,
    untouched,
)
from jen1cli.pipeline.edits.repetition.search import KnownScore, find_repeat
from jen1cli.pipeline.edits.repetition.splicing import splice
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.windows import Span
from jen1cli.recipe import Copy

# both bound the memory, which grows with the analysed part, to some 0.3 GB
LONGEST_SECONDS = 120.0  # largest length of an interval
_SEARCHED_SECONDS = 150.0  # part of the recording on each side of the interval


@dataclass(frozen=True)
class Guess:
    """Samples of the recording that would fill an interval.

    Attributes:
        signal: [channels, samples] of the interval, at the level of the music around it.
        copies: where they come from.
        fit: 1 where the music around the interval is repeated exactly, 0 where nothing is like it.
    """

    signal: Signal
    copies: tuple[Copy, ...]
    fit: float


def guess(timeline: Timeline, span: Span, played: Passage | None = None) -> Guess | None:
    """Fill an unknown interval with what the recording repeats.

    Args:
        timeline: the recording.
        span: one of its unknown intervals, in file samples.
        played: what is known to be played around it, with tempo and metre, on the file's clock.

    Returns:
        the guess; None if too little of the recording is known, or the interval is longer than
        `LONGEST_SECONDS`.
    """
    rate = timeline.rate
    if span[1] - span[0] > LONGEST_SECONDS * rate:
        return None
    reach = round(_SEARCHED_SECONDS * rate)
    start, stop = max(0, span[0] - reach), min(timeline.samples, span[1] + reach)
    part = timeline.read(start, stop)
    mono = to_mono(part, rate)
    known = np.ones(count_frames(len(mono)), bool)
    for first, last in timeline.unknown:
        low = int((first - start) / rate * FRAME_RATE)
        high = int(np.ceil((last - start) / rate * FRAME_RATE))
        known[max(0, low) : max(0, high)] = False
    interval = ((span[0] - start) / rate, (span[1] - start) / rate)
    features = find_features(mono, untouched(known))
    score = played and _known_score(played, start / rate, len(known))
    repeat = find_repeat(features, known, mono, interval, score)
    if repeat is None:
        return None
    begin = start / rate
    copies = tuple(
        Copy(round(begin + p.start, 6), round(begin + p.stop, 6), round(begin + p.source, 6))
        for p in repeat.pieces
    )
    return Guess(splice(timeline, span, repeat, start), copies, repeat.fit)


def _known_score(played: Passage, start: float, frames: int) -> KnownScore:
    """Return bars and chords of the frames of a part that begins at `start` seconds."""
    controls = played.timed
    times = start + np.arange(frames) / FRAME_RATE
    chords = np.full(frames, -1)
    numbers: dict[Chord, int] = {}
    for frame in np.flatnonzero((times >= played.start) & (times < played.stop)):
        chord = controls.chord_at(float(times[frame]))
        if chord is not None:
            chords[frame] = numbers.setdefault(chord, len(numbers))
    return KnownScore(controls.bar_seconds, chords)
