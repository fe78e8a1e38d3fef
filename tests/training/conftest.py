"""A folder of tones whose caption is their pitch, and what the stages make of it."""

import dataclasses
import shutil

import pytest
import torch

from jen1cli import audio
from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec, save_codec
from jen1cli.manifest import Clip, write_manifest
from jen1cli.presets import TINY
from jen1cli.training.diffusion.build import DiffusionSources, build_diffusion, write_latents
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.engine.trainer import Trainer
from jen1cli.training.recipes import training_config
from support import make_text_encoder_folder
from training_support import PITCHES, RATE, SECONDS, make_tone, with_optimisation


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    """Six tones; the last is held out."""
    folder = tmp_path_factory.mktemp("tones")
    clips = []
    for i, (pitch, seconds) in enumerate(zip(PITCHES, SECONDS, strict=True)):
        path = folder / f"{i}.wav"
        audio.write(path, make_tone(pitch, seconds), RATE)
        split = "validation" if i == len(PITCHES) - 1 else "train"
        clips.append(Clip(path, (f"{pitch} hertz",), seconds, split))
    write_manifest(folder, clips)
    return folder


@pytest.fixture
def with_tempi(tones, tmp_path):
    """The tones as music with tempo, key and parts."""
    facts = {
        "bpm": 240.0, "meter": "4/4", "key": "C", "mode": "major", "chords": "C | F",
        "drum_pattern": "kick xxxx", "melody": "C4 C4 C4 C4",
    }  # fmt: skip
    folder = shutil.copytree(tones, tmp_path / "music")
    splits = ["train"] * (len(PITCHES) - 1) + ["validation"]
    clips = [
        Clip(folder / f"{i}.wav", (f"{pitch} hertz",), seconds, split, facts)
        for i, (pitch, seconds, split) in enumerate(zip(PITCHES, SECONDS, splits, strict=True))
    ]
    write_manifest(folder, clips)
    return folder


@pytest.fixture(scope="session")
def other_tones(tones, tmp_path_factory):
    """The same files and words with other sound in one of them."""
    folder = shutil.copytree(tones, tmp_path_factory.mktemp("other") / "tones")
    audio.write(folder / "0.wav", make_tone(2 * PITCHES[0], SECONDS[0]), RATE)
    return folder


@pytest.fixture(scope="session")
def codec_folder(tmp_path_factory):
    """The `tiny` autoencoder with random weights, as stage 1 leaves it."""
    folder = tmp_path_factory.mktemp("codec")
    torch.manual_seed(0)
    model = build_autoencoder(TINY.autoencoder)
    save_codec(folder, Codec(TINY, model, Whitening(TINY.whitening)))
    return folder


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory):
    """A tiny text encoder."""
    folder = tmp_path_factory.mktemp("text")
    return make_text_encoder_folder(folder, TINY.text.features)


@pytest.fixture(scope="session")
def cache(tones, codec_folder, tmp_path_factory):
    """The latent cache of the tones."""
    return write_latents(tones, codec_folder, tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="session")
def fp32():
    """The tiny recipe of stage 2, in single precision."""
    base = training_config("tiny").diffusion
    short = dataclasses.replace(base, crop_seconds=0.4)
    return with_optimisation(short, precision="fp32")


@pytest.fixture
def without_samples(monkeypatch):
    """Trainings play no samples, which take two thirds of the time of a few tiny steps."""
    monkeypatch.setattr(Trainer, "_sample", lambda trainer: None)


@pytest.fixture
def make_stage(cache, text_folder, fp32):
    """Build stage 2 on the tones: `make_stage(hyperparameters, seed=0, config=None, **sources)`."""

    def make(chosen=fp32, seed=0, config=None, **sources):
        accelerator = build_accelerator(chosen.optimisation, device="cpu")
        parts = DiffusionSources(cache.folder, text_folder, **sources)
        return build_diffusion(parts, chosen, accelerator, config=config, seed=seed)

    return make
