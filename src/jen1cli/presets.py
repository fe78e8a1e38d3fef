"""The named configurations: `jen1` (the paper), `mini` (the bundled model) and `tiny` (tests).

Section numbers are those of arXiv 2308.04729v2; "guess" marks what the paper does not state.
"""

import difflib

from jen1cli.config import (
    DiffusionConfig,
    GenerationConfig,
    ModelConfig,
    SeanetConfig,
    SpectralConfig,
    TextConfig,
    UNetConfig,
    WhiteningConfig,
)
from jen1cli.errors import ConfigError
from jen1cli.music.controls import CONTROL_CHANNELS

JEN1 = ModelConfig(
    name="jen1",
    autoencoder=SeanetConfig(),  # V: hop 320, 128 channels, 5 % masked; the rest EnCodec 48 kHz
    whitening=WhiteningConfig(latent_channels=128, components=128),  # k = 115 for v2's 90 %
    text=TextConfig(
        source="google/flan-t5-large",  # V: FLAN-T5; the size follows from its 1024 features
        revision="0613663d0d48ea86ba8cb3d7a44f0f65dc596a2a",
        features=1024,
        max_tokens=128,  # guess
    ),
    unet=UNetConfig(),  # guess: widths that give the 746M of version 1 of the paper (750.7M)
    diffusion=DiffusionConfig(),  # V: 1000 steps, 0.0015 to 0.0195
    generation=GenerationConfig(),  # V: DDIM, 200 steps, guidance 2.0
)

MINI = ModelConfig(
    name="jen1-mini",
    autoencoder=SpectralConfig(),
    whitening=WhiteningConfig(latent_channels=128, components=64),
    text=TextConfig(source="text_encoder", features=256, max_tokens=64),
    unet=UNetConfig(
        latent_channels=64,
        text_features=256,
        channels=384,
        multipliers=(1, 1),
        factors=(1, 2),
        num_blocks=(2, 3),
        attention=(False, True),
        head_channels=64,
        feedforward_multiplier=2,
        time_features=256,
        causal_convolution="masking",  # measured better than the paper's padding
        control_channels=CONTROL_CHANNELS,
    ),
    diffusion=DiffusionConfig(schedule="cosine", prediction="v"),
    generation=GenerationConfig(
        window_seconds=10.24,
        sampler="dpmpp-2m",
        steps=20,
        guidance_scale=3.0,
        context_seconds=5.12,
        piece_context_seconds=1.92,
        # chosen on validation music (model card)
        control_guidance_interval=(0.0, 0.8),
        context_guidance_interval=(0.4, 1.0),
        continuation="bidirectional",
        edit_guidance_scale=2.0,
    ),
)

TINY = ModelConfig(
    name="tiny",
    autoencoder=SeanetConfig(latent_channels=8, num_filters=4, num_lstm_layers=0),
    whitening=WhiteningConfig(latent_channels=8, components=8),
    text=TextConfig(source="text_encoder", features=16, max_tokens=32),
    unet=UNetConfig(
        latent_channels=8,
        text_features=16,
        channels=16,
        multipliers=(1, 2, 2),
        factors=(1, 2, 2),
        num_blocks=(1, 1, 1),
        attention=(False, True, True),
        head_channels=8,
        feedforward_multiplier=2,
        time_features=16,
        control_channels=CONTROL_CHANNELS,
    ),
    diffusion=DiffusionConfig(prediction="v"),
    generation=GenerationConfig(window_seconds=1.0, steps=2, context_seconds=0.5),
)

PRESETS = {"jen1": JEN1, "mini": MINI, "tiny": TINY}


def preset(name: str) -> ModelConfig:
    """Return the preset of that name.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"unknown preset '{name}'{hint}; known: {', '.join(PRESETS)}")
    return PRESETS[name]
