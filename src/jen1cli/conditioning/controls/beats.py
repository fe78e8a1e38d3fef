"""Tempo, beats and bars of a recording, from the tracker's phases and the strength of onsets.

The tracker has learned the corpus and often misses beats in other sounds. Onsets need no training,
but do not distinguish a beat from its halves. The tempo has the highest product of the tracker's
correlation (`tracker.py`) and the autocorrelation of the onsets at 1, 2 and 4 beats. Both are means
over windows, so that a tempo may drift. The beats are the path through the sum of both strengths
with the best places at steady distances (Ellis, Beat Tracking by Dynamic Programming, JNMR 36,
2007).
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.heard import SURE, is_tempo

SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
BAR_METERS = {4: "4/4", 3: "3/4", 2: "2/4", 5: "5/4", 7: "7/8"}

_STEP = 0.005  # step of the tempi, logarithmic
_WINDOW_SECONDS = 12.0
_MULTIPLES = (1, 2, 4)  # beats at which onsets repeat
_FLAT_SECONDS = 1.0  # moving mean that is subtracted from the onsets
_PHASE_WEIGHT = 1.5  # weight of the tracker's beats in the sum; both have standard deviation 1
_TIGHTNESS = 1500.0  # cost of a beat that is early or late, per squared logarithm of the distance
_BLUR = 1 / 32  # share of a beat, within which an onset counts
_LEAST_ONSETS = 0.01
_FEWEST_BEATS = 4
_CONFIDENCE = (-0.1, 2.7, 1.7, -19.0)
"""Weights: constant, phase fit, fit at the beats, drift."""
_STEADY = 0.06  # beats; root mean square by which beats at one tempo miss an even grid


class Onsets(NamedTuple):
    """Strength of the onsets in music, step by step."""

    strength: Float[np.ndarray, " steps"]  # at least 0
    rate: float  # steps per second


class Beats(NamedTuple):
    """The beats of one recording."""

    times: Float[np.ndarray, " beats"]  # seconds, increasing
    bpm: float  # tempo of the even grid that fits best
    origin: float  # seconds; a beat of that grid
    drift: float  # root mean square of the distances from that grid, in beats
    phase_fit: float  # correlation of the tracker's phases with the tempo, 0 to 1
    beat_fit: float  # mean of the real part of the tracker's phase at the beats

    @property
    def confidence(self) -> float:
        """Probability that these are beats: logistic, fitted to music of known tempo."""
        drift = min(self.drift, 0.1)
        features = (1.0, self.phase_fit, self.beat_fit, drift)
        score = sum(w * x for w, x in zip(_CONFIDENCE, features, strict=True))
        return 1.0 / (1.0 + math.exp(-score))

    @property
    def is_steady(self) -> bool:
        """Whether one tempo and one origin describe all beats."""
        return self.drift <= _STEADY

    @property
    def bpm_range(self) -> tuple[float, float]:
        """Slowest and fastest tempo of four beats, without the outermost twentieths."""
        span = self.times[_FEWEST_BEATS:] - self.times[:-_FEWEST_BEATS]
        if not len(span):
            return self.bpm, self.bpm
        slow, fast = np.quantile(60.0 * _FEWEST_BEATS / span, (0.05, 0.95))
        return float(slow), float(fast)

    def time_of(self, number: int) -> float:
        """Return the time of a beat by its number; outside of the beats, the even grid goes on."""
        index = np.arange(len(self.times))
        if 0 <= number <= len(self.times) - 1:
            return float(np.interp(number, index, self.times))
        edge = 0 if number < 0 else len(self.times) - 1
        return float(self.times[edge] + (number - edge) * 60.0 / self.bpm)

    def number_at(self, seconds: float) -> float:
        """Return the number of the beat at a time, with its fraction."""
        edge = 0 if seconds < self.times[0] else len(self.times) - 1
        if self.times[0] <= seconds <= self.times[-1]:
            return float(np.interp(seconds, self.times, np.arange(len(self.times))))
        return edge + (seconds - float(self.times[edge])) * self.bpm / 60.0


def find_beats(
    phase: Complex[np.ndarray, " frames"],
    frame_rate: float,
    onsets: Onsets,
) -> Beats | None:
    """Find tempo and beats; None if there are fewer than four.

    Args:
        phase: phase of the beat at each frame, with its confidence as magnitude.
        frame_rate: frames per second.
        onsets: onsets of the same music.
    """
    onset_rate = onsets.rate
    flat = _flattened(onsets.strength, round(_FLAT_SECONDS * onset_rate))
    if flat.std() <= 0.0 or len(phase) < 2:
        return None
    count = math.ceil(math.log(FASTEST_BPM / SLOWEST_BPM) / _STEP)
    tempi = SLOWEST_BPM * np.exp(_STEP * np.arange(count))
    phase_fits = _phase_fits(phase, frame_rate, tempi)
    onset_fits = _onset_fits(flat, onset_rate, tempi)
    best = int((phase_fits * np.maximum(onset_fits, _LEAST_ONSETS)).argmax())
    strength = _unit(flat) + _PHASE_WEIGHT * _unit(
        _beat_strength(phase, frame_rate, len(flat), onset_rate)
    )
    times = _path(strength, 60.0 * onset_rate / tempi[best]) / onset_rate
    if len(times) < _FEWEST_BEATS:
        return None
    numbers = np.arange(len(times))
    period, origin = np.polyfit(numbers, times, 1)
    drift = float(np.sqrt(np.mean(np.square(times - origin - period * numbers))) / period)
    return Beats(
        times, 60.0 / float(period), float(origin), drift,
        float(phase_fits[best]), _fit_at(times, phase, frame_rate),
    )  # fmt: skip


def find_bars(
    bar: Complex[np.ndarray, " frames"], frame_rate: float, beats: Beats
) -> tuple[str, int, float]:
    """Return the metre, the number of the first downbeat, and the correlation, 0 to 1.

    Args:
        bar: phase of the bar at each frame, with its confidence as magnitude.
        frame_rate: frames per second.
        beats: result of `find_beats`.
    """
    frames = (np.arange(len(bar)) + 0.5) / frame_rate
    parts = (np.interp(beats.times, frames, part) for part in (np.real(bar), np.imag(bar)))
    arrows = next(parts) + 1j * next(parts)
    lengths = np.array(list(BAR_METERS))
    numbers = np.arange(len(beats.times))
    fits = np.exp(-2j * np.pi * numbers / lengths[:, None]) @ arrows / len(numbers)
    best = int(np.abs(fits).argmax())
    length = int(lengths[best])
    first = round(-float(np.angle(fits[best])) * length / (2.0 * np.pi)) % length
    return BAR_METERS[length], first, min(1.0, float(abs(fits[best])))


def bar_confidence(fit: float) -> float:
    """Return how likely metre and downbeat are right, from the correlation of the bar's phase."""
    return 1.0 / (1.0 + math.exp(-12.0 * (fit - 0.3)))


