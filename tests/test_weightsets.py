"""Finding weight sets: by folder, by name, in order of the places, with help for wrong names."""

import shutil

import pytest

from jen1cli import weightsets
from jen1cli.errors import CheckpointError
from jen1cli.weightsets import find_weights, list_weights


@pytest.fixture
def places(tiny_folder, tmp_path, monkeypatch):
    """A package and a checkout with one set each, and JEN1_WEIGHTS unset."""
    root = tmp_path / "root"
    package = root / "src" / "jen1cli"
    package.mkdir(parents=True)
    (root / "pyproject.toml").touch()
    shutil.copytree(tiny_folder, package / "weights" / "jen1-mini")
    shutil.copytree(tiny_folder, root / "weights" / "jen1-mini")
    shutil.copytree(tiny_folder, root / "weights" / "mine")
    monkeypatch.setattr(weightsets, "__file__", str(package / "weightsets.py"))
    monkeypatch.delenv("JEN1_WEIGHTS", raising=False)
    return root


def test_the_first_place_wins(places, tiny_folder, tmp_path, monkeypatch):
    found = find_weights("jen1-mini")
    assert found.place == "checkout"
    assert found.folder == places / "weights" / "jen1-mini"
    (places / "pyproject.toml").unlink()
    assert find_weights("jen1-mini").place == "package"
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tiny_folder, elsewhere / "jen1-mini")
    monkeypatch.setenv("JEN1_WEIGHTS", str(elsewhere))
    assert find_weights("jen1-mini").place == "environment"


def test_the_environment_may_name_one_set_or_a_folder_of_them(places, tiny_folder, monkeypatch):
    monkeypatch.setenv("JEN1_WEIGHTS", str(tiny_folder))
    assert find_weights("tiny").folder == tiny_folder
    monkeypatch.setenv("JEN1_WEIGHTS", f"/nowhere:{tiny_folder.parent}")
    assert find_weights("tiny").folder == tiny_folder


def test_a_link_is_called_as_the_user_called_it(places, tiny_folder, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "piano").symlink_to(tiny_folder)
    monkeypatch.setenv("JEN1_WEIGHTS", str(folder))
    assert "piano" in [found.name for found in list_weights()]
    assert "tiny" not in [found.name for found in list_weights()]
    found = find_weights("piano")
    assert (found.name, found.folder) == ("piano", folder / "piano")
    assert find_weights(folder / "piano").name == "piano"
    monkeypatch.chdir(folder)
    assert find_weights("./piano").folder == folder / "piano"
    assert find_weights("piano/../tiny").folder == tiny_folder.resolve()
    monkeypatch.setenv("JEN1_WEIGHTS", str(folder / "piano"))
    assert find_weights("piano").folder == folder / "piano"


def test_all_sets_are_listed_once(places):
    assert [(s.name, s.place) for s in list_weights()] == [
        ("jen1-mini", "checkout"),
        ("mine", "checkout"),
    ]


def test_a_folder_is_taken_as_it_is(places, tiny_folder):
    assert find_weights(tiny_folder).folder == tiny_folder.resolve()
    assert find_weights(str(tiny_folder)).name == "tiny"


def test_wrong_names_get_help(places, tmp_path):
    with pytest.raises(CheckpointError, match=r"did you mean 'jen1-mini'.*known sets: jen1-mini"):
        find_weights("jen1-mimi")
    with pytest.raises(CheckpointError, match=r"preset 'jen1' has no trained weights.*jen1 train"):
        find_weights("jen1")
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        find_weights(tmp_path)
    with pytest.raises(CheckpointError, match="does not exist"):
        find_weights("./nowhere/at/all")
