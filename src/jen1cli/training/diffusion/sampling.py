"""Generation inside training: latents of the three tasks from the network being trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jen1cli.conditioning.guiding import GuideChannels
from jen1cli.config import GenerationConfig
from jen1cli.diffusion import Denoiser, Known, guide_batched, sample
from jen1cli.shapes import KeepMask, Latent
from jen1cli.tasks import make_context
from jen1cli.training.diffusion.objective import Objective
from jen1cli.training.diffusion.texts import TextCache


@dataclass(frozen=True)
class Request:
    """What to generate."""

    captions: Sequence[str]
    latent: Latent  # what is kept; any values elsewhere
    keep_mask: KeepMask
    causal: bool = False
    seed: int = 0
    guide: GuideChannels | None = None  # where the network takes one


def sample_latents(
    objective: Objective, texts: TextCache, request: Request, settings: GenerationConfig
) -> Latent:
    """Sample one latent for each caption, with guidance against the null text.

    Args:
        objective: holds the network; put it into evaluation mode first.
        texts: caption embeddings.
        request: captions, known frames and direction.
        settings: sampler, steps and guidance.
    """
    device = request.latent.device
    context = make_context(request.latent, request.keep_mask, request.guide)
    text, text_mask = _both(objective, texts, request.captions, device)

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        count = len(x_t)
        repeat = count // len(request.captions)
        found = objective.unet(
            x_t,
            t,
            context=context.repeat(repeat, 1, 1),
            text=text[:count],
            text_mask=text_mask[:count],
            causal=request.causal,
        )
        return found.float()

    guided = guide_batched(
        predict,
        predict,
        scale=settings.guidance_scale,
        interval=settings.guidance_interval,
        rescale=settings.guidance_rescale,
    )
    generator = torch.Generator().manual_seed(request.seed)
    noise = torch.randn(request.latent.shape, generator=generator).to(device)
    known = Known(request.latent, request.keep_mask) if request.keep_mask.any() else None
    return sample(
        Denoiser(guided, objective.schedule, objective.prediction),
        noise,
        sampler=settings.sampler,
        steps=settings.steps,
        eta=settings.eta,
        generator=generator,
        known=known,
    )


def _both(
    objective: Objective, texts: TextCache, captions: Sequence[str], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the captions' text and, in the second half of the batch, the null text."""
    text, text_mask = texts([*captions, *("" for _ in captions)])
    null = torch.tensor([not c for c in captions] + [True] * len(captions), device=device)
    return objective.with_null(text.to(device), text_mask.to(device), null)
