"""Folders embedded in parts: every figure and file is that of one undivided run."""

import json
import shutil

import numpy as np
import pytest

from jen1cli.cli.app import run
from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation import parts as parts_module
from jen1cli.evaluation.parts import measure
from jen1cli.evaluation.sets import measure_folder
from jen1cli.shards import Shard

pytestmark = pytest.mark.heavy
SPECS = ("handcrafted", "tagger")


@pytest.fixture
def music(music_folder, tagger_installed):
    """Five clips and three that cannot be used."""
    folder = music_folder("music", 5)
    (folder / "000b.wav").write_bytes(b"RIFF")
    (folder / "999.wav").write_bytes(b"RIFF")
    return folder


def in_parts(folder, place, count=3, specs=SPECS, **settings):
    found = [
        measure(folder, specs, Shard(index, count), place, **settings)
        for index in reversed(range(count))
    ]
    assert all(each is None for each in found[:-1])
    return found[-1]


def test_joined_parts_equal_an_undivided_run_bit_by_bit(music, tmp_path):
    (whole, audit), (joined, other) = measure_folder(music, SPECS), in_parts(music, tmp_path / "p")
    assert other.facts() == audit.facts()
    assert other.warnings() == audit.warnings()
    for one, two in zip(whole, joined, strict=True):
        assert one.names == two.names
        for name in ("rows", "owners", "labels", "captions", "shuffled"):
            a, b = getattr(one, name), getattr(two, name)
            assert (a is None) == (b is None), name
            if a is not None:
                assert a.dtype == b.dtype
                assert a.tobytes() == b.tobytes(), name


def test_statistics_and_report_are_those_of_one_run(music, tmp_path, capsys):
    stats = ["evaluate", "stats", str(music), "--split", "all", "-e", "handcrafted"]
    assert run([*stats, "-o", str(tmp_path / "whole.npz")]) == 0
    for index in (1, 0):
        part = ["-o", str(tmp_path / "parts.npz"), "--shard", f"{index}/2"]
        assert run([*stats, *part]) == 0
        assert (tmp_path / "parts.npz").exists() == (index == 0)
    whole, parts = (dict(np.load(tmp_path / f"{n}.npz")) for n in ("whole", "parts"))
    assert {k: v.tobytes() for k, v in whole.items()} == {k: v.tobytes() for k, v in parts.items()}
    audio = ["evaluate", "audio", str(music), "-r", str(tmp_path / "whole.npz")]
    audio += ["-e", "handcrafted", "--json"]
    capsys.readouterr()
    assert run(audio) == 0
    undivided = json.loads(capsys.readouterr().out)
    for index in range(2):
        assert run([*audio, "--shard", f"{index}/2", "-o", str(tmp_path / "report")]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["tables"] == undivided["tables"]
    assert (tmp_path / "report" / "report.html").is_file()
    assert run([*audio, "--shard", "0/2"]) == 1
    assert "--output" in capsys.readouterr().err


def test_a_part_that_is_there_is_not_made_again(music, tmp_path, monkeypatch):
    in_parts(music, tmp_path / "p", 2, ("handcrafted",))
    monkeypatch.setattr(parts_module, "embed_clips", lambda *_: pytest.fail("made again"))
    assert measure(music, ("handcrafted",), Shard(1, 2), tmp_path / "p") is not None


def test_parts_of_other_clips_or_counts_are_refused(music, tmp_path):
    measure(music, ("handcrafted",), Shard(0, 3), tmp_path / "p")
    shutil.copy(tmp_path / "p" / "part-00000.npz", tmp_path / "p" / "part-00002.npz")
    with pytest.raises(ConfigError, match="other clips, settings or number of parts"):
        measure(music, ("handcrafted",), Shard(1, 3), tmp_path / "p", limit=4)
    part = tmp_path / "p" / "part-00000.npz"
    for data in (b"nothing", part.read_bytes()[:-40], b""):  # a cut copy of another machine's
        part.write_bytes(data)
        with pytest.raises(DataError, match="damaged"):
            measure(music, ("handcrafted",), Shard(1, 3), tmp_path / "p")
    with part.open("wb") as file:
        np.savez(file, about=np.frombuffer(b'{"items": []}', np.uint8))
    with pytest.raises(DataError, match="damaged"):
        measure(music, ("handcrafted",), Shard(1, 3), tmp_path / "p")


def test_more_parts_than_clips_are_joined(music, tmp_path):
    joined, audit = in_parts(music, tmp_path / "p", 9, ("handcrafted",))
    assert joined[0].clips == audit.used == 5
