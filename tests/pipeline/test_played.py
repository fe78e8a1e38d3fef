"""Edits of music that was made here go on in the bars that its recipe knows."""

import dataclasses

import pytest

from jen1cli.midi import Passage
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.pipeline.played import (
    bars_near,
    bars_of_file,
    key_near,
    passages_of_file,
    played_passages,
)
from jen1cli.recipe import RecipeInput, read_recipe

BARS = Controls(240.0, "2/4")  # bars of half a second


@pytest.fixture
def take(tiny, tmp_path, monkeypatch):
    """A file whose bars begin at 0, and a tracker that hears them a beat late."""
    late = Controls(240.0, "2/4", 0.25)
    monkeypatch.setattr(
        tiny.networks.tracker, "track", lambda latent, known, rate, asked, onsets=None: late
    )
    path = tmp_path / "take.wav"
    tiny.generate(seconds=1.5, seed=1, controls=BARS).save(path)
    return path


def phase(music):
    """Return when in the bar the clock of an edit's new music begins."""
    (passage,) = music.recipe.passages
    return passage.controls.downbeat % 0.5


@pytest.mark.heavy
def test_an_edit_keeps_the_bars_of_its_recording(tiny, take, tmp_path):
    for controls in (NO_CONTROLS, Controls(bpm=240.0, meter="2/4", chords="Am F")):
        edit = tiny.inpaint(take, [(0.5, 1.0)], seed=2, controls=controls)
        assert phase(edit) == pytest.approx(0.0, abs=1e-6)
    before = tiny.continue_(take, 0.7, before=True, seed=2)
    assert phase(before) == pytest.approx(0.2, abs=1e-6), "the recording begins at 0.7 s now"
    before.save(tmp_path / "longer.wav")
    after = tiny.continue_(tmp_path / "longer.wav", 0.5, seed=2)
    assert phase(after) == pytest.approx(0.2, abs=1e-6)


@pytest.mark.heavy
def test_an_edit_keeps_the_key_of_its_recording(tiny, tmp_path, monkeypatch):
    given = []

    def track(latent, known, rate, asked, onsets=None):
        given.append((asked.key, asked.mode))
        return BARS

    monkeypatch.setattr(tiny.networks.tracker, "track", track)
    path = tmp_path / "take.wav"
    in_key = dataclasses.replace(BARS, key="G", mode="minor")
    tiny.generate(seconds=1.5, seed=1, controls=in_key).save(path)
    tiny.inpaint(path, [(0.5, 1.0)], seed=2)
    tiny.inpaint(path, [(0.5, 1.0)], seed=2, controls=Controls(key="E", mode="major"))
    assert given == [("G", "minor"), ("E", "major")]


@pytest.mark.heavy
def test_other_bars_are_heard(tiny, take, tmp_path):
    other = tiny.inpaint(take, [(0.5, 1.0)], seed=2, controls=Controls(bpm=100.0))
    assert phase(other) == pytest.approx(0.25, abs=1e-6)
    cut = tmp_path / "cut.wav"
    whole = tiny.generate(seconds=1.5, seed=1, controls=BARS)
    dataclasses.replace(whole, waveform=whole.waveform[:, 9_600:]).save(cut)
    assert read_recipe(cut) == read_recipe(take)
    assert phase(tiny.inpaint(cut, [(0.5, 1.0)], seed=2)) == pytest.approx(0.25, abs=1e-6)


def test_the_length_of_a_file_must_be_that_of_its_recipe(tiny, take):
    recipe = read_recipe(take)
    assert passages_of_file(recipe, 1.5) == played_passages(recipe) != []
    assert passages_of_file(recipe, 1.3) == passages_of_file(None, 1.5) == []
    longer = tiny.continue_(take, 0.5, seed=2).recipe
    assert passages_of_file(longer, 2.0) == played_passages(longer) != []
    assert passages_of_file(longer, 1.5) == []


def test_the_key_nearest_to_a_time():
    minor, none = Controls(key="G", mode="minor"), Controls(bpm=120.0)
    two = [Passage(minor, 0.0, 1.0), Passage(none, 1.0, 2.0)]
    assert key_near(two, 0.2) == minor
    assert key_near(two, 3.0) == key_near([], 1.0) == NO_CONTROLS


def test_the_bars_nearest_to_a_time():
    two = [Passage(BARS, 0.0, 1.0), Passage(Controls(120.0, "3/4", 1.0), 1.0, 4.0)]
    assert bars_near(two, 0.4, NO_CONTROLS) == BARS
    assert bars_near(two, 9.0, NO_CONTROLS) == Controls(120.0, "3/4", 1.0)
    assert bars_near(two, 0.4, Controls(bpm=241.0)) == NO_CONTROLS
    assert bars_near(two, 0.4, Controls(meter="3/4")) == NO_CONTROLS
    assert bars_near([], 0.4, NO_CONTROLS) == NO_CONTROLS
    no_tempo = Passage(Controls(key="C", mode="major"), 0.0, 1.0)
    assert bars_near([no_tempo], 0.4, NO_CONTROLS) == NO_CONTROLS


def test_bars_are_counted_as_asked_or_as_the_file_was_played(take):
    assert bars_of_file(take, 1.5, NO_CONTROLS) == BARS
    assert bars_of_file(take, 1.3, NO_CONTROLS) == NO_CONTROLS  # cut since
    assert bars_of_file(take, 1.5, Controls(90.0)) == Controls(90.0, "4/4")
    assert bars_of_file(take, 1.5, Controls(90.0, "3/4", 2.0)) == Controls(90.0, "3/4")


def test_a_cover_has_the_score_of_its_recipe(tiny, take):
    """Its input lent the score alone; the cover has a length and passages of its own."""
    recipe = read_recipe(take)
    for inner in (None, dataclasses.replace(recipe, seconds=1.0).to_dict()):
        source = RecipeInput("other.wav", "0" * 64, recipe=inner)
        cover = dataclasses.replace(recipe, task="cover", input=source)
        assert passages_of_file(cover, 1.5) == list(recipe.played) != []
        assert passages_of_file(cover, 1.0) == []
