"""The folder of a set: its settings, finished blocks, shards in WebDataset format, the manifest.

    FOLDER/manifest.jsonl          when every shard is complete
    FOLDER/errors.jsonl            rows that failed; of several shards when every one is complete
    FOLDER/errors-00003.jsonl      rows of shard 3 that failed in its last run
    FOLDER/shard-00003.tar         layout "tar": audio and facts of a block of rows
    FOLDER/000012/000012345.flac   layout "files"; its facts are beside it, as .json
    FOLDER/.set/settings.json      what all shards must have in common
    FOLDER/.set/shard-00003.json   state of a shard
    FOLDER/.set/blocks/00003.jsonl manifest of a finished block
    FOLDER/.set/pieces/00003/      layout "tar": pieces of a block that is not packed yet

Block b of shard k of n has the number k + b n, and so has its tar file. Every file is written under
a temporary name and renamed, so that a process may be killed at any moment.
"""

import contextlib
import dataclasses
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import jen1cli
from jen1cli.errors import ConfigError, DataError, OutputError
from jen1cli.files import (
    add_to_tar,
    encoded,
    explaining,
    make_folder,
    remove_leftovers,
    write_text,
    writing,
)
from jen1cli.jsonfiles import JsonError, parse_object, read_object, short_json, to_json
from jen1cli.manifest import MANIFEST_NAME
from jen1cli.sampling import draw_seed
from jen1cli.scale.pieces import places
from jen1cli.scale.requests import PieceJob, PieceRequest
from jen1cli.shards import Shard

LAYOUTS = ("files", "tar")
BLOCK_ROWS = 1_000
_FOLDER_PIECES = 1_000  # in one folder of the layout "files"
_FORMAT = 1
_NAMES = {
    "base": "value of an option for all rows",
    "block_rows": "number of rows in a block",
    "copies": "--count",
    "extension": "--format",
    "loras": "choice of --lora",
    "shards": "number of shards",
}
"""Settings in words, where their key is none."""

Line = dict[str, Any]


@dataclass(frozen=True)
class SetSettings:
    """What all shards of a set have in common; stored in its folder."""

    seed: int | None  # seed of the first piece; None takes the folder's, or draws one
    shards: int
    copies: int  # pieces for each row
    layout: str
    extension: str  # extension of the audio files
    batch: int
    block_rows: int  # rows of a shard that are sorted and packed together
    facts: Mapping[str, Any]  # facts of model and base settings, as JSON values

    def stored(self) -> Line:
        """Return JSON values."""
        values = dataclasses.asdict(self)
        facts = values.pop("facts")
        return {"format": _FORMAT, "version": jen1cli.__version__, **values, **facts}


