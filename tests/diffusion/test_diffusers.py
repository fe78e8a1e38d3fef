"""Our samplers against diffusers' schedulers, every intermediate latent compared.

Both visit the same levels: diffusers' timestep i - 1 ("trailing" spacing) is our t = i / 1000.
Tolerance 1e-5 of float32; measured 7e-7. In float64, with its table replaced by a float64 one,
DDIM agrees to 1e-9.
"""

import pytest
import torch

from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Denoiser, Schedule, sample

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STEPS = 20
SETTINGS = {"num_train_timesteps": 1000, "timestep_spacing": "trailing"}
BETAS = {"linear": "linear", "sqrt-linear": "scaled_linear"}
PREDICTIONS = {"eps": "epsilon", "v": "v_prediction"}


def schedulers():
    """Import diffusers in the worker that compares with it alone: that takes seconds."""
    return pytest.importorskip("diffusers")


def network(x_t, t):
    """Anything that is smooth, depends on t and does not explode."""
    return 0.6 * x_t + 0.3 * torch.tanh(2 * x_t.roll(1, -1) + t.to(x_t).view(-1, 1, 1))


def theirs(scheduler, start, generator=None):
    scheduler.set_timesteps(STEPS)
    x_t, path = start, []
    settings = {} if generator is None else {"generator": generator}
    for timestep in scheduler.timesteps:
        t = torch.full((len(start),), (int(timestep) + 1) / 1000, dtype=start.dtype)
        x_t = scheduler.step(network(x_t, t), timestep, x_t, **settings).prev_sample
        path.append(x_t)
    return path


def ours(config, start, sampler, **settings):
    path = []

    def predict(x_t, t):
        path.append(x_t)
        return network(x_t, t)

    denoiser = Denoiser(predict, Schedule(config), config.prediction)
    times = [1 - step / STEPS for step in range(STEPS)] + [0.0]
    result = sample(denoiser, start, sampler=sampler, steps=STEPS, times=times, **settings)
    return [*path[1:], result]


def start(dtype=torch.float32):
    return torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0), dtype=dtype)


def assert_same_path(ours, theirs, atol=1e-5):
    assert len(ours) == len(theirs) == STEPS
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=atol, rtol=atol)


@pytest.fixture(params=["linear", "sqrt-linear"])
def name(request):
    return request.param


@pytest.fixture(params=["eps", "v"])
def config(request, name):
    return DiffusionConfig(schedule=name, prediction=request.param)


def common(config):
    return {
        **SETTINGS,
        "beta_start": config.beta_start,
        "beta_end": config.beta_end,
        "beta_schedule": BETAS[config.schedule],
        "prediction_type": PREDICTIONS[config.prediction],
    }


def ddim(config):
    return schedulers().DDIMScheduler(**common(config), clip_sample=False, set_alpha_to_one=True)


def test_ddim(config):
    assert_same_path(ours(config, start(), "ddim"), theirs(ddim(config), start()))


def test_ddim_agrees_to_float64_with_a_float64_table(config):
    scheduler = ddim(config)
    levels = Schedule(config)
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    scheduler.alphas_cumprod = levels.alpha(t) ** 2
    scheduler.final_alpha_cumprod = torch.ones((), dtype=torch.float64)
    path = ours(config, start(torch.float64), "ddim")
    denoised = theirs(scheduler, start(torch.float64))
    assert_same_path(path, denoised, atol=1e-9)


def test_ddpm(config):
    scheduler = schedulers().DDPMScheduler(
        **common(config), clip_sample=False, variance_type="fixed_small"
    )
    noisy = [torch.Generator().manual_seed(7) for _ in range(2)]
    mine = ours(config, start(), "ddpm", generator=noisy[0])
    assert_same_path(mine, theirs(scheduler, start(), noisy[1]))


def test_dpm_solver_2m(config):
    scheduler = schedulers().DPMSolverMultistepScheduler(
        **common(config),
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        final_sigmas_type="zero",
    )
    assert_same_path(ours(config, start(), "dpmpp-2m"), theirs(scheduler, start()))


def test_unipc(config):
    scheduler = schedulers().UniPCMultistepScheduler(
        **common(config),
        solver_order=2,
        solver_type="bh2",
        predict_x0=True,
        final_sigmas_type="zero",
    )
    assert_same_path(ours(config, start(), "unipc"), theirs(scheduler, start()))
