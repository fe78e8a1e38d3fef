"""What the tests of sets share: prompt files, runs of the tiny model, and trees of files."""

import json
import os
import signal
from pathlib import Path

from jen1cli.scale.pieces import MakerSpec

TINY = ("-m", "tiny", "--random-weights", "--device", "cpu")
SHORT = ("--steps", "1", "--composer", "none", "-s", "0.1", *TINY)
"""What makes a piece in a twentieth of a second."""


def write_prompts(path, rows):
    """Write a prompt file, and return its path; a row is text, or becomes JSON."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def tree(folder):
    """Return the files of a set by name, without its own folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and ".set" not in path.relative_to(folder).parts
    }


def lines_of(path):
    """Return the values of a file of JSON lines."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def manifest(folder):
    """Return the lines of a set's manifest."""
    return lines_of(Path(folder) / "manifest.jsonl")


def made(folder):
    """Return the audio of a set by piece, whatever its layout."""
    found = {}
    for line in manifest(folder):
        data = (Path(folder) / line["audio"]).read_bytes()
        found[line["piece"]] = data[line["offset"] :][: line["size"]] if "offset" in line else data
    return found


class Killing(MakerSpec):
    """A `MakerSpec` whose process is killed over row 3, the first time."""

    def open(self):
        maker = super().open()
        make = maker.make
        marker = self.folder / "killed"

        def killed(batch):
            if batch[0].piece == 3 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return make(batch)

        maker.make = killed
        return maker


class Failing(MakerSpec):
    """A `MakerSpec` that cannot load its model, or whose process ends over every row 3."""

    def open(self):
        if self.extension == "none":
            os._exit(9)
        maker = super().open()
        make = maker.make

        def ends(batch):
            if batch[0].piece == 3:
                os._exit(9)
            return make(batch)

        maker.make = ends
        return maker
