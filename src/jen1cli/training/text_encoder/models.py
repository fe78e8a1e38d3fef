"""The networks around the bundled text encoder: the small T5, its training heads, the teacher.

The student is a plain `transformers.T5EncoderModel`, so that inference loads it exactly as it
loads FLAN-T5. Heads and teacher exist in training only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.errors import CheckpointError, needs_extra
from jen1cli.jsonfiles import read_object
from jen1cli.music.chords import TONICS
from jen1cli.shapes import Text, TextMask
from jen1cli.training.text_encoder.data import HIGHEST_BPM, LOWEST_BPM, HeadTargets
from jen1cli.training.text_encoder.prompts import METER_CLASSES, MODE_CLASSES

with needs_extra("train", "training a text encoder"):
    from transformers import AutoModel, AutoTokenizer, T5Config, T5EncoderModel

Vectors = Float[Tensor, "batch features"]


@dataclass(frozen=True)
class StudentConfig:
    """Size of the text encoder."""

    pieces: int = 12_288  # size of the vocabulary; whole words start from the teacher's vectors
    features: int = 256  # width of the output, d_model of T5
    layers: int = 3
    heads: int = 4
    feedforward: int = 512
    max_tokens: int = 64


def build_student(config: StudentConfig) -> T5EncoderModel:
    """Build the T5 encoder with random weights."""
    t5 = T5Config(
        vocab_size=config.pieces,
        d_model=config.features,
        d_kv=config.features // config.heads,
        d_ff=config.feedforward,
        num_layers=config.layers,
        num_heads=config.heads,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        relative_attention_num_buckets=32,
        relative_attention_max_distance=64,
        pad_token_id=0,
        eos_token_id=1,
        is_encoder_decoder=False,
        use_cache=False,
    )
    return T5EncoderModel(t5)


@torch.no_grad()
def start_from_teacher(student: T5EncoderModel, vectors: Vectors) -> None:
    """Initialise as a bag of words of the teacher, for a meaningful mean token from the start.

    Token embeddings are the principal components of the teacher's vectors of the pieces, at unit
    variance; the residual layers start with small outputs.

    Args:
        student: encoder, modified in place.
        vectors: the teacher's vector of each piece, in the order of the vocabulary.
    """
    table = student.shared.weight
    centred = (vectors - vectors.mean(0)).float()
    directions = torch.linalg.eigh(centred.T @ centred).eigenvectors.flip(1)
    width = min(table.shape[1], directions.shape[1])
    reduced = centred @ directions[:, :width]
    turn = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(0))).Q
    reduced = reduced @ turn  # equal variance in every feature
    table[:, :width] = reduced / reduced.std()
    for name, weight in student.named_parameters():
        if name.endswith((".o.weight", ".wo.weight")):
            weight.mul_(0.1)


@torch.no_grad()
def fit_linear(linear: nn.Linear, given: Vectors, wanted: Float[Tensor, "batch outputs"]) -> None:
    """Set a linear layer to the ridge regression from `given` to `wanted`."""
    middle, aim = given.mean(0), wanted.mean(0)
    left, right = given - middle, wanted - aim
    ridge = 0.01 * left.square().sum() / left.shape[1] * torch.eye(left.shape[1])
    weight = torch.linalg.solve(left.T @ left + ridge, left.T @ right).T
    linear.weight.copy_(weight)
    linear.bias.copy_(aim - weight @ middle)


def pool(text: Text, text_mask: TextMask) -> Vectors:
    """Average the real tokens."""
    weight = rearrange(text_mask, "batch tokens -> batch tokens 1").to(text.dtype)
    return (text * weight).sum(1) / weight.sum(1).clamp(min=1.0)


class Reader(nn.Module):
    """Classifier: attention pooling of the tokens with one learned query, then a linear map."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(features))
        self.linear = nn.Linear(features, classes)

    def forward(self, text: Text, text_mask: TextMask) -> Float[Tensor, "batch classes"]:
        """Return the logits."""
        score = einsum(text, self.query, "batch tokens features, features -> batch tokens")
        weight = score.masked_fill(~text_mask, -torch.inf).softmax(1)
        seen = einsum(text, weight, "batch tokens features, batch tokens -> batch features")
        return self.linear(seen)


