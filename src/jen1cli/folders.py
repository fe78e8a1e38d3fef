"""Listing of a folder: without hidden files, each real folder once, in a stable order.

Also reading of files by a path or by a URL that fsspec knows, and a lock: one process at a time.
"""

import contextlib
import errno
import io
import os
import unicodedata
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from jen1cli.errors import ConfigError, DataError, needs_extra

Skip = Callable[[Path, str], None]
"""Called with an unusable file or folder, and the reason."""

AUDIO_SUFFIXES = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".w64",
    ".caf",
)  # fmt: skip
"""Suffixes of the files in a folder that are taken as audio; a file that is named may have any."""

LOCK_NAME = ".lock"
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def walk_files(folder: Path, suffixes: Collection[str], skip: Skip) -> list[Path]:
    """List the files of a folder at any depth.

    Links to folders are followed after all real folders, so that a folder reached both ways keeps
    its own name. A link to a folder that contains it is a loop and is skipped.

    Args:
        folder: root of the listing.
        suffixes: lower-case suffixes of the files to list.
        skip: called for each folder that cannot be listed and each match that is not a file.
    """
    found: list[Path] = []
    seen: set[str] = set()
    pending, links = [folder], list[Path]()
    while pending or links:
        if not pending:
            links.sort(key=lambda link: stable_name(link, folder), reverse=True)
            link = links.pop()
            if not _is_loop(link):
                pending.append(link)
            continue
        place = pending.pop()
        real = os.path.realpath(place)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(place) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            skip(place, f"cannot be listed ({error.strerror})")
            continue
        for entry in visible:
            path = place / entry.name
            if entry.is_dir():
                (links if entry.is_symlink() else pending).append(path)
            elif path.suffix.lower() in suffixes:
                if entry.is_file():
                    found.append(path)
                else:
                    skip(path, "no regular file, or a link that leads nowhere")
    return sorted(found, key=lambda path: stable_name(path, folder))


def stable_name(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, equal on every file system."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def _is_loop(link: Path) -> bool:
    target, place = os.path.realpath(link), os.path.realpath(link.parent)
    return os.path.commonpath([target, place]) == target


def is_url(source: str) -> bool:
    """Whether a source is a URL, such as "s3://bucket/file", and no path."""
    return "://" in source


@contextlib.contextmanager
def opened_source(source: str, purpose: str, *, option: str = "") -> Iterator[io.IOBase]:
    """Open a path or a URL for reading.

    Args:
        source: path, or URL of fsspec.
        purpose: subject of the message that a package is missing.
        option: option that named the source, for messages.

    Raises:
        DataError: the protocol of the URL is unknown, or needs another package.
        MissingExtraError: the extra `scale` is needed.
        OSError: the file cannot be opened.
    """
    if not is_url(source):
        with Path(source).open("rb") as local:
            yield local
        return
    with needs_extra("scale", purpose):
        import fsspec
    try:
        found = fsspec.open(source, "rb")
        file: Any = found.open()  # type: ignore[union-attr]
    except (ImportError, ValueError) as error:  # a protocol without its package, or unknown
        named = f"{option} {source}".strip()
        raise DataError(f"{named} cannot be opened: {error}") from error
    with file:
        yield file


def is_pattern(place: str) -> bool:
    """Whether a place names tar files, such as "train-{000..063}.tar", and not their folder."""
    return "{" in place or place.endswith(".tar")


def expand_pattern(pattern: str, purpose: str) -> list[str]:
    """Return the paths or URLs that a pattern with braces names.

    Raises:
        MissingExtraError: the extra `scale` is needed.
    """
    if "{" not in pattern:
        return [pattern]
    with needs_extra("scale", purpose):
        from webdataset.shardlists import expand_urls
    return list(expand_urls(pattern))


def list_url(folder: str, purpose: str) -> list[str]:
    """Return the names of the files at a URL, at any depth, relative to it and in a stable order.

    Raises:
        DataError: it cannot be listed.
    """

    def find(system: Any, path: str) -> list[str]:  # noqa: ANN401 - fsspec has no types
        start = len(path.rstrip("/"))
        return sorted(name[start:].lstrip("/") for name in system.find(path))

    return _of_url(folder, purpose, find)


def read_range(source: str, purpose: str, offset: int = 0, size: int | None = None) -> bytes:
    """Return `size` bytes of a file from `offset` on, or all of them, in one request to a server.

    Args:
        source: path or URL.
        purpose: subject of the message that a package is missing.
        offset: first byte.
        size: number of bytes; None: to the end.

    Raises:
        DataError: they cannot be read.
    """
    stop = None if size is None else offset + size
    if is_url(source):
        data = _of_url(source, purpose, lambda system, path: system.cat_file(path, offset, stop))
    else:
        try:
            with Path(source).open("rb") as file:
                file.seek(offset)
                data = file.read(-1 if size is None else size)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"{source} cannot be read ({reason}); check the place") from error
    if size is not None and len(data) < size:
        raise DataError(f"{source} ends before byte {stop}; copy it again")
    return data


def _of_url(url: str, purpose: str, use: Callable[[Any, str], Any]) -> Any:  # noqa: ANN401
    """Return what `use` makes of a file system of fsspec and a path in it."""
    with needs_extra("scale", purpose):
        import fsspec
    try:
        return use(*fsspec.url_to_fs(url))
    except Exception as error:  # each file system raises its own
        reason = str(error) or type(error).__name__
        raise DataError(f"{url} cannot be read ({reason}); check the place") from error


def lock_folder(folder: Path, refusal: str) -> BinaryIO:
    """Lock a folder for as long as the returned file is open.

    The system releases the lock when the process ends, however it ends. Some file systems of
    clusters know no locks; there nothing is refused.

    Args:
        folder: an existing folder; an empty file `.lock` stays in it.
        refusal: message, if another process holds the lock.

    Raises:
        ConfigError: another process holds it.
        OSError: the folder cannot be written.
    """
    file = (folder / LOCK_NAME).open("ab")
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            file.close()
            raise ConfigError(refusal) from None
    return file
