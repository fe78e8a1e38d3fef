"""The guide as channels over the frames: where beats and bars fall, and which notes sound.

    beat   cos and sin of 1, 2, 3 and 4 times the beat's phase: beats, halves, triplets, quarters
    bar    cos and sin of the bar's phase
    key    the mode's pitch classes, and the tonic
    known  one channel each for beat, bar and key; where it is 0, so are theirs
    chord  pitch classes of the chord, its bass, and whether it is known
    drums  strokes, a channel each, and whether they are known
    melody pitch class, octave, onsets, and whether it is known

Chord, drums and melody are told only where music is to be made (`jen1cli.tasks.make_context`),
elsewhere they are there to be heard. Strokes and onsets are shared among the two frames around
them, so that they are told more finely than a frame.

The idea of giving beats and chords to the network beside the text is Mustango's (arXiv 2311.08355),
chords as channels over time are JASCO's (arXiv 2406.10970); phases as channels are ours. Nothing
here looks at music, so no frame learns of a later one.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.chords import TONICS, Chord
from jen1cli.guide import (
    CHORD_CHANNELS,
    DRUM_CHANNELS,
    GUIDE_CHANNELS,
    HARMONICS,
    MELODY_CHANNELS,
    MODES,
    Guide,
)
from jen1cli.parts import LOWEST, OCTAVES, Loop, Sound, parse_drums, parse_melody

HEARD = {
    "chords": CHORD_CHANNELS - 1,
    "drums": DRUM_CHANNELS - 1,
    "melody": MELODY_CHANNELS - 1,
}
"""Channels of what is played, but for those that say whether it is known."""

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
        channels: that the network takes; one that is told less takes the first of them.
    """
    rows = [
        torch.cat(
            [
                _rhythm(guide, start, frames, frame_rate),
                _key(guide, frames),
                _chords(guide, start, frames, frame_rate),
                _drums(guide, start, frames, frame_rate),
                _melody(guide, start, frames, frame_rate),
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
    position = (times - guide.downbeat) / guide.bar_seconds
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


def _drums(guide: Guide, start: float, frames: int, frame_rate: float) -> Tensor:
    found = torch.zeros(DRUM_CHANNELS, frames)
    if guide.drums and guide.has_bars:
        found[-1] = _begun(guide, start, frames, frame_rate)
        for row in parse_drums(guide.drums):
            for stroke in _within(row, guide, start, frames, frame_rate):
                _strike(found[stroke.number], stroke.start)
    return found


def _melody(guide: Guide, start: float, frames: int, frame_rate: float) -> Tensor:
    found = torch.zeros(MELODY_CHANNELS, frames)
    if guide.melody and guide.has_bars:
        found[-1] = _begun(guide, start, frames, frame_rate)
        for note in _within(parse_melody(guide.melody), guide, start, frames, frame_rate):
            first, stop = max(0, math.ceil(note.start)), max(0, math.ceil(note.stop))
            found[note.number % len(TONICS), first:stop] = 1.0
            found[len(TONICS) + (note.number - LOWEST) // 12, first:stop] = 1.0
            _strike(found[len(TONICS) + OCTAVES], note.start)
    return found


def _begun(guide: Guide, start: float, frames: int, frame_rate: float) -> Tensor:
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    return (times >= guide.downbeat).float()


def _within(
    loop: Loop, guide: Guide, start: float, frames: int, frame_rate: float
) -> Iterator[Sound]:
    """Give the sounds of a window, their times as places between the middles of its frames."""
    stop = start + (frames + 1) / frame_rate
    for sound in guide.sounding(loop, start - 1 / frame_rate, stop):
        begin, end = ((time - start) * frame_rate - 0.5 for time in (sound.start, sound.stop))
        yield Sound(begin, end, sound.number)


def _strike(row: Tensor, place: float) -> None:
    """Share a stroke among the two frames around it."""
    frame = math.floor(place)
    for index, weight in ((frame, 1.0 - (place - frame)), (frame + 1, place - frame)):
        if 0 <= index < len(row):
            row[index] = max(float(row[index]), weight)
