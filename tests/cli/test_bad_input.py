"""What bad input gets: one line that says what is wrong, code 1, and nothing left behind."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

INPAINT = ["--mask", "0.5-1s"]
COMMANDS = [["inpaint", *INPAINT], ["continue"], ["encode"]]


def write(name, signal, rate=48_000, subtype="PCM_16"):
    soundfile.write(name, signal, rate, subtype=subtype)
    return name


def noise(seconds=1.0, channels=2):
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(48_000 * seconds), channels))


def write_cut(name):
    """Write the first half of a file."""
    soundfile.write(name, noise(), 48_000)
    Path(name).write_bytes(Path(name).read_bytes()[:50_000])


BROKEN = {
    "missing.wav": lambda name: None,
    "folder.wav": lambda name: Path(name).mkdir(),
    "empty.wav": lambda name: Path(name).touch(),
    "text.wav": lambda name: Path(name).write_text("a text, whatever its name says\n" * 20),
    "nan.wav": lambda name: write(name, np.full((48_000, 2), np.nan), subtype="FLOAT"),
    "six.wav": lambda name: write(name, noise(channels=6)),
    "none.wav": lambda name: write(name, noise(0.0)),
    "short.wav": lambda name: write(name, noise(0.05)),
    "hertz.wav": lambda name: write(name, noise(), rate=1),
    "cut.wav": write_cut,
    "cut.flac": write_cut,
}
"""How inputs are written that no command can take, by name."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.wav", "missing.wav does not exist"),
        ("folder.wav", "folder"),
        ("empty.wav", "empty.wav is empty (0 bytes)"),
        ("text.wav", "text.wav is not audio"),
        ("nan.wav", "NaN"),
        ("six.wav", "6 channels"),
        ("none.wav", "no samples"),
        ("hertz.wav", "hertz.wav has a sample rate of 1 Hz; at least 100 Hz are needed"),
        ("short.wav", "short.wav is 0.050 s long"),
        ("cut.wav", "cut"),
        ("cut.flac", "cut.flac is cut short"),
    ],
)
def test_a_broken_input(refused, command, name, words):
    BROKEN[name](name)
    assert words in refused(command[0], name, *command[1:]).err


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        (["5-6s"], "starts after the end of"),
        (["1-6s"], "ends after the end of"),
        (["1-0.5s"], "reversed"),
        (["0.5-0.5s"], "has no length"),
        (["0.2-0.6", "0.5-0.8"], "overlap"),
        (["bars:1-2"], "add --bpm"),
        (["soon"], "is not a range"),
        ([], "no --mask given"),
    ],
)
def test_a_mask_that_makes_no_sense(refused, take, masks, words):
    given = [piece for mask in masks for piece in ("--mask", mask)]
    assert words in refused("inpaint", take, *given).err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sampler", "dpm"], "unknown --sampler 'dpm'; did you mean 'ddpm'?"),
        (["--direction", "left"], "unknown --direction 'left'; known: bidirectional"),
        (["--device", "tpu"], "unknown --device 'tpu'"),
        (["--device", "cpu:1"], "unknown --device 'cpu:1'"),
        (["--dtype", "int8"], "unknown --dtype 'int8'; known: auto, fp32, bf16"),
        (["--format", "m4a"], "unknown format 'm4a'"),
        (["--steps", "0"], "--steps 0 is not between"),
        (["--steps", "many"], "'--steps'"),
        (["--guidance-scale", "-1"], "--guidance-scale -1 is not between"),
        (["--guidance-scale", "nan"], "--guidance-scale nan is not between"),
        (["--seed", "-1"], "--seed -1 is not between"),
        (["--seconds", "-5"], "--seconds -5 is no length"),
        (["--seconds", "0"], "--seconds 0 is no length"),
        (["--seconds", "0.05"], "--seconds 0.05 is no length"),
        (["--seconds", "nan"], "--seconds nan is no length"),
        (["--seconds", "soon"], "'--seconds'"),
        (["--seconds", "3600"], "--seconds 3600 is more than the 1800 s"),
        (["--count", "0"], "--count 0 makes nothing"),
        (["--composer", "rule"], "unknown --composer 'rule'; did you mean 'rules'?"),
        (["--style", "celtik"], "unknown --style 'celtik'; did you mean 'celtic'?"),
        (["--count", "99999"], "at most 10000"),
        (["--model", "jen1-mega"], "unknown weight set 'jen1-mega'; did you mean 'jen1-mini'?"),
        (["--model", "jen1"], "the preset 'jen1' has no trained weights"),
        (["--model", "./nothing"], "./nothing does not exist"),
        (["--model", "jen2", "--random-weights"], "unknown preset 'jen2'"),
        (["-o", "nowhere/out.wav"], "output folder nowhere does not exist"),
        (["-o", "exists.wav"], "exists.wav exists; use --force"),
        (["-o", "/proc/out.wav"], "nothing can be written to /proc"),
        (["-o", "song"], "no extension"),
        (["--from", "missing.txt"], "--from missing.txt cannot be read"),
        (["--from", "blank.txt"], "has no prompts"),
        (["--from", "exists.wav"], "is not UTF-8"),
        (["--from", "keys.jsonl"], "line 2 of keys.jsonl: has an unknown key 'promt'; did you"),
        (["--from", "values.jsonl"], "values.jsonl: seconds must be a number, not text ('1')"),
        (["--from", "json.jsonl"], "line 1 of json.jsonl is not JSON"),
        (["--from", "steps.jsonl"], "line 1 of steps.jsonl: --steps 0"),
        (["--from", "empty.jsonl"], "line 1 of empty.jsonl: lacks the key 'prompt'"),
    ],
)
def test_an_option_that_makes_no_sense(refused, options, words):
    Path("exists.wav").write_bytes(b"\xff\xfe\xfd")
    Path("blank.txt").write_text("\n \n")
    Path("keys.jsonl").write_text('{"prompt": "lofi"}\n{"promt": "lofi"}\n')
    Path("values.jsonl").write_text('{"prompt": "lofi", "seconds": "1"}\n')
    Path("json.jsonl").write_text('{"prompt": "lofi"\n')
    Path("steps.jsonl").write_text('{"prompt": "lofi", "steps": 0}\n')
    Path("empty.jsonl").write_text("{}\n")
    assert words in refused("generate", "lofi", *options).err


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "the prompt is empty"),
        ("   ", "the prompt is empty"),
        ("lofi piano " * 1000, "the prompt has 10,999 characters; at most 1,000"),
        ("μουσική για ύπνο", "'μουσική για ύπνο' is not in Latin letters"),
        ("лофи пианино", "not in Latin letters"),
        ("!!! 123", "not in Latin letters"),
    ],
)
def test_a_prompt_that_cannot_be_read(refused, take, prompt, words):
    assert words in refused("generate", prompt).err
    assert words in refused("inpaint", take, *INPAINT, "--prompt", prompt).err
    assert words in refused("continue", take, "--prompt", prompt).err