def steady_tempo(
    beat: Complex[np.ndarray, " frames"],
    bar: Complex[np.ndarray, " frames"],
    frame_rate: float,
    onsets: Onsets,
) -> Controls:
    """Return tempo, metre and downbeat of music that surely has one tempo, else no controls.

    Args:
        beat: phase of the beat at each frame, with its confidence as magnitude; the first frame is
            at time 0.
        bar: phase of the bar.
        frame_rate: frames per second.
        onsets: onsets of the same music.
    """
    beats = find_beats(beat, frame_rate, onsets)
    if beats is None or not is_tempo(beats.bpm) or not beats.is_steady:
        return NO_CONTROLS
    if beats.confidence < SURE["tempo"]:
        return NO_CONTROLS
    meter, first, fit = find_bars(bar, frame_rate, beats)
    if bar_confidence(fit) < SURE["meter"]:
        meter = "4/4"  # so that a transcription still has bars
    return Controls(beats.bpm, meter, beats.origin + first * 60.0 / beats.bpm)


def _phase_fits(
    phase: np.ndarray, frame_rate: float, tempi: np.ndarray
) -> Float[np.ndarray, " tempi"]:
    """Return the mean over windows of |mean z[t] exp(-i 2π b/60 t)| for each tempo b."""
    windows = _windows(phase, round(_WINDOW_SECONDS * frame_rate))
    times = np.arange(windows.shape[1]) / frame_rate
    back = np.exp(-2j * np.pi * tempi[:, None] / 60.0 * times)
    return np.abs(back @ windows.T / windows.shape[1]).mean(axis=1)


