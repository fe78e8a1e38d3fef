"""Validation metrics of stage 1: `jen1cli.metrics` averaged over a batch."""

import numpy as np

from jen1cli.metrics.signals import log_spectral_distance, mel_distance, si_sdr, width
from jen1cli.shapes import Waveform


def reconstruction_metrics(
    reconstruction: Waveform, waveform: Waveform, sample_rate: int
) -> dict[str, float]:
    """Return the mean of every metric over the items of a batch.

    Args:
        reconstruction: decoded crops.
        waveform: the same crops before encoding.
        sample_rate: sample rate of both, in Hz.

    Returns:
        SI-SDR and log-spectral distance in dB, mel distance, and for stereo `width_error`: level of
        side relative to mid in the reconstruction, minus that of the original, in dB.
    """
    pairs = [
        (original.float().cpu().numpy(), back.float().cpu().numpy())
        for original, back in zip(waveform, reconstruction, strict=True)
    ]
    found = {
        "si_sdr": [si_sdr(*pair) for pair in pairs],
        "log_spectral_distance": [log_spectral_distance(*pair) for pair in pairs],
        "mel_distance": [mel_distance(*pair, sample_rate) for pair in pairs],
    }
    if waveform.shape[1] == 2:
        found["width_error"] = [width(back) - width(original) for original, back in pairs]
    return {name: float(np.mean(values)) for name, values in found.items()}
