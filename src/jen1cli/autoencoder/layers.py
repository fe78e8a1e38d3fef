"""Layers of SEANet as in EnCodec 48 kHz (arXiv 2210.13438, section 3.1).

All are non-causal and padded: `PaddedConv1d` divides the length exactly by its stride,
`TrimmedConvTranspose1d` multiplies it. `encodec` maps EnCodec's parameter names to these.
"""

from typing import Literal

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

Norm = Literal["weight_norm", "time_group_norm"]
State = tuple[Tensor, Tensor]


class PaddedConv1d(nn.Module):
    """Convolution with reflection padding, then the norm; length → length / stride.

    `time_group_norm` normalises over channels and time together, so each output depends on the
    whole signal; with `weight_norm` the receptive field is finite.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        norm: Norm,
        stride: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride, dilation=dilation)
        _initialize(conv, taps=in_channels * kernel_size)
        self.conv = weight_norm(conv) if norm == "weight_norm" else conv
        self.norm = _after(norm, out_channels)
        padding = (kernel_size - 1) * dilation + 1 - stride
        self.padding = (padding - padding // 2, padding // 2)
        self.reach = max(self.padding[0], padding // 2 + stride - 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in_channels, L] → [B, out_channels, L / stride]; L is a multiple of the stride."""
        return self.norm(self.conv(reflect(x, self.padding)))


class TrimmedConvTranspose1d(nn.Module):
    """Transposed convolution, norm, then trimming of the ends; length → length · stride."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, norm: Norm, stride: int
    ) -> None:
        super().__init__()
        conv = nn.ConvTranspose1d(in_channels, out_channels, kernel_size, stride)
        _initialize(conv, taps=in_channels * kernel_size // stride)
        self.conv = weight_norm(conv) if norm == "weight_norm" else conv
        self.norm = _after(norm, out_channels)
        padding = kernel_size - stride
        self.trim = (padding - padding // 2, padding // 2)
        self.reach = -(-kernel_size // stride)  # receptive field on each side, in input samples

    def forward(self, x: Tensor) -> Tensor:
        """[B, in_channels, L] → [B, out_channels, L · stride]."""
        y = self.norm(self.conv(x))  # norm before trimming, as in EnCodec
        return y[..., self.trim[0] : y.shape[-1] - self.trim[1]]


class Residual(nn.Module):
    """Residual block: shortcut(x) + conv₁(ELU(conv_k(ELU(x)))), with fewer channels in between."""

    def __init__(
        self,
        channels: int,
        *,
        kernel_size: int,
        dilation: int,
        compress: int,
        conv_shortcut: bool,
        norm: Norm,
    ) -> None:
        super().__init__()
        hidden = channels // compress
        self.wide = PaddedConv1d(channels, hidden, kernel_size, norm=norm, dilation=dilation)
        self.narrow = PaddedConv1d(hidden, channels, 1, norm=norm)
        self.shortcut = (
            PaddedConv1d(channels, channels, 1, norm=norm) if conv_shortcut else nn.Identity()
        )
        self.reach = self.wide.reach

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, L] → [B, channels, L]."""
        return self.shortcut(x) + self.narrow(functional.elu(self.wide(functional.elu(x))))


class Recurrent(nn.Module):
    """Unidirectional LSTM over frames with a skip connection; returns its state for streaming."""

    def __init__(self, channels: int, num_layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, num_layers)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """[B, channels, L] → [B, channels, L], and the LSTM state after the last frame."""
        y, last = self.lstm(rearrange(x, "b c l -> l b c"), state)
        return x + rearrange(y, "l b c -> b c l"), last


def reflect(x: Tensor, padding: tuple[int, int]) -> Tensor:
    """Pad by reflection, even if the signal is shorter than the padding.

    Reflection needs more samples than it pads; a shorter signal is lengthened by zeros first and
    the zeros are cut off again after the reflected end, as in EnCodec:

        a b   →  a b 0 0   →  0 0 b [a b 0 0] 0 b a   →  0 0 b [a b 0 0] 0     (padding 3, 3)
    """
    lacking = max(0, max(padding) - x.shape[-1] + 1)
    if lacking:
        x = functional.pad(x, (0, lacking))
    padded = functional.pad(x, padding, mode="reflect")
    return padded[..., : padded.shape[-1] - lacking]


def _initialize(conv: nn.Conv1d | nn.ConvTranspose1d, taps: int) -> None:
    """Initialise for constant variance and zero bias, so that silence and levels pass through.

    With torch's default the level falls by √3 per layer and the biases exceed a quiet input.
    """
    nn.init.normal_(conv.weight, std=taps**-0.5)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def _after(norm: Norm, channels: int) -> nn.Module:
    return nn.GroupNorm(1, channels) if norm == "time_group_norm" else nn.Identity()
