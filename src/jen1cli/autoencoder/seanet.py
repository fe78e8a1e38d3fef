"""SEANet, the paper's autoencoder (section IV-A), in the sizes of EnCodec 48 kHz.

    encoder   conv ─ [ residual… ─ ELU ─ down ] × stages ─ LSTM ─ ELU ─ conv      hop 2·4·5·8 = 320
    decoder   conv ─ LSTM ─ [ ELU ─ up ─ residual… ] × stages ─ ELU ─ conv

Differences from EnCodec, as in the paper: weight normalisation instead of a norm over time, no
chunks, no loudness normalisation, no quantiser. So there is one uniform grid of 150 frames per
second, and the latent encodes the level. With `norm="time_group_norm"` it accepts EnCodec's weights
(see `encodec`).
"""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.autoencoder.layers import (
    PaddedConv1d,
    Recurrent,
    Residual,
    State,
    TrimmedConvTranspose1d,
)
from jen1cli.autoencoder.streaming import apply_overlapped
from jen1cli.config import SeanetConfig
from jen1cli.shapes import Latent, Waveform

WARM_UP_SECONDS = 1.0
"""Length of EnCodec's training crops, and so an upper bound of what its LSTM has learned to use."""


class EncoderStage(nn.Module):
    """Residual layers, then downsampling by the ratio with twice the channels."""

    def __init__(self, config: SeanetConfig, channels: int, ratio: int) -> None:
        super().__init__()
        self.residuals = _residuals(config, channels)
        self.down = PaddedConv1d(channels, 2 * channels, 2 * ratio, stride=ratio, norm=config.norm)
        self.reach = _total_reach(self.residuals) + self.down.reach

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, L] → [B, 2 · channels, L / ratio]."""
        return self.down(functional.elu(self.residuals(x)))


class DecoderStage(nn.Module):
    """Upsampling by the ratio with half the channels, then residual layers."""

    def __init__(self, config: SeanetConfig, channels: int, ratio: int) -> None:
        super().__init__()
        self.up = TrimmedConvTranspose1d(
            channels, channels // 2, 2 * ratio, stride=ratio, norm=config.norm
        )
        self.residuals = _residuals(config, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, L] → [B, channels / 2, L · ratio]."""
        return self.residuals(self.up(functional.elu(x)))


class Encoder(nn.Module):
    """Waveform → latent, on whole frames."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__()
        width = config.num_filters
        self.first = PaddedConv1d(
            config.audio_channels, width, config.kernel_size, norm=config.norm
        )
        self.stages = nn.Sequential()
        reach, hop = self.first.reach, 1  # samples
        for ratio in reversed(config.ratios):
            stage = EncoderStage(config, width, ratio)
            self.stages.append(stage)
            reach += stage.reach * hop
            width, hop = 2 * width, hop * ratio
        self.recurrent = (
            Recurrent(width, config.num_lstm_layers) if config.num_lstm_layers else None
        )
        self.last = PaddedConv1d(
            width, config.latent_channels, config.kernel_size, norm=config.norm
        )
        self.head_reach = -(-reach // hop)  # latent frames, up to the LSTM
        self.tail_reach = self.last.reach  # latent frames, after the LSTM

    def forward(self, waveform: Tensor) -> Tensor:
        """[B, audio_channels, frames · hop] → [B, latent_channels, frames]."""
        return self.tail(self.recur(self.head(waveform))[0])

    def head(self, waveform: Tensor) -> Tensor:
        """Apply the layers before the LSTM."""
        return self.stages(self.first(waveform))

    def recur(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Apply the LSTM, if there is one; return its output and its state."""
        return (x, None) if self.recurrent is None else self.recurrent(x, state)

    def tail(self, x: Tensor) -> Tensor:
        """Apply the layers after the LSTM."""
        return self.last(functional.elu(x))


