import inspect
import itertools
import math

import pytest
import torch

from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import (
    Denoiser,
    Known,
    Schedule,
    guide_batched,
    sample,
    samplers,
    target,
    time_grid,
)
from support import gaussian_predict

SAMPLERS = ["ddpm", "ddim", "dpmpp-2m", "unipc"]
MEAN, STD = 0.7, 0.3


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(batch=2, channels=3, frames=8, seed=0, dtype=torch.float32):
    return torch.randn(batch, channels, frames, generator=generator(seed), dtype=dtype)


def gaussian(schedule="linear"):
    levels = Schedule(DiffusionConfig(schedule=schedule))
    return Denoiser(gaussian_predict(levels, MEAN, STD), levels, "eps")


def oracle(x, start, prediction="eps", schedule="linear"):
    """The denoiser that knows the one clip there is."""
    levels = Schedule(DiffusionConfig(schedule=schedule))

    def predict(x_t, t):
        alpha, sigma = (level(t.double()).view(-1, 1, 1) for level in (levels.alpha, levels.sigma))
        eps = (x_t - alpha * x) / sigma
        return target(x, eps, t, levels, prediction).to(x_t.dtype)

    return Denoiser(predict, levels, prediction)


def run(denoiser, start, sampler, steps, **settings):
    return sample(denoiser, start, sampler=sampler, steps=steps, generator=generator(9), **settings)


@pytest.mark.heavy
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("schedule", ["linear", "sqrt-linear", "cosine"])
def test_gaussian_gets_its_mean_and_spread(sampler, schedule):
    steps = 1000 if sampler in ("ddpm", "ddim") else 32
    result = run(gaussian(schedule), noise(4, 16, 100), sampler, steps)
    assert result.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert result.std().item() == pytest.approx(STD, rel=0.035)


def test_ddim_spread_grows_with_steps_as_measured():
    """First order: 0.239, 0.286, 0.297 at 10, 50, 200 steps, towards 0.3."""
    start = noise(4, 16, 500)
    spreads = [
        run(gaussian("cosine"), start, "ddim", steps).std().item() for steps in (10, 50, 200)
    ]
    assert spreads == pytest.approx([0.239, 0.286, 0.297], abs=0.003)


