"""Struck or plucked synthesised voices: one complete sound for each pitch, cached."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jen1cli.corpus.rendering.dsp import recursive
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Mono, Raw, Stereo, frequency, times

Build = Callable[[float, float, np.random.Generator], Stereo]  # hertz, brightness 0 to 1, rng


@dataclass(frozen=True)
class Plucked:
    """A struck voice: its build function and its release time in seconds."""

    build: Build
    release: float
    rings: bool = False  # whether it sounds on after the key is released


def _sine(phase: np.ndarray) -> Mono:
    """Return the sine of a phase in cycles, reduced first so that large phases stay precise."""
    return np.sin((2.0 * np.pi * (phase - np.floor(phase))).astype(np.float32))


def _onset(seconds: Mono, attack: float = 0.001) -> Mono:
    return np.minimum(seconds / attack, 1.0)


def _both(sound: Raw) -> Stereo:
    return np.stack([sound, sound]).astype(np.float32)


def _bass_808(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    t = times(2.4)
    drop, fall = rng.uniform(1.0, 2.6), rng.uniform(0.012, 0.03)
    phase = hertz * (t + drop * fall * (1.0 - np.exp(-t / fall)))
    drive = 1.2 + 3.5 * brightness * rng.uniform(0.5, 1.2)
    body = np.tanh(drive * _sine(phase.astype(np.float64))) * np.exp(-t * rng.uniform(0.9, 2.0))
    return _both(body * _onset(t, 0.002))


def _fm_bass(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    t = times(3.0)
    ratio = float(rng.choice([1.0, 2.0, 3.0]))
    depth = (0.5 + 3.0 * brightness) * np.exp(-t * rng.uniform(5.0, 12.0)) + 0.35
    base = hertz * t.astype(np.float64)
    tone = np.sin((2 * np.pi * np.mod(base, 1.0)).astype(np.float32) + depth * _sine(base * ratio))
    return _both(tone * np.exp(-t * 1.1) * _onset(t, 0.002))


def _fm_bell(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    t = times(3.5)
    ratio = float(rng.choice([1.4, 2.76, 3.5, 4.07]))
    depth = (0.4 + 2.2 * brightness) * np.exp(-t * rng.uniform(2.0, 5.0))
    sides = []
    for cents in (-2.5, 2.5):
        base = hertz * 2.0 ** (cents / 1200.0) * t.astype(np.float64)
        angle = (2 * np.pi * np.mod(base, 1.0)).astype(np.float32)
        sides.append(np.sin(angle + depth * _sine(base * ratio)))
    return np.stack(sides) * np.exp(-t * rng.uniform(1.2, 2.2)) * _onset(t)


def _crystal(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    t = times(3.0)
    sound = np.zeros((2, len(t)), np.float32)
    for ratio in (1.0, 2.0, 3.01, 4.2, 5.43, 6.79):
        if hertz * ratio > 18_000:
            break
        level = ratio ** -(1.9 - 1.3 * brightness)
        tone = (
            _sine(hertz * ratio * t.astype(np.float64)) * np.exp(-t * (0.9 + 0.55 * ratio)) * level
        )
        place = rng.uniform(0.15, 0.85)
        sound += np.stack([np.sqrt(1 - place) * tone, np.sqrt(place) * tone])
    return sound * _onset(t)


def _string_pluck(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    """Return a plucked string (Karplus and Strong, 1983): a noise burst in a lossy delay loop."""
    samples = int(2.6 * SAMPLE_RATE)
    period = SAMPLE_RATE / hertz - 0.5  # the two-sample average delays by half a sample
    whole = int(period)
    fraction = period - whole
    burst = rng.standard_normal(whole).astype(np.float32)
    soften = 0.15 + 0.75 * (1.0 - brightness)
    burst = recursive([1.0 - soften], [1.0, -soften], burst)
    excitation = np.zeros(samples, np.float32)
    excitation[:whole] = burst - burst.mean()
    loss = 0.5 * 10.0 ** (-3.0 / (hertz * rng.uniform(2.5, 4.5)))
    feedback = np.zeros(whole + 3)
    feedback[0] = 1.0
    # linear interpolation (1 - f, f) convolved with the average (1, 1)
    feedback[whole : whole + 3] -= loss * np.array([1.0 - fraction, 1.0, fraction])
    string = recursive([1.0], feedback, excitation)
    return _both(string)


def _impact(hertz: float, brightness: float, rng: np.random.Generator) -> Stereo:
    t = times(3.0)
    low = 32.0 + 14.0 * rng.uniform()
    phase = low * t + 1.6 * (1.0 - np.exp(-t / 0.05))
    boom = np.tanh(2.5 * _sine(phase.astype(np.float64))) * np.exp(-t * 1.5)
    noise = rng.standard_normal((2, len(t))).astype(np.float32)
    pole = float(np.exp(-2 * np.pi * (300 + 2500 * brightness) / SAMPLE_RATE))
    noise = recursive([1.0 - pole], [1.0, -pole], noise).astype(np.float32)
    return (boom + 2.5 * noise * np.exp(-t * rng.uniform(2.0, 5.0))).astype(np.float32) * _onset(t)


PLUCKED: dict[str, Plucked] = {
    "bass_808": Plucked(_bass_808, 0.05),
    "fm_bass": Plucked(_fm_bass, 0.05),
    "fm_bell": Plucked(_fm_bell, 0.5, rings=True),
    "crystal": Plucked(_crystal, 0.6, rings=True),
    "string_pluck": Plucked(_string_pluck, 0.12),
    "impact": Plucked(_impact, 1.0, rings=True),
}


def build_plucked(voice: str, pitch: int, brightness: float, model: int) -> Stereo:
    """Build one sound of a model (variant) of a voice, reproducibly."""
    rng = np.random.default_rng((len(voice), *voice.encode(), model))
    return np.ascontiguousarray(PLUCKED[voice].build(frequency(pitch), brightness, rng), np.float32)
