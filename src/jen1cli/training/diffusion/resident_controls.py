"""Control channels of all clips in the memory of a GPU.

Making the channels of a batch takes a CPU about 5 ms for each item, which is more than a GPU takes
to train on it. Here they are made once for each clip. A batch is gathered on the GPU, and the
channels that dropout removes from its items are set to 0.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from jaxtyping import Bool

from jen1cli.conditioning.controls.channels import ControlChannels
from jen1cli.conditioning.controls.score_channels import NOTHING_DROPPED, ScoreDropout, drop_span
from jen1cli.devices import to_device
from jen1cli.music.controls import (
    BEAT_AND_KEY_CHANNELS,
    BEAT_HARMONICS,
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_SCORE,
    CONTROL_CHANNELS,
    DRUM_CHANNELS,
    Controls,
    controls_of,
)
from jen1cli.music.full_score import FAMILIES, SCORE_GROUPS
from jen1cli.training.diffusion.batches import TrainingWindow
from jen1cli.training.diffusion.cache import CachedClip
from jen1cli.training.diffusion.scores import ScoreTable

_BAR = slice(2 * BEAT_HARMONICS, 2 * BEAT_HARMONICS + 2)
_RHYTHM = slice(0, 2 * BEAT_HARMONICS + 4)
_KEY = slice(_RHYTHM.stop, BEAT_AND_KEY_CHANNELS)
_CHORDS = slice(BEAT_AND_KEY_CHANNELS, CHANNELS_WITH_CHORDS)
_DRUMS = slice(CHANNELS_WITH_CHORDS, CHANNELS_WITH_CHORDS + DRUM_CHANNELS)
_MELODY = slice(_DRUMS.stop, CONTROL_CHANNELS)


class ResidentControls:
    """A table of the channels of all clips, [frames, channels], in float16."""

    def __init__(
        self,
        clips: Sequence[CachedClip],
        scores: ScoreTable,
        frames: int,
        frame_rate: float,
        channels: int,
        device: torch.device,
    ) -> None:
        """Make the channels of all clips, one clip after the other, in the memory of the device.

        Args:
            clips: the training's clips.
            scores: scores of the clips.
            frames: length of a window; the channels of a shorter clip go on to the window's end.
            frame_rate: frames per second.
            channels: number of channels that the network takes.
            device: device of the table.
        """
        self._frames = frames
        self._channels = channels
        lengths = _lengths(clips, frames)
        self._first = [0, *accumulate(lengths)]
        self._table = torch.empty(self._first[-1], channels, dtype=torch.float16, device=device)
        for clip, first, length in zip(clips, self._first, lengths, strict=False):
            whole = scores.channels(
                [controls_of(clip.attributes)], [(clip, 0)], [NOTHING_DROPPED],
                length, frame_rate, channels,
            )  # fmt: skip
            self._table[first : first + length] = whole[0].T.half().to(device)

    @staticmethod
    def size(clips: Sequence[CachedClip], frames: int, channels: int) -> int:
        """Return the bytes of the table."""
        return 2 * channels * sum(_lengths(clips, frames))

    def gather(self, windows: Sequence[TrainingWindow]) -> ControlChannels:
        """Return the channels of windows.

        Args:
            windows: as `WindowSampler` draws them from the clips: none ends after the end of a clip
                that is as long as a window.
        """
        device = self._table.device
        first = torch.tensor([self._first[w.clip] + w.start for w in windows])
        starts = to_device(first, device)
        rows = starts[:, None] + torch.arange(self._frames, device=device)
        kept = np.stack([_kept(w.controls, w.dropped)[: self._channels] for w in windows])
        found = self._table[rows].float().transpose(1, 2).contiguous()
        found = found.masked_fill(~to_device(torch.from_numpy(kept), device)[..., None], 0.0)
        for item, window in zip(found, windows, strict=True):
            drop_span(item[CONTROL_CHANNELS:], window.dropped)
        return found


def _lengths(clips: Sequence[CachedClip], frames: int) -> list[int]:
    return [max(clip.frames, frames) for clip in clips]


def _kept(controls: Controls, dropped: ScoreDropout) -> Bool[np.ndarray, " channels"]:
    """Return which channels an item keeps, after dropout of its controls and its score."""
    kept = np.zeros(CHANNELS_WITH_SCORE, bool)
    if controls.bpm:
        kept[_RHYTHM] = True
        kept[_BAR] = kept[_RHYTHM.stop - 1] = bool(controls.beats)
    kept[_KEY] = bool(controls.key)
    for rows, text in (
        (_CHORDS, controls.chords),
        (_DRUMS, controls.drums),
        (_MELODY, controls.melody),
    ):
        kept[rows] = bool(text) and controls.has_bars
    score = kept[CONTROL_CHANNELS:]
    score[:] = True
    for group in dropped.groups:
        score[SCORE_GROUPS[group]] = False
    for family in dropped.families:
        score[[family, len(FAMILIES) + family]] = False
    return kept
