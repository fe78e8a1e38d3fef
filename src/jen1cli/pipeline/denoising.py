"""Fill the unknown windows of a latent canvas: text, task, guidance and sampler put together."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from jen1cli import tasks
from jen1cli.conditioning import join
from jen1cli.conditioning.guiding import GuideChannels, guide_channels
from jen1cli.conditioning.heard import HeardLoop
from jen1cli.diffusion import Denoiser, Known, guide_batched, in_interval, sample
from jen1cli.errors import ConfigError
from jen1cli.guide import CHORDS_TOLD, NO_GUIDE, PARTS_TOLD, Guide
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.windows import Window
from jen1cli.progress import Progress
from jen1cli.prompt import read_guide
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
    guides: tuple[Guide, ...] = ()  # one a piece, on the canvas' clock; networks may take none

    @property
    def batch(self) -> int:
        """Number of pieces."""
        return len(self.text) // 2


def encode_prompts(
    networks: Networks, prompts: Sequence[str], negative_prompt: str, asked: Guide
) -> Prompts:
    """Encode the prompts and, beside them, the negative prompt or the null text.

    Args:
        networks: of the model.
        prompts: one for each piece.
        negative_prompt: empty for the null text.
        asked: tempo, key, chords, drums and melody; what it leaves open is read from the prompts.

    Raises:
        ConfigError: the network cannot be told what is asked.
    """
    _check_told(networks, asked)
    encoder = networks.text_encoder
    positive = [encoder.encode([prompt]) if prompt else encoder.null(1) for prompt in prompts]
    null = encoder.encode([negative_prompt]) if negative_prompt else encoder.null(1)
    guides = tuple(asked.over(read_guide(prompt)) for prompt in prompts)
    return Prompts(*join(*positive, *[null] * len(prompts)), guides)


def _check_told(networks: Networks, asked: Guide) -> None:
    channels = networks.unet.config.guide_channels
    for what, given, needed in (
        ("chords", asked.chords, CHORDS_TOLD),
        ("drum pattern", asked.drums, PARTS_TOLD),
        ("melody", asked.melody, PARTS_TOLD),
    ):
        if given and channels < needed:
            raise ConfigError(f"this model takes no {what}; leave it out, or choose another model")
    if asked != NO_GUIDE and not channels:
        raise ConfigError("this model takes tempo and key from the prompt only; write them there")


def choose_guides(
    networks: Networks, prompts: Prompts, seeds: Sequence[int], seconds: float
) -> Prompts:
    """Draw what the guides of pieces of a length leave open from what goes with the text."""
    guides = prompts.guides
    if networks.prior is not None:
        guides = tuple(
            networks.prior.complete(
                guide, prompts.text[i : i + 1], prompts.mask[i : i + 1], seeded(seed), seconds
            )
            for i, (guide, seed) in enumerate(zip(guides, seeds, strict=True))
        )
    return dataclasses.replace(prompts, guides=tuple(guide.with_bar_at(0.0) for guide in guides))


def hear_guide(
    networks: Networks,
    prompts: Prompts,
    canvas: Canvas,
    start: int,
    generator: torch.Generator,
) -> Prompts:
    """Hear what the guide of one piece leaves open in the music that is known.

    Where tempo and bar are known then, chords, drums and melody go on from what is heard; of a
    network that does not hear them, chords that go with the key are drawn.

    Args:
        networks: of the model.
        prompts: of one piece; the guide's clock is the piece's.
        canvas: a part of the piece.
        start: frame of the piece at which the canvas begins, and from now on the guide's clock.
        generator: of the draw, on the CPU.
    """
    guide = prompts.guides[0].shifted(-start / networks.frame_rate)
    heard: HeardLoop | None = None
    if networks.tracker is not None:
        music = (canvas.latent, canvas.known, networks.frame_rate)
        guide = networks.tracker.track(*music, guide)
        heard = networks.tracker.loop(*music, guide)
    # what is asked for begins where music is made
    hole = int(canvas.known[0, 0].int().argmin()) / networks.frame_rate
    guide = guide.with_bar_at(hole)
    text = (prompts.text[:1], prompts.mask[:1], generator)
    if networks.prior is not None and heard is not None:
        guide = networks.prior.go_on(guide, heard, *text)
    elif networks.prior is not None:
        guide = networks.prior.with_chords(guide, *text).with_bar_at(hole)
    return dataclasses.replace(prompts, guides=(guide,))


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
            # drawn to what was made itself, window after window, the spectrum would grow hollow
            sampling if found else dataclasses.replace(sampling, context_interval=(0.0, 0.0)),
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
    guide = _guide(networks, prompts.guides, window)
    guided = tasks.make_context(part.latent, part.known, guide)
    untold = guide if guide is None else torch.zeros_like(guide)
    nothing = torch.zeros_like(part.known)

    def both(x_t: Tensor, t: Tensor) -> Tensor:
        # strengthened at all times, drums and melody would drown the timbre
        told = untold if in_interval(t, sampling.guide_interval) else guide
        known = nothing if in_interval(t, sampling.context_interval) else part.known
        away = tasks.make_context(part.latent, known, told)
        return networks.unet(
            x_t,
            t,
            context=torch.cat([guided, away]),
            text=prompts.text,
            text_mask=prompts.mask,
            causal=window.conditioning.causal,
        )

    def conditional(x_t: Tensor, t: Tensor) -> Tensor:
        half = prompts.batch
        return networks.unet(
            x_t,
            t,
            context=guided,
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


def _guide(networks: Networks, guides: Sequence[Guide], window: Window) -> GuideChannels | None:
    channels = networks.unet.config.guide_channels
    if not channels:
        return None
    rate = networks.frame_rate
    starts = [window.start / rate] * len(guides)
    return guide_channels(guides, starts, window.frames, rate, channels).to(networks.device)


def shifted(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Return a callback that counts on from `done` towards `total`."""
    if progress is None:
        return None
    return lambda step, _: progress(done + step, total)
