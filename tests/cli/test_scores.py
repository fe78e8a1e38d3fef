"""`--score`, `--midi` and `--instruments` of the command."""

import json
from pathlib import Path

import pytest
import symusic

from jen1cli.midi import read_midi
from jen1cli.music.patterns import parse_melody
from jen1cli.recipe import read_recipe
from midi_support import LAMB, band, notes, song, tempo, track

LONG = song(track((0, tempo(120)), *notes([60] * 30, length=480 * 140)))


@pytest.fixture
def tune(jen1):
    Path("tune.mid").write_bytes(band())
    return "tune.mid"


def asked(model):
    """What the model was last called with."""
    return model.calls[-1][1]


def test_a_score_gives_controls_and_length(jen1, model, tune):
    result = jen1("generate", "music box", "--score", tune, "-o", "a.wav", "--seed", "1")
    assert result.code == 0, result.err
    call = asked(model)
    wanted = read_midi(tune)
    assert call["controls"] == wanted.controls
    assert call["seconds"] == 10.0 == wanted.seconds
    assert "tune.mid: 96 bpm, C major (the file), 4 bars, 10.0 s" in result.err
    assert "1 'Tune' (woodwinds): melody; 2 'Keys' (piano): comping" in result.err
    assert read_recipe(Path("a.wav")).controls == wanted.controls


def test_options_replace_what_the_score_has(jen1, model, tune):
    jen1("generate", "x", "--score", tune, "-o", "a.wav", "--drums", "none", "--melody", "C5 E5",
         "--bpm", "192", "--key", "D major", "-s", "3")  # fmt: skip
    found = asked(model)["controls"]
    assert (found.bpm, found.key, found.drums, found.melody) == (192.0, "D", "none", "C5 E5")
    assert found.chords == "D | D | A | D"
    assert [part.role for part in found.score.parts] == ["comping", "bass"]
    assert found.score.left_open == ("lead",)
    assert asked(model)["seconds"] == 3.0


def test_keep_and_melody_track(jen1, model, tune):
    jen1("generate", "x", "--score", tune, "-o", "a.wav", "--keep", "melody, drums",
         "--melody-track", "Low")  # fmt: skip
    found = asked(model)["controls"]
    assert (found.chords, found.key) == ("", "C")
    assert found.drums.startswith("kick x...")
    assert parse_melody(found.melody).sounds[0].number == 36
    assert found.score.left_open == ("bass", "comping", "families")


def test_the_report_is_quiet_with_quiet(jen1, model, tune):
    result = jen1("generate", "x", "--score", tune, "-o", "a.wav", "--quiet")
    assert (result.code, result.err) == (0, "")


