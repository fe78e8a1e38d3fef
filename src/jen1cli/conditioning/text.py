"""Text for the U-Net: prompts through a frozen T5 encoder (paper section V: FLAN-T5).

The encoder is stored in its own folder, in the Hugging Face layout, and stays frozen. It is not
registered as a submodule: `parameters()` and `state_dict()` of a `TextEncoder` contain only the
learned null text, if the model has one.
"""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

from jen1cli.conditioning.hub import download
from jen1cli.conditioning.style_classifier import StyleClassifier
from jen1cli.conditioning.t5 import T5Encoder, T5Shape
from jen1cli.conditioning.vocabulary import Vocabulary
from jen1cli.config import TextConfig
from jen1cli.errors import CheckpointError, Jen1Error, needs_extra
from jen1cli.files import encoded, make_folder, writing_together
from jen1cli.jsonfiles import read_object
from jen1cli.shapes import Text, TextMask

logger = logging.getLogger(__name__)

FILE = "model.safetensors"
EMBEDDING_NAMES = ("shared.weight", "encoder.embed_tokens.weight")  # tied weights

# features -> layers, hidden width, heads, vocabulary: small, base, large, xl
_FLAN_T5 = {
    512: (8, 1024, 6, 32_128),
    768: (12, 2048, 12, 32_128),
    1024: (24, 2816, 16, 32_128),
    2048: (24, 5120, 32, 32_128),
}


