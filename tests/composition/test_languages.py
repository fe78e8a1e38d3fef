"""Prompts in other languages, as they arrive in English, and prompts that keep every byte."""

import logging
import re
from pathlib import Path

import pytest

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.languages import Translation, english_prompt, in_english
from jen1cli.composition.languages.glossary import (
    LANGUAGES,
    SPACED,
    english_words,
    load_glossary,
)
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


@pytest.mark.parametrize(
    ("prompt", "english"),
    [
        ("no muy rápido", "not very fast"),
        ("nada triste, muy feliz", "not sad, happy"),
        ("una canción que no sea triste", "song not sad"),
        ("que no tenga voz ni batería", "not vocals nor drums"),
        ("ni triste ni alegre", "neither sad nor cheerful"),
        ("sin batería ni bajo", "without drums or bass"),
        ("sin piano pero con violín", "without piano with violin"),
        ("não muito rápido, sem bateria e baixo", "not very fast, without drums or bass"),
        ("pas trop vite, ni batterie ni voix", "not fast, neither drums nor vocals"),
        ("nicht zu schnell, weder Gitarre noch Bass", "not fast, neither guitar nor bass"),
        ("noch schneller, ohne Gesang und Schlagzeug", "fast, without vocals or drums"),
        ("keine Drums", "without drums"),
        ("슬프지 않은 피아노", "not sad piano"),
        ("너무 빠르지 않게, 드럼은 빼주세요", "not fast, without drums"),
        ("신나는 곡인데 보컬은 없었으면 좋겠어요", "upbeat piece without vocals"),
        ("暗くない曲、あまり速くない", "not dark piece, not fast"),
        ("静かではない曲", "not calm piece"),
        ("さりげないピアノ", "piano"),  # the denial of a word that is not known denies nothing
        ("ドラムもベースもない曲", "without drums or bass, piece"),
        ("かなしいピアノ、ボーカルはいらない", "sad piano, without vocals"),
        ("不要太快，不悲伤", "not fast, not sad"),
        ("没有鼓和贝斯", "without drums or bass"),
    ],
)  # fmt: skip
def test_what_is_denied_stays_denied(prompt, english):
    assert in_english(prompt).text == english


@pytest.mark.parametrize(
    ("prompt", "english"),
    [
        ("1980년대 신스웨이브", "80s synthwave"),
        ("2010년대 팝", "10s pop"),
        ("rock de la década de 1970", "70s rock"),
        ("1920er Jahre Swing", "20s swing"),
        ("sonate en ut mineur", "in C minor"),
        ("rythme lent", "slow rhythm"),
        ("piano em tom menor", "minor piano"),
        ("단조의 슬픈 곡", "minor sad piece"),
        ("bolero romántico, fado triste", "romantic bolero, sad fado"),
        ("fetter Bass", "heavy bass"),
    ],
)
def test_eras_keys_and_names(prompt, english):
    assert in_english(prompt).text == english


def test_patterns_do_not_begin_inside_a_word():
    for prompt in ("two grand pianos 80s, slow", "cosmos 90", "danse macabre", "sin city jazz"):
        assert in_english(prompt) == Translation(prompt)


def test_english_captions_read_no_glossary():
    in_english.cache_clear()
    load_glossary.cache_clear()
    for prompt in ("warm jazz trio, brushed drums", "bossa nova at 92 bpm in D minor, no drums"):
        assert in_english(prompt) == Translation(prompt)
    assert load_glossary.cache_info().misses == 0
    assert in_english("piano triste").text == "sad piano"
    assert load_glossary.cache_info().misses > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_english_words_are_listed(language):
    words = (
        word
        for english, _ in load_glossary(language).terms.values()
        for word in re.split(r"[ -]", english)
    )
    assert set(words) - english_words() == set()
