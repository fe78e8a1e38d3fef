"""Plays notes from SoundFont regions: pitch, loop, filter, envelopes and LFOs.

All notes of one pitch and velocity share what does not depend on the release time. Modulation is at
control rate; samples are interpolated linearly. Interpolation, envelopes and filter are those of
TinySoundFont, but scale tuning does not affect coarse and fine tuning (SoundFont 2.04, section
8.1.2, generators 51, 52 and 56).
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float32

from jen1cli.corpus.rendering.soundfont_file import (
    Oscillator,
    Preset,
    Region,
    SoundFontFile,
    VolumeEnvelope,
)
from jen1cli.corpus.rendering.stereo import (
    CONTROL_SAMPLES,
    SAMPLE_RATE,
    Curve,
    Mono,
    Stereo,
    control_points,
    spread,
)

Wave = Float32[np.ndarray, " stored"]  # a sample as stored in the font
Cut = Float32[np.ndarray, " _"]  # a sound that may be shorter than requested

_DECADES = 9.226  # natural logarithm of the decay of an exponential segment: 80 dB
_QUICK_RELEASE = 0.01  # seconds; if release is 0, or a note is ended by its exclusive class
_OPEN = 0.499  # share of the sample rate; a filter with a higher cutoff is bypassed


@dataclass(frozen=True)
class Stroke:
    """Start and length in samples and gain of a note of given pitch and velocity."""

    start: int
    held: int  # samples until the key is released
    gain: float
    cut: int | None = None  # samples from `start` until a note of its group ends it


class Sampler:
    """Plays notes of presets; its only state is the decoded samples."""

    def __init__(self, font: SoundFontFile) -> None:
        self._font = font

    def add(
        self, target: Stereo, preset: Preset, key: int, velocity: float, strokes: Sequence[Stroke]
    ) -> None:
        """Add notes of one pitch and velocity to `target`, in place."""
        for region in preset.sounding(key, int(velocity * 127)):
            self._add_region(target, region, key, velocity, strokes)

    def _add_region(
        self, target: Stereo, region: Region, key: int, velocity: float, strokes: Sequence[Stroke]
    ) -> None:
        samples = target.shape[1]
        envelope = region.volume_envelope(key)
        release = max(1, int((envelope.release or _QUICK_RELEASE) * SAMPLE_RATE))
        ends = [min(samples - s.start, s.held + release) for s in strokes]
        longest = max(ends)
        level = _volume(envelope, min(longest, max(stroke.held for stroke in strokes) + 1))
        shared = None
        if not _follows_release(region):
            shared = self._voice(region, key, velocity, longest, longest)
        gain = velocity * 10.0 ** (-region.amount(48) / 200.0)
        pan = region.amount(17) / 1000.0
        left, right = gain * np.sqrt(0.5 - pan), gain * np.sqrt(0.5 + pan)
        for stroke, end in zip(strokes, ends, strict=True):
            voice = shared
            if voice is None:
                voice = self._voice(region, key, velocity, end, stroke.held)
            end = min(end, len(voice))
            held = min(stroke.held, end)
            sound = voice[:end].copy()
            sound[:held] *= level[:held]
            if end > held:
                sound[held:] *= level[held] * _fall(release)[: end - held]
            if stroke.cut is not None and stroke.cut < end:
                quick = _fall(int(_QUICK_RELEASE * SAMPLE_RATE))
                end = min(end, stroke.cut + len(quick))
                sound = sound[:end]
                sound[stroke.cut :] *= quick[: end - stroke.cut]
            place = slice(stroke.start, stroke.start + end)
            target[0, place] += np.float32(stroke.gain * left) * sound
            target[1, place] += np.float32(stroke.gain * right) * sound

    def _voice(self, region: Region, key: int, velocity: float, samples: int, held: int) -> Cut:
        """Return a region's sound without its volume envelope; shorter if the sample ends."""
        curves = _Modulation(region, key, velocity, samples, held)
        ratio = region.sample.rate / SAMPLE_RATE * 2.0 ** (region.cents(key) / 1200.0)
        wave = self._font.decode(region.sample)
        first, end = region.bounds[0], len(wave) + region.bounds[1]
        first, end = max(0, first), min(len(wave), end)
        loop = region.loop or (0, 0)
        loop = (loop[0], min(loop[1], end))
        stays = held if region.leaves_loop else samples
        sound = _compiled(_read)(wave, first, end, *loop, stays, ratio * curves.speed(), samples)
        cutoff = curves.cutoff()
        if cutoff is not None:
            sound = _low_pass(sound, cutoff, region.amount(9) / 10.0)
        volume = curves.volume()
        return sound if volume is None else sound * volume[: len(sound)]


