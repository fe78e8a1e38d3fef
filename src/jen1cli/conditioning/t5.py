"""The encoder of T5 (arXiv 1910.10683, section 2.1) and FLAN-T5, for inference only.

Importing transformers for the same network would take as long as generating ten seconds of music.
Modules have the names of its checkpoints, so that a folder in the Hugging Face layout loads.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.shapes import Text, TextMask

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "gelu_new": lambda: nn.GELU("tanh")}


@dataclass(frozen=True)
class T5Shape:
    """Hyperparameters of the encoder."""

    features: int
    hidden: int  # width of the feed-forward layers
    layers: int
    heads: int
    vocabulary: int
    head_features: int = 64
    buckets: int = 32  # relative position buckets, half of them for each direction
    max_distance: int = 128
    activation: str = "gelu_new"
    gated: bool = True  # gated feed-forward, as in version 1.1 and FLAN
    epsilon: float = 1e-6
    pad: int = 0

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "T5Shape":
        """Read the shape from a config.json; missing fields take the defaults of transformers.

        Raises:
            ValueError: the model is not a T5, or its activation is unknown.
        """
        if values.get("model_type", "t5") != "t5":
            raise ValueError(f"it is a {values['model_type']}, not a T5")
        projection = str(values.get("feed_forward_proj", "relu"))
        gated = projection.startswith("gated-")
        activation = projection.removeprefix("gated-")
        if gated and activation == "gelu":  # in early files of version 1.1 this means gelu_new
            activation = "gelu_new"
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown feed_forward_proj '{projection}'")
        return cls(
            features=int(values.get("d_model", 512)),
            hidden=int(values.get("d_ff", 2048)),
            layers=int(values.get("num_layers", 6)),
            heads=int(values.get("num_heads", 8)),
            vocabulary=int(values.get("vocab_size", 32_128)),
            head_features=int(values.get("d_kv", 64)),
            buckets=int(values.get("relative_attention_num_buckets", 32)),
            max_distance=int(values.get("relative_attention_max_distance", 128)),
            activation=activation,
            gated=gated,
            epsilon=float(values.get("layer_norm_epsilon", 1e-6)),
            pad=int(values.get("pad_token_id") or 0),
        )

    def values(self) -> dict[str, Any]:
        """Return the config.json that `read` and transformers take."""
        activation = self.activation.removesuffix("_new") if self.gated else self.activation
        return {
            "architectures": ["T5EncoderModel"],
            "model_type": "t5",
            "d_model": self.features,
            "d_ff": self.hidden,
            "num_layers": self.layers,
            "num_heads": self.heads,
            "vocab_size": self.vocabulary,
            "d_kv": self.head_features,
            "relative_attention_num_buckets": self.buckets,
            "relative_attention_max_distance": self.max_distance,
            "feed_forward_proj": f"gated-{activation}" if self.gated else activation,
            "layer_norm_epsilon": self.epsilon,
            "pad_token_id": self.pad,
            "eos_token_id": 1,
        }


class T5Encoder(nn.Module):
    """Maps tokens to embeddings."""

    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self.shape = shape
        self.shared = _embedding(shape.vocabulary, shape.features)
        self.encoder = _Stack(shape)

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return self.shared.weight.device

    def forward(self, tokens: Int[Tensor, "batch tokens"], mask: TextMask) -> Text:
        """Encode tokens; masked tokens are ignored, and their outputs are undefined."""
        return self.encoder(self.shared(tokens), mask)


class _Stack(nn.Module):
    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self._shape = shape
        self.block = nn.ModuleList(_Block(shape, first=i == 0) for i in range(shape.layers))
        self.final_layer_norm = _Norm(shape)

    def forward(self, x: Text, mask: TextMask) -> Text:
        table = self.get_parameter("block.0.layer.0.SelfAttention.relative_attention_bias.weight")
        buckets = relative_buckets(x.shape[1], self._shape).to(x.device)
        bias = table[buckets].permute(2, 0, 1)[None]  # [1, heads, tokens, tokens]
        bias = bias.masked_fill(~mask[:, None, None, :], torch.finfo(x.dtype).min)
        for block in self.block:
            x = block(x, bias)
        return self.final_layer_norm(x)


class _Block(nn.Module):
    def __init__(self, shape: T5Shape, *, first: bool) -> None:
        super().__init__()
        attention, feedforward = _Attention(shape, first=first), _FeedForward(shape)
        self.layer = nn.ModuleList(
            (
                _Residual(shape, "SelfAttention", attention),
                _Residual(shape, "DenseReluDense", feedforward),
            )
        )

    def forward(self, x: Text, bias: Tensor) -> Text:
        attention, feedforward = self.layer
        return feedforward(attention(x, bias))


class _Residual(nn.Module):
    """Pre-norm residual block; its network is registered under the checkpoint's name."""

    def __init__(self, shape: T5Shape, name: str, network: nn.Module) -> None:
        super().__init__()
        self.layer_norm = _Norm(shape)
        self.add_module(name, network)
        self._name = name

    def forward(self, x: Text, *more: Tensor) -> Text:
        return x + self.get_submodule(self._name)(self.layer_norm(x), *more)


