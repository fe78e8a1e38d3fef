"""The settings of sampling, their defaults from the model, and checks of lengths and seeds."""

import dataclasses
import math
import secrets
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from jen1cli.config import ComposerName, DirectionName, GenerationConfig, SamplerName
from jen1cli.errors import ConfigError
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.forms import parse_form
from jen1cli.music.full_score import FAMILIES
from jen1cli.typed_json import stored_key

DEFAULT_SECONDS = 10.0
DEFAULT_BARS = 8  # length of a loop without a score
MAX_STEPS = 1_000
MAX_LOOP_BARS = 64
# limits of requests, at the command line and to a server; `Jen1` takes any length
MIN_SECONDS, MAX_SECONDS = 0.1, 1_800.0
MIN_INPUT_SECONDS = 0.1  # length of a recording
MAX_GUIDANCE_SCALE = 100.0
MAX_SEED = 2**63 - 1
MAX_BATCH = 256  # pieces
_GPU_BATCH = 8


@dataclass(frozen=True)
class Variation:
    """Noise of a further seed, mixed into the noise of a piece."""

    seed: int
    amount: float  # 0: the noise of the piece, 1: that of this seed (`diffusion.noise`)


class SamplingOptions(TypedDict, total=False):
    """Keyword arguments of every sampling method; missing ones take the model's defaults."""

    # musical controls; missing ones are read from the prompt, then written by the composer, or in
    # edits transcribed by the model
    controls: Controls
    composer: ComposerName  # composer of the missing controls
    style: str  # style of the composer by rule, which it implies; "": chosen by the prompt
    form: str  # sections (`jen1cli.music.forms`), by the composer by rule; "": its own
    instruments: tuple[str, ...]  # families that play (`FAMILIES`); (): open
    negative_prompt: str  # replaces the null text in guidance
    steps: int
    sampler: SamplerName
    eta: float  # noise added by ddim at each step, 0 to 1
    guidance_scale: float  # 1 is off
    guidance_interval: tuple[float, float]  # interval of diffusion time; 0 is clean, 1 is noise
    guidance_rescale: float  # 0 to 1
    # intervals in which guidance also acts on the controls, and on the surrounding recording
    control_guidance_interval: tuple[float, float]
    context_guidance_interval: tuple[float, float]
    # factor of the guidance along the levels of the spectrum's bands; 1: as in all else
    level_guidance: float
    # whether the network with distilled guidance predicts, in one pass a step; missing: if the
    # model prefers it and the guidance is the model's own
    distilled: bool
    variations: tuple[Variation, ...]  # of the noise, one after the other
    # of edits, 0 to 1: 0 copies what the recording repeats, 1 starts from noise; missing: a copy
    # where one fits and nothing new is asked for
    novelty: float


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
    # optional: recipes of earlier versions do not have them; "key": their names in recipes
    control_guidance_interval: tuple[float, float] = field(
        default=(0.0, 0.0), metadata={"optional": True, "key": "guide_interval"}
    )
    context_guidance_interval: tuple[float, float] = field(
        default=(0.0, 0.0), metadata={"optional": True, "key": "context_interval"}
    )
    level_guidance: float = field(default=1.0, metadata={"optional": True})
    distilled: bool = field(default=False, metadata={"optional": True})
    # musical controls; for edits only the given ones, others are transcribed again
    controls: Controls = field(default=NO_CONTROLS, metadata={"optional": True, "key": "guide"})
    # "" in recipes of earlier versions, whose controls were predicted
    composer: ComposerName | Literal[""] = field(default="", metadata={"optional": True})
    style: str = field(default="", metadata={"optional": True})  # style of the composer by rule
    form: str = field(default="", metadata={"optional": True})  # form of the composer by rule
    instruments: tuple[str, ...] = field(default=(), metadata={"optional": True})  # families
    variations: tuple[Variation, ...] = field(default=(), metadata={"optional": True})
    novelty: float | None = field(default=None, metadata={"optional": True})  # novelty of edits

    @property
    def effective_composer(self) -> ComposerName:
        """The composer of the missing controls."""
        return self.composer or "learned"

    def asks_for_more(self, prompt: str) -> bool:
        """Whether an edit with this prompt asks for music that the recording may not have."""
        return bool(
            prompt.strip()
            or self.negative_prompt
            or self.controls != NO_CONTROLS
            or self.instruments
            or self.variations
        )

    def settings(self) -> dict[str, Any]:
        """Return the settings as keyword arguments of every method that samples."""
        return {name: getattr(self, name) for name in SETTINGS}

    @classmethod
    def over(
        cls,
        defaults: GenerationConfig,
        options: SamplingOptions,
        direction: DirectionName | None = None,
    ) -> "Sampling":
        """Combine options with a model's defaults.

        Args:
            defaults: the model's.
            options: what is given; None stands for what is not.
            direction: of the music; a model that continues bidirectionally has a distilled
                network for that direction alone.

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
        own = own_guidance(given, defaults)
        if direction == "unidirectional" != defaults.continuation:
            own = own or "the direction"
        prefers = defaults.distilled_steps > 0 and defaults.prefers_distilled
        values["distilled"] = prefers and not own
        values.update(given)
        if values["distilled"] and "steps" not in given:
            values["steps"] = defaults.distilled_steps or defaults.steps
        if values["distilled"] and own:
            raise ConfigError(
                f"{own} cannot differ in the distilled network, which has the model's guidance in"
                f" it; leave {own} out, or sample with guidance (--guided, distilled=False)"
            )
        if given.get("style") and "composer" not in given:
            values["composer"] = "rules"  # the one that writes in a style
        _check(values)
        if values["form"]:
            values["form"] = str(parse_form(values["form"]))
        controls: Controls = values["controls"]
        if controls.score is not None:  # as recipes keep it
            values["controls"] = dataclasses.replace(controls, score=controls.score.rounded())
        return cls(**values)


SETTINGS = tuple(item.name for item in dataclasses.fields(Sampling))
"""Names of all settings."""
SETTING_KEYS = tuple(stored_key(item) for item in dataclasses.fields(Sampling))
"""Their keys in recipes, in the order in which recipes hold them."""


_GUIDANCE = (
    "negative_prompt",
    "guidance_scale",
    "guidance_interval",
    "guidance_rescale",
    "control_guidance_interval",
    "context_guidance_interval",
    "level_guidance",
)


def own_guidance(given: Mapping[str, Any], defaults: GenerationConfig) -> str:
    """Return the first setting of guidance that differs from the model's; "" if none does."""
    for name in _GUIDANCE:
        if name in given and given[name] != getattr(defaults, name, ""):
            return name
    return ""


