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
from jen1cli.pipeline.coding import allocate, decoded_blocks
from jen1cli.pipeline.composing import Written, check_composer, warn_unplayed, write_controls
from jen1cli.pipeline.denoising import Canvas, encode_prompts, fill, joined_prompts, seeded_noise
from jen1cli.pipeline.looping import make_loop
from jen1cli.pipeline.music import Music, record
from jen1cli.pipeline.networks import Networks, fixed_threads
from jen1cli.pipeline.windows import plan_windows
from jen1cli.progress import Progress
from jen1cli.recipe import DirectionName
from jen1cli.sampling import Sampling, SamplingOptions, check_direction, check_seconds, usual_batch
from jen1cli.shapes import Latent

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1


@dataclass(frozen=True)
class Order:
    """One piece to make."""

    prompt: str
    seed: int  # of the noise
    sampling: Sampling

    @classmethod
    def over(cls, model: "Jen1", prompt: str, seed: int, options: SamplingOptions) -> "Order":
        """Return an order with the options over the model's own settings.

        Raises:
            ConfigError: a setting makes no sense.
        """
        check_composer(model.networks, options)
        warn_unplayed(model.networks, options)
        return cls(prompt, seed, Sampling.over(model.config.generation, options))


@dataclass(frozen=True)
class Piece:
    """One result of `make_pieces`."""

    signal: Signal  # [channels, samples] at the model's rate
    settings: Sampling  # with the controls of the piece, their composer and its style


def generate_orders(
    model: "Jen1",
    orders: Sequence[Order],
    seconds: float,
    direction: DirectionName = "bidirectional",
    *,
    loop_bars: int | None = None,
    batch: int = 0,
    threads: int = 0,
    progress: Progress | None = None,
) -> list[Music]:
    """Generate one piece of music per order.

    Args:
        model: a loaded model.
        orders: see `make_pieces`.
        seconds: length of each; music longer than the model's window is made by continuation.
        direction: "unidirectional" lets no frame see a later one.
        loop_bars: makes loops of so many bars, one by one, in place of `seconds`.
        batch: size of the batches, in which a piece has the same bits in any company; 0: the usual
            one of the device, or as many as there are orders.
        threads: fixed number of threads of the CPU; 0: that of torch.
        progress: called with (steps done, steps in all).

    Raises:
        ConfigError: a setting makes no sense.
    """
    check_seconds(seconds)
    check_direction(direction)
    causal = direction == "unidirectional"
    generation = model.config.generation
    if causal and loop_bars is not None:
        raise ConfigError("a loop has no direction; leave 'unidirectional' out")
    batch = batch or max(1, min(len(orders), usual_batch(model.device)))
    with fixed_threads(threads):
        if loop_bars is None:
            made = make_pieces(
                model.networks, generation, orders, seconds,
                causal=causal, batch=batch, progress=progress,
            )  # fmt: skip
        else:
            made = [
                Piece(
                    *make_loop(
                        model.networks, generation, order.prompt, loop_bars, order.sampling,
                        order.seed, _share(progress, index, 1, len(orders)),
                    )
                )
                for index, order in enumerate(orders)
            ]  # fmt: skip
    return [
        Music(
            torch.from_numpy(piece.signal),
            model.sample_rate,
            record(
                model,
                "generate",
                piece.settings,
                seed=order.seed,
                prompt=order.prompt,
                seconds=seconds if loop_bars is None else piece.signal.shape[1] / model.sample_rate,
                direction=direction,
                context_seconds=generation.context_seconds,
                loop_bars=loop_bars or 0,
                batch=batch if loop_bars is None else 1,
                threads=threads,
            ),
        )
        for order, piece in zip(orders, made, strict=True)
    ]


@torch.inference_mode()
def make_pieces(
    networks: Networks,
    generation: GenerationConfig,
    orders: Sequence[Order],
    seconds: float,
    *,
    causal: bool,
    batch: int = 1,
    progress: Progress | None = None,
) -> list[Piece]:
    """Generate one piece per order.

    The kernels of matrix products depend on the size of the batch, and so do the last bits of their
    results. In batches of one size and one number of text tokens, the bits of a piece depend
    neither on its place in the batch nor on the other pieces.

    Args:
        networks: of the model.
        generation: window of the model, context and direction of continuation.
        orders: of the pieces; in a batch, they differ in prompt, negative prompt, seed, controls,
            composer and style only.
        seconds: length of each piece.
        causal: whether all windows are unidirectional; if False, the first is bidirectional.
        batch: size of every batch, which copies of the last piece fill up.
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
    pieces: list[Piece] = []
    for first in range(0, len(orders), batch):
        group = orders[first : first + batch]
        written = [_written(networks, order, seconds) for order in group]
        spare = [group[-1]] * (batch - len(group))
        prompts = joined_prompts(
            [item.prompts for item in [*written, *written[-1:] * len(spare)]],
            tokens=networks.text_encoder.config.max_tokens if batch > 1 else 0,
        )
        made = fill(
            networks,
            Canvas.empty(networks, frames, prompts.batch),
            windows,
            prompts,
            group[0].sampling,
            [seeded_noise(order.seed, order.sampling.variations) for order in [*group, *spare]],
            _share(progress, first, len(group), len(orders)),
        )
        for latent, item, order in zip(made, written, group, strict=False):
            settings = dataclasses.replace(
                order.sampling,
                controls=item.prompts.controls[0],
                composer=item.composer,
                style=item.styles[0],
            )
            unwhitened = networks.whitening.unwhiten(latent[None])
            pieces.append(Piece(_finished(networks, unwhitened, samples, cuts), settings))
    return pieces


def _written(networks: Networks, order: Order, seconds: float) -> Written:
    """Encode one prompt and write its controls, apart from other prompts, whose lengths differ."""
    sampling = order.sampling
    encoded = encode_prompts(
        networks,
        [order.prompt],
        sampling.negative_prompt,
        sampling.controls,
        sampling.effective_composer,
    )
    return write_controls(networks, encoded, [order.prompt], [order.seed], seconds, sampling)


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
