"""Music in WebDataset tar files, at a URL or of a pattern, as source of both stages."""

import dataclasses
import io
import json
import shutil
import tarfile

import numpy as np
import pytest
import torch

from jen1cli.cli import app
from jen1cli.errors import DataError
from jen1cli.files import add_to_tar
from jen1cli.manifest import read_folder, write_manifest
from jen1cli.music.full_score import FullScore, ScorePart
from jen1cli.music.score_files import SCORES_NAME, write_scores
from jen1cli.shards import Shard
from jen1cli.training.autoencoder.crops import CropSource
from jen1cli.training.diffusion.build import write_latents
from jen1cli.training.diffusion.cache import scores_by_path, scores_digest
from jen1cli.training.diffusion.tar_reading import TarCache, read_tar
from jen1cli.training.engine.reading import read_clips
from jen1cli.training.jobs import LatentsJob
from training_support import PITCHES, RATE

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("webdataset")

URL = "memory://music"


def ignore(event):
    pass


@pytest.fixture(scope="module")
def tars(tones, tmp_path_factory):
    """The tones in three tar files, with captions as .json or .txt, locally and in memory."""
    folder = tmp_path_factory.mktemp("tars")
    for name, numbers in (("train-000", (0, 1, 2)), ("train-001", (3, 4)), ("val-000", (5,))):
        with tarfile.open(folder / f"{name}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in numbers:
                caption = f"{PITCHES[number]} hertz"
                add_to_tar(tar, f"{number}.wav", (tones / f"{number}.wav").read_bytes())
                if number % 2:
                    add_to_tar(tar, f"{number}.txt", caption.encode())
                else:
                    add_to_tar(tar, f"{number}.json", json.dumps({"caption": caption}).encode())
    memory = fsspec.filesystem("memory")
    memory.put(str(folder), "/music", recursive=True)
    yield folder
    memory.rm("/music", recursive=True)


def facts(clips):
    return [
        (clip.captions, clip.seconds, clip.split, clip.offset, clip.size, bytes_of(clip))
        for clip in clips
    ]


def bytes_of(clip):
    assert isinstance(clip.source, io.BytesIO)
    return clip.source.getvalue()


def test_a_url_has_the_clips_of_its_folder(tars, monkeypatch):
    local = read_folder(tars)
    assert [clip.captions[0] for clip in local] == [f"{pitch} hertz" for pitch in PITCHES]
    assert [clip.split for clip in local] == ["train"] * 5 + ["validation"]
    for place in (URL, f"{URL}/", f"file://{tars}"):
        assert facts(read_folder(place)) == facts(local)
    assert read_folder(URL)[3].place == f"{URL}/train-001.tar"
    some = facts(local)[:3]
    monkeypatch.chdir(tars)
    for pattern in (f"{URL}/train-000.tar", f"{tars}/train-000.tar", "train-{000..000}.tar"):
        assert facts(read_folder(pattern)) == some
    for pattern in (f"{URL}/train-{{000..001}}.tar", f"{tars}/{{train-000,train-001}}.tar"):
        assert facts(read_folder(pattern)) == facts(local)[:5]
    assert read_clips(tars / "train-{000..001}.tar", ignore)[0].path == tars / "train-000.tar"


def test_a_manifest_at_a_url_spares_the_reading_of_the_tar_files(tars, tmp_path, monkeypatch):
    folder = shutil.copytree(tars, tmp_path / "music")
    clips = read_folder(folder)
    clips[0] = dataclasses.replace(clips[0], captions=("of the manifest",))
    write_manifest(folder, clips)
    monkeypatch.setattr("jen1cli.manifest.read_tar", None)
    found = read_folder(f"file://{folder}")
    assert facts(found) == facts(read_folder(folder))
    assert found[0].captions == ("of the manifest",)
    (folder / "manifest.jsonl").write_text('{"audio": "gone.tar", "seconds": 1, "size": 9}\n')
    gone = read_folder(f"file://{folder}")
    with pytest.raises(DataError, match=r"gone.tar cannot be read"):
        bytes_of(gone[0])


def test_stage_1_has_the_same_batches_from_a_url_from_any_step_on(tars):
    def source(place):
        clips = [clip for clip in read_folder(place) if clip.split == "train"]
        return CropSource(
            clips, sample_rate=RATE, audio_channels=2, samples=4_800, gain_decibels=(-10.0, 6.0),
            side_decibels=(-6.0, 15.0), seed=0, on_event=ignore,
        )  # fmt: skip

    local, remote, resumed = source(tars), source(URL), source(URL)
    expected = [local.batch(step, [0, 1], 2) for step in range(8)]
    assert all(torch.equal(remote.batch(i, [0, 1], 2), batch) for i, batch in enumerate(expected))
    assert torch.equal(resumed.batch(5, [0, 1], 2), expected[5])
    for each in (local, remote, resumed):
        each.close()


def test_a_server_that_fails_ends_a_run_and_is_no_broken_clip(tars, monkeypatch):
    clips = read_folder(URL)[:2]
    source = CropSource(
        clips, sample_rate=RATE, audio_channels=2, samples=480, gain_decibels=(0.0, 0.0),
        side_decibels=(0.0, 0.0), seed=0, on_event=ignore,
    )  # fmt: skip
    system = type(fsspec.filesystem("memory"))  # each thread has an instance of its own

    def fail(*arguments, **more):
        raise OSError("the connection was reset")

    monkeypatch.setattr(system, "cat_file", fail)
    with pytest.raises(DataError, match=r"memory://music/train-000.tar cannot be read .the conn"):
        source.batch(0, [0], 1)
    source.close()


@pytest.mark.heavy
def test_latents_of_a_url_are_those_of_the_folder(tars, codec_folder, tmp_path):
    local = write_latents(tars, codec_folder, tmp_path / "local", device="cpu")
    remote = write_latents(URL, codec_folder, tmp_path / "remote", device="cpu")
    assert np.array_equal(local.table, remote.table)
    assert local.music == remote.music
    assert [clip.captions for clip in local.clips] == [clip.captions for clip in remote.clips]
    assert remote.clips[0].audio == f"{URL}/train-000.tar"
    for shard in (Shard(1, 2), Shard(0, 2)):
        LatentsJob(
            data=f"{URL}/{{train-000,train-001,val-000}}.tar", model=codec_folder,
            output=tmp_path / "shards", shard=shard, device="cpu",
        ).run()  # fmt: skip
    cache = TarCache.open(str(tmp_path / "shards"))
    read = [clip for split in cache.tars.values() for tar in split for clip in read_tar(tar)]
    assert {clip.entry.captions for clip in read} == {clip.captions for clip in local.clips}


def test_full_scores_beside_music_at_a_url(tars, tmp_path):
    score = FullScore((ScorePart("lead", "woodwinds", ((0.0, 1.0, 60, 0.8),)),), 1.0)
    folder = shutil.copytree(tars, tmp_path / "music")
    write_scores(folder / SCORES_NAME, [(("train-000.tar", 512), score)])
    url = f"file://{folder}"
    assert scores_digest(url) == scores_digest(folder) != "none"
    assert scores_digest(URL) == "none"
    assert scores_by_path(URL) == {}
    assert scores_by_path(folder) == {(str(folder / "train-000.tar"), 512): score}
    assert scores_by_path(url) == {(f"{url}/train-000.tar", 512): score}
    assert scores_by_path(f"{url}/train-{{000..001}}.tar") == scores_by_path(url)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("memory://nothing", "no audio in 'memory://nothing'"),
        ("memory://nothing/a.tar", "memory://nothing/a.tar cannot be read"),
        ("nowhere/{a,b}.tar", "nothing in 'nowhere/{a,b}.tar' can be used: 2 skipped"),
        ("odd://bucket/a.tar", "cannot be opened: Protocol not known"),
        ("odd://bucket", "cannot be read .Protocol not known"),
    ],
)
def test_a_place_without_music_is_named(tars, place, words):
    with pytest.raises(DataError, match=words):
        read_folder(place)


@pytest.mark.heavy
def test_inspect_takes_a_url(tars, tmp_path, capsys):
    arguments = ["corpus", "inspect", URL, "--json"]
    assert app.run([*arguments, "--clips", "0"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["clips"], found["captions"]) == (6, 6)
    assert app.run(arguments) == 1
    assert "no page can be written to memory://music; give --output" in capsys.readouterr().err
    sheet = tmp_path / "sheet.html"
    assert app.run([*arguments, "-o", str(sheet), "--clips", "2", "--seconds", "0.2"]) == 0
    assert "220 hertz" in sheet.read_text()
