"""Scores as MIDI: read back by another library, and by our own reader to the same notes."""

import dataclasses
import io

import mido
import pytest
import symusic

from jen1cli.composition.full_score import full_score
from jen1cli.composition.pieces.piece import compose_piece
from jen1cli.composition.transcription import score_controls
from jen1cli.errors import ConfigError
from jen1cli.midi import Passage, read_midi
from jen1cli.midi.general_midi import PROGRAMS
from jen1cli.midi.writing import TICKS, midi_bytes, write_midi
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.full_score import FAMILIES, FullScore, ScorePart, family_of_program
from jen1cli.music.patterns import parse_drums, parse_melody
from midi_support import LAMB, name, notes, program, song, tempo, track

LEAD = ScorePart(
    "lead", "woodwinds", ((0.0, 0.5, 72, 0.8), (0.5, 0.5, 74, 0.4), (1.0, 1.0, 76, 1.0))
)
BASS = ScorePart("bass", "bass", ((0.0, 2.0, 36, 0.6),))
KIT = ScorePart("drums", "drums", ((0.0, 0.1, 36, 0.9), (0.5, 0.1, 38, 0.9)))
TAIKO = ScorePart("drums", "percussion", ((0.0, 0.2, 45, 0.7),))
SCORE = FullScore((LEAD, BASS, KIT, TAIKO), 2.0)
CONTROLS = Controls(120.0, "4/4", key="A#", mode="major", chords="A# D# | F7", score=SCORE)


def composed(style, seed, seconds):
    score = compose_piece(style, seed, seconds)
    return dataclasses.replace(score_controls(score), score=full_score(score))


def written(controls, seconds, start=0.0):
    return midi_bytes([Passage(controls, start, seconds)])


def test_patterns_go_on_after_the_end_of_a_score():
    """As the network plays them; a role that the score has is not played twice before."""
    controls = dataclasses.replace(CONTROLS, drums="kick x...x... snare ..x.", melody="C5 - E5 .")
    parts = Passage(controls, 0.0, 6.0).parts()
    found = {}
    for part in parts:
        found.setdefault(part.role, []).append(part)
    (first, then) = found["lead"]
    assert first.notes == LEAD.notes
    assert [(onset, pitch) for onset, _, pitch, _ in then.notes] == [
        (2.0, 72), (3.0, 76), (4.0, 72), (5.0, 76)
    ]  # fmt: skip
    (chords,) = found["comping"]
    assert [note[0] for note in chords.notes if note[2] % 12 == 5][:1] == [2.0]  # F7
    assert all(onset >= 2.0 for onset, *_ in chords.notes)
    strokes = [onset for onset, *_ in found["drums"][-1].notes]
    assert (min(strokes), max(strokes)) == (2.0, 5.0)
    assert [part.notes for part in found["drums"][:-1]] == [KIT.notes, TAIKO.notes]
    assert {part.role for part in Passage(controls, 0.0, 2.0).parts()} == {"lead", "bass", "drums"}
    assert len(Passage(controls, 0.0, 2.05).parts()) == 4


def channels_of(families):
    parts = tuple(
        ScorePart("lead", family, ((0.5 * index, 0.4, 40 + index, 0.8),))
        for index, family in enumerate(families)
    )
    controls = Controls(120.0, "4/4", score=FullScore(parts, 60.0))
    found = mido.MidiFile(file=io.BytesIO(written(controls, 60.0)))
    return [
        (message.channel, message.program)
        for track in found.tracks for message in track if message.type == "program_change"
    ]  # fmt: skip


def test_no_channel_has_two_programs(caplog):
    """Also with more pitched parts than channels, as long as there are no more families."""
    fifteen = [name for name in FAMILIES if name != "drums"][:15]
    assert len({channel for channel, _ in channels_of(fifteen)}) == 15
    assert len({channel for channel, _ in channels_of(["piano"] * 15)}) == 15
    found = channels_of([*fifteen, "strings", "piano", "piano"])
    programs = dict(found)
    assert all(programs[channel] == program for channel, program in found)
    assert 9 not in programs
    assert caplog.text == ""
    channels_of([*fifteen, "synth pad"])
    assert "these are of 16 families: synth pad share the sounds of others" in caplog.text


def test_another_library_reads_what_was_written():
    found = symusic.Score.from_midi(written(CONTROLS, 2.0))
    assert found.tpq == TICKS
    assert [round(tempo.qpm, 3) for tempo in found.tempos] == [120.0]
    assert [(one.numerator, one.denominator) for one in found.time_signatures] == [(4, 4)]
    assert [(one.key, one.tonality) for one in found.key_signatures] == [(-2, 0)]
    assert [(one.time, one.text) for one in found.markers] == [(0, "Bb"), (2 * TICKS, "Eb")]
    tracks = {one.name: one for one in found.tracks}
    assert list(tracks) == [
        "lead: woodwinds", "bass: bass", "drums: drums", "drums: percussion",
    ]  # fmt: skip
    assert [one.is_drum for one in found.tracks] == [False, False, True, False]
    assert tracks["lead: woodwinds"].program == PROGRAMS["woodwinds"]
    notes = [(n.time, n.duration, n.pitch) for n in tracks["lead: woodwinds"].notes]
    assert notes == [(0, 480, 72), (480, 480, 74), (960, 960, 76)]
    assert tracks["drums: drums"].notes[1].pitch == 38