class Decoder(nn.Module):
    """Latent → waveform, on whole frames."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__()
        width = config.num_filters * 2 ** len(config.ratios)
        self.first = PaddedConv1d(
            config.latent_channels, width, config.kernel_size, norm=config.norm
        )
        self.recurrent = (
            Recurrent(width, config.num_lstm_layers) if config.num_lstm_layers else None
        )
        self.stages = nn.Sequential()
        reach, hop = 0.0, 1  # reach in latent frames; hop is samples per frame at this depth
        for ratio in config.ratios:
            stage = DecoderStage(config, width, ratio)
            self.stages.append(stage)
            reach += stage.up.reach / hop
            width, hop = width // 2, hop * ratio
            reach += _total_reach(stage.residuals) / hop
        self.last = PaddedConv1d(width, config.audio_channels, config.kernel_size, norm=config.norm)
        self.head_reach = self.first.reach  # latent frames, up to the LSTM
        self.tail_reach = math.ceil(reach + self.last.reach / hop)  # latent frames, after the LSTM

    def forward(self, latent: Tensor) -> Tensor:
        """[B, latent_channels, frames] → [B, audio_channels, frames · hop]."""
        return self.tail(self.recur(self.head(latent))[0])

    def head(self, latent: Tensor) -> Tensor:
        """Apply the layers before the LSTM."""
        return self.first(latent)

    def recur(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Apply the LSTM, if there is one; return its output and its state."""
        return (x, None) if self.recurrent is None else self.recurrent(x, state)

    def tail(self, x: Tensor) -> Tensor:
        """Apply the layers after the LSTM."""
        return self.last(functional.elu(self.stages(x)))


class SeanetAutoencoder(Autoencoder):
    """Autoencoder on the waveform by SEANet.

    Streaming is exact with `weight_norm`: convolutions run on overlapping pieces, and the LSTM
    state is passed from piece to piece, so no warm-up is needed. With `time_group_norm` every
    output depends on the whole signal; streaming then normalises each piece of `stream_frames` by
    itself, as EnCodec normalises its chunks, and differs from `encode` and `decode`.

    `reach_frames` is for callers that encode or decode a part alone: the receptive field of the
    convolutions plus `WARM_UP_SECONDS`, in which the LSTM loses the effect of its zero state.
    """

    # Measured on one core: longer pieces are not faster and need more memory.
    stream_seconds = 1.0

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.reach_frames = max(
            part.head_reach + part.tail_reach for part in (self.encoder, self.decoder)
        )
        if config.num_lstm_layers:
            self.reach_frames += round(WARM_UP_SECONDS * self.frame_rate)

    def encode_frames(self, waveform: Waveform) -> Latent:
        """Encode a whole number of frames."""
        return self.encoder(waveform)

    def decode_frames(self, latent: Latent) -> Waveform:
        """Decode all frames."""
        return self.decoder(latent)

    def _encode_blocks(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        return self._stream(self.encoder, blocks, in_hop=self.hop_length, out_hop=1)

    def _decode_blocks(self, blocks: Iterable[Tensor], *, soon: bool = False) -> Iterator[Tensor]:
        return self._stream(self.decoder, blocks, in_hop=1, out_hop=self.hop_length)

    def _stream(
        self, part: Encoder | Decoder, blocks: Iterable[Tensor], *, in_hop: int, out_hop: int
    ) -> Iterator[Tensor]:
        chunk = self.stream_frames
        blocks = apply_overlapped(
            blocks,
            part.head,
            reach_frames=part.head_reach,
            chunk_frames=chunk,
            in_hop=in_hop,
        )
        return apply_overlapped(
            _recur_blocks(part, blocks),
            part.tail,
            reach_frames=part.tail_reach,
            chunk_frames=chunk,
            out_hop=out_hop,
        )


def _recur_blocks(part: Encoder | Decoder, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
    state = None
    for block in blocks:
        with torch.no_grad():
            output, state = part.recur(block, state)
        yield output


def _residuals(config: SeanetConfig, channels: int) -> nn.Sequential:
    return nn.Sequential(
        *(
            Residual(
                channels,
                kernel_size=config.residual_kernel_size,
                dilation=config.dilation_growth**index,
                compress=config.compress,
                conv_shortcut=config.conv_shortcut,
                norm=config.norm,
            )
            for index in range(config.num_residual_layers)
        )
    )


def _total_reach(residuals: nn.Sequential) -> int:
    return sum(layer.reach for layer in residuals if isinstance(layer, Residual))
