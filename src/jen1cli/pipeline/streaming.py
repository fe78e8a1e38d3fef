"""New music as a stream: each part is ready as soon as its windows are sampled.

Sampling, decoding, levels, the decay of the last chord and the limiter follow each other block by
block. Two steps know less than those of a whole piece: the loudness is capped by that of the first
window, and no last measurement of the true peak scales all of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.audio.limiting import BLOCK, REACH, limited
from jen1cli.config import GenerationConfig
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.denoising import Canvas, Prompts, filled, seeded_noise
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.windows import Window, plan_windows
from jen1cli.progress import Progress
from jen1cli.sampling import Sampling
from jen1cli.shapes import Latent


@dataclass(frozen=True)
class PiecePlan:
    """Length and windows of a new piece."""

    samples: int
    frames: int
    windows: list[Window]
    cuts: list[int]  # samples at which windows meet

    @classmethod
    def of(
        cls, networks: Networks, generation: GenerationConfig, seconds: float, *, causal: bool
    ) -> "PiecePlan":
        """Plan a piece.

        Args:
            networks: of the model.
            generation: window of the model, context and direction of continuation.
            seconds: length.
            causal: whether all windows are unidirectional.
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
        return cls(samples, frames, windows, cuts)


@torch.inference_mode()
def streamed_signal(
    networks: Networks,
    plan: PiecePlan,
    prompts: Prompts,
    sampling: Sampling,
    seed: int,
    last_seconds: float,
    progress: Progress | None = None,
) -> Iterator[Signal]:
    """Yield the consecutive parts [channels, samples] of a new piece.

    Args:
        networks: of the model.
        plan: of the piece.
        prompts: its encoded prompt, with complete controls.
        sampling: settings.
        seed: of the noise.
        last_seconds: length of the last chord, which decays; 0: none does.
        progress: called with (steps done, steps in all).
    """
    rate = networks.autoencoder.sample_rate
    pieces = _sampled(networks, plan, prompts, sampling, seed, progress)
    decoded = networks.autoencoder.decode_pieces(pieces, plan.samples)
    signals = (block[0].float().cpu().numpy() for block in decoded)
    last = round(last_seconds * rate)
    yield from _limited(_leveled(signals, rate, plan, last))


@torch.inference_mode()
def _sampled(
    networks: Networks,
    plan: PiecePlan,
    prompts: Prompts,
    sampling: Sampling,
    seed: int,
    progress: Progress | None,
) -> Iterator[Latent]:
    """Yield consecutive pieces of the latent, each when no later window changes it."""
    canvas = Canvas.empty(networks, plan.frames)
    noises = [seeded_noise(seed, sampling.variations)]
    states = filled(networks, canvas, plan.windows, prompts, sampling, noises, progress)
    for window, latent in zip(plan.windows, states, strict=True):
        ((start, stop),) = window.unknown
        # of the whole canvas, so that matrix products have the same bits as for a whole piece
        yield networks.whitening.unwhiten(latent)[..., start:stop]


def _leveled(
    blocks: Iterable[Signal], sample_rate: int, plan: PiecePlan, last: int
) -> Iterator[Signal]:
    """Yield a signal with its windows as loud as the first, and the decay of its last chord.

    A window is levelled when all of it is there; the gain of the first one is 1.

    Args:
        blocks: consecutive parts of the signal.
        sample_rate: Hz.
        plan: of the piece.
        last: samples of the last chord.
    """
    ramps = gain_matching.Ramps(sample_rate, plan.cuts, plan.samples)
    edges = [*plan.cuts, plan.samples]  # of the windows that are not yet measured
    held = np.zeros((0, 0), np.float32)
    base = window = done = 0  # first sample that is held, that of the window, that to be yielded
    cap: float | None = None
    for block in blocks:
        held = np.concatenate([held, block], axis=1) if held.size else block
        if cap is None:
            cap = gain_matching.cap_gain(gain_matching.measured(block, sample_rate))
        while edges and base + held.shape[1] >= edges[0]:
            part = held[:, window - base : edges[0] - base]
            ramps.add(gain_matching.measured(part, sample_rate))
            window = edges.pop(0)
        stop = min(ramps.known, base + held.shape[1])
        if stop > done:
            gain = ramps.curve(done, stop) * gain_matching.decay(done, stop, plan.samples, last)
            yield held[:, done - base : stop - base] * (gain * np.float32(cap))
            done = stop
        kept = min(done, window)
        held, base = held[:, kept - base :], kept


def _limited(blocks: Iterable[Signal]) -> Iterator[Signal]:
    """Yield a signal whose true peak is below the ceiling, as `gain_matching.limit` makes it."""
    held: Signal | None = None
    before = 0  # samples that are held although they are limited
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        ready = (held.shape[1] - REACH - before) // BLOCK * BLOCK
        if ready > 0:
            yield limited(held, gain_matching.CEILING)[:, before : before + ready]
            kept = min(REACH, before + ready)
            held, before = held[:, before + ready - kept :], kept
    if held is not None and held.shape[1] > before:
        yield limited(held, gain_matching.CEILING)[:, before:]
