"""Prompts in other languages, as they arrive in English, and prompts that keep every byte."""

import logging
import re
from pathlib import Path

import pytest

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.languages import Translation, english_prompt, in_english
from jen1cli.composition.languages.glossary import LANGUAGES, SPACED, load_glossary
from jen1cli.composition.styles import STYLES
from jen1cli.composition.words import is_denied, named_styles, read_hints, style_words
from jen1cli.errors import ConfigError
from jen1cli.music.prompt import read_controls

ROOT = Path(__file__).parents[2]
REQUESTS = ROOT / "tests" / "data" / "requests"
LEAST_READ = 0.99  # share of the expected items, which the glossaries were mended on


def read_requests(language):
    """Yield requests and their expected items, such as "style:waltz" and "slow/lento"."""
    for line in (REQUESTS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        prompt, _, items = line.rpartition(" | ")
        yield prompt, [item.strip() for item in items.split(";")]


def says(text, word, *, denied=False):
    places = re.finditer(rf"(?<![\w-]){re.escape(word)}(?!\w)", text)
    return any(is_denied(text, place.start()) == denied for place in places)


def arrives(item, found):
    """Whether what an item names is read in a translation."""
    text, controls = found.text, read_controls(found.text)
    kind, _, value = item.rpartition(":")
    readings = {
        "": lambda: says(text.lower(), value),
        "no": lambda: says(text.lower(), value, denied=True),
        "style": lambda: not set(named_styles(value)).isdisjoint(named_styles(text)),
        "bpm": lambda: controls.bpm == float(value),
        "meter": lambda: controls.meter == value,
        "key": lambda: f"{controls.key} {controls.mode}" == value,
        "drums": lambda: read_hints(text).drums is False,
        "unknown": lambda: any(value in word for word in found.unknown),
    }
    return readings[kind]()


def alternatives(item):
    """Return the readings that an item allows: "no:voice/vocals", but one metre in "meter:3/4"."""
    if item.startswith("meter:"):
        return [item]
    head = "no:" if item.startswith("no:") else ""
    return [one if ":" in one else head + one for one in item.split("/")]


@pytest.mark.heavy
@pytest.mark.parametrize("language", LANGUAGES)
def test_requests_arrive_in_english(language):
    read = [
        any(arrives(one, found) for one in alternatives(item))
        for prompt, items in read_requests(language)
        for found in [in_english(prompt)]
        for item in items
    ]
    assert len(read) >= 100
    assert sum(read) >= LEAST_READ * len(read)


@pytest.mark.parametrize(
    ("prompt", "english"),
    [
        ("슬픈 재즈 피아노, 느린 템포", "sad jazz piano, slow tempo"),
        ("드럼과 베이스 없이 통기타 음악", "without drums or bass, guitar instrumental"),
        ("올림바단조의 어두운 테크노", "dark techno, in F# minor"),
        ("ハ短調の速いボサノバ、フルートとギター", "fast bossa nova, in C minor, flute and guitar"),
        ("悲しくて遅い曲 ﾃﾝﾎﾟ60", "sad slow piece, 60 bpm"),
        ("降E大调弦乐四重奏，不要鼓", "string quartet, in D# major, without drums"),
        ("悲傷的鋼琴，四分之三拍", "sad piano, in 3/4"),
        (
            "cumbia alegre con acordeón en re menor, 95 bpm",
            "cheerful cumbia with accordion, in D minor, 95 bpm",
        ),
        ("CANCION DE CUNA SIN BATERIA", "lullaby without drums"),
        ("violão triste sem bateria", "sad guitar without drums"),
        ("valse joyeuse en fa♯ mineur", "cheerful valse, in F# minor"),
        (
            "langsamer Walzer mit Streichern in a-Moll",
            "slow waltz with strings, in A minor",
        ),
        ("froehliche Klaviermusik im Dreivierteltakt", "cheerful piano music, in 3/4"),
    ],
)
def test_words_and_their_order(prompt, english):
    assert in_english(prompt).text == english


def test_english_keeps_every_byte():
    names = [*STYLES, *list(style_words())[::16], *(i.words[0] for i in INSTRUMENTS.values())][::2]
    prompts = (
        "", " ", "!!! 123", "Die hard metal, no pain", "son of a gun blues", "allegro con brio",
        "piano solo in h-Moll, lento", "bossa nova at 92 bpm in D minor, no drums", "café jazz",
        "noir trip hop, sombre", "sad  piano\t with  two spaces", "ｌｏｆｉ",
        "grand finale, tempo 120",
        "hell, rock am see", "viola da gamba", "flamenco for a siesta", "лофи пианино",
    )  # fmt: skip
    for prompt in (*names, *prompts):
        assert in_english(prompt).text == prompt
        assert in_english(prompt).language == ""


@pytest.mark.heavy
def test_captions_keep_every_byte():
    from jen1cli.corpus.captions.vocabulary import style_words as caption_words

    prompts = [
        text
        for words in caption_words().values()
        for name in words.names[:3]
        for text in (
            *words.scenes, *(f"{name} for {use}" for use in words.uses),
            *(f"{adjective} {name}" for adjective in words.words),
        )
    ]  # fmt: skip
    assert len(prompts) > 5000
    some = prompts[::16]
    assert [in_english(text) for text in some] == [Translation(text) for text in some]


@pytest.mark.heavy
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_style_has_a_name(language):
    english = " , ".join(text for text, _ in load_glossary(language).terms.values())
    shared = list(style_words()) if language in SPACED else []
    missing = set(STYLES) - set(named_styles(f"{english} , {' , '.join(shared)}"))
    assert missing == set()


def test_unknown_words_are_said(caplog):
    with caplog.at_level(logging.WARNING):
        assert english_prompt("una zarzuela animada") == "lively"
    assert "not understood in 'una zarzuela animada': zarzuela; known are" in caplog.text
    with pytest.raises(ConfigError, match="nothing is understood in '演歌'"):
        english_prompt("演歌")


def test_the_examples_of_the_docs_are_read_as_they_say():
    text = (ROOT / "docs" / "make.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([^`]+)` \| `([^`]+)` \|$", text.partition("## Other languages")[2], re.M
    )
    assert len(rows) >= 7
    assert [(prompt, in_english(prompt).text) for prompt, _ in rows] == rows
