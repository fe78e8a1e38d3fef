"""Short-time spectra of the training losses: magnitudes, mel bands, left/right/mid/side."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.shapes import Waveform

Magnitude = Float[Tensor, "signals bins columns"]


def four_signals(waveform: Waveform) -> Float[Tensor, "batch signals samples"]:
    """Return left, right, mid and side of stereo; mono as it is.

    Mid and side are scaled by 1/√2, which gives all four similar energies. Without them the side
    signal of a codec is about 12 dB too low (SAGE, arXiv 2609.32755).
    """
    if waveform.shape[1] != 2:
        return waveform
    left, right = waveform.unbind(1)
    scale = math.sqrt(0.5)
    return torch.stack([left, right, scale * (left + right), scale * (left - right)], dim=1)


def magnitudes(signals: Tensor, window_length: int) -> Magnitude:
    """Return the magnitude of the short-time Fourier transform, hop a quarter of the window.

    Args:
        signals: [batch, channels, samples], at least half a window long.
        window_length: samples; also the Fourier length. A unit sine has magnitude about 0.5.
    """
    window = torch.hann_window(window_length, device=signals.device)
    spectrum = torch.stft(
        signals.float().flatten(0, 1),
        window_length,
        window_length // 4,
        window=window / window.sum(),
        return_complex=True,
    )
    # sqrt has no finite gradient at 0; the floor avoids that.
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=1e-14).sqrt()


@lru_cache(maxsize=64)
def mel_bands(window_length: int, sample_rate: int, bands: int) -> Float[np.ndarray, "bands bins"]:
    """Return triangular bands on HTK's mel scale, each with sum one; empty ones are left out.

    Metrics have `jen1cli.metrics.mel`, whose triangles have peak one or equal area.
    """
    bins = np.linspace(0.0, sample_rate / 2, window_length // 2 + 1)
    top = 2595.0 * math.log10(1.0 + sample_rate / 2 / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(0.0, top, bands + 2) / 2595.0) - 1.0)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights = weights[weights.sum(1) > 0]
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def mel(
    magnitude: Magnitude, sample_rate: int, bands: int
) -> Float[Tensor, "signals mel_bands columns"]:
    """Return mean magnitudes in mel bands."""
    window_length = 2 * (magnitude.shape[1] - 1)
    weights = _mel_bands(window_length, sample_rate, bands, magnitude.device, magnitude.dtype)
    return weights @ magnitude


@lru_cache(maxsize=64)
def _mel_bands(
    window_length: int, sample_rate: int, bands: int, device: torch.device, dtype: torch.dtype
) -> Float[Tensor, "bands bins"]:
    with torch.inference_mode(False):  # for training as well
        return torch.from_numpy(mel_bands(window_length, sample_rate, bands)).to(device, dtype)
