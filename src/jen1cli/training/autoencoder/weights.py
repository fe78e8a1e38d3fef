"""Results of stage 1: the autoencoder alone, or a weight set whose other networks still fit it."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jen1cli.autoencoder.codec import TENSORS_NAME, Codec, save_codec
from jen1cli.checkpoint import FILES, TEXT_ENCODER_FOLDER, load_weight_set, save_weight_set
from jen1cli.config import ModelConfig
from jen1cli.pipeline.latents import SAME_LATENTS


@dataclass(frozen=True)
class AutoencoderWriter:
    """Writes the result of a training.

    Attributes:
        init: weight set or stage 1 folder that the training began with; None for new weights.
        keeps_latents: whether the encoder is that of `init`.
    """

    init: Path | None
    keeps_latents: bool

    def write(self, folder: Path, codec: Codec, provenance: Mapping[str, Any]) -> None:
        """Write the codec, and beside it the networks of `init` that were trained on its latents.

        Args:
            folder: is replaced, or its files are.
            codec: with the weights of this moment.
            provenance: the training's provenance.
        """
        codec = dataclasses.replace(codec, config=self._with(codec.config, provenance))
        if self.init is None or not self.keeps_latents or not _is_whole(self.init):
            save_codec(folder, codec)
            return
        _, tensors = load_weight_set(self.init)
        tensors["autoencoder"] = codec.autoencoder.state_dict()
        text = self.init / TEXT_ENCODER_FOLDER
        save_weight_set(folder, codec.config, tensors, text_encoder=text if text.is_dir() else None)

    def _with(self, config: ModelConfig, provenance: Mapping[str, Any]) -> ModelConfig:
        """Return the configuration with its provenance; saved latents of `init` may stay valid."""
        known = {**config.provenance, **provenance}
        former = known.pop(SAME_LATENTS, [])
        if self.init is not None and self.keeps_latents:
            own = hashlib.sha256((self.init / TENSORS_NAME).read_bytes()).hexdigest()
            known[SAME_LATENTS] = [*former, own]
        return dataclasses.replace(config, provenance=known)


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)