@pytest.mark.parametrize(
    ("style", "seed"),
    [
        ("waltz", 2),
        ("jazz trio", 4),
        *(
            pytest.param(style, seed, marks=pytest.mark.heavy)
            for style, seed in [
                ("lofi", 1),
                ("celtic", 3),
                ("techno", 5),
                ("metal", 6),
                ("epic trailer", 7),
                ("bossa nova", 8),
            ]
        ),
    ],
)
def test_a_composed_score_comes_back(style, seed):
    controls = composed(style, seed, 24.0)
    tune = read_midi(written(controls, 24.0))
    found = tune.controls
    assert found.bpm == pytest.approx(controls.bpm, rel=1e-4)
    assert (found.meter, found.downbeat) == (controls.meter, 0.0)
    assert (found.key, found.mode) == (controls.key, controls.mode)
    assert tune.seconds == pytest.approx(24.0, abs=0.01)
    bars = parse_chart(controls.chords)
    assert [_spread(bar) for bar in parse_chart(found.chords)] == [
        _spread(bars[i % len(bars)]) for i in range(len(parse_chart(found.chords)))
    ]
    tick = 60.0 / controls.bpm / TICKS * 1.6
    wanted = [part for part in controls.score.parts if part.notes]
    assert [(p.role, p.family) for p in found.score.parts] == [(p.role, p.family) for p in wanted]
    for part, original in zip(found.score.parts, wanted, strict=True):
        _same_notes(part.notes, _without_overlaps(original.notes), tick)


