"""The one test above all (paper section 13), in latents: learn a clip, sample it from its text."""

import dataclasses

import pytest
import torch

from jen1cli import tasks
from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Denoiser, Known, Schedule, guide_batched, sample, target
from jen1cli.presets import TINY
from jen1cli.unet import UNet1d

pytestmark = pytest.mark.heavy

FRAMES, BATCH = 16, 16
CONFIG = dataclasses.replace(
    TINY.unet,
    control_channels=0,
    channels=32,
    multipliers=(1, 1),
    factors=(1, 2),
    num_blocks=(1, 1),
    attention=(False, True),
    causal_convolution="masking",
)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def correlation(first, second):
    return torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].item()


def clips():
    """Two clips, [2, channels, frames], and two prompts, [2, tokens, features]."""
    time = torch.arange(FRAMES) / FRAMES
    pitches = torch.arange(1, 1 + CONFIG.latent_channels)[:, None]
    waves = torch.stack([torch.sin(6 * time * pitches), torch.cos(9 * time * pitches)])
    return 1.4 * waves, torch.randn(2, 3, CONFIG.text_features, generator=generator(1))


def train(prediction, schedule, steps):
    torch.manual_seed(0)
    unet = UNet1d(CONFIG)
    latents, texts = clips()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=4e-3)
    rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    draw = generator(2)
    mask = torch.ones(BATCH, 3, dtype=torch.bool)
    for step in range(steps):
        which = torch.randint(2, (BATCH,), generator=draw)
        null = torch.rand(BATCH, 1, 1, generator=draw) < 0.2
        x, text = latents[which], torch.where(null, 0.0, texts[which])
        eps = torch.randn(x.shape, generator=draw)
        t = (torch.arange(BATCH) + torch.rand(BATCH, generator=draw)) / BATCH
        keep_mask = [
            tasks.generate(FRAMES, BATCH).keep_mask,
            tasks.random_inpaint(FRAMES, BATCH, draw).keep_mask,
            tasks.random_continuation(FRAMES, BATCH, draw).keep_mask,
        ][step % 3]
        output = unet(
            schedule.add_noise(x, eps, t),
            t,
            context=tasks.make_context(x, keep_mask),
            text=text,
            text_mask=mask,
            causal=step % 3 == 2,
        )
        loss = (output - target(x, eps, t, schedule, prediction)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    return unet.eval()


SLOW = pytest.param(("eps", "linear", 1500), marks=pytest.mark.slow)  # eps learns later


@pytest.fixture(scope="module", params=[("v", "cosine", 200), SLOW], ids=["v", "eps"])
def trained(request):
    prediction, name, steps = request.param
    schedule = Schedule(DiffusionConfig(schedule=name))
    return train(prediction, schedule, steps), schedule, prediction


@torch.no_grad()
def make(trained, conditioning, which, sampler="dpmpp-2m"):
    unet, schedule, prediction = trained
    latents, texts = clips()
    mask = torch.ones(2, 3, dtype=torch.bool)
    context = tasks.make_context(latents, conditioning.keep_mask)
    twice = {"context": torch.cat([context, context]), "text_mask": torch.cat([mask, mask])}
    text = torch.cat([texts[which], torch.zeros_like(texts)])

    def doubled(x_t, t):
        return unet(x_t, t, text=text, **twice, causal=conditioning.causal)

    predict = guide_batched(lambda x_t, t: doubled(x_t, t)[:2], doubled, scale=1.5)
    noise = torch.randn(latents.shape, generator=generator(7))
    known = Known(latents, conditioning.keep_mask)
    return sample(
        Denoiser(predict, schedule, prediction), noise, sampler=sampler, steps=16, known=known
    )


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp-2m", "unipc"])
def test_learned_clip_is_sampled_from_its_text(trained, sampler):
    latents, _ = clips()
    for which in ([0, 1], [1, 0]):
        made = make(trained, tasks.generate(FRAMES, 2), which, sampler)
        for item, clip in zip(made, which, strict=True):
            assert correlation(item, latents[clip]) > 0.9
            assert correlation(item, latents[1 - clip]) < 0.6


@pytest.mark.parametrize(
    ("conditioning", "least"),
    [(tasks.inpaint(FRAMES, [(5, 11)], 2), 0.9), (tasks.continuation(FRAMES, 7, 2), 0.7)],
    ids=["inpaint", "continue"],
)
def test_unknown_frames_are_filled_and_known_ones_kept(trained, conditioning, least):
    latents, _ = clips()
    made = make(trained, conditioning, [0, 1])
    kept = conditioning.keep_mask.expand_as(made)
    assert torch.equal(made[kept], latents[kept])
    assert correlation(made[~kept], latents[~kept]) > least
