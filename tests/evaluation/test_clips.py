"""Which clips of a folder are measured."""

import json

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.errors import DataError
from jen1cli.evaluation.clips import HELD_OUT, find_clips

RATE = 48_000


@pytest.fixture
def write_clips(tmp_path):
    """Write clips under names, with a manifest where there are lines for it."""

    def write(names, lines=None):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            audio.write(path, np.full((1, RATE // 10), 0.1, np.float32), RATE)
        if lines is not None:
            (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return tmp_path

    return write


def names(folder, **options):
    clips, audit = find_clips(folder, **options)
    assert audit.clips == len(clips)
    return [clip.path.name for clip in clips], audit.warnings()


def test_of_a_manifest_the_test_split_is_held_out(write_clips):
    files = ["a.wav", "b.wav", "c.wav"]
    splits = ["train", "test", "validation"]
    lines = [{"audio": name, "split": split} for name, split in zip(files, splits, strict=True)]
    folder = write_clips(files, lines)
    assert names(folder, split=HELD_OUT) == (["b.wav"], [])
    assert names(folder, split="train") == (["a.wav"], [])
    assert names(folder) == (files, [])


def test_of_folders_named_like_splits_the_test_split_is_held_out(write_clips):
    folder = write_clips(["train/a.wav", "test/b.wav", "c.wav"])
    assert "a.wav" not in names(folder, split=HELD_OUT)[0]
    assert "b.wav" in names(folder, split=HELD_OUT)[0]
    assert names(folder, split=HELD_OUT)[1] == []


@pytest.mark.parametrize("manifest", [False, True])
def test_of_music_without_splits_all_is_taken_and_said(write_clips, manifest):
    files = [f"{i:02d}.wav" for i in range(30)]
    folder = write_clips(files, [{"audio": name} for name in files] if manifest else None)
    found, said = names(folder, split=HELD_OUT)
    assert found == files
    assert said == [
        f"{folder} names no splits: all of its 30 clips are taken, also those that a training may"
        " have seen"
    ]
    held_out, said = names(folder, split="test")  # the share that a training holds out
    assert 0 < len(held_out) < 10
    assert said == []


def test_splits_without_a_test_split_are_not_replaced_silently(write_clips):
    lines = [{"audio": name, "split": "train"} for name in ("a.wav", "b.wav")]
    folder = write_clips(["a.wav", "b.wav"], lines)
    with pytest.raises(DataError, match=r"no clips of split 'test' in .* train \(2 clips\)"):
        find_clips(folder, split=HELD_OUT)
