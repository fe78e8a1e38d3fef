"""How well in tune a version of a sound is: the partials of the original, found again.

A spectrum of a third of a second separates the notes of a bass line and tells a partial's frequency
to a cent or two. Whether a codec or a model keeps pitches cannot be heard from distances between
shorter spectra, whose bins are wider than a semitone below 200 Hz.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from jen1cli.metrics.envelopes import Mono

WINDOW_SECONDS = 0.34
IN_TUNE_CENTS = 15.0
"""A partial as near as that is in tune: a seventh of a semitone, our choice."""
LOUD_DB = 22.0
"""Partials that much below the loudest one of the spectrum are not asked for."""
FEWEST = 20
"""Partials that a figure needs."""
_NEIGHBOURS = 8  # bins on each side than which a partial is louder
_FLOOR = 1e-7

Peaks = Float[np.ndarray, " peaks"]


def partials_in_tune(
    reference: Mono, estimate: Mono, sample_rate: int, band: tuple[float, float]
) -> float:
    """Return the share of the reference's partials that the estimate has in tune, in percent.

    A partial is a local peak of the spectrum in the band, within 22 dB of the loudest there. It is
    in tune if the estimate has a peak within 15 cents, at most 22 dB softer.

    Args:
        reference: sound, [samples].
        estimate: what became of it, in time with it.
        sample_rate: Hz.
        band: lowest and highest frequency in Hz.

    Returns:
        NaN for fewer than 20 partials, and where the sample rate does not hold the band.
    """
    if sample_rate < 2 * band[1]:
        return float("nan")
    found = total = 0
    spectra = (_spectra(one, sample_rate) for one in (reference, estimate))
    low, high = band
    for wanted, other in zip(*spectra, strict=False):
        hertz, level = _peaks(wanted, sample_rate, low, high)
        if not len(hertz):
            continue
        loud = level > level.max() - LOUD_DB
        heard, heard_level = _peaks(other, sample_rate, low / 1.1, high * 1.1)
        cents = np.abs(1200 * np.log2(heard[:, None] / hertz[loud]))
        near = (cents < IN_TUNE_CENTS) & (heard_level[:, None] > level[loud] - LOUD_DB)
        found += int(near.any(0).sum())
        total += int(loud.sum())
    return 100 * found / total if total >= FEWEST else float("nan")


def _spectra(mono: Mono, sample_rate: int) -> Iterator[Float[np.ndarray, " bins"]]:
    """Yield the levels in dB of spectra a quarter of a window apart."""
    length = 2 * round(WINDOW_SECONDS * sample_rate / 2)
    window = np.hanning(length)
    for start in range(0, len(mono) - length + 1, length // 4):
        magnitude = np.abs(np.fft.rfft(mono[start : start + length] * window)) / length
        yield 20 * np.log10(magnitude + _FLOOR)


def _peaks(
    level: Float[np.ndarray, " bins"], sample_rate: int, low: float, high: float
) -> tuple[Peaks, Peaks]:
    """Return frequencies in Hz and levels in dB of the peaks in a band."""
    step = sample_rate / (2 * (len(level) - 1))
    first, last = max(_NEIGHBOURS, int(low / step)), min(len(level) - _NEIGHBOURS, int(high / step))
    if last <= first:
        return np.empty(0), np.empty(0)
    around = np.lib.stride_tricks.sliding_window_view(level, 2 * _NEIGHBOURS + 1)
    inner = np.arange(first, last)
    bins = inner[
        (level[inner] >= around[inner - _NEIGHBOURS].max(1))
        & (level[inner] > 20 * np.log10(_FLOOR) + 20)
    ]
    below, centre, above = level[bins - 1], level[bins], level[bins + 1]
    shift = 0.5 * (below - above) / np.minimum(below - 2 * centre + above, -1e-9)
    return (bins + shift.clip(-0.5, 0.5)) * step, centre
