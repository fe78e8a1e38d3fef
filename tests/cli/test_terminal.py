"""What is printed: nothing that a terminal would obey, and nothing that an encoding lacks."""

import ast
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from jen1cli.cli import terminal
from jen1cli.cli.console import Console
from jen1cli.cli.corpus import _show
from jen1cli.cli.evaluation.display import show_report
from jen1cli.cli.training.display import Display
from jen1cli.evaluation.report import Report as Findings
from jen1cli.evaluation.report import Table

CLI = Path(terminal.__file__).parent
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m\udce9\r"
HARMLESS = "\\x1b]0;owned\\x07\\x1b[2J\\u202egnp.exe\\x9b31m\\xe9\\r"
SHOWN = HARMLESS.removesuffix("\\r")  # a line break at the end is none of the message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EVIL, HARMLESS),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u2028 \u200e \u2066 \ufeff \x7f \x00", "\\u2028 \\u200e \\u2066 \\ufeff \\x7f \\x00"),
        ("\ud800", "\\ud800"),
        ("café 피아노 می‌خواهم 👩‍🎤", "café 피아노 می‌خواهم 👩‍🎤"),
    ],
)
def test_controls_are_shown_and_words_stay(text, shown):
    assert terminal.escaped(text) == shown


def test_lines_are_lines_of_ours(capfd):
    terminal.echo("a", "b\nc")
    terminal.echo_json({"a": EVIL + "\x7f"})
    out = capfd.readouterr().out
    assert out.splitlines()[:2] == ["a", "b\\nc"]
    assert json.loads(out.splitlines()[2]) == {"a": EVIL + "\x7f"}
    assert out.replace("\n", "").isprintable()


def test_only_one_file_prints():
    for path in CLI.rglob("*.py"):
        if path.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("print", "typer.echo"), f"{path}: {name}"
                assert not name.endswith((".secho", "stdout.write", "stderr.write")), path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("rich.console", "rich.text"), path


def test_errors_warnings_and_paths_are_escaped(jen1, model, capfd):
    jen1("generate", "lofi", "-m", EVIL)
    jen1(EVIL)
    jen1("info", f"{EVIL}.wav")
    jen1("generate", "lofi", "-o", f"{{{EVIL}}}.wav")
    report = Console()
    report.warn(EVIL)
    report.note(EVIL)
    said = capfd.readouterr()
    for line in (said.out + said.err).splitlines():
        assert line.isprintable(), ascii(line)


def test_training_reports_what_the_library_logs(capfd):
    for quiet, shown in ((False, f"jen1: warning: {SHOWN}\n"), (True, "")):
        report = Console(quiet=quiet)
        with Display(report):
            logging.getLogger("jen1cli.conditioning.text").warning("%s", EVIL)
        assert report.warnings == [EVIL.strip()]
        assert capfd.readouterr().err == shown


def test_log_records_of_other_libraries_are_escaped():
    script = (
        "import logging\nfrom jen1cli.cli import app\n"
        f"app.run = lambda: logging.getLogger('other').warning({EVIL!r})\napp.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == f"jen1: warning: {SHOWN}\n"


def test_info_shows_the_recipe_without_its_controls(jen1, model):
    name = "b\x1b[31m.wav"
    assert jen1("generate", "lofi", "-s", "0.1", "-o", name, "--negative", EVIL[:10]).code == 0
    result = jen1("info", name)
    assert result.out.startswith("b\\x1b[31m.wav\n")
    assert "\\x1b]0;owned" in result.out
    assert result.out.replace("\n", "").isprintable()


def test_tables_are_escaped_and_not_read_as_markup(capfd):
    table = Table(f"[red]{EVIL}", EVIL, (f"[/b]{EVIL}", "x"), ((f"[bold]{EVIL}", 1.0),), note=EVIL)
    show_report(Findings(kind="x", tables=[table]))
    counts = {f"[/b]{EVIL}": 3}
    _show(SimpleNamespace(clips=1, hours=1.0, captions=1, words_per_caption=1.0, vocabulary=1,
                          tables={"styles": counts}))  # fmt: skip
    said = capfd.readouterr().err
    assert "[bold]" in said
    assert "[/b]" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_titles_of_progress_are_escaped_and_not_read_as_markup(monkeypatch):
    main, terminal_end = os.openpty()
    with os.fdopen(terminal_end, "w") as screen, monkeypatch.context() as patch:
        patch.setattr("sys.stderr", screen)
        with Console().progress("[/b]\x1b]0;owned\x07") as bar:
            bar(1, 2)
        screen.flush()
        shown = os.read(main, 100_000).decode()
    os.close(main)
    assert "[/b]" in shown
    assert "\x1b]0;" not in shown
    assert "\x07" not in shown


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_printed_as_it_is_for_programs(capfdbinary, monkeypatch):
    terminal.echo_path("b\udce9.wav")
    assert capfdbinary.readouterr().out == b"b\xe9.wav\n"
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        terminal.echo_path("b\udce9.wav")
    assert capfdbinary.readouterr().out == b"b\\xe9.wav\n"


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_go_through_every_verb(jen1, model):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (24_000, 2))
    name = "b\udce9.wav"
    soundfile.write(os.fsencode(name), noise, 48_000)
    for arguments in (
        ["continue", name, "-s", "0.2", "-o", "c\udce9.flac"],
        ["again", "c\udce9.flac", "-o", "d\udce9.flac"],
        ["inpaint", name, "--mask", "0.1-0.2", "-o", "e\udce9.wav", "--json"],
        ["encode", name, "-o", "f\udce9.safetensors"],
        ["decode", "f\udce9.safetensors", "-o", "g\udce9.ogg"],
        ["info", name],
        ["info", "f\udce9.safetensors", "--json"],
        ["encode", ".", "-o", "."],
    ):
        if arguments[-1] == ".":
            Path("e\udce9.wav").unlink()
            Path("f\udce9.safetensors").unlink()
            Path("out\udce9").mkdir()
            arguments[-1] = "out\udce9"
        result = jen1(*arguments)
        assert result.code == 0, ascii(result.err)


@pytest.mark.heavy
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_an_encoding_that_lacks_letters_is_no_traceback(encoding, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (24_000, 2))
    soundfile.write(tmp_path / "лofi.wav", noise, 48_000)
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for arguments in (["info", "лofi.wav"], ["--help"], ["generate", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "jen1cli", *arguments],
            cwd=tmp_path, env=environment, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
        if arguments[0] == "info":
            assert done.stdout.startswith(b"\\u043bofi.wav")


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "lofi \udce9 piano"],
        ["generate", "lofi piano", "--negative", "\ud800"],
        ["continue", "take.wav", "--prompt", "lofi \udce9"],
        ["inpaint", "take.wav", "--mask", "0.5-1s", "--prompt", "\udce9"],
    ],
)
def test_words_that_are_no_text_are_refused(refused, take, arguments):
    assert "is not text in UTF-8" in refused(*arguments).err


def test_half_a_surrogate_pair_in_a_prompt_file_is_refused(refused):
    Path("prompts.jsonl").write_text('{"prompt": "lofi \\ud800"}\n')
    said = refused("generate", "lofi", "--from", "prompts.jsonl").err
    assert "half a surrogate pair" in said
