"""Samplers: from noise at t = 1 to a latent at t = 0, given a denoiser.

All samplers share the loop in `sample`; each is a step from time t to time s < t, expressed in the
clean prediction x and half the log signal-to-noise ratio, λ = log(α / σ):

- DDIM (Song et al., arXiv 2010.02502), the paper's sampler; eta 0 is the ODE, eta 1 is DDPM
- DDPM (Ho et al., arXiv 2006.11239), ancestral sampling with the posterior variance
- DPM-Solver++(2M) (Lu et al., arXiv 2211.01095), second order, one evaluation per step
- UniPC (Zhao et al., arXiv 2302.04867), the same predictor with a corrector, no extra evaluations

The last step returns the clean prediction itself. `time_grid` defines the times.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from jen1cli.config import PredictionName, SamplerName
from jen1cli.devices import to_device
from jen1cli.diffusion.denoiser import Denoiser, Predict, at_time, to_x
from jen1cli.diffusion.noise import Source, draw
from jen1cli.diffusion.schedule import Schedule
from jen1cli.progress import Progress

ANGLE_POWER = 1.5
"""Exponent by which multistep samplers concentrate steps near t = 0, for v prediction."""

Generators = Source | Sequence[Source]


@dataclass(frozen=True)
class Known:
    """Given frames, which replace those of x_t at every step (as in RePaint, arXiv 2201.09865)."""

    latent: Tensor  # [batch, channels, frames]
    keep_mask: Tensor  # [batch, 1, frames], True = given

    def impose(self, x_t: Tensor, alpha_t: float, sigma_t: float, noise: Tensor) -> Tensor:
        """Return `x_t` with the given frames, noised to the level (`alpha_t`, `sigma_t`)."""
        given = alpha_t * self.latent.to(x_t) + sigma_t * noise
        return torch.where(self.keep_mask.to(x_t.device), given, x_t)


@dataclass(frozen=True)
class Start:
    """A clean latent whose noised version begins the sampling (SDEdit, arXiv 2108.01073)."""

    latent: Tensor  # [batch, channels, frames]
    time: float  # 0 would change nothing, 1 is noise alone


@dataclass
class _Point:
    """Values of the schedule at one time."""

    t: float
    alpha: float
    sigma: float

    @property
    def lambda_(self) -> float:
        return math.inf if self.sigma == 0.0 else math.log(self.alpha) - math.log(self.sigma)


@dataclass(frozen=True)
class _Step:
    """All that a step needs besides the latent; decided before the loop, so that it never waits."""

    predict: Predict
    point: _Point
    following: _Point
    t: Tensor  # [batch], as the levels
    alpha: Tensor
    sigma: Tensor
    fresh: Tensor | None  # noise that the step adds


@dataclass
class _State:
    """State of multistep samplers: times and clean predictions so far, newest last."""

    points: list[_Point] = field(default_factory=list)
    predictions: list[Tensor] = field(default_factory=list)
    start: Tensor | None = None  # latent at which the last step started

    def remember(self, point: _Point, x: Tensor) -> None:
        self.points = [*self.points[-2:], point]
        self.predictions = [*self.predictions[-2:], x]


def time_grid(
    schedule: Schedule, sampler: SamplerName, steps: int, prediction: PredictionName
) -> list[float]:
    """Return the decreasing times of a sampler, from 1 to 0.

    DDPM and DDIM use equal steps in t, as in the paper; on the linear schedule, the last of 16
    steps starts at a noise level of 0.3. Multistep samplers, designed for few steps, use:

    - v: θ = θ(1) u^1.5 for equal steps in u, where tan θ = σ / α;
    - eps: equal steps in λ down to the first discrete time, then 0 (arXiv 2206.00927). An error in
      eps is multiplied by σ / α in x, so steps near t = 1 must be short.

    With 16 steps on mixtures of Gaussians, both reduce the Wasserstein distance 5 to 45 times
    compared to equal steps in t of the linear schedule.
    """
    u = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64)
    if sampler in ("ddpm", "ddim"):
        return u.tolist()
    ends = torch.tensor([1.0, 1.0 / schedule.num_timesteps], dtype=torch.float64)
    if prediction == "v":
        angles = torch.atan2(schedule.sigma(ends), schedule.alpha(ends))[0] * u**ANGLE_POWER
    else:
        first, last = (-0.5 * schedule.log_snr(ends)).tolist()
        way = torch.linspace(first, last, steps, dtype=torch.float64)
        angles = torch.cat([torch.atan(way.exp()), torch.zeros(1, dtype=torch.float64)])
    return [1.0, *schedule.time(angles)[1:-1].tolist(), 0.0]


def sample(
    denoiser: Denoiser,
    noise: Tensor,
    *,
    sampler: SamplerName,
    steps: int,
    eta: float = 0.0,
    generator: Generators | None = None,
    known: Known | None = None,
    start: Start | None = None,
    progress: Progress | None = None,
    times: Sequence[float] | None = None,
) -> Tensor:
    """Denoise `noise` with `steps` evaluations of the denoiser.

    Args:
        denoiser: prediction with its conditioning and guidance.
        noise: standard normal, [batch, channels, frames]; the start of sampling, and the noise of
            the known frames.
        sampler: name of the sampler.
        steps: number of steps, each with one evaluation.
        eta: stochasticity of `ddim`, 0 to 1; 0 for the others.
        generator: source of the noise that `ddpm`, and `ddim` with eta > 0, add; on the CPU, so
            that a seed gives the same noise on every device. One for the batch or one per item.
        known: given frames, equal to the input in the result.
        start: latent to begin with, and the time at which; None: noise, at time 1.
        progress: called with (steps done, steps) after each step.
        times: `steps` + 1 decreasing times, instead of those of `time_grid`.

    Returns:
        The latent at the last time, with the shape of `noise`.

    Raises:
        ValueError: `steps` is below 1, `times` do not fall or have another number, `eta` is set for
            another sampler than `ddim`, or a sampler that adds noise has no generator.
    """
    stochastic = sampler == "ddpm" or (sampler == "ddim" and eta > 0)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if eta and sampler != "ddim":
        raise ValueError(f"eta belongs to ddim; {sampler} takes none")
    if stochastic and generator is None:
        raise ValueError(f"{sampler} adds noise at each step; give a generator")
    if times is None:
        times = time_grid(denoiser.schedule, sampler, steps, denoiser.prediction)
    if start is not None:
        times = [start.time * t for t in times]
    points = _points(denoiser.schedule, steps, times)
    plan = _plan(denoiser, noise, points, generator if stochastic else None)
    eta = 1.0 if sampler == "ddpm" else eta
    return _run(plan, noise, sampler, denoiser.prediction, eta, known, start, progress)


def _plan(
    denoiser: Denoiser, noise: Tensor, points: list[_Point], generator: Generators | None
) -> list[_Step]:
    """Return the steps, with everything on the device of the noise."""
    dtype = torch.promote_types(noise.dtype, torch.float32)
    times = torch.tensor([point.t for point in points[:-1]], dtype=dtype)
    levels = torch.stack([times, denoiser.schedule.alpha(times), denoiser.schedule.sigma(times)])
    t, alpha, sigma = to_device(levels, noise.device)[..., None].expand(-1, -1, len(noise))
    added = iter(())
    if generator is not None:
        drawn = [_fresh(noise, generator) for point in points[1:] if point.sigma > 0]
        added = iter(to_device(torch.stack(drawn), noise.device)) if drawn else added
    return [
        _Step(at_time(denoiser.predict, time), *pair, t_of, alpha_of, sigma_of, next(added, None))
        for time, pair, t_of, alpha_of, sigma_of in zip(
            times.tolist(), itertools.pairwise(points), t, alpha, sigma, strict=True
        )
    ]


def _run(
    plan: Sequence[_Step],
    noise: Tensor,
    sampler: SamplerName,
    prediction: PredictionName,
    eta: float,
    known: Known | None = None,
    start: Start | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Run the steps; nothing here depends on the value of a tensor."""
    step = _STEPS[sampler]
    x_t, state = noise, _State()
    if start is not None:
        x_t = plan[0].point.alpha * start.latent + plan[0].point.sigma * noise
    for index, now in enumerate(plan):
        if known is not None:
            x_t = known.impose(x_t, now.point.alpha, now.point.sigma, noise)
        output = now.predict(x_t, now.t)
        x = to_x(output, x_t, now.alpha, now.sigma, prediction)
        if sampler == "unipc":
            x_t = _unipc_correct(state, now.point, x_t, x)
        state.remember(now.point, x)
        state.start = x_t
        x_t = step(state, now.following, x_t, eta, now.fresh)
        if progress is not None:
            progress(index + 1, len(plan))
    if known is not None:
        x_t = known.impose(x_t, plan[-1].following.alpha, plan[-1].following.sigma, noise)
    return x_t


