"""The guide as channels over the frames: where beats and bars fall, and which notes belong.

    beat   cos and sin of 1, 2, 3 and 4 times the beat's phase: beats, halves, triplets, quarters
    bar    cos and sin of the bar's phase
    key    the mode's pitch classes, and the tonic
    known  one channel each for beat, bar and key; where it is 0, so are theirs

The idea of giving beats to the network beside the text is Mustango's (arXiv 2311.08355); phases
over time as channels are ours. Nothing here looks at music, so no frame learns of a later one.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.guide import MODES, TONICS, Guide

HARMONICS = 4
GUIDE_CHANNELS = 2 * HARMONICS + 2 + 2 * len(TONICS) + 3

GuideChannels = Float[Tensor, "batch guide_channels frames"]


def guide_channels(
    guides: Sequence[Guide], starts: Sequence[float], frames: int, frame_rate: float
) -> GuideChannels:
    """Return the channels of some windows, on the CPU.

    Args:
        guides: one for each window.
        starts: seconds at which each window begins on its guide's clock.
        frames: of a window.
        frame_rate: frames per second.
    """
    rows = [
        torch.cat([_rhythm(guide, start, frames, frame_rate), _key(guide, frames)])
        for guide, start in zip(guides, starts, strict=True)
    ]
    return torch.stack(rows)


def _rhythm(guide: Guide, start: float, frames: int, frame_rate: float) -> Tensor:
    found = torch.zeros(2 * HARMONICS + 4, frames)
    if not guide.bpm:
        return found
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    beat = (times - guide.downbeat) * guide.bpm / 60.0
    phases = [beat * harmonic for harmonic in range(1, HARMONICS + 1)]
    if guide.beats:
        phases.append(beat / guide.beats)
    angles = 2.0 * math.pi * torch.stack(phases)
    found[: 2 * len(phases)] = torch.cat([angles.cos(), angles.sin()], dim=1).view(-1, frames)
    found[-2] = 1.0
    found[-1] = float(bool(guide.beats))
    return found


def _key(guide: Guide, frames: int) -> Tensor:
    found = torch.zeros(2 * len(TONICS) + 1)
    if guide.key:
        tonic = TONICS.index(guide.key)
        for step in MODES[guide.mode]:
            found[(tonic + step) % len(TONICS)] = 1.0
        found[len(TONICS) + tonic] = 1.0
        found[-1] = 1.0
    return found[:, None].expand(-1, frames)
