"""Sampling of the unknown windows of a latent canvas, with text, task, controls and guidance.

Here the settings of a sampling (`jen1cli.sampling`) reach the samplers (`jen1cli.diffusion`).
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jen1cli import tasks
from jen1cli.conditioning import TextEncoder, join
from jen1cli.conditioning.controls.channels import ControlChannels, control_channels
from jen1cli.config import ComposerName
from jen1cli.devices import to_device
from jen1cli.diffusion import (
    Change,
    Denoiser,
    Known,
    Noise,
    Predict,
    PredictByTime,
    Start,
    guide_batched,
    in_interval,
    sample,
    scaled_along,
)
from jen1cli.errors import ConfigError
from jen1cli.music.controls import (
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_PARTS,
    NO_CONTROLS,
    Controls,
)
from jen1cli.music.prompt import read_controls
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.windows import Window
from jen1cli.progress import Progress, part_of
from jen1cli.sampling import Sampling, Variation
from jen1cli.shapes import KeepMask, Latent, Text, TextMask

logger = logging.getLogger(__name__)

TOKEN_MULTIPLE = 8
"""Number of tokens, with the U-Net's own, of which attention on a GPU gets multiples."""


@dataclass(frozen=True)
class Canvas:
    """Whitened latents of a batch of pieces, and a mask of their known frames."""

    latent: Latent  # arbitrary where unknown
    known: KeepMask

    @classmethod
    def empty(cls, networks: Networks, frames: int, batch: int = 1) -> "Canvas":
        """Return a canvas without known frames."""
        channels = networks.unet.config.latent_channels
        latent = torch.zeros(batch, channels, frames, device=networks.device)
        return cls(latent, torch.zeros(batch, 1, frames, dtype=torch.bool, device=networks.device))


@dataclass(frozen=True)
class Prompts:
    """Encoded text of a batch, doubled: the prompts, then the unconditional text of guidance.

    The text is on the CPU; `sample_canvas` copies it to the device.
    """

    text: Float[Tensor, "two_batch tokens features"]
    mask: Bool[Tensor, "two_batch tokens"]
    # one per piece, on the canvas' clock; a network may not take any
    controls: tuple[Controls, ...] = ()
    texts: tuple[str, ...] = ()  # in English, one per piece

    @property
    def batch(self) -> int:
        """Number of pieces."""
        return len(self.text) // 2


def encode_prompts(
    networks: Networks,
    prompts: Sequence[str],
    negative_prompt: str,
    asked: Controls,
    composer: ComposerName = "learned",
) -> Prompts:
    """Encode the prompts, and the negative prompt or the null text for guidance.

    All that reads the words of a prompt reads `Prompts.texts`: here they are put into English.

    Args:
        networks: the model's networks.
        prompts: one per piece, in any language that `english_prompt` knows.
        negative_prompt: an empty one is the null text.
        asked: given controls; tempo and key are read from the prompts if not given.
        composer: "none" leaves the prompts to the text encoder alone.

    Raises:
        ConfigError: the network does not take one of the controls.
    """
    from jen1cli.composition.languages import english_prompt  # many files: not for a first import

    _check_supported(networks, asked)
    encoder = networks.text_encoder
    texts = tuple(map(english_prompt, prompts))
    negative = english_prompt(negative_prompt)
    _warn_unknown(encoder, (*texts, negative))
    positive = [encoder.encode([text]) if text else encoder.null(1) for text in texts]
    null = encoder.encode([negative]) if negative else encoder.null(1)
    reads = composer != "none"
    controls = tuple(asked.over(read_controls(text)) if reads else asked for text in texts)
    text, mask = join(*positive, *[null] * len(prompts))
    return Prompts(text.cpu(), mask.cpu(), controls, texts)


def _warn_unknown(encoder: TextEncoder, texts: Sequence[str]) -> None:
    if encoder.vocabulary is None:
        return
    unknown = dict.fromkeys(word for text in texts for word in encoder.vocabulary.unknown(text))
    if unknown:
        words = shorten(", ".join(unknown), 160, placeholder=" ...")
        logger.warning(
            "the music may not follow: %s (no caption that the model learned from has it)", words
        )


