"""Names of instruments, scores for given families, and scores in recipes and over others."""

import json

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.full_score import FAMILIES, FullScore, ScorePart, packed, summary, unpacked
from jen1cli.music.instruments import family_in, parse_instruments, with_families

LEAD = ScorePart("lead", "woodwinds", ((0.25, 0.5, 72, 0.5), (0.1, 0.123, 60, 1.2)))
BASS = ScorePart("bass", "synth bass", ((0.0, 1.0, 36, 0.5),))
KIT = ScorePart("drums", "drums", ((0.0, 0.1, 36, 0.5),))
SCORE = FullScore((LEAD, BASS, KIT), 2.0, start=0.3, style="funk", mix=(0.1, 0.2, 0.3))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_its_own_name(family):
    assert parse_instruments(family) == (family,)


def test_usual_names():
    assert parse_instruments("Upright Bass, violins,  alto sax, flutes, 808") == (
        "bass", "strings", "saxophone", "woodwinds", "synth bass",
    )  # fmt: skip
    assert parse_instruments("piano, grand piano") == ("piano",)
    with pytest.raises(
        ConfigError, match=r"'pianno'; did you mean 'piano'\? known: piano, electric"
    ):
        parse_instruments("pianno")


@pytest.mark.parametrize(
    ("name", "family"),
    [("Alto Sax 2", "saxophone"), ("E.Bass", "bass"), ("Synth Bass 1", "synth bass"),
     ("Bass Clarinet", "woodwinds"), ("Distortion Guitar", "distorted guitar"), ("Track 1", ""),
     ("Harpsichord", "plucked"), ("Padre", "")],
)  # fmt: skip
def test_families_in_names_of_tracks(name, family):
    assert family_in(name) == family


def families(score):
    return [(part.role, part.family) for part in score.parts]


def test_parts_go_to_given_families():
    assert families(with_families(SCORE, ("piano", "strings"))) == [
        ("lead", "piano"), ("bass", "strings"),
    ]  # fmt: skip
    assert families(with_families(SCORE, ("bass", "organ", "percussion"))) == [
        ("lead", "organ"), ("bass", "bass"), ("drums", "percussion"),
    ]  # fmt: skip
    assert with_families(SCORE, ("woodwinds", "synth bass", "drums")) == SCORE


def test_packed_scores_come_back_and_are_short():
    text = json.dumps(packed(SCORE))
    assert unpacked(json.loads(text), "it") == SCORE
    assert "[250, 500, 72, 500, -150, 123, 60, 1200]" in text
    assert summary(packed(SCORE)) == (
        "lead: woodwinds, 2 notes; bass: synth bass, 1 notes; drums: drums, 1 notes"
    )


@pytest.mark.parametrize(
    "damage",
    [{"parts": 3}, {"parts": [{}]}, {"parts": [{"role": "lead", "family": "piano", "notes": [1]}]},
     {"parts": [{"role": "lead", "family": "piano", "notes": [0, 1.5, 60, 1]}]},
     {"parts": [{"role": "lead", "family": "piano", "notes": "1234"}]}, {"seconds": None},
     {"parts": [{"role": "lead", "family": "piano", "notes": [10**400, 1, 60, 1]}]}, {"mix": [1]}],
)  # fmt: skip
def test_damaged_packed_scores_are_refused(damage):
    with pytest.raises(ConfigError, match="the recipe"):
        unpacked({**packed(SCORE), **damage}, "the recipe")
    with pytest.raises(ConfigError, match="the recipe"):
        unpacked(damage.get("parts"), "the recipe")


def test_notes_after_the_music_are_left_out():
    cut = SCORE.until(0.5)  # its time 0 is at 0.3 s
    assert [(part.role, len(part.notes)) for part in cut.parts] == [
        ("lead", 1), ("bass", 1), ("drums", 1),
    ]  # fmt: skip
    assert cut.seconds == 0.2
    assert SCORE.until(2.3) == SCORE


def test_open_parts_come_from_another_score():
    own = FullScore((LEAD,), 2.0, left_open=("bass", "families"))
    piano = ScorePart("lead", "piano", ((0.0, 1.0, 60, 0.5),))
    found = own.over(FullScore((piano, BASS, KIT), 2.0, start=0.5, style="funk"))
    assert families(found) == [("lead", "piano"), ("bass", "synth bass")]
    assert found.parts[1].notes[0][0] == 0.5
    assert (found.left_open, found.style) == ((), "funk")
    assert own.over(None) == own
    assert SCORE.over(FullScore((piano,), 2.0, style="rock")) == SCORE
