"""Pieces that the composer writes at inference: given controls, styles, form, length, time."""

import itertools
import math
import random
import subprocess
import sys

import pytest

from jen1cli.composition.composer import tempo_range
from jen1cli.composition.pieces.chords import _fit as loop_fit
from jen1cli.composition.pieces.frame import choose_frame
from jen1cli.composition.pieces.passages import plan_passages
from jen1cli.composition.pieces.piece import compose_piece
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS
from jen1cli.composition.styles import STYLES
from jen1cli.composition.styles.style import read_weights
from jen1cli.composition.transcription import score_controls
from jen1cli.composition.words import Wishes, read_wishes
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import BEATS, MAX_BPM, NO_CONTROLS, Controls
from jen1cli.music.keys import MODES
from jen1cli.music.patterns import DRUMS, parse_drums, parse_melody
from jen1cli.music.prompt import read_controls

MUSIC = [name for name, style in STYLES.items() if style.kind == "music"]
LENGTHS = (1.0, 2.5, 10.0, 27.0, 33.3, 45.7)
KICK = DRUMS.index("kick")


def told(style, seed, seconds, given=NO_CONTROLS, wishes=None):
    """The score, and the controls that a network gets."""
    score = compose_piece(style, seed, seconds, given, wishes or Wishes())
    return score, given.over(score_controls(score)).with_bar_at(0.0)


def draw_controls(draw):
    options = {
        "bpm": (40.0, 92.0, 174.0, 300.0), "meter": tuple(BEATS),
        "chords": ("Am F C G", "Dm7 G7 | Cmaj7 | %", "N.C. | C", "N.C."),
        "drums": ("none", "kick x.x. snare .x.x", "hat xxx"),
        "melody": ("none", "C5 - E5 G5 | A5 - - .", "E5 D5 C5 D5 E5 E5 E5 -"),
    }  # fmt: skip
    found = {name: draw.choice(values) for name, values in options.items() if draw.random() < 0.35}
    if draw.random() < 0.35:
        found |= {"key": draw.choice(("C", "D#", "A")), "mode": draw.choice(tuple(MODES))}
    return found


@pytest.mark.parametrize(
    "style",
    [pytest.param(s, marks=[pytest.mark.heavy] if i % 8 else []) for i, s in enumerate(MUSIC)],
)
def test_given_controls_are_kept_and_the_rest_is_of_the_style(style):
    draw = random.Random(style)
    for seed, seconds in enumerate(draw.sample(LENGTHS, 2)):
        given = draw_controls(draw)
        wishes = Wishes(
            drums=draw.choice((None, True, False)), pace=draw.choice((-1, 0, 1)),
            minor=draw.choice((None, True, False)), tonic=draw.choice(("", "E")),
            ensemble=draw.choice(("", "", "solo", "duo", "drums")),
        )  # fmt: skip
        score, controls = told(style, seed, seconds, Controls(**given), wishes)
        where = (seed, seconds, given, wishes)
        assert {name: getattr(controls, name) for name in given} == given, where
        assert score.seconds == pytest.approx(seconds), where
        assert controls.drums, where
        assert controls.melody, where
        if "meter" not in given:
            assert controls.meter in read_weights(STYLES[style].meters), where
        if "bpm" not in given:  # quarters where the felt beat is an eighth
            slowest, fastest = tempo_range(STYLES[style], METERS[controls.meter])
            unit = min(1.0, METERS[controls.meter].pulse)
            slowest, fastest = (min(tempo, MAX_BPM * unit) for tempo in (slowest, fastest))
            assert slowest - 1e-6 <= controls.bpm * unit <= fastest + 1e-6, where
        if "drums" not in given and wishes.drums is False:
            assert controls.drums == "none", where
        if "drums" not in given and wishes.drums:
            assert parse_drums(controls.drums), where
        bars = math.ceil(score.length_beats / METERS[score.meter].beats - 1e-6)
        if "chords" not in given and controls.chords:
            assert len(parse_chart(controls.chords)) == bars, where
        if "drums" not in given:
            assert {row.bars for row in parse_drums(controls.drums)} <= {bars}, where
        if "melody" not in given:
            assert parse_melody(controls.melody).bars in (1, bars), where
        for note in itertools.chain.from_iterable(part.notes for part in score.parts):
            assert 0.0 <= note.beat < score.length_beats, where
            assert 0.0 < note.duration <= score.length_beats - note.beat + 1e-4, where