class Heads(nn.Module):
    """Training heads of the student: the teacher's vector, and the facts."""

    def __init__(self, features: int, teacher_features: int, targets: HeadTargets) -> None:
        super().__init__()
        self.to_teacher = nn.Linear(features, teacher_features)
        sizes = {
            "style": len(targets.styles),
            "bpm": HIGHEST_BPM - LOWEST_BPM + 1,
            "key": len(TONICS),
            "mode": len(MODE_CLASSES),
            "meter": len(METER_CLASSES),
            "drums": 2,
        }
        self.readers = nn.ModuleDict(
            {name: Reader(features, max(1, size)) for name, size in sizes.items()}
        )
        self.labels = nn.Linear(features, max(1, len(targets.labels)))  # on every token
        self.prototypes = nn.Parameter(torch.randn(max(1, len(targets.styles)), features))

    def label_logits(self, text: Text, text_mask: TextMask) -> Float[Tensor, "batch labels"]:
        """Return the logits of labels, pooled over tokens by log-sum-exp."""
        each = self.labels(text)
        return each.masked_fill(~text_mask[..., None], -30.0).logsumexp(1)

    def style_likeness(self, pooled: Vectors) -> Float[Tensor, "batch styles"]:
        """Return the cosine of the mean token with each style, divided by a fixed temperature."""
        own = functional.normalize(pooled, dim=-1)
        return own @ functional.normalize(self.prototypes, dim=-1).T / 0.07


class Teacher:
    """A sentence model in the Hugging Face layout: mean tokens, normalised."""

    def __init__(
        self, folder: Path, max_tokens: int = 96, device: str | torch.device = "cpu"
    ) -> None:
        """Load the model.

        Args:
            folder: the model's folder.
            max_tokens: length at which texts are cut.
            device: the model's device.

        Raises:
            CheckpointError: the folder contains no such model.
        """
        if not (folder / "config.json").is_file():
            raise CheckpointError(
                f"{folder} holds no sentence model (no config.json); give the folder of one, such"
                " as all-MiniLM-L6-v2"
            )
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder))
            model = AutoModel.from_pretrained(str(folder))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{folder} holds no whole sentence model ({str(error).splitlines()[0]}); give the"
                " folder of one, such as all-MiniLM-L6-v2"
            ) from error
        self._model = model.eval().requires_grad_(False).to(device)
        self._device = torch.device(device)
        self._max_tokens = max_tokens
        self.features: int = self._model.config.hidden_size

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], batch: int = 256) -> Vectors:
        """Return unit vectors [texts, features] on the CPU, half precision."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        made = torch.empty(len(texts), self.features, dtype=torch.float16)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            read = self._tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            )
            read = {name: values.to(self._device) for name, values in read.items()}
            with torch.autocast(self._device.type, dtype=torch.bfloat16):
                states = self._model(**read).last_hidden_state
            mean = pool(states.float(), read["attention_mask"].bool())
            made[rows] = functional.normalize(mean, dim=-1).half().cpu()
        return made


@dataclass(frozen=True)
class Student:
    """The encoder with its tokenizer."""

    model: T5EncoderModel
    tokenizer: Tokenizer
    max_tokens: int

    def read(self, texts: Sequence[str]) -> tuple[Tensor, TextMask]:
        """Return token ids [texts, tokens] and the mask of the real ones."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        rows = [
            row if len(row) <= self.max_tokens else [*row[: self.max_tokens - 1], 1] for row in rows
        ]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        mask = torch.zeros_like(ids, dtype=torch.bool)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
            mask[index, : len(row)] = True
        return ids, mask

    def forward(self, ids: Tensor, mask: TextMask) -> Text:
        """Return the token outputs [batch, tokens, features]."""
        return self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()

    @torch.no_grad()
    def pooled_vectors(self, texts: Sequence[str], batch: int = 256) -> Vectors:
        """Return the mean tokens."""
        made = []
        for start in range(0, len(texts), batch):
            ids, mask = self.read(texts[start : start + batch])
            made.append(pool(self.forward(ids, mask), mask))
        return torch.cat(made)

    def sentence_vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the normalised mean tokens."""
        return functional.normalize(self.pooled_vectors(texts), dim=-1)


def load_student(folder: Path) -> Student:
    """Load a trained text encoder with its tokenizer."""
    about = read_object(folder / "tokenizer_config.json")
    model = T5EncoderModel.from_pretrained(str(folder), dtype=torch.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return Student(model.eval().requires_grad_(False), tokenizer, int(about["model_max_length"]))
