"""A model by name, as a process needs it to load it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1


@dataclass(frozen=True)
class ModelSource:
    """A weight set or preset, with device, numbers and quality."""

    name: str  # name of a weight set or its folder; of a preset for random weights
    device: str = "auto"
    dtype: str = "auto"
    quality: str = "normal"
    loras: tuple[tuple[Path, float], ...] = ()
    random_weights: bool = False

    def load(self) -> "Jen1":
        """Load the model, which takes seconds.

        Raises:
            Jen1Error: see `Jen1.load` and `Jen1.from_preset`.
        """
        from jen1cli.pipeline import Jen1

        place: Any = {"device": self.device, "dtype": self.dtype, "quality": self.quality}
        if self.random_weights:
            return Jen1.from_preset(self.name, random_weights=True, **place)
        return Jen1.load(self.name, loras=dict(self.loras), **place)

    def facts(self) -> dict[str, Any]:
        """Return all that decides the bytes of a piece, as JSON values, without loading the model.

        Raises:
            Jen1Error: there is no such weight set or device.
        """
        from jen1cli.autoencoder.watermark import environment_key, fingerprint
        from jen1cli.checkpoint import read_description
        from jen1cli.pipeline.networks import choose_device, choose_dtype
        from jen1cli.weightsets import find_weights

        device = choose_device(self.device)
        watermark = fingerprint(environment_key())
        if self.random_weights:
            weights = f"random-{self.name}"
        else:
            weights = read_description(find_weights(self.name).folder).sha256
        return {
            "model": weights,
            "loras": [
                [hashlib.sha256(path.read_bytes()).hexdigest(), strength]
                for path, strength in self.loras
            ],
            "device": device.type,
            "dtype": choose_dtype(self.dtype, device),  # type: ignore[arg-type] - checked there
            "quality": self.quality,
            **({"watermark": watermark} if watermark else {}),
        }
