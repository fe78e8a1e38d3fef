"""Reconstruction losses of stage 1: waveform and multi-resolution spectra on L, R, M, S."""

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.shapes import Waveform
from jen1cli.training.autoencoder.spectra import four_signals, magnitudes, mel

WINDOWS = (2048, 1024, 512, 256, 128)
"""EnCodec's mel losses use windows 2⁵ to 2¹¹; 64 bands do not fit the two shortest at 48 kHz."""
MEL_BANDS = 64
FLOOR = 1e-5
"""Floor of magnitudes in logarithms; a unit sine has 0.5."""
QUIET = 1.0
"""Floor of the norm in spectral convergence, which bounds the loss of silence."""

Scalar = Float[Tensor, ""]


def waveform_loss(reconstruction: Waveform, waveform: Waveform) -> Scalar:
    """Return the mean absolute error on left, right, mid and side."""
    return (four_signals(reconstruction) - four_signals(waveform)).abs().mean()


def spectral_loss(reconstruction: Waveform, waveform: Waveform, sample_rate: int) -> Scalar:
    """Return the mean over resolutions of mel and linear spectral errors on L, R, M, S.

    At each window: L1 of log-mel (EnCodec's), L1 of log-magnitude, and spectral convergence
    ‖S - S'‖ / ‖S‖, which weights loud parts most.
    """
    found, wanted = four_signals(reconstruction), four_signals(waveform)
    total = found.new_zeros((), dtype=torch.float32)
    windows = [length for length in WINDOWS if length <= 2 * wanted.shape[-1]]
    for length in windows:
        a, b = magnitudes(found, length), magnitudes(wanted, length)
        log_mel = _log(mel(a, sample_rate, MEL_BANDS)) - _log(mel(b, sample_rate, MEL_BANDS))
        total = total + log_mel.abs().mean() + (_log(a) - _log(b)).abs().mean()
        distance = (a - b).norm(dim=(1, 2)) / b.norm(dim=(1, 2)).clamp(min=QUIET)
        total = total + distance.mean()
    return total / len(windows)


def _log(magnitude: Tensor) -> Tensor:
    return torch.log(magnitude + FLOOR)