def _spread(bar):
    """A bar in 24 equal parts."""
    return [bar[i * len(bar) // 24] for i in range(24)]


def _without_overlaps(notes):
    """As MIDI has them: a note of the same pitch ends the one before."""
    found, last = [], {}
    for note in sorted(notes):
        before = last.get(note[2])
        if before is not None and found[before][0] + found[before][1] > note[0]:
            onset, _, pitch, level = found[before]
            found[before] = (onset, note[0] - onset, pitch, level)
        last[note[2]] = len(found)
        found.append(note)
    return [note for note in found if note[1] > 0.0]


def _same_notes(found, wanted, tick):
    """Equal within a tick at both ends, and in level within a step of the velocity."""
    assert len(found) == len(wanted)
    for note, original in zip(sorted(found), sorted(wanted), strict=True):
        assert note[0] == pytest.approx(original[0], abs=2 * tick)
    by_pitch = lambda notes: sorted((n[2], n[0], n[1], n[3]) for n in notes)  # noqa: E731
    for note, original in zip(by_pitch(found), by_pitch(wanted), strict=True):
        assert note[0] == original[0]
        assert note[1] == pytest.approx(original[1], abs=tick)
        assert note[2] == pytest.approx(original[2], abs=2 * tick)
        assert note[3] == pytest.approx(min(1.6, original[3]), abs=0.02)


@pytest.mark.parametrize("style", ["lofi", "celtic", "bossa nova"])
def test_drums_and_melody_come_back_as_patterns(style):
    """Those of the reader are read from notes as they were played."""
    controls = composed(style, 11, 16.0)
    found = read_midi(written(controls, 16.0)).controls
    for seen, wanted in (
        ([parse_melody(found.melody)], [parse_melody(controls.melody)]),
        (parse_drums(found.drums), parse_drums(controls.drums)),
    ):
        places = _places(wanted)
        assert len(_places(seen) & places) >= 0.7 * len(places)


def _places(patterns):
    return {(round(s.start * 48), s.number) for pattern in patterns for s in pattern.sounds}


def test_patterns_alone_are_tracks_too():
    controls = Controls(
        120.0, "4/4", chords="C | G", drums="kick x... snare ..x.", melody="C5 - E5 G5"
    )
    tune = read_midi(written(controls, 4.0))
    assert [part.role for part in tune.controls.score.parts] == ["comping", "drums", "lead"]
    assert tune.controls.chords == "C | G"
    assert [(s.start, s.number) for s in parse_melody(tune.controls.melody).sounds] == [
        (0.0, 72), (0.5, 76), (0.75, 79), (1.0, 72), (1.5, 76), (1.75, 79),
    ]  # fmt: skip
    assert parse_drums(tune.controls.drums)[0].sounds[0].number == 0


def test_patterns_stand_for_what_a_score_leaves_open():
    score = FullScore((LEAD,), 2.0, left_open=("bass", "comping", "drums"))
    controls = dataclasses.replace(CONTROLS, melody="C4 - - -", drums="kick x", score=score)
    names = [one.name for one in symusic.Score.from_midi(written(controls, 2.0)).tracks]
    assert names == ["lead: woodwinds", "comping: piano", "drums: drums"]


@pytest.mark.parametrize(
    ("meter", "bpm"), [("6/8", 80.0), ("12/8", 80.0), ("7/8", 240.0), ("5/4", 120.0)]
)
def test_bars_are_those_of_the_metre(meter, bpm):
    """One note on each bar line: the ticks of bars are those of the time signature."""
    bar = Controls(bpm, meter).bar_seconds
    part = ScorePart("lead", "piano", tuple((i * bar, bar, 60 + i, 0.8) for i in range(4)))
    controls = Controls(bpm, meter, score=FullScore((part,), 4 * bar))
    found = symusic.Score.from_midi(written(controls, 4 * bar))
    upper, lower = map(int, meter.split("/"))
    assert [n.time for n in found.tracks[0].notes] == [
        i * TICKS * 4 * upper // lower for i in range(4)
    ]
    assert read_midi(written(controls, 4 * bar)).controls.bpm == bpm


def test_music_that_begins_within_a_bar_begins_within_the_first_bar():
    controls = Controls(120.0, "4/4", downbeat=0.5, score=FullScore((LEAD,), 2.0))
    found = symusic.Score.from_midi(written(controls, 2.0))
    assert [n.time for n in found.tracks[0].notes] == [3 * TICKS, 4 * TICKS, 5 * TICKS]


def test_several_passages_share_their_tracks():
    controls = dataclasses.replace(CONTROLS, score=None, drums="kick x... hat xxxx")
    data = midi_bytes([Passage(controls, 2.0, 4.0), Passage(controls, 8.0, 10.0)])
    found = symusic.Score.from_midi(data)
    kicks = [n.time for n in found.tracks[1].notes if n.pitch == 36]
    assert kicks == [4 * TICKS, 16 * TICKS]
    assert [(one.time, one.text) for one in found.markers] == [
        (4 * TICKS, "F7"), (16 * TICKS, "Bb"), (18 * TICKS, "Eb"),
    ]  # fmt: skip


def test_overlapping_notes_of_one_pitch_end_each_other():
    part = ScorePart(
        "lead", "piano", ((0.0, 2.0, 60, 0.5), (1.0, 0.5, 60, 0.8), (1.0, 0.25, 60, 0.9))
    )
    controls = Controls(120.0, "4/4", score=FullScore((part,), 2.0))
    found = symusic.Score.from_midi(written(controls, 2.0)).tracks[0].notes
    assert [(n.time, n.duration) for n in found] == [(0, 960), (960, 480)]


def test_every_family_has_a_program_of_its_own_kind():
    nameless = {"synth keys", "drums", "percussion"}
    assert list(PROGRAMS) == list(FAMILIES)
    for family, number in PROGRAMS.items():
        if family not in nameless:
            assert family_of_program(number) == family


@pytest.mark.parametrize(
    "mode", ["dorian", "phrygian dominant", "harmonic minor", "minor", "lydian"]
)
@pytest.mark.parametrize("key", ["C", "C#", "F#", "A#", "G#"])
def test_keys_of_all_modes_come_back(key, mode):
    found = read_midi(written(dataclasses.replace(CONTROLS, key=key, mode=mode), 2.0)).controls
    assert (found.key, found.mode) == (key, mode)


def test_music_without_a_score_has_no_midi(tmp_path):
    with pytest.raises(ConfigError, match="no score is known"):
        write_midi(tmp_path / "a.mid", [Passage(NO_CONTROLS, 0.0, 4.0)])
    assert list(tmp_path.iterdir()) == []


def test_more_parts_than_channels():
    parts = tuple(ScorePart("comping", "strings", ((0.0, 1.0, 40 + i, 0.5),)) for i in range(20))
    tune = read_midi(written(Controls(120.0, "4/4", score=FullScore(parts, 2.0)), 2.0))
    assert len(tune.controls.score.parts) == 20


def test_names_of_sections_in_any_alphabet_are_written_and_read():
    sections = [(0.0, "куплет"), (1.0, "プリコーラス")]
    data = midi_bytes([Passage(CONTROLS, 0.0, 2.0)], sections)
    markers = [one.text for one in symusic.Score.from_midi(data).markers]
    assert [text for text in markers if text.startswith("[")] == ["[куплет]", "[プリコーラス]"]
    assert read_midi(data).controls.chords.startswith("A#")  # by its markers


def test_the_melody_comes_back_as_the_melody_behind_another_lead():
    data = song(
        track((0, tempo(120))),
        track((0, name("Oboe")), program(68), *notes([76, None, 74, None] * 4)),
        track((0, name("Vocal")), program(73, channel=1), *notes(LAMB, channel=1)),
    )
    first = read_midi(data)
    assert "1 'Oboe' (woodwinds): lead; 2 'Vocal' (woodwinds): melody" in first.report[1]
    again = read_midi(written(first.controls, first.seconds))
    assert again.controls.melody == first.controls.melody
    assert again.controls.score == first.controls.score