def joined_prompts(pieces: Sequence[Prompts], *, tokens: int = 0) -> Prompts:
    """Join encoded prompts to one batch.

    Args:
        pieces: one or more prompts each.
        tokens: least number of tokens to pad the texts to; 0: those of the longest.
    """
    positive = [(piece.text[: piece.batch], piece.mask[: piece.batch]) for piece in pieces]
    negative = [(piece.text[piece.batch :], piece.mask[piece.batch :]) for piece in pieces]
    text, mask = join(*positive, *negative)
    spare = max(0, tokens - text.shape[1])
    text = nn.functional.pad(text, (0, 0, 0, spare))
    mask = nn.functional.pad(mask, (0, spare), value=False)
    controls = tuple(one for piece in pieces for one in piece.controls)
    return Prompts(text, mask, controls, tuple(one for piece in pieces for one in piece.texts))


def text_on_device(prompts: Prompts, device: torch.device) -> tuple[Text, TextMask]:
    """Return text and mask on a device; on a GPU, padded for fast attention.

    The U-Net puts one token in front (`TextEmbedding`). Kernels of masked attention need multiples
    of 8, to which torch pads in every call otherwise.
    """
    text, mask = prompts.text, prompts.mask
    if device.type == "cuda":
        spare = -(text.shape[1] + 1) % TOKEN_MULTIPLE
        text = nn.functional.pad(text, (0, 0, 0, spare))
        mask = nn.functional.pad(mask, (0, spare), value=False)
    return to_device(text, device), to_device(mask, device)


def _check_supported(networks: Networks, asked: Controls) -> None:
    channels = networks.unet.config.control_channels
    for what, given, needed in (
        ("chords", asked.chords, CHANNELS_WITH_CHORDS),
        ("drum pattern", asked.drums, CHANNELS_WITH_PARTS),
        ("melody", asked.melody, CHANNELS_WITH_PARTS),
    ):
        if given and channels < needed:
            raise ConfigError(f"this model takes no {what}; leave it out, or choose another model")
    if asked != NO_CONTROLS and not channels:
        raise ConfigError("this model takes tempo and key from the prompt only; write them there")


def seeded(seed: int) -> torch.Generator:
    """Return the generator of a piece, on the CPU, so that noise does not depend on the device."""
    return torch.Generator(device="cpu").manual_seed(seed)


def seeded_noise(seed: int, variations: Sequence[Variation] = ()) -> Noise:
    """Return the noise of a piece, with its variations mixed in."""
    return Noise(seeded(seed), [(seeded(item.seed), item.amount) for item in variations])


def fill(
    networks: Networks,
    canvas: Canvas,
    windows: Sequence[Window],
    prompts: Prompts,
    sampling: Sampling,
    noises: Sequence[Noise],
    progress: Progress | None = None,
    *,
    start: Start | None = None,
) -> Latent:
    """Sample the windows in order; each is conditioned on the windows before it.

    Args:
        networks: the model's networks.
        canvas: known frames; not modified.
        windows: result of `plan_windows`.
        prompts: encoded prompts of all pieces of the canvas.
        sampling: settings.
        noises: one per piece, so that it does not depend on the batch.
        progress: called with (steps done, steps in all).
        start: latent of the whole canvas from which sampling starts; None: from noise.

    Returns:
        the latent with all windows filled; known frames are bit-identical.
    """
    states = _filled(networks, canvas, windows, prompts, sampling, noises, progress, start=start)
    return [canvas.latent, *states][-1]


@torch.inference_mode()
def sampled_windows(
    networks: Networks,
    canvas: Canvas,
    windows: Sequence[Window],
    prompts: Prompts,
    sampling: Sampling,
    noises: Sequence[Noise],
    progress: Progress | None = None,
) -> Iterator[Latent]:
    """Yield what each window of `fill` generates, unwhitened; each has one unknown interval."""
    states = _filled(networks, canvas, windows, prompts, sampling, noises, progress)
    for window, latent in zip(windows, states, strict=True):
        ((start, stop),) = window.unknown
        # the whole canvas, so that matrix products have the same bits as for a whole piece
        yield networks.whitening.unwhiten(latent)[..., start:stop]


def _filled(
    networks: Networks,
    canvas: Canvas,
    windows: Sequence[Window],
    prompts: Prompts,
    sampling: Sampling,
    noises: Sequence[Noise],
    progress: Progress | None = None,
    *,
    start: Start | None = None,
) -> Iterator[Latent]:
    """Yield the latent, one tensor that changes, after each window of `fill`."""
    latent = canvas.latent.clone()
    for index, window in enumerate(windows):
        inside = slice(window.start, window.stop)
        keep_mask = window.conditioning.keep_mask.to(networks.device)
        part = Canvas(latent[..., inside], keep_mask.expand(prompts.batch, -1, -1))
        context_is_recorded = torch.equal(part.known, canvas.known[..., inside])
        x = sample_canvas(
            networks,
            part,
            _controls_of(networks, prompts.controls, window),
            prompts,
            # guidance towards generated context removes high frequencies, more with each window,
            # so it is left out
            sampling
            if context_is_recorded
            else dataclasses.replace(sampling, context_guidance_interval=(0.0, 0.0)),
            noises,
            part_of(progress, index, len(windows)),
            causal=window.conditioning.causal,
            start=start and dataclasses.replace(start, latent=start.latent[..., inside]),
        )
        for first, last in window.unknown:
            latent[..., first:last] = x[..., first - window.start : last - window.start]
        yield latent