class SetFolder:
    """The folder of a set, as one shard's process uses it."""

    def __init__(self, folder: Path, settings: SetSettings, shard: Shard) -> None:
        """Open or begin the folder.

        Raises:
            ConfigError: it holds something else, or a set with other settings.
            OutputError: it cannot be written.
        """
        self.folder = folder.absolute()
        self._own = self.folder / ".set"
        self._shard = shard
        self._check_folder()
        self.settings = self._agreed(settings)
        make_folder(self._own / "blocks")
        make_folder(self._own / "pieces")

    @property
    def is_begun(self) -> bool:
        """Whether an earlier run has begun this shard."""
        return self._state.is_file()

    def begin(self) -> None:
        """Note that this shard is begun, and forget the errors of an earlier run."""
        remove_leftovers(self._own, {self._state.stem})
        with explaining(self._all_errors):  # those of other shards are in files of their own
            self._all_errors.unlink(missing_ok=True)
        if self._shard.count == 1:
            remove_leftovers(self.folder, {Path(MANIFEST_NAME).stem})
        if not self.is_begun:
            write_text(self._state, to_json({"is_complete": False}) + "\n")
        with explaining(self.errors):
            self.errors.unlink(missing_ok=True)

    @property
    def errors(self) -> Path:
        """File of this shard's rows that failed."""
        return self._errors_of(self._shard.index)

    @property
    def _all_errors(self) -> Path:
        return self.folder / "errors.jsonl"

    def _errors_of(self, index: int) -> Path:
        alone = self._shard.count == 1
        return self._all_errors if alone else self.folder / f"errors-{index:05d}.jsonl"

    def note_error(self, row: int, where: str, error: str, piece: int | None = None) -> None:
        """Add a row to the file of errors, or one piece of it.

        Raises:
            OutputError: it cannot be written.
        """
        of_piece = {} if piece is None else {"piece": piece}
        line = to_json({"row": row, **of_piece, "where": where, "error": error}) + "\n"
        with explaining(self.errors), self.errors.open("ab") as file:
            file.write(encoded(line))

    def block(self, position: int) -> "RowBlock":
        """Open a block of this shard, counted from 0."""
        if not self._state.is_file():
            raise OutputError(f"{self.folder} has vanished; give the folder back, or begin anew")
        number = self._shard.index + position * self._shard.count
        return RowBlock(self.folder, self._own, number, self.settings)

    def finish(self) -> Path | None:
        """Note that this shard is complete; after the last one, write the manifest of the set.

        Returns:
            the manifest; None while other shards are missing, and where the set has no piece.
        """
        write_text(self._state, to_json({"is_complete": True}) + "\n")
        states = [self._state_of(index) for index in range(self._shard.count)]
        if not all(path.is_file() and read_object(path).get("is_complete") for path in states):
            return None
        self._join_errors()
        blocks = sorted((self._own / "blocks").glob("[0-9]*.jsonl"))
        if not any(path.stat().st_size for path in blocks):
            return None
        manifest = self.folder / MANIFEST_NAME
        _join(blocks, manifest)
        return manifest

    def _join_errors(self) -> None:
        """Write the failed rows of all shards into one file, one shard after the other."""
        paths = [self._errors_of(index) for index in range(self._shard.count)]
        if self._shard.count > 1 and any(path.is_file() for path in paths):
            _join(filter(Path.is_file, paths), self._all_errors)

    @property
    def _state(self) -> Path:
        return self._state_of(self._shard.index)

    def _state_of(self, index: int) -> Path:
        return self._own / f"shard-{index:05d}.json"

    def _check_folder(self) -> None:
        if self._own.is_dir():
            return
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ConfigError(
                f"-o {self.folder} is not empty and no set of jen1 generate; choose another folder"
            )
        make_folder(self._own)

    def _agreed(self, settings: SetSettings) -> SetSettings:
        """Compare the settings with the folder's, or store them; return them with the seed."""
        path = self._own / "settings.json"
        drawn = draw_seed() if settings.seed is None else settings.seed
        seeded = dataclasses.replace(settings, seed=drawn)
        with contextlib.suppress(OutputError):  # it is there, perhaps of another shard's process
            write_text(path, json.dumps(seeded.stored(), indent=1) + "\n", overwrite=False)
        if not path.is_file():
            raise OutputError(f"cannot write {path}; choose another -o")
        there = read_object(path)
        if settings.seed is None:
            seeded = dataclasses.replace(settings, seed=there.get("seed"))
        stored = parse_object(to_json(seeded.stored()), str(path))
        for key, value in {**dict.fromkeys(there), **stored}.items():
            if there.get(key) != value:
                was, now = map(short_json, (there.get(key), value))
                raise ConfigError(
                    f"-o {self.folder} holds a set with another {_NAMES.get(key, key)} ({was}, now"
                    f" {now}); choose another folder"
                )
        return seeded