def test_the_same_seed_gives_the_same_score():
    for style, seconds in itertools.product(("lofi", "celtic"), (10.0, 30.0)):
        first = compose_piece(style, 5, seconds)
        compose_piece("rock", 2, seconds)
        assert compose_piece(style, 5, seconds) == first
        assert compose_piece(style, 6, seconds) != first


def test_given_parts_are_notes_of_the_score():
    given = Controls(bpm=90.0, meter="4/4", drums="kick x.x. snare .x.x", melody="C5 - E5 G5")
    score, _ = told("pop", 3, 10.0, given)
    heard = score_controls(score)
    assert heard.drums.startswith("kick x.......x.......")
    assert heard.melody.startswith("C5 - - - - - - - E5 - - - G5 - - - | C5")
    assert score.key  # that of the melody
    silent = score_controls(told("pop", 3, 10.0, Controls(drums="none", melody="none"))[0])
    assert (silent.drums, silent.melody) == ("none", "none")


def test_all_else_follows_given_chords():
    given = Controls(bpm=100.0, meter="4/4", chords="F#m | F#m")
    for seed in range(6):
        score, controls = told("folk", seed, 10.0, given)
        assert (controls.key, controls.mode) == ("F#", "minor")
        bass = [note for part in score.parts if part.role == "bass" for note in part.notes]
        downbeats = [note.pitch % 12 for note in bass if abs(note.beat % 4.0) < 0.2]
        assert set(downbeats) <= {6, 9, 1}  # F#, A, C#


def time_on_chords(controls):
    """Share of a melody's time with tones of the chords."""
    chart, melody = parse_chart(controls.chords), parse_melody(controls.melody)
    heard = []
    for step in range(16 * len(chart)):
        bar, place = divmod((step + 0.5) / 16, 1.0)
        chord = chart[int(bar)][int(place * len(chart[int(bar)]))]
        at = (step + 0.5) / 16 % melody.bars
        heard += [s.number % 12 in chord.classes for s in melody.sounds if s.start <= at < s.stop]
    return sum(heard) / len(heard)


ARPEGGIOS = "C5 E5 G5 E5 | F5 A5 C6 A5 | G5 B5 D6 B5 | C5 E5 G5 E5"


@pytest.mark.parametrize("seconds", [10.0, 16.0, 34.0, 90.0])
def test_chords_fit_a_given_melody(seconds):
    """As well in a long piece, whose passages begin anywhere in the melody, as in a short one."""
    for melody, seed in itertools.product(("C5 E5 | F5 A5", ARPEGGIOS), range(3)):
        given = Controls(bpm=120.0, meter="4/4", key="C", mode="major", melody=melody)
        _, controls = told("folk", seed, seconds, given)
        assert time_on_chords(controls) > 0.6, (melody, seed)


def test_a_loop_is_compared_with_a_melody_until_both_end_together():
    given = Controls(bpm=120.0, meter="4/4", key="C", mode="major")
    frame = choose_frame(STYLES["pop"], RandomStream(1), 20.0, given, Wishes())
    assert loop_fit("I | bIII | bIII | bIII", frame, 1.0, parse_melody("C5")) == 0.25
    assert loop_fit("I | IV", frame, 1.0, parse_melody("E5 | A5 | E5")) == pytest.approx(0.5)


def test_loops_that_fit_a_melody_alike_are_drawn():
    given = Controls(bpm=120.0, meter="4/4", key="C", mode="major", melody="C5 E5 | F5 A5")
    assert len({told("pop", seed, 8.0, given)[1].chords for seed in range(6)}) > 1


