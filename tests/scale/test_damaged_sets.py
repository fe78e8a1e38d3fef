"""Sets whose own files are damaged: named with what to do, or made anew."""

import os
import shutil

import pytest

from jen1cli.cli.app import run
from scale_support import SHORT, made, manifest, tree, write_prompts


@pytest.fixture(scope="module")
def small_sets(tmp_path_factory):
    """A set of three rows in each layout, to be damaged."""
    folder = tmp_path_factory.mktemp("sets")
    write_prompts(folder / "prompts.jsonl", ["a", "b", "c"])
    for layout in ("files", "tar"):
        source, target = str(folder / "prompts.jsonl"), str(folder / layout)
        command = ["generate", "--from", source, "-o", target, "--layout", layout, "--seed", "1"]
        assert run([*command, "-q", *SHORT]) == 0
    return folder


def everything(folder):
    """Return all files of a set, those of its own folder too."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("layout", ["files", "tar"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (b"\0" * 80, "is damaged (00000.jsonl is not JSON"),
        (b"{}\n", "is damaged (a line is none of a set)"),
        (b'{"piece": 0, "audio": 5, "bytes": 1}\n', "a line is none of a set"),
        (b'{"piece": "0", "audio": "a.flac", "bytes": 1}\n', "a line is none of a set"),
        (b'{"piece": 0, "audio": "../a.flac", "bytes": 1, "offset": 0, "size": 1}\n', "none of a"),
        (b'{"piece": 0, "audio": "shard-00000.tar", "offset": "0", "size": 1}\n', "none of a set"),
    ],
)
def test_damaged_lists_of_a_set_are_named(generate, small_sets, tmp_path, layout, damage, words):
    shutil.copytree(small_sets / layout, tmp_path / "out")
    (tmp_path / "out" / ".set" / "blocks" / "00000.jsonl").write_bytes(damage)
    before = everything(tmp_path / "out")
    arguments = ["-o", "out", "--resume", "--seed", 1, "--layout", layout]
    refused = generate(*arguments, source=small_sets / "prompts.jsonl")
    assert refused.code == 1
    last = refused.err.splitlines()[-1]
    assert words in last
    assert last.endswith("remove it and give --resume")
    assert everything(tmp_path / "out") == before


@pytest.mark.parametrize("layout", ["files", "tar"])
def test_a_set_whose_damaged_list_was_removed_is_made_whole(generate, small_sets, tmp_path, layout):
    shutil.copytree(small_sets / layout, tmp_path / "out")
    listed = tmp_path / "out" / ".set" / "blocks" / "00000.jsonl"
    listed.write_bytes(b"{}\n")
    arguments = ["-o", "out", "--resume", "--seed", 1, "--layout", layout]
    assert generate(*arguments, source=small_sets / "prompts.jsonl").code == 1
    listed.unlink()
    assert generate(*arguments, source=small_sets / "prompts.jsonl").code == 0
    assert made("out") == made(small_sets / layout)


@pytest.mark.parametrize("size", [0, 700])
def test_a_cut_tar_file_of_a_set_is_made_anew(generate, small_sets, tmp_path, size):
    shutil.copytree(small_sets / "tar", tmp_path / "out")
    os.truncate(tmp_path / "out" / "shard-00000.tar", size)
    arguments = ["-o", "out", "--resume", "--seed", 1, "--layout", "tar"]
    assert generate(*arguments, source=small_sets / "prompts.jsonl").code == 0
    assert tree("out") == tree(small_sets / "tar")


def test_a_tar_file_of_a_set_that_is_none_is_named(generate, small_sets, tmp_path):
    shutil.copytree(small_sets / "tar", tmp_path / "out")
    shard = tmp_path / "out" / "shard-00000.tar"
    last = manifest("out")[-1]
    shard.write_bytes(b"x" * last["offset"])  # the last piece is missing, others seem there
    arguments = ["-o", "out", "--resume", "--seed", 1, "--layout", "tar"]
    refused = generate(*arguments, source=small_sets / "prompts.jsonl")
    assert refused.code == 1
    assert "shard-00000.tar lacks 000000000.flac (it is no whole tar file)" in refused.err
    shard.unlink()
    assert generate(*arguments, source=small_sets / "prompts.jsonl").code == 0
    assert tree("out") == tree(small_sets / "tar")
