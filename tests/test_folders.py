"""The walk through a folder: each real folder once, hidden files never."""

import os

import pytest

from jen1cli.folders import walk_files


@pytest.fixture
def walk(tmp_path):
    skipped = []

    def call(folder=tmp_path):
        skipped.clear()
        found = walk_files(folder, {".wav"}, lambda path, why: skipped.append((path.name, why)))
        return [path.relative_to(folder).as_posix() for path in found]

    call.skipped = skipped
    return call


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_hidden_files_and_others_are_left_out(tmp_path, walk):
    for name in ("b/one.wav", "a.WAV", "._a.wav", ".hidden/two.wav", "notes.txt"):
        touch(tmp_path / name)
    assert walk() == ["a.WAV", "b/one.wav"]
    assert walk.skipped == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("loops", [1, 2, 5])
def test_links_to_a_parent_count_nothing_twice(tmp_path, walk, loops):
    for name in ("a/b/one.wav", "a/two.wav"):
        touch(tmp_path / "music" / name)
    touch(tmp_path / "outside.wav")
    for number in range(loops):
        (tmp_path / "music" / "a" / "b" / f"up{number}").symlink_to("..")
        (tmp_path / "music" / f"out{number}").symlink_to("..")
        (tmp_path / "music" / f"self{number}").symlink_to(".")
    assert walk(tmp_path / "music") == ["a/b/one.wav", "a/two.wav"]


def test_a_linked_folder_is_read_once_and_under_its_own_name(tmp_path, walk):
    touch(tmp_path / "music" / "z" / "one.wav")
    (tmp_path / "music" / "a").symlink_to("z")
    touch(tmp_path / "elsewhere" / "two.wav")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "music")
    for name in ("second", "first"):
        (tmp_path / "music" / name).symlink_to(tmp_path / "elsewhere")
    assert walk(tmp_path / "music") == ["first/two.wav", "z/one.wav"]


def test_what_is_no_file_is_named(tmp_path, walk):
    touch(tmp_path / "good.wav")
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert walk() == ["good.wav"]
    assert sorted(name for name, _ in walk.skipped) == ["gone.wav", "pipe.wav"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, walk, monkeypatch):
    touch(tmp_path / "good.wav")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(place):
        if place.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    assert walk() == ["good.wav"]
    assert walk.skipped == [("closed", "cannot be listed (Permission denied)")]


def test_names_that_are_not_utf8_are_found(tmp_path):
    touch(tmp_path / os.fsdecode(b"caf\xe9.wav"))
    (found,) = walk_files(tmp_path, {".wav"}, lambda path, why: pytest.fail(why))
    assert os.fsencode(found.name) == b"caf\xe9.wav"
