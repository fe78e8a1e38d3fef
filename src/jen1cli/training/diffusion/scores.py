"""Full scores of the clips of a latent cache, as channels of training windows.

The scores of the cache are read once; the channels of a batch are made from arrays, without a loop
over notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from jen1cli.conditioning.controls.channels import ControlChannels, control_channels
from jen1cli.conditioning.controls.score_channels import (
    ALL_DROPPED,
    NOTHING_DROPPED,
    ScoreDropout,
    ScoreEvents,
    score_channels,
)
from jen1cli.errors import ConfigError, DataError
from jen1cli.jsonfiles import parse_object, read_lines
from jen1cli.music.controls import CONTROL_CHANNELS, Controls, controls_of
from jen1cli.music.full_score import FAMILIES, SCORE_GROUPS, read_score
from jen1cli.music.score_files import SCORES_NAME
from jen1cli.training.diffusion.cache import CachedClip

_UNKNOWN = 0.25
"""Share of the items without any score, as where nobody gives one."""
_UNKNOWN_IN_EDITS = 0.5
"""The same for items that edit music, whose score is not available."""
_WHOLE = 0.5
"""Share of the other items with the whole score."""
_GROUP, _FAMILIES, _SPAN = 0.3, 0.3, 0.25
"""In the rest: probabilities that a group, a few families, and a span of time are dropped."""


def draw_score_dropout(rng: np.random.Generator, frames: int, *, edited: bool) -> ScoreDropout:
    """Draw the dropout of one item: the whole score, groups, families, or a span of time.

    Args:
        rng: source of randomness.
        frames: length of the window.
        edited: whether the item edits music.
    """
    if rng.random() < (_UNKNOWN_IN_EDITS if edited else _UNKNOWN):
        return ALL_DROPPED
    if rng.random() < _WHOLE:
        return NOTHING_DROPPED
    groups = tuple(group for group in SCORE_GROUPS if rng.random() < _GROUP)
    families: tuple[int, ...] = ()
    if rng.random() < _FAMILIES:
        families = tuple(np.flatnonzero(rng.random(len(FAMILIES)) < rng.random()).tolist())
    if rng.random() >= _SPAN:
        return ScoreDropout(groups, families)
    length = max(1, round(float(rng.uniform(0.2, 0.8)) * frames))
    first = int(rng.integers(frames - length + 1))
    over_time = [group for group in SCORE_GROUPS if group not in ("mix", "style")]
    chosen = tuple(over_time)
    if rng.random() < 0.5:
        chosen = (over_time[int(rng.integers(len(over_time)))],)
    return ScoreDropout(groups, families, (first, first + length), chosen)


class ScoreTable:
    """The scores of a cache, by first frame of the clips."""

    def __init__(self, events: Mapping[int, ScoreEvents] = MappingProxyType({})) -> None:
        """Keep the scores.

        Args:
            events: score of each clip that has one, by the clip's first frame in the cache.
        """
        self._events = events

    @classmethod
    def open(cls, folder: Path) -> "ScoreTable":
        """Read the scores of a cache folder; none without the file.

        Raises:
            DataError: the file is damaged.
        """
        path = folder / SCORES_NAME
        events: dict[int, ScoreEvents] = {}
        for where, text in read_lines(path) if path.is_file() else ():
            line = parse_object(text, where)
            try:
                score = ScoreEvents.of(read_score(line["score"], "the score"))
                events |= {int(frame): score for frame in line["frames"]}
            except (ConfigError, KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"{where} holds no score ({error}); write the cache again with"
                    " 'jen1 train latents'"
                ) from error
        return cls(events)

    def __len__(self) -> int:
        """Return the number of clips with a score."""
        return len(self._events)

    def complete(self, clip: CachedClip) -> Controls:
        """Return all controls of a clip, with its score if it has one."""
        events = self._events.get(clip.start)
        return replace(controls_of(clip.attributes), score=events and events.score)

    def channels(
        self,
        controls_batch: Sequence[Controls],
        places: Sequence[tuple[CachedClip, int]],
        dropped: Sequence[ScoreDropout],
        frames: int,
        frame_rate: float,
        channels: int,
    ) -> ControlChannels:
        """Return the control channels of windows with the scores of their clips, on the CPU.

        Args:
            controls_batch: all other controls of each window.
            places: clip and first frame within it, one per window.
            dropped: dropout of the score of each window.
            frames: length of each window.
            frame_rate: frames per second.
            channels: number of channels that the network takes.
        """
        starts = [start / frame_rate for _, start in places]
        narrow = min(channels, CONTROL_CHANNELS)
        found = control_channels(controls_batch, starts, frames, frame_rate, narrow)
        if channels == narrow:
            return found
        scores = [self._events.get(clip.start) for clip, _ in places]
        rolls = score_channels(scores, starts, frames, frame_rate, dropped)
        return torch.cat([found, rolls], dim=1)[:, :channels]