def _ddim_step(
    state: _State, following: _Point, x_t: Tensor, eta: float, fresh: Tensor | None
) -> Tensor:
    """x_s = α_s x + √(σ_s² - σ²) eps + σ n, with σ = eta · (σ_s / σ_t) √(1 - α_t² / α_s²)."""
    now, x = state.points[-1], state.predictions[-1]
    ratio = following.sigma / now.sigma
    added = eta * ratio * math.sqrt(max(1.0 - (now.alpha / following.alpha) ** 2, 0.0))
    rest = math.sqrt(max(following.sigma**2 - added**2, 0.0))
    x_s = (rest / now.sigma) * x_t + (following.alpha - rest / now.sigma * now.alpha) * x
    return x_s if fresh is None else x_s + added * fresh


def _multistep_step(
    state: _State, following: _Point, x_t: Tensor, eta: float, fresh: Tensor | None
) -> Tensor:
    """DPM-Solver++(2M): x_s = (σ_s / σ_t) x_t - α_s (e^-h - 1) (x + h / (2 h') · (x - x')).

    h is the step in λ, h' the previous step, x' the previous clean prediction. The first step is of
    first order, and so is the last, where h is infinite. UniPC has the same predictor.
    """
    now, x = state.points[-1], state.predictions[-1]
    h = following.lambda_ - now.lambda_
    if len(state.points) > 1 and math.isfinite(h):
        before = state.points[-2]
        weight = 0.5 * h / (now.lambda_ - before.lambda_)
        x = torch.lerp(state.predictions[-2], x, 1.0 + weight)
    return (following.sigma / now.sigma) * x_t - following.alpha * math.expm1(-h) * x


