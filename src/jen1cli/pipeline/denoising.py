"""Fill the unknown windows of a latent canvas: text, task, guidance and sampler put together."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from jen1cli import tasks
from jen1cli.conditioning import join
from jen1cli.conditioning.controls.channels import ControlChannels, control_channels
from jen1cli.conditioning.controls.transcription import TranscribedLoop
from jen1cli.diffusion import Denoiser, Known, guide_batched, in_interval, sample
from jen1cli.errors import ConfigError
from jen1cli.music.controls import CHANNELS_WITH_CHORDS, CHANNELS_WITH_PARTS, NO_CONTROLS, Controls
from jen1cli.music.prompt import read_controls
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.windows import Window
from jen1cli.progress import Progress
from jen1cli.sampling import Sampling
from jen1cli.shapes import KeepMask, Latent


@dataclass(frozen=True)
class Canvas:
    """Whitened latents of some pieces of music, and which of their frames are known."""

    latent: Latent  # anything where unknown
    known: KeepMask

    @classmethod
    def empty(cls, networks: Networks, frames: int, batch: int = 1) -> "Canvas":
        """Return a canvas of which nothing is known."""
        channels = networks.unet.config.latent_channels
        latent = torch.zeros(batch, channels, frames, device=networks.device)
        return cls(latent, torch.zeros(batch, 1, frames, dtype=torch.bool, device=networks.device))


@dataclass(frozen=True)
class Prompts:
    """Encoded text of a batch, doubled: first the prompts, then what guidance leads away from."""

    text: Float[Tensor, "two_batch tokens features"]
    mask: Bool[Tensor, "two_batch tokens"]
    # one a piece, on the canvas' clock; networks may take none
    controls: tuple[Controls, ...] = ()

    @property
    def batch(self) -> int:
        """Number of pieces."""
        return len(self.text) // 2


def encode_prompts(
    networks: Networks, prompts: Sequence[str], negative_prompt: str, asked: Controls
) -> Prompts:
    """Encode the prompts and, beside them, the negative prompt or the null text.

    Args:
        networks: of the model.
        prompts: one for each piece.
        negative_prompt: empty for the null text.
        asked: tempo, key, chords, drums and melody; what it leaves open is read from the prompts.

    Raises:
        ConfigError: the network does not take what is asked.
    """
    _check_supported(networks, asked)
    encoder = networks.text_encoder
    positive = [encoder.encode([prompt]) if prompt else encoder.null(1) for prompt in prompts]
    null = encoder.encode([negative_prompt]) if negative_prompt else encoder.null(1)
    controls = tuple(asked.over(read_controls(prompt)) for prompt in prompts)
    return Prompts(*join(*positive, *[null] * len(prompts)), controls)


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


def predict_controls(
    networks: Networks, prompts: Prompts, seeds: Sequence[int], seconds: float
) -> Prompts:
    """Predict from the text what the controls of pieces of a length leave open."""
    found = prompts.controls
    if networks.predictor is not None:
        found = tuple(
            networks.predictor.complete(
                one, prompts.text[i : i + 1], prompts.mask[i : i + 1], seeded(seed), seconds
            )
            for i, (one, seed) in enumerate(zip(found, seeds, strict=True))
        )
    return dataclasses.replace(prompts, controls=tuple(one.with_bar_at(0.0) for one in found))


def transcribe_controls(
    networks: Networks,
    prompts: Prompts,
    canvas: Canvas,
    start: int,
    generator: torch.Generator,
) -> Prompts:
    """Transcribe what the controls of one piece leave open from the known music.

    Where tempo and bar are known then, chords, drums and melody continue the transcription; with a
    tracker that does not transcribe them, chords that go with the key are drawn.

    Args:
        networks: of the model.
        prompts: of one piece; its controls' clock is the piece's.
        canvas: a part of the piece.
        start: frame of the piece at which the canvas begins, and from now on the controls' clock.
        generator: of the draw, on the CPU.
    """
    controls = prompts.controls[0].shifted(-start / networks.frame_rate)
    transcribed: TranscribedLoop | None = None
    if networks.tracker is not None:
        music = (canvas.latent, canvas.known, networks.frame_rate)
        controls = networks.tracker.track(*music, controls)
        transcribed = networks.tracker.loop(*music, controls)
    # what is asked for begins where music is made
    hole = int(canvas.known[0, 0].int().argmin()) / networks.frame_rate
    controls = controls.with_bar_at(hole)
    text = (prompts.text[:1], prompts.mask[:1], generator)
    if networks.predictor is not None and transcribed is not None:
        controls = networks.predictor.continue_loop(controls, transcribed, *text)
    elif networks.predictor is not None:
        controls = networks.predictor.with_chords(controls, *text).with_bar_at(hole)
    return dataclasses.replace(prompts, controls=(controls,))


def seeded(seed: int) -> torch.Generator:
    """Return the generator of a piece: on the CPU, so that all devices draw the same."""
    return torch.Generator(device="cpu").manual_seed(seed)


def fill(
    networks: Networks,
    canvas: Canvas,
    windows: Sequence[Window],
    prompts: Prompts,
    sampling: Sampling,
    generators: Sequence[torch.Generator],
    progress: Progress | None = None,
) -> Latent:
    """Sample the windows one after the other; each knows what was made before it.

    Args:
        networks: of the model.
        canvas: what is known; not changed.
        windows: as `plan_windows` gives them.
        prompts: encoded, for as many pieces as the canvas has.
        sampling: settings.
        generators: on the CPU, one for each piece: its noise does not depend on its neighbours.
        progress: called with (steps done, steps in all).

    Returns:
        the latent with the windows' unknown frames made; known frames are bit-identical.
    """
    latent = canvas.latent.clone()
    for index, window in enumerate(windows):
        inside = slice(window.start, window.stop)
        keep_mask = window.conditioning.keep_mask.to(networks.device)
        part = Canvas(latent[..., inside], keep_mask.expand(prompts.batch, -1, -1))
        found = torch.equal(part.known, canvas.known[..., inside])
        x = _sample_window(
            networks,
            part,
            window,
            prompts,
            # guidance towards music that was itself generated hollows out the spectrum, window by
            # window
            sampling
            if found
            else dataclasses.replace(sampling, context_guidance_interval=(0.0, 0.0)),
            generators,
            shifted(progress, index * sampling.steps, len(windows) * sampling.steps),
        )
        for start, stop in window.unknown:
            latent[..., start:stop] = x[..., start - window.start : stop - window.start]
    return latent


def _sample_window(
    networks: Networks,
    part: Canvas,
    window: Window,
    prompts: Prompts,
    sampling: Sampling,
    generators: Sequence[torch.Generator],
    progress: Progress | None,
) -> Latent:
    shape = part.latent.shape[1:]
    noise = torch.stack([torch.randn(shape, generator=each) for each in generators])
    controls = _controls_of(networks, prompts.controls, window)
    conditioned = tasks.make_context(part.latent, part.known, controls)
    null = controls if controls is None else torch.zeros_like(controls)
    nothing = torch.zeros_like(part.known)

    def both(x_t: Tensor, t: Tensor) -> Tensor:
        # strengthened at all times, drums and melody would drown the timbre
        weaker = null if in_interval(t, sampling.control_guidance_interval) else controls
        known = nothing if in_interval(t, sampling.context_guidance_interval) else part.known
        away = tasks.make_context(part.latent, known, weaker)
        return networks.unet(
            x_t,
            t,
            context=torch.cat([conditioned, away]),
            text=prompts.text,
            text_mask=prompts.mask,
            causal=window.conditioning.causal,
        )

    def conditional(x_t: Tensor, t: Tensor) -> Tensor:
        half = prompts.batch
        return networks.unet(
            x_t,
            t,
            context=conditioned,
            text=prompts.text[:half],
            text_mask=prompts.mask[:half],
            causal=window.conditioning.causal,
        )

    predict = guide_batched(
        conditional,
        both,
        scale=sampling.guidance_scale,
        interval=sampling.guidance_interval,
        rescale=sampling.guidance_rescale,
    )
    return sample(
        Denoiser(predict, networks.schedule, networks.prediction),
        noise.to(networks.device),
        sampler=sampling.sampler,  # type: ignore[arg-type] - checked by Sampling.over
        steps=sampling.steps,
        eta=sampling.eta,
        generator=list(generators),
        known=Known(part.latent, part.known) if bool(part.known.any()) else None,
        progress=progress,
    )


def _controls_of(
    networks: Networks, controls: Sequence[Controls], window: Window
) -> ControlChannels | None:
    channels = networks.unet.config.control_channels
    if not channels:
        return None
    rate = networks.frame_rate
    starts = [window.start / rate] * len(controls)
    found = control_channels(controls, starts, window.frames, rate, channels)
    return found.to(networks.device)


def shifted(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Return a callback that counts on from `done` towards `total`."""
    if progress is None:
        return None
    return lambda step, _: progress(done + step, total)
