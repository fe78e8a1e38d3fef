"""Text to music: samples, decodes and levels pieces from encoded prompts."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from jen1cli.audio import Signal, on_disk, seconds_to_samples
from jen1cli.config import DirectionName, GenerationConfig
from jen1cli.errors import ConfigError
from jen1cli.music.forms import parse_form
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.composing import (
    ComposedPrompts,
    check_composer,
    timed_by_form,
    warn_unplayed,
    write_controls,
)
from jen1cli.pipeline.denoising import (
    Canvas,
    Prompts,
    encode_prompts,
    fill,
    joined_prompts,
    sampled_windows,
    seeded_noise,
)
from jen1cli.pipeline.looping import make_loop
from jen1cli.pipeline.music import Music, Stream, record
from jen1cli.pipeline.networks import Networks, fixed_threads
from jen1cli.pipeline.windows import PiecePlan, plan_piece
from jen1cli.progress import Progress, part_of
from jen1cli.sampling import (
    DEFAULT_SECONDS,
    Sampling,
    SamplingOptions,
    check_direction,
    check_seconds,
    usual_batch,
)
from jen1cli.shapes import Latent

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1


@dataclass(frozen=True)
class Order:
    """One piece to make."""

    prompt: str
    seed: int  # seed of the noise
    sampling: Sampling

    @classmethod
    def over(
        cls,
        model: "Jen1",
        prompt: str,
        seed: int,
        options: SamplingOptions,
        direction: DirectionName = "bidirectional",
    ) -> "Order":
        """Return an order with the options over the model's own settings.

        Raises:
            ConfigError: a setting makes no sense.
        """
        check_composer(model.networks, options)
        warn_unplayed(model.networks, options)
        return cls(prompt, seed, Sampling.over(model.config.generation, options, direction))


@dataclass(frozen=True)
class Piece:
    """One result of `make_pieces`."""

    signal: Signal  # [channels, samples] at the model's rate
    settings: Sampling  # with the controls of the piece, their composer and its style
    seconds: float  # length that was asked for


def generate_orders(
    model: "Jen1",
    orders: Sequence[Order],
    seconds: float | None = None,
    direction: DirectionName = "bidirectional",
    *,
    loop_bars: int | None = None,
    batch: int = 0,
    threads: int = 0,
    context_seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Music]:
    """Generate one piece of music per order.

    Args:
        model: a loaded model.
        orders: see `make_pieces`.
        seconds: length of each; music longer than the model's window is made by continuation.
            None: that of a form, else `DEFAULT_SECONDS`.
        direction: "unidirectional" lets no frame see a later one.
        loop_bars: makes loops of so many bars, one by one, in place of `seconds`.
        batch: size of the batches, in which a piece has the same bits in any company; 0: the usual
            one of the device, or as many as there are orders.
        threads: fixed number of threads of the CPU; 0: that of torch.
        context_seconds: known music in front of each window but the first; None: the model's own.
        progress: called with (steps done, steps in all).

    Raises:
        ConfigError: a setting makes no sense.
    """
    if seconds is not None:
        check_seconds(seconds)
    check_direction(direction)
    causal = direction == "unidirectional"
    generation = model.config.generation.for_pieces(context_seconds)
    if causal and loop_bars is not None:
        raise ConfigError("a loop has no direction; leave 'unidirectional' out")
    has_form = any(order.sampling.form for order in orders)
    if has_form and loop_bars is not None:
        raise ConfigError("a loop has no form; leave one of them out")
    batch = batch or max(1, min(len(orders), usual_batch(model.device)))
    batch = 1 if has_form or loop_bars is not None else batch
    with fixed_threads(threads):
        if loop_bars is None and has_form:
            made = [
                _make_with_form(
                    model.networks, generation, order, seconds,
                    causal=causal, progress=part_of(progress, index, len(orders)),
                )
                for index, order in enumerate(orders)
            ]  # fmt: skip
        elif loop_bars is None:
            made = make_pieces(
                model.networks, generation, orders, DEFAULT_SECONDS if seconds is None else seconds,
                causal=causal, batch=batch, progress=progress,
            )  # fmt: skip
        else:
            made = [
                _make_loop(
                    model.networks, generation, order, loop_bars,
                    part_of(progress, index, len(orders)),
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
                seconds=piece.seconds,
                direction=direction,
                context_seconds=generation.context_seconds,
                loop_bars=loop_bars or 0,
                batch=batch,
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
        networks: the model's networks.
        generation: window of the model, context and direction of continuation.
        orders: the pieces to make; in a batch, they differ at most in prompt, negative prompt,
            seed, controls, composer, style, instruments and variations.
        seconds: length of each piece.
        causal: whether all windows are unidirectional; if False, the first is bidirectional.
        batch: size of every batch, which copies of the last piece fill up.
        progress: called with (steps done, steps in all).
    """
    plan = _planned(networks, generation, seconds, causal=causal)
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
            Canvas.empty(networks, plan.frames, prompts.batch),
            plan.windows,
            prompts,
            group[0].sampling,
            [seeded_noise(order.seed, order.sampling.variations) for order in [*group, *spare]],
            part_of(progress, first, len(orders), len(group)),
        )
        for latent, item, order in zip(made, written, group, strict=False):
            settings = _settings(order, item)
            unwhitened = networks.whitening.unwhiten(latent[None])
            signal = _finished(networks, unwhitened, plan, _last_chord(settings))
            pieces.append(Piece(signal, settings, seconds))
    return pieces


