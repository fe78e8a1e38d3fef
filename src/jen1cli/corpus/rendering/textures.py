"""Noises and sweeps: wind, rain, waves, risers, test tones."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from jen1cli.corpus.rendering.dsp import irfft, smooth_curve
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Mono, Stereo, TimedNote, frequency

FRAME = 2048
HOP = FRAME // 2
_HERTZ = np.fft.rfftfreq(FRAME, 1.0 / SAMPLE_RATE).astype(np.float32)
_OCTAVES = np.log2(np.maximum(_HERTZ, 10.0)).astype(np.float32)

Texture = Callable[[TimedNote, int, np.random.Generator], Stereo]


def shaped_noise(
    magnitude: Float32[np.ndarray, "frames bins"], samples: int, rng: np.random.Generator
) -> Stereo:
    """Return stereo noise of level 1 with the given magnitude spectrum for each hop."""
    frames = magnitude.shape[0]
    window = np.sin(np.pi * (np.arange(FRAME, dtype=np.float32) + 0.5) / FRAME)
    sound = np.zeros((2, (frames + 1) * HOP), np.float32)
    for channel in range(2):
        turn = rng.random(magnitude.shape, dtype=np.float32) * np.float32(2 * np.pi)
        blocks = irfft(magnitude * (np.cos(turn) + 1j * np.sin(turn)), FRAME)
        blocks = (blocks * window).astype(np.float32)
        sound[channel, : frames * HOP] += blocks[:, :HOP].reshape(-1)
        sound[channel, HOP:] += blocks[:, HOP:].reshape(-1)
    sound = sound[:, :samples]
    level = float(np.sqrt(np.mean(np.square(sound)))) if samples else 0.0
    return sound / max(level, 1e-9)


def _frames(samples: int) -> int:
    return -(-samples // HOP) + 1


def _band(
    centre_hertz: np.ndarray, octaves: float | np.ndarray
) -> Float32[np.ndarray, "frames bins"]:
    """Return a Gaussian band on the octave axis around a moving centre."""
    distance = _OCTAVES[None, :] - np.log2(centre_hertz)[:, None]
    return np.exp(-np.square(distance / octaves)).astype(np.float32)


def _wander(frames: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a slow random curve of standard deviation about 1."""
    points = max(4, int(frames * HOP / SAMPLE_RATE / seconds) + 4)
    return smooth_curve(rng.standard_normal(points), frames)


def _edges(samples: int, attack: float, release: float) -> Mono:
    """Return a linear fade-in and fade-out of `attack` and `release` seconds."""
    t = np.arange(samples, dtype=np.float32) / SAMPLE_RATE
    rise = np.minimum(t / max(attack, 1e-4), 1.0)
    return rise * np.minimum((samples / SAMPLE_RATE - t) / max(release, 1e-4), 1.0)


def _noise_texture(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    frames = _frames(samples)
    centre = frequency(note.pitch) * 4.0 * np.exp2(0.7 * _wander(frames, 3.0, rng))
    sound = shaped_noise(_band(np.clip(centre, 80, 9000), rng.uniform(0.5, 2.0)), samples, rng)
    return sound * _edges(samples, 0.4, 0.4)


def _wind(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    frames = _frames(samples)
    gust = _wander(frames, 2.5, rng)
    low = _band(300.0 * np.exp2(0.5 * gust), 1.0)
    whistle = 0.5 * _band(900.0 * np.exp2(0.8 * gust), 0.22)
    loud = np.exp2(0.9 * gust)[:, None].astype(np.float32)
    return shaped_noise((low + whistle) * loud, samples, rng) * _edges(samples, 0.6, 0.6)


def _rain(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    frames = _frames(samples)
    hiss = shaped_noise(_band(np.full(frames, 5000.0), 1.6), samples, rng) * np.float32(0.5)
    drops = np.zeros((2, samples + 480), np.float32)
    ring = np.arange(480, dtype=np.float32) / SAMPLE_RATE
    for hertz in rng.uniform(1200.0, 7500.0, 12):
        count = int(samples / SAMPLE_RATE * 14)
        where = rng.integers(0, max(samples, 1), count)
        strikes = np.zeros((2, samples), np.float32)
        strikes[rng.integers(0, 2, count), where] = rng.exponential(6.0, count)
        drop = np.sin(2 * np.pi * hertz * ring) * np.exp(-ring * rng.uniform(500.0, 1800.0))
        for side in range(2):
            for place in np.flatnonzero(strikes[side]):
                drops[side, place : place + 480] += strikes[side, place] * drop
    return (hiss + drops[:, :samples]) * _edges(samples, 0.5, 0.5)


def _sea(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    frames = _frames(samples)
    period = rng.uniform(4.0, 7.0)
    t = np.arange(frames) * HOP / SAMPLE_RATE
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * (t / period + rng.uniform()))
    loud = (0.12 + swell**2)[:, None].astype(np.float32)
    band = _band(350.0 * np.exp2(2.0 * swell), 1.8)
    return shaped_noise(band * loud, samples, rng) * _edges(samples, 0.6, 0.6)


def _rising(samples: int, rng: np.random.Generator, *, up: bool) -> Stereo:
    frames = _frames(samples)
    way = np.linspace(0.0, 1.0, frames)
    way = way if up else 1.0 - way
    noise = shaped_noise(_band(250.0 * np.exp2(5.2 * way), 0.9), samples, rng)
    progress = np.linspace(0.0, 1.0, samples, dtype=np.float32)
    progress = progress if up else 1.0 - progress
    turns = np.cumsum(110.0 * np.exp2(3.0 * progress.astype(np.float64))) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * np.mod(turns, 1.0)).astype(np.float32)
    return (noise + np.float32(0.35) * tone) * progress**2 * _edges(samples, 0.005, 0.03)


def _riser(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    return _rising(samples, rng, up=True)


def _downlifter(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    return _rising(samples, rng, up=False)


def _sine_sweep(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    """Return an exponential sweep of two octaves, up from pitches below middle C, else down."""
    way = np.linspace(0.0, 1.0, samples)
    turns = np.cumsum(frequency(note.pitch) * np.exp2((2.0 if note.pitch < 60 else -2.0) * way))
    tone = np.sin(2 * np.pi * np.mod(turns / SAMPLE_RATE, 1.0)).astype(np.float32)
    return np.stack([tone, tone]) * _edges(samples, 0.02, 0.02)


def _noise_burst(note: TimedNote, samples: int, rng: np.random.Generator) -> Stereo:
    noise = rng.standard_normal((2, samples), dtype=np.float32)
    if rng.uniform() < 0.5:  # mono in half of the cases
        noise[1] = noise[0]
    return noise * _edges(samples, 0.002, 0.01)


TEXTURES: dict[str, Texture] = {
    "noise_texture": _noise_texture,
    "wind_noise": _wind,
    "rain_noise": _rain,
    "sea_noise": _sea,
    "riser": _riser,
    "downlifter": _downlifter,
    "sine_sweep": _sine_sweep,
    "noise_burst": _noise_burst,
}
