"""Transcription of known music from its latent: tempo, beat, bar, key, chords, drums and melody.

A dilated convolutional network over frames (as in beat tracking, Davies and Böck 2019) estimates
the phase of beat and bar at each frame, as complex numbers whose magnitude is the confidence, and
the key. The tempo is the constant rotation with the largest correlation over the known frames. The
network also transcribes chords, drums and melody as the U-Net's control channels (`channels.py`),
from which `transcription.py` reads bars. A second network over pitch (`pitch_head.py`) adds its
logits to those of key, chords and melody.

    beat of bpm b and phase a:  z[t] ≈ exp(i (2π b/60 t + a)),   fit = |Σ z[t] exp(-i 2π b/60 t)|
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Complex, Float
from torch import Tensor, nn

from jen1cli.conditioning.controls.beats import (
    BAR_METERS,
    FASTEST_BPM,
    SLOWEST_BPM,
    Onsets,
    steady_tempo,
)
from jen1cli.conditioning.controls.channels import TRANSCRIBED
from jen1cli.conditioning.controls.pitch_head import PitchHead
from jen1cli.conditioning.controls.predictor import KEYS
from jen1cli.conditioning.controls.transcription import TranscribedLoop, read_loop
from jen1cli.config import ControlsConfig
from jen1cli.music.controls import MAX_BPM, NO_CONTROLS, Controls
from jen1cli.shapes import KeepMask, Latent
from jen1cli.tasks import make_context

_STEP = 0.002  # step of the tempi, logarithmic
_LONGEST_GAP = 10.0  # seconds without music over which beats are still counted
SURE_BEAT, SURE_BAR, SURE_KEY = 0.3, 0.3, 0.3
"""Thresholds: least correlation of the fits of beat and bar, least probability of the key.

