"""Control channels of all clips in the memory of a GPU.

Making the channels of a batch takes a CPU about 5 ms for each item, which is more than a GPU takes
to train on it. Here they are made once for each clip. A batch is gathered on the GPU, and what its
items leave open is set to 0.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from jen1cli.conditioning.controls.channels import ControlChannels
from jen1cli.conditioning.controls.score_channels import NOTHING_HIDDEN, Hidden
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
from jen1cli.training.diffusion.batches import Window
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
        frame_rate: float,
        channels: int,
        device: torch.device,
    ) -> None:
        """Make the channels of all clips.

        Args:
            clips: of the training.
            scores: of the clips.
            frame_rate: frames per second.
            channels: number of channels that the network takes.
            device: device of the table.
        """
        self._channels = channels
        self._device = device
        rows = max(clip.start + clip.frames for clip in clips)
        table = torch.zeros(rows, channels, dtype=torch.float16)
        for clip in clips:
            whole = scores.channels(
                [controls_of(clip.attributes)], [(clip, 0)], [NOTHING_HIDDEN],
                clip.frames, frame_rate, channels,
            )  # fmt: skip
            table[clip.start : clip.start + clip.frames] = whole[0].T
        self._table = table.to(device)

    @staticmethod
    def size(clips: Sequence[CachedClip], channels: int) -> int:
        """Return the bytes of the table."""
        return 2 * channels * max(clip.start + clip.frames for clip in clips)

    def gather(
        self, clips: Sequence[CachedClip], windows: Sequence[Window], frames: int
    ) -> ControlChannels:
        """Return the channels of windows; beyond the end of a clip they are 0.

        Args:
            clips: to which the windows refer by number.
            windows: with the controls and the score that they leave open.
            frames: length of each window.
        """
        chosen = [clips[window.clip] for window in windows]
        first = [c.start + w.start for c, w in zip(chosen, windows, strict=True)]
        starts = torch.tensor(first, device=self._device)
        limits = torch.tensor([clip.start + clip.frames for clip in chosen], device=self._device)
        rows = starts[:, None] + torch.arange(frames, device=self._device)
        shown = np.stack([_shown(w.controls, w.hidden)[: self._channels] for w in windows])
        mask = (
            torch.from_numpy(shown).to(self._device)[:, None] & (rows < limits[:, None])[..., None]
        )
        found = self._table[rows.clamp(max=len(self._table) - 1)].float()
        found = found.masked_fill(~mask, 0.0).transpose(1, 2).contiguous()
        for item, window in zip(found, windows, strict=True):
            _open_span(item, window.hidden)
        return found


def _shown(controls: Controls, hidden: Hidden) -> Bool[np.ndarray, " channels"]:
    """Return which channels an item shows, from what is left of its controls and its score."""
    shown = np.zeros(CHANNELS_WITH_SCORE, bool)
    if controls.bpm:
        shown[_RHYTHM] = True
        shown[_BAR] = shown[_RHYTHM.stop - 1] = bool(controls.beats)
    shown[_KEY] = bool(controls.key)
    for rows, text in (
        (_CHORDS, controls.chords),
        (_DRUMS, controls.drums),
        (_MELODY, controls.melody),
    ):
        shown[rows] = bool(text) and controls.has_bars
    score = shown[CONTROL_CHANNELS:]
    score[:] = True
    for group in hidden.groups:
        score[SCORE_GROUPS[group]] = False
    for family in hidden.families:
        score[[family, len(FAMILIES) + family]] = False
    return shown


def _open_span(item: Tensor, hidden: Hidden) -> None:
    for group in hidden.span_groups:
        item[CONTROL_CHANNELS:][SCORE_GROUPS[group], hidden.span[0] : hidden.span[1]] = 0.0
