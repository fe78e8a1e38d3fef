"""Least-squares fit of the map from latents to semitones for `conditioning.controls.pitch_head`."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from jen1cli.conditioning.controls.pitch_head import LOWEST_PITCH, NUM_PITCHES, TAPS
from jen1cli.shapes import Latent, Waveform

WINDOW_SECONDS = 0.17
"""Window of the spectra, which resolves semitones above 200 Hz."""
WIDTH = 0.5
"""Standard deviation of a pitch filter, in semitones."""
FLOOR = 1e-4
"""Floor of magnitudes, relative to a full-scale sine."""
RIDGE = 1e-3
"""Ridge penalty of the least squares, relative to the mean variance of the latents."""


def semitone_spectrum(
    waveform: Waveform, sample_rate: int, hop: int
) -> Float[Tensor, "batch pitches frames"]:
    """Return log-magnitudes in nepers; one frame per `hop` samples, centred in them.

    Args:
        waveform: [batch, channels, frames · hop].
        sample_rate: the waveform's sample rate.
        hop: samples of a frame.
    """
    length = 1 << round(WINDOW_SECONDS * sample_rate).bit_length()
    window = torch.hann_window(length, device=waveform.device)
    mono = waveform.mean(1)
    padded = functional.pad(mono, (length // 2 - hop // 2, length // 2))
    spectrum = torch.stft(
        padded, length, hop, window=window, center=False, return_complex=True
    )[..., : waveform.shape[-1] // hop]  # fmt: skip
    power = (spectrum.abs() * (2.0 / window.sum())).square()
    filters = _filters(length, sample_rate).to(waveform.device)
    return 0.5 * (filters @ power + FLOOR**2).log()


def _filters(length: int, sample_rate: int) -> Float[Tensor, "pitches bins"]:
    """Return Gaussian filters on a semitone scale, at least as wide as the window's resolution."""
    hertz = torch.arange(length // 2 + 1) * sample_rate / length
    pitches = torch.arange(LOWEST_PITCH, LOWEST_PITCH + NUM_PITCHES)
    centres = 440.0 * 2.0 ** ((pitches - 69) / 12)
    widths = (centres * (2.0 ** (WIDTH / 12) - 1.0)).clamp(min=0.7 * sample_rate / length)
    return torch.exp(-0.5 * ((hertz - centres[:, None]) / widths[:, None]).square())


@torch.no_grad()
def fit_pitch_map(
    windows: Iterable[Latent], decode: Callable[[Latent], Waveform], sample_rate: int, hop: int
) -> tuple[Float[Tensor, "pitches components taps"], Float[Tensor, " pitches"]]:
    """Fit a linear map from `TAPS` latent frames to the spectra of the decoded windows.

    Args:
        windows: whitened latents [batch, components, frames], some minutes in all.
        decode: decoder of whitened latents to waveforms.
        sample_rate: sample rate of the waveforms.
        hop: samples of a frame.

    Returns:
        weight and bias, for spectra of mean 0 and deviation 1 over all rows together.
    """
    inputs, targets = [], []
    for window in windows:
        spectrum = semitone_spectrum(decode(window), sample_rate, hop)
        margin = TAPS // 2
        inputs.append(window.unfold(2, TAPS, 1).permute(0, 2, 1, 3).flatten(2).flatten(0, 1))
        targets.append(spectrum[..., margin : window.shape[2] - margin].mT.flatten(0, 1))
    x, y = torch.cat(inputs).double(), torch.cat(targets).double()
    y = (y - y.mean()) / y.std().clamp(min=1e-6)
    centre, level = x.mean(0), y.mean(0)
    x, y = x - centre, y - level
    square = x.mT @ x / len(x)
    square += RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
    solved = torch.linalg.solve(square, x.mT @ y / len(x)).mT  # [pitches, components · taps]
    bias = level - solved @ centre
    return solved.unflatten(1, (-1, TAPS)).float(), bias.float()
