"""Weight sets written by training, in the layout that `Jen1.load` opens."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from jen1cli.autoencoder.codec import Codec
from jen1cli.checkpoint import (
    CARD_NAME,
    TEXT_ENCODER_FOLDER,
    load_weight_set,
    save_weight_set,
)
from jen1cli.config import ControlsConfig, ModelConfig
from jen1cli.training.diffusion.objective import Objective
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import LoraConfig, lora_tensors, merged_tensors, save_lora

LORA_NAME = "lora.safetensors"
DISTILLATION = "distillation"  # key of its provenance


@dataclass(frozen=True)
class WeightWriter:
    """Writes weight sets into one folder, each replacing the previous one."""

    codec: Codec
    text_encoder: Path | None = None  # folder to copy into the set; None for a hub model
    controls: "ControlTensors | None" = None  # controls of the initial weights, if they match

    def write(self, folder: Path, objective: Objective, provenance: Mapping[str, Any]) -> None:
        """Write the present weights; the folder is replaced atomically."""
        controls = self.controls
        kept = {"guide": dict(controls.provenance)} if controls and controls.provenance else {}
        config, tensors = contents(self.codec, objective, controls)
        config = dataclasses.replace(config, provenance={**config.provenance, **kept, **provenance})
        card = _card(config.name, provenance)
        save_weight_set(folder, config, tensors, text_encoder=self.text_encoder, card=card)


@dataclass(frozen=True)
class ControlTensors:
    """Tensors of the two control networks, as in a weight set."""

    config: ControlsConfig
    prior: Mapping[str, Tensor]
    tracker: Mapping[str, Tensor]
    provenance: Mapping[str, Any] = field(default_factory=dict)  # settings of their training


def contents(
    codec: Codec, objective: Objective, controls: ControlTensors | None
) -> tuple[ModelConfig, dict[str, dict[str, Tensor]]]:
    """Return configuration and tensors of a weight set with the present weights.

    LoRA updates are added to the weights; all other tensors share the networks' memory.
    """
    assert isinstance(objective.unet, UNet1d)
    tensors = {
        "autoencoder": codec.autoencoder.state_dict(),
        "whitening": codec.whitening.state_dict(),
        "unet": merged_tensors(objective.unet),
    }
    if objective.null_text is not None:
        tensors["conditioning"] = {"null_text": objective.null_text.detach()}
    if controls is not None:
        tensors |= {"prior": dict(controls.prior), "tracker": dict(controls.tracker)}
    # a distilled change belongs to the weights that it was distilled from
    provenance = {n: x for n, x in codec.config.provenance.items() if n != DISTILLATION}
    config = dataclasses.replace(
        codec.config,
        controls=None if controls is None else controls.config,
        generation=dataclasses.replace(codec.config.generation, distilled_steps=0),
        provenance=provenance,
    )
    return config, tensors


@dataclass(frozen=True)
class ControlsWriter:
    """Writes a copy of a weight set with new control networks."""

    base: Path

    def write(self, folder: Path, controls: ControlTensors, provenance: Mapping[str, Any]) -> None:
        """Write the weight set with the given control networks."""
        config, tensors = load_weight_set(self.base)
        config = dataclasses.replace(
            config, controls=controls.config, provenance={**config.provenance, **provenance}
        )
        tensors |= {"prior": dict(controls.prior), "tracker": dict(controls.tracker)}
        _copied(self.base, folder, config, tensors)


@dataclass(frozen=True)
class LoraWriter:
    """Writes `lora.safetensors`: the low-rank updates of a U-Net prepared by `add_lora`."""

    config: ModelConfig
    rank: int
    base: str
    base_sha256: str

    def write(self, folder: Path, objective: Objective, provenance: Mapping[str, Any]) -> None:
        """Write the present updates."""
        del provenance
        assert isinstance(objective.unet, UNet1d)
        config = LoraConfig(
            self.rank, float(self.rank), self.base, self.config.unet, base_sha256=self.base_sha256
        )
        save_lora(folder / LORA_NAME, objective.unet, config)


@dataclass(frozen=True)
class DistilledWriter:
    """Writes a copy of a weight set with the change that distils its guidance."""

    base: Path
    steps: int  # of the sampler, where nobody gives them

    def write(self, folder: Path, objective: Objective, provenance: Mapping[str, Any]) -> None:
        """Write the weight set with the present change, as float16."""
        assert isinstance(objective.unet, UNet1d)
        config, tensors = load_weight_set(self.base)
        change = {n: t.half() for n, t in lora_tensors(objective.unet).items()}
        about = {DISTILLATION: provenance["diffusion"]}
        config = dataclasses.replace(
            config,
            generation=dataclasses.replace(config.generation, distilled_steps=self.steps),
            provenance={**config.provenance, **about},
        )
        _copied(self.base, folder, config, tensors | {"distilled": change})


def _copied(
    base: Path, folder: Path, config: ModelConfig, tensors: Mapping[str, Mapping[str, Tensor]]
) -> None:
    """Write a weight set with the text encoder and the card of another."""
    text_encoder = base / TEXT_ENCODER_FOLDER if config.text.revision is None else None
    card = base / CARD_NAME
    save_weight_set(
        folder,
        config,
        tensors,
        text_encoder=text_encoder,
        card=card.read_text("utf-8") if card.is_file() else None,
    )


def _card(name: str, provenance: Mapping[str, Any]) -> str:
    lines = [
        f"# {name}",
        "",
        "A weight set of jen1cli, written by `jen1 train`. Edit this card before sharing it: say"
        " what music it was trained on and under which licence.",
        "",
        *(
            f"- {stage}: {about.get('steps')} steps, {about.get('minutes')} minutes on"
            f" {about.get('processes')} x {about.get('device')}"
            for stage, about in provenance.items()
        ),
    ]
    return "\n".join(lines) + "\n"
