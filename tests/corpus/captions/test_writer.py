import json
import re
from functools import lru_cache

import pytest

from jen1cli.composition.composer import compose
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.score import Score
from jen1cli.composition.styles import STYLES
from jen1cli.composition.transcription import felt_bpm
from jen1cli.corpus.captions.claims import false_claims
from jen1cli.corpus.captions.facts import Facts, find_facts
from jen1cli.corpus.captions.phrasing import article, listed
from jen1cli.corpus.captions.vocabulary import style_words
from jen1cli.corpus.captions.writer import attributes, captions


@lru_cache(maxsize=1)
def captioned() -> tuple[tuple[Score, tuple[str, ...]], ...]:
    """Clips of all styles with their captions."""
    found = [compose(style, seed) for style in STYLES for seed in (1,)]
    return tuple((score, captions(score, score.seed)) for score in found)


def _facts(style: str, **wanted: object) -> tuple[Score, Facts]:
    """The first clip of a style whose attributes are as wanted."""
    for seed in range(200):
        score = compose(style, seed)
        found = attributes(score)
        if all(found[name] == value for name, value in wanted.items()):
            return score, find_facts(score)
    raise AssertionError(f"no {style} with {wanted}")


def test_the_same_seed_gives_the_same_captions() -> None:
    score = compose("lofi", 4)
    assert captions(score, 9) == captions(score, 9)
    assert captions(score, 9) != captions(score, 10)


@pytest.mark.heavy
def test_every_clip_has_several_different_captions() -> None:
    for score, texts in captioned():
        least = 4 if score.style == "sounds" else 6
        assert least <= len(texts) <= 14, score.style
        assert len({text.lower() for text in texts}) == len(texts)
        assert all(text.strip() == text and 2 < len(text) < 400 for text in texts)


@pytest.mark.heavy
def test_captions_claim_nothing_false() -> None:
    for score, texts in captioned():
        if score.style == "sounds":
            continue
        facts = find_facts(score)
        for text in texts:
            assert not false_claims(text, facts), (score.style, score.seed, text)


@pytest.mark.heavy
def test_said_tempi_are_the_score_s() -> None:
    said = 0
    for score, texts in captioned():
        for text in texts:
            for number in re.findall(r"(\d+) ?(?:bpm|beats)", text.lower()):
                said += 1
                assert abs(int(number) - felt_bpm(score)) <= 0.5
    assert said > 90


@pytest.mark.heavy
def test_said_keys_are_the_score_s() -> None:
    letters = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
    signs = {"": 0, "#": 1, "b": -1, " sharp": 1, " flat": -1}
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    said = 0
    pattern = re.compile(r"\bin (?:the key of )?([a-g])(#|b| sharp| flat|) (\w+)(?: (\w+))?")
    for score, texts in captioned():
        for text in texts:
            for letter, sign, mode, more in pattern.findall(text.lower()):
                if mode not in ("major", "minor", "dorian", "lydian", "mixolydian", "harmonic"):
                    continue
                said += 1
                assert names[(letters[letter] + signs[sign]) % 12] == score.key, text
                full = f"{mode} {more}" if mode == "harmonic" else mode
                assert full == score.mode or (mode, score.mode) == ("minor", "harmonic minor"), text
    assert said > 30


@pytest.mark.heavy
def test_named_instruments_sound() -> None:
    """An independent reading: distinctive instrument names against the parts of the score."""
    telling = {
        "violin": {"violin", "fiddle"},
        "cello": {"cello"},
        "flute": {"flute", "pan_flute", "shakuhachi", "recorder"},
        "trumpet": {"trumpet", "muted_trumpet"},
        "harp": {"harp"},
        "accordion": {"accordion", "bandoneon"},
        "banjo": {"banjo"},
        "sitar": {"sitar"},
        "marimba": {"marimba"},
        "harpsichord": {"harpsichord"},
        "choir": {"choir"},
        "vibraphone": {"vibraphone"},
        "electric piano": {"rhodes", "fm_piano"},
    }
    named = 0
    for score, texts in captioned():
        instruments = {part.instrument for part in score.parts}
        for text in texts:
            for word, allowed in telling.items():
                if re.search(rf"(?<![\w-]){word}(?![\w-])", text.lower()):
                    named += 1
                    assert allowed & instruments, (word, text)
    assert named > 60