class RowBlock:
    """Consecutive rows of a shard: what of them is made, and the packing of them."""

    def __init__(self, folder: Path, own: Path, number: int, settings: SetSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._staging = own / "pieces" / f"{number:05d}"
        self._manifest = own / "blocks" / f"{number:05d}.jsonl"
        self._tar = folder / f"shard-{number:05d}.tar"
        self._made: dict[int, Line] = {}  # lines of finished pieces, of the manifest
        self._new: set[int] = set()  # those that the manifest lacks
        self.failed_rows: set[int] = set()
        self.open_jobs = 0  # handed out and not finished
        self.is_closed = False  # whether all jobs are handed out
        for line in _read_manifest(self._manifest):
            self._check_line(line)
            if self._is_there(line):
                self._made[line["piece"]] = line
            else:
                self._new.add(line["piece"])

    def place(self, piece: int) -> str:
        """Return the path of a piece inside the set's folder, without extension."""
        if self._settings.layout == "tar":
            return f"{self._staging.relative_to(self._folder).as_posix()}/{piece:09d}"
        return file_place(piece)

    def is_made(self, piece: int) -> bool:
        """Whether a piece is made, of whatever row."""
        return piece in self._made or self._staged(piece) is not None

    def has(self, piece: int, request: PieceRequest, where: str) -> bool:
        """Whether a piece is made of this request.

        Raises:
            DataError: it was made from another row.
        """
        if not self.is_made(piece):
            return False
        line = self._made[piece]
        if line.get("request") != request.digest:
            raise DataError(
                f"{where}, or its score, is not what piece {piece} of {self._folder} was made"
                " from; give the same files, or another folder"
            )
        return True

    def sweep(self, jobs: Sequence[PieceJob]) -> None:
        """Remove what killed processes left of these jobs, and of the block's own files."""
        stems = {Path(job.place).name for job in jobs}
        for folder in {(self._folder / job.place).parent for job in jobs}:
            remove_leftovers(folder, stems)
        remove_leftovers(self._manifest.parent, {self._manifest.stem})
        if self._settings.layout == "tar":
            remove_leftovers(self._folder, {self._tar.stem})

    def add(self, job: PieceJob) -> None:
        """Take up a piece that has been written."""
        if self._staged(job.piece) is None:
            raise OutputError(
                f"{self._folder / job.place}.{self._settings.extension} has vanished after it was"
                " written; begin again with --resume"
            )

    def finish(self) -> None:
        """Pack the pieces, where that is the layout, and write the block's manifest.

        Raises:
            OutputError: it cannot be written.
        """
        if self._new:
            lines = self._packed() if self._settings.layout == "tar" else self._listed()
            write_text(self._manifest, "".join(to_json(line) + "\n" for line in lines))
        shutil.rmtree(self._staging, ignore_errors=True)

    def _staged(self, piece: int) -> Line | None:
        """Return the facts of a piece that stands in a file, if it is whole."""
        line = read_piece(self._folder, self.place(piece), self._settings.extension)
        if line is not None:
            self._made[piece] = line
            self._new.add(piece)
        return line

    def _check_line(self, line: Line) -> None:
        """Refuse a line that this program has not written.

        Raises:
            DataError: it names another file, or lacks a number.
        """
        is_tar = self._settings.layout == "tar"
        numbers = ("piece", "offset", "size") if is_tar else ("piece", "bytes")
        whole = all(type(line.get(name)) is int for name in numbers)
        if not whole or line.get("audio") != (
            self._tar.name if is_tar else self._name(line["piece"])
        ):
            raise _damaged(self._manifest, "a line is none of a set")

    def _name(self, piece: int) -> str:
        return f"{self.place(piece)}.{self._settings.extension}"

    def _is_there(self, line: Line) -> bool:
        """Whether the audio of a line of the manifest exists."""
        path = self._folder / line["audio"]
        try:
            size = path.stat().st_size
        except OSError:
            return False
        if self._settings.layout == "tar":
            return size >= line["offset"] + line["size"]
        return size == line["bytes"]

    def _listed(self) -> list[Line]:
        return [{"audio": self._name(piece), **self._made[piece]} for piece in sorted(self._made)]

    def _packed(self) -> list[Line]:
        """Write the tar file: new pieces from their files, others from the present tar file."""
        lines = []
        with contextlib.ExitStack() as stack:
            present: tarfile.TarFile | None = None
            # without one, a piece that is only there is missed below
            with contextlib.suppress(OSError, tarfile.TarError):
                present = stack.enter_context(tarfile.open(self._tar, "r:"))
            path = stack.enter_context(writing(self._tar))
            tar = stack.enter_context(tarfile.open(path, "w", format=tarfile.USTAR_FORMAT))
            for piece in sorted(self._made):
                name = f"{piece:09d}.{self._settings.extension}"
                data, facts = self._content(piece, name, present)
                offset = add_to_tar(tar, name, data)
                add_to_tar(tar, f"{piece:09d}.json", facts)
                line = {key: value for key, value in self._made[piece].items() if key != "audio"}
                position = {"offset": offset, "size": len(data)}
                lines.append({"audio": self._tar.name, **line, **position})
        return lines

    def _content(
        self, piece: int, name: str, present: tarfile.TarFile | None
    ) -> tuple[bytes, bytes]:
        audio, facts = places(self._folder, self.place(piece), self._settings.extension)
        if facts.is_file():
            with explaining(audio):
                return audio.read_bytes(), facts.read_bytes()
        try:
            if present is None:
                raise tarfile.ReadError("it is no whole tar file")
            return _member(present, name), _member(present, facts.name)
        except (KeyError, tarfile.TarError, OSError) as error:
            raise DataError(f"{self._tar} lacks {name} ({error}); remove it and resume") from error


def _join(paths: Iterable[Path], target: Path) -> None:
    """Write the contents of files, one after the other, into one file."""
    with writing(target) as temporary, temporary.open("wb") as whole:
        for path in paths:
            with path.open("rb") as part:
                shutil.copyfileobj(part, whole)


def file_place(piece: int) -> str:
    """Return the path of a piece in the layout "files", without extension."""
    return f"{piece // _FOLDER_PIECES:06d}/{piece:09d}"


def read_piece(folder: Path, place: str, extension: str) -> Line | None:
    """Return the facts of a piece for the manifest; None if it is not written, or not whole."""
    audio, facts = places(folder, place, extension)
    try:
        line = read_object(facts)
        if audio.stat().st_size != line["bytes"]:
            return None
    except (OSError, JsonError, KeyError):
        return None
    line.pop("recipe", None)
    return line


def _read_manifest(path: Path) -> Iterator[Line]:
    try:
        for text in path.read_bytes().splitlines() if path.is_file() else ():
            yield parse_object(text, path.name)
    except JsonError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is damaged ({reason}); remove it and give --resume")


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    stream: BinaryIO | None = tar.extractfile(name)  # type: ignore[assignment]
    return stream.read() if stream else b""
