"""Records which bad inputs and faults the tests try and what comes of each.

`JEN1_OUTCOMES=FOLDER pytest -m "not gpu and not network"` leaves the records in FOLDER, and
`python tests/outcomes.py FOLDER` writes docs/robustness.md from them. A bad input is recorded by
the error that a test provokes, a fault by the fixture `fault`.
"""

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from fuzzing import INPUTS

PAGE = Path(__file__).parent.parent / "docs" / "robustness.md"
GROUPS = {
    "audio": "Audio files",
    "cli": "Command line, prompts, masks and recipes",
    "conditioning": "Text encoders and controls",
    "midi": "MIDI files",
    "corpus": "Corpora",
    "evaluation": "Evaluation",
    "music": "Chords, drums, melodies and keys",
    "pipeline": "Python interface",
    "training": "Training data, recipes and states",
    "unet": "LoRA files and networks",
    "server": "Server",
    "scale": "Prompts and corpora at scale",
    "": "Weight sets, manifests, JSON and other files",
}
FAULTS = "Faults"
ABSOLUTE_FOLDERS = re.compile(r"(?<![\w.>])(?:[A-Z]:\\|/(?!dev/))(?:[^\s,;:'\")/]+/)+")
_NUMBERS = re.compile(r"\b[0-9a-f]{12,64}\b")
_LONGEST = 160


tried = []
"""The command that is tried at the moment, if a test runs one that must fail."""


def _record(kind, name, outcome):
    folder = os.environ.get("JEN1_OUTCOMES")
    if folder:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        line = json.dumps({"kind": kind, "input": name, "outcome": outcome})
        Path(folder).mkdir(parents=True, exist_ok=True)
        # not `Path.open`, which a test may have replaced
        with open(f"{folder}/{worker}.jsonl", "a") as file:
            file.write(line + "\n")


def _plain(text):
    """Return a message on one line, without the folders of this machine."""
    text = _NUMBERS.sub("…", ABSOLUTE_FOLDERS.sub("", " ".join(str(text).split())))
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Record the errors for users that a test provokes; a fuzz test counts as one input."""
    if not os.environ.get("JEN1_OUTCOMES"):
        yield
        return
    from jen1cli.errors import Jen1Error

    seen = []
    plain = Jen1Error.__init__

    def noting(self, *arguments):
        plain(self, *arguments)
        seen.append((tried[-1] if tried else "", self))

    Jen1Error.__init__ = noting
    try:
        result = yield
    finally:
        Jen1Error.__init__ = plain
    if result.excinfo is None and seen and "fault" not in getattr(item, "fixturenames", ()):
        folder = Path(item.path).relative_to(Path(__file__).parent).parts[0]
        kind = folder if folder in GROUPS else ""
        if "fuzz" in item.name or "fuzz" in item.path.name:
            _record(
                kind, item.nodeid, f"{INPUTS} damaged inputs: each is read, or refused in one line"
            )
            return
        for command, error in seen:
            _record(kind, f"{item.nodeid}\t{command}", str(error))


@pytest.fixture
def fault(request):
    """Record a fault that a test brings about and what came of it: `fault(what, outcome)`."""

    def note(what, outcome):
        _record(FAULTS, f"{request.node.nodeid}\t{what}", outcome)

    return note


def _title(node):
    """Return the name of a test in words, with its parameters."""
    name, _, values = node.rpartition("::")[2].partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({values.removesuffix(']')})" if values else words


def _rows(records):
    """Return (group, input, outcome, test), one for each outcome of a test."""
    rows = defaultdict(set)
    for record in records:
        node, _, what = record["input"].partition("\t")
        test = node.partition("[")[0]
        key = record["kind"], _plain(record["outcome"]), test
        rows[key].add(_plain(what or _title(node)))
    for (kind, outcome, test), inputs in sorted(rows.items()):
        first, more = min(inputs), len(inputs) - 1
        yield kind, first + (f" (and {more} more)" if more else ""), outcome, test


def _cell(text):
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def write_page(folder):
    """Write the page from the records of a run."""
    paths = sorted(folder.glob("*.jsonl"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    records = [json.loads(line) for text in texts for line in text.splitlines()]
    groups = defaultdict(list)
    for kind, name, outcome, test in _rows(records):
        groups[kind].append((name, outcome, test))
    faults = groups.pop(FAULTS, [])
    inputs = sum(map(len, groups.values()))
    lines = [
        "# What was tried",
        "",
        f"{inputs} kinds of bad input and {len(faults)} kinds of fault, as the tests tried them,"
        " and what came of each: one row for each message of a test. Recorded is only that the"
        " test passed and this error was raised; the command shows it as one line, with exit code"
        " 1. That this line is all and that no file is written or changed is tested where the"
        " input is a command (`jen1 …`) that fails before its model loads, and in the faults. The"
        " tests make the page:",
        "",
        "```sh",
        'JEN1_OUTCOMES=outcomes pytest -m "not gpu and not network"',
        "python tests/outcomes.py outcomes",
        "```",
        "",
        f"## Faults ({len(faults)})",
        "",
        "| fault | outcome | test |",
        "|---|---|---|",
    ]
    lines += [f"| {_cell(a)} | {_cell(b)} | {c} |" for a, b, c in faults]
    for kind, title in GROUPS.items():
        rows = groups.get(kind, [])
        lines += [
            "",
            f"## {title} ({len(rows)})",
            "",
            "| input | outcome | test |",
            "|---|---|---|",
        ]
        lines += [f"| {_cell(a)} | {_cell(b)} | {c} |" for a, b, c in rows]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return inputs, len(faults)


if __name__ == "__main__":
    print(*write_page(Path(sys.argv[1])))  # noqa: T201 - a script
