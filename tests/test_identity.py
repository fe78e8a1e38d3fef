"""The identity of weight sets: one digest that stays, former ones that are still known."""

import dataclasses
import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

import jen1cli
from jen1cli import Jen1
from jen1cli.checkpoint import load_weight_set, read_description, save_weight_set
from jen1cli.recipe import Recipe, RecipeError, RecipeModel
from jen1cli.typed_json import to_dict
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import LoraConfig, add_lora, save_lora
from jen1cli.weightsets import find_weights

GOLDEN = {
    7: "6f4eb577ac4046d6355c3c9715dd6991120dc012cb473a981e82c1179e828bbb",
    8: "7f0aca5c803169f19a6b270e9fb68751906e754ba449c4143b78f5620df6a963",
    9: "19d93b6410ac2429cb3f7f5f1c8efe5e6f44868f37aeceb3679e88b154b14b33",
    10: "d016728c990fd7b2b1fbd8d2319ea89225f85e6ca05fbe7628ccfa2b21993991",
    11: "5ff28ea74752fd9287a06aaecbfb9277a98af32f1d1ad53f4cf20090ccd09835",
}
"""sha256 of each numbered release of jen1-mini. An entry never changes."""
FORMER = {
    8: {
        "8e8e7d0c6c3206bc04cb021fb7f2d2784057bacf85260aa43a356ab9c1cc6bae",
        "0c1df9e323286f7ec42caf27fb04fde4bb2632c1ccb919f70a4738a3bd51bded",
        "0a5a6a6b7c4079cc861d9eb17f7e99a9f6271b84e4db66b9463917ffd1e082e4",
    },
    11: {GOLDEN[10]},
}
"""What recipes and LoRA files hold that were made with the same tensors: by jen1cli 0.1.0 (release
8), or by the release before."""


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return Path(shutil.copytree(tiny_folder, tmp_path / "tiny"))


def change_config(folder, change):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def digest_of_0_1(description):
    """The digest as 0.1.0 computed it: over the configuration with the program's defaults."""
    config = to_dict(description.config)
    del config["release"]  # a key that 0.1.0 did not have
    text = json.dumps(
        {"config": config, "sha256": description.hashes}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_bundled_set_keeps_its_digest_and_is_known_by_its_former_ones():
    description = read_description(find_weights("jen1-mini").folder)
    release = description.config.release
    assert description.sha256 == GOLDEN[release]
    assert description.former_sha256 >= FORMER.get(release, set())


def test_a_program_with_new_settings_gives_the_same_digest(folder, monkeypatch):
    before = read_description(folder)
    fields = [
        *((f.name, f.type, f) for f in dataclasses.fields(before.config)),
        ("novelty", float, dataclasses.field(default=0.5, metadata={"optional": True})),
    ]
    newer = dataclasses.make_dataclass("Newer", fields, bases=(type(before.config),), frozen=True)
    monkeypatch.setattr("jen1cli.checkpoint.ModelConfig", newer)
    after = read_description(folder)
    assert to_dict(after.config)["novelty"] == 0.5
    assert after.sha256 == before.sha256
    assert after.former_sha256 == before.former_sha256


def test_what_is_not_stored_has_no_part_in_the_digest(folder):
    def forget(values):
        del values["generation"]["context_interval"]
        del values["generation"]["guide_interval"]
        del values["guide"]["pitch_channels"]

    change_config(folder, forget)
    description = read_description(folder)
    stored = json.loads((folder / "config.json").read_text())
    hashes = stored.pop("sha256")
    for key in ("name", "release", "licence", "provenance", "format_version"):
        stored.pop(key, None)
    text = json.dumps({"config": stored, "sha256": hashes}, sort_keys=True, separators=(",", ":"))
    assert description.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert digest_of_0_1(description) in description.former_sha256


def test_a_name_or_release_is_no_part_of_the_digest_but_settings_and_tensors_are(folder):
    first = read_description(folder).sha256
    change_config(folder, lambda v: v.update(name="mine", release=3, provenance={"by": "me"}))
    assert read_description(folder).sha256 == first
    assert read_description(folder).config.release == 3
    change_config(folder, lambda v: v["generation"].update(window_seconds=3.0))
    second = read_description(folder).sha256
    change_config(folder, lambda v: v["sha256"].update({"unet.safetensors": "0" * 64}))
    assert len({first, second, read_description(folder).sha256}) == 3


def test_weights_that_are_saved_anew_have_no_release_unless_it_is_given(folder, tmp_path):
    change_config(folder, lambda values: values.update(release=3))
    config, tensors = load_weight_set(folder)
    text = folder / "text_encoder"
    save_weight_set(tmp_path / "trained", config, tensors, text_encoder=text)
    save_weight_set(tmp_path / "released", config, tensors, text_encoder=text, release=4)
    found = [read_description(tmp_path / name) for name in ("trained", "released")]
    assert [description.config.release for description in found] == [0, 4]
    assert found[0].sha256 == found[1].sha256


def test_a_recipe_of_the_former_digest_is_followed_and_another_is_refused(folder):
    change_config(folder, lambda values: values.update(release=3))
    model = Jen1.load(folder, device="cpu")
    music = model.generate("soft piano", seconds=0.2, seed=3)
    assert music.recipe.model.release == 3
    former = digest_of_0_1(read_description(folder))
    assert former != model.sha256

    def made_by(sha256):
        model_of = dataclasses.replace(music.recipe.model, sha256=sha256, release=0)
        return dataclasses.replace(music.recipe, model=model_of)

    assert torch.equal(model.again(made_by(former)).waveform, music.waveform)
    with pytest.raises(RecipeError, match="load the model of the recipe"):
        model.again(made_by("e" * 64))


@pytest.mark.heavy
def test_a_lora_of_the_former_digest_gets_no_warning(folder, tmp_path, caplog):
    description = read_description(folder)
    unet = UNet1d(description.config.unet)
    add_lora(unet, 2)

    def warnings_of(sha256):
        caplog.clear()
        path = tmp_path / "lora.safetensors"
        save_lora(
            path, unet, LoraConfig(2, 2.0, "tiny", description.config.unet, base_sha256=sha256)
        )
        Jen1.load(folder, device="cpu", loras={path: 1.0})
        return caplog.text

    assert "trained on other weights" not in warnings_of(digest_of_0_1(description))
    assert "trained on other weights" in warnings_of("e" * 64)


def test_a_recipe_without_a_release_comes_back_as_it_was():
    model = RecipeModel("jen1-mini", "ab" * 32)
    old = Recipe("generate", model, 1.0, 3, novelty=1.0, recipe_version=1)
    values = old.to_dict()
    assert "release" not in values["model"]
    assert Recipe.from_dict(values).to_json() == old.to_json()
    new = dataclasses.replace(old, model=RecipeModel("jen1-mini", "ab" * 32, release=7))
    assert Recipe.from_json(new.to_json()) == new
    assert new.model.describe() == "'jen1-mini' release 7 (abababababab)"


def test_the_version_is_above_the_released_ones_and_the_build_reads_it_from_the_source():
    root = Path(__file__).parent.parent
    headings = re.findall(r"^## \[([^\]]+)\]", (root / "CHANGELOG.md").read_text(), re.M)
    assert headings.pop(0) in ("Unreleased", jen1cli.__version__)
    newest, *older = [tuple(map(int, text.split("."))) for text in (jen1cli.__version__, *headings)]
    assert [newest, *older] == sorted({newest, *older}, reverse=True)
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/jen1cli/__init__.py"
