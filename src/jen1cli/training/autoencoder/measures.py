"""How good a reconstruction is: SI-SDR, mel and log-spectral distance, stereo width."""

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.metrics.spectra import magnitudes, mel
from jen1cli.shapes import Waveform

LSD_WINDOW = 2048
SILENCE = 1e-5


def si_sdr(reconstruction: Waveform, waveform: Waveform) -> Float[Tensor, " batch"]:
    """Return the scale-invariant signal-to-distortion ratio in dB over all channels."""
    found, wanted = reconstruction.double().flatten(1), waveform.double().flatten(1)
    scale = (found * wanted).sum(1) / wanted.square().sum(1).clamp(min=1e-12)
    target = scale[:, None] * wanted
    noise = (found - target).square().sum(1).clamp(min=1e-12)
    return (10.0 * torch.log10(target.square().sum(1).clamp(min=1e-12) / noise)).float()


def log_spectral_distance(reconstruction: Waveform, waveform: Waveform) -> Float[Tensor, ""]:
    """Return the root mean square difference of 2048-point log spectra in dB."""
    a, b = magnitudes(reconstruction, LSD_WINDOW), magnitudes(waveform, LSD_WINDOW)
    difference = 20.0 * (torch.log10(a + SILENCE) - torch.log10(b + SILENCE))
    return difference.square().mean(1).sqrt().mean()


def mel_distance(
    reconstruction: Waveform, waveform: Waveform, sample_rate: int
) -> Float[Tensor, ""]:
    """Return the mean absolute difference of 80-band log-mel spectra, natural logarithm."""
    a, b = (
        torch.log(mel(magnitudes(x, LSD_WINDOW), sample_rate, 80) + SILENCE)
        for x in (reconstruction, waveform)
    )
    return (a - b).abs().mean()


def side_level(waveform: Waveform) -> Float[Tensor, " batch"]:
    """Return the level of the side signal relative to mid, in dB: the stereo width."""
    left, right = waveform.float().unbind(1)
    mid, side = (left + right).square().mean(1), (left - right).square().mean(1)
    return 10.0 * torch.log10((side + 1e-10) / (mid + 1e-10))


def reconstruction_report(
    reconstruction: Waveform, waveform: Waveform, sample_rate: int
) -> dict[str, float]:
    """Return all measures of one batch."""
    report = {
        "si_sdr": float(si_sdr(reconstruction, waveform).mean()),
        "log_spectral_distance": float(log_spectral_distance(reconstruction, waveform)),
        "mel_distance": float(mel_distance(reconstruction, waveform, sample_rate)),
    }
    if waveform.shape[1] == 2:
        width = side_level(reconstruction) - side_level(waveform)
        report["width_error"] = float(width.mean())
    return report