def _unipc_correct(state: _State, point: _Point, x_t: Tensor, x: Tensor) -> Tensor:
    """UniC: repeat the step to `x_t` with the clean prediction `x` at `x_t` included (B2 form)."""
    if state.start is None:
        return x_t
    now, m0 = state.points[-1], state.predictions[-1]
    h = point.lambda_ - now.lambda_
    first = math.expm1(-h)  # h φ_1 of the paper; negative
    second = first / -h - 1.0
    base = (point.sigma / now.sigma) * state.start - point.alpha * first * m0
    if len(state.points) == 1:
        return base - point.alpha * first * 0.5 * (x - m0)
    # two equations for the weights: ρ_1 + ρ_2 = b_1 and r ρ_1 + ρ_2 = b_2
    r = (state.points[-2].lambda_ - now.lambda_) / h
    b_1 = second / first
    b_2 = 2.0 * (second / -h - 0.5) / first
    rho_1 = (b_1 - b_2) / (1.0 - r)
    rho_2 = b_1 - rho_1
    slope = rho_1 / r * (state.predictions[-2] - m0) + rho_2 * (x - m0)
    return base - point.alpha * first * slope


_STEPS = {
    "ddpm": _ddim_step,
    "ddim": _ddim_step,
    "dpmpp-2m": _multistep_step,
    "unipc": _multistep_step,
}


def _points(schedule: Schedule, steps: int, times: Sequence[float]) -> list[_Point]:
    grid = torch.tensor(times, dtype=torch.float64)
    if len(grid) != steps + 1 or not bool((grid.diff() < 0).all()):
        raise ValueError(f"times must be {steps + 1} falling numbers, not {list(times)}")
    alphas, sigmas = schedule.alpha(grid).tolist(), schedule.sigma(grid).tolist()
    return [_Point(*levels) for levels in zip(grid.tolist(), alphas, sigmas, strict=True)]


def _fresh(like: Tensor, generator: Generators) -> Tensor:
    """Draw noise for a batch, on the CPU."""
    if isinstance(generator, Sequence):
        return torch.stack([draw(like.shape[1:], each) for each in generator]).to(like.dtype)
    return draw(like.shape, generator).to(like.dtype)
