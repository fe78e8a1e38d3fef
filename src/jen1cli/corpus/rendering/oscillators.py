"""Band-limited oscillators: seamless wavetables built from their spectrum.

A wavetable has a whole number of cycles, so it loops without a seam, and no partial above 20 kHz.
Detuned voices are placed in neighbouring bins of the same spectrum and a low-pass is a factor on
the partials, so playing a note costs no more than copying memory.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Complex, Float32

from jen1cli.corpus.rendering.dsp import fast_length, irfft
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, frequency

Wave = Literal["saw", "square", "pulse", "triangle", "sine", "chip_triangle", "organ", "hollow"]
Wavetable = Float32[np.ndarray, "channels samples"]

_TOP_HZ = 20_000.0
_CYCLE = 4096


@lru_cache(maxsize=32)
def partials(wave: Wave) -> Complex[np.ndarray, " partials"]:
    """Return the complex amplitudes of a waveform's partials, the fundamental first."""
    phase = np.arange(_CYCLE) / _CYCLE
    if wave == "saw":
        cycle = 1.0 - 2.0 * phase
    elif wave == "square":
        cycle = np.where(phase < 0.5, 1.0, -1.0)
    elif wave == "pulse":
        cycle = np.where(phase < 0.25, 1.5, -0.5)
    elif wave == "triangle":
        cycle = 4.0 * np.abs(phase - 0.5) - 1.0
    elif wave == "chip_triangle":  # 32 steps of 4-bit resolution
        cycle = np.round((2.0 * np.abs(np.floor(phase * 32) / 32 - 0.5)) * 15) / 7.5 - 1.0
    elif wave == "organ":
        levels = {1: 1.0, 2: 0.7, 3: 0.5, 4: 0.35, 6: 0.2, 8: 0.15}
        cycle = np.sum([a * np.sin(2 * np.pi * k * phase) for k, a in levels.items()], axis=0)
    elif wave == "hollow":
        levels = {1: 1.0, 3: 0.45, 5: 0.12, 9: 0.1, 14: 0.05}
        cycle = np.sum([a * np.sin(2 * np.pi * k * phase) for k, a in levels.items()], axis=0)
    else:
        cycle = np.sin(2 * np.pi * phase)
    spectrum = np.fft.rfft(cycle)[1:] / (_CYCLE / 2)
    spectrum[np.abs(spectrum) < 1e-9] = 0.0
    return spectrum / np.sqrt(np.sum(np.abs(spectrum) ** 2))


@dataclass(frozen=True)
class WavetableSpec:
    """All parameters of a wavetable; also its key in the cache."""

    wave: Wave
    pitch: float  # MIDI number
    cutoff: float  # Hz of the low-pass
    resonance: float = 0.0  # 0 to 1
    detune: tuple[float, ...] = (0.0,)  # cents of each voice
    width: float = 0.0  # 0 mono to 1 voices far apart
    samples: int = 1 << 14  # approximate length
    tracking: float = 0.0  # octaves that the cutoff rises per octave of pitch
    seed: int = 0  # seed of the voices' phases


def lowpass_gain(
    hertz: Float32[np.ndarray, " partials"] | np.ndarray, cutoff: float, resonance: float
) -> np.ndarray:
    """Return the amplitude response of a resonant low-pass of 24 dB per octave."""
    ratio = np.square(hertz / max(cutoff, 1.0))
    quality = 0.6 + 9.0 * resonance**2
    resonant = 1.0 / np.sqrt(np.square(1.0 - ratio) + ratio / quality**2)
    return resonant / np.sqrt(1.0 + ratio**2)


@lru_cache(maxsize=16)
def _fast_lengths(about: int) -> np.ndarray:
    """Return lengths up to `about` for which the FFT is fast."""
    if about <= 1 << 15:  # short enough for any length
        return np.arange(about // 2, about + 1)
    lengths, length = [], about * 3 // 4
    while length <= about:
        length = fast_length(length)
        lengths.append(length)
        length += 1
    return np.array(lengths)


def _whole_cycles(hertz: float, about: int) -> tuple[int, int]:
    """Return (cycles, samples), with about `about` samples, whose pitch is nearest to `hertz`."""
    lengths = _fast_lengths(about)
    cycles = np.maximum(1, np.round(lengths * hertz / SAMPLE_RATE))
    best = int(np.argmin(np.abs(np.log2(cycles * SAMPLE_RATE / lengths / hertz))))
    return int(cycles[best]), int(lengths[best])


def build_wavetable(spec: WavetableSpec) -> Wavetable:
    """Build a wavetable: [1, samples] if all voices are centred, else [2, samples]."""
    hertz = frequency(spec.pitch)
    cycles, samples = _whole_cycles(hertz, spec.samples)
    amplitudes = partials(spec.wave)
    cutoff = spec.cutoff * 2.0 ** (spec.tracking * (spec.pitch - 60.0) / 12.0)
    rng = np.random.default_rng((spec.seed, round(spec.pitch * 100)))
    channels = 2 if spec.width > 0 else 1
    spectrum = np.zeros((channels, samples // 2 + 1), np.complex64)
    voices = len(spec.detune)
    for voice, cents in enumerate(spec.detune):
        step = max(1, round(cycles * 2.0 ** (cents / 1200.0)))
        top = int(min(_TOP_HZ / hertz, len(amplitudes), samples // 2 / step))
        if top < 1:
            continue
        number = np.arange(1, top + 1)
        turn = 0.0 if voices == 1 else rng.uniform()
        gain = lowpass_gain(number * hertz, cutoff, spec.resonance) / np.sqrt(voices)
        values = amplitudes[:top] * np.exp(-2j * np.pi * turn * number) * gain
        place = 0.0 if voices == 1 else spec.width * (2.0 * voice / (voices - 1) - 1.0)
        # voices of neighbouring pitch are panned to opposite sides
        place *= 1.0 if voice % 2 else -1.0
        sides = (
            (1.0,) if channels == 1 else (np.sqrt(0.5 - 0.5 * place), np.sqrt(0.5 + 0.5 * place))
        )
        for channel, side in enumerate(sides):
            spectrum[channel, number * step] += (values * side).astype(np.complex64)
    # scaling of rfft: a sine of amplitude 1 has samples / 2 in its bin
    return irfft(spectrum * np.float32(samples / 2), samples)


class ByteCache:
    """Least-recently-used cache of arrays, bounded in bytes; results do not depend on its state."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._items: OrderedDict[Hashable, np.ndarray] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array of a key; call `make` if it is not cached."""
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
            return found
        made = make()
        self._items[key] = made
        self._bytes += made.nbytes
        while self._bytes > self._limit and len(self._items) > 1:
            _, old = self._items.popitem(last=False)
            self._bytes -= old.nbytes
        return made


CACHE = ByteCache(192 << 20)


def wavetable(spec: WavetableSpec) -> Wavetable:
    """Return a wavetable from the cache, or build it."""
    return CACHE.get(spec, lambda: build_wavetable(spec))
