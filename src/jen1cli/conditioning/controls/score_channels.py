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


@dataclass(frozen=True)
class ScoreEvents:
    """The notes of a score as arrays over notes, with the channels that they write."""

    score: FullScore
    onset: np.ndarray  # seconds from the beginning of the score
    stop: np.ndarray
    power: np.ndarray  # square of the level
    family: np.ndarray  # channel of the family's level
    sustain: np.ndarray  # channel of the roll, -1 for parts without one; so the next two
    strike: np.ndarray  # also of strokes of drums
    level: np.ndarray
    accent: np.ndarray  # height of the onset

    @classmethod
    def of(cls, score: FullScore) -> "ScoreEvents":
        """Return the notes of a score."""
        blocks = [
            _part_rows(part.role, part.family, np.array(part.notes, np.float64))
            for part in score.parts
            if part.notes
        ]
        rows = np.concatenate(blocks) if blocks else np.zeros((0, 8))
        onset, stop, power, accent = rows[:, :4].T
        family, sustain, strike, level = rows[:, 4:].T.astype(np.int64)
        return cls(score, onset, stop, power, family, sustain, strike, level, accent)


@dataclass(frozen=True)
class Hidden:
    """What of a score is left open in one window."""

    groups: tuple[str, ...] = ()  # keys of `SCORE_GROUPS`
    families: tuple[int, ...] = ()  # indices of `FAMILIES`
    span: tuple[int, int] = (0, 0)  # frames [first, stop) in which `span_groups` are open
    span_groups: tuple[str, ...] = ()


NOTHING_HIDDEN = Hidden()
ALL_HIDDEN = Hidden(groups=tuple(SCORE_GROUPS))


def score_channels(
    scores: Sequence[ScoreEvents | None],
    starts: Sequence[float],
    frames: int,
    frame_rate: float,
    hidden: Sequence[Hidden] | None = None,
) -> ScoreChannels:
    """Return the channels of the scores of a batch of windows, on the CPU.

    The time is proportional to the number of notes in the windows, without a loop over notes.

    Args:
        scores: score of each window; None: unknown.
        starts: start of each window on the clock of its score (that of the controls), in seconds.
        frames: length of a window.
        frame_rate: frames per second.
        hidden: what is left open in each window; None: nothing.
    """
    found = np.zeros((len(scores), SCORE_CHANNELS, frames), np.float32)
    known = [(i, events) for i, events in enumerate(scores) if events is not None]
    if known:
        windows = [(i, events, starts[i] - events.score.start) for i, events in known]
        _Notes.of(windows, frames, frame_rate).write(found[:, :PLAYED_SCORE_CHANNELS])
    for i, events in known:
        _finish(found[i], events.score, starts[i], frame_rate)
        if hidden is not None:
            _hide(found[i], hidden[i])
    return torch.from_numpy(found)


def _part_rows(role: str, family: str, notes: np.ndarray) -> np.ndarray:
    """Return one row for each note: onset, stop, power, accent and the channels it writes."""
    onset, duration, pitch, level = notes.T
    nowhere = np.full(len(notes), _NONE)
    sustain = strike = levels = nowhere
    accent = np.ones(len(notes))
    if role in _ROLLS:
        lowest, pitches, onsets = _ROLLS[role]
        first, stop = SCORE_GROUPS[role].start, SCORE_GROUPS[role].stop
        sustain = first + _folded(pitch.astype(np.int64) - lowest, pitches)
        strike = first + pitches + (pitch.astype(np.int64) % 12 if onsets == 12 else 0 * nowhere)
        levels = np.full(len(notes), stop - 2)
    elif role == "drums":
        drums = [DRUMS.index(drum_of_key(int(key), family)) for key in pitch]
        strike = SCORE_GROUPS["drums"].start + np.array(drums)
        accent = np.sqrt(level)
    families = np.full(len(notes), FAMILIES.index(family))
    columns = (onset, onset + duration, level**2, accent, families, sustain, strike, levels)
    return np.stack(columns, axis=1)


