"""The command line over the real library: the tiny model, real files, real pipes."""

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jen1cli.cli.app import run

JEN1 = f"{shlex.quote(sys.executable)} -m jen1cli"


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_folder):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JEN1_WEIGHTS", str(tiny_folder))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # many small networks: threads only wait
    return tmp_path


def call(*arguments):
    place = [] if arguments[0] in ("info", "models") else ["--device", "cpu"]
    if arguments[0] in ("generate", "inpaint", "continue", "encode", "decode"):
        place += ["--model", "tiny", "--dtype", "fp32"]
    return run([*map(str, arguments), *place])


def test_generate_writes_what_was_asked_for(here, capfd):
    assert call("generate", "lofi piano", "-s", "1.5", "--seed", "7", "-o", "out.wav") == 0
    assert capfd.readouterr().out == "out.wav\n"
    info = soundfile.info("out.wav")
    assert (info.frames, info.samplerate, info.channels) == (72_000, 48_000, 2)
    samples, _ = soundfile.read("out.wav")
    assert np.isfinite(samples).all()
    assert samples.any()


@pytest.mark.heavy
def test_the_same_seed_gives_the_same_bytes_and_so_does_again(here):
    for name in ("a.wav", "b.wav"):
        assert call("generate", "lofi piano", "-s", "0.5", "--seed", "7", "-o", name, "-q") == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()
    assert run(["again", "a.wav", "-o", "c.wav", "-q"]) == 0
    assert Path("a.wav").read_bytes() == Path("c.wav").read_bytes()
    assert call("generate", "lofi piano", "-s", "0.5", "--seed", "8", "-o", "d.wav", "-q") == 0
    assert Path("a.wav").read_bytes() != Path("d.wav").read_bytes()


@pytest.mark.heavy
def test_a_variation_of_nothing_new_has_the_same_bytes(here):
    assert call("generate", "lofi piano", "-s", "0.5", "--seed", "7", "-o", "a.wav", "-q") == 0
    assert run(["vary", "a.wav", "--amount", "0", "-o", "same.wav", "-q"]) == 0
    assert Path("a.wav").read_bytes() == Path("same.wav").read_bytes()
    assert run(["vary", "a.wav", "-a", "0.4", "-n", "2", "-o", "b-{index}.wav", "-q"]) == 0
    assert run(["again", "b-2.wav", "-o", "c.wav", "-q"]) == 0
    first, second, again = (Path(n).read_bytes() for n in ("b-1.wav", "b-2.wav", "c.wav"))
    assert second == again
    assert first != second


@pytest.mark.heavy
def test_a_loop_is_made_and_made_again(here):
    options = ["--loop", "--bars", "1", "--bpm", "125", "--seed", "7", "-q"]
    assert call("generate", "lofi piano in 4/4", *options, "-o", "a.wav") == 0
    assert soundfile.info("a.wav").frames == 92_160
    assert run(["again", "a.wav", "-o", "b.wav", "-q"]) == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


RECORDINGS = [
    ("take.wav", 44_100, 2, "PCM_16"),
    ("take.wav", 48_000, 2, "PCM_24"),
    ("take.wav", 22_050, 1, "FLOAT"),
    ("take.flac", 44_100, 1, "PCM_24"),
    ("take.aiff", 48_000, 2, "PCM_16"),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "rate", "channels", "subtype"), RECORDINGS)
