"""Audio over stdin and stdout: right headers, nothing else in between, quiet ends."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from jen1cli.cli import streams
from jen1cli.cli.app import run
from jen1cli.recipe import read_recipe

JEN1 = [sys.executable, "-m", "jen1cli"]


@pytest.fixture
def pipe(capfdbinary, monkeypatch, model, tmp_path):
    """Run a command with these bytes on stdin."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, data=b""):
        stdin = SimpleNamespace(buffer=io.BytesIO(data), closed=False, isatty=lambda: False)
        monkeypatch.setattr("sys.stdin", stdin)
        code = run([str(argument) for argument in arguments])
        said = capfdbinary.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err.decode())

    return call


def wav(seconds=1.0, rate=44_100, subtype="PCM_24", channels=2):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    soundfile.write(buffer, noise, rate, subtype=subtype, format="WAV")
    return buffer.getvalue()


def test_a_chain_of_three_verbs_has_right_headers(pipe):
    made = pipe("generate", "lofi piano", "-s", "1", "-o", "-")
    assert made.code == 0, made.err
    first = soundfile.info(io.BytesIO(made.out))
    assert (first.frames, first.samplerate, first.channels) == (48_000, 48_000, 2)
    longer = pipe("continue", "-", "--seconds", "0.5", "-o", "-", data=made.out)
    assert soundfile.info(io.BytesIO(longer.out)).frames == 72_000
    fixed = pipe("inpaint", "-", "--mask", "0.2-0.4s", "-o", "out.flac", data=longer.out)
    assert fixed.out == b"out.flac\n"
    info = soundfile.info("out.flac")
    assert (info.frames, info.samplerate, info.subtype) == (72_000, 48_000, "PCM_16")
    again, _ = soundfile.read("out.flac", dtype="int16")
    before, _ = soundfile.read(io.BytesIO(made.out), dtype="int16")
    assert (again[19_200:48_000] == before[19_200:]).all()


@pytest.mark.parametrize(
    ("subtype", "channels", "early"),
    [("PCM_16", 2, True), ("PCM_24", 1, True), ("PCM_U8", 1, True), ("FLOAT", 2, False)],
)
def test_a_recording_goes_out_before_its_continuation_is_made(
    pipe, model, monkeypatch, subtype, channels, early
):
    signal = np.random.default_rng(1).uniform(-0.5, 0.5, (5_001, channels))
    soundfile.write("in.wav", signal, 48_000, subtype=subtype)
    asked = ("continue", "in.wav", "--seconds", "0.5", "--seed", "3", "--no-provenance", "-o")
    assert pipe(*asked, "whole.wav").code == 0
    whole = Path("whole.wav").read_bytes()
    sent = []
    begin = streams.FileStream.begin

    def begun(stream, path, size):
        begin(stream, path, size)
        sent.append(path.read_bytes()[:size])

    monkeypatch.setattr(streams.FileStream, "begin", begun)
    result = pipe(*asked, "-")
    assert result.code == 0, result.err
    assert result.out == whole
    assert len(sent) == early
    if sent:
        data = whole.index(b"data") + 8
        frame = channels * {"PCM_16": 2, "PCM_24": 3, "PCM_U8": 1}[subtype]
        assert sent[0] == whole[: data + 5_001 * frame]


@pytest.mark.parametrize("options", [("--before",), ("--format", "flac")])
def test_what_is_not_known_early_goes_out_whole(pipe, model, options):
    soundfile.write("in.wav", np.zeros((5_001, 1)), 48_000)
    asked = ("continue", "in.wav", "--seconds", "0.5", "--no-provenance", *options, "-o", "-")
    assert pipe(*asked).code == 0
    assert "begun" not in model.calls[-1][1]


def test_a_beginning_that_changes_is_no_silent_damage(tmp_path, capfdbinary):
    path = tmp_path / "a"
    path.write_bytes(b"abcdef")
    stream = streams.FileStream()
    stream.begin(path, 3)
    path.write_bytes(b"abXdef")
    with pytest.raises(ValueError, match="differ from those sent"):
        stream.finish(path)
    assert capfdbinary.readouterr().out == b"abc"


def test_stdout_has_the_format_of_the_input_or_the_one_asked_for(pipe):
    edited = pipe("continue", "-", "-s", "0.5", "-o", "-", data=wav())
    info = soundfile.info(io.BytesIO(edited.out))
    assert (info.format, info.subtype, info.samplerate) == ("WAV", "PCM_24", 44_100)
    edited = pipe("continue", "-", "-s", "0.5", "-o", "-", "--format", "flac", data=wav())
    assert soundfile.info(io.BytesIO(edited.out)).format == "FLAC"
    made = pipe("generate", "lofi", "-s", "0.5", "-o", "-", "--format", "opus")
    assert soundfile.info(io.BytesIO(made.out)).subtype == "OPUS"