def test_a_prompt_with_some_foreign_letters_is_read(jen1, model):
    assert jen1("generate", "smørrebrød jazz, 演歌 touch", "-s", "0.1").code == 0


def test_no_prompt_at_all(refused):
    assert "no prompt given" in refused("generate", "--seed", "1").err


@pytest.mark.parametrize("seconds", ["-5", "0", "3600", "nan"])
def test_a_continuation_of_no_sensible_length(refused, take, seconds):
    assert "--seconds" in refused("continue", take, "--seconds", seconds).err


def test_a_context_of_no_sensible_length(refused, take):
    assert "--context -1" in refused("continue", take, "--context", "-1").err


def test_an_unknown_direction_of_a_continuation(refused, take):
    said = refused("continue", take, "--direction", "unidirectionel").err
    assert "did you mean 'unidirectional'?" in said


def test_a_format_that_does_not_take_the_rate(refused):
    write("cd.wav", noise(), rate=44_100)
    words = "opus files cannot have 44100 Hz"
    assert words in refused("inpaint", "cd.wav", *INPAINT, "-o", "o.opus").err
    assert words in refused("continue", "cd.wav", "-o", "o.opus").err


def test_folders_without_anything_to_take(refused):
    Path("bare").mkdir()
    assert "bare has no audio files" in refused("encode", "bare").err
    assert "bare has no latent files" in refused("decode", "bare").err