def _make_with_form(
    networks: Networks,
    generation: GenerationConfig,
    order: Order,
    seconds: float | None,
    *,
    causal: bool,
    progress: Progress | None,
) -> Piece:
    """Generate a piece with a form, which determines its length or its tempo."""
    timed, seconds = _timed(networks, order, seconds)
    return make_pieces(networks, generation, [timed], seconds, causal=causal, progress=progress)[0]


def _timed(networks: Networks, order: Order, seconds: float | None) -> tuple[Order, float]:
    """Return an order and its length; a form determines its length or its tempo."""
    if not order.sampling.form:
        return order, DEFAULT_SECONDS if seconds is None else seconds
    prompts = _encoded(networks, order)
    sampling, seconds = timed_by_form(
        networks, prompts, prompts.texts[0], order.seed, order.sampling, seconds
    )
    return dataclasses.replace(order, sampling=sampling), seconds


@torch.inference_mode()
def stream_order(
    model: "Jen1",
    order: Order,
    seconds: float | None = None,
    direction: DirectionName = "bidirectional",
    progress: Progress | None = None,
    *,
    context_seconds: float | None = None,
) -> Stream:
    """Compose a piece, whose music is then made while it is read.

    Args:
        model: a loaded model.
        order: the piece.
        seconds: length; None: that of a form, else `DEFAULT_SECONDS`.
        direction: "unidirectional" lets no frame see a later one.
        progress: called with (steps done, steps in all).
        context_seconds: known music in front of each window but the first; None: the model's own.

    Raises:
        ConfigError: a setting makes no sense.
    """
    if seconds is not None:
        check_seconds(seconds)
    check_direction(direction)
    order, seconds = _timed(model.networks, order, seconds)
    generation = model.config.generation.for_pieces(context_seconds)
    written = _written(model.networks, order, seconds)
    settings = _settings(order, written)
    causal = direction == "unidirectional"
    plan = _planned(model.networks, generation, seconds, causal=causal)
    recipe = record(
        model,
        "generate",
        settings,
        seed=order.seed,
        prompt=order.prompt,
        seconds=seconds,
        direction=direction,
        context_seconds=generation.context_seconds,
        streamed=True,
    )
    blocks = _streamed(
        model.networks, plan, written.prompts, order, _last_chord(settings), progress
    )
    return Stream(recipe, model.sample_rate, plan.samples, blocks)


@torch.inference_mode()
def _streamed(
    networks: Networks,
    plan: PiecePlan,
    prompts: Prompts,
    order: Order,
    last_seconds: float,
    progress: Progress | None,
) -> Iterator[Signal]:
    """Yield the consecutive parts [channels, samples] of a piece, each when it can be made."""
    rate = networks.autoencoder.sample_rate
    noises = [seeded_noise(order.seed, order.sampling.variations)]
    canvas = Canvas.empty(networks, plan.frames)
    pieces = sampled_windows(
        networks, canvas, plan.windows, prompts, order.sampling, noises, progress
    )
    decoded = networks.autoencoder.decode_pieces(pieces, plan.samples)
    signals = (block[0].float().cpu().numpy() for block in decoded)
    last = round(last_seconds * rate)
    leveled = gain_matching.leveled_blocks(signals, rate, plan.cuts, plan.samples, last)
    yield from gain_matching.limited_blocks(leveled)


def _planned(
    networks: Networks, generation: GenerationConfig, seconds: float, *, causal: bool
) -> PiecePlan:
    hop, rate = networks.autoencoder.hop_length, networks.autoencoder.sample_rate
    samples = seconds_to_samples(seconds, rate)
    return plan_piece(samples, hop, rate, generation, causal=causal)


def _make_loop(
    networks: Networks,
    generation: GenerationConfig,
    order: Order,
    bars: int,
    progress: Progress | None,
) -> Piece:
    signal, settings = make_loop(
        networks, generation, order.prompt, bars, order.sampling, order.seed, progress
    )
    return Piece(signal, settings, signal.shape[1] / networks.autoencoder.sample_rate)


def _last_chord(settings: Sampling) -> float:
    """Return how many seconds of the end belong to the last chord of a form; 0: it has no end."""
    if not settings.form:
        return 0.0
    return parse_form(settings.form).last_chord_bars * settings.controls.bar_seconds


def _settings(order: Order, written: ComposedPrompts) -> Sampling:
    """Return the settings of a piece with what was written for it."""
    return dataclasses.replace(
        order.sampling,
        controls=written.prompts.controls[0],
        composer=written.composer,
        style=written.styles[0],
    )


def _written(networks: Networks, order: Order, seconds: float) -> ComposedPrompts:
    """Encode one prompt and write its controls, apart from other prompts, whose lengths differ."""
    prompts = _encoded(networks, order)
    return write_controls(networks, prompts, prompts.texts, [order.seed], seconds, order.sampling)


def _encoded(networks: Networks, order: Order) -> Prompts:
    sampling = order.sampling
    return encode_prompts(
        networks,
        [order.prompt],
        sampling.negative_prompt,
        sampling.controls,
        sampling.effective_composer,
    )


def _finished(networks: Networks, latent: Latent, plan: PiecePlan, last_seconds: float) -> Signal:
    autoencoder = networks.autoencoder
    result = on_disk.allocate(autoencoder.audio_channels, plan.samples)
    at = 0
    for block in decoded_blocks(networks, latent, plan.samples):
        result[:, at : at + block.shape[1]] = block
        on_disk.release()
        at += block.shape[1]
    gain_matching.level_segments(result, autoencoder.sample_rate, plan.cuts, target=None)
    gain_matching.cap_loudness(result, autoencoder.sample_rate)
    gain_matching.fade_out(result, round(last_seconds * autoencoder.sample_rate))
    gain_matching.limit(result, autoencoder.sample_rate)
    return result
