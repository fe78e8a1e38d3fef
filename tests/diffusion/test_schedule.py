import pytest
import torch

from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Schedule

NAMES = ["linear", "sqrt-linear", "cosine"]


def schedule(name):
    return Schedule(DiffusionConfig(schedule=name))


@pytest.mark.parametrize(
    ("name", "middle", "end"), [("linear", 0.0494, 2.57e-5), ("sqrt-linear", 0.1158, 1.42e-4)]
)
def test_line_13_alpha_bar_is_the_papers(name, middle, end):
    """Paper section 8's table: betas from 0.0015 to 0.0195 in both readings of "linear"."""
    alpha = schedule(name).alpha(torch.tensor([0.5, 1.0], dtype=torch.float64))
    assert (alpha**2).tolist() == pytest.approx([middle, end], rel=5e-3)


def test_defaults_are_the_papers():
    config = DiffusionConfig()
    assert (config.beta_start, config.beta_end, config.num_timesteps) == (0.0015, 0.0195, 1000)
    assert (config.schedule, config.prediction) == ("linear", "eps")


@pytest.mark.parametrize("name", ["linear", "sqrt-linear"])
def test_discrete_steps_lie_on_the_continuous_time(name):
    config = DiffusionConfig(schedule=name)
    if name == "linear":
        betas = torch.linspace(0.0015, 0.0195, 1000, dtype=torch.float64)
    else:
        betas = torch.linspace(0.0015**0.5, 0.0195**0.5, 1000, dtype=torch.float64) ** 2
    alpha_bar = torch.cumprod(1 - betas, 0)
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    torch.testing.assert_close(Schedule(config).alpha(t) ** 2, alpha_bar, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_levels_square_to_one_and_snr_falls(name, dtype):
    t = torch.linspace(0, 1, 3001, dtype=dtype)
    levels = schedule(name)
    alpha, sigma = levels.alpha(t), levels.sigma(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(t))
    assert alpha.dtype == sigma.dtype == dtype
    assert (levels.log_snr(t).diff() < 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_ends_are_clean_and_noise(name):
    t = torch.tensor([0.0, 1.0])
    alpha, sigma = schedule(name).alpha(t), schedule(name).sigma(t)
    assert (alpha[0], sigma[0]) == (1, 0)
    assert 0 < alpha[1] < 0.013
    assert sigma[1] == pytest.approx(1, abs=1e-4)


def test_line_1_noise_is_standard_normal_and_so_is_the_end_of_any_clip():
    generator = torch.Generator().manual_seed(1)
    eps = torch.randn(2, 64, 500, generator=generator)
    clip = torch.linspace(-4, 4, 500).expand(2, 64, 500)
    end = Schedule(DiffusionConfig()).add_noise(clip, eps, torch.ones(2))
    for noise in (eps, end):
        assert noise.mean().item() == pytest.approx(0, abs=0.02)
        assert noise.var().item() == pytest.approx(1, abs=0.02)
        kurtosis = ((noise - noise.mean()) / noise.std()).pow(4).mean().item()
        assert kurtosis == pytest.approx(3, abs=0.1)  # uniform noise has 1.8


def test_each_item_gets_its_own_level():
    levels = schedule("linear")
    x, eps = torch.ones(3, 2, 4), torch.zeros(3, 2, 4)
    t = torch.tensor([0.0, 0.4, 0.9])
    torch.testing.assert_close(levels.add_noise(x, eps, t)[:, 0, 0], levels.alpha(t))


@pytest.mark.parametrize("name", NAMES)
def test_time_of_an_angle_is_the_inverse(name):
    levels = schedule(name)
    t = torch.linspace(0, 1, 777, dtype=torch.float64)
    angle = torch.atan2(levels.sigma(t), levels.alpha(t))
    torch.testing.assert_close(levels.time(angle), t, atol=1e-9, rtol=0)
