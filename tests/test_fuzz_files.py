"""Every reader of audio and weights with damaged inputs: success or one line for the user.

Together with `test_fuzz_texts.py` some two thousand inputs with a fixed seed, each in bounded
time and memory; see `fuzzing.py`.
"""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
import torch

import midi_support
from fuzzing import damaged_bytes, damaged_json, damaged_safetensors, fuzz, placed
from jen1cli import audio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
__all__ = ["fuzz"]

AUDIO = ("wav", "float.wav", "rf64.wav", "aiff", "flac", "ogg", "opus", "mp3")


# --- audio ---


@pytest.fixture(scope="module")
def recipe():
    from jen1cli.recipe import Recipe, RecipeInput, RecipeLora, RecipeModel

    lora = RecipeLora("a.safetensors", "b" * 64, 0.5)
    inner = Recipe("generate", RecipeModel("tiny", "a" * 64), 2.0, 7, "lofi piano", steps=4)
    return dataclasses.replace(
        inner, task="inpaint", model=RecipeModel("tiny", "a" * 64, (lora,)), masks=((0.5, 1.0),),
        input=RecipeInput("in.wav", "c" * 64, inner.to_dict()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def songs(tmp_path_factory, recipe):
    """A short recording with a recipe in every format, by name."""
    folder = tmp_path_factory.mktemp("songs")
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal((2, 9_600))).astype(np.float32)
    found = {}
    for name in AUDIO:
        path = folder / f"song.{name}"
        if name in ("float.wav", "rf64.wav"):
            options = {"format": "RF64"} if name == "rf64.wav" else {"subtype": "FLOAT"}
            soundfile.write(path, sound.T, 48_000, **options)
        else:
            audio.write(path, sound, 48_000, recipe=recipe.to_json())
        found[name] = path.read_bytes()
    return found


@pytest.mark.parametrize("name", AUDIO)
def test_audio(fuzz, songs, name):
    from jen1cli.cli.inputs import open_input
    from jen1cli.cli.music.info import read_facts
    from jen1cli.manifest import read_folder

    file = f"song.{name.rpartition('.')[2]}"
    found = fuzz(
        lambda rng: damaged_bytes(songs[name], rng, head=512),
        placed(file, lambda path: read_facts(str(path))),
        placed(file, lambda path: open_input(str(path))),
        placed(file, lambda path: audio.read(path)),
        placed(file, lambda path: read_folder(path.parent, on_skip=lambda *_: None)),
    )
    assert found.refused > 0


@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_recipes_in_tags(fuzz, recipe, name):
    from jen1cli.cli.music.info import read_facts
    from jen1cli.recipe import find_recipe

    sound = np.zeros((2, 4_800), np.float32)

    def damage(rng):
        return damaged_json(recipe.to_dict(), rng).decode("ascii", "backslashreplace")

    def tagged(text, work):
        path = work / f"song.{name}"
        audio.write(path, sound, 48_000, recipe=text.replace("\0", ""))
        read_facts(str(path))
        if (found := find_recipe(path)) is not None:
            found.to_json()

    def bare(text, work):
        from jen1cli.recipe import Recipe

        Recipe.from_json(text)

    assert fuzz(damage, tagged, bare).refused > 0


# --- safetensors and weight sets ---


@pytest.fixture(scope="module")
def latent():
    from jen1cli.pipeline import LatentFile

    file = LatentFile(torch.zeros(8, 30), 150.0, 9_600, 48_000, 2, "tiny", "a" * 64)
    return file.to_bytes()


def test_latents(fuzz, latent):
    from jen1cli.cli.music.info import read_facts
    from jen1cli.headers import read_latent_header
    from jen1cli.pipeline import LatentFile

    found = fuzz(
        lambda rng: damaged_safetensors(latent, rng),
        placed("a.safetensors", lambda path: read_facts(str(path))),
        placed("a.safetensors", LatentFile.load),
        lambda data, work: read_latent_header(data),
        lambda data, work: LatentFile.load(data),
    )
    assert found.refused > 0


def test_loras(fuzz, tiny_folder, tmp_path_factory):
    from jen1cli.checkpoint import read_description
    from jen1cli.cli.loras import parse_loras
    from jen1cli.cli.music.info import read_facts
    from jen1cli.unet import UNet1d
    from jen1cli.unet.lora import LoraConfig, add_lora, apply_lora, save_lora

    config = read_description(tiny_folder).config
    trained, unet = UNet1d(config.unet), UNet1d(config.unet)
    add_lora(trained, 2)
    path = tmp_path_factory.mktemp("lora") / "a.safetensors"
    save_lora(path, trained, LoraConfig(2, 2.0, "tiny", config.unet))
    good = path.read_bytes()
    found = fuzz(
        lambda rng: damaged_safetensors(good, rng),
        placed("a.safetensors", lambda path: parse_loras([f"{path}:0.5"])),
        placed("a.safetensors", lambda path: read_facts(str(path))),
        placed("a.safetensors", lambda path: apply_lora(unet, path)),
    )
    assert found.refused > 0


@pytest.mark.parametrize("file", ["config.json", "unet.safetensors", "autoencoder.safetensors"])
def test_weight_sets(fuzz, tiny_folder, file):
    from jen1cli import Jen1
    from jen1cli.checkpoint import load_weight_set
    from jen1cli.cli.installation.models import _facts

    good = (tiny_folder / file).read_bytes()

    def damage(rng):
        if file == "config.json":
            return damaged_json(json.loads(good), rng)
        return damaged_safetensors(good, rng)

    def in_set(read):
        def call(data, work):
            folder = work / "tiny"
            folder.mkdir(exist_ok=True)
            for path in tiny_folder.iterdir():
                if path.name != file and not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)
            (folder / file).write_bytes(data)
            read(folder)

        return call

    found = fuzz(
        damage,
        in_set(lambda folder: _facts(str(folder))),
        in_set(lambda folder: load_weight_set(folder, verify=False)),
        in_set(lambda folder: Jen1.load(folder, device="cpu")),
    )
    assert found.refused > 0


