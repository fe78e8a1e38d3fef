"""Weight sets: bit-exact round trip, and every kind of damage is named."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from jen1cli import Jen1
from jen1cli.checkpoint import (
    load_into,
    load_weight_set,
    read_description,
    save_weight_set,
)
from jen1cli.errors import CheckpointError


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "tiny")


def fails(folder, load=load_weight_set):
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(folder, name, change):
    """Change tensors and mend the hash, as a set that was saved wrong would be."""
    path = folder / name
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    values = json.loads((folder / "config.json").read_text())
    values["sha256"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps(values))


def load_model(folder):
    return Jen1.load(folder, device="cpu")


def test_a_set_comes_back_bit_by_bit(tiny_folder, tmp_path):
    config, tensors = load_weight_set(tiny_folder)
    again = save_weight_set(
        tmp_path / "again", config, tensors, text_encoder=tiny_folder / "text_encoder"
    )
    config_2, tensors_2 = load_weight_set(again)
    assert config_2 == config
    modules = {"autoencoder", "whitening", "unet", "prior", "tracker"}
    assert tensors_2.keys() == tensors.keys() == modules
    for module, state in tensors.items():
        assert state.keys() == tensors_2[module].keys()
        for name, tensor in state.items():
            assert torch.equal(tensor, tensors_2[module][name])
    first, second = read_description(tiny_folder), read_description(again)
    assert first.sha256 == second.sha256
    assert sorted(first.hashes)[:1] == ["autoencoder.safetensors"]
    assert "text_encoder/model.safetensors" in first.hashes


def test_half_precision_is_smaller_and_near(tiny_folder, tmp_path):
    config, tensors = load_weight_set(tiny_folder)
    half = save_weight_set(
        tmp_path / "half",
        config,
        tensors,
        text_encoder=tiny_folder / "text_encoder",
        storage="fp16",
    )
    sizes = [(f / "unet.safetensors").stat().st_size for f in (half, tiny_folder)]
    assert sizes[0] < 0.65 * sizes[1]
    _, loaded = load_weight_set(half)
    for name, tensor in tensors["unet"].items():
        assert loaded["unet"][name].dtype == tensor.dtype
        torch.testing.assert_close(loaded["unet"][name], tensor, atol=1e-3, rtol=1e-3)
    assert torch.equal(loaded["whitening"]["mean"], tensors["whitening"]["mean"])


@pytest.mark.parametrize(
    "name", ["unet.safetensors", "autoencoder.safetensors", "text_encoder/model.safetensors"]
)
def test_one_flipped_byte_is_found(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert name in fails(folder)


@pytest.mark.parametrize(
    "name",
    ["/dev/zero", "../outside", "text_encoder/../../outside", "a/./b", "", "a//b", "C:/outside",
     "..\\outside", "a\0b", "."],
)  # fmt: skip
def test_names_outside_the_folder_are_refused_unread(folder, name):
    (folder.parent / "outside").write_bytes(b"private")
    path = folder / "config.json"
    values = json.loads(path.read_text())
    values["sha256"][name] = hashlib.sha256(b"private").hexdigest()
    path.write_text(json.dumps(values))
    assert "no file inside the folder" in fails(folder)
    with pytest.raises(CheckpointError, match="no file inside the folder"):
        read_description(folder)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device files here")
def test_a_link_to_a_device_is_refused_unread(folder):
    (folder / "unet.safetensors").unlink()
    (folder / "unet.safetensors").symlink_to("/dev/zero")
    assert "no regular file" in fails(folder)


@pytest.mark.parametrize(
    "name", ["unet.safetensors", "autoencoder.safetensors", "text_encoder/tokenizer.json"]
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    message = fails(folder)
    assert name in message
    assert "missing" in message


@pytest.mark.heavy
def test_missing_extra_and_misshapen_tensors_are_named(folder):
    rewrite(folder, "unet.safetensors", lambda t: t.pop("unet.norm.weight"))
    assert "1 tensors missing, 0 unexpected (first: norm.weight)" in fails(folder, load_model)
    rewrite(
        folder,
        "unet.safetensors",
        lambda t: t.update({"unet.norm.weight": torch.zeros(3), "unet.new": torch.zeros(1)}),
    )
    assert "first: new" in fails(folder, load_model)
    rewrite(folder, "unet.safetensors", lambda t: t.pop("unet.new"))
    assert "norm.weight is [3], expected [16]" in fails(folder, load_model)
    rewrite(folder, "unet.safetensors", lambda t: t.update({"vocoder.weight": torch.zeros(1)}))
    assert "unexpected tensor vocoder.weight" in fails(folder)


def test_newer_and_odd_configurations_are_refused(folder):
    path = folder / "config.json"
    good = json.loads(path.read_text())
    path.write_text(json.dumps({**good, "format_version": 2}))
    assert "upgrade" in fails(folder)
    path.write_text(json.dumps({**good, "unett": {}}))
    assert "did you mean 'unet'" in fails(folder)
    path.write_text(json.dumps({key: v for key, v in good.items() if key != "sha256"}))
    assert "sha256" in fails(folder)
    path.write_text("{")
    assert "is not JSON" in fails(folder)
    path.unlink()
    assert "no config.json" in fails(folder)


def test_replacing_a_set_keeps_its_card_and_spares_other_folders(folder, tmp_path):
    config, tensors = load_weight_set(folder)
    source = shutil.copytree(folder / "text_encoder", tmp_path / "text")
    tensors["unet"]["norm.weight"] = tensors["unet"]["norm.weight"] + 1
    save_weight_set(folder, config, tensors, text_encoder=source)
    assert (folder / "README.md").read_text().startswith("# tiny")
    assert torch.equal(
        load_weight_set(folder)[1]["unet"]["norm.weight"], tensors["unet"]["norm.weight"]
    )
    other = tmp_path / "music"
    other.mkdir()
    (other / "song.wav").touch()
    with pytest.raises(CheckpointError, match="no weight set"):
        save_weight_set(other, config, tensors, text_encoder=source)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["music", "text", "tiny"]


def test_incomplete_or_broken_models_are_not_saved(tiny_folder, tmp_path):
    config, tensors = load_weight_set(tiny_folder)
    text = tiny_folder / "text_encoder"
    lacking = {key: value for key, value in tensors.items() if key != "whitening"}
    with pytest.raises(CheckpointError, match="whitening"):
        save_weight_set(tmp_path / "a", config, lacking, text_encoder=text)
    with pytest.raises(CheckpointError, match="text encoder"):
        save_weight_set(tmp_path / "a", config, tensors)
    tensors["unet"]["norm.weight"] = torch.full((16,), 1e6)
    with pytest.raises(CheckpointError, match="not finite as fp16"):
        save_weight_set(tmp_path / "a", config, tensors, text_encoder=text, storage="fp16")
    assert list(tmp_path.iterdir()) == []


def test_modules_on_meta_take_their_tensors():
    with torch.device("meta"):
        module = torch.nn.Linear(2, 3)
    load_into(module, {"weight": torch.ones(3, 2), "bias": torch.zeros(3)}, "a linear")
    assert module(torch.ones(1, 2)).tolist() == [[2.0, 2.0, 2.0]]


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("unet", {"channels": 0}, "cannot be built"),
        ("unet", {"factors": []}, "unet.factors has 0 entries"),
        ("unet", {"num_blocks": [10**9]}, "unet.num_blocks is 1000000000; give 0 to 256"),
        ("unet", {"attention": [True]}, "cannot be built"),
        ("autoencoder", {"ratios": [10**9]}, "give 0 to 1048576"),
        ("autoencoder", {"family": ["seanet"]}, "autoencoder.family is a list; known: seanet"),
        ("text", {"max_tokens": -5}, "text.max_tokens is -5"),
        ("generation", {"steps": True}, "generation.steps must be a whole number"),
        ("diffusion", {"beta_start": "0.1"}, r"diffusion.beta_start must be a number, not text"),
    ],
)
def test_configurations_of_no_network_are_refused(folder, part, change, words):
    from jen1cli import Jen1
    from jen1cli.errors import Jen1Error

    path = folder / "config.json"
    values = json.loads(path.read_text())
    values[part].update(change)
    path.write_text(json.dumps(values))
    with pytest.raises(Jen1Error, match=words):
        Jen1.load(folder, device="cpu")