def _read(
    wave: Wave,
    first: int,
    end: int,
    loop_start: int,
    loop_end: int,
    stays: int,
    steps: Curve,
    samples: int,
) -> Cut:
    """Resample a looped sample by linear interpolation; compiled by numba.

    Args:
        wave: the sample.
        first: index to start at.
        end: index at which the sample ends, at most the length of `wave`.
        loop_start: first index of the loop.
        loop_end: index after the loop; at most `loop_start` if there is none.
        stays: number of output samples in which it loops; then it plays to its end.
        steps: increment of the index per output sample, at control rate; the last value holds.
        samples: length of the output.

    Returns:
        The sound, shorter than `samples` if the sample ends.
    """
    made = np.empty(samples, np.float32)
    position = float(first)
    last = len(steps) - 1
    for i in range(samples):
        loops = i < stays and loop_end > loop_start
        if loops and position >= loop_end:
            position = loop_start + (position - loop_start) % (loop_end - loop_start)
        if position >= end:  # checked here, because compiled code has no bounds check
            return made[:i]
        index = int(position)
        near, after = wave[index], np.float32(0.0)
        if loops and index + 1 == loop_end:
            after = wave[loop_start]
        elif index + 1 < end:
            after = wave[index + 1]
        made[i] = near + np.float32(position - index) * (after - near)
        point, within = i // CONTROL_SAMPLES, i % CONTROL_SAMPLES
        here, there = steps[min(point, last)], steps[min(point + 1, last)]
        position += here + (there - here) * (within / CONTROL_SAMPLES)
    return made


def _follows_release(region: Region) -> bool:
    """Whether anything besides the volume envelope depends on the release of the key."""
    return region.leaves_loop or bool(region.amount(7) or region.amount(11))


class _Modulation:
    """Modulation of pitch, filter and volume during a note, at control rate."""

    def __init__(self, region: Region, key: int, velocity: float, samples: int, held: int) -> None:
        self._region, self._samples = region, samples
        self._points = np.arange(control_points(samples)) * float(CONTROL_SAMPLES)
        self._oscillation = self._wave(21, (5, 10, 13))
        self._vibrato = self._wave(23, (6,))
        self._envelope: Curve | None = None
        if region.amount(7) or region.amount(11):
            envelope = region.modulation_envelope(key)
            self._envelope = _modulation(envelope, velocity, self._points, held)

    def _wave(self, first: int, uses: tuple[int, ...]) -> Curve | None:
        if not any(self._region.amount(use) for use in uses):
            return None
        return _triangle(self._region.oscillator(first), self._points)

    def _sum(self, *terms: tuple[int, Curve | None]) -> Curve | None:
        """Sum the curves, each scaled by the amount of its generator; None if all are constant."""
        made = [
            self._region.amount(generator) * curve
            for generator, curve in terms
            if curve is not None and self._region.amount(generator)
        ]
        return np.asarray(sum(made)) if made else None

    def speed(self) -> Curve:
        """Return the pitch ratio over time."""
        terms = (5, self._oscillation), (6, self._vibrato), (7, self._envelope)
        cents = self._sum(*terms)
        return np.ones(1) if cents is None else 2.0 ** (cents / 1200.0)

    def cutoff(self) -> Curve | None:
        """Return the cutoff in cents above 8.176 Hz; None if the filter is always open."""
        moving = self._sum((10, self._oscillation), (11, self._envelope))
        cents = self._region.amount(8) + (np.zeros(1) if moving is None else moving)
        return None if _hertz(cents).min() >= _OPEN * SAMPLE_RATE else cents

    def volume(self) -> Mono | None:
        """Return the tremolo as an amplitude factor; None if there is none."""
        centibels = self._sum((13, self._oscillation))
        return None if centibels is None else spread(10.0 ** (centibels / 200.0), self._samples)


def _hertz(cents: Curve) -> Curve:
    """Convert cutoffs in cents to Hz; from 13500 cents on the filter is open."""
    return np.where(cents < 13_500, 8.176 * 2.0 ** (cents / 1200.0), SAMPLE_RATE)


