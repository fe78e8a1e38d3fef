"""Encoding of recordings and decoding of latents, of any length in bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import AudioInfo, Resampler, Signal, Source
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.storage import allocate
from jen1cli.shapes import Latent, Waveform

_BLOCK_SECONDS = 5


def encode_source(networks: Networks, source: Source, info: AudioInfo) -> Latent:
    """Encode a recording: [1, latent_channels, frames], before whitening."""
    autoencoder = networks.autoencoder
    samples = audio.resampled_length(info.samples, info.sample_rate, autoencoder.sample_rate)
    blocks = _model_blocks(networks, source, info, samples)
    return torch.cat([latent.cpu() for latent in autoencoder.encode_stream(blocks)], dim=-1)


def decoded_blocks(
    networks: Networks, latent: Latent, samples: int | None = None
) -> Iterator[Signal]:
    """Yield consecutive blocks of the decoded waveform at the model's rate."""
    for block in networks.autoencoder.decode_stream(latent, samples):
        yield block[0].float().cpu().numpy()


def decode_latent(
    networks: Networks, latent: Latent, samples: int, sample_rate: int, channels: int
) -> Signal:
    """Decode a latent to `samples` samples at the given rate and layout."""
    result = allocate(channels, samples)
    resampler = Resampler(networks.autoencoder.sample_rate, sample_rate, channels)
    at = 0
    for block in decoded_blocks(networks, latent.to(networks.device)):
        at = _append(result, resampler.feed(audio.to_channels(block, channels)), at)
    at = _append(result, resampler.feed(np.zeros((channels, 64), np.float32), last=True), at)
    return result


def _append(result: Signal, piece: Signal, at: int) -> int:
    stop = min(at + piece.shape[1], result.shape[1])
    result[:, at:stop] = piece[:, : stop - at]
    return stop


def _model_blocks(
    networks: Networks, source: Source, info: AudioInfo, samples: int
) -> Iterator[Waveform]:
    """Yield the recording at the model's rate and layout, with an exact number of samples."""
    autoencoder = networks.autoencoder
    channels = autoencoder.audio_channels
    resampler = Resampler(info.sample_rate, autoencoder.sample_rate, channels)
    size = _BLOCK_SECONDS * info.sample_rate
    left = samples
    for block in audio.blocks(source, 0, info.samples, size):
        piece = resampler.feed(audio.to_channels(block, channels))[:, :left]
        left -= piece.shape[1]
        if piece.shape[1]:
            yield torch.from_numpy(np.ascontiguousarray(piece))[None].to(networks.device)
    if left:
        last = resampler.feed(np.zeros((channels, 0), np.float32), last=True)[:, :left]
        last = np.pad(last, ((0, 0), (0, left - last.shape[1])))
        yield torch.from_numpy(np.ascontiguousarray(last))[None].to(networks.device)
