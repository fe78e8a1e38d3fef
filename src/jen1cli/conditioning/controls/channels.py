"""Controls as channels over frames: phases of beat and bar, pitch classes, drum strokes.

In this order; where a flag (known) is 0, its channels are 0 as well:

    beat   cos and sin of 1, 2, 3 and 4 times the beat's phase: beats, halves, triplets, quarters
    bar    cos and sin of the bar's phase; two flags: beat known, bar known
    key    the mode's pitch classes, the tonic, and a flag: known
    chord  pitch classes of the chord, its bass, and a flag: known
    drums  strokes, one channel per drum, and a flag: known
    melody pitch class, octave, onsets, and a flag: known
    score  all parts (`jen1cli.conditioning.controls.score_channels`)

Channels of chord, drums and melody are zero in known music (`jen1cli.tasks.make_context`). A stroke
or onset is divided between the two frames around it, by distance: a resolution below one frame.

Beats and chords as inputs beside the text are from Mustango (arXiv 2311.08355), chords as channels
over time from JASCO (arXiv 2406.10970); phases as channels are our own. The channels do not depend
on the audio, so they do not break causality.
"""

import functools
import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.conditioning.controls.score_channels import ScoreEvents, score_channels
from jen1cli.music.chords import TONICS, Chord
from jen1cli.music.controls import (
    BEAT_HARMONICS,
    CHORD_CHANNELS,
    CONTROL_CHANNELS,
    DRUM_CHANNELS,
    MELODY_CHANNELS,
    Controls,
)
from jen1cli.music.full_score import FullScore
from jen1cli.music.keys import MODES
from jen1cli.music.patterns import LOWEST, OCTAVES, Pattern, Sound, parse_drums, parse_melody

TRANSCRIBED = {
    "chords": CHORD_CHANNELS - 1,
    "drums": DRUM_CHANNELS - 1,
    "melody": MELODY_CHANNELS - 1,
}
"""Channels of chords, drums and melody, without their flags."""

ControlChannels = Float[Tensor, "batch control_channels frames"]


def control_channels(
    controls_batch: Sequence[Controls],
    starts: Sequence[float],
    frames: int,
    frame_rate: float,
    channels: int = CONTROL_CHANNELS,
) -> ControlChannels:
    """Return the control channels of a batch of windows, on the CPU.

    Args:
        controls_batch: controls of each window.
        starts: start of each window on its controls' clock, in seconds.
        frames: length of a window.
        frame_rate: frames per second.
        channels: number of channels that the network takes, counted from the first. The full score
            has those above `CONTROL_CHANNELS`.
    """
    rows = [
        torch.cat(
            [
                _rhythm(controls, start, frames, frame_rate),
                _key(controls, frames),
                _chords(controls, start, frames, frame_rate),
                _drums(controls, start, frames, frame_rate),
                _melody(controls, start, frames, frame_rate),
            ]
        )
        for controls, start in zip(controls_batch, starts, strict=True)
    ]
    found = torch.stack(rows)
    if channels > CONTROL_CHANNELS:
        scores = [one.score and _events(one.score) for one in controls_batch]
        found = torch.cat([found, score_channels(scores, starts, frames, frame_rate)], dim=1)
    return found[:, :channels]


@functools.lru_cache(maxsize=16)
def _events(score: FullScore) -> ScoreEvents:
    """Return the notes of a score; the windows of a long piece share them."""
    return ScoreEvents.of(score)


def _rhythm(controls: Controls, start: float, frames: int, frame_rate: float) -> Tensor:
    channels = torch.zeros(2 * BEAT_HARMONICS + 4, frames)
    if not controls.bpm:
        return channels
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    beat = (times - controls.downbeat) * controls.bpm / 60.0
    phases = [beat * harmonic for harmonic in range(1, BEAT_HARMONICS + 1)]
    if controls.beats:
        phases.append(beat / controls.beats)
    angles = 2.0 * math.pi * torch.stack(phases)
    channels[: 2 * len(phases)] = torch.cat([angles.cos(), angles.sin()], dim=1).view(-1, frames)
    channels[-2] = 1.0
    channels[-1] = float(bool(controls.beats))
    return channels


