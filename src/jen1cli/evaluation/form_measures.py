"""Whether a long piece has a form: how much its colour and its level change, and how it begins.

Measured between blocks of two seconds, about a bar, so that single notes hardly matter. Each figure
means something only beside that of real music of the same length.
"""

import numpy as np
import torch
from jaxtyping import Float

from jen1cli.audio import Signal
from jen1cli.metrics.mel import mel_filters
from jen1cli.metrics.signals import SILENCE_DB, level

BLOCK_SECONDS = 2.0
FEWEST_BLOCKS = 10
SHORTEST_FORM = FEWEST_BLOCKS * BLOCK_SECONDS
"""Seconds from which on form is measured."""

_WINDOW = 2048
_BANDS = 40
_FLOOR_DB = -60.0  # of a block's loudest band: what is quieter counts as equal

_NAMES = (
    "likeness of colour",
    "likeness of colour of halves",
    "range of levels of 2 s, dB",
    "beginning, dB",
    "end, dB",
)

NOTE = (
    "Between blocks of 2 s. Likeness of colour: mean correlation of the mel spectra in dB of all"
    " pairs of blocks; of halves: of the means of the first and the second half. Range of levels:"
    " from the 10th to the 95th percentile. Beginning and end: level of first and last block"
    " against the median."
)


def measure_form(signal: Signal, sample_rate: int) -> dict[str, float]:
    """Return the measures by name; NaN where fewer than `FEWEST_BLOCKS` blocks sound.

    Args:
        signal: [channels, samples].
        sample_rate: Hz.
    """
    size = round(BLOCK_SECONDS * sample_rate)
    count = signal.shape[1] // size
    blocks = [signal[:, i * size : (i + 1) * size] for i in range(count)]
    levels = [level(block) for block in blocks]
    sounding = [i for i in range(count) if levels[i] > SILENCE_DB]
    if len(sounding) < FEWEST_BLOCKS:
        return dict.fromkeys(_NAMES, float("nan"))
    colours = np.stack([_colour(blocks[i], sample_rate) for i in sounding])
    pairs = np.corrcoef(colours)[np.triu_indices(len(colours), 1)]
    half = len(colours) // 2
    halves = np.corrcoef(colours[:half].mean(0), colours[half:].mean(0))[0, 1]
    low, middle, high = np.percentile(levels, [10, 50, 95])
    found = (pairs.mean(), halves, high - low, levels[0] - middle, levels[-1] - middle)
    return {name: float(value) for name, value in zip(_NAMES, found, strict=True)}


def _colour(block: Signal, sample_rate: int) -> Float[np.ndarray, " bands"]:
    """Return the mean power of a block's mel bands in dB."""
    mono = torch.from_numpy(np.ascontiguousarray(block.mean(0), np.float32))
    shape = torch.hann_window(_WINDOW)
    power = torch.stft(mono, _WINDOW, window=shape, return_complex=True).abs().square().mean(-1)
    filters = mel_filters(_WINDOW // 2 + 1, 40.0, sample_rate / 2, _BANDS, sample_rate)
    bands = (10 * (power @ filters).clamp(min=1e-20).log10()).numpy()
    return np.maximum(bands, bands.max() + _FLOOR_DB)