def test_json_goes_to_stderr_where_stdout_carries_audio(pipe):
    result = pipe("generate", "lofi", "-s", "0.1", "-o", "-", "--json", "--seed", "3")
    assert result.out[:4] == b"RIFF"
    facts = json.loads(result.err)
    assert facts["path"] is None
    assert facts["seed"] == 3


def test_quiet_says_nothing_beside_the_audio(pipe):
    result = pipe("generate", "lofi", "-s", "0.1", "-o", "-", "--quiet")
    assert result.out[:4] == b"RIFF"
    assert result.err == ""


def test_latents_go_through_pipes(pipe):
    encoded = pipe("encode", "-", "-o", "-", data=wav())
    assert encoded.code == 0, encoded.err
    decoded = pipe("decode", "-", "-o", "-", data=encoded.out)
    assert soundfile.info(io.BytesIO(decoded.out)).frames == 44_100


def test_info_reads_a_pipe(pipe):
    result = pipe("info", "-", "--json", data=wav())
    assert json.loads(result.out)["sample_rate"] == 44_100


def test_a_prompt_comes_over_stdin(pipe):
    result = pipe("generate", "-", "-s", "0.1", "--seed", "1", data=b"lofi piano\n")
    assert result.out == b"lofi-piano-1.wav\n"


def test_prompts_come_over_stdin(pipe):
    result = pipe("generate", "--from", "-", "-s", "0.1", "--seed", "1", data=b"lofi\njazz trio\n")
    assert result.out.split() == [b"lofi-1.wav", b"jazz-trio-2.wav"]


def test_an_edit_from_stdin_without_output_is_named(pipe):
    result = pipe("continue", "-", "-s", "0.1", "--seed", "4", data=wav())
    assert result.out == b"audio-continue-4.wav\n"


@pytest.mark.parametrize(
    ("arguments", "data", "words"),
    [
        (["continue", "-"], b"", "no audio came over stdin (0 bytes)"),
        (["continue", "-"], b"not audio at all", "the piped audio is not audio"),
        (["continue", "-"], wav()[:9_000], "the piped audio is cut short"),
        (["inpaint", "-", "--mask", "1-2s"], wav(0.5), "after the end of the piped audio (0.5 s)"),
        (["decode", "-"], wav(), "the piped latent is not a safetensors file"),
        (["encode", "-", "-"], wav(), "'-' is given twice"),
        (["generate", "--from", "-"], b"", "no prompts came over stdin"),
    ],
)
def test_bad_bytes_on_stdin(pipe, model, arguments, data, words):
    result = pipe(*arguments, data=data)
    assert result.code == 1
    assert result.out == b""
    assert result.err.startswith("jen1: error: ")
    assert words in result.err
    assert result.err.count("\n") == 1
    assert model.load is None


def test_a_stream_without_end_is_refused(pipe, monkeypatch):
    monkeypatch.setattr("jen1cli.cli.streams.MAX_STDIN_BYTES", 1000)
    result = pipe("continue", "-", data=wav())
    assert result.code == 1
    assert "more than 1000 bytes came over stdin" in result.err


def test_a_terminal_is_never_sent_binary_nor_read(pipe, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    result = pipe("generate", "lofi", "-o", "-")
    assert result.code == 1
    assert "stdout, which is a terminal" in result.err
    assert result.out == b""


def test_stdin_that_is_a_terminal_is_not_waited_for(jen1, model, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True, closed=False))
    result = jen1("continue", "-")
    assert result.code == 1
    assert "stdin, which is a terminal" in result.err


