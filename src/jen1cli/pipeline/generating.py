"""Text to music: samples, decodes and levels pieces from encoded prompts."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.config import GenerationConfig
from jen1cli.errors import ConfigError
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.composing import write_controls
from jen1cli.pipeline.denoising import Canvas, encode_prompts, fill, seeded_noise
from jen1cli.pipeline.looping import make_loop
from jen1cli.pipeline.music import Music
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.replay import record
from jen1cli.pipeline.storage import allocate
from jen1cli.pipeline.windows import plan_windows
from jen1cli.progress import Progress
from jen1cli.recipe import DirectionName
from jen1cli.sampling import Sampling
from jen1cli.shapes import Latent

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

_LARGEST_BATCH = 8  # pieces per batch on a GPU; a CPU samples one by one


@dataclass(frozen=True)
class Piece:
    """One result of `make_pieces`."""

    signal: Signal  # [channels, samples] at the model's rate
    settings: Sampling  # with the controls of the piece, their composer and its style


def generate(
    model: "Jen1",
    prompts: Sequence[str],
    seconds: float,
    settings: Sampling,
    *,
    seed: int,
    direction: DirectionName,
    loop_bars: int | None,
    progress: Progress | None,
) -> list[Music]:
    """Generate one piece per prompt, with their recipes; see `Jen1.generate_batch`."""
    seeds = [seed + index for index in range(len(prompts))]
    causal = direction == "unidirectional"
    if loop_bars is None:
        made = make_pieces(
            model.networks, model.config.generation, prompts, seconds, settings, seeds,
            causal=causal, progress=progress,
        )  # fmt: skip
    elif causal:
        raise ConfigError("a loop has no direction; leave 'unidirectional' out")
    else:
        made = [
            Piece(
                *make_loop(
                    model.networks, model.config.generation, prompt, loop_bars, settings, seeds[i],
                    _share(progress, i, 1, len(prompts)),
                )
            )
            for i, prompt in enumerate(prompts)
        ]  # fmt: skip
    return [
        Music(
            torch.from_numpy(piece.signal),
            model.sample_rate,
            record(
                model,
                "generate",
                piece.settings,
                seed=seed + index,
                prompt=prompt,
                seconds=piece.signal.shape[1] / model.sample_rate if loop_bars else seconds,
                direction=direction,
                context_seconds=model.config.generation.context_seconds,
                loop_bars=loop_bars or 0,
            ),
        )
        for index, (prompt, piece) in enumerate(zip(prompts, made, strict=True))
    ]


@torch.inference_mode()
def make_pieces(
    networks: Networks,
    generation: GenerationConfig,
    prompts: Sequence[str],
    seconds: float,
    sampling: Sampling,
    seeds: Sequence[int],
    *,
    causal: bool,
    progress: Progress | None,
) -> list[Piece]:
    """Generate one piece per prompt.

    Args:
        networks: of the model.
        generation: window of the model, context and direction of continuation.
        prompts: descriptions of the pieces.
        seconds: length of each piece.
        sampling: settings.
        seeds: seeds of the noise, one per prompt.
        causal: whether all windows are unidirectional; if False, the first is bidirectional.
        progress: called with (steps done, steps in all).
    """
    autoencoder = networks.autoencoder
    frame_rate = autoencoder.sample_rate / autoencoder.hop_length
    samples = audio.seconds_to_samples(seconds, autoencoder.sample_rate)
    frames = -(-samples // autoencoder.hop_length)
    windows = plan_windows(
        frames,
        [(0, frames)],
        window=max(1, round(generation.window_seconds * frame_rate)),
        context=max(1, round(generation.context_seconds * frame_rate)),
        causal=causal,
        causal_continuation=causal or generation.continuation == "unidirectional",
    )
    cuts = [window.unknown[0][0] * autoencoder.hop_length for window in windows[1:]]
    size = 1 if networks.device.type == "cpu" else _LARGEST_BATCH
    pieces: list[Piece] = []
    for first in range(0, len(prompts), size):
        batch, batch_seeds = prompts[first : first + size], seeds[first : first + size]
        encoded = encode_prompts(
            networks,
            batch,
            sampling.negative_prompt,
            sampling.controls,
            sampling.effective_composer,
        )
        written = write_controls(networks, encoded, batch, batch_seeds, seconds, sampling)
        encoded = written.prompts
        made = fill(
            networks,
            Canvas.empty(networks, frames, encoded.batch),
            windows,
            encoded,
            sampling,
            [seeded_noise(seed, sampling.variations) for seed in batch_seeds],
            _share(progress, first, len(batch), len(prompts)),
        )
        latents = networks.whitening.unwhiten(made)
        pieces += [
            Piece(
                _finished(networks, latent[None], samples, cuts),
                dataclasses.replace(
                    sampling, controls=controls, composer=written.composer, style=style
                ),
            )
            for latent, controls, style in zip(
                latents, encoded.controls, written.styles, strict=True
            )
        ]
    return pieces


def _share(progress: Progress | None, first: int, items: int, all_items: int) -> Progress | None:
    """Return a callback that converts the steps of a batch to those of all batches."""
    if progress is None:
        return None
    return lambda done, total: progress(first * total + items * done, all_items * total)


def _finished(networks: Networks, latent: Latent, samples: int, cuts: list[int]) -> Signal:
    autoencoder = networks.autoencoder
    result = allocate(autoencoder.audio_channels, samples)
    at = 0
    for block in decoded_blocks(networks, latent, samples):
        result[:, at : at + block.shape[1]] = block
        at += block.shape[1]
    gain_matching.level_segments(result, autoencoder.sample_rate, cuts, target=None)
    gain_matching.cap_loudness(result, autoencoder.sample_rate)
    gain_matching.limit(result, autoencoder.sample_rate)
    return result
