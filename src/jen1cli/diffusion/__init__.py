"""Diffusion without a network: schedule, denoiser, guidance and samplers."""

from jen1cli.diffusion.denoiser import Denoiser, Predict, PredictByTime, target
from jen1cli.diffusion.guidance import (
    Change,
    combined,
    guide_batched,
    in_interval,
    scaled_along,
)
from jen1cli.diffusion.noise import Noise
from jen1cli.diffusion.samplers import Known, Start, sample, time_grid
from jen1cli.diffusion.schedule import Schedule, append_dims

__all__ = [
    "Change",
    "Denoiser",
    "Known",
    "Noise",
    "Predict",
    "PredictByTime",
    "Schedule",
    "Start",
    "append_dims",
    "combined",
    "guide_batched",
    "in_interval",
    "sample",
    "scaled_along",
    "target",
    "time_grid",
]
