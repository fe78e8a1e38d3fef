"""Listening tests and MusicCaps."""

import base64
import io
import json
import re

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.errors import DataError
from jen1cli.evaluation.studies.edit_versions import Versions, excerpt
from jen1cli.evaluation.studies.listening import (
    ListenJob,
    Rating,
    System,
    key_path,
    levelling_gain,
    read_results,
    summarize,
)
from jen1cli.evaluation.studies.musiccaps import (
    TABLE_II,
    Entry,
    MusicCapsJob,
    match_clips,
    read_csv,
)
from jen1cli.metrics.signals import level


@pytest.fixture
def page(music_folder, tmp_path):
    systems = [System("ours", music_folder("a")), System("theirs", music_folder("b", first=40))]
    written = ListenJob(systems, clips=3, seconds=1.0).write(tmp_path / "test.html")
    assert [audit.used for audit in written.audits] == [3, 3]
    assert written.remarks == []
    assert not any(audit.warnings() for audit in written.audits)
    return written.path


def study_of(page):
    text = re.search(r"const STUDY = (\{.*?\});\n", page.read_text()).group(1)
    return json.loads(text)


@pytest.mark.heavy
def test_the_page_is_blind_and_self_contained(page):
    text = page.read_text()
    study = study_of(page)
    assert len(study["items"]) == 6
    assert all(set(item) == {"code", "prompt", "sound"} for item in study["items"])
    assert "ours" not in re.sub(r"base64,[\w+/=]+", "", text)
    assert "theirs" not in re.sub(r"base64,[\w+/=]+", "", text)
    assert not re.search(r'(src|href)="?(https?:)?//', text)
    key = json.loads(key_path(page).read_text())
    assert sorted(item["system"] for item in key["items"].values()) == ["ours"] * 3 + ["theirs"] * 3
    prompts = {(i["system"], i["prompt"]) for i in key["items"].values()}
    assert {p for s, p in prompts if s == "ours"} == {p for s, p in prompts if s == "theirs"}


def test_a_prompt_cannot_break_out_of_the_script(music_folder, tmp_path):
    folder = music_folder(count=1)
    line = json.loads((folder / "manifest.jsonl").read_text())
    line["captions"] = ["</script><b>lofi</b>"]
    (folder / "manifest.jsonl").write_text(json.dumps(line))
    job = ListenJob([System("x", folder)], clips=1, seconds=1.0)
    path = job.write(tmp_path / "t.html").path
    assert "</script><b>" not in path.read_text()
    assert study_of(path)["items"][0]["prompt"] == "</script><b>lofi</b>"


