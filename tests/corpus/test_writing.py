"""Data sets: the same bytes on any number of workers, resumable, split by seed, readable."""

import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections import namedtuple
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpus_support import make_soundfont
from jen1cli.corpus import dataset, writing
from jen1cli.corpus.dataset import clip_seed, make_plan, split_of, style_of
from jen1cli.errors import DataError, OutputError
from jen1cli.files import writing as writing_file
from jen1cli.manifest import read_folder

STYLES = ("chiptune",)  # synthesised throughout
HOURS = 0.0085  # three clips
SECONDS = 12.0


@pytest.fixture(scope="module")
def soundfont(tmp_path_factory):
    path = tmp_path_factory.mktemp("font") / "font.sf2"
    path.write_bytes(make_soundfont())
    return path


@pytest.fixture(scope="module")
def make(soundfont):
    def run(folder, hours=HOURS, seed=3, workers=1, **options):
        options = {"styles": STYLES, "soundfont": soundfont, "clip_seconds": SECONDS} | options
        return writing.make(folder, hours, seed, workers, **options)

    return run


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("corpus") / "music"
    make(folder)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.heavy
def test_folder_holds_what_the_manifest_says(corpus):
    clips = read_folder(corpus)
    assert sum(clip.seconds for clip in clips) >= HOURS * 3600
    assert sum(clip.seconds for clip in clips[:-1]) < HOURS * 3600
    for clip in clips:
        info = soundfile.info(clip.path)
        assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, "PCM_16")
        assert info.frames / 48_000 == pytest.approx(clip.seconds, abs=1e-5)
        assert clip.path.parent.name == clip.split
        assert clip.captions
        assert all(clip.captions)
        assert clip.attributes["style"] == "chiptune"
        assert {"bpm", "key", "mode", "meter", "instruments", "drums", "energy", "moods"} <= set(
            clip.attributes
        )
    left = {path.name for path in corpus.iterdir()}
    assert left == {"corpus.json", "manifest.jsonl", "scores.jsonl", "train", "validation", "test"}


@pytest.mark.heavy
def test_two_workers_write_the_same_bytes(tmp_path, make, corpus):
    make(tmp_path / "two", workers=2)
    assert contents(tmp_path / "two") == contents(corpus)


@pytest.mark.heavy
def test_interrupted_run_goes_on_where_it_stopped(tmp_path, make, corpus):
    def stop(progress):
        if progress.clips == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "x", on_clip=stop)
    left = contents(tmp_path / "x")
    assert "manifest.jsonl" not in left
    assert len([name for name in left if name.endswith(".flac")]) == 2
    journal = tmp_path / "x" / "manifest.partial.jsonl"
    with journal.open("a") as file:
        file.write('{"audio": "train/00')  # a line cut off by a power failure
    told = []
    progress = make(tmp_path / "x", on_clip=told.append)
    assert contents(tmp_path / "x") == contents(corpus)
    assert progress.reused == 2
    assert [p.clips for p in told] == list(range(1, progress.clips + 1))


@pytest.mark.heavy
def test_lost_files_are_made_again(tmp_path, make, corpus):
    shutil.copytree(corpus, tmp_path / "x")
    lost = read_folder(tmp_path / "x")[1].path
    lost.unlink()
    (tmp_path / "x" / "manifest.jsonl").rename(tmp_path / "x" / "manifest.partial.jsonl")
    make(tmp_path / "x")
    assert contents(tmp_path / "x") == contents(corpus)


@pytest.mark.heavy
def test_finished_corpus_is_left_alone_and_can_grow(tmp_path, make, corpus):
    shutil.copytree(corpus, tmp_path / "x")
    again = make(tmp_path / "x")
    assert again.reused == again.clips
    assert contents(tmp_path / "x") == contents(corpus)
    grown = make(tmp_path / "x", hours=2 * HOURS)
    assert grown.reused == again.clips < grown.clips
    before, after = read_folder(corpus), read_folder(tmp_path / "x")
    assert [c.captions for c in after[: len(before)]] == [c.captions for c in before]
    assert make(tmp_path / "x", hours=HOURS).clips == grown.clips  # nothing is thrown away


@pytest.mark.heavy
def test_files_hold_the_clips_that_are_made(corpus, soundfont):
    plan = make_plan(3, STYLES, soundfont, clip_seconds=SECONDS)
    for clip, made in zip(
        read_folder(corpus), dataset.in_order(lambda made: made, range(3), plan, 1), strict=True
    ):
        samples, _ = soundfile.read(clip.path, dtype="int16")
        assert np.array_equal(samples.T, made.pcm)
        assert clip.captions == made.captions
        assert clip.split == made.split
        assert clip.attributes == {key: made.attributes[key] for key in clip.attributes}


@pytest.mark.heavy
def test_stems_lie_beside_the_music(tmp_path, make):
    make(tmp_path / "x", hours=0.001, stems=True)
    line = json.loads((tmp_path / "x" / "manifest.jsonl").read_text().splitlines()[0])
    assert set(line["stems"]) == {"drums", "bass", "harmony", "melody"}
    mix, _ = soundfile.read(tmp_path / "x" / line["audio"])
    for path in line["stems"].values():
        assert soundfile.info(tmp_path / "x" / path).frames == len(mix)
    assert len(read_folder(tmp_path / "x")) == 1


@pytest.fixture(scope="module")
def shards(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("shards") / "x"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "SHARD_CLIPS", 2)
        make(folder, shards=True)
    return folder


