"""Reverberation by synthetic stereo impulse responses, and tempo-synchronised echoes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Complex

from jen1cli.corpus.rendering.dsp import butterworth, irfft, rfft
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Mono, Stereo
from jen1cli.corpus.rendering.textures import FRAME, HOP, shaped_noise

ROOM_MODELS = 4
_KEPT = 0.8  # share of the reverberation time T60 that is kept: down to -48 dB


@dataclass(frozen=True)
class Room:
    """A reverberation: T60 in seconds up to 350 Hz, and its spectral shape."""

    seconds: float
    delay: float  # seconds before it starts
    brightness: float  # 0 dark to 1 bright
    attack: float = 0.005  # seconds in which the diffuse tail fades in
    early: int = 8  # number of early reflections


ROOMS: dict[str, Room] = {
    "dry": Room(0.15, 0.001, 0.5, early=3),
    "studio": Room(0.5, 0.006, 0.55, early=10),
    "room": Room(0.7, 0.008, 0.5, early=12),
    "club": Room(1.0, 0.010, 0.35, early=12),
    "plate": Room(1.8, 0.004, 0.8, attack=0.002, early=0),
    "hall": Room(2.2, 0.022, 0.5, attack=0.03),
    "church": Room(3.4, 0.035, 0.4, attack=0.06),
    "cave": Room(4.6, 0.060, 0.3, attack=0.12),
}


@lru_cache(maxsize=128)
def impulse_response(name: str, model: int) -> Stereo:
    """Return the impulse response of a room, with unit energy in each channel."""
    room = ROOMS[name]
    rng = np.random.default_rng((*name.encode(), model))
    seconds = room.seconds * float(rng.uniform(0.85, 1.2))
    samples = int(_KEPT * seconds * SAMPLE_RATE)
    frames = samples // HOP + 2
    hertz = np.maximum(np.fft.rfftfreq(FRAME, 1.0 / SAMPLE_RATE), 20.0)
    octaves = np.log2(hertz / 700.0)
    slope = 0.34 - 0.22 * room.brightness
    times = seconds * np.exp2(-slope * np.maximum(octaves, -1.0))
    t = (np.arange(frames) * HOP / SAMPLE_RATE)[:, None]
    fall = 10.0 ** (-3.0 * t / times[None, :])
    colour = np.exp2(-np.maximum(octaves, 0.0) * 0.5 * (1.0 - room.brightness))
    colour *= 1.0 / (1.0 + (170.0 / hertz) ** 4)  # attenuate below 170 Hz
    tail = shaped_noise((fall * colour).astype(np.float32), samples, rng)
    grown = np.minimum(np.arange(samples, dtype=np.float32) / (room.attack * SAMPLE_RATE), 1.0)
    tail *= grown
    tail *= np.minimum((samples - np.arange(samples, dtype=np.float32)) / (0.2 * samples), 1.0)
    delay = int(room.delay * SAMPLE_RATE)
    response = np.zeros((2, samples + delay), np.float32)
    response[:, delay:] = tail / np.sqrt(np.sum(np.square(tail)) / 2.0)
    for number in range(room.early):
        place = int(rng.uniform(0.3, 3.5) * max(delay, 240))
        if place < response.shape[1]:
            level = 0.28 / (1.0 + 0.4 * number)
            response[rng.integers(0, 2), place] += level * rng.choice([-1.0, 1.0])
    energy = np.sqrt(np.sum(np.square(response), axis=1, keepdims=True))
    return (response / energy).astype(np.float32)


@lru_cache(maxsize=48)
def _response_spectrum(name: str, model: int) -> tuple[Complex[np.ndarray, "2 bins"], int, int]:
    response = impulse_response(name, model)
    size = 1 << int(np.ceil(np.log2(2 * response.shape[1])))
    return rfft(response, size), size, response.shape[1]


def reverberate(sound: Mono, name: str, model: int = 0) -> Stereo:
    """Return the reverberation of a sound without the direct sound; same length."""
    spectrum, size, length = _response_spectrum(name, model % ROOM_MODELS)
    hop = size - length + 1
    samples = len(sound)
    wet = np.zeros((2, samples + size), np.float32)
    for start in range(0, samples, hop):
        block = sound[start : start + hop]
        if not block.any():
            continue
        wet[:, start : start + size] += irfft(rfft(block, size) * spectrum, size)
    return wet[:, :samples]


def echoes(
    sound: Mono,
    seconds: float,
    *,
    feedback: float = 0.45,
    brightness: float = 0.5,
    repeats: int = 6,
) -> Stereo:
    """Return the repeats of a ping-pong delay without the direct sound; same length."""
    wet = np.zeros((2, len(sound)), np.float32)
    step = max(1, round(seconds * SAMPLE_RATE))
    top = 1200.0 * 2.0 ** (3.0 * brightness)
    source = sound
    level = 1.0
    for number in range(repeats):
        start = step * (number + 1)
        if start >= len(sound) or level < 0.03:
            break
        if number < 3:  # each repeat is darker; further filtering is inaudible after three
            source = butterworth(source, "bandpass", [180.0, top], 1)
        near, far = (0.9, 0.35) if number % 2 == 0 else (0.35, 0.9)
        part = source[: len(sound) - start] * np.float32(level)
        wet[0, start:] += near * part
        wet[1, start:] += far * part
        level *= feedback
    return wet