def test_latents_that_are_none(refused, take):
    Path("cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    Path("none.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    Path("empty.safetensors").touch()
    assert "take.wav is not a safetensors file" in refused("decode", take).err
    assert "cut short" in refused("decode", "cut.safetensors").err
    assert "none.safetensors is no latent file of jen1" in refused("decode", "none.safetensors").err
    assert "empty.safetensors is empty (0 bytes)" in refused("decode", "empty.safetensors").err
    assert "missing.safetensors does not exist" in refused("decode", "missing.safetensors").err


def test_an_existing_result_of_an_edit(refused, take):
    Path("out.wav").touch()
    assert "out.wav exists; use --force" in refused("continue", take, "-o", "out.wav").err
    assert "take.wav exists; use --force" in refused("inpaint", take, *INPAINT, "-o", take).err


def test_a_library_error_leaves_nothing_behind(jen1, model, take):
    from jen1cli.errors import CheckpointError

    model.error = CheckpointError("weights/jen1-mini/unet.safetensors\nwas changed; copy it again")
    before = sorted(Path().rglob("*"))
    result = jen1("continue", take, "-o", "out.wav")
    assert result.code == 1
    assert result.err == (
        "jen1: error: weights/jen1-mini/unet.safetensors was changed; copy it again\n"
    )
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": "lofi", "bpm": "120"}', ": bpm must be a number, not text ('120')"),
        ('{"prompt": "lofi", "seed": 1.5}', ": seed must be a whole number, not a number (1.5)"),
        ('{"prompt": "lofi", "seed": true}', ": seed must be a whole number, not true or false"),
        ('{"prompt": null}', ": prompt must be text, not null"),
        ('{"prompt": "lofi", "bpm": NaN}', " has a number that is not finite in 'bpm'"),
        ('{"prompt": "lofi", "seconds": 1e400}', " has a number that is not finite in 'seconds'"),
        ('{"prompt": "lofi", "seed": ' + "9" * 5000 + "}", " has a number that is not finite"),
        ('{"prompt": ' + "[" * 100_000, " is nested more than 64 deep"),
        ('{"prompt": "lofi", "prompt": "jazz"}', " has the key 'prompt' twice"),
        (r'{"prompt": "lofi \ud83c"}', " has a broken letter"),
    ],
)
def test_a_wrong_field_of_a_prompt_file_is_named(refused, line, words):
    Path("a.jsonl").write_text(f"soft rain\n{line}\n")
    assert f"line 2 of a.jsonl{words}" in refused("generate", "--from", "a.jsonl").err


def test_what_a_prompt_file_may_hold(jen1, model):
    odd = {"prompt": "lofi\u2028piano\u0085\x0cslow", "bpm": None, "seconds": 0.5, "seed": 3}
    Path("a.jsonl").write_text("\ufeff" + json.dumps(odd, ensure_ascii=False) + "\r\n\r\nrain\r\n")
    result = jen1("generate", "--from", "a.jsonl", "--seed", "9", "-s", "0.25", "--json")
    assert result.code == 0, result.err
    assert [call["prompts"] for _, call in model.calls] == [["lofi piano slow"], ["rain"]]


def test_a_prompt_of_bytes_that_are_no_text(refused):
    assert "is not text in UTF-8" in refused("generate", "lofi \udcff").err
    assert "is not text in UTF-8" in refused("generate", "lofi", "--negative", "\ud800").err


def test_an_error_that_quotes_a_whole_file_is_cut(refused):
    said = refused("generate", "lofi", "--chords", "Q" * 50_000).err
    assert len(said) < 1_100
    assert said.startswith("jen1: error: 'QQQ")
    assert "write it like C, Am" in said


@pytest.mark.parametrize(("field", "known"), [("direction", "bidirectional"), ("sampler", "ddim")])
def test_an_unknown_choice_in_a_file_of_prompts_is_named_by_its_line(refused, model, field, known):
    Path("p.jsonl").write_text(json.dumps({"prompt": "a", field: "up"}))
    said = refused("generate", "--from", "p.jsonl").err
    assert f"line 1 of p.jsonl: unknown --{field} 'up'; " in said
    assert known in said


def test_control_characters_are_no_prompt(refused, model):
    Path("p.jsonl").write_text(json.dumps({"prompt": "a\0b"}))
    assert (
        "line 1 of p.jsonl holds control characters" in refused("generate", "--from", "p.jsonl").err
    )
    assert "the prompt holds control characters" in refused("generate", "lofi\x1b[31m").err
