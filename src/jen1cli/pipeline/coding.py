"""Encoding of recordings and decoding of latents, of any length in bounded memory."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import AudioInfo, Resampler, Signal, Source, on_disk
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.music import Music, record
from jen1cli.pipeline.networks import Networks
from jen1cli.progress import Progress
from jen1cli.sampling import Sampling
from jen1cli.shapes import Latent, Waveform

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

_BLOCK_SECONDS = 5


def encode(model: "Jen1", source: Source) -> LatentFile:
    """Encode a recording; see `Jen1.encode`."""
    info = audio.probe(source)
    return LatentFile(
        latent=encode_source(model.networks, source, info)[0],
        frame_rate=model.config.frame_rate,
        samples=info.samples,
        sample_rate=info.sample_rate,
        channels=info.channels,
        model=model.config.name,
        sha256=model.autoencoder_sha256,
    )


def decode(model: "Jen1", latent: LatentFile | str | Path | bytes) -> Music:
    """Decode a latent or latent file; see `Jen1.decode`."""
    if not isinstance(latent, LatentFile):
        latent = LatentFile.load(latent)
    latent.check_autoencoder(model.config, model.autoencoder_sha256)
    signal = decode_latent(
        model.networks, latent.latent[None], latent.samples, latent.sample_rate, latent.channels
    )
    gain_matching.limit(signal, latent.sample_rate, ceiling=1.0)
    recipe = record(model, "decode", Sampling(), seed=0, seconds=latent.seconds)
    return Music(torch.from_numpy(signal), latent.sample_rate, recipe)


def encode_source(
    networks: Networks, source: Source, info: AudioInfo, progress: Progress | None = None
) -> Latent:
    """Encode a recording: [1, latent_channels, frames], before whitening.

    `progress` is called with the seconds that are done, and those in all.
    """
    autoencoder = networks.autoencoder
    samples = audio.resampled_length(info.samples, info.sample_rate, autoencoder.sample_rate)
    blocks = _model_blocks(networks, source, info, samples)
    pieces: list[Latent] = []
    frames = 0
    for latent in autoencoder.encode_stream(blocks):
        pieces.append(latent.cpu())
        frames += latent.shape[-1]
        if progress is not None:
            whole = math.ceil(info.seconds)
            progress(min(whole, int(frames / networks.frame_rate)), whole)
    return torch.cat(pieces, dim=-1)


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
    result = on_disk.allocate(channels, samples)
    resampler = Resampler(networks.autoencoder.sample_rate, sample_rate, channels)
    at = 0
    for block in decoded_blocks(networks, latent.to(networks.device)):
        at = _append(result, resampler.feed(audio.to_channels(block, channels)), at)
    at = _append(result, resampler.feed(np.zeros((channels, 64), np.float32), last=True), at)
    return result


def _append(result: Signal, piece: Signal, at: int) -> int:
    stop = min(at + piece.shape[1], result.shape[1])
    result[:, at:stop] = piece[:, : stop - at]
    on_disk.release()
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