def _onset_fits(
    onsets: np.ndarray, onset_rate: float, tempi: np.ndarray
) -> Float[np.ndarray, " tempi"]:
    """Return the mean autocorrelation of the onsets at 1, 2 and 4 beats of each tempo."""
    windows = _windows(onsets, round(_WINDOW_SECONDS * onset_rate))
    windows = windows - windows.mean(axis=1, keepdims=True)
    length = windows.shape[1]
    power = np.square(np.abs(np.fft.rfft(windows, 2 * length, axis=1)))
    products = np.fft.irfft(power, axis=1)[:, :length] / np.arange(length, 0, -1)
    curve = (products / np.maximum(products[:, :1], 1e-12)).mean(axis=0)
    curve = np.convolve(curve, (0.25, 0.5, 0.25), "same")
    longest = 0.85 * (length - 1)  # at larger distances there are too few pairs
    lags = 60.0 * onset_rate / tempi
    return np.mean(
        [np.interp(np.minimum(lags * m, longest), np.arange(length), curve) for m in _MULTIPLES],
        axis=0,
    )


def _fit_at(times: np.ndarray, phase: np.ndarray, frame_rate: float) -> float:
    frames = (np.arange(len(phase)) + 0.5) / frame_rate
    return float(np.interp(times, frames, np.real(phase)).mean())


def _windows(signal: np.ndarray, length: int) -> np.ndarray:
    """Return half-overlapping windows [windows, length]; a short signal is one window."""
    if len(signal) <= length:
        return signal[None]
    return np.lib.stride_tricks.sliding_window_view(signal, length)[:: max(1, length // 2)]


def _flattened(onsets: np.ndarray, length: int) -> np.ndarray:
    """Return what exceeds the moving mean."""
    mean = np.convolve(onsets, np.ones(length) / length, "same")[: len(onsets)]
    return np.maximum(onsets - mean, 0.0)


def _beat_strength(phase: np.ndarray, frame_rate: float, steps: int, rate: float) -> np.ndarray:
    """Return the squared positive part of the tracker's phase: highest at its beats."""
    frames = (np.arange(len(phase)) + 0.5) / frame_rate
    return np.square(np.maximum(np.interp(np.arange(steps) / rate, frames, np.real(phase)), 0.0))


def _unit(strength: np.ndarray) -> np.ndarray:
    return strength / max(float(strength.std()), 1e-9)


def _path(strength: np.ndarray, period: float) -> Float[np.ndarray, " beats"]:
    """Return the steps of the beats, at distances near `period` steps."""
    width = max(1.0, _BLUR * period)
    reach = np.arange(-math.ceil(3 * width), math.ceil(3 * width) + 1)
    local = np.convolve(strength, np.exp(-0.5 * np.square(reach / width)), "same")
    local = _unit(local[: len(strength)])
    lags = np.arange(round(period / 2), round(2 * period) + 1)
    cost = -_TIGHTNESS * np.square(np.log(lags / period))
    best = local.copy()
    before = np.full(len(local), -1)
    for step in range(int(lags[0]), len(local)):
        count = min(len(lags), step - int(lags[0]) + 1)
        found = best[step - lags[:count]] + cost[:count]
        at = int(found.argmax())
        if found[at] > 0.0:
            best[step] += found[at]
            before[step] = step - lags[at]
    last = max(0, len(best) - round(period))
    steps = [last + int(best[last:].argmax())]
    while before[steps[-1]] >= 0:
        steps.append(int(before[steps[-1]]))
    return np.array(steps[::-1], np.float64)
