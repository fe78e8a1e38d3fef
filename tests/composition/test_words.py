"""What the composer reads in a prompt: styles, drums, pace, mode, tonic, ensemble."""

import pytest

from jen1cli.composition.styles import STYLES
from jen1cli.composition.words import (
    NO_HINTS,
    PromptHints,
    named_styles,
    read_hints,
    style_weights,
    style_words,
)

MUSIC = [name for name, style in STYLES.items() if style.kind == "music"]
HOSTILE = (
    "", " ", "\0", "🎷" * 300, "no no no without any no", "((((((", "\\d+[", "a" * 5000,
    "no rock guitar, " * 2000, "ａｍｂｉｅｎｔ", "٣/٤ طبلة", "in in in in E",
)  # fmt: skip


@pytest.mark.parametrize("style", MUSIC)
def test_every_style_is_reached_by_its_name(style):
    assert style in named_styles(f"a piece of {style.upper()}, please")
    assert style in style_weights(style)
    sure = {name: 0.9 if name == style else 0.1 / len(STYLES) for name in STYLES}
    weights = style_weights(style, sure)
    assert max(weights, key=weights.__getitem__) == style


def test_long_names_win_and_instruments_are_no_styles():
    assert named_styles("drum and bass") == ("drum and bass",)
    assert named_styles("a rock organ and a jazz guitar") == ()
    assert named_styles("techno without any jazz") == ("techno",)
    assert named_styles("techno, not rock or metal, never jazz") == ("techno",)
    assert named_styles("no rock, just jazz or techno") == ("jazz trio", "techno")
    assert set(named_styles("jazz trio meets techno")) == {"jazz trio", "techno"}


def test_without_a_name_the_network_gives_a_distribution():
    shares = dict.fromkeys(STYLES, 0.001)
    shares |= {"horror": 0.6, "suspense": 0.25, "ambient": 0.04}
    assert style_weights("something in the attic") == {}
    found = style_weights("something in the attic", shares)
    assert set(found) == {"horror", "suspense"}
    assert found["horror"] > found["suspense"]


def test_an_everyday_word_yields_to_the_network():
    shares = dict.fromkeys(STYLES, 0.0) | {"horror": 0.99, "house": 0.0002}
    assert set(style_weights("a haunted house", shares)) == {"horror"}
    assert set(style_weights("a haunted house")) == {"house"}


@pytest.mark.parametrize(
    ("prompt", "shares", "styles"),
    [
        ("techno, horror film", {"horror": 0.99, "techno": 0.0}, {"techno", "horror"}),
        ("jazz trio meets techno", {"techno": 0.99, "jazz trio": 0.004}, {"techno", "jazz trio"}),
        ("gospel house", {"gospel": 0.96, "house": 0.0099}, {"gospel", "house"}),
        ("techno, not jazz", {"techno": 0.5, "jazz trio": 0.4}, {"techno"}),
    ],
)
def test_a_named_style_is_kept_whatever_the_network_finds(prompt, shares, styles):
    weights = style_weights(prompt, dict.fromkeys(STYLES, 0.0) | shares)
    assert set(weights) == styles
    assert min(weights.values()) > 0.05 * max(weights.values())


def test_noises_are_left_out_where_music_is_wanted():
    shares = dict.fromkeys(STYLES, 0.0) | {"sounds": 0.9, "techno": 0.08}
    assert set(style_weights("warm sounds", shares)) == {"sounds"}
    assert set(style_weights("warm sounds", shares, music_only=True)) == {"techno"}
    assert set(style_weights("a door", shares, music_only=True)) == {"techno"}
    assert style_weights("sounds", music_only=True) == {}


def test_an_empty_prompt_allows_all_music_alike():
    assert style_weights("") == style_weights(" ", {"lofi": 1.0}) == dict.fromkeys(MUSIC, 1.0)


@pytest.mark.parametrize(
    ("prompt", "hints"),
    [
        ("12 bar blues in E", PromptHints(tonic="E", twelve_bars=True)),
        ("a twelve-bar boogie", PromptHints(twelve_bars=True)),
        ("slow grunge in Bb", PromptHints(pace=-1, tonic="A#")),
        ("rock in C sharp, fast", PromptHints(pace=1, tonic="C#")),
        ("slow, then fast", NO_HINTS),
        ("rock in E minor", PromptHints(minor=True)),
        ("in A hurry", NO_HINTS),
        ("sad house", PromptHints(minor=True, pace=-1)),
        ("cheerful folk, no drums", PromptHints(minor=False, drums=False)),
        ("happy and sad", NO_HINTS),
        ("beatless pads", PromptHints(drums=False)),
        ("rock with drums", PromptHints(drums=True)),
        ("drum and bass", NO_HINTS),
        ("dark ambient", NO_HINTS),
        ("not slow", NO_HINTS),
        ("driving through Miami", NO_HINTS),
        ("a drum loop", PromptHints(drums=True, ensemble="drums")),
        ("rock with a guitar solo", NO_HINTS),
        ("solo flute", PromptHints(ensemble="solo")),
        ("a duet of flute and harp", PromptHints(ensemble="duo")),
        ("not too fast", NO_HINTS),
        ("it isn't very sad", NO_HINTS),
        ("neither slow nor fast", NO_HINTS),
        ("happy, not slow or sleepy", PromptHints(minor=False)),
        ("don't use drums", PromptHints(drums=False)),
        ("please don’t add any drums", PromptHints(drums=False)),
        ("no bass or drums", PromptHints(drums=False)),
        ("without electric guitar, bass or drums", PromptHints(drums=False)),
        ("percussion-free", PromptHints(drums=False)),
        ("no vocals, loud drums", PromptHints(drums=True)),
        ("not too many drums", PromptHints(drums=True)),
        ("not only drums", PromptHints(drums=True)),
        ("no pause, just happy or", PromptHints(minor=False)),
        ("piano solo", PromptHints(ensemble="solo")),
        ("mellow jazz piano", PromptHints(pace=-1)),
        ("sad but fast", PromptHints(minor=True)),
        ("a slow piano solo", PromptHints(pace=-1, ensemble="solo")),
        ("solo piano", PromptHints(ensemble="solo")),
        ("piano only", PromptHints(ensemble="solo")),
        ("nothing but a violin", PromptHints(ensemble="solo")),
        ("rock with guitar solo", NO_HINTS),
        ("metal, guitar solo", NO_HINTS),
        ("beats only", PromptHints(drums=True, ensemble="drums")),
        ("just the drums", PromptHints(drums=True, ensemble="drums")),
        ("lofi beats only", NO_HINTS),
    ],
)
def test_wishes(prompt, hints):
    assert read_hints(prompt) == hints


@pytest.mark.timeout(20)
@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_words_are_read(prompt):
    assert isinstance(read_hints(prompt), PromptHints)
    assert set(style_weights(prompt)) <= set(STYLES)


def test_the_names_are_those_of_the_captions():
    from jen1cli.corpus.captions.vocabulary import style_words as vocabulary

    for style, words in vocabulary().items():
        assert all(style in style_words()[name.lower()] for name in words.names)
    assert {style for styles in style_words().values() for style in styles} == set(STYLES)
