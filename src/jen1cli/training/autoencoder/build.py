"""Build stage 1 from a folder of music."""

import dataclasses
from pathlib import Path

import torch
from accelerate import Accelerator

from jen1cli.autoencoder import Autoencoder, Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec, load_codec
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.config import ModelConfig, SpectralConfig
from jen1cli.errors import ConfigError, DataError
from jen1cli.metrics.linear_codec import LinearCodec
from jen1cli.shapes import Waveform
from jen1cli.training.autoencoder.crops import CropSource, middles
from jen1cli.training.autoencoder.stage import AutoencoderParts, AutoencoderStage
from jen1cli.training.engine.events import Figures, OnEvent, Warned, ignore
from jen1cli.training.engine.memory import state_megabytes
from jen1cli.training.engine.reading import NOTHING_HELD_OUT, check_training_clips, read_clips
from jen1cli.training.recipes import AutoencoderTrainingConfig


def build_autoencoder_stage(
    data: Path | str,
    config: ModelConfig,
    hyperparameters: AutoencoderTrainingConfig,
    accelerator: Accelerator,
    *,
    init: Path | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> AutoencoderStage:
    """Build stage 1 on a folder of music.

    Args:
        data: set of music (`manifest.read_folder`).
        config: preset of the autoencoder.
        hyperparameters: the training's hyperparameters.
        accelerator: accelerator of this process.
        init: stage 1 folder or weight set to continue from; replaces `config`.
        seed: seed of the weights and of every random draw.
        on_event: called on skipped files.
    """
    torch.manual_seed(seed)
    if init is None:
        model = build_autoencoder(config.autoencoder)
        codec = Codec(config, model, Whitening(config.whitening))
    else:
        codec = load_codec(init)
    if hyperparameters.only_envelopes:
        codec = with_envelopes(codec, hyperparameters.only_envelopes)
    model, shape = codec.autoencoder, codec.config.autoencoder
    clips = read_clips(data, on_event)
    check_training_clips(clips)
    rate, channels = shape.sample_rate, shape.audio_channels
    hop = shape.hop_length
    crops = CropSource(
        [clip for clip in clips if clip.split == "train"],
        sample_rate=rate,
        audio_channels=channels,
        samples=max(1, round(hyperparameters.crop_seconds * rate / hop)) * hop,
        gain_decibels=hyperparameters.gain_decibels,
        side_decibels=hyperparameters.side_decibels,
        seed=seed,
        on_event=on_event,
    )
    some = crops.peek(hyperparameters.linear_crops)
    if init is None:
        start_linear(model, some)
    held_out = [clip for clip in clips if clip.split == "validation"]
    del held_out[hyperparameters.validation_clips :]
    samples = round(hyperparameters.validation_seconds * rate)
    found = list(middles(held_out, rate, channels, samples, on_event))
    stacked = torch.stack(found) if found else torch.zeros(0, channels, samples)
    if not found:
        on_event(Warned(NOTHING_HELD_OUT))
    floor = _linear_codec(some, hop, shape.latent_channels, on_event) if found else None
    parts = AutoencoderParts(codec, crops, stacked, floor, stacked if found else some, init)
    return AutoencoderStage(parts, hyperparameters, accelerator, seed=seed)


def _linear_codec(
    crops: Waveform, hop: int, components: int, on_event: OnEvent
) -> LinearCodec | None:
    try:
        return LinearCodec.fit([crop.numpy() for crop in crops], hop, components)
    except DataError as error:
        on_event(Warned(f"no linear baseline beside the validation metrics: {error}"))
        return None


def with_envelopes(codec: Codec, channels: int) -> Codec:
    """Return the codec with a predictor of envelopes; one that it has already stays.

    Raises:
        ConfigError: the autoencoder is not of the family that has one, or has another.
    """
    shape = codec.config.autoencoder
    if not isinstance(shape, SpectralConfig):
        raise ConfigError(f"an autoencoder of the family '{shape.family}' predicts no envelopes")
    if shape.envelope_channels not in (0, channels):
        raise ConfigError(
            f"this autoencoder predicts envelopes with {shape.envelope_channels} channels, not"
            f" {channels}; give that number"
        )
    if shape.envelope_channels:
        return codec
    config = dataclasses.replace(shape, envelope_channels=channels)
    model = build_autoencoder(config)
    model.load_state_dict(codec.autoencoder.state_dict(), strict=False)
    whole = dataclasses.replace(codec.config, autoencoder=config)
    return dataclasses.replace(codec, config=whole, autoencoder=model)


def start_linear(autoencoder: Autoencoder, waveform: Waveform) -> None:
    """Initialise an autoencoder that has `fit_basis` with the principal components of music."""
    if not isinstance(autoencoder, SpectralAutoencoder):
        return
    hop = autoencoder.hop_length
    whole = waveform[..., : waveform.shape[-1] // hop * hop]
    with torch.no_grad():
        features = torch.cat([autoencoder.features(one[None])[0].T for one in whole])
        mean = features.mean(0) / autoencoder.feature_weight + autoencoder.feature_mean
        autoencoder.fit_basis(features, mean)


def describe_autoencoder(stage: AutoencoderStage) -> Figures:
    """Return what `--dry-run` shows for stage 1."""
    parameters = sum(p.numel() for p in stage.objective.parameters())
    critic = sum(p.numel() for p in stage.discriminator.parameters())
    return {
        "parameters": parameters,
        "discriminator parameters": critic,
        # the discriminator has no average
        "memory for weights and optimisers (MB)": state_megabytes(parameters, parameters)
        + state_megabytes(0, critic),
        "clips": stage.clips,
        "steps per epoch": stage.clips / stage.batch_size,
    }
