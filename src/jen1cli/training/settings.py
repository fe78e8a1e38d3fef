"""Settings that every training job takes."""

import dataclasses
import math
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jen1cli.errors import ConfigError
from jen1cli.training.engine.state import has_state
from jen1cli.training.engine.trainer import Budget, Intervals
from jen1cli.training.recipes import (
    AutoencoderTrainingConfig,
    ControlsTrainingConfig,
    DiffusionTrainingConfig,
    LrShape,
    Precision,
)

POSITIVE = (
    "minutes", "steps", "batch_size", "crop_seconds", "lr", "accumulation", "validate_minutes",
    "save_minutes", "sample_minutes",
)  # fmt: skip
PRECISIONS = typing.get_args(Precision)
LR_SHAPES = typing.get_args(LrShape)

Hyperparameters = TypeVar(
    "Hyperparameters", AutoencoderTrainingConfig, DiffusionTrainingConfig, ControlsTrainingConfig
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of every training job; None keeps the recipe's value."""

    output: Path  # output folder
    recipe: str = "mini-cpu"
    minutes: float | None = None  # wall-clock budget, at whose end the learning rate is 0
    steps: int | None = None
    batch_size: int | None = None
    crop_seconds: float | None = None
    lr: float | None = None
    lr_shape: str | None = None  # linear, cosine, constant
    more_ema_decays: tuple[float, ...] = ()  # further averages of the weights, of the U-Net only
    accumulation: int | None = None
    precision: str | None = None  # auto, fp32, bf16
    compile: bool = False
    seed: int = 0
    device: str = "auto"  # auto, cpu, cuda
    resume: bool = False
    dry_run: bool = False  # describe, do not train
    validate_minutes: float = 5.0
    save_minutes: float = 10.0
    sample_minutes: float = 20.0

    def __post_init__(self) -> None:
        """Check the settings before anything is loaded.

        Raises:
            ConfigError: one is not positive, or the precision or the shape of the learning rate is
                unknown.
        """
        for name in POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"--{name.replace('_', '-')} {value:g} must be more than 0")
        for what, value, known in (
            ("precision", self.precision, PRECISIONS),
            ("shape of the learning rate", self.lr_shape, LR_SHAPES),
        ):
            if value not in (None, *known):
                raise ConfigError(f"unknown {what} '{value}'; known: {', '.join(known)}")

    def over(self, base: Hyperparameters) -> Hyperparameters:
        """Return the recipe's hyperparameters of a stage, with the values of this job."""
        names = ("lr", "lr_shape", "accumulation", "precision")
        changed = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.more_ema_decays:
            changed["more_ema_decays"] = self.more_ema_decays
        changed["compile"] = self.compile or base.optimisation.compile
        return dataclasses.replace(
            base,
            optimisation=dataclasses.replace(base.optimisation, **changed),
            batch_size=self.batch_size or base.batch_size,
            crop_seconds=self.crop_seconds or base.crop_seconds,
        )

    def budget(self, steps: int | None) -> Budget:
        """Return the budget; minutes without steps replace the recipe's steps."""
        return Budget(self.steps or (None if self.minutes else steps), self.minutes)

    def intervals(self) -> Intervals:
        """Return the intervals of validation, samples and saving."""
        return Intervals(
            validate_minutes=self.validate_minutes,
            save_minutes=self.save_minutes,
            sample_minutes=self.sample_minutes,
        )

    def check_begun(self) -> None:
        """Raise an error if the output folder contains a training and `resume` is not set."""
        if not (self.resume or self.dry_run) and has_state(self.output / "state"):
            raise ConfigError(
                f"{self.output} holds a training already; continue it with --resume or choose"
                " another --output"
            )
