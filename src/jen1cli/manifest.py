"""Folders of music: audio files with their captions, made by `jen1 corpus` or by a user.

A folder with `manifest.jsonl` is read line by line. Any other folder is searched for audio files;
their captions come from sidecar `.txt` or `.json` files, tags or file names. Tar files in
WebDataset format are read as folders, also from URLs, of which each clip is read by itself.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jen1cli.audio.clips import Clip, decoded, probe, read_sidecar, read_tar, split_of
from jen1cli.descriptions import (
    MAX_CAPTION_CHARACTERS,
    Description,
    caption_from_name,
    captions_from_tags,
    captions_from_text,
    known_split,
)
from jen1cli.errors import ConfigError, DataError
from jen1cli.files import expand_user, write_text
from jen1cli.folders import (
    AUDIO_SUFFIXES,
    Skip,
    expand_pattern,
    is_pattern,
    is_url,
    list_url,
    read_range,
    stable_name,
    walk_files,
)
from jen1cli.jsonfiles import MAX_BYTES, parse_object, read_lines, to_json

__all__ = ["MANIFEST_NAME", "SPLITS", "Clip", "home_of", "read_folder", "write_manifest"]

MANIFEST_NAME = "manifest.jsonl"
SPLITS = ("train", "validation", "test")

_PURPOSE = "reading music from a URL"

_log = logging.getLogger(__name__)


def read_folder(folder: Path | str, *, on_skip: Skip | None = None) -> list[Clip]:
    """Return the clips of a folder in a stable order.

    Args:
        folder: with `manifest.jsonl`, with tar files, or with audio files at any depth; or the URL
            of one with a manifest or tar files; or a pattern of tar files, by path or URL, such as
            "s3://bucket/music/train-{000..063}.tar".
        on_skip: called with each unusable file and the reason; None logs them.

    Raises:
        DataError: the folder is missing, its manifest is invalid, or it has no usable audio.
    """
    skip = on_skip or _warn
    skipped: list[tuple[Path, str]] = []

    def note(path: Path, reason: str) -> None:
        skipped.append((path, reason))
        skip(path, reason)

    if _names_tars(folder):
        clips = list(_from_tars(str(folder), note))
    else:
        folder = expand_user(folder).absolute()
        if not folder.is_dir():
            raise DataError(f"no folder '{folder}'; give a folder of music")
        if (folder / MANIFEST_NAME).is_file():
            clips = list(_from_manifest(folder, note))
        else:
            clips = list(_from_files(folder, note))
    if clips:
        return clips
    if skipped:
        path, reason = skipped[0]
        raise DataError(
            f"nothing in '{folder}' can be used: {len(skipped)} skipped, first '{path.name}' "
            f"({reason}); give a folder with readable audio files"
        )
    raise DataError(
        f"no audio in '{folder}'; give a folder with {', '.join(sorted(AUDIO_SUFFIXES))} files"
    )


def home_of(music: Path | str) -> Path | str:
    """Return the folder of a set of music, absolute or as URL; of a pattern, that of its tars."""
    place = str(music)
    if is_pattern(place) and _names_tars(place):
        place = place.rpartition("/")[0] or "."
    return place.rstrip("/") if is_url(place) else expand_user(place).absolute()


def write_manifest(folder: Path, clips: Iterable[Clip]) -> Path:
    """Write `manifest.jsonl` for the clips of a folder, replacing an existing one."""
    folder = folder.absolute()
    lines = []
    for clip in clips:
        line: dict[str, Any] = {
            "audio": clip.path.absolute().relative_to(folder).as_posix(),
            "captions": list(clip.captions),
            "seconds": round(clip.seconds, 6),
            "split": clip.split,
            "attributes": clip.attributes,
        }
        if clip.size:
            line |= {"offset": clip.offset, "size": clip.size}
        lines.append(to_json(line) + "\n")
    return write_text(folder / MANIFEST_NAME, "".join(lines))


def _warn(path: Path, reason: str) -> None:
    _log.warning("skipped %s: %s", path, reason)


# --- manifests ---


def _from_manifest(folder: Path | str, skip: Skip) -> Iterator[Clip]:
    named: dict[tuple[str, int | None], tuple[str, str | None]] = {}  # file, offset: line, split
    name = f"{folder}/{MANIFEST_NAME}"
    lines = read_range(name, _PURPOSE) if isinstance(folder, str) else folder / MANIFEST_NAME
    for where, text in read_lines(lines, name):
        line = parse_object(text, where)
        if not isinstance(line.get("audio"), str):
            raise DataError(f'{where} names no "audio" file; mend or remove it')
        try:
            description = Description.read(line)
        except ConfigError as error:
            raise DataError(f"{where}: {error}; mend or remove it") from error
        audio = (
            f"{folder}/{line['audio']}"
            if isinstance(folder, str)
            else os.path.realpath(folder / line["audio"])
        )
        place = (audio, description.offset)
        first, split = named.setdefault(place, (where, description.split))
        if split != description.split:  # several lines of one split give several captions
            raise DataError(
                f"{where}: audio is '{line['audio']}', as in {first}, in another split; remove one"
            )
        if clip := _from_line(folder, line["audio"], description, skip):
            yield clip


def _from_line(folder: Path | str, audio: str, description: Description, skip: Skip) -> Clip | None:
    offset, size = description.offset or 0, description.size or 0
    url, path = "", Path(folder, audio)
    if isinstance(folder, str):
        url, path = f"{folder}/{audio}", Path(audio)
    elif not os.path.isfile(path):
        skip(path, "the file of the manifest is missing")
        return None
    elif offset + size > path.stat().st_size:
        skip(path, f"the manifest places a clip at byte {offset + size}, behind its end")
        return None
    seconds = description.seconds
    if seconds is None:
        found = probe(Clip(path, (), 0.0, offset=offset, size=size, url=url).source, skip, path)
        if found is None:
            return None
        seconds = found.seconds
    named = description.named_split
    return Clip(
        path,
        description.captions or (caption_from_name(path.stem),),
        seconds,
        named or split_of(f"{audio}/{offset}" if size else audio),
        description.attributes or {},
        offset,
        size,
        url,
        split_named=named is not None,
    )


# --- tar files at a URL or of a pattern ---


def _names_tars(place: Path | str) -> bool:
    """Whether a place is a URL or a pattern, and no folder."""
    text = str(place)
    return is_url(text) or (is_pattern(text) and not expand_user(text).is_dir())


def _from_tars(place: str, skip: Skip) -> Iterator[Clip]:
    home = home_of(place)
    if is_pattern(place):
        sources = expand_pattern(place, _PURPOSE)
        names = [source.rpartition("/")[2] for source in sources]
    else:
        names = list_url(str(home), _PURPOSE)
        if MANIFEST_NAME in names:
            yield from _from_manifest(home, skip)
            return
        names = [name for name in names if name.endswith(".tar")]
        sources = [f"{home}/{name}" for name in names]
    for name, source in zip(names, sources, strict=True):
        if is_url(source):
            yield from read_tar(Path(name), name, skip, url=source)
        else:
            yield from read_tar(expand_user(source).absolute(), name, skip)


# --- folders without a manifest ---


def _from_files(folder: Path, skip: Skip) -> Iterator[Clip]:
    files = walk_files(folder, (*AUDIO_SUFFIXES, ".tar"), skip)
    for path in _without_links(files, folder):
        if path.suffix.lower() == ".tar":
            yield from read_tar(path, stable_name(path, folder), skip)
        elif clip := _from_file(path, folder, skip):
            yield clip


def _without_links(files: list[Path], folder: Path) -> list[Path]:
    """Remove links to files of the same folder, so that no clip is in two splits.

    Of several names of one file, the one whose folder names a split is kept, else the file's own.
    """
    chosen: dict[str, Path] = {}
    for path in sorted(files, key=lambda p: (_folder_split(p, folder) is None, p.is_symlink())):
        chosen.setdefault(os.path.realpath(path), path)
    return [path for path in files if chosen[os.path.realpath(path)] == path]


def _from_file(path: Path, folder: Path, skip: Skip) -> Clip | None:
    found = probe(path, skip)
    if found is None:
        return None
    captions, description = _read_sidecars(path, skip)
    named = description.named_split or _folder_split(path, folder)
    return Clip(
        path,
        captions or captions_from_tags(found.tags) or (caption_from_name(path.stem),),
        found.seconds,
        named or split_of(stable_name(path, folder)),
        description.attributes or {},
        split_named=named is not None,
    )


def _read_sidecars(path: Path, skip: Skip) -> tuple[tuple[str, ...], Description]:
    """Return captions and facts from `song.txt` or `song.json` (also `song.wav.txt`)."""
    captions: tuple[str, ...] = ()
    description = Description()
    for beside in (path.with_suffix(".txt"), path.with_name(path.name + ".txt")):
        captions += captions_from_text(decoded(_small_file(beside, skip, MAX_CAPTION_CHARACTERS)))
    for beside in (path.with_suffix(".json"), path.with_name(path.name + ".json")):
        if data := _small_file(beside, skip):
            description = read_sidecar(data, beside, skip)
            captions += description.captions
    return captions, description


def _small_file(path: Path, skip: Skip, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a sidecar; empty if it is missing or unusable."""
    if not os.path.isfile(path):
        return b""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        skip(path, f"cannot be read ({error.strerror}); the audio beside it is used without it")
        return b""
    if len(data) > most:
        skip(path, "larger than any caption; the audio beside it is used without it")
        return b""
    return data


def _folder_split(path: Path, folder: Path) -> str | None:
    """Take the split from a folder called train, validation or test."""
    parts = path.relative_to(folder).parts[:-1]
    return next(filter(None, map(known_split, parts)), None)
