"""Latents in tar files: written in shards, streamed in windows, resumed at the same window."""

import dataclasses
import json
import shutil
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch

from jen1cli.autoencoder.codec import load_codec
from jen1cli.errors import ConfigError, DataError
from jen1cli.manifest import Clip, read_folder, write_manifest
from jen1cli.music.full_score import FullScore, ScorePart
from jen1cli.music.score_files import write_scores
from jen1cli.shards import Shard
from jen1cli.training import jobs
from jen1cli.training.diffusion import streaming, tar_writing
from jen1cli.training.diffusion.build import write_latent_shard, write_latents
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.diffusion.opening import opened_latents
from jen1cli.training.diffusion.streaming import Mix, Share, WindowStream
from jen1cli.training.diffusion.tar_reading import TarCache, read_tar
from jen1cli.training.engine.state import load_state
from training_support import PITCHES

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")
SHARDS = 3
ALONE = Share(0, 1, 1)


@pytest.fixture(scope="session")
def blocks():
    """Blocks and tar files of two clips at most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tar_writing, "BLOCK_CLIPS", 2)
        yield


@pytest.fixture(scope="session")
def tars(tones, codec_folder, tmp_path_factory, blocks):
    """The tones in tar files, written by three shards."""
    folder = tmp_path_factory.mktemp("tars") / "cache"
    for index in range(SHARDS):
        figures = write_latent_shard(
            tones, codec_folder, folder, Shard(index, SHARDS), device="cpu"
        )
        assert figures["complete"] == (index == SHARDS - 1)
    return folder


def make_stream(folder, frames=40, share=ALONE, seed=0, weights=(1.0,)):
    folders = folder if isinstance(folder, list) else [folder]
    caches = [TarCache.open(str(place)) for place in folders]
    return WindowStream(caches, weights, frames, torch.zeros(8), seed, share, CPU)


def drawn(stream, batches, size=6, first=0):
    """Captions and starts of the windows that a process has in some batches."""
    rng = np.random.default_rng(0)
    return [
        [(w.caption, w.start) for w in stream.windows(n * size, size, rng) if w.clip >= 0]
        for n in range(first, first + batches)
    ]


def names_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_shards_have_the_latents_of_an_undivided_cache(tars, cache):
    found = {
        clip.entry.audio: clip
        for split in ("train", "validation")
        for tar in TarCache.open(str(tars)).split(split)
        for clip in read_tar(tar)
    }
    assert len(found) == len(cache.clips)
    for clip in cache.clips:
        latent = np.asarray(cache.table[clip.start : clip.start + clip.frames], np.float32)
        assert np.allclose(found[clip.audio].latent.astype(np.float32), latent, atol=2e-3)
        assert dataclasses.replace(found[clip.audio].entry, start=clip.start) == clip
    whitenings = [load_codec(f).whitening for f in (cache.folder, tars / "codec")]
    assert torch.equal(whitenings[0].inverse_matrix, whitenings[1].inverse_matrix)


def test_any_order_and_a_second_run_write_the_same_bytes(
    tars, tones, codec_folder, tmp_path, blocks
):
    other = tmp_path / "other"
    for index in (2, 0, 1):
        write_latent_shard(tones, codec_folder, other, Shard(index, SHARDS), device="cpu")
    assert names_in(other) == names_in(tars)
    (other / "blocks" / "00001.json").unlink()  # as if killed before the block was noted
    (other / "index.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in other.glob("*.tar")}
    write_latent_shard(tones, codec_folder, other, Shard(1, SHARDS), device="cpu")
    assert names_in(other) == names_in(tars)
    written = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert written
    assert all("-00001" in name for name in written)


def test_tar_files_are_of_bounded_size(tones, codec_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tar_writing, "TAR_BYTES", 1)
    write_latent_shard(tones, codec_folder, tmp_path / "cache", Shard(0, 1), device="cpu")
    tars = TarCache.open(str(tmp_path / "cache")).split("train")
    assert [len(tar.frames) for tar in tars] == [1] * (len(PITCHES) - 1)


def test_a_clip_that_cannot_be_read_is_in_one_file_of_errors(tones, codec_folder, tmp_path, blocks):
    music = shutil.copytree(tones, tmp_path / "music")
    (music / "3.wav").write_bytes(b"RIFF")
    for index in (1, 0):
        write_latent_shard(music, codec_folder, tmp_path / "cache", Shard(index, 2), device="cpu")
    lines = (tmp_path / "cache" / "errors.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert "3.wav" in json.loads(lines[0])["error"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"shard": Shard(0, 2)}, "number of shards"),
        ({"augmented": 0.5}, "--augmented"),
        ({"keep_whitening": True}, "model|--keep-whitening"),
    ],
)
def test_shards_with_other_settings_are_refused(tars, tones, codec_folder, change, named):
    settings = {"shard": Shard(0, SHARDS), **change}
    with pytest.raises(ConfigError, match=named):
        write_latent_shard(tones, codec_folder, tars, device="cpu", **settings)


def test_shards_of_other_music_are_refused(tars, other_tones, codec_folder, tmp_path):
    music = shutil.copytree(other_tones, tmp_path / "music")
    write_manifest(music, [dataclasses.replace(c, captions=("x",)) for c in read_folder(music)])
    with pytest.raises(ConfigError, match="another music"):
        write_latent_shard(music, codec_folder, tars, Shard(0, SHARDS), device="cpu")


def test_an_incomplete_or_foreign_folder_is_named(tones, codec_folder, tmp_path, blocks):
    write_latent_shard(tones, codec_folder, tmp_path / "cache", Shard(0, 2), device="cpu")
    with (
        pytest.raises(DataError, match="not every shard"),
        opened_latents(tmp_path / "cache"),
    ):
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").touch()
    with pytest.raises(ConfigError, match="not empty"):
        write_latent_shard(tones, codec_folder, tmp_path / "other", Shard(0, 2), device="cpu")


def test_an_epoch_visits_each_window_of_each_clip_once(tars, cache):
    stream = make_stream(tars)
    wanted = Counter()
    for clip in cache.split("train"):
        wanted[clip.captions[0]] += max(1, clip.frames // 40)
    assert stream.epoch_windows == wanted.total()
    for epoch in range(2):
        found = drawn(stream, 1, stream.epoch_windows, epoch)[0]
        assert Counter(caption for caption, _ in found) == wanted


def test_processes_read_their_own_tar_files_and_together_all(tars, cache):
    streams = [make_stream(tars, share=Share(p, 2, 1)) for p in range(2)]
    seen = []
    for stream in streams:
        found = drawn(stream, 20)
        assert all(len(batch) == 3 for batch in found)
        seen.append({caption for batch in found for caption, _ in batch})
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] == {clip.captions[0] for clip in cache.split("train")}
    first, second = (stream.windows(6, 6, np.random.default_rng(0)) for stream in streams)
    assert [a.clip >= 0 for a in first] == [b.clip < 0 for b in second]
    with pytest.raises(ConfigError, match="fewer processes"):
        make_stream(tars, share=Share(0, 99, 1))


@pytest.mark.parametrize("room", [1, 1 << 30])
def test_a_resumed_stream_goes_on_at_the_same_window(tars, monkeypatch, room):
    monkeypatch.setattr(streaming, "SHUFFLE_BYTES", room)
    whole = drawn(make_stream(tars), 30)
    for first in (1, 7, 23):
        assert drawn(make_stream(tars), 30 - first, first=first) == whole[first:]
    assert drawn(make_stream(tars, seed=1), 30) != whole


def test_only_the_group_in_use_and_the_next_are_held(tars, monkeypatch):
    monkeypatch.setattr(streaming, "SHUFFLE_BYTES", 1)  # a tar file is a group
    stream = make_stream(tars)
    read = Counter()

    def counted(tar):
        read[tar.source] += 1
        return read_tar(tar)

    monkeypatch.setattr(streaming, "read_tar", counted)
    for number in range(40):
        drawn(stream, 1, size=2, first=number)
        assert len(stream._orders[0]._reading) <= 2
        assert len(stream.clips) <= 1 + 2 * streaming._KEPT_BATCHES
        assert stream.clips.keys() == stream.latents.keys()
    assert len(read) == len(TarCache.open(str(tars)).split("train"))


def test_latents_of_a_window_are_those_of_its_clip(tars, cache):
    stream = make_stream(tars, frames=100)
    windows = stream.windows(0, 12, np.random.default_rng(0))
    found = stream.gather([(stream.clips[w.clip], w.start) for w in windows], 100)
    by_caption = {clip.captions[0]: clip for clip in cache.split("train")}
    for window, latent in zip(windows, found, strict=True):
        clip = by_caption[window.caption]
        first = clip.start + window.start
        end = min(first + 100, clip.start + clip.frames)
        wanted = torch.from_numpy(np.array(cache.table[first:end], np.float32)).T
        assert torch.allclose(latent[:, : end - first], wanted, atol=2e-3)
        assert not latent[:, end - first :].any()


def test_a_mix_keeps_its_shares_and_every_order():
    mix = Mix([1.0, 3.0, 0.5], seed=0)
    places = [mix.place(number) for number in range(2_000)]
    counts = Counter(chosen for chosen, _ in places)
    assert [counts[n] for n in range(3)] == pytest.approx([444, 1333, 222], abs=2)
    for chosen in range(3):
        assert [place for c, place in places if c == chosen] == list(range(counts[chosen]))
    assert Mix([1.0, 3.0, 0.5], seed=0).place(1_234) == places[1_234]


def test_sets_are_mixed_by_weight(tars, tones, tmp_path, blocks):
    music = shutil.copytree(tones, tmp_path / "music")
    clips = [Clip(c.path, ("other",), c.seconds, "train") for c in islice(read_folder(music), 2)]
    (music / "manifest.jsonl").unlink()
    write_manifest(music, clips)
    other = tmp_path / "cache"
    write_latent_shard(music, tars / "codec", other, Shard(0, 1), keep_whitening=True, device="cpu")
    with opened_latents(tars, [(str(other), 3.0)]) as latents:
        assert latents.stream.weights == (1.0, 3.0)
        stream = make_stream([tars, other], weights=latents.stream.weights)
        found = drawn(stream, 1, 1_000)[0]
        assert sum(caption == "other" for caption, _ in found) == 750
        resident = LatentCache.open(latents.folder)
        assert [clip.split for clip in resident.clips] == ["validation"]
    assert not latents.folder.exists()


def test_latents_of_another_whitening_are_not_mixed(
    tars, cache, other_tones, codec_folder, tmp_path, blocks
):
    other = tmp_path / "cache"
    write_latent_shard(other_tones, codec_folder, other, Shard(0, 1), device="cpu")
    with (
        pytest.raises(ConfigError, match="keep-whitening"),
        opened_latents(tars, [(str(other), 1.0)]),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="tar files"),
        opened_latents(cache.folder, [(str(tars), 1.0)]),
    ):
        pass
    with pytest.raises(ConfigError, match="above 0"), opened_latents(tars, [(str(tars), 0.0)]):
        pass


def test_a_pattern_and_a_url_name_tar_files(tars):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.put(str(tars), "/bucket/cache", recursive=True)
    everything = TarCache.open("memory://bucket/cache")
    assert len(everything.split("train")) > 2
    names = [tar.source.rpartition("/")[2] for tar in everything.split("train")]
    part = TarCache.open(
        f"memory://bucket/cache/{{{names[0]},{names[1]}}}".replace(".tar", "") + ".tar"
    )
    assert [tar.source for tar in part.split("train")] == [
        f"memory://bucket/cache/{name}" for name in names[:2]
    ]
    assert part.split("validation")
    assert drawn(make_stream("memory://bucket/cache"), 5) == drawn(make_stream(tars), 5)
    with opened_latents("memory://bucket/cache") as latents:
        assert load_codec(latents.folder)
    with pytest.raises(ConfigError, match="train-99999"):
        TarCache.open("memory://bucket/cache/train-99999.tar")
    with pytest.raises(DataError, match="cannot be read"):
        TarCache.open("memory://bucket/nothing")


def test_a_tar_file_that_vanishes_or_changes_is_named(tars, tmp_path):
    folder = shutil.copytree(tars, tmp_path / "cache")
    first, second, *_ = TarCache.open(str(folder)).split("train")
    shutil.copy(first.source, second.source)
    with pytest.raises(DataError, match="is not the file"):
        read_tar(dataclasses.replace(second, frames=second.frames + 1))
    (folder / "train-00000.tar").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="cannot be read"):
        read_tar(first)
    shutil.rmtree(folder)
    with pytest.raises(DataError, match="cannot be read"):
        read_tar(first)


def test_full_scores_stream_with_their_clips(tmp_path, tones, codec_folder, blocks):
    music = shutil.copytree(tones, tmp_path / "music")
    score = FullScore((ScorePart("lead", "woodwinds", ((0.0, 1.0, 60, 0.8),)),), 1.0, style="house")
    write_scores(music / "scores.jsonl", [(("0.wav", 0), score), (("5.wav", 0), score)])
    cache = write_latents(music, codec_folder, tmp_path / "whole", device="cpu")
    write_latent_shard(music, codec_folder, tmp_path / "tars", Shard(0, 1), device="cpu")
    stream = make_stream(tmp_path / "tars")
    windows = stream.windows(0, 20, np.random.default_rng(0))
    scored = {w.caption for w in windows if stream.scores().complete(stream.clips[w.clip]).score}
    assert scored == {f"{PITCHES[0]} hertz"}
    assert cache.music_scores != "none"
    with opened_latents(tmp_path / "tars") as latents:
        assert (latents.folder / "scores.jsonl").is_file()


def test_training_on_tar_files_resumes_bit_by_bit(tars, text_folder, tmp_path):
    def train(output, steps, **more):
        jobs.DiffusionJob(
            cache=str(tars), text_encoder=text_folder, output=output, recipe="tiny", steps=steps,
            precision="fp32", lr_shape="constant", device="cpu", crop_seconds=0.4, **more,
        ).run()  # fmt: skip
        return load_state(output / "state")[0]

    whole = train(tmp_path / "whole", 4)
    train(tmp_path / "stopped", 2)
    resumed = train(tmp_path / "stopped", 4, resume=True)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    metrics = (tmp_path / "whole" / "metrics.jsonl").read_text()
    assert "validation/all" in metrics
    with pytest.raises(ConfigError, match="other music"):
        train(tmp_path / "stopped", 6, resume=True, mix=((str(tars), 1.0),))


def test_controls_learn_from_a_part_of_the_tar_files(with_tempi, tiny_folder, tmp_path):
    codec_folder = tiny_folder
    cache = tmp_path / "cache"
    write_latent_shard(
        with_tempi, codec_folder, cache, Shard(0, 1), keep_whitening=True, device="cpu"
    )
    figures = jobs.ControlsJob(
        cache=str(cache), init=tiny_folder, output=tmp_path / "run", recipe="tiny", steps=1,
        device="cpu", crop_seconds=0.2,
    ).run()  # fmt: skip
    assert figures["windows per epoch"] >= len(PITCHES) - 1
    assert (tmp_path / "run" / "weights" / "config.json").is_file()