def sample_canvas(
    networks: Networks,
    part: Canvas,
    controls: ControlChannels | None,
    prompts: Prompts,
    sampling: Sampling,
    noises: Sequence[Noise],
    progress: Progress | None = None,
    *,
    causal: bool = False,
    start: Start | None = None,
    unet: Callable[..., Latent] | None = None,
) -> Latent:
    """Sample all unknown frames of a canvas at once.

    Args:
        networks: the model's networks.
        part: canvas whose known frames condition the others.
        controls: channels of the canvas, on the device; None for a network that takes none.
        prompts: encoded prompts of all pieces of the canvas.
        sampling: settings.
        noises: one per piece.
        progress: called with (steps done, steps in all).
        causal: direction.
        start: latent from which sampling starts; None: from noise.
        unet: called in place of the network of `unet_of`.

    Returns:
        the latent; known frames are bit-identical.
    """
    unet = unet or unet_of(networks, sampling)
    shape = part.latent.shape[1:]
    noise = torch.stack([each.draw(shape) for each in noises])
    conditioned = tasks.make_context(part.latent, part.known, controls)
    text, text_mask = text_on_device(prompts, networks.device)
    no_controls = controls if controls is None else torch.zeros_like(controls)
    no_known = torch.zeros_like(part.known)

    @functools.cache
    def contexts(without_controls: bool, without_known: bool) -> Tensor:
        contrast = tasks.make_context(
            part.latent,
            no_known if without_known else part.known,
            no_controls if without_controls else controls,
        )
        return torch.cat([conditioned, contrast])

    def both(time: float) -> Predict:
        # guidance on the controls degrades timbre, so it is limited to an interval of t
        context = contexts(
            in_interval(time, sampling.control_guidance_interval),
            in_interval(time, sampling.context_guidance_interval),
        )
        return lambda x_t, t: unet(
            x_t, t, context=context, text=text, text_mask=text_mask, causal=causal
        )

    def conditional(x_t: Tensor, t: Tensor) -> Tensor:
        half = prompts.batch
        return unet(
            x_t,
            t,
            context=conditioned,
            text=text[:half],
            text_mask=text_mask[:half],
            causal=causal,
        )

    predict = guide_batched(
        conditional,
        PredictByTime(both),
        scale=1.0 if sampling.distilled else sampling.guidance_scale,
        interval=sampling.guidance_interval,
        rescale=sampling.guidance_rescale,
        change=_level_change(networks, sampling.level_guidance),
    )
    return sample(
        Denoiser(predict, networks.schedule, networks.prediction),
        to_device(noise, networks.device),
        sampler=sampling.sampler,  # type: ignore[arg-type] - checked by Sampling.over
        steps=sampling.steps,
        eta=sampling.eta,
        generator=list(noises),
        known=Known(part.latent, part.known) if bool(part.known.any()) else None,
        start=start,
        progress=progress,
    )


def unet_of(networks: Networks, sampling: Sampling) -> Callable[..., Latent]:
    """Return the U-Net of a sampling.

    Raises:
        ConfigError: the model has no distilled one.
    """
    if not sampling.distilled:
        return networks.call_unet
    if networks.call_distilled is None:
        raise ConfigError(
            "this model has no network with distilled guidance; make one with jen1 train distill"
        )
    return networks.call_distilled


def _level_change(networks: Networks, factor: float) -> Change | None:
    if factor == 1.0:
        return None
    if networks.level_axes is None:
        raise ConfigError("this model has no level axes; leave level_guidance out")
    return scaled_along(networks.level_axes, factor)


def _controls_of(
    networks: Networks, controls: Sequence[Controls], window: Window
) -> ControlChannels | None:
    channels = networks.unet.config.control_channels
    if not channels:
        return None
    rate = networks.frame_rate
    starts = [window.start / rate] * len(controls)
    found = control_channels(controls, starts, window.frames, rate, channels)
    return to_device(found, networks.device)