def test_a_reader_that_leaves_early_ends_it_quietly(jen1, model, monkeypatch, capfd):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", gone)
        assert run(["generate", "lofi", "-s", "1", "-o", "-", "--quiet"]) == 1
    assert capfd.readouterr().err == ""
    assert list(Path().iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_stdout_is_told_in_one_line(jen1, model, monkeypatch, capfd):
    with open("/dev/full", "w") as full, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", full)
        assert run(["generate", "lofi", "-s", "1", "-o", "-", "--quiet"]) == 1
    error = capfd.readouterr().err
    assert error.startswith("jen1: error: stdout takes no more data (No space left on device)")
    assert error.count("\n") == 1


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("redirection", "words"),
    [
        ("continue - <&-", "stdin is closed"),
        ("continue - </dev/null", "no audio came over stdin"),
        ("generate lofi -o - >&-", "stdout is closed"),
    ],
)
def test_closed_streams(redirection, words, model, tmp_path):
    command = f"'{sys.executable}' -m jen1cli {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_text_to_a_reader_that_leaves_early(tmp_path):
    command = f"'{sys.executable}' -m jen1cli generate --help | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_named_pipes_are_read_like_stdin(jen1, model):
    def through(data, *arguments):
        if not Path("pipe").exists():
            os.mkfifo("pipe")
        writer = threading.Thread(target=lambda: Path("pipe").write_bytes(data))
        writer.start()
        result = jen1(*arguments)
        writer.join()
        assert result.code == 0, result.err
        return result

    through(wav(), "encode", "pipe", "-o", "a.safetensors")
    through(Path("a.safetensors").read_bytes(), "decode", "pipe", "-o", "a.wav")
    result = through(wav(), "continue", "pipe", "-s", "0.5", "--seed", "4")
    assert result.out == "audio-continue-4.wav\n"
    through(wav(), "inpaint", "pipe", "--mask", "0.2-0.4", "-o", "b.wav")
    assert soundfile.info("b.wav").frames == 44_100
    assert json.loads(through(wav(), "info", "pipe", "--json").out)["samples"] == 44_100
    Path("source.wav").write_bytes(wav())
    edited = Path("b.wav").read_bytes()
    through(edited, "again", "pipe", "--input", "source.wav", "-o", "c.wav")
    through(wav(), "again", "b.wav", "--input", "pipe", "-o", "d.wav")
    assert Path("c.wav").read_bytes() == Path("d.wav").read_bytes()
    through(b"lofi piano\n", "generate", "--from", "pipe", "-s", "0.1", "-o", "e.wav")


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no audio came over pipe (0 bytes)"),
        (b"not audio at all", "the piped audio is not audio"),
        (wav()[:9_000], "the piped audio is cut short"),
    ],
)
def test_bad_bytes_in_named_pipes(refused, data, words):
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(data))
    writer.start()
    said = refused("continue", "pipe").err
    writer.join()
    assert words in said


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")
@pytest.mark.parametrize(
    "command", [["continue"], ["info"], ["encode"], ["inpaint", "--mask", "1-2"]]
)
def test_devices_are_no_input(refused, command):
    said = refused(*command, "/dev/zero").err
    assert "/dev/zero is a device; give a file or a pipe with audio" in said


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_the_names_of_stdout_mean_stdout(pipe, name):
    result = pipe("generate", "lofi", "-s", "0.1", "-o", name)
    assert soundfile.info(io.BytesIO(result.out)).frames == 4_800


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_a_reader_of_a_named_pipe_that_leaves_early_ends_it_quietly(jen1, model):
    os.mkfifo("pipe")

    def leave():
        with open("pipe", "rb") as reader:
            reader.read(10)

    reader = threading.Thread(target=leave)
    reader.start()
    result = jen1("generate", "lofi", "-s", "2", "-o", "pipe", "--quiet")
    reader.join()
    assert (result.code, result.out, result.err) == (1, "", "")
    assert os.listdir() == ["pipe"]


def test_long_music_is_sent_while_it_is_made(pipe, model):
    said = pipe("generate", "a", "-s", "2.5", "--seed", "3", "-o", "-")
    assert model.calls[-1][0] == "stream"
    recipe = read_recipe(io.BytesIO(said.out))
    assert recipe.streamed
    assert soundfile.info(io.BytesIO(said.out)).frames == 120_000
    assert "2.50 s, seed 3" in said.err


@pytest.mark.parametrize("options", [["--format", "flac", "-s", "2"], ["-s", "0.5"], ["--loop"]])
def test_other_music_is_sent_when_it_is_made(pipe, model, options):
    said = pipe("generate", "a", "-o", "-", *options)
    assert said.code == 0, said.err
    assert model.calls[-1][0] == "generate_batch"


def test_a_reader_that_leaves_early_ends_a_stream_quietly(jen1, model, monkeypatch, capfd):
    closed = SimpleNamespace(write=_break, flush=lambda: None)
    stdout = SimpleNamespace(buffer=closed, closed=False, flush=lambda: None,
                             isatty=lambda: False, fileno=lambda: 1)  # fmt: skip
    monkeypatch.setattr("sys.stdout", stdout)
    code = run(["generate", "a", "-s", "2.5", "-o", "-"])
    assert code == 1
    assert "error" not in capfd.readouterr().err


def _break(data):
    raise BrokenPipeError(32, "Broken pipe")
