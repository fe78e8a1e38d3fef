import pytest
import torch

from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Schedule, target
from jen1cli.diffusion.denoiser import to_x

T = torch.tensor([0.05, 0.3, 0.6, 0.95])
PREDICTIONS = ["eps", "v"]


def clip_and_noise():
    generator = torch.Generator().manual_seed(0)
    x = 4.0 * torch.randn(4, 3, 7, generator=generator, dtype=torch.float64)
    eps = torch.randn(4, 3, 7, generator=generator, dtype=torch.float64)
    return x, eps


@pytest.mark.parametrize("name", ["linear", "sqrt-linear", "cosine"])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_line_14_oracle_recovers_batch_of_four_with_different_times(name, prediction):
    x, eps = clip_and_noise()
    t = T.double()
    schedule = Schedule(DiffusionConfig(schedule=name))
    x_t = schedule.add_noise(x, eps, t)
    output = target(x, eps, t, schedule, prediction)
    found = to_x(output, x_t, schedule.alpha(t), schedule.sigma(t), prediction)
    torch.testing.assert_close(found, x)


def test_v_is_built_from_the_clean_latent():
    x, eps = clip_and_noise()
    schedule = Schedule(DiffusionConfig())
    v = target(x, eps, T.double(), schedule, "v")
    alpha = schedule.alpha(T.double()).view(4, 1, 1)
    torch.testing.assert_close(v, alpha * eps - (1 - alpha**2).sqrt() * x)


def test_line_3_loss_path_knows_no_guidance():
    """In training the network sees exactly the batch; the target needs no guidance."""
    import jen1cli.diffusion.denoiser as denoiser
    import jen1cli.diffusion.schedule as schedule

    assert "guide_batched" not in set(vars(denoiser)) | set(vars(schedule))
