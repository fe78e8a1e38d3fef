"""Printing for all commands, with control characters escaped.

Prompts, tags and file names are untrusted. An escape sequence in one could move the cursor or
change the title of a terminal, and a bidirectional control could reorder the displayed text.
"""

import json
import logging
import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.text import Text

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}  # context settings of all commands
LINE_SECONDS = 60.0  # between lines of progress, where there is no terminal
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories of Unicode
_JOINERS = "\u200c\u200d"  # characters of category Cf, but Persian and emoji need them


def escaped(text: str) -> str:
    r"""Show control characters, bidirectional controls and bytes that are no text as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(_escape(char) if _is_unsafe(char) else char for char in text)


def echo(*lines: str, err: bool = False) -> None:
    """Print lines, on stdout or stderr; a line break inside one is escaped too."""
    typer.echo("\n".join(map(escaped, lines)), err=err)


def echo_json(facts: Mapping[str, Any], *, err: bool = False) -> None:
    """Print one JSON object on one line, in ASCII."""
    typer.echo(json.dumps(facts).replace("\x7f", "\\u007f"), err=err)


def echo_path(path: str | Path) -> None:
    """Print a path on stdout: for people on a terminal, else the bytes of its name as they are."""
    stream = sys.stdout
    buffer = getattr(stream, "buffer", None)
    if buffer is None or stream.isatty() or os.name == "nt":
        echo(str(path))
        return
    stream.flush()
    buffer.write(os.fsencode(path) + b"\n")
    buffer.flush()


class LogLines(logging.Handler):
    """Prints log records that no command reports, such as those of other libraries."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record as one line."""
        echo(f"jen1: {record.levelname.lower()}: {' '.join(record.getMessage().split())}", err=True)


def forgive_encoding() -> None:
    """Make stdout escape characters that its encoding lacks, as stderr does by default."""
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]


def cell(text: str, style: str = "") -> "Text":
    """Return text for a table or a console of rich, without markup."""
    from rich.text import Text

    return Text(escaped(text), style=style)


def console() -> "Console":
    """Return rich's console on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)


def progress_bars(*columns: "ProgressColumn") -> "Progress":
    """Return transient progress bars on stderr, with titles without markup."""
    from rich.progress import BarColumn, Progress, TextColumn

    title = TextColumn("{task.description}", markup=False)
    return Progress(title, BarColumn(), *columns, console=console(), transient=True)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE and char not in _JOINERS


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
