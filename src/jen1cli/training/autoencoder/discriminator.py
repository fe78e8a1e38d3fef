"""Multi-scale complex STFT discriminator (EnCodec, arXiv 2210.13438, section 3.4).

The input of each scale is one short-time Fourier transform, with real and imaginary part as two
channels of an image; left and right are separate signals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from jen1cli.shapes import Waveform

LEAK = 0.2
KERNEL = (3, 9)  # columns (time), bins
DILATIONS = (1, 2, 4)  # in time

Scalar = Float[Tensor, ""]


@dataclass(frozen=True)
class Judgement:
    """Output of one scale."""

    scores: Float[Tensor, "signals 1 columns bins"]
    features: list[Tensor]  # after each inner layer


class ScaleDiscriminator(nn.Module):
    """Discriminator of one scale."""

    def __init__(self, window_length: int, channels: int) -> None:
        super().__init__()
        self.window_length = window_length
        window = torch.hann_window(window_length)
        self.window = nn.Buffer(window / window.square().sum().sqrt(), persistent=False)
        layers = [_convolution(2, channels, KERNEL)]
        layers += [
            _convolution(channels, channels, KERNEL, stride=(1, 2), dilation=(dilation, 1))
            for dilation in DILATIONS
        ]
        layers.append(_convolution(channels, channels, (3, 3)))
        self.layers = nn.ModuleList(layers)
        self.last = _convolution(channels, 1, (3, 3))

    def forward(self, waveform: Waveform) -> Judgement:
        """Apply to [batch, audio_channels, samples]; each channel is a separate signal."""
        with torch.autocast(waveform.device.type, enabled=False):
            spectrum = torch.stft(
                rearrange(waveform.float(), "b c s -> (b c) s"),
                self.window_length,
                self.window_length // 4,
                window=self.window,
                return_complex=True,
            )
            x = rearrange(torch.view_as_real(spectrum), "n bins columns p -> n p columns bins")
        features = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), LEAK)
            features.append(x)
        return Judgement(self.last(x), features)


class Discriminator(nn.Module):
    """Discriminators of all scales."""

    def __init__(self, window_lengths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(ScaleDiscriminator(w, channels) for w in window_lengths)

    def forward(self, waveform: Waveform) -> list[Judgement]:
        """Apply all scales to a waveform."""
        return [scale(waveform) for scale in self.scales]


def halves(judgements: Sequence[Judgement]) -> tuple[list[Judgement], list[Judgement]]:
    """Divide the output for a batch of real items, then reconstructions, into both halves."""
    real, made = [], []
    for judgement in judgements:
        count = len(judgement.scores) // 2
        real.append(Judgement(judgement.scores[:count], [f[:count] for f in judgement.features]))
        made.append(Judgement(judgement.scores[count:], [f[count:] for f in judgement.features]))
    return real, made


def discriminator_loss(real: Sequence[Judgement], made: Sequence[Judgement]) -> Scalar:
    """Hinge loss, mean over scales: E max(0, 1 - D(x)) + E max(0, 1 + D(x'))."""
    losses = [
        functional.relu(1.0 - a.scores.float()).mean()
        + functional.relu(1.0 + b.scores.float()).mean()
        for a, b in zip(real, made, strict=True)
    ]
    return torch.stack(losses).mean()


def adversarial_loss(made: Sequence[Judgement]) -> Scalar:
    """Generator's hinge loss, mean over scales: E max(0, 1 - D(x'))."""
    return torch.stack([functional.relu(1.0 - m.scores.float()).mean() for m in made]).mean()


def feature_loss(real: Sequence[Judgement], made: Sequence[Judgement]) -> Scalar:
    """Relative feature matching, mean over scales and layers: E|F(x) - F(x')| / E|F(x)|."""
    losses = [
        (_size(a.detach() - b) / _size(a.detach()).clamp(min=1e-6)).mean()
        for wanted, found in zip(real, made, strict=True)
        for a, b in zip(wanted.features, found.features, strict=True)
    ]
    return torch.stack(losses).mean()


def _size(feature: Tensor) -> Tensor:
    """Return the mean magnitude of each signal's feature."""
    return feature.float().abs().mean(dim=(1, 2, 3))


def _convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Module:
    padding = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel_size, strict=True))
    return weight_norm(
        nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, (padding[0], padding[1]), dilation
        )
    )
