"""Embedding without training: statistics of mel bands, chroma, onsets and tempogram.

The features are interpretable and unbiased towards any model's music, but they miss many properties
of music. Distances in them are only relative scores.
"""

import itertools

import torch

from jen1cli.audio import Signal
from jen1cli.evaluation.embeddings.embedding import Embedding, Rows, mono_windows
from jen1cli.evaluation.tagger.features import OCTAVES, SAMPLE_RATE, describe, tempogram

WINDOW_SECONDS, HOP_SECONDS = 5.0, 2.5
_BANDS = 16  # mel bands, pooled
_MODULATIONS = 6  # ranges of the modulation spectrum, 0.5 to 32 Hz
_FRAME_RATE = 100.0


class Handcrafted(Embedding):
    """99 features for every five seconds.

    16 mel bands (mean, standard deviation, change), modulation of four bands, 12 pitch classes
    relative to the strongest, strength and density of the onsets, and a folded tempogram.
    """

    name = "handcrafted"
    version = "1"
    sample_rate = SAMPLE_RATE
    note = "handcrafted statistics: a relative score"

    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound; return one row per five seconds."""
        windows = mono_windows(signal, sample_rate, SAMPLE_RATE, WINDOW_SECONDS, HOP_SECONDS)
        features = describe(torch.from_numpy(windows))
        mel = features.mel.unflatten(1, (_BANDS, -1)).mean(2)
        parts = [
            mel.mean(-1),
            mel.std(-1),
            mel.diff(dim=-1).abs().mean(-1) * 2,
            _modulation(features.mel),
            _chroma(features.pitch),
            _onsets(features.mel),
            tempogram(features.mel).unflatten(1, (8, -1)).mean(1).unflatten(-1, (2, -1)).amax(-1)
            .flatten(1) * 4,
        ]  # fmt: skip
        return torch.cat(parts, dim=1).numpy()


def _modulation(mel: torch.Tensor) -> torch.Tensor:
    """Return the log-power of level modulation, by rate in octaves from 0.5 Hz, in four bands."""
    bands = mel.unflatten(1, (4, -1)).mean(2)
    bands = (bands - bands.mean(-1, keepdim=True)) * torch.hann_window(bands.shape[-1])
    power = torch.fft.rfft(bands).abs().square() / bands.shape[-1]
    hertz = torch.fft.rfftfreq(bands.shape[-1], 1 / _FRAME_RATE)
    edges = 0.5 * 2.0 ** torch.arange(_MODULATIONS + 1)
    rows = [
        power[..., (hertz >= low) & (hertz < high)].mean(-1)
        for low, high in itertools.pairwise(edges)
    ]
    return (torch.stack(rows, -1) + 1e-4).log().flatten(1) * 0.5


def _chroma(pitch: torch.Tensor) -> torch.Tensor:
    """Return the mean strength of the pitch classes, rotated so that the strongest is first."""
    folded = pitch.exp().sqrt().unflatten(1, (OCTAVES, 12)).sum(1)
    folded = folded / folded.sum(1, keepdim=True).clamp(min=1e-9)
    mean = folded.mean(-1)
    order = (mean.argmax(1)[:, None] + torch.arange(12)) % 12
    return mean.gather(1, order) * 10


def _onsets(mel: torch.Tensor) -> torch.Tensor:
    """Return mean, standard deviation and peaks per second of the spectral flux."""
    rise = mel.diff(dim=-1).clamp(min=0).mean(1)
    peaks = (rise[:, 1:-1] > rise[:, :-2]) & (rise[:, 1:-1] >= rise[:, 2:])
    peaks &= rise[:, 1:-1] > rise.mean(1, keepdim=True) + rise.std(1, keepdim=True)
    density = peaks.sum(1) / (rise.shape[1] / _FRAME_RATE)
    return torch.stack((rise.mean(1) * 10, rise.std(1) * 10, density / 4), 1)
