"""MIDI files as people have them: types, resolutions, voices, and what is refused."""

import struct

import pytest

from jen1cli.errors import ConfigError
from jen1cli.midi import read_midi
from jen1cli.midi.reading import MidiError
from jen1cli.music.patterns import parse_melody
from midi_support import (
    CHORDS,
    LAMB,
    OFF,
    ON,
    band,
    meta,
    name,
    notes,
    number,
    program,
    signature,
    song,
    tempo,
    track,
)


def melody(tune):
    """The melody as (bar and place, MIDI number)."""
    return [(sound.start, sound.number) for sound in parse_melody(tune.controls.melody).sounds]


WANTED = [(i / 4, pitch) for i, pitch in enumerate(LAMB) if pitch is not None]


@pytest.mark.parametrize("division", [96, 480, 960])
def test_a_band_is_understood(division):
    tune = read_midi(band(division), name="band.mid")
    controls = tune.controls
    assert (controls.bpm, controls.meter, controls.downbeat) == (96.0, "4/4", 0.0)
    assert (controls.key, controls.mode) == ("C", "major")
    assert controls.chords == "C | C | G | C"
    assert controls.drums.split(" snare ")[0] == "kick x.......x......." + " | x.......x......." * 3
    assert melody(tune) == WANTED
    assert tune.seconds == 10.0
    parts = [(part.role, part.family, len(part.notes)) for part in controls.score.parts]
    assert parts == [
        ("lead", "woodwinds", 13), ("comping", "piano", 12), ("bass", "bass", 4),
        ("drums", "drums", 16),
    ]  # fmt: skip
    assert controls.score.parts[0].notes[1][:3] == (0.625, 0.625, 62)
    assert "1 'Tune' (woodwinds): melody" in tune.report[1]
    assert "4 'Kit' (drums): drums" in tune.report[1]
    assert tune.report[0].startswith("band.mid: 96 bpm, C major (the file), 4 bars, 10.0 s")


def test_type_0_with_running_status_and_no_tempo():
    """One track, each status once, ends as note-on with velocity 0, and nothing but notes."""
    data, last = b"", 0
    for tick, content in notes(LAMB, length=240):
        status = b"" if data else bytes([ON])
        data += number(tick - last) + status + bytes([content[1], content[2] and 80])
        last = tick
    data += number(0) + meta(0x2F, b"")
    one = b"MTrk" + struct.pack(">I", len(data)) + data
    tune = read_midi(song(one, kind=0, division=240))
    assert tune.controls.bpm == 120.0
    assert melody(tune) == WANTED
    assert any("sets no tempo" in line for line in tune.report)


def test_type_0_by_channels():
    events = [
        program(73), program(0, channel=1), *notes(LAMB), *notes(CHORDS, channel=1, length=1920)
    ]  # fmt: skip
    found = read_midi(song(track(*events), kind=0)).controls
    assert [(part.role, part.family) for part in found.score.parts] == [
        ("lead", "woodwinds"), ("comping", "piano"),
    ]  # fmt: skip
    assert found.chords == "C | C | G | C"


def test_all_tracks_on_one_channel_without_programs():
    """Names tell what a program would."""
    tracks = [
        track((0, name("Vocals")), *notes(LAMB)),
        track((0, name("Nylon Guitar")), *notes(CHORDS, length=1920)),
        track((0, name("Upright Bass")), *notes([36, 36, 31, 36], length=1920)),
    ]
    found = read_midi(song(*tracks)).controls.score
    assert [(part.role, part.family) for part in found.parts] == [
        ("lead", "choir"), ("comping", "guitar"), ("bass", "bass"),
    ]  # fmt: skip


def test_the_title_of_a_whole_piece_names_none_of_its_voices():
    """Not "Drum song", of which every voice without a program would be drums."""
    both = [*notes(LAMB), *notes(CHORDS, channel=1, length=1920)]
    beat = notes([36, 38] * 8, channel=9)
    for data in (
        song(track((0, name("Drum song")), *both), kind=0),
        song(track((0, name("Drum song")), *both, *beat)),
    ):
        tune = read_midi(data)
        roles = [part.role for part in tune.controls.score.parts]
        assert roles[:2] == ["lead", "comping"]
        assert roles[2:] in ([], ["drums"])
        assert "Drum song" not in tune.report[1]
    of_one_channel = song(track((0, name("Drum song")), *notes(LAMB)), kind=0)
    assert "'Drum song' (drums): drums" in read_midi(of_one_channel).report[1]


def test_names_in_utf_8_and_with_accents_are_read():
    for encoding in ("utf-8", "latin1"):
        line = meta(3, "Mélodie".encode(encoding))
        data = song(
            track((0, name("High")), program(73), *notes([p and p + 12 for p in LAMB])),
            track((0, line), program(0, channel=1), *notes(LAMB, channel=1)),
        )
        assert "2 'Mélodie' (piano): melody" in read_midi(data).report[1]
    data = song(track((0, meta(3, "Мелодия".encode())), *notes(LAMB)))
    assert "1 'Мелодия'" in read_midi(data, melody_track="мелодия").report[1]


