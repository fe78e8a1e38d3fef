"""Adherence between floor and ceiling, on judgements that are known."""

import dataclasses

import numpy as np
import pytest

from jen1cli.evaluation.adherence import AnalyzedClip, adherence_table, rank_correlation
from jen1cli.evaluation.analysis import Analysis
from jen1cli.evaluation.prompt_spec import PromptSpec
from jen1cli.evaluation.tagger import Tags

STYLES = ("house", "ambient", "rock", "folk")


def scored(number, *, right=True):
    """Clip `number` asks for its style, tempo, key and drums, and sounds so or like another."""
    heard = number if right else number + 1
    style, said = STYLES[heard % 4], STYLES[number % 4]
    tags = Tags(
        styles={name: 0.7 if name == style else 0.1 for name in STYLES},
        instruments={"piano": 0.9 * (heard % 2), "drums": 0.9},
        drums=float(heard % 2), key="CDEF"[heard % 4], mode="minor",
        bpm=80.0 + 20 * (heard % 4),
        energy=0.2 * (heard % 4), embedding=np.eye(4)[heard % 4],
    )  # fmt: skip
    analysis = Analysis(80.0 + 20 * (heard % 4), "CDEF"[heard % 4], "minor", 0.9, 0.5, 0.8, 1.0)
    spec = PromptSpec(
        prompt=said, styles=frozenset({said}), drums=bool(number % 2),
        instruments=(frozenset({"piano"}),) if number % 2 else (),
        bpm=80.0 + 20 * (number % 4), key="CDEF"[number % 4], mode="dorian",
        energy=0.2 * (number % 4),
    )  # fmt: skip
    return AnalyzedClip(str(number), spec, tags, analysis, np.eye(4)[number % 4])


def table(made, real):
    return {row.name: row for row in adherence_table(made, real)}


@pytest.mark.heavy
def test_perfect_music_reaches_the_ceiling():
    rows = table([scored(i) for i in range(40)], [scored(i) for i in range(40)])
    for name in ("style", "instruments", "drums", "tempo", "key and mode (signal)"):
        assert rows[name].value.value == 1.0
        assert rows[name].floor.value < 0.9
        assert rows[name].way == pytest.approx(1.0)
    assert rows["text cosine"].value.value == 1.0
    assert rows["energy"].value.value == pytest.approx(1.0)


@pytest.mark.heavy
def test_music_of_another_prompt_is_no_better_than_the_floor():
    rows = table([scored(i, right=False) for i in range(40)], [scored(i) for i in range(40)])
    assert rows["style"].value.value == 0.0
    assert rows["style"].way <= 0
    assert rows["style"].floor.value == pytest.approx(0.25, abs=0.12)


def test_what_is_not_asked_for_is_not_scored():
    silent = [dataclasses.replace(scored(i), spec=PromptSpec("music")) for i in range(5)]
    rows = table(silent, [])
    assert rows["tempo"].value.count == 0
    assert rows["drums"].value.count == 0
    assert rows["energy"].value.count == 0
    assert rows["style"].way is None
    assert rows["text cosine"].value.count == 5


@pytest.mark.heavy
def test_counts_are_those_of_prompts_that_name_the_thing():
    rows = table([scored(i) for i in range(10)], [])
    assert rows["instruments"].value.count == 5
    assert rows["tempo"].value.count == 10


def test_double_and_half_tempo_count():
    one = scored(0)
    doubled = dataclasses.replace(one, tags=dataclasses.replace(one.tags, bpm=162.0))
    wrong = dataclasses.replace(one, tags=dataclasses.replace(one.tags, bpm=120.0))
    assert table([doubled], [])["tempo"].value.value == 1.0
    assert table([wrong], [])["tempo"].value.value == 0.0


def test_rank_correlation_agrees_with_scipy():
    import scipy.stats

    rng = np.random.default_rng(0)
    x, y = rng.integers(5, size=30).astype(float), rng.standard_normal(30)
    assert rank_correlation(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    assert rank_correlation(x, np.ones(30)) == 0.0