@pytest.mark.parametrize(
    ("sampler", "least", "most"), [("ddim", 0.8, 1.3), ("dpmpp-2m", 1.8, 2.6), ("unipc", 1.8, 4.2)]
)
def test_error_shrinks_at_the_order_of_the_sampler(sampler, least, most):
    """Between two noise levels, where the exact solution of the ODE is known in closed form."""
    denoiser = gaussian("cosine")
    levels = denoiser.schedule
    ends = torch.tensor([0.9, 0.3], dtype=torch.float64)
    alpha, sigma = levels.alpha(ends), levels.sigma(ends)
    spread = (alpha**2 * STD**2 + sigma**2).sqrt()
    start = noise(dtype=torch.float64)
    exact = alpha[1] * MEAN + spread[1] / spread[0] * (start - alpha[0] * MEAN)
    errors, counts = [], [16, 32, 64, 128]
    for steps in counts:
        times = torch.linspace(0.9, 0.3, steps + 1, dtype=torch.float64).tolist()
        result = run(denoiser, start, sampler, steps, times=times)
        errors.append((result - exact).abs().max().item())
    orders = [math.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert least < orders[-1] < most, (errors, orders)


def test_ddim_with_eta_one_is_ddpm():
    ancestral = run(gaussian(), noise(), "ddpm", 30)
    assert torch.equal(run(gaussian(), noise(), "ddim", 30, eta=1.0), ancestral)
    assert not torch.allclose(run(gaussian(), noise(), "ddim", 30, eta=0.5), ancestral)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_seed_gives_the_same_bytes_and_another_does_not(sampler):
    first, again = (run(gaussian(), noise(), sampler, 5) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, run(gaussian(), noise(seed=1), sampler, 5))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_line_2_every_step_asks_the_denoiser_once_and_the_output_moves(sampler, steps):
    times = []
    denoiser = gaussian()
    inner = denoiser.predict

    def predict(x_t, t):
        times.append(t.tolist())
        return inner(x_t, t)

    denoiser.predict = predict
    result = run(denoiser, noise(), sampler, steps)
    assert len(times) == steps
    assert times[0] == [1.0, 1.0]
    assert [first for first, _ in times] == sorted((a for a, _ in times), reverse=True)
    assert not torch.equal(result, noise())


def test_line_2_sampler_arguments_are_keyword_only():
    kinds = [parameter.kind for parameter in inspect.signature(sample).parameters.values()]
    assert set(kinds[2:]) == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_line_6_magnitude_four_is_not_clamped(sampler, prediction):
    start = noise(dtype=torch.float64)
    x = 4.0 * torch.sign(noise(seed=5, dtype=torch.float64))
    result = run(oracle(x, start, prediction), start, sampler, 12)
    torch.testing.assert_close(result, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_line_7_known_frames_come_back_equal_in_a_batch_of_three(sampler):
    start, clip = noise(3, 4, 11), noise(3, 4, 11, seed=8)
    keep_mask = torch.rand(3, 1, 11, generator=generator(4)) < 0.5
    seen = []
    denoiser = gaussian()
    inner = denoiser.predict

    def predict(x_t, t):
        seen.append((x_t, t))
        return inner(x_t, t)

    denoiser.predict = predict
    result = run(denoiser, start, sampler, 6, known=Known(clip, keep_mask))
    kept = keep_mask.expand_as(clip)
    assert torch.equal(result[kept], clip[kept])
    assert not torch.isclose(result[~kept], clip[~kept]).any()
    for x_t, t in seen:
        level = denoiser.schedule.add_noise(clip, start, t)
        torch.testing.assert_close(x_t[kept], level[kept], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp-2m", "unipc"])
def test_nothing_known_changes_nothing(sampler):
    known = Known(noise(seed=8), torch.zeros(2, 1, 8, dtype=torch.bool))
    result = run(gaussian(), noise(), sampler, 6, known=known)
    assert torch.equal(result, run(gaussian(), noise(), sampler, 6))


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_items_with_generators_of_their_own_do_not_depend_on_the_batch(sampler):
    eta = 0.0 if sampler == "ddpm" else 0.7
    settings = {"sampler": sampler, "steps": 6, "eta": eta}
    both = sample(gaussian(), noise(), generator=[generator(1), generator(2)], **settings)
    alone = sample(gaussian(), noise()[1:], generator=[generator(2)], **settings)
    assert torch.equal(both[1:], alone)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("frames", [1, 2, 17])
def test_any_shape_is_kept_and_progress_is_told(sampler, frames):
    told = []
    start = noise(1, 2, frames)
    result = run(gaussian(), start, sampler, 4, progress=lambda *args: told.append(args))
    assert result.shape == start.shape
    assert result.isfinite().all()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="steps"):
        run(gaussian(), noise(), "ddim", 0)
    with pytest.raises(ValueError, match="eta"):
        run(gaussian(), noise(), "unipc", 4, eta=0.5)
    with pytest.raises(ValueError, match="generator"):
        sample(gaussian(), noise(), sampler="ddpm", steps=4)
    with pytest.raises(ValueError, match="falling"):
        run(gaussian(), noise(), "ddim", 2, times=[1.0, 1.0, 0.0])


@pytest.mark.parametrize("schedule", ["linear", "sqrt-linear", "cosine"])
def test_multistep_samplers_crowd_their_steps_towards_the_clean_end(schedule):
    levels = Schedule(DiffusionConfig(schedule=schedule))
    times = torch.tensor(time_grid(levels, "dpmpp-2m", 16, "v"), dtype=torch.float64)
    angles = torch.atan2(levels.sigma(times), levels.alpha(times))
    wanted = angles[0] * torch.linspace(1, 0, 17, dtype=torch.float64) ** 1.5
    torch.testing.assert_close(angles, wanted, atol=1e-6, rtol=0)
    assert (times[0], times[-1]) == (1, 0)
    assert time_grid(levels, "ddim", 4, "v") == [1.0, 0.75, 0.5, 0.25, 0.0]


@pytest.mark.parametrize("schedule", ["linear", "sqrt-linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 16])
def test_multistep_samplers_of_eps_take_equal_steps_in_log_snr(schedule, steps):
    levels = Schedule(DiffusionConfig(schedule=schedule))
    times = time_grid(levels, "unipc", steps, "eps")
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (1, 0)
    ends = torch.tensor([1.0, 0.001], dtype=torch.float64)
    wanted = torch.linspace(*levels.log_snr(ends).tolist(), steps, dtype=torch.float64)
    found = levels.log_snr(torch.tensor(times[:-1], dtype=torch.float64))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


@pytest.mark.compile
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_all_steps_are_one_graph(sampler):
    """Nothing in them depends on the value of a tensor."""
    x_t = noise(frames=12)
    predict = guide_batched(
        lambda x_t, t: (x_t + t.view(-1, 1, 1)).sin(),
        lambda x_t, t: (x_t - t.view(-1, 1, 1)).cos(),
        scale=2.0,
        interval=(0.4, 1.0),
    )
    denoiser = Denoiser(predict, Schedule(DiffusionConfig()), "v")
    known = Known(x_t, torch.arange(12).expand(2, 1, 12) < 5)
    points = samplers._points(denoiser.schedule, 3, time_grid(denoiser.schedule, sampler, 3, "v"))
    with torch.no_grad():
        plan = samplers._plan(denoiser, x_t, points, generator() if sampler == "ddpm" else None)

        def steps(start):
            return samplers._run(plan, start, sampler, "v", 1.0, known)

        traced = torch.compile(steps, fullgraph=True, backend="eager")
        torch.testing.assert_close(traced(x_t), steps(x_t))