@pytest.mark.heavy
def test_systems_are_heard_with_the_same_prompts_where_they_have_some(music_folder, tmp_path):
    """Two folders of which only clips 2 and 3 of the first were made for the same words."""
    folders = [music_folder("a", 4), music_folder("b", 4)]
    for folder, first in zip(folders, (0, 2), strict=True):
        lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
        for number, line in enumerate(lines):
            line["captions"] = [f"song number {first + number}"]
        (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    systems = [System(folder.name, folder) for folder in folders]
    written = ListenJob(systems, clips=4, seconds=1.0).write(tmp_path / "t.html")
    prompts = sorted(item["prompt"] for item in study_of(written.path)["items"])
    assert prompts == ["song number 2", "song number 2", "song number 3", "song number 3"]
    assert written.remarks == ["only 2 captions are shared by all systems"]
    lines = (folders[1] / "manifest.jsonl").read_text().replace("number", "without number")
    (folders[1] / "manifest.jsonl").write_text(lines)
    written = ListenJob(systems, clips=4, seconds=1.0).write(tmp_path / "t.html")
    assert len(study_of(written.path)["items"]) == 8
    assert "share no caption" in written.remarks[0]


@pytest.fixture
def versions(tmp_path, noise):
    """Folders of two versions of two edits; those of the second version are louder in the hole."""
    kept = Versions(tmp_path / "audio")
    for number in range(2):
        whole = noise(seconds=14.0, level=0.05, seed=number)
        span = (6 * 48_000, 8 * 48_000)
        hole = whole[:, slice(*span)]
        kept.add(f"clip {number}", whole, {"mine": hole, "loud": 4 * hole}, span, 48_000)
    kept.finish()
    return [System(name, tmp_path / "audio" / name) for name in ("mine", "loud")]


@pytest.mark.heavy
def test_versions_of_an_edit_are_heard_together(versions, tmp_path):
    path = ListenJob(versions, clips=2, seconds=10.0, together=True).write(tmp_path / "t.html").path
    study = study_of(path)
    assert [question["name"] for question in study["questions"]] == ["quality"]
    groups = {item["group"]: item["prompt"] for item in study["items"]}
    assert len(study["items"]) == 4
    assert sorted(groups.values()) == [
        f"clip {number}: from 4.0 to 6.0 s it may be new" for number in range(2)
    ]
    key = json.loads(key_path(path).read_text())["items"]
    sounds = {(key[item["code"]]["system"], item["prompt"]): item for item in study["items"]}
    for prompt in groups.values():
        mine, loud = (
            audio.read(io.BytesIO(base64.b64decode(sounds[name, prompt]["sound"].split(",")[1])))
            for name in ("mine", "loud")
        )
        assert mine.shape[1] == loud.shape[1] == 480_000
        before = slice(0, 4 * 48_000 - 2_000)  # the same music has the same level in both
        assert level(mine[:, before]) == pytest.approx(level(loud[:, before]), abs=0.2)
    # listeners rate quality alone
    results = tmp_path / "answers.json"
    ratings = {code: {"quality": 80 if key[code]["system"] == "mine" else 20} for code in key}
    head = {"format": "jen1-listening/1", "study": study["study"], "listener": "a"}
    results.write_text(json.dumps(head | {"ratings": ratings}))
    report = summarize(*read_results([results], key_path(path)))
    rows = {row[0]: row[1:] for row in report.tables[0].rows}
    assert (rows["mine"][0].value, rows["loud"][0].value) == (80, 20)
    assert rows["mine"][1].count == 0


def test_versions_without_a_shared_caption_are_refused(music_folder, tmp_path):
    systems = [System("a", music_folder("a")), System("b", music_folder("b", first=40))]
    for name in ("a", "b"):
        manifest = tmp_path / name / "manifest.jsonl"
        manifest.write_text(manifest.read_text().replace("piano with", f"{name} with"))
    with pytest.raises(DataError, match="share no caption"):
        ListenJob(systems, clips=2, seconds=1.0, together=True).write(tmp_path / "t.html")
    assert not list(tmp_path.glob("t.*"))


@pytest.mark.parametrize(
    ("span", "wanted"),
    [((10, 13), (6.5, 16.5)), ((2, 5), (0, 8.5)), ((5, 17), (3, 19)), ((10, 20), (7, 17))],
)
def test_excerpts_show_an_edit_and_what_is_around_it(span, wanted):
    samples = excerpt(20_000, (span[0] * 1000, span[1] * 1000), 1000)
    assert samples == tuple(at * 1000 for at in wanted)


def answers(page, listener, scores):
    """A listener's file: `scores` by system."""
    key = json.loads(key_path(page).read_text())
    ratings = {
        code: dict(zip(("quality", "alignment"), scores[item["system"]], strict=True))
        for code, item in key["items"].items()
    }
    path = page.parent / "results" / f"{listener}.json"
    path.parent.mkdir(exist_ok=True)
    content = {
        "format": "jen1-listening/1", "study": key["study"], "listener": listener,
        "ratings": ratings,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


@pytest.mark.heavy
def test_answers_become_means_with_intervals(page):
    for number in range(6):
        answers(page, f"l{number}", {"ours": (70 + number, 80), "theirs": (60 + number, 50)})
    ratings, problems = read_results([page.parent / "results"], key_path(page))
    report = summarize(ratings, problems)
    rows = {row[0]: row for row in report.tables[0].rows}
    assert rows["ours"][1].value == pytest.approx(72.5)
    assert rows["ours"][1].low < 72.5 < rows["ours"][1].high
    assert rows["theirs"][2].value == 50
    gap = report.tables[1].rows[0]
    assert gap[0] == "ours minus theirs"
    assert (gap[1].value, gap[1].low, gap[1].high) == pytest.approx((10, 10, 10))
    assert not report.warnings


@pytest.mark.heavy
def test_strange_answers_are_named(page):
    answers(page, "good", {"ours": (70, 80), "theirs": (60, 50)})
    copy = page.parent / "results" / "copy.json"
    copy.write_text((page.parent / "results" / "good.json").read_text())
    (page.parent / "results" / "other.json").write_text('{"format": "jen1-listening/1"}')
    (page.parent / "results" / "junk.json").write_text("{}")
    bad = json.loads(answers(page, "loud", {"ours": (700, 80), "theirs": (0, 0)}).read_text())
    bad["ratings"]["nobody"] = {"quality": 50}
    (page.parent / "results" / "loud.json").write_text(json.dumps(bad))
    ratings, problems = read_results([page.parent / "results"], key_path(page))
    assert len(ratings) == 6 + 3
    text = "; ".join(problems)
    assert "junk.json is no result" in text
    assert "other.json belongs to another page" in text
    assert "good.json repeats copy.json" in text
    assert "4 answers of loud.json are not of this page" in text
    assert any("listeners are few" in line for line in summarize(ratings, problems).warnings)


@pytest.mark.heavy
def test_a_wrong_key_is_refused(page, tmp_path):
    (tmp_path / "no.json").write_text("[]")
    with pytest.raises(DataError, match="no key of a listening test"):
        read_results([tmp_path], tmp_path / "no.json")
    with pytest.raises(DataError, match="no ratings found"):
        read_results([tmp_path / "nothing"], key_path(page))


def test_generous_listeners_do_not_count_more():
    ratings = [Rating("a", "x", str(i), {"quality": 90.0}) for i in range(10)]
    ratings += [Rating("b", "x", "0", {"quality": 30.0})]
    (row,) = summarize(ratings, []).tables[0].rows
    assert row[1].value == pytest.approx((900 + 30) / 11)
    assert row[1].low == pytest.approx(30)  # one listener alone may be drawn


def test_clips_are_equally_loud(noise):
    signals = noise(seconds=2.0, level=0.005), noise(seconds=2.0, level=0.2)
    quiet, loud = (signal * levelling_gain(signal, 48_000) for signal in signals)
    assert audio.loudness(quiet, 48_000) == pytest.approx(audio.loudness(loud, 48_000), abs=0.2)
    assert np.abs(loud).max() <= 0.98


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "musiccaps.csv"
    path.write_text(
        "ytid,start_s,end_s,caption,is_balanced_subset\n"
        'abc,30,40,"A slow, sad piano",True\n'
        "-d_e,0,10,Fast drums,False\n"
        "gone,5,15,Nothing left,True\n"
    )
    return path


def test_the_public_table_is_read(table, tmp_path):
    entries = read_csv(table)
    assert entries[0] == Entry("abc", "30", "A slow, sad piano", True)
    assert [entry.balanced for entry in entries] == [True, False, True]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no columns ytid"):
        read_csv(tmp_path / "other.csv")


def test_clips_are_found_by_their_usual_names_and_missing_ones_are_stated(table, tmp_path, tone):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("abc_30_40.wav", "[-d_e]-[0-10].wav"):
        audio.write(clips / name, tone(seconds=1.5), 48_000)
    found, missing = match_clips(read_csv(table), clips)
    assert [entry.video for entry, _ in found] == ["abc", "-d_e"]
    assert [entry.video for entry in missing] == ["gone"]


@pytest.mark.heavy
def test_the_protocol_prints_the_papers_table_beside_the_own_row(
    table, tmp_path, beat_maker, tiny, tagger_installed, monkeypatch
):
    monkeypatch.setattr("jen1cli.evaluation.studies.musiccaps.SECONDS", 1.5)
    clips = tmp_path / "clips"
    clips.mkdir()
    for i, name in enumerate(("abc.wav", "-d_e.wav")):
        audio.write(clips / name, beat_maker(2.0, 90 + i), 48_000)
    job = MusicCapsJob(table, clips, tmp_path / "out", ("tagger", "handcrafted"))
    report = job.run(tiny)
    (found,) = report.tables
    assert found.rows[:7] == TABLE_II
    assert [row[0] for row in found.rows[7:]] == [
        "tiny by tagger (in-domain)",
        "tiny by handcrafted",
    ]
    assert found.rows[7][1] > 0
    assert found.rows[7][2] is not None
    assert report.settings["missing"] == 1
    assert report.audits[0]["problems"] == {"missing": ["gone"]}
    assert any("1 of 3 clips are missing (first: gone)" in line for line in report.warnings)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="none of the 3 clips"):
        MusicCapsJob(table, tmp_path / "empty", tmp_path, ("tagger",)).run(None)


def test_table_two_is_the_papers():
    rows = {row[0]: row[1:] for row in TABLE_II}
    assert rows["JEN-1 (paper)"] == (2.0, 1.29, 0.33, 85.7, 82.8, "726M")
    assert rows["MusicGen"][:3] == (3.8, 1.22, 0.31)
    assert rows["MusicLM"][1] is None