def _key(controls: Controls, frames: int) -> Tensor:
    channels = torch.zeros(2 * len(TONICS) + 1)
    if controls.key:
        tonic = TONICS.index(controls.key)
        for step in MODES[controls.mode]:
            channels[(tonic + step) % len(TONICS)] = 1.0
        channels[len(TONICS) + tonic] = 1.0
        channels[-1] = 1.0
    return channels[:, None].expand(-1, frames)


def _chords(controls: Controls, start: float, frames: int, frame_rate: float) -> Tensor:
    """Return the channels of the chord chart, which begins at `controls.downbeat`."""
    channels = torch.zeros(CHORD_CHANNELS, frames)
    bars = controls.bars
    if not bars:
        return channels
    kinds = [_chord(None), *(_chord(chord) for bar in bars for chord in bar)]
    firsts = torch.tensor([0, *(len(bar) for bar in bars)]).cumsum(0)[:-1] + 1
    parts = torch.tensor([len(bar) for bar in bars])
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    position = (times - controls.downbeat) / controls.bar_seconds
    bar = position.floor().long() % len(bars)
    part = ((position - position.floor()) * parts[bar]).long()
    chosen = torch.where(position < 0, 0, firsts[bar] + part)
    return torch.stack(kinds, dim=1)[:, chosen] * (position >= 0)


def _chord(chord: Chord | None) -> Tensor:
    channels = torch.zeros(CHORD_CHANNELS)
    channels[-1] = 1.0
    if chord is not None:
        channels[list(chord.classes)] = 1.0
        channels[len(TONICS) + chord.bass] = 1.0
    return channels


def _drums(controls: Controls, start: float, frames: int, frame_rate: float) -> Tensor:
    channels = torch.zeros(DRUM_CHANNELS, frames)
    if controls.drums and controls.has_bars:
        channels[-1] = _begun(controls, start, frames, frame_rate)
        for row in parse_drums(controls.drums):
            for stroke in _within(row, controls, start, frames, frame_rate):
                _strike(channels[stroke.number], stroke.start)
    return channels


def _melody(controls: Controls, start: float, frames: int, frame_rate: float) -> Tensor:
    channels = torch.zeros(MELODY_CHANNELS, frames)
    if controls.melody and controls.has_bars:
        channels[-1] = _begun(controls, start, frames, frame_rate)
        for note in _within(parse_melody(controls.melody), controls, start, frames, frame_rate):
            first, stop = max(0, math.ceil(note.start)), max(0, math.ceil(note.stop))
            channels[note.number % len(TONICS), first:stop] = 1.0
            channels[len(TONICS) + (note.number - LOWEST) // 12, first:stop] = 1.0
            _strike(channels[len(TONICS) + OCTAVES], note.start)
    return channels


def _begun(controls: Controls, start: float, frames: int, frame_rate: float) -> Tensor:
    times = start + (torch.arange(frames, dtype=torch.float64) + 0.5) / frame_rate
    return (times >= controls.downbeat).float()


def _within(
    pattern: Pattern, controls: Controls, start: float, frames: int, frame_rate: float
) -> Iterator[Sound]:
    """Yield the events of a window; times in frames, relative to the centre of frame 0."""
    stop = start + (frames + 1) / frame_rate
    for sound in controls.sounding(pattern, start - 1 / frame_rate, stop):
        begin, end = ((time - start) * frame_rate - 0.5 for time in (sound.start, sound.stop))
        yield Sound(begin, end, sound.number)


def _strike(row: Tensor, place: float) -> None:
    """Divide a stroke between the two frames around it, by linear interpolation."""
    frame = math.floor(place)
    for index, weight in ((frame, 1.0 - (place - frame)), (frame + 1, place - frame)):
        if 0 <= index < len(row):
            row[index] = max(float(row[index]), weight)
