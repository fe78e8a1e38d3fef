"""What the control networks are to predict, as tensors, from the annotations of a clip."""

from collections.abc import Sequence

import torch
from torch import Tensor

from jen1cli.conditioning.controls.channels import TRANSCRIBED, control_channels
from jen1cli.conditioning.controls.part_predictor import PartPredictor, part_rows
from jen1cli.music.controls import BEAT_AND_KEY_CHANNELS, Controls


def transcription_targets(
    controls_batch: Sequence[Controls], starts: Sequence[float], frames: int, frame_rate: float
) -> tuple[Tensor, Tensor]:
    """Return the channels to transcribe and the mask of known ones: [batch, channels, frames]."""
    found = control_channels(controls_batch, starts, frames, frame_rate)[:, BEAT_AND_KEY_CHANNELS:]
    groups = found.split([size + 1 for size in TRANSCRIBED.values()], dim=1)
    known = [(group[:, -1:] > 0).expand_as(group[:, :-1]) for group in groups]
    return torch.cat([group[:, :-1] for group in groups], dim=1), torch.cat(known, dim=1)


def by_part(channels: Tensor) -> tuple[Tensor, ...]:
    """Split channels [batch, channels, frames] into chords, drums and melody."""
    return channels.split(list(TRANSCRIBED.values()), dim=1)


def beat_targets(
    controls_batch: Sequence[Controls], starts: Sequence[int], frames: int, frame_rate: float
) -> tuple[Tensor, Tensor]:
    """Return complex phases [batch, frames] of beat and bar; 0 where they are unknown.

    `starts` are the first frames of the windows.
    """
    centres = torch.arange(frames, dtype=torch.float64) + 0.5
    beats, bars = [], []
    for controls, start in zip(controls_batch, starts, strict=True):
        phase = ((start + centres) / frame_rate - controls.downbeat) * controls.bpm / 60.0
        known = torch.full_like(phase, float(controls.bpm > 0))
        beats.append(torch.polar(known, 2.0 * torch.pi * phase))
        known = torch.full_like(phase, float(controls.beats > 0))
        bars.append(torch.polar(known, 2.0 * torch.pi * phase / max(1, controls.beats)))
    return torch.stack(beats).to(torch.complex64), torch.stack(bars).to(torch.complex64)


def part_targets(
    network: PartPredictor,
    controls_batch: Sequence[Controls],
    tokens: Sequence[list[int]],
) -> tuple[Tensor, Tensor]:
    """Return rows [batch, steps, features] and tokens [batch, steps], -1 beyond the end."""
    steps = max(1, *map(len, tokens))
    size = len(network.embeddings)
    rows = torch.zeros(len(tokens), steps, size, dtype=torch.long)
    targets = torch.full((len(tokens), steps), -1)
    for i, (one, controls) in enumerate(zip(tokens, controls_batch, strict=True)):
        if one:
            rows[i, : len(one)] = torch.tensor(part_rows(one, controls, network.tokens))
            targets[i, : len(one)] = torch.tensor(one)
    return rows, targets
