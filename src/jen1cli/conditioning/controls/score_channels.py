"""The full score as channels over frames: rolls of its parts, levels of its instruments, style.

    families  level of each family, then one flag each: known
    bass      sustain by semitone, onsets, level, and a flag: known
    comping   sustain by semitone, onsets by pitch class, level, and a flag: known
    lead      the same over more octaves
    drums     strokes by drum, as high as they are loud, and a flag: known
    mix       energy, brightness, space, and a flag: known
    style     one-hot

Channels of an unknown group are 0, flags included. Sustain is the share of the frame in which a
note sounds; an onset is divided between the two nearest frames, by distance; a level is the root of
the amplitude of all notes that sound. Mix and style are the same in every frame and are not masked
where the music is known (`jen1cli.tasks.make_context`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.music.full_score import (
    BASS_LOWEST,
    BASS_PITCHES,
    COMPING_LOWEST,
    COMPING_PITCHES,
    FAMILIES,
    LEAD_LOWEST,
    LEAD_PITCHES,
    PLAYED_SCORE_CHANNELS,
    SCORE_CHANNELS,
    SCORE_GROUPS,
    STYLE_NAMES,
    FullScore,
    ScorePart,
    drum_of_key,
)
from jen1cli.music.patterns import DRUMS

ScoreChannels = Float[Tensor, "batch score_channels frames"]

_ROLLS = {
    "bass": (BASS_LOWEST, BASS_PITCHES, 1),
    "comping": (COMPING_LOWEST, COMPING_PITCHES, 12),
    "lead": (LEAD_LOWEST, LEAD_PITCHES, 12),
}
"""Lowest MIDI number, semitones and rows of onsets of each roll."""

_NONE = -1
_SMALLEST_POWER = 1e-6
"""Powers below are rounding errors of running sums."""
_POWERS = [*range(len(FAMILIES)), *(SCORE_GROUPS[role].stop - 2 for role in _ROLLS)]
"""Channels of levels."""
_ROLL_ROWS = [
    *(r for role in _ROLLS for r in range(SCORE_GROUPS[role].start, SCORE_GROUPS[role].stop - 2)),
    *range(SCORE_GROUPS["drums"].start, SCORE_GROUPS["drums"].stop - 1),
]
"""Channels of sustain and onsets."""


_NOTE = np.dtype(
    [
        ("item", np.int64),  # number of the window in its batch
        ("begin", np.float64),  # seconds from the beginning of the score; in a batch frames
        ("end", np.float64),
        ("power", np.float64),  # square of the level
        ("accent", np.float64),  # height of the onset
        ("family", np.int64),  # channel of the family's level
        ("sustain", np.int64),  # channel of the roll, -1 for parts without one; so the next two
        ("strike", np.int64),  # also of strokes of drums
        ("level", np.int64),
    ]
)
"""A note, with the channels that it writes."""


@dataclass(frozen=True)
class ScoreEvents:
    """The notes of a score as an array of `_NOTE`."""

    score: FullScore
    notes: np.ndarray

    @classmethod
    def of(cls, score: FullScore) -> "ScoreEvents":
        """Return the notes of a score."""
        parts = [_part_notes(part) for part in score.parts if part.notes]
        return cls(score, np.concatenate([np.zeros(0, _NOTE), *parts]))


@dataclass(frozen=True)
class ScoreDropout:
    """Which channels of a score are unknown to the network in one window."""

    groups: tuple[str, ...] = ()  # keys of `SCORE_GROUPS`
    families: tuple[int, ...] = ()  # indices of `FAMILIES`
    span: tuple[int, int] = (0, 0)  # frames [first, stop) without `span_groups`
    span_groups: tuple[str, ...] = ()


NOTHING_DROPPED = ScoreDropout()
ALL_DROPPED = ScoreDropout(groups=tuple(SCORE_GROUPS))


def score_channels(
    scores: Sequence[ScoreEvents | None],
    starts: Sequence[float],
    frames: int,
    frame_rate: float,
    dropped: Sequence[ScoreDropout] | None = None,
) -> ScoreChannels:
    """Return [windows, 325, frames]: the scores of a batch of windows as channels, on the CPU.

    The channels are those of `SCORE_GROUPS` in their order: families 40, bass 39, comping 62, lead
    74, drums 6, mix 4, style 100. Values are 0 to 1, except levels, which may exceed 1.

    Computing time is proportional to the number of notes in the windows, without a loop over notes.

    Args:
        scores: score of each window; None: unknown.
        starts: start of each window on the clock of its score (that of the controls), in seconds.
        frames: length of a window.
        frame_rate: frames per second.
        dropped: dropout of each window; None: none.
    """
    found = np.zeros((len(scores), SCORE_CHANNELS, frames), np.float32)
    known = [(i, events) for i, events in enumerate(scores) if events is not None]
    if known:
        windows = [(i, events, starts[i] - events.score.start) for i, events in known]
        _write(_sounding(windows, frames, frame_rate), found[:, :PLAYED_SCORE_CHANNELS])
    for i, events in known:
        _finish(found[i], events.score, starts[i], frame_rate)
        if dropped is not None:
            _drop(found[i], dropped[i])
    return torch.from_numpy(found)


def _part_notes(part: ScorePart) -> np.ndarray:
    """Return the notes of a part; the item is set later."""
    onset, duration, pitch, level = np.array(part.notes, np.float64).T
    pitch = pitch.astype(np.int64)
    notes = np.zeros(len(part.notes), _NOTE)
    notes["begin"], notes["end"] = onset, onset + duration
    notes["power"], notes["accent"] = level**2, 1.0
    notes["family"] = FAMILIES.index(part.family)
    for name in ("sustain", "strike", "level"):
        notes[name] = _NONE
    if part.role in _ROLLS:
        lowest, pitches, onsets = _ROLLS[part.role]
        first, stop = SCORE_GROUPS[part.role].start, SCORE_GROUPS[part.role].stop
        notes["sustain"] = first + _folded(pitch - lowest, pitches)
        notes["strike"] = first + pitches + pitch % onsets
        notes["level"] = stop - 2
    elif part.role == "drums":
        drums = [DRUMS.index(drum_of_key(int(key), part.family)) for key in pitch]
        notes["strike"] = SCORE_GROUPS["drums"].start + np.array(drums)
        notes["accent"] = np.sqrt(level)
    return notes


def _folded(row: np.ndarray, pitches: int) -> np.ndarray:
    """Move rows outside a roll into it, by octaves."""
    above = np.where(row >= pitches, -(-(row - pitches + 1) // 12) * 12, 0)
    below = np.where(row < 0, -(row // 12) * 12, 0)
    return row - above + below


def _sounding(
    windows: Sequence[tuple[int, ScoreEvents, float]], frames: int, frame_rate: float
) -> np.ndarray:
    """Return the notes that sound in windows; their times in frames, frame 0 is 0 to 1.

    Args:
        windows: item, score, and start on the score's own clock in seconds.
        frames: length of a window.
        frame_rate: frames per second.
    """
    found = []
    for item, events, start in windows:
        begin = (events.notes["begin"] - start) * frame_rate
        end = (events.notes["end"] - start) * frame_rate
        near = ((end > 0.0) | (begin > -0.5)) & (begin < frames + 0.5)
        notes = events.notes[near]  # a copy
        notes["item"], notes["begin"], notes["end"] = item, begin[near], end[near]
        found.append(notes)
    return np.concatenate(found)


def _write(notes: np.ndarray, target: np.ndarray) -> None:
    """Write sustain, levels and onsets into zeros [items, channels, frames]."""
    target += _covered(notes, target.shape)
    powers = target[:, _POWERS]
    target[:, _POWERS] = np.where(powers > _SMALLEST_POWER, np.abs(powers), 0.0) ** 0.25
    notes = notes[notes["strike"] >= 0]
    for offset, share in _divided(notes["begin"] - 0.5):
        frame = np.floor(notes["begin"] - 0.5).astype(np.int64) + offset
        used = (frame >= 0) & (frame < target.shape[2])
        where = (notes["item"][used], notes["strike"][used], frame[used])
        np.add.at(target, where, (notes["accent"] * share)[used])
    rolls = target[:, _ROLL_ROWS]
    target[:, _ROLL_ROWS] = rolls.clip(0.0, 1.0)


def _covered(notes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sum over notes of weight × share of each frame in which they sound.

    The weight is 1 in rows of sustain and the power in rows of levels.
    """
    items, channels, frames = shape
    steps = np.zeros((items, channels, frames + 2))
    for channel, weight in (
        ("family", notes["power"]),
        ("level", notes["power"]),
        ("sustain", np.ones(len(notes))),
    ):
        used = notes[channel] >= 0
        for edge, sign in (("begin", 1.0), ("end", -1.0)):
            place = notes[edge][used].clip(0.0, frames)
            frame = np.floor(place).astype(np.int64)
            for offset, share in _divided(place):
                where = (notes["item"][used], notes[channel][used], frame + offset)
                np.add.at(steps, where, sign * weight[used] * share)
    return steps.cumsum(axis=2)[..., :frames]


