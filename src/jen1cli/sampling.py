"""The settings of sampling, with the model's own defaults behind them."""

import dataclasses
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from jen1cli.config import GenerationConfig, SamplerName
from jen1cli.errors import ConfigError
from jen1cli.guide import NO_GUIDE, Guide

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all), over all windows and items."""


class SamplingOptions(TypedDict, total=False):
    """Keyword arguments of every verb that samples; what is left out is the model's default."""

    guide: Guide  # tempo and key; what it leaves open is read from the prompt, then chosen or heard
    negative_prompt: str  # what to stay away from; takes the place of the empty prompt
    steps: int
    sampler: SamplerName
    eta: float  # noise added by ddim at each step, 0 to 1
    guidance_scale: float  # 1 is off
    guidance_interval: tuple[float, float]  # of diffusion time; 0 is clean, 1 is noise
    guidance_rescale: float  # 0 to 1
    guide_interval: tuple[float, float]  # of guidance away from an untold guide as well
    context_interval: tuple[float, float]  # of guidance away from unknown surroundings as well


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Complete settings of one sampling; `Recipe` records exactly these."""

    negative_prompt: str = ""
    steps: int = 0  # 0: nothing was sampled
    sampler: str = ""
    eta: float = 0.0
    guidance_scale: float = 1.0
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    guidance_rescale: float = 0.0
    # optional: recipes of earlier versions do not have them
    guide_interval: tuple[float, float] = field(default=(0.0, 0.0), metadata={"optional": True})
    context_interval: tuple[float, float] = field(default=(0.0, 0.0), metadata={"optional": True})
    # tempo, key and more; of edits only what was asked for, the rest is transcribed again
    guide: Guide = field(default=NO_GUIDE, metadata={"optional": True})

    def settings(self) -> dict[str, Any]:
        """Return the settings as keyword arguments of every method that samples."""
        return {name: getattr(self, name) for name in SETTINGS}

    @classmethod
    def over(cls, defaults: GenerationConfig, options: SamplingOptions) -> "Sampling":
        """Put options over a model's defaults.

        Raises:
            ConfigError: a setting makes no sense.
        """
        values: dict[str, Any] = {
            name: getattr(defaults, name, getattr(cls, name)) for name in SETTINGS
        }
        given = {name: value for name, value in options.items() if value is not None}
        if given.get("sampler", defaults.sampler) != "ddim":
            values["eta"] = 0.0  # belongs to ddim alone
        if unknown := sorted(given.keys() - values.keys()):
            raise TypeError(f"unknown setting '{unknown[0]}'; known: {', '.join(values)}")
        values.update(given)
        _check(values)
        return cls(**values)


SETTINGS = tuple(item.name for item in dataclasses.fields(Sampling))
"""Names of all settings, in the order in which recipes hold them."""


def _check(values: dict[str, Any]) -> None:
    """Refuse settings that make no sense."""
    if values["steps"] < 1:
        raise ConfigError(f"steps is {values['steps']}; give 1 or more")
    known = typing.get_args(SamplerName)
    if values["sampler"] not in known:
        raise ConfigError(f"unknown sampler '{values['sampler']}'; known: {', '.join(known)}")
    for name in ("eta", "guidance_rescale"):
        if not 0.0 <= values[name] <= 1.0:
            raise ConfigError(f"{name} is {values[name]:g}; give a number from 0 to 1")
    if values["eta"] and values["sampler"] != "ddim":
        raise ConfigError(f"eta belongs to ddim, not to {values['sampler']}; leave it out")
    scale = values["guidance_scale"]
    if not (math.isfinite(scale) and scale >= 0):
        raise ConfigError(f"guidance_scale is {scale:g}; give 0 or more, 1 is off")
    for name in ("guidance_interval", "guide_interval", "context_interval"):
        low, high = values[name]
        if not 0.0 <= low <= high <= 1.0:
            raise ConfigError(f"{name} is {low:g} to {high:g}; give two of 0 to 1, rising")
