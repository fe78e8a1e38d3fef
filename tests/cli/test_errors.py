"""The single place where an error becomes a line and a code."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import jen1cli
from jen1cli.cli import app
from jen1cli.cli.console import Console
from jen1cli.cli.engine import ModelChoice, load_model
from jen1cli.errors import Jen1Error, needs_extra


@pytest.fixture(autouse=True)
def _signals_are_given_back():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.getsignal(name) for name in numbers}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inpaint"], "missing argument 'INPUT'; see: jen1 inpaint --help"),
        (["decode", "a", "--negative", "x"], "no such option: --negative"),
        (["continue", "--seconds"], "'--seconds'"),
        (["genrate", "lofi"], "no command 'genrate'; did you mean 'jen1 generate'?"),
        (["lofi piano"], "to make music from a prompt: jen1 generate 'lofi piano'"),
        (["dance"], "no command 'dance'; commands: generate, inpaint"),
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
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("unable to mmap 5 bytes: Cannot allocate memory (12)"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
        RuntimeError("could not execute a primitive"),
        SystemError("<function f at 0x7f> returned NULL without setting an exception"),
        ImportError("/a/b.so: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_one_line(jen1, model, error):
    model.error = error
    result = jen1("generate", "lofi", "-s", "0.1")
    assert result.code == 1
    assert result.err.startswith("jen1: error: the memory does not suffice; ask for fewer")
    assert result.err.count("\n") == 1


def test_a_package_for_which_there_is_no_memory_is_not_called_missing():
    without_memory = ImportError("/a/b.so: failed to map segment from shared object")
    with pytest.raises(ImportError) as raised, needs_extra("provenance", "signing"):
        raise without_memory
    assert raised.value is without_memory


def test_libraries_that_do_not_load_are_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "jen1cli.pipeline", None)
    with pytest.raises(Jen1Error, match=r"'jen1 doctor' says what to do"):
        load_model(ModelChoice(), Console())


def test_being_terminated_is_an_interrupt(monkeypatch):
    monkeypatch.setattr("sys.argv", ["jen1", "--version"])
    with pytest.raises(SystemExit):
        app.main()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(name)
        assert callable(handler)
        with pytest.raises(KeyboardInterrupt):
            handler(name, None)


def test_signals_that_were_ignored_stay_ignored(monkeypatch):
    monkeypatch.setattr("sys.argv", ["jen1", "--version"])
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    with pytest.raises(SystemExit):
        app.main()
    assert [signal.getsignal(number) for number in numbers] == [signal.SIG_IGN] * 3


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("ignored", [True, False])
def test_nohup_keeps_a_command_alive(tmp_path, ignored):
    """The command waits for a pipe; hung up, it dies unless `nohup` has made it deaf to that."""
    os.mkfifo(tmp_path / "pipe")
    prefix = ["nohup"] if ignored else []
    command = [*prefix, sys.executable, "-m", "jen1cli", "info", "pipe"]
    waiting = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with open(tmp_path / "pipe", "wb") as pipe:  # opens when the command has opened it
        waiting.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        if ignored:
            pipe.write(b"not audio")
    _, said = waiting.communicate(timeout=30)
    assert "Traceback" not in said
    assert ("pipe" in said or "piped audio is not audio" in said) == ignored
    assert waiting.returncode == (1 if ignored else 130)


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.parametrize(
    ("module", "words"),
    [
        pytest.param("typer", [], marks=pytest.mark.heavy),
        pytest.param("rich", [], marks=pytest.mark.heavy),
        ("jen1cli.cli.app", []),
        ("jen1cli.cli.options", ["generate"]),
    ],
)
def test_ctrl_c_while_the_command_line_is_imported_is_quiet(tmp_path, module, words):
    code = (
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            print('importing', flush=True); time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
        f"sys.argv = {['jen1', *words, '--help']!r}\n"
        "from jen1cli.__main__ import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    starting = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert starting.stdout is not None
    assert starting.stdout.readline() == "importing\n"
    starting.send_signal(signal.SIGINT)
    out, err = starting.communicate(timeout=30)
    assert (starting.returncode, out, err) == (130, "", "")


def test_the_script_enters_where_little_is_imported():
    with open(Path(__file__).parents[2] / "pyproject.toml", "rb") as file:
        assert tomllib.load(file)["project"]["scripts"] == {"jen1": "jen1cli.__main__:main"}
    code = "import sys; import jen1cli.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [name for name in done.stdout.split() if name.startswith("jen1cli")]
    assert loaded == ["jen1cli", "jen1cli.__main__"]
    assert "typer" not in done.stdout.split()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "width"),
    [("COLUMNS", "0"), ("COLUMNS", "wide"), ("TERMINAL_WIDTH", "3"), ("TERMINAL_WIDTH", "-1")],
)
def test_a_width_that_shows_nothing_is_not_taken(tmp_path, name, width):
    done = subprocess.run(
        [sys.executable, "-m", "jen1cli", "generate", "--help"],
        env={**os.environ, name: width}, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Make music from text" in done.stdout
    assert "--seconds" in done.stdout


def test_an_exit_of_another_kind_is_passed_on(jen1, model):
    model.error = SystemExit(7)
    with pytest.raises(SystemExit) as left:
        jen1("generate", "lofi", "-s", "0.1")
    assert left.value.code == 7


PACKAGE = Path(jen1cli.__file__).parent


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory", str(PACKAGE / "data" / "gone.json")),
        NotADirectoryError(20, "Not a directory", os.fsencode(PACKAGE / "x")),
        OSError(22, "Invalid argument"),
        OSError("no number at all"),
    ],
)
def test_a_file_of_our_own_that_is_missing_is_a_bug(jen1, model, error):
    model.error = error
    with pytest.raises(OSError) as caught:  # noqa: PT011 - it is this very one
        jen1("generate", "lofi", "-s", "0.1")
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/music/a.wav"), "refused /music/a.wav: Perm"),
        (OSError(28, "No space left on device"), "refused: No space left on device"),
        (OSError(5, "Input/output error", b"/mnt/b\xe9"), "refused /mnt/b\\xe9: Input/output"),
        (OSError(24, "Too many open files", str(PACKAGE / "x")), "Too many open files"),
    ],
)
def test_what_the_machine_refuses_is_one_line(jen1, model, error, words):
    model.error = error
    result = jen1("generate", "lofi", "-s", "0.1")
    assert result.code == 1
    assert words in result.err
    assert result.err.count("\n") == 1


def test_a_name_that_no_library_takes_is_one_line(jen1, model):
    model.error = UnicodeEncodeError("utf-8", "models/b\udce9/x", 8, 9, "surrogates not allowed")
    result = jen1("generate", "lofi", "-s", "0.1")
    assert result.code == 1
    assert "'models/b\\xe9/x' is not text in UTF-8; rename the file" in result.err
    model.error = UnicodeEncodeError("cp1252", "л", 0, 1, "character maps to undefined")
    with pytest.raises(UnicodeEncodeError):
        jen1("generate", "lofi", "-s", "0.1")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["generate", "lofi", "-m", "~nosuchuser/set"], {}),
        (["models", "show", "~nosuchuser/set"], {}),
        (["models", "list"], {"JEN1_WEIGHTS": "~nosuchuser"}),
        (["corpus", "inspect", "~nosuchuser"], {}),
        (["corpus", "make", "~nosuchuser"], {}),
        (["evaluate", "codec", "~nosuchuser"], {}),
        (["evaluate", "codec", ".", "-m", "~nosuchuser"], {}),
        (["train", "autoencoder", "~nosuchuser", "-o", "x", "--steps", "1"], {}),
    ],
)
def test_the_home_of_nobody_is_one_line(jen1, monkeypatch, arguments, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = jen1(*arguments)
    assert result.code == 1, result.err
    assert "~nosuchuser" in result.err
    assert result.err.count("\n") == 1


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