@pytest.mark.heavy
def test_shards_hold_the_same_music(corpus, shards):
    clips, packed = read_folder(corpus), read_folder(shards)
    assert [(c.captions, c.split, c.attributes) for c in packed] == [
        (c.captions, c.split, c.attributes) for c in clips
    ]
    for clip, other in zip(clips, packed, strict=True):
        assert other.source.read() == clip.path.read_bytes()
    (shards / "manifest.jsonl").rename(shards / "hidden")
    try:
        without = read_folder(shards)
    finally:
        (shards / "hidden").rename(shards / "manifest.jsonl")
    assert sorted(without, key=str) == sorted(packed, key=str)
    with tarfile.open(next(shards.glob("train-*.tar"))) as tar:
        assert all(member.mtime == 0 for member in tar)


@pytest.mark.heavy
def test_interrupted_shards_are_finished(tmp_path, make, shards, monkeypatch):
    monkeypatch.setattr(writing, "SHARD_CLIPS", 2)

    def stop(progress):
        if progress.clips == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "x", shards=True, on_clip=stop)
    assert list((tmp_path / "x").glob("*-000000.tar"))
    assert not list((tmp_path / "x").glob("*-000001.tar"))
    progress = make(tmp_path / "x", shards=True)
    assert progress.reused == 2
    assert contents(tmp_path / "x") == contents(shards)


@pytest.mark.heavy
def test_a_run_that_was_killed_before_its_first_file_goes_on(tmp_path, make, corpus):
    folder = tmp_path / "x"
    folder.mkdir()
    with writing_file(folder / "corpus.json") as temporary:
        left = temporary.name
    (folder / "corpus.json").unlink()
    (folder / left).write_text("{")
    make(folder)
    found = contents(folder)
    assert found.pop(left) == b"{"
    assert found == contents(corpus)


def test_folders_of_something_else_are_refused(tmp_path, make, corpus):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="not empty and no corpus"):
        make(tmp_path)
    for options, word in (({"seed": 4}, "another seed"), ({"shards": True}, "another shards")):
        with pytest.raises(DataError, match=word):
            make(corpus, **options)
    with pytest.raises(DataError, match="leave out --shards or --stems"):
        make(tmp_path / "y", shards=True, stems=True)
    with pytest.raises(DataError, match="unknown style 'polka2'"):
        make(tmp_path / "z", styles=("polka2",))
    assert not (tmp_path / "z").exists()


def test_full_disk_is_noticed_before_the_work(tmp_path, make, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 10**9))
    with pytest.raises(DataError, match=r"1\.0 GB free and 20\.00 hours need about 11\.0 GB"):
        make(tmp_path / "x", hours=20.0)


def test_splits_and_seeds_are_spread_and_fixed():
    seeds = [clip_seed(1, index) for index in range(3000)]
    assert len(set(seeds)) == 3000
    assert not set(seeds) & {clip_seed(2, index) for index in range(3000)}
    splits = [split_of(seed) for seed in seeds]
    assert 0.92 < splits.count("train") / 3000 < 0.96
    assert 0.02 < splits.count("test") / 3000 < 0.04
    assert clip_seed(1, 0) == 72134655972689  # published corpora depend on it
    assert split_of(72134655972689) == "train"


def test_styles_come_equally_often(soundfont):
    plan = make_plan(1, ("lofi", "house", "jazz trio"), soundfont)
    styles = [style_of(plan, index) for index in range(30)]
    assert [sorted(styles[i : i + 3]) for i in range(0, 30, 3)] == [
        ["house", "jazz trio", "lofi"]
    ] * 10
    assert len({tuple(styles[i : i + 3]) for i in range(0, 30, 3)}) > 2


@pytest.mark.heavy
def test_few_clips_are_made_ahead(soundfont, monkeypatch):
    asked = []

    def count():
        for index in range(100):
            asked.append(index)
            yield index

    made = dataset.in_order(lambda clip: clip, count(), make_plan(1, STYLES, soundfont), workers=1)
    list(islice(made, 2))
    made.close()
    assert len(asked) <= 3


class DyingPool:
    """A pool whose workers were ended from outside."""

    def __init__(self, *arguments):
        self.is_open = True

    def submit(self, *arguments):
        future = Future()
        future.set_exception(BrokenProcessPool("gone"))
        return future

    def shutdown(self, **options):
        self.is_open = False


def test_killed_workers_are_told_of(soundfont, monkeypatch):
    monkeypatch.setattr(dataset, "ProcessPoolExecutor", DyingPool)
    plan = make_plan(1, STYLES, soundfont)
    with pytest.raises(DataError, match="fewer --workers"):
        list(dataset.in_order(lambda clip: clip, range(2), plan, workers=2))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_workers_end_with_a_killed_parent(tmp_path, soundfont):
    script = tmp_path / "run.py"
    script.write_text(
        "from pathlib import Path\n"
        "from itertools import count\n"
        "from jen1cli.corpus.dataset import in_order, make_plan\n"
        "if __name__ == '__main__':\n"
        f"    font = Path('{soundfont}')\n"
        "    for _ in in_order(type, count(), make_plan(1, ('chiptune',), font), 2):\n"
        "        print('made', flush=True)\n"
    )
    run = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "made\n"
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    run.kill()
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in children):
        time.sleep(0.2)
    assert len(children) >= 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


@pytest.mark.heavy
@pytest.mark.parametrize("shards", [True, False])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    tmp_path, make, monkeypatch, shards
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "add_to_tar" if shards else "_move_in", full)
    with pytest.raises(OutputError, match="No space left on device; free some space"):
        make(tmp_path / "x", shards=shards)
    left = [path.name for path in (tmp_path / "x").rglob("*") if path.is_file()]
    assert sorted(left) == ["corpus.json", "manifest.partial.jsonl", "scores.partial.jsonl"]
    assert not (tmp_path / "x" / ".partial").exists()
    monkeypatch.undo()
    make(tmp_path / "x", shards=shards)
