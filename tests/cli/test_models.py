"""`jen1 models`: what is there, how large, where."""

import json

import pytest
import torch
from safetensors.torch import save_file

from jen1cli.headers import read_header


def test_list_shows_weight_sets_and_presets(jen1, model):
    result = jen1("models", "list", "--json")
    rows = {row["name"]: row for row in map(json.loads, result.out.splitlines())}
    assert rows["jen1-mini"]["kind"] == "weights"
    assert rows["jen1-mini"]["licence"] == "Apache-2.0"
    assert {"jen1", "mini", "tiny"} <= rows.keys()
    text = jen1("models", "list").out
    assert len(text.splitlines()) == len(rows)


def test_a_release_is_shown_by_models_and_info(jen1, model, tmp_path):
    place = tmp_path / "sets" / "jen1-mini" / "config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "release": 7}))
    shown = json.loads(jen1("models", "show", "jen1-mini", "--json").out)
    assert shown["release"] == 7
    assert "release 7, " in jen1("models", "list").out
    model.release = 7
    jen1("generate", "lofi", "-s", "0.1", "-o", "a.wav")
    assert json.loads(jen1("info", "a.wav", "--json").out)["recipe"]["model"]["release"] == 7
    assert "release: 7" in jen1("info", "a.wav").out
    model.release = 0
    jen1("generate", "lofi", "-s", "0.1", "-o", "b.wav")
    assert "release" not in jen1("info", "b.wav").out


def test_path_prints_the_folder(jen1, model, tmp_path):
    folder = tmp_path / "sets" / "jen1-mini"
    assert jen1("models", "path", "jen1-mini").out == f"{folder.resolve()}\n"


def test_show_counts_the_parameters_of_a_weight_set(jen1, model, tmp_path):
    folder = tmp_path / "sets" / "jen1-mini"
    save_file(
        {"autoencoder.a": torch.zeros(2, 3), "whitening.mean": torch.zeros(4)},
        folder / "autoencoder.safetensors",
    )
    save_file({"unet.a": torch.zeros(5, 5)}, folder / "unet.safetensors")
    (folder / "text_encoder").mkdir()
    save_file({"shared": torch.zeros(7)}, folder / "text_encoder" / "model.safetensors")
    facts = json.loads(jen1("models", "show", "jen1-mini", "--json").out)
    assert facts["parameters"] == {
        "autoencoder": 6, "whitening": 4, "unet": 25, "controls": 0, "text_encoder": 7,
        "total": 42,
    }  # fmt: skip
    assert facts["folder"] == str(folder.resolve())
    assert len(facts["sha256"]) == 64
    assert "licence" in jen1("models", "show", "jen1-mini").out


@pytest.mark.heavy
def test_show_counts_the_parameters_of_the_paper(jen1, model):
    facts = json.loads(jen1("models", "show", "jen1", "--json").out)
    assert facts["parameters"]["unet"] == pytest.approx(746e6, rel=0.01)
    assert facts["parameters"]["text_encoder"] == 341_231_104
    assert facts["frame_rate"] == 150.0
    assert facts["weights"] == "none here"


@pytest.mark.heavy
def test_the_size_of_the_text_encoder_is_that_of_transformers():
    from transformers import T5Config, T5EncoderModel

    from jen1cli.cli.installation.models import _TEXT_ENCODERS

    config = T5Config(
        d_model=1024, d_kv=64, d_ff=2816, num_layers=24, num_heads=16,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    with torch.device("meta"):
        encoder = T5EncoderModel(config)
    count = sum(parameter.numel() for parameter in encoder.parameters())
    assert count == _TEXT_ENCODERS["google/flan-t5-large"]


def test_an_unknown_name(refused):
    unknown = refused("models", "show", "jen1-mega")
    assert "unknown weight set 'jen1-mega'; did you mean" in unknown.err
    assert "the preset 'jen1' has no trained weights" in refused("models", "path", "jen1").err


def test_a_damaged_set_is_listed_as_damaged(jen1, model, tmp_path):
    (tmp_path / "sets" / "jen1-mini" / "config.json").write_text("{}")
    result = jen1("models", "list")
    assert result.code == 0
    assert "damaged" in result.out


def test_headers_are_read_without_loading(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(5)}, path, {"key": "value"})
    header = read_header(path)
    assert header.shapes == {"a": (2, 3), "b": (5,)}
    assert header.metadata == {"key": "value"}
    assert header.count() == 11
    assert header.count("a") == 6
