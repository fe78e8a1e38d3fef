"""Listing of a folder: without hidden files, each real folder once, in a stable order.

Also opening of a file to read, by its path or by a URL that fsspec knows.
"""

import contextlib
import io
import os
import unicodedata
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from jen1cli.errors import DataError, needs_extra

Skip = Callable[[Path, str], None]
"""Called with an unusable file or folder, and the reason."""

AUDIO_SUFFIXES = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".w64",
    ".caf",
)  # fmt: skip
"""Of the files in a folder that are taken as audio; a file that is named may have any suffix."""


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