def _folded(row: np.ndarray, pitches: int) -> np.ndarray:
    """Move rows outside a roll into it, by octaves."""
    above = np.where(row >= pitches, -(-(row - pitches + 1) // 12) * 12, 0)
    below = np.where(row < 0, -(row // 12) * 12, 0)
    return row - above + below


@dataclass(frozen=True)
class _Notes:
    """Notes that sound in a batch of windows; times in frames, frame 0 is 0 to 1."""

    item: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    power: np.ndarray
    family: np.ndarray
    sustain: np.ndarray
    strike: np.ndarray
    level: np.ndarray
    accent: np.ndarray

    @classmethod
    def of(
        cls, windows: Sequence[tuple[int, ScoreEvents, float]], frames: int, frame_rate: float
    ) -> "_Notes":
        """Collect the notes of windows (item, score, start on the score's own clock)."""
        columns: list[list[np.ndarray]] = [[] for _ in range(9)]
        for item, events, start in windows:
            begin = (events.onset - start) * frame_rate
            end = (events.stop - start) * frame_rate
            near = ((end > 0.0) | (begin > -0.5)) & (begin < frames + 0.5)
            values = (
                np.full(near.sum(), item), begin[near], end[near], events.power[near],
                events.family[near], events.sustain[near], events.strike[near], events.level[near],
                events.accent[near],
            )  # fmt: skip
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        return cls(*map(np.concatenate, columns))

    def write(self, target: np.ndarray) -> None:
        """Write sustain, levels and onsets into zeros [items, channels, frames]."""
        target += self._covered(target.shape)
        powers = target[:, _POWERS]
        target[:, _POWERS] = np.where(powers > _SMALLEST_POWER, np.abs(powers), 0.0) ** 0.25
        for offset, share in _divided(self.begin - 0.5):
            frame = np.floor(self.begin - 0.5).astype(np.int64) + offset
            used = (self.strike >= 0) & (frame >= 0) & (frame < target.shape[2])
            where = (self.item[used], self.strike[used], frame[used])
            np.add.at(target, where, (self.accent * share)[used])
        rolls = target[:, _ROLL_ROWS]
        target[:, _ROLL_ROWS] = rolls.clip(0.0, 1.0)

    def _covered(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the sum over notes of weight × share of each frame in which they sound.

        The weight is 1 in rows of sustain and the power in rows of levels.
        """
        items, channels, frames = shape
        steps = np.zeros((items, channels, frames + 2))
        for channel, weight in (
            (self.family, self.power),
            (self.level, self.power),
            (self.sustain, np.ones_like(self.power)),
        ):
            used = channel >= 0
            for edge, sign in ((self.begin, 1.0), (self.end, -1.0)):
                place = edge[used].clip(0.0, frames)
                frame = np.floor(place).astype(np.int64)
                for offset, share in _divided(place):
                    where = (self.item[used], channel[used], frame + offset)
                    np.add.at(steps, where, sign * weight[used] * share)
        return steps.cumsum(axis=2)[..., :frames]


def _divided(place: np.ndarray) -> tuple[tuple[int, np.ndarray], ...]:
    """Return the shares of a place between two whole numbers: of the one below, of the next."""
    late = place - np.floor(place)
    return (0, 1.0 - late), (1, late)


def _finish(channels: np.ndarray, score: FullScore, start: float, frame_rate: float) -> None:
    """Set flags, mix and style in place, and clear what the score leaves open."""
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


def _hide(channels: np.ndarray, hidden: Hidden) -> None:
    for group in hidden.groups:
        channels[SCORE_GROUPS[group]] = 0.0
    for family in hidden.families:
        channels[[family, len(FAMILIES) + family]] = 0.0
    for group in hidden.span_groups:
        channels[SCORE_GROUPS[group], hidden.span[0] : hidden.span[1]] = 0.0
