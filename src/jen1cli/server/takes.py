"""Takes: music that the server keeps in a folder, each in a folder of its own.

A take is written under a name that begins with a dot and renamed when it is whole, so a killed
server leaves no half take; the next start removes what was left.
"""

import json
import os
import re
import secrets
import shutil
import threading
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jen1cli import audio
from jen1cli.errors import ConfigError, DataError
from jen1cli.files import explaining, make_folder, write_text
from jen1cli.folders import LOCK_NAME, lock_folder
from jen1cli.jsonfiles import JsonError, parse_json
from jen1cli.recipe import Recipe, RecipeInput, find_recipe
from jen1cli.server.errors import ApiError
from jen1cli.server.requests import FormatName
from jen1cli.typed_json import from_dict, to_dict

FACTS = "take.json"
WORK = ".work"
_ID = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(rf"audio\.({'|'.join(typing.get_args(FormatName))})")


@dataclass(frozen=True)
class Take:
    """What is known of a take; the fields of its `take.json`."""

    id: str
    name: str
    created: float  # seconds since 1970
    task: str  # "upload" for a file of the user's own
    prompt: str
    seconds: float
    sample_rate: int
    channels: int
    file: str  # name of the audio file
    sha256: str  # sha256 of the audio file
    seed: int | None = None
    parent: str | None = None
    bpm: float | None = None
    key: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return the public fields as JSON values."""
        values = to_dict(self)
        for name in ("file", "sha256"):
            del values[name]
        moment = time.gmtime(self.created)
        values["created"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
        values["format"] = Path(self.file).suffix.removeprefix(".")
        return values


class Takes:
    """The takes in a folder.

    Args:
        folder: made if it is missing; one server at a time uses it.

    Raises:
        ConfigError: another server uses the folder.
        OutputError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = make_folder(folder)
        with explaining(folder):
            self._lock = lock_folder(
                folder,
                f"another jen1 server keeps its takes in {folder}; give --takes FOLDER, or stop it",
            )
        self._guard = threading.RLock()
        for entry in folder.iterdir():
            if entry.name.startswith(".") and entry.name != LOCK_NAME:
                _remove(entry)
        self.work = make_folder(folder / WORK)
        self._takes: dict[str, Take] = {}
        for entry in folder.iterdir():
            if _ID.fullmatch(entry.name) and (take := _read(entry)) is not None:
                self._takes[take.id] = take

    def close(self) -> None:
        """Let another server use the folder."""
        shutil.rmtree(self.work, ignore_errors=True)
        self._lock.close()

    def list(self) -> list[Take]:
        """Return all takes, the newest first."""
        with self._guard:
            return sorted(self._takes.values(), key=lambda take: -take.created)

    def get(self, name: str, param: str = "id") -> Take:
        """Return a take.

        Raises:
            ApiError: there is none of that name.
        """
        take = self._takes.get(name)
        if take is None:
            raise ApiError(404, "take_not_found", "there is no such take (any more)", param)
        return take

    def path(self, take: Take) -> Path:
        """Return the audio file of a take."""
        return self.folder / take.id / take.file

    def recipe(self, take: Take) -> Recipe | None:
        """Return the recipe in the file of a take; None if it has none."""
        return find_recipe(self.path(take))

    def find(self, wanted: RecipeInput) -> Path | None:
        """Return the file of the take that is the recording of a recipe's input."""
        for take in self.list():
            if take.sha256 == wanted.sha256:
                return self.path(take)
        if not wanted.samples_sha256:
            return None
        paths = map(self.path, self.list())
        return next((path for path in paths if wanted.is_that_of(path)), None)

    def add(
        self, path: Path, *, name: str, task: str, suffix: str, parent: str | None = None
    ) -> Take:
        """Move an audio file into a new take.

        Args:
            path: file on the same disk.
            name: for people.
            task: that made it, or "upload".
            suffix: the format's suffix, such as ".wav".
            parent: take that it came from.

        Raises:
            AudioError: the file is not audio.
            OutputError: nothing can be written.
        """
        identity = secrets.token_hex(8)
        info = audio.probe(path)
        recipe = find_recipe(path)
        controls = None
        if recipe is not None and recipe.played:
            controls = recipe.played[0].controls
        key = f"{controls.key} {controls.mode}" if controls is not None and controls.key else None
        take = Take(
            id=identity,
            name=name,
            created=time.time(),
            task=task,
            prompt="" if recipe is None else recipe.prompt,
            seconds=round(info.seconds, 6),
            sample_rate=info.sample_rate,
            channels=info.channels,
            file=f"audio{suffix}",
            sha256=audio.digest(path),
            seed=None if recipe is None else recipe.seed,
            parent=parent if parent in self._takes else None,
            bpm=controls.bpm if controls is not None and controls.bpm else None,
            key=key,
        )
        new = self.folder / f".{identity}"
        with explaining(new):
            new.mkdir()
            try:
                os.replace(path, new / take.file)
                write_text(new / FACTS, _text(take))
                os.rename(new, self.folder / identity)
            except BaseException:
                _remove(new)
                raise
        with self._guard:
            self._takes[identity] = take
        return take

    def rename(self, name: str, title: str) -> Take:
        """Give a take another name.

        Raises:
            ApiError: there is no such take.
        """
        with self._guard:
            take = replace(self.get(name), name=title)
            write_text(self.folder / take.id / FACTS, _text(take))
            self._takes[take.id] = take
            return take

    def delete(self, name: str) -> None:
        """Remove a take.

        Raises:
            ApiError: there is no such take.
        """
        with self._guard:
            take = self.get(name)
            gone = self.folder / f".{take.id}"
            with explaining(gone):
                os.rename(self.folder / take.id, gone)
            del self._takes[take.id]
        _remove(gone)

    def cached(self, take: Take, name: str, make: Callable[[], str]) -> str:
        """Return a text that belongs to a take, made at the first call."""
        if (text := self.read_cached(take, name)) is not None:
            return text
        text = make()
        path = self.folder / take.id / name
        if path.parent.is_dir():  # else it was deleted meanwhile
            write_text(path, text)
        return text

    def read_cached(self, take: Take, name: str) -> str | None:
        """Return a text that belongs to a take; None if it was not made yet."""
        path = self.folder / take.id / name
        return path.read_text(encoding="utf-8") if path.is_file() else None


def _text(take: Take) -> str:
    return json.dumps(to_dict(take), indent=1) + "\n"


def _read(folder: Path) -> Take | None:
    """Return the take in a folder; None where it is none, such as one that was copied in part."""
    try:
        values = parse_json((folder / FACTS).read_text(encoding="utf-8"), FACTS)
        take = from_dict(Take, values, FACTS)
    except (OSError, UnicodeDecodeError, JsonError, ConfigError, DataError):
        return None
    is_right = take.id == folder.name and _NAME.fullmatch(take.file)
    return take if is_right and (folder / take.file).is_file() else None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
