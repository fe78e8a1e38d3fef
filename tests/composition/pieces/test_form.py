"""Form of long pieces: passages, their order and length, parts that enter and leave."""

import itertools
import math

import pytest

from jen1cli.composition.pieces.passages import plan_passages
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS
from jen1cli.composition.words import read_hints
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import Controls
from jen1cli.music.patterns import parse_drums, parse_melody
from jen1cli.music.prompt import read_controls
from pieces_support import composed


def test_no_passage_is_without_bars():
    for seconds in (13.9, 20.0, 27.9, 28.1, 33.0, 41.0, 60.0):
        for meter in ("7/8", "12/8", "5/4"):
            given = Controls(bpm=30.0, meter=meter)
            score, _ = composed("ambient", 1, seconds, given)
            assert all(section.length_beats > 0 for section in score.sections), (seconds, meter)
    for bars in range(1, 9):
        passages = plan_passages("verse", RandomStream(1), bars, 8, 14.0)
        assert [p.bars for p in passages if p.bars < 1] == []
        assert sum(p.bars for p in passages) == bars


def test_a_piece_with_a_form_is_long_enough_itself():
    """Not only with the rest of its last bar."""
    score, _ = composed("ambient", 1, 25.0, Controls(bpm=30.0, meter="4/4"))
    assert "outro" not in [section.name for section in score.sections]


@pytest.mark.parametrize(
    ("seed", "seconds", "bars"), [(1, 30.0, 8), (2, 60.0, 12), (3, 20.0, 8), (4, 45.0, 12)]
)
def test_a_twelve_bar_blues_has_twelve_bars(seed, seconds, bars):
    """After the intro; the last bars of a shorter piece are its ending."""
    prompt = "12 bar blues in E"
    score, controls = composed(
        "blues shuffle", seed, seconds, read_controls(prompt), read_hints(prompt)
    )
    assert (controls.key, controls.mode) == ("E", "mixolydian")
    roots = "".join(bar[0].named()[:1] for bar in parse_chart(controls.chords))
    start = next(int(s.start_beat / 4) for s in score.sections if s.name != "intro")
    assert roots[start : start + bars] == "EAEEAAEEBAEB"[:bars]


@pytest.mark.parametrize("seconds", [30.0, 60.0, pytest.param(100.0, marks=pytest.mark.heavy)])
def test_a_long_piece_has_a_form(seconds):
    for style in ("pop", "techno", "celtic", "cinematic"):
        score, controls = composed(style, 1, seconds)
        names = [section.name for section in score.sections]
        assert names[0] == "intro"
        assert names[-1] == "outro"
        assert len(set(names)) >= 3
        starts = [section.start_beat for section in score.sections]
        assert starts == sorted(starts)
        lead = parse_melody(controls.melody).sounds
        if lead:  # it enters after the intro
            assert lead[0].start >= starts[1] / METERS[score.meter].beats - 0.3


def body_of(form, count):
    passages = plan_passages(form, RandomStream(1), 8 * count + 8, 8, 2.0)
    return [p.name for p in passages if p.name not in ("intro", "outro")]


@pytest.mark.parametrize(
    ("form", "count", "names"),
    [
        ("crescendo", 2, ["opening", "climax"]),
        ("lift", 3, ["start", "start", "full"]),
        ("verse", 5, ["verse", "chorus", "verse", "bridge", "chorus"]),
        ("aba", 2, ["theme", "contrast"]),
        ("calm", 3, ["main", "swell", "main"]),
        ("build", 6, ["build", "drop", "drop", "break", "build", "drop"]),
    ],
)
def test_a_body_ends_on_its_peak(form, count, names):
    assert body_of(form, count) == names


def test_an_outro_is_shorter_than_a_passage():
    for bars, unit in itertools.product(range(18, 90), (8, 12)):
        passages = plan_passages("verse", RandomStream(1), bars, unit, 2.0)
        assert [p.start for p in passages] == list(
            itertools.accumulate([0] + [p.bars for p in passages[:-1]])
        )
        assert sum(p.bars for p in passages) == bars
        assert passages[0].bars <= unit // 2
        assert passages[-1].bars <= unit // 2 + 2 or len(passages) == 3, (bars, unit)


def test_a_blues_begins_with_its_turnaround():
    hints = read_hints("12 bar blues in E")
    for seed in range(4):
        score, controls = composed("blues shuffle", seed, 60.0, hints=hints)
        intro = int(score.sections[0].length_beats / 4.0)
        roots = "".join(bar[0].named()[:1] for bar in parse_chart(controls.chords)[:intro])
        form = "EAEEAAEEBAEB" if controls.mode != "minor" else "EAEEAAEECBEB"
        assert form.endswith(roots), seed


@pytest.mark.heavy
def test_parts_enter_and_leave():
    """The drums are silent somewhere in nearly every long piece with drums."""
    changing = 0
    for seed in range(6):
        score, controls = composed("pop", seed, 90.0)
        bars = math.ceil(score.length_beats / 4.0 - 1e-6)
        struck = {int(s.start) for row in parse_drums(controls.drums) for s in row.sounds}
        changing += 0.3 < len(struck) / bars < 0.97
    assert changing >= 4
