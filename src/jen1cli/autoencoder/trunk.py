"""Convolutional trunk at frame rate, of the spectral autoencoder."""

from torch import Tensor, nn
from torch.nn import functional


class TrunkBlock(nn.Module):
    """Residual block of two dense convolutions over frames; the identity at initialisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv_in = nn.Conv1d(channels, channels, 3, padding=1)
        self.conv_out = nn.Conv1d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, channels, frames] to the same shape."""
        normed = self.norm(x.transpose(1, 2)).transpose(1, 2)
        return x + self.conv_out(functional.silu(self.conv_in(normed)))


class Trunk(nn.Module):
    """Nonlinear correction to a linear projection; its output is zero at initialisation."""

    def __init__(self, in_channels: int, out_channels: int, channels: int, num_blocks: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(in_channels, channels, 1)
        self.blocks = nn.ModuleList(TrunkBlock(channels) for _ in range(num_blocks))
        self.leave = nn.Conv1d(channels, out_channels, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in_channels, frames] to [B, out_channels, frames]."""
        x = self.enter(x)
        for block in self.blocks:
            x = block(x)
        return self.leave(functional.silu(x))