def test_rehearsal_marks_are_no_chords():
    """Of eight bars, unlike chords that change by the bar."""
    chords = [(48, 52, 55), (43, 47, 50)] * 8

    def found(*markers):
        events = [(bar * 1920, meta(6, text.encode())) for bar, text in markers]
        return read_midi(song(track(*events), track(*notes(chords, length=1920)))).controls.chords

    assert found((0, "A"), (8, "B")) == "C | G | " * 7 + "C | G"
    assert found((0, "A"), (4, "B"), (8, "A"), (12, "C")).startswith("C | G | C")
    assert found((0, "A"), (8, "D")).startswith("A | A | A")
    assert found((0, "A")).startswith("A | A | A")
    assert found(*((bar, "AB"[bar % 2]) for bar in range(16))).startswith("A | B | A")


def test_why_chords_are_left_open_is_said():
    line, beat = (
        read_midi(song(track(*notes(LAMB)))),
        read_midi(song(track(*notes([36], channel=9)))),
    )
    assert any("a single line, from which no chords" in said for said in line.report)
    assert any("no pitched notes, from which no chords" in said for said in beat.report)
    assert line.controls.chords == beat.controls.chords == ""


def test_notes_that_favour_no_key_are_read_without_a_warning(recwarn):
    tune = read_midi(song(track(*notes(range(60, 72)))))
    assert tune.controls.key
    assert not recwarn.list


def test_karaoke_text_is_no_music():
    words = [
        (i * 480, meta(1, text)) for i, text in enumerate((b"@KMIDI", b"/Ma-", b"ry had \xe4"))
    ]
    tune = read_midi(
        song(track((0, name("Soft karaoke"))), track((0, name("Words")), *words),
             track((0, name("Melody")), *notes(LAMB)))
    )  # fmt: skip
    assert melody(tune) == WANTED
    assert "1 'Melody'" in tune.report[1]


def test_a_file_inside_riff_and_impossible_values_that_are_not_needed():
    no_rate = meta(0x54, b"\xff\0\0\0\0")
    data = song(track((0, meta(0x59, b"\x09\x02")), (0, no_rate), *notes(LAMB)))
    wrapped = (
        b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data))
    )
    assert melody(read_midi(wrapped + data)) == WANTED


