"""Covers in prompt files: `{"prompt": "string quartet", "cover": "song.mp3", "keep": "chords"}`."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jen1cli.recipe import read_recipe


def write_rows(*rows):
    Path("rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def calls(model, name):
    return [arguments for call, arguments in model.calls if call == name]


def test_a_line_covers_a_recording(jen1, model, take):
    write_rows(
        {"prompt": "string quartet", "cover": "take.wav", "keep": "Chords, tempo", "seed": 4},
        {"prompt": "lofi piano", "seconds": 1},
    )
    result = jen1("generate", "--from", "rows.jsonl", "-o", "out/", "--midi", "{name}.mid",
                  "--seed", "9", "--json")  # fmt: skip
    assert result.code == 0, result.err
    cover, piece = (json.loads(line) for line in result.out.splitlines())
    assert cover["path"] == "out/string-quartet-4.wav"
    assert (cover["seed"], cover["seconds"]) == (4, 2.0)  # as long as the recording
    assert cover["settings"]["task"] == "cover"
    assert cover["settings"]["input"]["name"] == "take.wav"
    assert piece["settings"]["task"] == "generate"
    recipe = read_recipe(Path(cover["path"]))
    assert (recipe.controls.bpm, recipe.controls.chords) == (120.0, "Am F |")
    assert (recipe.controls.key, recipe.controls.drums) == ("", "")
    assert Path("out/string-quartet-4.mid").exists()
    assert "take.wav: 120.0 bpm" in result.err


def test_a_cover_of_a_line_is_the_cover_of_the_command(jen1, model, take):
    write_rows({"prompt": "flute", "cover": "take.wav", "key": "D minor", "seed": 4})
    assert jen1("generate", "--from", "rows.jsonl", "-o", "a.wav").code == 0
    asked = ("cover", "take.wav", "flute", "--key", "D minor", "--seed", "4", "-o", "b.wav")
    assert jen1(*asked).code == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()
    take.unlink()
    assert jen1("again", "a.wav", "-o", "c.wav").code == 0
    assert Path("c.wav").read_bytes() == Path("a.wav").read_bytes()


def test_a_recording_of_several_covers_is_heard_once(jen1, model, take):
    write_rows({"prompt": "flute", "cover": "take.wav"}, {"prompt": "harp", "cover": "take.wav"})
    result = jen1("generate", "--from", "rows.jsonl", "-n", "2", "-s", "1", "--seed", "5",
                  "-o", "out/")  # fmt: skip
    assert result.code == 0, result.err
    assert len(calls(model, "hear")) == 1
    assert [(call["seed"], call["seconds"]) for call in calls(model, "cover")] == [
        (seed, 1.0) for seed in (5, 6, 7, 8)
    ]


@pytest.mark.parametrize(
    ("row", "options", "said"),
    [
        ({"cover": "gone.wav"}, (), "the recording gone.wav to cover is no file"),
        ({"cover": "-"}, (), "the recording - to cover is no file"),
        ({"cover": "text.wav"}, (), "text.wav"),
        ({"cover": 1}, (), "cover must be text"),
        ({"cover": "take.wav", "keep": "words"}, (), "unknown part 'words' to keep"),
        ({"cover": "take.wav", "keep": ""}, (), "nothing is named to be kept"),
        ({"cover": "take.wav", "score": "a.mid"}, (), "cover and a score"),
        ({"cover": "take.wav", "loop_bars": 4}, (), "cover and a loop"),
        ({"cover": "take.wav", "form": "verse:4"}, (), "cover and a form"),
        ({"cover": "take.wav", "direction": "unidirectional"}, (), "cover and a direction"),
        ({"cover": "take.wav"}, ("--loop",), "cover and a loop"),
        ({"cover": "take.wav", "seconds": 0}, (), "is no length"),
        ({"cover": "take.wav", "bpm": 9.0}, (), "is no tempo"),
        ({"cover": "hour.flac"}, (), "give --seconds"),
    ],
)
def test_a_bad_line_is_named_before_the_model_loads(refused, take, row, options, said):
    Path("text.wav").write_text("no sound")
    if row["cover"] == "hour.flac":
        soundfile.write("hour.flac", np.zeros(3600 * 1000, np.float32), 1000)
    write_rows({"prompt": "flute"}, {"prompt": "flute", **row})
    result = refused("generate", "--from", "rows.jsonl", "-o", "out/", *options)
    assert "line 2 of rows.jsonl: " in result.err
    assert said in result.err
    assert not Path("out").exists()


def test_a_server_makes_no_covers(refused, take):
    write_rows({"prompt": "flute", "cover": "take.wav"})
    asked = ("generate", "--from", "rows.jsonl", "--server", "http://127.0.0.1:1", "-o", "out/")
    assert "a cover is made by a model that is loaded here" in refused(*asked).err


def test_a_set_has_no_covers(jen1, model, take):
    write_rows({"prompt": "flute", "cover": "take.wav"})
    result = jen1("generate", "--from", "rows.jsonl", "-o", "out", "--resume", "--plan")
    assert "line 1 of rows.jsonl: a set has no covers" in result.err
