"""The mask grammar: what is read, and that each mistake names itself."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.masks import parse_masks, resolve_masks
from jen1cli.music.controls import NO_CONTROLS, Controls


def spans(*written, seconds=100.0, bars=NO_CONTROLS):
    return resolve_masks(parse_masks(written), seconds, 48_000, "take.wav", bars)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3-6s", (3.0, 6.0)),
        ("3-6", (3.0, 6.0)),
        ("3s-6s", (3.0, 6.0)),
        ("0.25-.5", (0.25, 0.5)),
        ("1:02-1:05.5", (62.0, 65.5)),
        ("59-1:01", (59.0, 61.0)),
        ("10s-end", (10.0, 100.0)),
        ("start-2s", (0.0, 2.0)),
        ("START-End", (0.0, 100.0)),
        (" 3 - 6s ", (3.0, 6.0)),
        ("99-100.0009", (99.0, 100.0)),
    ],
)
def test_grammar_is_read(written, expected):
    assert spans(written) == [pytest.approx(expected)]


def test_bars_are_counted_from_one_and_include_the_last():
    assert spans("bars:5-8", bars=Controls(120.0, "4/4")) == [pytest.approx((8.0, 16.0))]
    assert spans("bars:1-1", bars=Controls(60.0, "4/4")) == [pytest.approx((0.0, 4.0))]
    assert spans("bars:2", bars=Controls(60.0, "3/4", 0.5)) == [pytest.approx((3.5, 6.5))]
    assert spans("bars:9-end", bars=Controls(120.0, "4/4")) == [pytest.approx((16.0, 100.0))]
    # the downbeat of any bar will do
    assert spans("bars:2-2", bars=Controls(60.0, "3/4", -2.5)) == [pytest.approx((3.5, 6.5))]
    assert spans("bars:1-1", bars=Controls(60.0, "3/4", 2.9999)) == [pytest.approx((0.0, 3.0))]


def test_bars_need_a_tempo():
    with pytest.raises(ConfigError, match="needs the tempo; add --bpm"):
        spans("bars:5-8")


def test_masks_are_sorted_and_may_touch():
    assert spans("6-8", "3-6") == [(3.0, 6.0), (6.0, 8.0)]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "negative or a third point"),
        ("3", "not a range"),
        ("-3-6", "negative"),
        ("1-2-3", "third point"),
        ("a-b", "'a' is not a point in time"),
        ("3-", "'' is not a point in time"),
        ("3,6", "not a range"),
        ("nan-4", "'nan' is not a point"),
        ("1:75-3:00", "75 s in a minute"),
        ("6-3s", "reversed: it ends before it starts; write 3-6s"),
        ("end-start", "reversed"),
        ("3-3s", "has no length"),
        ("end-end", "has no length"),
        ("bars:x", "not a range of bars"),
        ("bars:2-3,5", "repeat --mask for more ranges"),
        ("bars:end", "not a range of bars"),
    ],
)
def test_a_mask_outside_the_grammar_is_refused(written, words):
    with pytest.raises(ConfigError, match=words):
        parse_masks([written])


def test_bars_must_be_in_order_and_start_at_one():
    with pytest.raises(ConfigError, match="write bars:5-8"):
        parse_masks(["bars:8-5"])
    with pytest.raises(ConfigError, match="first bar is 1"):
        parse_masks(["bars:0-5"])


def test_no_mask_is_refused():
    with pytest.raises(ConfigError, match="no --mask given"):
        parse_masks([])


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["42-45s"], r"--mask 42-45s starts after the end of take.wav \(31.5 s\)"),
        (["30-45s"], r"ends after the end of take.wav \(31.5 s\).*30s-end"),
        (["31.5-end"], "starts after the end"),
        (["3-6", "5-9"], "--mask 3-6 and --mask 5-9 overlap"),
        (["3-6", "3-6"], "overlap"),
        (["3-3.000001"], r"has not one sample of take.wav \(48000 Hz\)"),
    ],
)
def test_a_mask_that_does_not_fit_the_file_is_refused(written, words):
    with pytest.raises(ConfigError, match=words):
        spans(*written, seconds=31.5)
