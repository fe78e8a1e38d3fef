"""On a CUDA device: the same seed gives the same music as on the CPU, within a stated tolerance.

Noise is drawn on the CPU, so only arithmetic differs. Tolerances, as relative error of the latent
(norm of the difference over the norm): float32 1e-3, bfloat16 0.05 after ten guided steps.
"""

import pytest
import torch

from jen1cli import tasks
from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Denoiser, Known, Schedule, guide_batched, sample
from jen1cli.presets import MINI, TINY
from support import unet_inputs, unet_without_zeros

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.05}
FRAMES = 61


def conditionings():
    return {
        "generate": tasks.generate(FRAMES, 2),
        "inpaint": tasks.inpaint(FRAMES, [(20, 40)], 2),
        "continue": tasks.continuation(FRAMES, 25, 2),
    }


def make(config, task, device, dtype):
    """Sample ten guided steps of one task."""
    unet = unet_without_zeros(config, dtype=dtype).eval().to(device)
    inputs = unet_inputs(config, FRAMES, seed=3)
    conditioning = conditionings()[task]
    keep_mask, clip = conditioning.keep_mask.to(device), inputs["x_t"].to(device)
    context = tasks.make_context(clip, keep_mask)
    text = inputs["text"].to(device)
    mask = inputs["text_mask"].to(device)
    causal = conditioning.causal

    def conditional(x_t, t):
        return unet(x_t, t, context=context, text=text, text_mask=mask, causal=causal)

    def doubled(x_t, t):
        texts, masks = torch.cat([text, torch.zeros_like(text)]), torch.cat([mask, mask])
        contexts = torch.cat([context, context])
        return unet(x_t, t, context=contexts, text=texts, text_mask=masks, causal=causal)

    denoiser = Denoiser(
        guide_batched(conditional, doubled, scale=2.0),
        Schedule(DiffusionConfig(schedule="cosine", prediction="v")),
        "v",
    )
    noise = torch.randn(clip.shape, generator=torch.Generator().manual_seed(5)).to(device)
    with torch.inference_mode():
        known = Known(clip, keep_mask)
        return sample(denoiser, noise, sampler="dpmpp-2m", steps=10, known=known).cpu(), keep_mask


@pytest.mark.parametrize("task", ["generate", "inpaint", "continue"])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("config", [TINY.unet, MINI.unet], ids=["tiny", "mini"])
def test_same_seed_agrees_with_the_cpu(config, dtype, task):
    expected, keep_mask = make(config, task, "cpu", torch.float32)
    latent, _ = make(config, task, "cuda", dtype)
    assert (latent - expected).norm() / expected.norm() < TOLERANCE[dtype]
    kept = keep_mask.expand_as(latent)
    assert torch.equal(latent[kept], expected[kept])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_causal_output_ignores_the_future_within_rounding(dtype):
    unet = unet_without_zeros(MINI.unet, dtype=dtype).eval().cuda()
    inputs = {name: value.cuda() for name, value in unet_inputs(MINI.unet, 90).items()}
    changed = {**inputs, "x_t": inputs["x_t"].clone()}
    changed["x_t"][..., 50:] += 2.0
    with torch.inference_mode():
        output, other = unet(**inputs, causal=True), unet(**changed, causal=True)
    torch.testing.assert_close(output[..., :50], other[..., :50], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(output[..., 50:], other[..., 50:], atol=1e-2)


def test_training_step_in_bfloat16_has_finite_gradients():
    unet = unet_without_zeros(TINY.unet).cuda()
    inputs = {name: value.cuda() for name, value in unet_inputs(TINY.unet, 33).items()}
    for causal in (False, True):
        with torch.autocast("cuda", torch.bfloat16):
            loss = unet(**inputs, causal=causal).float().square().mean()
        loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in unet.parameters())
