"""The guide as channels over the frames: where beats and bars fall, and which notes sound.

    beat   cos and sin of 1, 2, 3 and 4 times the beat's phase: beats, halves, triplets, quarters
    bar    cos and sin of the bar's phase
    key    the mode's pitch classes, and the tonic
    known  one channel each for beat, bar and key; where it is 0, so are theirs
    chord  pitch classes of the chord, its bass, and whether it is known; only where music is to be
           made (`jen1cli.tasks.make_context`), elsewhere it is there to be heard

The idea of giving beats and chords to the network beside the text is Mustango's (arXiv 2311.08355),
chords as channels over time are JASCO's (arXiv 2406.10970); phases as channels are ours. Nothing
here looks at music, so no frame learns of a later one.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.chords import TONICS, Chord
from jen1cli.guide import CHORD_CHANNELS, GUIDE_CHANNELS, HARMONICS, MODES, Guide

GuideChannels = Float[Tensor, "batch guide_channels frames"]


def guide_channels(
    guides: Sequence[Guide],
    starts: Sequence[float],
    frames: int,
    frame_rate: float,
    channels: int = GUIDE_CHANNELS,
) -> GuideChannels:
    """Return the channels of some windows, on the CPU.

    Args:
        guides: one for each window.
        starts: seconds at which each window begins on its guide's clock.
        frames: of a window.
        frame_rate: frames per second.
        channels: that the network takes; one that is told no chords takes `CHORD_CHANNELS` fewer.
    """
    rows = [
        torch.cat(
            [
                _rhythm(guide, start, frames, frame_rate),
                _key(guide, frames),
                _chords(guide, start, frames, frame_rate),
            ]
        )
        for guide, start in zip(guides, starts, strict=True)
    ]
    return torch.stack(rows)[:, :channels]


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


def _chords(guide: Guide, start: float, frames: int, frame_rate: float) -> Tensor:
    """Return the chart's channels; before the guide's `downbeat` it has not begun."""
    found = torch.zeros(CHORD_CHANNELS, frames)
    bars = guide.bars
    if not bars:
        return found
    kinds = [_chord(None), *(_chord(chord) for bar in bars for chord in bar)]
    firsts = torch.tensor([0, *(len(bar) for bar in bars)]).cumsum(0)[:-1] + 1
    parts = torch.tensor([len(bar) for bar in bars])
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    position = (times - guide.downbeat) * guide.bpm / 60.0 / guide.beats  # in bars
    bar = position.floor().long() % len(bars)
    part = ((position - position.floor()) * parts[bar]).long()
    chosen = torch.where(position < 0, 0, firsts[bar] + part)
    return torch.stack(kinds, dim=1)[:, chosen] * (position >= 0)


def _chord(chord: Chord | None) -> Tensor:
    found = torch.zeros(CHORD_CHANNELS)
    found[-1] = 1.0
    if chord is not None:
        found[list(chord.classes)] = 1.0
        found[len(TONICS) + chord.bass] = 1.0
    return found