def test_edits_keep_rate_layout_depth_and_every_other_sample(
    here, capfd, name, rate, channels, subtype
):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (2 * rate, channels))
    soundfile.write(name, noise, rate, subtype=subtype)
    original = Path(name).read_bytes()
    suffix = Path(name).suffix
    assert call("inpaint", name, "--mask", "0.5-1s", "-o", f"i{suffix}", "--json", "-q") == 0
    assert json.loads(capfd.readouterr().out)["unchanged"]["identical"] is True
    assert call("continue", name, "-s", "0.5", "-o", f"c{suffix}", "--json", "-q") == 0
    assert json.loads(capfd.readouterr().out)["unchanged"]["identical"] is True
    assert Path(name).read_bytes() == original
    kind = "float64" if subtype == "FLOAT" else "int32"
    before, _ = soundfile.read(name, dtype=kind, always_2d=True)
    for edited, seconds in ((f"i{suffix}", 2), (f"c{suffix}", 2.5)):
        info = soundfile.info(edited)
        assert (info.samplerate, info.channels, info.subtype) == (rate, channels, subtype)
        assert info.frames == round(seconds * rate)
    inpainted, _ = soundfile.read(f"i{suffix}", dtype=kind, always_2d=True)
    half = rate // 2
    assert (inpainted[:half] == before[:half]).all()
    assert (inpainted[rate:] == before[rate:]).all()
    assert (inpainted[half:rate] != before[half:rate]).any()
    continued, _ = soundfile.read(f"c{suffix}", dtype=kind, always_2d=True)
    assert (continued[: 2 * rate] == before).all()


@pytest.mark.heavy
def test_encode_and_decode(here, capfd):
    soundfile.write("take.wav", np.zeros((44_100, 1)), 44_100)
    assert call("encode", "take.wav", "-q") == 0
    assert call("decode", "take.safetensors", "--json", "-q") == 0
    facts = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert facts["seconds"] == 1.0
    info = soundfile.info("take-decoded.wav")
    assert (info.frames, info.samplerate, info.channels) == (44_100, 44_100, 1)


def test_a_tampered_weight_set_is_refused_in_one_line(here, capfd, tiny_folder):
    import shutil

    shutil.copytree(tiny_folder, "broken")
    unet = Path("broken/unet.safetensors")
    data = bytearray(unet.read_bytes())
    data[-1] ^= 1
    unet.write_bytes(data)
    assert run(["generate", "lofi", "--model", "broken", "-o", "a.wav"]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("jen1: error: ")
    assert "broken/unet.safetensors is not the file that config.json describes" in said.err
    assert said.err.count("\n") == 1
    assert not Path("a.wav").exists()


def test_models_show_counts_the_tensors(here, capfd):
    assert run(["models", "show", "tiny", "--json"]) == 0
    parameters = json.loads(capfd.readouterr().out)["parameters"]
    assert all(count > 0 for count in parameters.values())
    assert parameters["total"] == sum(parameters.values()) - parameters["total"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_chain_of_the_design_in_a_real_shell(here):
    model = "--model tiny --device cpu"
    chain = (
        f"{JEN1} generate 'lofi piano' -s 3 --seed 1 -o - {model}"
        f" | {JEN1} continue - --seconds 5 -o - {model}"
        f" | {JEN1} inpaint - --mask 3-6s -o out.flac --json {model}"
    )
    done = subprocess.run(["sh", "-c", chain], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unchanged"]["identical"] is True
    info = soundfile.info("out.flac")
    assert (info.frames, info.samplerate, info.channels, info.format) == (
        384_000, 48_000, 2, "FLAC",
    )  # fmt: skip
    made = subprocess.run(
        ["sh", "-c", f"{JEN1} generate 'lofi piano' -s 3 --seed 1 -o - {model}"],
        capture_output=True,
    ).stdout
    start, _ = soundfile.read(io.BytesIO(made), dtype="int16")
    whole, _ = soundfile.read("out.flac", dtype="int16")
    assert (whole[:144_000] == start).all()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_reader_that_takes_a_hundred_bytes(here):
    command = f"{JEN1} generate 'lofi piano' -s 3 -q -o - --model tiny | head -c 100 | wc -c"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "100"
    assert done.stderr == ""
    assert list(here.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a file-size limit")
def test_a_disk_that_fills_up_in_the_middle(here):
    """A limit on the size of files stands for the full disk: writes fail half-way."""
    command = f"ulimit -f 100; {JEN1} generate 'lofi piano' -s 10 -q -o a.wav --model tiny"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("jen1: error: ")
    assert done.stderr.count("\n") == 1
    assert list(here.iterdir()) == []
