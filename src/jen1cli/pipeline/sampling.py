"""The settings of sampling, with the model's own defaults behind them."""

import dataclasses
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from jen1cli.config import GenerationConfig, SamplerName
from jen1cli.errors import ConfigError

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all), over all windows and items."""


class SamplingOptions(TypedDict, total=False):
    """Keyword arguments of every verb that samples; what is left out is the model's default."""

    negative_prompt: str  # what to stay away from; takes the place of the empty prompt
    steps: int
    sampler: SamplerName
    eta: float  # noise added by ddim at each step, 0 to 1
    guidance_scale: float  # 1 is off
    guidance_interval: tuple[float, float]  # of diffusion time; 0 is clean, 1 is noise
    guidance_rescale: float  # 0 to 1


@dataclass(frozen=True)
class Sampling:
    """Complete settings of one sampling."""

    negative_prompt: str
    steps: int
    sampler: SamplerName
    eta: float
    guidance_scale: float
    guidance_interval: tuple[float, float]
    guidance_rescale: float

    def __post_init__(self) -> None:
        """Refuse settings that make no sense."""
        if self.steps < 1:
            raise ConfigError(f"steps is {self.steps}; give 1 or more")
        known = typing.get_args(SamplerName)
        if self.sampler not in known:
            raise ConfigError(f"unknown sampler '{self.sampler}'; known: {', '.join(known)}")
        for name in ("eta", "guidance_rescale"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ConfigError(f"{name} is {value:g}; give a number from 0 to 1")
        if not (math.isfinite(self.guidance_scale) and self.guidance_scale >= 0):
            raise ConfigError(
                f"guidance_scale is {self.guidance_scale:g}; give 0 or more, 1 is off"
            )
        low, high = self.guidance_interval
        if not 0.0 <= low <= high <= 1.0:
            raise ConfigError(
                f"guidance_interval is {low:g} to {high:g}; give two of 0 to 1, rising"
            )

    @classmethod
    def over(cls, defaults: GenerationConfig, options: SamplingOptions) -> "Sampling":
        """Put options over a model's defaults.

        Raises:
            ConfigError: a setting makes no sense.
        """
        values = {
            field.name: getattr(defaults, field.name, "") for field in dataclasses.fields(cls)
        }
        given = {name: value for name, value in options.items() if value is not None}
        if given.get("sampler", defaults.sampler) != "ddim":
            values["eta"] = 0.0  # belongs to ddim alone
        return cls(**{**values, **given})
