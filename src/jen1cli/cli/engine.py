"""The way from a verb to the library: inputs checked, the model loaded, results delivered."""

import contextlib
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.cli import streams
from jen1cli.cli.report import Report
from jen1cli.cli.sampling import DTYPES, check_choice, check_device

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1

DEFAULT_MODEL = "jen1-mini"


@dataclass(frozen=True)
class ModelChoice:
    """Which model, and where it computes."""

    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    random_weights: bool = False

    def check(self) -> "ModelChoice":
        """Return itself.

        Raises:
            Jen1Error: an unknown device, number type, preset or weight set.
        """
        check_device(self.device)
        check_choice(self.dtype, DTYPES, "--dtype")
        if self.random_weights:
            from jen1cli.presets import preset

            preset(self.preset_name)
        else:
            from jen1cli.weightsets import find_weights

            find_weights(self.model or DEFAULT_MODEL)
        return self

    @property
    def preset_name(self) -> str:
        """Name of the preset that `--random-weights` builds."""
        name = self.model or "mini"
        return "mini" if name == DEFAULT_MODEL else name


@contextlib.contextmanager
def open_model(choice: ModelChoice, report: Report) -> Iterator["Jen1"]:
    """Load the model; what the library warns of becomes lines of ours while it is open."""
    with report.library_warnings():
        from jen1cli.pipeline import Jen1

        if choice.random_weights:
            report.warn(
                f"preset '{choice.preset_name}' has random weights: what it makes is noise"
            )
            yield Jen1.from_preset(choice.preset_name, random_weights=True, device=choice.device)
        else:
            yield Jen1.load(choice.model or DEFAULT_MODEL, device=choice.device)
