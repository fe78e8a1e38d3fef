"""Statistics and the contact sheet of a folder of music."""

import re

import pytest

from corpus_support import write_audio
from jen1cli.corpus import contact_sheet, inspect
from jen1cli.corpus.inspect import choose, measure
from jen1cli.manifest import Clip


@pytest.fixture
def clips(tmp_path):
    def make(number, style, bpm, split="train"):
        path = write_audio(tmp_path / f"{number}.wav", 1.0, 22_050, 2)
        facts = {"style": style, "bpm": bpm, "key": "C", "mode": "minor", "meter": "4/4",
                 "instruments": ["piano"], "moods": ["calm"], "drums": number % 2 == 0}  # fmt: skip
        return Clip(path, (f"calm {style}", f"{style} piano <b>"), 1.0, split, facts)

    return [make(0, "lofi", 84.0), make(1, "lofi", 91.0), make(2, "house", 124.0, "test")]


def test_statistics_count_what_is_there(clips):
    statistics = measure(clips)
    assert statistics.clips == 3
    assert statistics.hours == pytest.approx(3 / 3600)
    assert statistics.captions == 6
    assert statistics.vocabulary == 5  # calm, lofi, house, piano, b
    assert statistics.words_per_caption == pytest.approx(2.5)
    assert statistics.tables["styles"] == {"lofi": 2, "house": 1}
    assert statistics.tables["tempi (bpm)"] == {"80-100": 2, "120-140": 1}
    assert statistics.tables["keys"] == {"C minor": 3}
    assert statistics.tables["drums"] == {"with drums": 2, "no drums": 1}
    assert statistics.tables["splits"] == {"train": 2, "test": 1}
    assert inspect.as_json(statistics)["tables"]["meters"] == {"4/4": 3}


def test_clips_without_facts_are_counted_too(tmp_path):
    clip = Clip(write_audio(tmp_path / "x.wav"), ("a song",), 0.25)
    statistics = measure([clip])
    assert statistics.clips == 1
    assert set(statistics.tables) == {"splits", "lengths (seconds)"}


def test_every_style_is_chosen_in_turn(clips):
    assert [clip.attributes["style"] for clip in choose(clips, 2)] == ["house", "lofi"]
    assert len(choose(clips, 10)) == 3


def test_sheet_is_one_self_contained_page(tmp_path, clips):
    told = []
    path = tmp_path / "sheet.html"
    contact_sheet.write(
        path, "my <music>", measure(clips), clips, 0.5, lambda done, total: told.append(done),
        on_skip=lambda *skipped: told.append(skipped),
    )  # fmt: skip
    page = path.read_text(encoding="utf-8")
    assert page.count("<figure>") == page.count("data:image/png;base64,") == 3
    assert page.count("data:audio/ogg;base64,") == 3
    assert "house piano &lt;b&gt;" in page
    assert "my &lt;music&gt;" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert told == [1, 2, 3]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_clip_that_cannot_be_read_is_left_out_of_the_sheet(tmp_path, clips):
    told = []
    clips[0].path.write_text("words")
    clips[1].path.unlink()
    path = tmp_path / "sheet.html"
    contact_sheet.write(
        path, "music", measure(clips), clips, 0.5, on_skip=lambda *skipped: told.append(skipped)
    )
    assert path.read_text(encoding="utf-8").count("<figure>") == 1
    assert [place.name for place, _ in told] == ["0.wav", "1.wav"]
    assert "not on the sheet (is not audio" in told[0][1]
    assert "not on the sheet (does not exist" in told[1][1]
