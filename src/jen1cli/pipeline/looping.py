"""Loops: whole bars whose end leads to their beginning.

The latent is a ring. At each step of the diffusion the network sees it through windows that overlap
and go on across the seam, and their predictions are blended (MultiDiffusion, arXiv 2302.08113):

    ring      | 0 . . . . . . . . . . . N |
    window 1  |#########- -           - -#|
    window 2  |      - -#########- -      |

So the seam is a place like any other. The ring is decoded with its end in front of it and its
beginning behind it. Only the phase, which the decoder follows from frame to frame, differs between
the end and what leads to the beginning; they are joined over 30 ms, as at the edges of an edit.

The ring has a whole number of frames, the loop the number of samples that is nearest to its bars:
the decoded ring is resampled, as a periodic signal, by at most half a frame.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.audio.limiting import REACH
from jen1cli.conditioning.controls.channels import control_channels
from jen1cli.config import GenerationConfig
from jen1cli.errors import ConfigError
from jen1cli.music.controls import BEAT_HARMONICS, Controls
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.composing import ComposedPrompts, write_controls
from jen1cli.pipeline.denoising import (
    Canvas,
    encode_prompts,
    sample_canvas,
    seeded_noise,
    unet_of,
)
from jen1cli.pipeline.networks import Networks
from jen1cli.progress import Progress
from jen1cli.sampling import Sampling, check_loop_bars
from jen1cli.shapes import Latent

_JOIN_SECONDS = 0.03
_LEAD_SECONDS = 1.0  # decoded on both sides of the ring
_DRAFT_SECONDS = 4.0  # length of a score that only chooses tempo and metre
_MARGIN = 8  # a window overlaps its neighbour by 1 / 4, and its core has 1 / 8 of it on each side
_PHASES = 2 * BEAT_HARMONICS + 4  # channels of beat and bar, which are periodic by themselves


@torch.inference_mode()
def make_loop(
    networks: Networks,
    generation: GenerationConfig,
    prompt: str,
    bars: int,
    sampling: Sampling,
    seed: int,
    progress: Progress | None,
) -> tuple[Signal, Sampling]:
    """Generate a loop.

    Args:
        networks: the model's networks.
        generation: window of the model.
        prompt: description.
        bars: length in bars of its tempo and metre.
        sampling: settings.
        seed: seed of score and noise.
        progress: called with (steps done, steps in all).

    Returns:
        the loop at the model's rate, and the settings with its controls, composer and style.

    Raises:
        ConfigError: the number of bars makes no sense, or there is no tempo.
    """
    check_loop_bars(bars)
    written = _write_bars(networks, prompt, bars, sampling, seed)
    controls = written.prompts.controls[0]
    seconds = bars * controls.bar_seconds
    samples = audio.seconds_to_samples(seconds, networks.autoencoder.sample_rate)
    frames = max(1, round(samples / networks.autoencoder.hop_length))
    window = round(generation.window_seconds * networks.frame_rate)
    made = sample_canvas(
        networks,
        Canvas.empty(networks, frames),
        _ring_controls(networks, controls, frames, seconds),
        written.prompts,
        sampling,
        [seeded_noise(seed, sampling.variations)],
        progress,
        unet=ring_windows(unet_of(networks, sampling), frames, window, networks.device),
    )
    signal = _decoded_ring(networks, networks.whitening.unwhiten(made))
    signal = stretched_ring(signal, samples)
    _level(signal, networks.autoencoder.sample_rate)
    return signal, dataclasses.replace(
        sampling, controls=controls, composer=written.composer, style=written.styles[0]
    )


def _write_bars(
    networks: Networks, prompt: str, bars: int, sampling: Sampling, seed: int
) -> ComposedPrompts:
    """Write the controls of whole bars; a first draft chooses tempo and metre."""
    encoded = encode_prompts(
        networks,
        [prompt],
        sampling.negative_prompt,
        sampling.controls,
        sampling.effective_composer,
    )

    def write(seconds: float) -> ComposedPrompts:
        return write_controls(
            networks, encoded, encoded.texts, [seed], seconds, sampling, loops=True
        )

    draft = write(_DRAFT_SECONDS).prompts.controls[0]
    if not draft.bpm:
        raise ConfigError(
            "no tempo is known to count the bars of a loop in; give one, such as --bpm 92"
        )
    asked = encoded.controls[0]
    late = -asked.downbeat if asked.bpm else 0.0  # the ring begins at a bar line, with its score
    timed = dataclasses.replace(
        asked.shifted(late), bpm=draft.bpm, meter=draft.meter or "4/4", downbeat=0.0
    )
    encoded = dataclasses.replace(encoded, controls=(timed,))
    return write(bars * timed.bar_seconds)


def _ring_controls(
    networks: Networks, controls: Controls, frames: int, seconds: float
) -> Tensor | None:
    channels = networks.unet.config.control_channels
    if not channels:
        return None
    rate = frames / seconds  # the ring's frame rate, nearly the model's
    found = control_channels([controls], [-1.0 / rate], frames + 1, rate, channels)
    ring = found[..., 1:].clone()
    # strokes at the beginning reach back into the last frame
    before, last = found[:, _PHASES:, 0], ring[:, _PHASES:, -1]
    ring[:, _PHASES:, -1] = torch.maximum(before, last)
    return ring.to(networks.device)


def ring_windows(
    unet: Callable[..., Latent], frames: int, window: int, device: torch.device | str = "cpu"
) -> Callable[..., Latent]:
    """Return a network that sees a ring through overlapping windows and blends their predictions.

    Args:
        unet: network, called as `UNet1d` is.
        frames: length of the ring.
        window: most frames in one window.
        device: device of the inputs.
    """
    margin = max(1, window // _MARGIN)
    count = -(-frames // max(1, window - 2 * margin))
    length = -(-frames // count) + 2 * margin
    starts = [round(k * frames / count) - margin for k in range(count)]
    places = (torch.tensor(starts)[:, None] + torch.arange(length)) % frames
    ramp = (torch.arange(length) + 0.5) / (2 * margin)
    weights = torch.minimum(ramp, ramp.flip(0)).clamp(max=1.0)
    sums = torch.zeros(frames).index_add(0, places.flatten(), weights.repeat(count))
    places, weights, sums = places.to(device), weights.to(device), sums.to(device)

    def predict(
        x_t: Tensor, t: Tensor, *, context: Tensor, text: Tensor, text_mask: Tensor, causal: bool
    ) -> Tensor:
        def cut(values: Tensor) -> Tensor:
            """[batch, channels, frames] -> [batch · windows, channels, length]."""
            return values[..., places].transpose(1, 2).flatten(0, 1)

        def each(values: Tensor) -> Tensor:
            return values.repeat_interleave(count, dim=0)

        made = unet(
            cut(x_t),
            each(t),
            context=cut(context),
            text=each(text),
            text_mask=each(text_mask),
            causal=causal,
        )
        rows = (made * weights).unflatten(0, (-1, count)).transpose(1, 2).flatten(2)
        ring = torch.zeros_like(x_t).index_add(-1, places.flatten(), rows)
        return ring / sums

    return predict


def _decoded_ring(networks: Networks, latent: Latent) -> Signal:
    """Decode a ring; its last samples lead to its first ones."""
    autoencoder = networks.autoencoder
    frames, hop = latent.shape[-1], autoencoder.hop_length
    lead = max(autoencoder.reach_frames, round(_LEAD_SECONDS * autoencoder.frame_rate))
    places = torch.arange(-lead, frames + lead, device=latent.device) % frames
    decoded = np.concatenate(list(decoded_blocks(networks, latent[..., places])), axis=1)
    start, stop = lead * hop, (lead + frames) * hop
    ring = decoded[:, start:stop].copy()
    length = min(round(_JOIN_SECONDS * autoencoder.sample_rate), ring.shape[1] // 4)
    ring[:, -length:] = audio.crossfade(ring[:, -length:], decoded[:, start - length : start])
    return ring


def stretched_ring(signal: Signal, samples: int) -> Signal:
    """Resample one period of a periodic signal to a number of samples, by its Fourier series."""
    length = signal.shape[1]
    if length == samples:
        return signal
    result = np.zeros((len(signal), samples), np.float32)
    shared = min(length, samples) // 2 + 1
    for channel, values in enumerate(signal):
        spectrum = np.zeros(samples // 2 + 1, np.complex128)
        spectrum[:shared] = np.fft.rfft(values.astype(np.float64))[:shared]
        result[channel] = np.fft.irfft(spectrum, samples) * (samples / length)
    return result


def _level(signal: Signal, sample_rate: int) -> None:
    """Cap loudness and peaks of a ring, in place."""
    gain_matching.cap_loudness(signal, sample_rate)
    reach = min(REACH, signal.shape[1])
    around = np.concatenate([signal[:, -reach:], signal, signal[:, :reach]], axis=1)
    gain_matching.limit(around, sample_rate)
    signal[:] = around[:, reach : reach + signal.shape[1]]
