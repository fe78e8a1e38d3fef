"""New music: from encoded prompts to waveforms of the right length and level."""

from collections.abc import Sequence

import torch

from jen1cli.audio import Signal
from jen1cli.pipeline import leveling
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.denoising import Canvas, Prompts, fill
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.storage import allocate
from jen1cli.pipeline.windows import plan_windows
from jen1cli.sampling import Progress, Sampling
from jen1cli.shapes import Latent


def make_music(
    networks: Networks,
    prompts: Prompts,
    samples: int,
    sampling: Sampling,
    generators: Sequence[torch.Generator],
    *,
    window: int,
    context: int,
    causal: bool,
    causal_continuation: bool,
    progress: Progress | None,
) -> list[Signal]:
    """Make one waveform [channels, samples] at the model's rate for each prompt.

    Args:
        networks: of the model.
        prompts: encoded, of a whole batch.
        samples: length of each piece at the model's rate.
        sampling: settings.
        generators: on the CPU, one for each piece.
        window: most frames in one sampling.
        context: frames that each further window hears of what was made before.
        causal: direction of the first window; if set, of all.
        causal_continuation: direction of the others.
        progress: called with (steps done, steps in all).
    """
    hop = networks.autoencoder.hop_length
    frames = -(-samples // hop)
    windows = plan_windows(
        frames,
        [(0, frames)],
        window=window,
        context=context,
        causal=causal,
        causal_continuation=causal or causal_continuation,
    )
    canvas = Canvas.empty(networks, frames, prompts.batch)
    canvas = fill(networks, canvas, windows, prompts, sampling, generators, progress)
    cuts = [window.unknown[0][0] * hop for window in windows[1:]]
    return [
        _finished(networks, latent[None], samples, cuts)
        for latent in networks.whitening.unwhiten(canvas.latent)
    ]


def _finished(networks: Networks, latent: Latent, samples: int, cuts: list[int]) -> Signal:
    autoencoder = networks.autoencoder
    result = allocate(autoencoder.audio_channels, samples)
    at = 0
    for block in decoded_blocks(networks, latent, samples):
        result[:, at : at + block.shape[1]] = block
        at += block.shape[1]
    leveling.level_segments(result, autoencoder.sample_rate, cuts, target=None)
    leveling.soften(result, autoencoder.sample_rate)
    leveling.limit(result, autoencoder.sample_rate)
    return result
