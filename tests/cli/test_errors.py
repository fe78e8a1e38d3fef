"""The single place where an error becomes a line and a code."""

import os
import signal
import subprocess
import sys
import time

import pytest

import jen1cli
from jen1cli.cli import app
from jen1cli.cli.engine import ModelChoice, load_model
from jen1cli.cli.report import Report
from jen1cli.errors import Jen1Error


@pytest.fixture(autouse=True)
def _signals_are_given_back():
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inpaint"], "missing argument 'INPUT'; see: jen1 inpaint --help"),
        (["decode", "a", "--negative", "x"], "no such option: --negative"),
        (["continue", "--seconds"], "'--seconds'"),
        (["genrate", "lofi"], "no verb 'genrate'; did you mean 'jen1 generate'?"),
        (["lofi piano"], "to make music from a prompt: jen1 generate 'lofi piano'"),
        (["dance"], "no verb 'dance'; verbs: generate, inpaint"),
        (["models", "lsit"], "lsit"),
        (["--verbose"], "no such option: --verbose"),
    ],
)
def test_usage_is_code_2(jen1, model, arguments, words):
    result = jen1(*arguments)
    assert result.code == 2
    assert words in result.err
    assert result.out == ""
    assert model.load is None


def test_a_usage_error_is_one_line_that_names_the_help(jen1, model):
    result = jen1("decode", "a", "--negative", "x")
    assert result.err.startswith("jen1: error: no such option")
    assert result.err.endswith("see: jen1 decode --help\n")
    assert result.err.count("\n") == 1


def test_an_input_without_a_verb_gets_one(jen1, model, take):
    assert "try: jen1 continue take.wav" in jen1("take.wav").err


def test_a_bug_keeps_its_traceback(jen1, model):
    model.error = ZeroDivisionError("our fault")
    with pytest.raises(ZeroDivisionError):
        jen1("generate", "lofi", "-s", "0.1")


def test_debug_keeps_every_traceback(jen1, model, monkeypatch):
    monkeypatch.setenv("JEN1_DEBUG", "1")
    with pytest.raises(jen1cli.errors.ConfigError):
        jen1("generate", "", "-s", "0.1")


def test_ctrl_c_is_130_and_leaves_nothing(jen1, model):
    model.error = KeyboardInterrupt()
    result = jen1("generate", "lofi", "-s", "0.1", "-o", "a.wav")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert list(result.folder.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing(jen1, model, monkeypatch):
    from jen1cli.audio import writing

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_fill", full)
    result = jen1("generate", "lofi", "-s", "0.1", "-o", "a.wav")
    assert result.code == 1
    assert result.err.startswith("jen1: error: ")
    assert "No space left on device" in result.err
    assert list(result.folder.iterdir()) == []


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried"),
    ],
)
def test_too_little_memory_is_one_line(jen1, model, error):
    model.error = error
    result = jen1("generate", "lofi", "-s", "0.1")
    assert result.code == 1
    assert result.err.startswith("jen1: error: the memory does not suffice; ask for fewer")
    assert result.err.count("\n") == 1


def test_libraries_that_do_not_load_are_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "jen1cli.pipeline", None)
    with pytest.raises(Jen1Error, match=r"'jen1 doctor' says what to do"):
        load_model(ModelChoice(), Report())


def test_being_terminated_is_an_interrupt(monkeypatch):
    monkeypatch.setattr("sys.argv", ["jen1", "--version"])
    with pytest.raises(SystemExit):
        app.main()
    for name in (signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(name)
        assert callable(handler)
        with pytest.raises(KeyboardInterrupt):
            handler(name, None)


def test_main_leaves_with_the_code(monkeypatch):
    monkeypatch.setattr("sys.argv", ["jen1", "--version"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 0


def test_version(jen1):
    assert jen1("--version").out == f"jen1 {jen1cli.__version__}\n"


def test_python_m_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jen1cli", "--version"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == f"jen1 {jen1cli.__version__}\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_in_the_middle_of_work(tmp_path):
    command = [sys.executable, "-m", "jen1cli", "generate", "lofi", "--model", "tiny",
               "--random-weights", "-s", "1500", "-o", "a.wav"]  # fmt: skip
    working = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
    assert working.stderr is not None
    working.stderr.readline()  # the warning of random weights: the model is loaded
    time.sleep(2)
    working.send_signal(signal.SIGINT)
    _, said = working.communicate(timeout=30)
    assert working.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