def _divided(place: np.ndarray) -> tuple[tuple[int, np.ndarray], ...]:
    """Return the shares of a place between two whole numbers: of the one below, of the next."""
    late = place - np.floor(place)
    return (0, 1.0 - late), (1, late)


def _finish(channels: np.ndarray, score: FullScore, start: float, frame_rate: float) -> None:
    """Set flags, mix and style in place, and clear unknown groups."""
    frames = channels.shape[1]
    times = start + (np.arange(frames) + 0.5) / frame_rate - score.start
    inside = (times >= 0.0) & (times < score.seconds)
    channels[len(FAMILIES) : 2 * len(FAMILIES)] = 1.0
    for role in (*_ROLLS, "drums"):
        channels[SCORE_GROUPS[role].stop - 1] = 1.0
    channels[:, ~inside] = 0.0
    if score.mix is not None:
        channels[SCORE_GROUPS["mix"]] = np.array([*score.mix, 1.0])[:, None]
    if score.style:
        channels[SCORE_GROUPS["style"].start + STYLE_NAMES.index(score.style)] = 1.0
    for group in score.left_open:
        channels[SCORE_GROUPS[group]] = 0.0


def _drop(channels: np.ndarray, dropped: ScoreDropout) -> None:
    for group in dropped.groups:
        channels[SCORE_GROUPS[group]] = 0.0
    for family in dropped.families:
        channels[[family, len(FAMILIES) + family]] = 0.0
    drop_span(channels, dropped)


def drop_span(channels: np.ndarray | Tensor, dropped: ScoreDropout) -> None:
    """Set the groups of the span to 0 in place, in channels [score_channels, frames]."""
    for group in dropped.span_groups:
        channels[SCORE_GROUPS[group], dropped.span[0] : dropped.span[1]] = 0.0