def test_seven_eight_is_played_in_the_quarters_of_the_style():
    for style, seed in itertools.product(("techno", "metal", "drum and bass"), range(3)):
        score, controls = told(style, seed, 20.0, Controls(meter="7/8"))
        slowest, fastest = STYLES[style].tempo
        assert min(slowest, 150.0) <= score.bpm <= min(fastest, 150.0)  # quarters per minute
        assert controls.bpm == pytest.approx(2.0 * score.bpm)  # eighths per minute


def test_no_passage_is_without_bars():
    given = Controls(bpm=30.0, meter="7/8")
    for seconds in (13.9, 20.0, 27.9, 28.1, 33.0, 41.0, 60.0):
        for meter in ("7/8", "12/8", "5/4"):
            given = Controls(bpm=30.0, meter=meter)
            score, _ = told("ambient", 1, seconds, given)
            assert all(section.length_beats > 0 for section in score.sections), (seconds, meter)
    for bars in range(1, 9):
        passages = plan_passages("verse", RandomStream(1), bars, 8, 14.0)
        assert [p.bars for p in passages if p.bars < 1] == []
        assert sum(p.bars for p in passages) == bars


def test_a_piece_with_a_form_is_long_enough_itself():
    """Not only with the rest of its last bar."""
    score, _ = told("ambient", 1, 25.0, Controls(bpm=30.0, meter="4/4"))
    assert "intro" not in [section.name for section in score.sections]


def last_notes(score, role):
    """The notes of a part that sound at the very end, by onset."""
    return [
        note
        for part in score.parts
        if part.role == role
        for note in part.notes
        if note.beat + note.duration > score.length_beats - 0.05
    ]


@pytest.mark.parametrize("chords", ["C | F | G", "C | G | Dm7 G7", "Am F C E"])
def test_the_end_is_in_the_last_chord(chords):
    chart = parse_chart(chords)
    seen = 0
    for style, seed in itertools.product(("pop", "folk", "jazz trio", "cinematic"), range(3)):
        bars = len(chart) * math.ceil(16 / len(chart))
        given = Controls(bpm=120.0, meter="4/4", key="C", mode="major", chords=chords)
        score, _ = told(style, seed, bars * 2.0, given)
        classes = set(chart[-1][-1].classes)
        for part in score.parts:
            if part.stem == "drums" or part.role in ("texture", "drone"):
                continue
            last = last_notes(score, part.role)
            assert {note.pitch % 12 for note in last} <= classes, (style, seed, part.role)
            seen += len(last)
        assert len(last_notes(score, "bass")) <= 1, (style, seed)
    assert seen > 20


def test_a_twelve_bar_blues_has_twelve_bars():
    prompt = "12 bar blues in E"
    for seed, seconds in ((1, 30.0), (2, 60.0), (3, 20.0)):
        score, controls = told(
            "blues shuffle", seed, seconds, read_controls(prompt), read_wishes(prompt)
        )
        assert controls.key == "E"
        roots = [bar[0].named()[:1] for bar in parse_chart(controls.chords)]
        start = next((int(s.start_beat / 4) for s in score.sections if s.name != "intro"), 0)
        twelve = roots[start : start + 12]
        assert twelve[:4] == ["E", "A", "E", "E"][: len(twelve)]
        if seconds >= 30.0 and len(twelve) == 12 and controls.mode != "minor":
            assert "".join(twelve) == "EAEEAAEEBAEB"


@pytest.mark.parametrize("style", ["techno", "house", "trance"])
def test_four_on_the_floor_has_a_kick_on_every_beat(style):
    for seed in range(6):
        score, controls = told(style, seed, 10.0)
        row = next(row for row in parse_drums(controls.drums) if row.sounds[0].number == KICK)
        kicks = {round(sound.start * 4, 3) for sound in row.sounds}
        assert set(range(math.ceil(score.length_beats))) <= kicks, seed


def test_an_irish_jig_is_quick_and_in_six_eight():
    given = read_controls("irish jig")
    for seed in range(6):
        _, controls = told("celtic", seed, 10.0, given)
        assert controls.meter == "6/8"
        assert 96.0 <= controls.bpm <= 126.0