The key's threshold is low: even below one half, nine in ten of its notes belong to the true key.
Below the bar's threshold the meter is four beats, so that a transcription still has bars.
"""


class TrackerOutput(NamedTuple):
    """Estimates for each frame, and the key of each item."""

    beat: Complex[Tensor, "batch frames"]  # phase; magnitude: confidence
    bar: Complex[Tensor, "batch frames"]
    key: Float[Tensor, "batch keys"]  # logits
    parts: Float[Tensor, "batch transcribed_channels frames"] | None  # logits


class ControlTracker(nn.Module):
    """Maps whitened latents to beats, bars, key, chords, drums and melody."""

    def __init__(self, components: int, config: ControlsConfig) -> None:
        super().__init__()
        width = config.tracker_channels
        self.input = nn.Conv1d(components + 1, width, 5, padding=2)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, 2 * width, 5, padding=2 * dilation, dilation=dilation)
            for dilation in config.tracker_dilations
        )
        self.phases = nn.Conv1d(width, 4, 1)
        self.key = nn.Linear(2 * width, len(KEYS))
        transcribed = config.transcribed_channels
        self.parts = nn.Conv1d(width, transcribed, 1) if transcribed else None
        pitch = config.pitch_channels if transcribed else 0
        self.pitch = PitchHead(components, pitch) if pitch else None

    def forward(self, latent: Latent, known: KeepMask) -> TrackerOutput:
        """Transcribe the known frames."""
        x = self.input(make_context(latent, known))
        for layer in self.layers:
            value, gate = layer(F.layer_norm(x.mT, x.shape[1:2]).mT).chunk(2, dim=1)
            x = x + value * torch.sigmoid(gate)
        x = F.silu(x)
        # complex numbers have no half precision, which autocast chooses
        beat, bar = self.phases(x).float().unflatten(1, (2, 2)).unbind(1)
        weight = known.to(x.dtype)
        mean = (x * weight).sum(2) / weight.sum(2).clamp(min=1.0)
        most = x.masked_fill(~known, -1.0).amax(2)
        key = self.key(torch.cat([mean, most], dim=1))
        parts = None if self.parts is None else self.parts(x)
        if self.pitch is not None and parts is not None:
            pitch = self.pitch(latent, known)
            key = key + F.pad(pitch.key, (1, 0))
            silent = parts.new_zeros(len(parts), TRANSCRIBED["drums"], parts.shape[2])
            parts = parts + torch.cat([pitch.chords, silent, pitch.melody], dim=1)
        return TrackerOutput(
            torch.complex(beat[:, 0], beat[:, 1]), torch.complex(bar[:, 0], bar[:, 1]), key, parts
        )

    @torch.no_grad()
    def loop(
        self, latent: Latent, known: KeepMask, frame_rate: float, controls: Controls
    ) -> TranscribedLoop | None:
        """Transcribe the loop around the first gap of one piece, if tempo and bars are known.

        Args:
            latent: [1, components, frames]; anything where unknown.
            known: True where there is music.
            frame_rate: frames per second.
            controls: result of `track`.
        """
        if self.parts is None or not controls.has_bars:
            return None
        parts = self(latent, known).parts
        return None if parts is None else read_loop(parts, known, controls, frame_rate)

    @torch.no_grad()
    def track(
        self,
        latent: Latent,
        known: KeepMask,
        frame_rate: float,
        asked: Controls = NO_CONTROLS,
        onsets: Onsets | None = None,
    ) -> Controls:
        """Return the controls of one piece above their thresholds; frame 0 is at time 0.

        The tempo is the one of `beats.steady_tempo` where that is sure.

        Args:
            latent: [1, components, frames]; anything where unknown.
            known: True where there is music.
            frame_rate: frames per second.
            asked: given controls, which are kept; for a given tempo only the phase is estimated.
            onsets: onsets of the same music, 0 where unknown.
        """
        inside = known[0, 0].cpu()
        if not inside.any():
            return asked
        output = self(latent, known)
        # the fit is a small computation in double precision, which MPS lacks
        beat, bar, shares = (x[0].cpu() for x in (output.beat, output.bar, output.key.softmax(-1)))
        probability, key = shares.max(-1)
        tonic, mode = KEYS[int(key)] if float(probability) >= SURE_KEY else ("", "")
        times = (torch.arange(len(inside))[inside] + 0.5).double() / frame_rate
        tempo, meter, downbeat = fit_beat(
            beat[inside].to(torch.complex128), bar[inside].to(torch.complex128), times, asked.bpm
        )
        if onsets is not None and not asked.bpm:
            steady = _steady_tempo(beat, bar, inside, frame_rate, onsets)
            if steady.bpm:
                tempo, meter, downbeat = steady.bpm, steady.meter, steady.downbeat
        if asked.bpm and tempo:
            asked = dataclasses.replace(asked, bpm=0.0)
        return asked.over(Controls(tempo, meter, downbeat, tonic, mode))


def _steady_tempo(
    beat: Complex[Tensor, " frames"],
    bar: Complex[Tensor, " frames"],
    inside: Bool[Tensor, " frames"],
    frame_rate: float,
    onsets: Onsets,
) -> Controls:
    """Return the result of `steady_tempo` for the longest part without a long gap."""
    known = inside.numpy()
    at = np.flatnonzero(known)
    breaks = np.flatnonzero(np.diff(at) > _LONGEST_GAP * frame_rate) + 1
    part = max(np.split(at, breaks), key=len)
    start, stop = int(part[0]), int(part[-1]) + 1
    first, last = (round(frame / frame_rate * onsets.rate) for frame in (start, stop))
    found = steady_tempo(
        beat.numpy()[start:stop] * known[start:stop],
        bar.numpy()[start:stop] * known[start:stop],
        frame_rate,
        onsets._replace(strength=onsets.strength[first:last]),
    )
    return found.shifted(start / frame_rate) if found.bpm else found


def fit_beat(
    beat: Complex[Tensor, " frames"],
    bar: Complex[Tensor, " frames"],
    times: Float[Tensor, " frames"],
    bpm: float = 0.0,
) -> tuple[float, str, float]:
    """Fit one tempo to phases of beat and bar.

    Args:
        beat: complex phase of the beat, at `times`.
        bar: complex phase of the bar.
        times: seconds.
        bpm: given tempo; 0 estimates it.

    Returns:
        tempo, meter and the time of a downbeat; tempo 0 if the correlation is below threshold.
    """
    count = math.ceil(math.log(FASTEST_BPM / SLOWEST_BPM) / _STEP)
    tempi = [bpm] if bpm else [SLOWEST_BPM * math.exp(_STEP * i) for i in range(count)]
    speeds = torch.tensor(tempi, dtype=torch.float64, device=times.device) / 60.0
    fits = _turned_back(beat, times, speeds)
    best = int(fits.abs().argmax())
    if float(fits[best].abs()) < SURE_BEAT or tempi[best] > MAX_BPM:
        return 0.0, "", 0.0
    speed = tempi[best] / 60.0
    moment = -float(fits[best].angle()) / (2.0 * math.pi * speed)
    lengths = list(BAR_METERS)
    bars = _turned_back(bar, times, speed / torch.tensor(lengths, device=times.device))
    chosen = int(bars.abs().argmax())
    if float(bars[chosen].abs()) < SURE_BAR:
        chosen = lengths.index(4)
    start = -float(bars[chosen].angle()) * lengths[chosen] / (2.0 * math.pi * speed)
    moment += round((start - moment) * speed) / speed  # the nearest beat
    return tempi[best], BAR_METERS[lengths[chosen]], moment


def _turned_back(
    arrows: Complex[Tensor, " frames"],
    times: Float[Tensor, " frames"],
    speeds: Float[Tensor, " speeds"],
) -> Complex[Tensor, " speeds"]:
    """Return mean z[t] exp(-i 2π s t) for each speed s, in turns per second."""
    back = torch.exp(-2j * math.pi * speeds[:, None].double() * times)
    return (back * arrows).mean(dim=1)