def draw_seed() -> int:
    """Draw a seed that is short enough to type."""
    return secrets.randbelow(2**32)


def check_direction(direction: str) -> None:
    """Refuse an unknown direction."""
    known = typing.get_args(DirectionName)
    if direction not in known:
        raise ConfigError(f"unknown direction '{direction}'; known: {', '.join(known)}")


def usual_batch(device: str) -> int:
    """Return how many pieces are made together: on a CPU, where it brings least, one."""
    return 1 if device == "cpu" else _GPU_BATCH


def check_seconds(seconds: float) -> None:
    """Refuse a length that is not finite or too short to generate."""
    if not math.isfinite(seconds) or seconds < 0.01:
        raise ConfigError(f"seconds is {seconds:g}; give at least 0.01")


def default_amount(*, is_changed: bool) -> float:
    """Return the amount of new noise of a variation: none where words or settings are new."""
    return 0.0 if is_changed else 1.0


def check_loop_bars(bars: int, place: str = "") -> int:
    """Return the bars of a loop.

    Args:
        bars: their number.
        place: prefix of the error.

    Raises:
        ConfigError: no loop has so many.
    """
    if not 1 <= bars <= MAX_LOOP_BARS:
        raise ConfigError(f"{place}a loop of {bars} bars cannot be made; give 1 to {MAX_LOOP_BARS}")
    return bars


def _check(values: dict[str, Any]) -> None:
    """Check that the settings are valid."""
    if not isinstance(values["distilled"], bool):
        raise ConfigError(f"distilled is {values['distilled']!r}; give true or false")
    if not 1 <= values["steps"] <= MAX_STEPS:
        raise ConfigError(f"steps is {values['steps']}; give 1 to {MAX_STEPS:,}")
    novelty = values["novelty"]
    if novelty is not None and not 0.0 <= novelty <= 1.0:
        raise ConfigError(f"novelty is {novelty:g}; give 0 for copies to 1 for new music")
    for variation in values["variations"]:
        if not 0.0 <= variation.amount <= 1.0:
            raise ConfigError(
                f"the amount of a variation is {variation.amount:g}; give a number from 0 to 1"
            )
    known = typing.get_args(SamplerName)
    if values["sampler"] not in known:
        raise ConfigError(f"unknown sampler '{values['sampler']}'; known: {', '.join(known)}")
    for name in ("eta", "guidance_rescale", "level_guidance"):
        if not 0.0 <= values[name] <= 1.0:
            raise ConfigError(f"{name} is {values[name]:g}; give a number from 0 to 1")
    if values["eta"] and values["sampler"] != "ddim":
        raise ConfigError(f"eta belongs to ddim, not to {values['sampler']}; leave it out")
    composers = ("", *typing.get_args(ComposerName))
    if values["composer"] not in composers:
        raise ConfigError(
            f"unknown composer '{values['composer']}'; known: {', '.join(composers[1:])}"
        )
    if values["style"] and values["composer"] != "rules":
        raise ConfigError(
            f"the style '{values['style']}' is for the composer 'rules', not for"
            f" '{values['composer']}'; leave it out, or choose that composer"
        )
    if values["form"] and values["composer"] != "rules":
        raise ConfigError(
            f"a form is for new pieces of the composer 'rules', not for '{values['composer']}';"
            " leave it out, or choose that composer"
        )
    for name in values["instruments"]:
        if name not in FAMILIES:
            raise ConfigError(f"unknown instruments '{name}'; known: {', '.join(FAMILIES)}")
    scale = values["guidance_scale"]
    if not (math.isfinite(scale) and scale >= 0):
        raise ConfigError(f"guidance_scale is {scale:g}; give 0 or more, 1 is off")
    for name in ("guidance_interval", "control_guidance_interval", "context_guidance_interval"):
        low, high = values[name]
        if not 0.0 <= low <= high <= 1.0:
            raise ConfigError(f"{name} is {low:g} to {high:g}; give two of 0 to 1, rising")
