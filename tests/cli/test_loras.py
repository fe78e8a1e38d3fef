"""`--lora FILE[:STRENGTH]`: read, refused, carried in the recipe and found again."""

import functools
import json
import os
import tempfile
from pathlib import Path

import pytest
import torch

from jen1cli.presets import TINY
from jen1cli.recipe import read_recipe
from jen1cli.unet import UNet1d
from jen1cli.unet import lora as library


@functools.cache
def lora_bytes(seed):
    """Return the file of a LoRA of the tiny U-Net whose changes are not zero."""
    torch.manual_seed(seed)
    unet = UNet1d(TINY.unet)
    library.add_lora(unet, 2)
    for parameter in unet.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    config = library.LoraConfig(2, 2.0, "jen1-tiny", TINY.unet)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lora.safetensors"
        library.save_lora(path, unet, config)
        return path.read_bytes()


def write_lora(name, seed=0):
    Path(name).write_bytes(lora_bytes(seed))


@pytest.mark.parametrize(
    "command",
    [
        ["generate", "lofi", "-s", "0.5"],
        ["inpaint", "take.wav", "--mask", "0-1s"],
        ["continue", "take.wav", "-s", "0.5"],
    ],
)
def test_files_and_strengths_reach_the_library_and_the_recipe(jen1, model, take, command):
    write_lora("a.safetensors")
    write_lora("b:2.safetensors", seed=1)
    result = jen1(
        *command, "--lora", "a.safetensors:0.5", "--lora", "b:2.safetensors", "-o", "o.wav"
    )
    assert result.code == 0, result.err
    assert model.load.loras == ((Path("a.safetensors"), 0.5), (Path("b:2.safetensors"), 1.0))
    loras = read_recipe(Path("o.wav")).model.loras
    assert [(lora.name, lora.strength) for lora in loras] == [
        ("a.safetensors", 0.5), ("b:2.safetensors", 1.0),
    ]  # fmt: skip
    assert loras[0].sha256 != loras[1].sha256
    assert "name: a.safetensors  sha256" in jen1("info", "o.wav").out


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["no.safetensors"], "no.safetensors does not exist"),
        (["no.safetensors:0.5"], "no.safetensors does not exist"),
        (["a.safetensors:loud"], "the strength 'loud' is no number; write a.safetensors:0.8"),
        (["a.safetensors:nan"], "the strength is not between -10 and 10"),
        (["a.safetensors:-11"], "the strength is not between -10 and 10"),
        (["a.safetensors", "a.safetensors:2"], "a.safetensors is given twice"),
        (["text.safetensors"], "text.safetensors is no LoRA file of jen1"),
        (["folder"], "folder is a folder; give the file in it"),
        (["pipe"], "--lora pipe is a pipe or a device, which can be read only once"),
        (["pipe:0.5"], "--lora pipe is a pipe or a device, which can be read only once"),
        (["pipe:loud"], "the strength 'loud' is no number; write pipe:0.8"),
    ],
)
def test_what_is_refused(refused, given, words):
    write_lora("a.safetensors")
    Path("text.safetensors").write_text("words")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    options = [part for value in given for part in ("--lora", value)]
    assert words in refused("generate", "lofi", *options).err


def test_random_weights_take_no_lora(refused):
    write_lora("a.safetensors")
    result = refused("generate", "x", "--random-weights", "--lora", "a.safetensors")
    assert "leave out" in result.err


def test_info_shows_what_a_lora_file_says_of_itself(jen1, model):
    write_lora("a.safetensors")
    facts = json.loads(jen1("info", "a.safetensors", "--json").out)
    assert (facts["kind"], facts["rank"], facts["model"]) == ("LoRA", 2, "jen1-tiny")
    assert facts["parameters"] > 0


def test_again_finds_the_lora_by_its_bytes(jen1, model):
    write_lora("a.safetensors")
    jen1("generate", "lofi", "-s", "0.5", "--lora", "a.safetensors:0.5", "-o", "o.wav")
    result = jen1("again", "o.wav", "-o", "same.wav")
    assert (result.code, "warning" in result.err) == (0, False), result.err
    assert model.load.loras == ((Path("a.safetensors"), 0.5),)
    assert Path("o.wav").read_bytes() == Path("same.wav").read_bytes()
    Path("moved").mkdir()
    for name in ("o.wav", "a.safetensors"):
        Path(name).rename(f"moved/{name}")
    beside = jen1("again", "moved/o.wav", "-o", "beside.wav")
    assert (beside.code, "warning" in beside.err) == (0, False), beside.err
    assert Path("moved/o.wav").read_bytes() == Path("beside.wav").read_bytes()


def test_again_names_the_lora_that_is_gone_and_takes_another(jen1, model):
    write_lora("a.safetensors")
    jen1("generate", "lofi", "-s", "0.5", "--lora", "a.safetensors:0.5", "-o", "o.wav")
    write_lora("a.safetensors", seed=1)
    gone = jen1("again", "o.wav", "-o", "b.wav")
    assert gone.code == 1
    assert "a.safetensors that the file was made with is gone or has changed" in gone.err
    assert "--lora FILE:0.5" in gone.err
    other = jen1("again", "o.wav", "--lora", "a.safetensors:0.5", "-o", "b.wav")
    assert other.code == 0, other.err
    assert "made by other weights ('jen1-mini'" in other.err
