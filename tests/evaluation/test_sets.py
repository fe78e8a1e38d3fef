"""Folders against folders: the right figures, and nothing averaged away."""

import os
import tarfile
import threading

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation.clips import find_clips, load_clips
from jen1cli.evaluation.embeddings.embedding import load_embedding, mono_windows
from jen1cli.evaluation.page import write_report
from jen1cli.evaluation.sets import (
    Reference,
    compare,
    join,
    load_statistics,
    measure_folder,
    save_statistics,
)
from jen1cli.evaluation.studies.audio_job import AudioJob, _tables

RATE = 48_000


@pytest.fixture
def mixed_folder(tmp_path, beat_maker):
    """Good clips, and one of every kind that must not count."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for i in range(3):
        audio.write(folder / f"good-{i}.wav", beat_maker(2.0, 100 + i), RATE)
        (folder / f"good-{i}.txt").write_text(f"music number {i}")
    audio.write(folder / "silent.wav", np.zeros((2, 2 * RATE), np.float32), RATE)
    audio.write(folder / "short.wav", beat_maker(0.4, 100), RATE)
    audio.write(folder / "slow-rate.wav", beat_maker(2.0, 100, rate=22_050), 22_050)
    audio.write(folder / "wordless.wav", beat_maker(2.0, 100), RATE)
    (folder / "broken.wav").write_bytes(b"not audio at all")
    return folder


def test_what_cannot_count_is_named_and_counted(mixed_folder):
    clips, audit = find_clips(mixed_folder)
    heard = list(load_clips(clips, audit, words=True))
    assert [one.clip.path.name for one in heard] == ["good-0.wav", "good-1.wav", "good-2.wav"]
    assert audit.facts() == {
        "folder": str(mixed_folder),
        "clips": 8,
        "used": 3,
        "problems": {
            "unreadable": ["broken.wav"],
            "silent": ["silent.wav"],
            "too short": ["short.wav"],
            "wrong sample rate": ["slow-rate.wav"],
            "without caption": ["wordless.wav"],
        },
    }
    lines = audit.warnings()
    assert f"1 of 8 clips in {mixed_folder} silent: silent.wav" in lines
    assert any("only 3 clips" in line and "unreliable" in line for line in lines)


def test_a_clip_without_words_counts_where_words_do_not(mixed_folder, tagger_installed):
    (measured,), audit = measure_folder(mixed_folder, ["tagger"])
    assert measured.clips == 4
    assert measured.captions is not None
    assert len(measured.captions) == 3
    assert audit.facts()["problems"]["without caption"] == ["wordless.wav"]


def test_a_folder_of_nothing_is_an_error(tmp_path, mixed_folder):
    for path in mixed_folder.glob("good*"):
        path.unlink()
    (mixed_folder / "wordless.wav").unlink()
    with pytest.raises(DataError, match=r"only one clip of .* counts .*silent: silent\.wav"):
        measure_folder(mixed_folder, ["handcrafted"], sample_rate=22_050)
    (mixed_folder / "slow-rate.wav").unlink()
    with pytest.raises(DataError, match=r"no clip of .* counts"):
        measure_folder(mixed_folder, ["handcrafted"])
    with pytest.raises(DataError, match="no folder"):
        find_clips(tmp_path / "none")


def test_limits_choose_evenly(music_folder):
    clips, audit = find_clips(music_folder(count=6), limit=3)
    assert [clip.path.stem for clip in clips] == ["000", "002", "004"]
    assert audit.clips == 3


def test_handcrafted_rows_hear_music(music_folder):
    (measured,), _ = measure_folder(music_folder(), ["handcrafted"])
    assert measured.rows.shape == (4, 99)
    assert np.isfinite(measured.rows).all()


@pytest.mark.heavy
def test_different_music_is_further_away_than_the_same_kind(tmp_path, music_folder, noise):
    same, other = music_folder("same", 6), music_folder("other", 6, first=50)
    odd = tmp_path / "odd"
    odd.mkdir()
    for i in range(6):
        audio.write(odd / f"{i}.wav", noise(seconds=2.5, seed=i), RATE)
    measured = {
        folder.name: measure_folder(folder, ["handcrafted"])[0][0] for folder in (same, other, odd)
    }
    reference = Reference.of(measured["same"])
    near, far = (compare(measured[name], reference) for name in ("other", "odd"))
    assert far.kad.value > 3 * max(near.kad.value, 1.0)
    assert far.fad > 3 * near.fad
    assert near.kad.low <= near.kad.value <= near.kad.high
    assert any("FAD is biased" in remark for remark in near.remarks)
    assert any("no FAD-infinity" in remark for remark in near.remarks)


def test_kl_pairs_clips_by_name():
    rng = np.random.default_rng(0)
    labels = rng.dirichlet(np.ones(4), 3)
    rows = [rng.standard_normal((2, 5)) for _ in range(3)]

    def make(order, suffix):
        found = [(rows[i], labels[i]) for i in order]
        return join("x", "1", found, tuple(f"{i}.{suffix}" for i in order))

    found = compare(make([2, 0, 1], "wav"), Reference.of(make([0, 1, 2], "flac")))
    assert found.kl is not None
    assert found.kl.value == pytest.approx(0, abs=1e-9)
    assert found.kl_sets == pytest.approx(0, abs=1e-9)


def test_clips_in_a_tar_file_count_and_are_named_as_those_of_a_folder(mixed_folder, tmp_path):
    (tmp_path / "tars").mkdir()
    with tarfile.open(tmp_path / "tars" / "music-0.tar", "w") as tar:
        for path in sorted(mixed_folder.iterdir()):
            tar.add(path, path.name)
    found = {}
    for folder in (mixed_folder, tmp_path / "tars"):
        clips, audit = find_clips(folder)
        heard = [one.clip.name for one in load_clips(clips, audit, words=True)]
        found[folder] = heard, audit.facts()["problems"]
    assert found[mixed_folder] == found[tmp_path / "tars"]
    assert found[mixed_folder][0] == ["good-0.wav", "good-1.wav", "good-2.wav"]


def test_only_clips_whose_names_occur_once_are_pairs():
    rng = np.random.default_rng(5)
    rows = [(rng.standard_normal((2, 5)), rng.dirichlet(np.ones(4))) for _ in range(4)]
    one, two = join("x", "1", rows, ("a", "b", "c", "d")), join("x", "1", rows, ("a",) * 4)
    assert compare(one, Reference.of(one)).kl.count == 4
    assert compare(two, Reference.of(two)).kl is None
    three = join("x", "1", rows, ("a", "b", "d", "d"))
    assert compare(three, Reference.of(one)).kl.count == 2


@pytest.mark.heavy
def test_statistics_stand_in_for_the_folder(tmp_path, music_folder):
    folder, other = music_folder("a", 5), music_folder("b", 5, first=9)
    measured, audit = measure_folder(folder, ["handcrafted"])
    save_statistics(tmp_path / "a.npz", measured, audit)
    (stored,) = load_statistics(tmp_path / "a.npz")
    (item,), _ = measure_folder(other, ["handcrafted"])
    direct = compare(item, Reference.of(measured[0]))
    through = compare(item, stored)
    assert through.fad == pytest.approx(direct.fad, rel=1e-9)
    assert through.kad.value == pytest.approx(direct.kad.value, rel=1e-4)
    if hasattr(os, "mkfifo"):
        pipe, data = tmp_path / "pipe", (tmp_path / "a.npz").read_bytes()
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True).start()
        (table, *_) = AudioJob(other, pipe, ("handcrafted",)).run().tables
        assert table.rows[0][2] == pytest.approx(direct.fad, rel=1e-4)
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="no statistics"):
        load_statistics(tmp_path / "bad.npz")


def stored(**changes):
    """Return the arrays of stored statistics, of an embedding x of three features."""
    rows = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
    values = {"mean": rows.mean(0), "covariance": np.cov(rows, rowvar=False), "count": 6,
              "version": "1", "rows": rows, "owners": np.arange(6), "clips": 6}  # fmt: skip
    named = {f"x.{name}": np.array(value) for name, value in (values | changes).items()}
    return {"version": np.array(1), "names": np.array(["x"]), **named}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_statistics_that_are_cut_or_changed_are_refused(tmp_path, save):
    path = tmp_path / "a.npz"
    save(path, **stored())
    whole = path.read_bytes()
    assert load_statistics(path)[0].clips == 6
    at = whole.index(b"x.rows.npy") + 160  # in the numbers
    changed = whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]
    for data in (whole[:-30], whole[: len(whole) // 2], whole[300:], changed, b"PK\3\4", b""):
        path.write_bytes(data)
        with pytest.raises(DataError, match="holds no statistics"):
            load_statistics(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": np.zeros(2)},
        {"mean": 0.0, "covariance": 0.0, "rows": np.zeros(6)},
        {"mean": np.array(["a", "b", "c"])},
        {"covariance": np.full((3, 3), np.nan)},
        {"rows": np.zeros((0, 3)), "owners": np.zeros(0, int)},
        {"owners": np.arange(5)},
        {"owners": np.zeros(6)},
        {"count": 1},
        {"count": "many"},
        {"clips": np.arange(2)},
        {"labels": np.zeros(4)},
    ],
    ids=lambda changes: f"{'-'.join(changes)}",
)
def test_statistics_of_arrays_that_do_not_fit_are_refused(tmp_path, changes):
    np.savez(tmp_path / "a.npz", **stored(**changes))
    with pytest.raises(DataError, match="holds no statistics"):
        load_statistics(tmp_path / "a.npz")


def test_statistics_of_one_array_or_of_an_archive_that_unpacks_without_end(tmp_path):
    np.save(tmp_path / "a.npz", np.zeros(3))
    (tmp_path / "a.npz.npy").rename(tmp_path / "one.npz")
    np.savez_compressed(tmp_path / "bomb.npz", **stored(labels=np.zeros((1, 2**24), np.float32)))
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    for name in ("one.npz", "bomb.npz"):
        with pytest.raises(DataError, match="holds no statistics"):
            load_statistics(tmp_path / name)


def test_statistics_of_other_sizes_do_not_compare(tmp_path):
    np.savez(tmp_path / "a.npz", **stored())
    rows = [(np.random.default_rng(i).standard_normal((2, 4)), None) for i in range(3)]
    with pytest.raises(ConfigError, match="make the statistics again"):
        compare(join("x", "1", rows, ("a", "b", "c")), load_statistics(tmp_path / "a.npz")[0])


def test_other_weights_do_not_compare():
    rows = [(np.random.default_rng(i).standard_normal((2, 3)), None) for i in range(3)]
    names_ = ("a", "b", "c")
    with pytest.raises(ConfigError, match="make the statistics again"):
        compare(join("x", "1", rows, names_), Reference.of(join("x", "2", rows, names_)))


@pytest.mark.heavy
def test_the_job_reports(music_folder, tagger_installed, tmp_path):
    report = AudioJob(music_folder("a"), music_folder("b"), ("tagger", "handcrafted")).run()
    rows = {table.name: [row[0] for row in table.rows] for table in report.tables}
    assert rows == {
        "distances": ["tagger (in-domain)", "handcrafted"],
        "labels": ["tagger (in-domain)", "handcrafted"],
        "words": ["tagger (in-domain)"],
    }
    assert "tagger: in-domain" in report.tables[0].note
    assert report.judges["tagger"] != ""
    assert len(report.audits) == 2
    _, page = write_report(tmp_path / "report", report)
    assert page.read_text().count("<audio") == 4


@pytest.mark.heavy
def test_enough_windows_give_fad_infinity_and_its_curve():
    rng = np.random.default_rng(5)
    found = [(rng.standard_normal((5, 6)), None) for _ in range(120)]
    one, other = (join("x", "1", found[at::2], tuple(map(str, range(60)))) for at in (0, 1))
    short = compare(one, Reference.of(other))
    assert short.fad_infinity is None
    assert short.fad_points == ()
    both = join("x", "1", found, tuple(map(str, range(120))))
    long = compare(both, Reference.of(other))
    assert long.fad_infinity < long.fad
    table = _tables([long], [both])[-1]
    assert (table.name, table.plot) == ("windows x", "curve")
    assert [float(row[0]) for row in table.rows] == sorted(float(row[0]) for row in table.rows)


@pytest.mark.heavy
def test_the_page_plays_only_what_counts_and_names_the_rest(
    mixed_folder, tagger_installed, tmp_path
):
    report = AudioJob(mixed_folder, mixed_folder, ("handcrafted",)).run()
    shown = {sample.path.name for sample in report.samples}
    assert shown == {"good-0.wav", "good-1.wav", "good-2.wav", "wordless.wav"}
    _, page = write_report(tmp_path / "report", report)
    text = page.read_text()
    assert "4 of 8 clips count" in text
    for line in ("unreadable (1): broken.wav", "silent (1): silent.wav", "too short (1): short.wav",
                 "wrong sample rate (1): slow-rate.wav"):  # fmt: skip
        assert line in text


def test_unknown_embeddings_are_refused():
    with pytest.raises(ConfigError, match="unknown embedding 'clapp'; known: tagger"):
        load_embedding("clapp")


def test_windows_repeat_what_is_too_short():
    signal = np.arange(10, dtype=np.float32)[None]
    assert mono_windows(signal, 10, 10, 2.0).shape == (1, 20)
    assert mono_windows(np.zeros((2, 50), np.float32), 10, 10, 2.0, 1.0).shape == (4, 20)