def test_prompt_files_have_scores_of_their_own(jen1, model, tune):
    Path("long.mid").write_bytes(song(track((0, tempo(60)), *notes(LAMB))))
    lines = [
        {"prompt": "a", "score": "tune.mid", "keep": "chords", "seed": 1},
        {"prompt": "b", "score": "long.mid", "seed": 5, "instruments": "flute"},
        {"prompt": "c", "seed": 9},
    ]
    Path("p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = jen1("generate", "--from", "p.jsonl", "-o", "out/", "--midi", "{name}.mid")
    assert result.code == 0, result.err
    calls = [call for _, call in model.calls]
    assert [call["seconds"] for call in calls] == [10.0, 15.0, 10.0]
    assert calls[0]["controls"].melody == ""
    assert calls[1]["instruments"] == ("woodwinds",)
    assert {path.name for path in Path("out").glob("*.mid")} == {"a-1.mid", "b-5.mid"}
    assert "out/c-9.mid is not written" in result.err


def test_lines_take_the_number_of_a_voice_and_lists_of_names(jen1, model, tune):
    line = {"prompt": "a", "score": "tune.mid", "seed": 1}
    as_text = {"melody_track": "2", "keep": "chords,melody", "instruments": "piano,flute"}
    as_json = {"melody_track": 2, "keep": ["chords", "melody"], "instruments": ["piano", "flute"]}
    for name, values in (("a", as_text), ("b", as_json)):
        Path("p.jsonl").write_text(json.dumps(line | values))
        result = jen1("generate", "--from", "p.jsonl", "-o", f"{name}.wav")
        assert result.code == 0, result.err
    assert model.calls[0] == model.calls[1]
    Path("p.jsonl").write_text(json.dumps(line | {"keep": [1]}))
    assert "keep must be text, not a list" in jen1("generate", "--from", "p.jsonl").err
    Path("p.jsonl").write_text(json.dumps(line | {"melody_track": True}))
    assert "melody_track must be text, not true" in jen1("generate", "--from", "p.jsonl").err


def test_edits_take_scores_and_write_them(jen1, model, tune, take):
    result = jen1("continue", take, "--score", tune, "-o", "b.wav")
    assert result.code == 0, result.err
    assert asked(model)["seconds"] == 10.0
    assert asked(model)["controls"].chords == "C | C | G | C"
    jen1("inpaint", take, "--mask", "0.5-1s", "--score", tune, "-o", "c.wav")
    assert asked(model)["controls"].chords == "C | C | G | C"


def test_midi_beside_results(jen1, model, tune):
    assert jen1("generate", "x", "--score", tune, "-o", "a.wav", "--midi", "b.mid").code == 0
    found = symusic.Score.from_midi(Path("b.mid").read_bytes())
    assert [one.name for one in found.tracks] == [
        "lead: woodwinds", "comping: piano", "bass: bass", "drums: drums",
    ]  # fmt: skip
    result = jen1("generate", "x", "-n", "2", "--chords", "Am F", "--bpm", "100", "-s", "5",
                  "--seed", "3", "-o", "two/", "--midi", "two/", "--json")  # fmt: skip
    assert result.code == 0, result.err
    assert [json.loads(line)["midi"] for line in result.out.splitlines()] == [
        "two/x-3.mid", "two/x-4.mid",
    ]  # fmt: skip
    assert read_midi("two/x-4.mid").controls.chords.startswith("Am | F")


def test_info_writes_the_score_of_a_recipe_and_names_its_parts(jen1, model, tune):
    jen1("generate", "x", "--score", tune, "-o", "a.flac")
    result = jen1("info", "a.flac", "--midi", "b.mid")
    assert result.code == 0, result.err
    assert read_midi("b.mid").controls.chords == "C | C | G | C"
    rows = {line.split()[0]: line for line in result.out.splitlines()}
    assert "lead: woodwinds, 13 notes; comping: piano, 12 notes" in rows["score"]
    facts = json.loads(jen1("info", "a.flac", "--json").out)
    assert facts["recipe"]["guide"]["score"].startswith("lead: woodwinds, 13 notes")
    again = jen1("info", "a.flac", "--midi", "b.mid")
    assert (again.code, "exists" in again.err) == (1, True)
    assert jen1("info", "a.flac", "--midi", "b.mid", "--force").code == 0


def test_results_in_json_name_parts_not_notes(jen1, model, tune):
    result = jen1("generate", "x", "--score", tune, "-o", "a.wav", "--json")
    facts = json.loads(result.out)
    assert facts["settings"]["guide"]["score"].startswith("lead: woodwinds, 13 notes")
    assert len(result.out) < 3000


def test_instruments_are_families(jen1, model):
    jen1("generate", "x", "-o", "a.wav", "--instruments", "Piano, violins, upright bass")
    assert asked(model)["instruments"] == ("piano", "strings", "bass")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--score", "none.mid"), "none.mid cannot be read: No such file"),
        (("--score", "text.mid"), "text.mid is not a MIDI file"),
        (("--score", "."), "Is a directory"),
        (("--score", "long.mid"), "give --seconds for its beginning"),
        (("--score", "tune.mid", "--keep", "tempo"), "unknown part 'tempo' to keep"),
        (("--score", "tune.mid", "--keep", " , "), "--keep is empty"),
        (("--score", "tune.mid", "--melody-track", "7"), "no voice of the score is '7'"),
        (("--score", "tune.mid", "--key", "A minor"), "cannot be moved to a key of another mode"),
        (("--keep", "chords"), "--keep chooses from a score"),
        (("--melody-track", "1"), "--melody-track chooses from a score"),
        (("--instruments", "piano, kazooo"), "unknown instrument 'kazooo'"),
        (("--instruments", ","), "no instrument is named"),
        (("--midi", "a.wav"), "does not end in .mid"),
        (("--midi", "tune.mid"), "tune.mid exists"),
        (("--midi", "no/where/a.mid"), "does not exist"),
        (("-n", "2", "--midi", "a.mid"), "is one file for 2 results"),
    ],
)
def test_bad_options_are_one_line(refused, tune, options, words):
    Path("text.mid").write_text("no music")
    Path("long.mid").write_bytes(LONG)
    assert words in refused("generate", "x", *options).err


def test_a_bad_score_in_a_prompt_file_names_its_line(refused):
    Path("p.jsonl").write_text('{"prompt": "a"}\n{"prompt": "b", "score": "none.mid"}')
    assert "line 2" in refused("generate", "--from", "p.jsonl").err


def test_a_long_score_can_be_begun(jen1, model):
    Path("long.mid").write_bytes(LONG)
    assert jen1("generate", "x", "--score", "long.mid", "-s", "5", "-o", "a.wav").code == 0
    assert asked(model)["seconds"] == 5.0


def test_music_without_a_score_warns_and_is_kept(jen1, model):
    result = jen1("generate", "x", "-s", "1", "-o", "a.wav", "--midi", "a.mid")
    assert result.code == 0
    assert "no score is known of this music, so a.mid is not written" in result.err
    assert Path("a.wav").exists()
    assert not Path("a.mid").exists()
    said = jen1("info", "a.wav", "--midi", "a.mid").err
    assert "the recipe of a.wav holds no score" in said


def test_a_name_of_midi_has_no_other_braces(jen1, refused, take):
    assert "has '{seed}'" in refused("generate", "x", "--midi", "{seed}.mid", "-o", "a.wav").err
    assert "has '{slug}'" in refused("generate", "x", "--midi", "{name}-{slug}.mid").err
    assert "write '{name}' for the name" in refused("generate", "x", "--midi", "{name.mid").err


def test_midi_of_a_pipe_needs_a_name(jen1, refused):
    assert (
        "but that goes to stdout" in refused("generate", "x", "--midi", "{name}.mid", "-o", "-").err
    )
    assert (
        "but that comes from stdin; name the MIDI"
        in refused("info", "-", "--midi", "{name}.mid").err
    )