@pytest.mark.parametrize(
    ("upper", "lower", "meter", "bpm", "per_bar"),
    [
        (3, 4, "3/4", 120.0, 3), (5, 4, "5/4", 120.0, 5), (6, 8, "6/8", 80.0, 3),
        (12, 8, "12/8", 80.0, 6), (7, 8, "7/8", 240.0, 3.5), (2, 2, "4/4", 120.0, 4),
        (9, 8, "3/4", 80.0, 4.5), (2, 4, "2/4", 120.0, 2),
    ],
)  # fmt: skip
def test_metres(upper, lower, meter, bpm, per_bar):
    """`per_bar` is the number of quarter notes in a bar; each bar has one chord."""
    length = round(per_bar * 480)
    tune = read_midi(
        song(
            track((0, signature(upper, lower)), *notes(CHORDS, length=length)),
            track(*notes([72, 74] * 4, channel=1, length=length // 2)),
        )
    )
    controls = tune.controls
    assert (controls.meter, controls.bpm) == (meter, bpm)
    assert controls.chords.split(" | ") == ["C", "C", "G", "C"]
    assert [place for place, _ in melody(tune)] == pytest.approx(
        [i / 2 for i in range(8)], abs=0.05
    )


def test_an_unknown_metre_is_counted_in_four_and_said():
    tune = read_midi(song(track((0, signature(11, 8)), *notes(LAMB))))
    assert tune.controls.meter == "4/4"
    assert any("no 11/8; counted in 4/4" in line for line in tune.report)


def test_triplets_and_swing_keep_their_places():
    triplets = read_midi(song(track(*notes([60, 62, 64, 65, 67, 69] * 2, length=160))))
    assert [place for place, _ in melody(triplets)] == pytest.approx([i / 12 for i in range(12)])
    swung = [
        (at, pitch) for beat in range(8) for at, pitch in ((480 * beat, 60), (480 * beat + 320, 64))
    ]
    events = [(at, bytes([ON, pitch, 80])) for at, pitch in swung]
    events += [(at + 100, bytes([OFF, pitch, 0])) for at, pitch in swung]
    found = [place * 4 for place, _ in melody(read_midi(song(track(*events))))]
    assert found[:4] == pytest.approx([0.0, 2 / 3, 1.0, 5 / 3])


def test_an_upbeat_comes_before_the_first_bar_line():
    """An upbeat of one beat, as a full bar with rests and as a bar of 1/4."""
    full = song(track((0, signature(4, 4)), *notes([67, *LAMB], start=1440)))
    short = song(track((0, signature(1, 4)), (480, signature(4, 4)), *notes([67, *LAMB])))
    for data in (full, short):
        tune = read_midi(data)
        assert tune.controls.downbeat == pytest.approx(-1.5)
        assert melody(tune)[0] == (0.75, 67)
        assert melody(tune)[1:] == [(1 + place, pitch) for place, pitch in WANTED]
        assert tune.controls.score.parts[0].notes[0][:3] == (0.0, 0.5, 67)
        assert any("upbeat of 1 beat" in line for line in tune.report)


def test_silent_bars_at_the_beginning_are_left_out():
    tune = read_midi(song(track(*notes(LAMB, start=2 * 1920))))
    assert melody(tune) == WANTED
    assert tune.seconds == 7.5
    assert any("2 silent bars" in line for line in tune.report)


def test_changes_of_tempo_are_levelled_and_said():
    """Three bars at 120 and one at 60 are not steady; a short ritardando is."""
    slow = read_midi(song(track((0, tempo(120)), (3 * 1920, tempo(60)), *notes(LAMB))))
    assert slow.seconds == pytest.approx(9.0, abs=0.01)
    assert slow.controls.bpm == 100.0
    assert melody(slow) == WANTED
    end = read_midi(song(track((0, tempo(120)), (15 * 480, tempo(60)), *notes([60] * 16))))
    assert end.controls.bpm == 120.0
    assert any("tempo changes between 60 and 120" in line for line in end.report)


def test_a_tempo_out_of_range_counts_other_beats():
    assert read_midi(song(track((0, tempo(20)), *notes(LAMB)))).controls.bpm == 40.0
    assert read_midi(song(track((0, tempo(480)), *notes(LAMB)))).controls.bpm == 240.0


def test_polyphony_is_divided_into_melody_and_chords():
    both = [(72, 48, 52, 55), (74, 48, 52, 55), (71, 43, 47, 50), (72, 48, 52, 55)]
    tune = read_midi(song(track(*notes(both, length=1920))))
    assert [number for _, number in melody(tune)] == [72, 74, 71, 72]
    assert [(part.role, len(part.notes)) for part in tune.controls.score.parts] == [
        ("lead", 4), ("comping", 12),
    ]  # fmt: skip
    assert tune.controls.chords == "C | C | G | C"
    assert tune.report[1].endswith("(piano): melody (its highest line), comping")


def test_chords_change_within_a_bar():
    chords = [(48, 52, 55), (53, 57, 60), (45, 48, 52), (43, 47, 50)]
    tune = read_midi(song(track(*notes(chords, length=960)), track(*notes(LAMB[:8], channel=1))))
    assert tune.controls.chords == "C F | Am G"


def test_a_minor_key_is_found_behind_a_signature_in_major():
    line = [69, 71, 72, 76, 69, 68, 69, 69] * 2
    tune = read_midi(song(track((0, meta(0x59, b"\0\0")), *notes(line))))
    assert (tune.controls.key, tune.controls.mode) == ("A", "minor")
    assert "A minor (estimated)" in tune.report[0]


def test_a_melody_out_of_range_moves_by_octaves_and_is_said():
    tune = read_midi(song(track(*notes([112, 110, 108, 20]))))
    assert [pitch for _, pitch in melody(tune)] == [88, 86, 84, 44]
    assert tune.controls.score.parts[0].notes[0][2] == 112
    assert any("4 notes of the melody out of range" in line for line in tune.report)


def test_notes_without_an_end_last_a_bar_and_are_said():
    events = [(i * 960, bytes([ON, 60 + i, 80])) for i in range(4)]
    tune = read_midi(song(track(*events)))
    assert [note[1] for note in tune.controls.score.parts[0].notes] == [2.0] * 4
    assert any("4 notes without an end" in line for line in tune.report)
    one = read_midi(song(track((0, bytes([ON, 12, 80])), (960, bytes([OFF, 60, 0])))))
    assert one.report[0].endswith("1 bar, 2.0 s")
    assert any("1 note without an end" in line for line in one.report)


def test_a_key_that_is_struck_again_while_it_sounds_ends_where_it_is_let_go():
    """As in plucked tracks: two strokes, one end; the next stroke is not ended by an older one."""
    events = []
    for bar in range(4):
        for tick, status in ((0, ON), (480, ON), (960, OFF)):
            events.append((bar * 1920 + tick, bytes([status, 60, 80])))
    tune = read_midi(song(track((0, tempo(120)), *events)))
    (part,) = tune.controls.score.parts
    assert [note[:2] for note in part.notes] == [
        (beat / 2, 0.5) for beat in (0, 1, 4, 5, 8, 9, 12, 13)
    ]
    assert any("4 notes without an end" in line for line in tune.report)


def test_overlapping_notes_with_ends_of_their_own_end_in_order():
    events = [(0, bytes([ON, 60, 80])), (480, bytes([ON, 60, 80])), (960, bytes([OFF, 60, 0])),
              (1920, bytes([OFF, 60, 0]))]  # fmt: skip
    (part,) = read_midi(song(track(*events))).controls.score.parts
    assert [note[:2] for note in part.notes] == [(0.0, 1.0), (0.5, 1.5)]


def test_the_melody_can_be_chosen():
    data = band()
    by_number = read_midi(data, melody_track="2")
    assert by_number.controls.score.parts[1].role == "lead"
    assert "2 'Keys' (piano): melody" in by_number.report[1]
    assert read_midi(data, melody_track="low").controls.melody.startswith("C2 - - -")
    silent = read_midi(data, melody_track="none").controls
    assert silent.melody == "none"
    assert all(part.role != "lead" for part in silent.score.parts)
    for wrong in ("9", "0", "violin", "0000012", "٢"):
        with pytest.raises(ConfigError, match=r"no voice of the score is .*1 'Tune', 2 'Keys'"):
            read_midi(data, melody_track=wrong)


def test_another_tempo_and_another_key():
    tune = read_midi(band(), bpm=120.0, key=("D", "major"))
    assert tune.seconds == 8.0
    assert tune.controls.chords == "D | D | A | D"
    assert [pitch for _, pitch in melody(tune)] == [pitch + 2 for _, pitch in WANTED]
    assert tune.controls.score.parts[3].notes[0][2] == 36  # drums stay
    with pytest.raises(ConfigError, match="is in C major, which cannot be moved"):
        read_midi(band(), key=("D", "minor"))


def test_what_is_kept():
    tune = read_midi(band())
    some = tune.kept(["chords", "melody"])
    assert (some.chords, some.drums) == (tune.controls.chords, "")
    assert [part.role for part in some.score.parts] == ["lead"]
    assert set(some.score.left_open) == {"bass", "comping", "drums", "families"}
    assert tune.kept(["chords"]).score is None
    assert tune.kept(["drums"]).key == ""
    with pytest.raises(ConfigError, match="unknown part 'tempo' to keep; known: chords"):
        tune.kept(["tempo"])


LONG = song(track((0, tempo(120)), *notes([60]), *notes([60], start=480 * 2 * 36_000)))
REFUSED = {
    "text": (b"not music at all", "not a MIDI file"),
    "empty": (b"", "empty"),
    "header": (song(track(*notes(LAMB)))[:12], "truncated"),
    "truncated": (band()[:-40], "truncated"),
    "one byte short": (song(track(*notes(LAMB)))[:-1], "truncated"),
    "SMPTE": (song(track(*notes(LAMB)), division=0xE728), "SMPTE"),
    "no division": (song(track(*notes(LAMB)), division=0), "0 ticks"),
    "no notes": (song(track((0, tempo(100)))), "no notes"),
    "ten hours": (LONG, r"10\.0 hours"),
    "many tracks": (song(*[track()] * 1000), "1,000 tracks"),
    "tempo 0": (song(track((0, meta(0x51, b"\0\0\0")), *notes(LAMB))), "tempo of 0"),
    "type 2": (song(track(*notes(LAMB)), kind=2), "type 2"),
    "damaged": (song(track((0, b"\xf4"), *notes(LAMB))), "damaged"),
    "short tempo": (song(track((0, meta(0x51, b"\7")), *notes(LAMB))), "damaged: it holds data"),
    "a number without end": (song(track((0, b"\xff" * 5000))), "damaged"),
    "too short": (song(track((0, tempo(2000)), *notes([60], length=1))), "long; give"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_in_one_line(case):
    data, said = REFUSED[case]
    with pytest.raises(MidiError, match=said) as caught:
        read_midi(data, name="bad.mid")
    assert "bad.mid" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_huge_files(tmp_path):
    with pytest.raises(MidiError, match="No such file"):
        read_midi(tmp_path / "none.mid")
    huge = tmp_path / "huge.mid"
    huge.write_bytes(band() + bytes(5 * 2**20))
    with pytest.raises(MidiError, match="more than 4 MiB"):
        read_midi(huge)


@pytest.mark.heavy
def test_too_many_notes():
    many = b"".join(b"\0" + bytes([60, 80]) for _ in range(100_001))
    data = b"\0" + bytes([ON, 60, 80]) + many + b"\0" + meta(0x2F, b"")
    whole = song(b"MTrk" + struct.pack(">I", len(data)) + data)
    with pytest.raises(MidiError, match="more than 100,000 notes"):
        read_midi(whole)