def test_odd_metres_are_only_played_where_asked():
    for style, seed in itertools.product(("metal", "jazz trio", "minimalism"), range(8)):
        assert told(style, seed, 10.0)[1].meter not in ("5/4", "7/8")
    assert told("jazz trio", 1, 10.0, read_controls("jazz trio in 5/4"))[1].meter == "5/4"


def test_pace_and_mood_choose_within_the_style():
    slow, fast = (
        [told("pop", seed, 10.0, wishes=Wishes(pace=pace))[1].bpm for seed in range(4)]
        for pace in (-1, 1)
    )
    assert max(slow) < min(fast)
    for minor, mode in ((True, "minor"), (False, "major")):
        found = {told("pop", seed, 10.0, wishes=Wishes(minor=minor))[1].mode for seed in range(4)}
        assert found == {mode}


@pytest.mark.parametrize("seconds", [30.0, 60.0, 100.0])
def test_a_long_piece_has_a_form(seconds):
    for style in ("pop", "techno", "celtic", "cinematic"):
        score, controls = told(style, 1, seconds)
        names = [section.name for section in score.sections]
        assert names[0] == "intro"
        assert names[-1] == "outro"
        assert len(set(names)) >= 3
        starts = [section.start_beat for section in score.sections]
        assert starts == sorted(starts)
        lead = parse_melody(controls.melody).sounds
        if lead:  # it enters after the intro
            assert lead[0].start >= starts[1] / METERS[score.meter].beats - 0.3


def test_a_long_piece_ends_on_its_tonic():
    for style, seed in itertools.product(("pop", "jazz trio", "techno"), range(2)):
        score, controls = told(style, seed, 60.0)
        last = parse_chart(controls.chords)[-1][-1]
        assert last.named().startswith(controls.key)
        ending = score.sections[-1].start_beat + score.sections[-1].length_beats
        bar = METERS[score.meter].beats
        drums = [n for part in score.parts if part.stem == "drums" for n in part.notes]
        assert all(note.beat < ending - bar + 0.35 for note in drums)


def test_a_tonic_without_a_mode_is_not_minor():
    wishes = read_wishes("12 bar blues in E")
    for seed in range(4):
        _, controls = told("blues shuffle", seed, 20.0, wishes=wishes)
        assert (controls.key, controls.mode) == ("E", "mixolydian")
        assert parse_chart(controls.chords)[0][0].named() in ("E7", "E9", "E13")
        assert told("metal", seed, 10.0, wishes=wishes)[1].key == "E"


def test_parts_enter_and_leave():
    """The drums are silent somewhere in nearly every long piece with drums."""
    changing = 0
    for seed in range(6):
        score, controls = told("pop", seed, 90.0)
        bars = math.ceil(score.length_beats / 4.0 - 1e-6)
        struck = {int(s.start) for row in parse_drums(controls.drums) for s in row.sounds}
        changing += 0.3 < len(struck) / bars < 0.97
    assert changing >= 4


def test_noises_have_no_score():
    assert told("sounds", 1, 10.0)[1] == NO_CONTROLS
    with pytest.raises(KeyError):
        compose_piece("polyphonic silence", 1, 10.0)


def test_composing_is_quick():
    """Processor time in a process of its own, without the tests' checks of types."""
    code = (
        "import time\n"
        "from jen1cli.composition.pieces.piece import compose_piece\n"
        "from jen1cli.composition.transcription import score_controls\n"
        "for seconds in (10.0, 600.0):\n"
        "    taken = []\n"
        "    for style in ('lofi', 'techno', 'cinematic', 'metal', 'celtic', 'jazz trio'):\n"
        "        compose_piece(style, 1, 10.0)\n"
        "        start = time.process_time()\n"
        "        score_controls(compose_piece(style, 2, seconds))\n"
        "        taken.append(time.process_time() - start)\n"
        "    print(sorted(taken)[3])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    short, long = map(float, done.stdout.split())
    assert short < 0.05
    assert long < 1.0
