"""Build stage 1 from a folder of music."""

import dataclasses
from pathlib import Path
from typing import Literal

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
from jen1cli.training.recipes import AutoencoderTrainingConfig, PredictorName

PREDICTORS: dict[PredictorName, str] = {
    "envelopes": "envelope_channels", "frequencies": "frequency_channels",
}  # fmt: skip
"""Settings of the networks of the decoder that can be trained alone."""
MOST_CHANNELS = 4096
KEPT_BINS = 2
"""`SpectralBand.kept_bins` of a set that gets predicted frequencies: a main lobe."""


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
    if hyperparameters.only:
        codec = with_predictor(codec, hyperparameters.only, hyperparameters.only_channels)
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


def parse_predictor(text: str, *, begun: bool) -> tuple[PredictorName | Literal[""], int]:
    """Return name and channels of a predictor: "envelopes:128"; "" is none, with 0.

    Args:
        text: what --only was given.
        begun: whether there is an autoencoder of which only the predictor may be trained.

    Raises:
        ConfigError: there is no such predictor or autoencoder.
    """
    if not text:
        return "", 0
    name, _, channels = text.partition(":")
    for known in PREDICTORS:
        if name == known and channels.isdecimal() and 0 < int(channels) <= MOST_CHANNELS:
            if begun:
                return known, int(channels)
            raise ConfigError(
                "--only trains a part of an autoencoder that is there, and nothing else; give"
                " --init, and no --freeze-components"
            )
    raise ConfigError(
        f"--only {text!r} is no network that can be trained alone; give"
        f" {' or '.join(f'{known}:CHANNELS' for known in PREDICTORS)}, with 1 to {MOST_CHANNELS}"
        " channels"
    )


def with_predictor(codec: Codec, name: PredictorName, channels: int) -> Codec:
    """Return the codec with one of the decoder's predictors; one that it has already stays.

    With predicted frequencies, steady partials keep the phase that follows them.

    Raises:
        ConfigError: the autoencoder is not of the family that has one, or has one of another width.
    """
    shape = codec.config.autoencoder
    if not isinstance(shape, SpectralConfig):
        raise ConfigError(f"an autoencoder of the family '{shape.family}' predicts no {name}")
    there = getattr(shape, PREDICTORS[name])
    if there not in (0, channels):
        raise ConfigError(
            f"this autoencoder predicts {name} with {there} channels, not {channels}; give that"
            " number"
        )
    if there:
        return codec
    bands = shape.bands
    if name == "frequencies":
        bands = tuple(
            dataclasses.replace(band, kept_bins=band.kept_bins or KEPT_BINS) if band.tonal else band
            for band in bands
        )
    config = dataclasses.replace(shape, bands=bands, **{PREDICTORS[name]: channels})
    model = build_autoencoder(config)
    missing, unexpected = model.load_state_dict(codec.autoencoder.state_dict(), strict=False)
    if unexpected or not all(key.startswith(f"{name}.") for key in missing):
        raise ConfigError(f"tensors of this autoencoder do not fit: {(*missing, *unexpected)}")
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
