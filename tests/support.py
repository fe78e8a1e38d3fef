"""Tools that several test files share."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor

from jen1cli.conditioning import TextEncoder
from jen1cli.conditioning.t5 import T5Encoder, T5Shape
from jen1cli.config import TextConfig, UNetConfig
from jen1cli.diffusion import Predict, Schedule
from jen1cli.unet import UNet1d

WORDS = ["a", "soft", "lofi", "piano", "with", "drums", "bass", "slow", "fast", "calm", "jazz"]


def gaussian_predict(schedule: Schedule, mean: float, std: float) -> Predict:
    """The perfect eps prediction for clips whose every number is N(mean, std²)."""

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        alpha = schedule.alpha(t.double()).view(-1, 1, 1)
        sigma = schedule.sigma(t.double()).view(-1, 1, 1)
        eps = sigma * (x_t - alpha * mean) / (alpha**2 * std**2 + sigma**2)
        return eps.to(x_t.dtype)

    return predict


def make_text_encoder_folder(path: Path, features: int, *, seed: int = 0) -> Path:
    """Save a tiny random T5 encoder and its tokenizer in the Hugging Face layout."""
    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2}
    for word in WORDS + [chr(code) for code in range(33, 127)]:
        vocabulary.setdefault(word, len(vocabulary))
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    heads = 2
    shape = T5Shape(features, 2 * features, 2, heads, len(vocabulary), max(2, features // heads))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = T5Encoder(shape)
    TextEncoder(TextConfig(features=features), encoder, tokenizer).save(path)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    (path / "tokenizer_config.json").write_text(json.dumps(settings))
    return path


def unet_without_zeros(
    config: UNetConfig, *, seed: int = 0, dtype: torch.dtype = torch.float32
) -> UNet1d:
    """A U-Net whose zero-initialised parameters are random, so that every part has a say."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet1d(config)
        for parameter in unet.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
    return unet.to(dtype)


def unet_inputs(
    config: UNetConfig, frames: int, *, batch: int = 2, tokens: int = 5, seed: int = 0
) -> dict[str, Tensor]:
    """Random arguments of `UNet1d.forward`, as keywords."""
    generator = torch.Generator().manual_seed(seed)
    channels = config.latent_channels
    return {
        "x_t": torch.randn(batch, channels, frames, generator=generator),
        "t": torch.rand(batch, generator=generator),
        "context": torch.randn(
            batch, channels + 1 + config.control_channels, frames, generator=generator
        ),
        "text": torch.randn(batch, tokens, config.text_features, generator=generator),
        "text_mask": torch.ones(batch, tokens, dtype=torch.bool),
    }