def _low_pass(sound: Cut, cutoff: Curve, resonance_db: float) -> Cut:
    """Apply a two-pole low-pass with coefficients updated at control rate."""
    return _compiled(_filter)(sound, _hertz(cutoff) / SAMPLE_RATE, 10.0 ** (-resonance_db / 20.0))


def _filter(sound: Cut, fractions: Curve, damping: float) -> Cut:
    """Run the filter sample by sample; compiled by numba.

    Args:
        sound: the sound to filter.
        fractions: cutoff / sample rate at each control point; the last value holds.
        damping: reciprocal of the resonance.
    """
    made = np.empty_like(sound)
    first, second = 0.0, 0.0  # state of the filter (transposed direct form II)
    before = -1.0
    gain, middle, last = 0.0, 0.0, 0.0
    for point in range((len(sound) + CONTROL_SAMPLES - 1) // CONTROL_SAMPLES):
        here = fractions[min(point, len(fractions) - 1)]
        start, end = point * CONTROL_SAMPLES, min((point + 1) * CONTROL_SAMPLES, len(sound))
        if here >= _OPEN:
            made[start:end] = sound[start:end]
            continue
        if here != before:
            k = np.tan(np.pi * here)
            norm = 1.0 / (1.0 + k * damping + k * k)
            gain = k * k * norm
            middle, last = 2.0 * (k * k - 1.0) * norm, (1.0 - k * damping + k * k) * norm
            before = here
        for i in range(start, end):
            x = gain * sound[i]
            y = x + first
            first = 2.0 * x - middle * y + second
            second = x - last * y
            made[i] = y
    return made


@cache
def _compiled(function: Callable[..., Cut]) -> Callable[..., Cut]:
    """Compile a function on first use, which takes seconds, or load it from numba's cache."""
    import numba

    function = inspect.unwrap(function)
    try:
        return numba.njit(function, cache=True)
    except RuntimeError:  # no cache: neither the package's folder nor the user's is writable
        return numba.njit(function)


def _volume(envelope: VolumeEnvelope, samples: int) -> Mono:
    """Return the amplitude while the key is held: linear attack, exponential decay."""
    level = np.zeros(samples, np.float32)
    delay, attack, hold, decay = (
        int(part * SAMPLE_RATE)
        for part in (envelope.delay, envelope.attack, envelope.hold, envelope.decay)
    )
    top = delay + attack
    rising = level[delay:top]
    rising[:] = np.arange(len(rising), dtype=np.float32) / max(1, attack)
    level[top : top + hold] = 1.0
    level[top + hold :] = envelope.sustain
    if decay > 0:
        length = decay
        if envelope.sustain > 0.0:
            length = int(decay * -np.log(envelope.sustain) / _DECADES)
        falling = level[top + hold : top + hold + length]
        falling[:] = np.exp(np.arange(len(falling)) * (-_DECADES / decay))
    return level


@lru_cache(maxsize=64)
def _fall(samples: int) -> Mono:
    """Return an exponential release from 1 to -80 dB."""
    return np.exp(np.arange(samples) * (-_DECADES / max(1, samples))).astype(np.float32)


def _modulation(envelope: VolumeEnvelope, velocity: float, points: Curve, held: int) -> Curve:
    """Return the modulation envelope: linear segments, with a shorter attack for loud notes."""
    attack = envelope.attack * (145 - int(velocity * 127)) / 144.0
    times = np.cumsum([0.0, envelope.delay, attack, envelope.hold,
                       envelope.decay * (1.0 - envelope.sustain)])  # fmt: skip
    seconds = points / SAMPLE_RATE
    level = np.interp(seconds, times, [0.0, 0.0, 1.0, 1.0, envelope.sustain])
    last = np.interp(held / SAMPLE_RATE, times, [0.0, 0.0, 1.0, 1.0, envelope.sustain])
    release = max(envelope.release, _QUICK_RELEASE)
    after = last * np.clip(1.0 - (seconds - held / SAMPLE_RATE) / release, 0.0, 1.0)
    return np.where(points < held, level, after)


def _triangle(oscillator: Oscillator, points: Curve) -> Curve:
    """Return a triangle wave between -1 and 1 that rises from 0 after its delay."""
    phase = np.maximum(points / SAMPLE_RATE - oscillator.delay, 0.0) * oscillator.hertz
    return 1.0 - 4.0 * np.abs((phase + 0.25) % 1.0 - 0.5)
