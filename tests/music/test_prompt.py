"""Tempo, metre and key in words, as people write them, and words that only look like them."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.prompt import parse_key, read_controls, read_key, read_meter, read_tempo


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [
        ("lofi piano at 92 bpm", 92.0),
        ("92BPM house", 92.0),
        ("a 174-bpm roller", 174.0),
        ("house, 128 beats per minute", 128.0),
        ("house, 128 beats/min", 128.0),
        ("waltz at 87.5 BPM", 87.5),
        ("walzer, 87,5 bpm", 87.5),
        ("techno, tempo 131", 131.0),
        ("bpm: 128.5 trance", 128.5),
        ("İstanbul İ nights, 95 bpm", 95.0),
        # ends of sentences and other signs
        ("lofi, tempo 120.", 120.0),
        ("lofi, tempo 120.5.", 120.5),
        ("lofi, 120bpm.", 120.0),
        ("(120 BPM)", 120.0),
        ("120 b.p.m. house", 120.0),
        ("120 BPMs of fun", 120.0),
        ("tempo: 120", 120.0),
        ("Tempo=120, warm", 120.0),
        ("bpm=120", 120.0),
        ("BPM120 techno", 120.0),
        ("BPM - 120", 120.0),
        ("a tempo of 120", 120.0),
        ("the tempo is around 120, please", 120.0),
        ("tempo ca. 96", 96.0),
        ("tempo ~96", 96.0),
        ("♩=120", 120.0),
        ("jig, ♩. = 96", 96.0),
        ("♩.=60", 60.0),
        ("allegro (♩ = 132)", 132.0),
        ("M.M. ♩ = 60", 60.0),
        ("quarter note = 72", 72.0),
        ("lofi hip hop at 85.", 85.0),
        ("lofi hip hop at 85", 85.0),
        ("lofi at around 85, dusty", 85.0),
        ("１２０ＢＰＭ　テクノ", 120.0),
        ("techno, 130 Schläge pro Minute", 130.0),
        # ranges
        ("120-130 bpm house", 125.0),
        ("120–130 bpm house", 125.0),
        ("between 90 and 100 bpm", 95.0),
        ("90 to 100 BPM", 95.0),
        ("tempo 90-100", 95.0),
        ("70/140 bpm trap", 70.0),
        ("808s and 120 bpm", 120.0),
        ("808 and 120 bpm", 120.0),
        # a count beside the beat, which stays
        ("dubstep, half-time, 140 bpm", 140.0),
        ("double-time drums over 80 bpm", 80.0),
        # the first that can be played
        ("999 bpm? no, 180 bpm", 180.0),
        # no tempo
        ("lofi piano", 0.0),
        ("the year 1992", 0.0),
        ("999 bpm speedcore", 0.0),
        ("tempo 1200", 0.0),
        ("tempo 120,000", 0.0),
        ("route 66", 0.0),
        ("1960s soul", 0.0),
        ("up-tempo 80s pop", 0.0),
        ("mid tempo 90s hip hop", 0.0),
        ("12 bar blues in E", 0.0),
        ("in 4 parts", 0.0),
        ("an 808 and a 303", 0.0),
        ("120 beats from my folder", 0.0),
        ("sampled at 96", 0.0),
        ("a hum at 120 Hz", 0.0),
        ("at 120 dB", 0.0),
        ("recorded at 44.1 kHz", 0.0),
        ("he was dead at 27.", 0.0),
        ("tempo 100% free", 0.0),
        ("tempo 12/8", 0.0),
        ("60 seconds of calm", 0.0),
        ("half-time show", 0.0),
    ],
)
def test_tempo_of_a_prompt(prompt, bpm):
    assert read_tempo(prompt) == bpm


@pytest.mark.parametrize(
    ("prompt", "meter"),
    [
        ("folk in 3/4", "3/4"),
        ("folk in 3/4.", "3/4"),
        ("6/8 ballad", "6/8"),
        ("afrobeat, 12/8 feel", "12/8"),
        ("time signature: 7/8", "7/8"),
        ("meter 5/4, then calm", "5/4"),
        ("a march in 2/4 time", "2/4"),
        ("in ¾ time", "3/4"),
        ("im 3/4-Takt", "3/4"),
        ("Dreivierteltakt", "3/4"),
        ("in three-four time", "3/4"),
        ("three-quarter time", "3/4"),
        ("six-eight groove", "6/8"),
        ("jazz in five four", "5/4"),
        ("a four-four beat", "4/4"),
        ("waltz time", "3/4"),
        ("a slow waltz", "3/4"),
        ("Wiener Walzer", "3/4"),
        ("triple meter", "3/4"),
        ("common time rock", "4/4"),
        ("a waltz in 5/4", "5/4"),
        ("irish jig", "6/8"),
        ("two jigs and a minuet", "3/4"),
        ("a wild tarantella", "6/8"),
        # no metre
        ("lofi piano", ""),
        ("in 4 parts", ""),
        ("in 9/8", ""),
        ("on 5/4/2020", ""),
        ("3/4 of the crowd", ""),
        ("a 3/4 size violin", ""),
        ("a 13/4 thing", ""),
        ("24/7 radio", ""),
        ("half-time drums", ""),
        ("four on the floor", ""),
        ("three four-bar phrases", ""),
        ("for the first time", ""),
        ("not a waltz", ""),
        ("no jig", ""),
        ("slip jig", ""),
        ("a jigsaw", ""),
    ],
)
def test_meter_of_a_prompt(prompt, meter):
    assert read_meter(prompt) == meter


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("slow piano in D minor", "D minor"),
        ("SLOW PIANO IN D MINOR", "D minor"),
        ("funk in Bb mixolydian", "A# mixolydian"),
        ("F# harmonic minor strings", "F# harmonic minor"),
        ("e-flat major march", "D# major"),
        ("techno, c sharp phrygian dominant", "C# phrygian dominant"),
        ("İstanbul nights in Eb min", "D# minor"),
        # accidentals in words and signs
        ("F sharp minor", "F# minor"),
        ("F-sharp minor.", "F# minor"),
        ("f♯ minor", "F# minor"),
        ("B♭ major", "A# major"),
        ("b flat major", "A# major"),
        ("E♭-minor", "D# minor"),
        ("C♯ minor", "C# minor"),
        ("b minor", "B minor"),
        ("B natural minor", "B minor"),
        ("E melodic minor", "E minor"),
        ("D aeolian", "D minor"),
        ("E minor pentatonic riff", "E minor"),
        # German: H is B, B is B flat
        ("h-Moll", "B minor"),
        ("Messe in h-moll", "B minor"),
        ("B-Dur", "A# major"),
        ("ein Stück in B-Moll", "A# minor"),
        ("fis-Moll", "F# minor"),
        ("Es-Dur, heiter", "D# major"),
        ("as-Moll", "G# minor"),
        ("Cis-Dur", "C# major"),
        ("C dur", "C major"),
        ("a-Moll", "A minor"),
        # syllables
        ("en la mineur, lent", "A minor"),
        ("si bémol majeur", "A# major"),
        ("sol maggiore", "G major"),
        ("fa sostenido menor", "F# minor"),
        ("en ré mineur", "D minor"),
        # short
        ("lofi in Am", "A minor"),
        ("lofi in F#m, 90 bpm", "F# minor"),
        ("trance in Cmin", "C minor"),
        ("trance in E♭maj", "D# major"),
        ("key: C#m", "C# minor"),
        ("Key=Am", "A minor"),
        ("in the key of C", "C major"),
        ("in the key of a", "A major"),
        ("key of F# minor", "F# minor"),
        ("Key: Bb", "A# major"),
        ("key of c sharp minor", "C# minor"),
        # the article
        ("ballad in a minor", "A minor"),
        ("ballad in a minor with strings", "A minor"),
        ("BALLAD IN A MINOR", "A minor"),
        ("ballad, A minor, slow", "A minor"),
        ("A minor, 90 bpm", "A minor"),
        ("a minor.", "A minor"),
        ("slow, a minor, warm", "A minor"),
        ("key of a minor ballad", "A minor"),
        ("vigorous folk, 120 bpm, a dorian", "A dorian"),
        ("what a major tune in g major", "G major"),
        ("a slow A minor vamp", "A minor"),
        ("a flat major", "G# major"),
        ("from C minor to Eb major", "C minor"),
        # no key
        ("a minor setback, sad piano", ""),
        ("A major hit of the summer", ""),
        ("a major scale", ""),
        ("in a minor key", ""),
        ("IN A MINOR KEY", ""),
        ("in a major way", ""),
        ("kind of a major thing", ""),
        ("Sad. A minor setback.", ""),
        ("big minor tune", ""),
        ("piano, a minor setback", ""),
        ("sin la menor duda", ""),
        ("12 bar blues in E", ""),
        ("in a club", ""),
        ("key change", ""),
        ("key of a song", ""),
        ("keys: piano", ""),
        ("the key bass line", ""),
        ("at 7 am", ""),
        ("in Am7 and D9", ""),
        ("grade 8 minor", ""),
        ("lofi piano", ""),
    ],
)
def test_key_of_a_prompt(prompt, key):
    assert " ".join(read_key(prompt)).strip() == key


def test_a_prompt_gives_all_three():
    assert read_controls("house at 124 bpm in F minor") == Controls(
        bpm=124.0, key="F", mode="minor"
    )
    assert read_controls("waltz, h-Moll, tempo 90.") == Controls(
        bpm=90.0, meter="3/4", key="B", mode="minor"
    )
    assert read_controls("house") == NO_CONTROLS


@pytest.mark.heavy
def test_long_and_odd_prompts_are_read_in_no_time():
    for text in ("a " * 50_000, "1" * 100_000, "in " * 50_000, "tempo " * 30_000, "-" * 100_000):
        assert read_controls(text) == NO_CONTROLS


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("D minor", ("D", "minor")),
        ("Dm", ("D", "minor")),
        ("Bb", ("A#", "major")),
        ("bb minor", ("A#", "minor")),
        ("f♯ dorian", ("F#", "dorian")),
        ("C  Maj", ("C", "major")),
        ("e flat major", ("D#", "major")),
        ("h-Moll", ("B", "minor")),
        ("B-Dur", ("A#", "major")),
        ("Es-Dur", ("D#", "major")),
        ("E♭", ("D#", "major")),
        ("A aeolian", ("A", "minor")),
    ],
)
def test_key_of_an_option(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "H minor", "D locrian", "12", "minor", "D minor please"])
def test_what_is_no_key_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="is no key; write it like 'D minor'"):
        parse_key(text)
