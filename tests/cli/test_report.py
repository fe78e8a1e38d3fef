"""What a command tells: warnings of the library, progress on a terminal only."""

import logging
import sys

from jen1cli.cli.console import Console


def test_warnings_of_the_library_become_lines(capsys):
    report = Console()
    with report.library_warnings():
        logging.getLogger("jen1cli.conditioning").warning("the prompt was\ncut to %d tokens", 64)
        logging.getLogger("jen1cli.conditioning").warning("the prompt was\ncut to %d tokens", 64)
        logging.getLogger("jen1cli").info("chatter")
    assert capsys.readouterr().err == "jen1: warning: the prompt was cut to 64 tokens\n"
    assert report.warnings == ["the prompt was cut to 64 tokens"]


def test_without_a_terminal_there_is_no_progress(capsys):
    with Console().progress("making") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_there_is_progress_on_stderr(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Console().progress("making") as progress:
        progress(1, 2)
        progress(2, 2)
    said = capsys.readouterr()
    assert said.out == ""
    assert "making" in said.err


def test_quiet_shows_none(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Console(quiet=True).progress("making") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_million_warnings_are_a_hundred_and_a_word(capsys):
    report = Console()
    for number in range(1_000):
        report.warn(f"row {number} is odd")
    report.warn("row 3 is odd")
    assert len(report.warnings) == 101
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "jen1: warning: row 0 is odd"
    assert said[99:] == [
        "jen1: warning: row 99 is odd", "jen1: warning: further warnings are not shown",
    ]  # fmt: skip
