"""The watermark of the spectral decoder: its noise phases, and how audio is searched for them.

The decoder gives bins without a clear partial the phases of a fixed random table
(`jen1cli.autoencoder.phase`). In the highest band nothing else decides the phase, so the table is
written all over the sound, at no cost. To find it, the phases of that band are measured again and
correlated with the table at every place of it and every delay.

For audio that was made without the table, each of the n observed bins adds the cosine of an angle
that is uniform and independent, whatever the music is: the table alone is random. The sum divided
by sqrt(n / 2) is thus a standard normal number, and the largest of the half million that one
search compares is about 5.

With a key the table is another one. The search needs the key, or another file of the same key,
whose phases are the table. See docs/trust.md.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy import fft
from numpy.typing import NDArray

from jen1cli.autoencoder.phase import NOISE_FRAMES, noise_phases
from jen1cli.autoencoder.spectrum import Band
from jen1cli.config import SpectralConfig
from jen1cli.errors import ConfigError

KEY_VARIABLE = "JEN1_WATERMARK_KEY"
LEAST_KEY = 16
"""Characters of a key; fewer could be found by trying."""
FOUND = 8.0
"""Strength from which a watermark counts as found; chance brings 5, and 6 in hours of music."""
SEGMENT_SECONDS = 5.0
"""Length of a search; less than the period of the table, so that each place comes once."""
PART_SECONDS = 1.0
"""Each segment is searched in such parts too: they say where the watermark is, and are found where
a clock that is off by some ten parts in a million has moved the phases of the whole."""
_DELAYS = 4  # positions in a hop at which spectra are taken; finer delays follow from the phases
_EDGE = 8  # bins left out on both sides, where the band below is mixed in
_QUIET = 1e-5  # bins below this share of a segment's largest magnitude are left out
_SILENT = 1e-7  # peak of silence

Signal = NDArray[np.float32]


@dataclass(frozen=True)
class Watermark:
    """What a search found in a part of the audio."""

    start: float  # seconds
    stop: float
    strength: float  # in standard deviations of chance


def environment_key() -> str:
    """Return the key that the environment sets; "": none.

    Raises:
        ConfigError: it is too short.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if key and len(key) < LEAST_KEY:
        raise ConfigError(
            f"{KEY_VARIABLE} has {len(key)} characters; a key needs {LEAST_KEY} or more, such as"
            " the output of: openssl rand -hex 16"
        )
    return key


def fingerprint(key: str) -> str:
    """Return eight hexadecimal digits that tell one key from others; "" for no key."""
    return hashlib.sha256(b"fingerprint:" + os.fsencode(key)).hexdigest()[:8] if key else ""


class WatermarkSearch:
    """Searches audio for the noise phases of a decoder's highest band.

    Args:
        config: configuration of the autoencoder.
        key: key of the table; "": the table of everybody.
    """

    def __init__(self, config: SpectralConfig, key: str = "") -> None:
        below, highest = config.bands[-2:]
        band = Band(
            highest, below.high_hz, config.num_stereo_groups, config.sample_rate, config.floor
        )
        self._band = band
        self.sample_rate = config.sample_rate
        self._window = np.hanning(band.length + 1)[:-1].astype(np.float32)
        table = np.exp(1j * noise_phases(band.bins, key)).astype(np.complex64)
        self._table = fft.fft(table, axis=1)

    def __call__(self, mono: Signal) -> float:
        """Return the strength of the watermark in a segment, in standard deviations of chance.

        Args:
            mono: samples at the search's sample rate, at most a period of the table.
        """
        peak = float(np.abs(mono).max(initial=0.0))
        if not _SILENT < peak < np.inf:
            return 0.0
        scaled = mono / np.float32(peak)  # no product of quiet samples is denormal
        step = self._band.hop // _DELAYS
        return max(self._strength(scaled[i * step :], step) for i in range(_DELAYS))

    def _strength(self, mono: Signal, step: int) -> float:
        band = self._band
        frames = len(mono) // band.hop
        if frames == 0:
            return 0.0
        phasors = self._phasors(mono[: frames * band.hop])
        count = np.count_nonzero(phasors)
        if count == 0:
            return 0.0
        padded = np.pad(phasors, ((0, 0), (0, NOISE_FRAMES - frames)))
        places = fft.ifft(np.conj(fft.fft(padded, axis=1)) * self._table, axis=1)
        # a delay turns the phases in proportion to frequency: a transform over the bins tries all
        delays = fft.fft(places, n=band.length, axis=0)
        near = np.concatenate((delays[: step // 2 + 1], delays[-step // 2 :]))
        return float(np.abs(near.real).max() * np.sqrt(2 / count))

    def _phasors(self, mono: Signal) -> NDArray[np.complex64]:
        """Return unit phasors [bins, frames]; 0 where there is too little sound."""
        band = self._band
        margin = (band.length - band.hop) // 2
        padded = np.pad(mono, (margin, margin))
        frames = np.lib.stride_tricks.sliding_window_view(padded, band.length)[:: band.hop]
        spectrum = fft.rfft(frames * self._window, axis=-1)
        spectrum = spectrum[:, band.first : band.first + band.bins].T
        magnitude = np.abs(spectrum)
        audible = magnitude > _QUIET * magnitude.max(initial=0.0)
        audible[:_EDGE] = audible[-_EDGE:] = False
        return np.where(audible, spectrum / np.where(audible, magnitude, 1), 0).astype(np.complex64)


def find_watermarks(blocks: Iterable[Signal], search: WatermarkSearch) -> list[Watermark]:
    """Search audio of any length, segment by segment.

    Args:
        blocks: consecutive mono blocks at the sample rate of the search.
        search: what to search for.

    Returns:
        a result for each part of `PART_SECONDS`. Where a segment is found and none of its parts,
        all of them count as found.
    """
    found: list[Watermark] = []
    size = round(PART_SECONDS * search.sample_rate)
    for segment in _segments(blocks, round(SEGMENT_SECONDS * search.sample_rate)):
        parts = [segment[at : at + size] for at in range(0, len(segment), size)]
        own = [search(part) for part in parts]
        whole = search(segment)
        for part, strength in zip(parts, own, strict=True):
            start = found[-1].stop if found else 0.0
            if strength >= FOUND or max(own) < FOUND:
                strength = max(strength, whole)
            found.append(Watermark(start, start + len(part) / search.sample_rate, strength))
    return found


def _segments(blocks: Iterable[Signal], size: int) -> Iterator[Signal]:
    """Cut blocks into segments of `size` samples; the last one may be shorter."""
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate((held, block))
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if len(held):
        yield held
