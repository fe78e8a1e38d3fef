"""Style of a text: a linear softmax on the mean text embedding, stored beside the text encoder.

It is fitted to the encoder's embeddings (`jen1cli.training.text_encoder.style_fitting`), so it
belongs to this encoder alone.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from jen1cli.conditioning.controls.categorical import mean_text
from jen1cli.errors import CheckpointError
from jen1cli.files import writing
from jen1cli.jsonfiles import parse_json
from jen1cli.shapes import Text, TextMask

FILE = "styles.safetensors"
_LABELS = "styles"


class StyleClassifier:
    """Probabilities of styles for a text.

    Attributes:
        styles: names of the styles.
        weight: [features, styles].
        bias: [styles].
    """

    def __init__(
        self,
        styles: Sequence[str],
        weight: Float[Tensor, "features styles"],
        bias: Float[Tensor, " styles"],
    ) -> None:
        self.styles = tuple(styles)
        self.weight = weight
        self.bias = bias

    @classmethod
    def load(cls, folder: Path, features: int) -> "StyleClassifier | None":
        """Load the classifier of the text encoder in a folder; None if it has none.

        Raises:
            CheckpointError: the file is damaged, or of an encoder with other features.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                styles = parse_json(file.metadata()[_LABELS], str(path))
                weight, bias = file.get_tensor("weight").float(), file.get_tensor("bias").float()
        except Exception as error:  # safetensors and JSON each raise their own
            raise CheckpointError(
                f"cannot read the style classifier {path} ({' '.join(str(error).split())[:200]});"
                " get the weight set again"
            ) from error
        if weight.shape != (features, len(styles)) or bias.shape != (len(styles),):
            raise CheckpointError(
                f"the style classifier {path} has weights {list(weight.shape)} for {len(styles)}"
                f" styles and a text encoder of {features} features; fit it again"
            )
        return cls(styles, weight, bias)

    def save(self, folder: Path) -> None:
        """Write the file into the folder of the text encoder, in half precision."""
        tensors = {"weight": self.weight.half().contiguous(), "bias": self.bias.half()}
        with writing(folder / FILE, overwrite=True) as path:
            save_file(tensors, path, metadata={_LABELS: json.dumps(self.styles)})

    @torch.no_grad()
    def probabilities(self, text: Text, text_mask: TextMask) -> dict[str, float]:
        """Return the probability of each style for one text, computed on the CPU.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
        """
        mean = mean_text(text.cpu(), text_mask.cpu(), torch.float32)
        shares = (mean[0] @ self.weight + self.bias).softmax(-1)
        return dict(zip(self.styles, shares.tolist(), strict=True))
