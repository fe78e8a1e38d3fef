"""Fitting of a text encoder's style classifier: softmax regression on its mean embeddings.

Its texts are the captions of the training split, and the names and hints of all styles.
`jen1 train text-encoder` fits it at its end; `fit_styles` alone serves an encoder that exists.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from jen1cli.composition.styles import STYLES
from jen1cli.composition.words import style_words
from jen1cli.conditioning import TextEncoder
from jen1cli.conditioning.controls.categorical import mean_text
from jen1cli.conditioning.style_classifier import StyleClassifier
from jen1cli.config import TextConfig
from jen1cli.jsonfiles import read_object
from jen1cli.training.text_encoder.data import plain_style, read_captions
from jen1cli.training.text_encoder.prompts import words

_CAPTION_WEIGHT, _PHRASE_WEIGHT = 0.35, 3.0  # weight of one text in the loss
_WEIGHT_DECAY = 1e-3
_ITERATIONS = 60  # iterations of L-BFGS
_BATCH = 128


def fit_styles(folder: Path, captions: Sequence[Path] = ()) -> StyleClassifier:
    """Fit the classifier of the encoder in a folder, and write it there.

    Args:
        folder: text encoder in the Hugging Face layout.
        captions: folders of music with captions and styles, or JSON lines.

    Raises:
        DataError: captions cannot be read.
        CheckpointError: the folder holds no text encoder.
    """
    texts, styles, weights = _examples(captions)
    vectors = mean_vectors(_encoder(folder), texts)
    weight, bias = _softmax_regression(vectors, torch.tensor(styles), torch.tensor(weights))
    found = StyleClassifier(tuple(STYLES), weight, bias)
    found.save(folder)
    return found


def _examples(captions: Sequence[Path]) -> tuple[list[str], list[int], list[float]]:
    index = {style: number for number, style in enumerate(STYLES)}
    read = [prompt for path in captions for prompt in read_captions(path)]
    found = [
        (prompt.text, plain_style(str(prompt.attributes.get("style") or "")), _CAPTION_WEIGHT)
        for prompt in read
    ]
    lists = words()
    for style, names in lists.groups["style"].items():
        found += [(said, style, _PHRASE_WEIGHT) for said in (*names, *lists.hints.get(style, ()))]
    for said, meanings in style_words().items():
        found += [(said, style, _PHRASE_WEIGHT) for style in meanings]
    known = [(text, index[style], weight) for text, style, weight in found if style in index]
    texts, numbers, weights = zip(*known, strict=True)
    return list(texts), list(numbers), list(weights)


def _encoder(folder: Path) -> TextEncoder:
    features = read_object(folder / "config.json")["d_model"]
    return TextEncoder.from_folder(folder, TextConfig(features=features))


def mean_vectors(encoder: TextEncoder, texts: Sequence[str]) -> Float[Tensor, "texts features"]:
    """Return the mean embedding of each text, as the classifier reads it."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    rows: dict[int, Tensor] = {}
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        means = mean_text(*encoder.encode([texts[i] for i in batch]), torch.float32)
        rows |= dict(zip(batch, means.cpu(), strict=True))
    return torch.stack([rows[i] for i in range(len(texts))])


def _softmax_regression(
    vectors: Float[Tensor, "texts features"],
    styles: Int[Tensor, " texts"],
    weights: Float[Tensor, " texts"],
) -> tuple[Float[Tensor, "features styles"], Float[Tensor, " styles"]]:
    """Return weight and bias that minimise the weighted cross-entropy with L2 regularisation."""
    mean, deviation = vectors.mean(0), vectors.std(0) + 1e-4
    scaled = (vectors - mean) / deviation
    shares = weights / weights.sum()
    weight = torch.zeros(vectors.shape[1], len(STYLES), requires_grad=True)
    bias = torch.zeros(len(STYLES), requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=_ITERATIONS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        entropy = functional.cross_entropy(scaled @ weight + bias, styles, reduction="none")
        value = (entropy * shares).sum() + _WEIGHT_DECAY * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)  # type: ignore[arg-type] - the closure returns a tensor, as torch asks
    final = weight.detach() / deviation[:, None]
    return final, bias.detach() - mean @ final