def test_text_encoders(fuzz, tiny_folder):
    from jen1cli.conditioning.text import TextEncoder
    from jen1cli.config import TextConfig

    good = json.loads((tiny_folder / "text_encoder" / "config.json").read_text())
    features = good["d_model"]

    def read(path):
        for other in (tiny_folder / "text_encoder").iterdir():
            if other.name != path.name:
                (path.parent / other.name).symlink_to(other)
        TextEncoder.load(TextConfig(features=features), path.parent.parent)

    found = fuzz(lambda rng: damaged_json(good, rng), placed("text_encoder/config.json", read))
    assert found.refused > 0


def test_encodec_folders(fuzz):
    from jen1cli.autoencoder.encodec import encodec_config
    from jen1cli.jsonfiles import read_object

    good = {
        "model_type": "encodec", "use_causal_conv": False, "sampling_rate": 48_000,
        "audio_channels": 2, "num_filters": 32, "upsampling_ratios": [8, 5, 4, 2],
        "norm_type": "time_group_norm",
    }  # fmt: skip
    found = fuzz(
        lambda rng: damaged_json(good, rng),
        placed("config.json", lambda path: encodec_config(read_object(path))),
    )
    assert found.refused > 0


# --- scores ---


@pytest.fixture(scope="module")
def scores():
    """MIDI files of several kinds, by name."""
    from jen1cli.composition.full_score import full_score
    from jen1cli.composition.pieces.piece import compose_piece
    from jen1cli.composition.transcription import score_controls
    from jen1cli.midi import Passage, midi_bytes

    score = compose_piece("celtic", 1, 12.0)
    controls = dataclasses.replace(score_controls(score), score=full_score(score))
    words = [(i * 240, midi_support.meta(1, b"la-")) for i in range(16)]
    upbeat = [(0, midi_support.signature(1, 4)), (480, midi_support.signature(3, 4))]
    chords = midi_support.notes(midi_support.CHORDS, length=960)
    return {
        "band": midi_support.band(),
        "own": midi_bytes([Passage(controls, 0.0, 12.0)]),
        "type 0": midi_support.song(
            midi_support.track(
                midi_support.program(73), *words, *midi_support.notes(midi_support.LAMB)
            ),
            kind=0,
        ),
        "tempi": midi_support.song(
            midi_support.track(
                *upbeat, *((i * 480, midi_support.tempo(60 + i)) for i in range(16)), *chords
            )
        ),
    }


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("kind", ["band", "own", "type 0", "tempi"])
def test_midi(fuzz, scores, kind, turn):
    """Twenty times sixty files; what is read can be written again."""
    from jen1cli.midi import KEEP, Passage, midi_bytes, read_midi

    def read(path):
        tune = read_midi(path)
        tune.kept(KEEP[:2])
        if tune.controls.score.parts and tune.seconds < 600:
            midi_bytes([Passage(tune.controls, 0.0, tune.seconds)])

    found = fuzz(
        lambda rng: damaged_bytes(scores[kind], rng, head=rng.choice((30, 4096))),
        placed("tune.mid", read),
    )
    assert found.refused > 0
    assert found.read > 0