class TextEncoder(nn.Module):
    """Encodes prompts, and holds the null text of classifier-free guidance.

    Attributes:
        null_text: learned null text, [1, 1, features]; None if the empty prompt is the null text.
        num_parameters: number of parameters of the T5 encoder and the null text.
        styles: classifier of the style of a text; None if the encoder has none.
        vocabulary: words of the captions that the model learned from; None if they are not listed.
    """

    def __init__(self, config: TextConfig, encoder: T5Encoder, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config = config
        self.null_text: nn.Parameter | None = None
        if config.null_prompt == "learned":
            self.null_text = nn.Parameter(torch.zeros(1, 1, config.features))
        self._frozen = (encoder.eval().requires_grad_(False),)  # in a tuple: not registered
        self._tokenizer = tokenizer
        self.styles: StyleClassifier | None = None
        self.vocabulary: Vocabulary | None = None

    @classmethod
    def load(cls, config: TextConfig, weights_folder: Path) -> "TextEncoder":
        """Load from the weight set's folder, or from the hub if `config` names a revision."""
        if config.revision is None:
            return cls.from_folder(weights_folder / config.source, config)
        return cls.from_hub(config)

    @classmethod
    def from_hub(cls, config: TextConfig) -> "TextEncoder":
        """Load a hub model at a fixed revision, from the local cache if it contains the model.

        Raises:
            CheckpointError: the model is not in the cache, and the download fails.
        """
        return cls.from_folder(download(config.source, config.revision), config)

    @classmethod
    def from_folder(
        cls,
        path: Path,
        config: TextConfig,
        *,
        remedy: str = "use the encoder that the model was trained with",
    ) -> "TextEncoder":
        """Load from a folder with config.json, model.safetensors and tokenizer.json.

        Args:
            path: the folder.
            config: the model's config.
            remedy: advice in the message about an encoder of another size.

        Raises:
            CheckpointError: a file is missing or broken, or its shape differs from `config`.
        """
        if not (path / "config.json").is_file():
            raise CheckpointError(
                f"{path} holds no text encoder (no config.json); give a folder in the Hugging Face"
                " layout with config.json, model.safetensors and tokenizer.json"
            )
        encoder = _load_encoder(path)
        if encoder.shape.features != config.features:
            raise CheckpointError(
                f"the text encoder in {path} has {encoder.shape.features} features but the model"
                f" expects {config.features}; {remedy}"
            )
        loaded = cls(config, encoder, _load_tokenizer(path))
        loaded.styles = StyleClassifier.load(path, config.features)
        loaded.vocabulary = Vocabulary.load(path)
        return loaded

    @classmethod
    def random(cls, config: TextConfig) -> "TextEncoder":
        """Build an encoder with random weights and byte tokens, for tests and for timing.

        It has the shape of the FLAN-T5 model with the configured number of features, if one exists.
        """
        layers, hidden, heads, vocabulary = _FLAN_T5.get(
            config.features, (2, 2 * config.features, max(1, config.features // 64), 384)
        )
        shape = T5Shape(config.features, hidden, layers, heads, vocabulary)
        encoder = T5Encoder(shape)
        return cls(config, encoder, _byte_tokenizer())

    def save(self, path: Path) -> None:
        """Save the frozen encoder and its tokenizer in the layout that `from_folder` reads."""
        make_folder(path)
        encoder = self._frozen[0]
        tensors = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
        values = json.dumps(encoder.shape.values(), indent=2)
        places = (path / FILE, path / "config.json", path / "tokenizer.json")
        with writing_together(*places) as (tensors_file, config_file, tokenizer_file):
            save_file(tensors, tensors_file)
            config_file.write_bytes(encoded(values + "\n"))
            self._tokenizer.save(str(tokenizer_file))

    @property
    def device(self) -> torch.device:
        """Device of the encoder."""
        return self._frozen[0].device

    @property
    def num_parameters(self) -> int:
        """Number of parameters, frozen ones included."""
        own = sum(parameter.numel() for parameter in self.parameters())
        return own + sum(parameter.numel() for parameter in self._frozen[0].parameters())

    def encode(self, prompts: Sequence[str], *, pad_to: int | None = None) -> tuple[Text, TextMask]:
        """Encode prompts; a prompt above the configured number of tokens is cut, with a warning.

        Args:
            prompts: at least one; each may be empty.
            pad_to: number of tokens of the result; by default the longest prompt's.

        Returns:
            embeddings [batch, tokens, features] in float32, zero at padding, and their mask.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError("give a sequence of at least one prompt")
        rows = [self._tokens(prompt) for prompt in prompts]
        width = max(1, *(len(row) for row in rows)) if pad_to is None else pad_to
        pad = self._frozen[0].shape.pad
        padded = [row + [pad] * (width - len(row)) for row in rows]
        tokens = torch.tensor(padded, device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = torch.arange(width, device=self.device) < lengths[:, None]
        return self._embed(tokens, mask), mask

    def null(self, batch: int) -> tuple[Text, TextMask]:
        """Return the null text, once per batch item."""
        if self.null_text is None:
            text, mask = self.encode([""])
        else:
            text = self.null_text
            mask = torch.ones(1, 1, dtype=torch.bool, device=text.device)
        return text.expand(batch, -1, -1), mask.expand(batch, -1)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "TextEncoder":
        self._frozen[0]._apply(fn, recurse)
        return super()._apply(fn, recurse)

    @torch.no_grad()
    def _embed(self, tokens: Int[Tensor, "batch tokens"], mask: TextMask) -> Text:
        return self._frozen[0](tokens, mask).float().masked_fill(~mask[:, :, None], 0.0)

    def _tokens(self, prompt: str) -> list[int]:
        tokens = self._tokenizer.encode(prompt).ids
        most = self.config.max_tokens
        if len(tokens) <= most:
            return tokens
        logger.warning(
            "prompt of %d tokens cut to %d: '%s ...'", len(tokens), most, prompt[:40].strip()
        )
        end = tokens[-1]  # T5 ends every prompt with </s>
        return [*tokens[: most - 1], end]


def join(*texts: tuple[Tensor, Tensor]) -> tuple[Text, TextMask]:
    """Concatenate encoded texts to one batch, padded to the longest."""
    width = max(text.shape[1] for text, _ in texts)
    pad = nn.functional.pad
    padded = [pad(text, (0, 0, 0, width - text.shape[1])) for text, _ in texts]
    masks = [pad(mask, (0, width - mask.shape[1]), value=False) for _, mask in texts]
    return torch.cat(padded), torch.cat(masks)


def _byte_tokenizer() -> Tokenizer:
    """Return a tokenizer whose tokens are bytes, with T5's <pad> 0 and </s> 1."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<pad>", "</s>", "<unk>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def _load_encoder(path: Path) -> T5Encoder:
    """Build the encoder from its files."""
    try:
        values = read_object(path / "config.json")
        shape = T5Shape.read(values)
        tensors = _read_tensors(path)
        if shape.layers > len(tensors):  # before they are built: a damaged number is any
            raise ValueError(f"config.json has {shape.layers} layers, for {len(tensors)} tensors")
        with torch.device("meta"):
            encoder = T5Encoder(shape)
    except MemoryError:
        raise
    except Exception as error:  # JSON and safetensors each raise their own
        raise CheckpointError(
            f"cannot read the text encoder in {path}: {_first_line(error)}; install it again"
        ) from error
    wanted = encoder.state_dict()
    wrong = [
        name for name in wanted if name not in tensors or tensors[name].shape != wanted[name].shape
    ]
    wrong += [name for name in tensors if name not in wanted]
    if wrong:
        raise CheckpointError(
            f"the text encoder in {path} does not match its config.json: {len(wrong)} tensors are"
            f" missing, of another shape or unknown (first: {wrong[0]}); install it again"
        )
    encoder.load_state_dict(tensors, strict=True, assign=True)
    return encoder


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all shards, without the tensors of the decoder."""
    files = sorted(path.glob("model*.safetensors"))
    if not files:
        raise FileNotFoundError("no model.safetensors")
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= load_file(file)
    tensors = {
        name: tensor.float()
        for name, tensor in tensors.items()
        if not name.startswith(("decoder.", "lm_head."))
    }
    ours, twin = EMBEDDING_NAMES
    if twin in tensors:
        tensors.setdefault(ours, tensors.pop(twin))
    return tensors


def _load_tokenizer(path: Path) -> Tokenizer:
    file = path / "tokenizer.json"
    try:
        if file.is_file():
            tokenizer = Tokenizer.from_file(str(file))
        else:  # an older folder, with a sentencepiece model only
            with needs_extra("hub", f"{path} has no tokenizer.json; to read its tokenizer"):
                from transformers.models.auto.tokenization_auto import AutoTokenizer

            loaded = AutoTokenizer.from_pretrained(path, local_files_only=True)
            tokenizer = loaded.backend_tokenizer
    except (Jen1Error, MemoryError):
        raise
    except Exception as error:  # tokenizers raises bare Exception
        raise CheckpointError(
            f"cannot read the tokenizer in {path}: {_first_line(error)}; install it again"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
