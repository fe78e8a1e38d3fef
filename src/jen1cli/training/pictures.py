"""Pictures of spectrograms; the one file that knows matplotlib."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from jen1cli.files import writing
from jen1cli.training.spectra import magnitudes, mel

WINDOW = 2048
MELS = 128


def log_mel(
    waveform: Float[Tensor, "audio_channels samples"], sample_rate: int
) -> Float[Tensor, "mels columns"]:
    """Return the mel spectrogram of the channels' mean in decibels, from -80 on."""
    magnitude = magnitudes(waveform.mean(0)[None, None], WINDOW)
    return 20.0 * torch.log10(mel(magnitude, sample_rate, MELS)[0].clamp(min=1e-4))


def draw_spectrograms(path: Path, waveforms: Mapping[str, Tensor], sample_rate: int) -> None:
    """Draw the log-mel spectrograms of named waveforms below each other."""
    figure = Figure(figsize=(8, 1.8 * len(waveforms) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(len(waveforms), 1, sharex=True))
    for axis, (name, waveform) in zip(axes, waveforms.items(), strict=True):
        seconds = waveform.shape[-1] / sample_rate
        axis.imshow(
            log_mel(waveform, sample_rate).cpu().numpy(),
            origin="lower", aspect="auto", vmin=-80, vmax=-20,
            extent=(0.0, seconds, 0, MELS), interpolation="nearest",
        )  # fmt: skip
        axis.set_ylabel(name, fontsize=7)
        axis.set_yticks([])
    axes[-1].set_xlabel("seconds")
    with writing(path) as temporary:
        figure.savefig(temporary, dpi=90)