@pytest.mark.heavy
def test_drums_are_named_rightly() -> None:
    without = ("no drums", "without drums", "drumless", "beatless", "no percussion", "no beat")
    denied = 0
    for score, texts in captioned():
        for text in texts:
            if any(words in text.lower() for words in without):
                denied += 1
                assert not score.has_drums, text
    assert denied > 15


@pytest.mark.heavy
def test_solo_means_one_instrument() -> None:
    for score, texts in captioned():
        for text in texts:
            if re.search(r"\b(solo|unaccompanied)\b", text.lower()) and score.style != "sounds":
                assert len({part.instrument for part in score.parts}) == 1, text


@pytest.fixture(scope="module")
def rich_facts() -> Facts:
    """Return the facts of a lofi clip with drums, a piano and two more instruments."""
    for seed in range(40):
        score = compose("lofi", seed)
        heard = {part.instrument for part in score.parts}
        if score.has_drums and len(heard) >= 4 and "grand_piano" in heard:
            return find_facts(score)
    raise AssertionError("no such clip")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lofi with bagpipes", ["bagpipes"]),
        ("lofi without drums", ["without drums"]),
        ("solo piano", ["solo"]),
        ("fast lofi", ["fast"]),
        ("lofi at 170 bpm", ["170 bpm"]),
        ("lofi in 5/4", ["5/4"]),
        ("a brutal lofi track", ["brutal"]),
        ("drum and bass", []),
    ],
)
def test_the_checker_finds_lies(rich_facts: Facts, text: str, wrong: list[str]) -> None:
    found = false_claims(text, rich_facts)
    assert set(wrong) <= set(found)
    assert bool(found) == bool(wrong)


def test_the_checker_knows_keys() -> None:
    score, facts = _facts("techno", key="C#", mode="minor")
    assert score.key == "C#"
    assert not false_claims("techno in C# minor", facts)
    assert not false_claims("techno in Db minor", facts)
    assert not false_claims("techno in c sharp minor", facts)
    assert false_claims("techno in C minor", facts) == ["C minor"]
    assert false_claims("techno in C# major", facts) == ["C# major"]


@pytest.mark.heavy
def test_the_vocabulary_is_wide() -> None:
    words: set[str] = set()
    for score, _ in captioned():
        for text in (*captions(score, 100), *captions(score, 101)):
            words |= set(re.findall(r"[a-z]+(?:[-'][a-z]+)*", text.lower()))
    assert len(words) > 1300
    known = " ".join(
        " ".join(group)
        for style in style_words().values()
        for group in (style.names, style.uses, style.scenes, style.words, style.eras)
    )
    assert len(set(re.findall(r"[a-z]+(?:[-'][a-z]+)*", known.lower()))) > 2700


def test_every_style_has_words() -> None:
    music = {name for name, style in STYLES.items() if style.kind == "music"}
    assert set(style_words()) == music
    for name, words in style_words().items():
        assert min(len(words.names), len(words.uses), len(words.scenes), len(words.words)) >= 5, (
            name
        )


@pytest.mark.heavy
def test_attributes_are_plain_values_and_agree_with_the_score() -> None:
    for score, _ in captioned():
        found = attributes(score)
        assert json.loads(json.dumps(found)) == found
        assert set(found["instruments"]) == {part.instrument for part in score.parts}
        assert set(found["instruments"]) <= set(INSTRUMENTS)
        assert found["drums"] == score.has_drums
        assert 0.0 <= found["energy"] <= 1.0


def test_articles_and_lists() -> None:
    assert article("epic piece") == "an epic piece"
    assert article("UK garage track") == "a UK garage track"
    assert article("8-bit tune") == "an 8-bit tune"
    assert listed(["a", "b", "c"]) == "a, b and c"
