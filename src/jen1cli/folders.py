"""Listing of a folder: without hidden files, each real folder once, in a stable order."""

import os
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

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