class _Norm(nn.Module):
    """RMS normalisation: no mean subtraction and no bias."""

    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self._epsilon = shape.epsilon
        self.weight = nn.Parameter(torch.ones(shape.features))

    def forward(self, x: Text) -> Text:
        return functional.rms_norm(x, x.shape[-1:], self.weight, self._epsilon)


class _Attention(nn.Module):
    """Self-attention without the factor 1/sqrt(d), which T5 puts into its initialisation."""

    def __init__(self, shape: T5Shape, *, first: bool) -> None:
        super().__init__()
        self._heads = shape.heads
        inner = shape.heads * shape.head_features
        self.q = nn.Linear(shape.features, inner, bias=False)
        self.k = nn.Linear(shape.features, inner, bias=False)
        self.v = nn.Linear(shape.features, inner, bias=False)
        self.o = nn.Linear(inner, shape.features, bias=False)
        if first:  # shared by all layers
            self.relative_attention_bias = _embedding(shape.buckets, shape.heads)

    def forward(self, x: Text, bias: Float[Tensor, "batch heads tokens tokens"]) -> Text:
        q, k, v = (
            project(x).unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for project in (self.q, self.k, self.v)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        return self.o(mixed.transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self._gated = shape.gated
        if shape.gated:
            self.wi_0 = nn.Linear(shape.features, shape.hidden, bias=False)
            self.wi_1 = nn.Linear(shape.features, shape.hidden, bias=False)
        else:
            self.wi = nn.Linear(shape.features, shape.hidden, bias=False)
        self.wo = nn.Linear(shape.hidden, shape.features, bias=False)
        self.act = ACTIVATIONS[shape.activation]()

    def forward(self, x: Text) -> Text:
        hidden = self.act(self.wi_0(x)) * self.wi_1(x) if self._gated else self.act(self.wi(x))
        return self.wo(hidden)


def _embedding(count: int, features: int) -> nn.Embedding:
    """Return a uniform random table.

    Normal numbers on `meta`, where `conditioning.text` builds the encoder, would import torch's
    compiler.
    """
    table = torch.empty(count, features).uniform_(-1.0, 1.0)
    return nn.Embedding.from_pretrained(table, freeze=False)


def relative_buckets(tokens: int, shape: T5Shape) -> Int[Tensor, "tokens tokens"]:
    """Return the bucket of each pair's distance: exact at short distances, then logarithmic."""
    places = torch.arange(tokens)
    distance = places[None, :] - places[:, None]
    half = shape.buckets // 2
    exact = half // 2
    size = distance.abs()
    share = (size.clamp(min=1) / exact).log() / math.log(shape.max_distance / exact)
    far = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return half * (distance > 0) + torch.where(size < exact, size, far)
