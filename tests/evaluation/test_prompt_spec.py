"""What a prompt asks for is read as a person would read it."""

import json
from collections import Counter

import pytest

from jen1cli.corpus.dataset import split_of
from jen1cli.errors import DataError
from jen1cli.evaluation.prompt_spec import checkable, read_prompt_spec, read_prompts
from jen1cli.evaluation.tagger.labels import families, style_family


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [("lofi at 82 bpm", 82), ("techno, 130BPM", 130), ("swing, 171 beats per minute", 171),
     ("a 1980s waltz", 0)],
)  # fmt: skip
def test_tempo(prompt, bpm):
    assert read_prompt_spec(prompt).bpm == bpm


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("in D minor", ("D", "minor")), ("Bb major jazz", ("A#", "major")),
     ("F# dorian", ("F#", "dorian")), ("e flat harmonic minor", ("D#", "harmonic minor")),
     ("G sharp minor", ("G#", "minor")), ("a major success", ("", "")), ("piano", ("", ""))],
)  # fmt: skip
def test_key(prompt, key):
    found = read_prompt_spec(prompt)
    assert (found.key, found.mode) == key


@pytest.mark.parametrize(
    ("prompt", "drums"),
    [("rock with drums", True), ("folk, no drums", False), ("ambient without any drums", False),
     ("beatless pads", False), ("lofi beat", True), ("solo piano", None),
     ("143 beats per minute", None), ("drum and bass", None)],
)  # fmt: skip
def test_drums(prompt, drums):
    assert read_prompt_spec(prompt).drums is drums


def test_long_names_win_over_the_words_inside():
    found = read_prompt_spec("drum and bass with electric piano, no violin")
    assert found.styles == {"drum and bass"}
    assert found.instruments == (frozenset({"electric piano"}),)
    assert found.absent == (frozenset({"strings"}),)
    assert read_prompt_spec("a rock organ").styles == frozenset()


def test_attributes_settle_ambiguous_names():
    open_ = read_prompt_spec("club jazz")
    assert "jazz trio" in open_.styles
    assert read_prompt_spec("club jazz", {"style": "jazz trio"}).styles == {"jazz trio"}


def test_prompt_files(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text('lofi piano\n\n{"prompt": "house", "attributes": {"energy": 0.7}}\n')
    found = read_prompts(path)
    assert [spec.prompt for spec in found] == ["lofi piano", "house"]
    assert found[1].energy == 0.7
    path.write_text('{"words": 1}\n')
    with pytest.raises(DataError, match=r'line 1 of .* "prompt"'):
        read_prompts(path)
    path.write_text("\n")
    with pytest.raises(DataError, match="has no prompts"):
        read_prompts(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_prompts(tmp_path / "none.txt")


@pytest.mark.heavy
def test_the_packages_prompts_are_of_the_test_split_and_say_what_is_true():
    from importlib.resources import files

    text = files("jen1cli.evaluation").joinpath("data/prompts.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == 240
    assert {split_of(line["seed"]) for line in lines} == {"test"}
    specs = read_prompts(None)
    named = [sum(column) for column in zip(*map(checkable, specs), strict=True)]
    assert min(named) >= 48  # each thing is asked for by at least a fifth
    for spec in specs:
        if spec.bpm:
            assert spec.bpm == pytest.approx(spec.attributes["bpm"], rel=0.02)
    assert max(Counter(w.attributes["style"] for w in specs).values()) <= 4


def test_the_tables_are_those_of_the_corpus():
    from jen1cli.composition.instruments import INSTRUMENTS
    from jen1cli.composition.styles import STYLES

    for name, item in INSTRUMENTS.items():
        assert families([name]) == (item.family,)
        assert any(
            item.family in meaning for meaning in read_prompt_spec(item.words[0]).instruments
        )
    kinds = {"electronic", "urban", "jazz", "band", "acoustic", "classical", "screen", "world"}
    assert {style_family(name) for name in STYLES} == kinds
    assert families(["nose flute"]) == ("nose flute",)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": "lofi"}', "line 2 of .*: it has no .prompt. in words"),
        ('{"prompt": 3}', "line 2 of .*: it has no .prompt. in words"),
        ('{"prompt": "lofi", "attributes": {"bpm": "90"}}', r"attributes\.bpm must be a number"),
        ('{"prompt": "lofi", "attributes": {"energy": 1e400}}', "line 2 of .* not finite"),
        ('{"prompt": ' + "[" * 9999, "line 2 of .* nested"),
    ],
)
def test_a_wrong_line_of_prompts_is_named(tmp_path, line, words):
    path = tmp_path / "a.jsonl"
    path.write_text(f"soft\u2028rain\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_prompts(path)


@pytest.mark.heavy
@pytest.mark.timeout(20)
def test_long_texts_are_read_in_short_time():
    text = "no rock guitar, " * 4000
    assert not read_prompt_spec(text).styles
