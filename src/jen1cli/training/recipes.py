"""Recipes of training: all hyperparameters of both stages, by name.

V marks values of section V of arXiv 2308.04729v2; "guess" marks values that it does not state.
This module does not import torch, so that the command line can list the recipes quickly.
"""

import difflib
from dataclasses import dataclass
from typing import Literal

from jen1cli.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16"]
LrShape = Literal["linear", "cosine", "constant"]
TrainedTask = Literal["generate", "inpaint", "continue"]
PredictorName = Literal["envelopes", "frequencies"]
"""Networks of the spectral autoencoder's decoder that can be trained alone."""


@dataclass(frozen=True)
class Optimisation:
    """Shared by both stages: AdamW (V), learning rate, averaging, precision."""

    lr: float = 3e-5  # V
    lr_shape: LrShape = "linear"  # V: linearly decayed
    warmup_steps: int = 500  # guess
    betas: tuple[float, float] = (0.9, 0.95)  # V
    weight_decay: float = 0.1  # V
    clip_norm: float = 1.0  # V
    ema_decay: float = 0.9999  # guess
    # decays of further averages, to choose between when a long training is released
    more_ema_decays: tuple[float, ...] = ()
    precision: Precision = "auto"  # bf16 if the device is faster in it
    accumulation: int = 1  # micro-batches in one optimiser step
    checkpointing: bool = False  # recompute activations in the backward pass
    compile: bool = False  # torch.compile of the network

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a number cannot train, or a further average is named twice.
        """
        decays = (self.ema_decay, *self.more_ema_decays)
        if self.lr <= 0 or not all(0 <= d < 1 for d in decays) or self.accumulation < 1:
            raise ConfigError(
                f"learning rate {self.lr}, EMA decays {', '.join(map(str, decays))} and"
                f" accumulation {self.accumulation} cannot train; use lr > 0, 0 <= decay < 1,"
                " accumulation >= 1"
            )
        if len(set(self.more_ema_decays)) < len(self.more_ema_decays):
            raise ConfigError(
                f"the further EMA decays {', '.join(map(str, self.more_ema_decays))} name one"
                " twice; give each once"
            )


@dataclass(frozen=True)
class DiffusionTrainingConfig:
    """Stage 2: joint training of three tasks on cached latents (paper section IV-C)."""

    optimisation: Optimisation = Optimisation()
    batch_size: int = 512  # V; over all processes and micro-batches
    crop_seconds: float | None = None  # None: the preset's window
    text_dropout: float = 0.2  # V; half of these items lose all controls too
    control_dropout: float = 0.1  # of each group: beat, bar, key, chords, drums, melody
    tasks: tuple[TrainedTask, ...] = (
        "generate",
        "inpaint",
        "continue",
    )  # V: all three; fewer for ablations
    unidirectional: bool = True  # V: both directions; False for ablations
    loss_weight: Literal["plain", "min-snr"] = "plain"
    min_snr_gamma: float = 5.0  # arXiv 2303.09556
    times: Literal["discrete", "uniform", "logit-normal"] = "discrete"  # V: t uniform in 1..N
    grid: tuple[float, ...] = ()  # times to draw from in place of all, and to validate at
    # loss weight of a whitened component ~ (share of the latent's deviation) ** component_power, so
    # that a short training learns loudness and chords before fine detail; 0: as the paper
    component_power: float = 0.0
    validation_clips: int = 48
    validation_times: int = 6  # fixed noise levels, midpoints of equal parts of (0, 1)
    steps: int | None = 200_000  # V; None: train for the minutes given

    def __post_init__(self) -> None:
        """Check that a batch contains every task."""
        if not self.tasks:
            raise ConfigError("a recipe without tasks trains nothing; name at least one")
        if self.batch_size < 3:
            raise ConfigError(
                f"a batch of {self.batch_size} cannot hold the three tasks; use at least 3"
            )


@dataclass(frozen=True)
class AutoencoderTrainingConfig:
    """Stage 1: reconstruction, then adversarial (EnCodec's losses, arXiv 2210.13438 3.4)."""

    optimisation: Optimisation = Optimisation(
        lr=3e-4, betas=(0.5, 0.9), weight_decay=0.0, ema_decay=0.999, lr_shape="cosine"
    )
    batch_size: int = 64
    crop_seconds: float = 1.0
    adversarial_from: float = 0.3  # share of the training before the discriminator enters
    # "always" keeps the latents, and so a diffusion model trained on them, valid; "components"
    # trains the encoder only in the directions that whitening drops
    freeze_encoder: Literal["never", "adversarial", "always", "components"] = "never"
    # train nothing but this network of the decoder, which is added with so many channels to a set
    # without; "": everything
    only: PredictorName | Literal[""] = ""
    only_channels: int = 0
    balancer: bool = True  # EnCodec's; False: the weights multiply the losses
    weight_waveform: float = 0.1
    weight_spectral: float = 1.0
    weight_adversarial: float = 4.0
    weight_features: float = 4.0
    discriminator_windows: tuple[int, ...] = (4096, 2048, 1024, 512, 256)
    discriminator_channels: int = 32
    discriminator_share: float = 0.5  # share of the steps that update the discriminator
    gain_decibels: tuple[float, float] = (-10.0, 6.0)  # random gain of the crops
    # random gain of the side signal in most crops: recordings are wider than rendered music
    side_decibels: tuple[float, float] = (-6.0, 18.0)
    validation_clips: int = 12
    validation_seconds: float = 5.0
    linear_crops: int = 256  # to fit linear starts and the linear floor
    steps: int | None = 600_000  # EnCodec: 300 epochs of 2000 updates


@dataclass(frozen=True)
class ControlsTrainingConfig:
    """The two control networks (`jen1cli.training.controls.stage`); not in the paper."""

    optimisation: Optimisation = Optimisation(
        lr=2e-3, lr_shape="cosine", warmup_steps=50, weight_decay=0.05, ema_decay=0.995,
        precision="fp32",
    )  # fmt: skip
    batch_size: int = 24
    crop_seconds: float | None = None  # None: the preset's window
    steps: int | None = 3_000


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe: the hyperparameters of all stages, with the preset they were chosen for."""

    preset: str
    autoencoder: AutoencoderTrainingConfig
    diffusion: DiffusionTrainingConfig
    note: str = ""
    controls: ControlsTrainingConfig = ControlsTrainingConfig()


_SMALL_STAGE_1 = Optimisation(
    lr=4e-4, lr_shape="cosine", warmup_steps=100, betas=(0.8, 0.99), weight_decay=0.01,
    ema_decay=0.999,
)  # fmt: skip
_SMALL_STAGE_2 = Optimisation(
    lr=6e-4, lr_shape="cosine", warmup_steps=300, betas=(0.9, 0.95), weight_decay=0.05,
    ema_decay=0.999,
)  # fmt: skip

RECIPES = {
    "jen1": TrainingConfig(
        "jen1",
        AutoencoderTrainingConfig(),
        DiffusionTrainingConfig(Optimisation(checkpointing=True)),  # 64 windows on each of 8 GPUs
        "the paper, for GPUs",
    ),
    "mini-cpu": TrainingConfig(
        "mini",
        AutoencoderTrainingConfig(
            _SMALL_STAGE_1, batch_size=8, crop_seconds=0.64, adversarial_from=1.0, balancer=False,
            weight_waveform=10.0, steps=None,
        ),
        DiffusionTrainingConfig(
            _SMALL_STAGE_2, batch_size=15, crop_seconds=10.24, loss_weight="plain",
            times="logit-normal", component_power=0.5, steps=None,
        ),
        "the bundled model on a few CPU cores, by the minutes given",
    ),
    "mini-gpu": TrainingConfig(
        "mini",
        AutoencoderTrainingConfig(
            _SMALL_STAGE_1, batch_size=64, crop_seconds=1.0, adversarial_from=0.5, steps=60_000,
        ),
        DiffusionTrainingConfig(
            _SMALL_STAGE_2, batch_size=258, loss_weight="plain", times="logit-normal",
            component_power=0.5, steps=100_000,
        ),
        "the bundled model on one GPU",
    ),
    "finetune": TrainingConfig(
        "mini",
        AutoencoderTrainingConfig(),
        DiffusionTrainingConfig(
            Optimisation(
                lr=1e-4, lr_shape="cosine", warmup_steps=50, weight_decay=0.01, ema_decay=0.995
            ),
            batch_size=12, times="logit-normal", component_power=0.5, steps=1000,
        ),
        "a trained model on a folder of one's own; a LoRA takes five times the rate",
    ),
    "distill": TrainingConfig(
        "mini",
        AutoencoderTrainingConfig(),
        DiffusionTrainingConfig(
            Optimisation(
                lr=5e-4, lr_shape="cosine", warmup_steps=30, weight_decay=0.0, ema_decay=0.99
            ),
            batch_size=12, text_dropout=0.1, times="uniform", component_power=0.5,
            validation_clips=8, steps=1000,
        ),
        "the guidance of a trained model into a LoRA",
    ),
    "overfit": TrainingConfig(
        "tiny",
        AutoencoderTrainingConfig(),
        DiffusionTrainingConfig(
            Optimisation(lr=2e-3, lr_shape="cosine", warmup_steps=20, ema_decay=0.99,
                         precision="fp32"),
            batch_size=12, times="uniform", steps=1200,
        ),
        "one clip by heart: the test that every model has to pass",
    ),
    "tiny": TrainingConfig(
        "tiny",
        AutoencoderTrainingConfig(
            _SMALL_STAGE_1, batch_size=2, crop_seconds=0.25, discriminator_windows=(256, 128),
            discriminator_channels=4, validation_clips=2, validation_seconds=0.5,
            linear_crops=16, steps=20,
        ),
        DiffusionTrainingConfig(
            _SMALL_STAGE_2, batch_size=6, loss_weight="min-snr", times="uniform",
            validation_clips=2, validation_times=2, steps=20,
        ),
        "the test suite",
    ),
}  # fmt: skip


def training_config(name: str) -> TrainingConfig:
    """Return the hyperparameters of a recipe, by its name.

    Raises:
        ConfigError: there is no such recipe.
    """
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"unknown recipe '{name}'{hint}; known: {', '.join(RECIPES)}")
    return RECIPES[name]
