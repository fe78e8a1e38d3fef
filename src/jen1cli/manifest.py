"""Folders of music: audio files with their captions, made by `jen1 corpus` or by a user.

A folder with `manifest.jsonl` is read line by line. Any other folder is searched for audio files;
their captions come from sidecar `.txt` or `.json` files, tags or file names. Tar files in
WebDataset format are read as folders.
"""

import hashlib
import io
import logging
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import soundfile

from jen1cli.audio import DECODED_TAGS, GENERATED_TAGS, name_of, read_recipe_text
from jen1cli.audio.files import has_its_end, info_of, opened
from jen1cli.descriptions import (
    Description,
    caption_from_name,
    captions_from_tags,
    captions_from_text,
    known_split,
)
from jen1cli.errors import AudioError, ConfigError, DataError
from jen1cli.files import expand_user, write_text
from jen1cli.folders import AUDIO_SUFFIXES, Skip, stable_name, walk_files
from jen1cli.jsonfiles import MAX_BYTES, JsonError, parse_json, parse_object, read_lines, to_json

MANIFEST_NAME = "manifest.jsonl"
SPLITS = ("train", "validation", "test")

_HELD_OUT_PERCENT = 5  # share of validation, and of test, in folders without a manifest

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clip:
    """One audio file with its metadata."""

    path: Path  # absolute path of the audio file or of its tar file
    captions: tuple[str, ...]  # at least one; alternatives
    seconds: float
    split: str = "train"  # train, validation or test
    attributes: dict[str, Any] = field(default_factory=dict)
    # such as style, bpm, key, mode, meter, instruments, drums, energy, moods
    offset: int = 0  # first byte of the audio file inside a tar file
    size: int = 0  # its length in bytes; 0 if `path` is the audio file itself
    split_named: bool = True  # by manifest, sidecar or folder; False: chosen by a hash

    @property
    def source(self) -> Path | io.BytesIO:
        """Input of an audio reader: the path, or bytes of a tar file."""
        if not self.size:
            return self.path
        with self.path.open("rb") as shard:
            shard.seek(self.offset)
            return io.BytesIO(shard.read(self.size))


def read_folder(folder: Path, *, on_skip: Skip | None = None) -> list[Clip]:
    """Return the clips of a folder in a stable order.

    Args:
        folder: with `manifest.jsonl`, with tar files, or with audio files at any depth.
        on_skip: called with each unusable file and the reason; None logs them.

    Raises:
        DataError: the folder is missing, its manifest is invalid, or it has no usable audio.
    """
    skip = on_skip or _warn
    folder = expand_user(folder).absolute()
    if not folder.is_dir():
        raise DataError(f"no folder '{folder}'; give a folder of music")
    manifest = folder / MANIFEST_NAME
    skipped: list[tuple[Path, str]] = []

    def note(path: Path, reason: str) -> None:
        skipped.append((path, reason))
        skip(path, reason)

    if manifest.is_file():
        clips = list(_from_manifest(manifest, note))
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


def write_manifest(folder: Path, clips: Iterable[Clip]) -> Path:
    """Write `manifest.jsonl` for the clips of a folder, replacing an existing one."""
    folder = folder.absolute()
    lines = []
    for clip in clips:
        line: dict[str, Any] = {
            "audio": clip.path.relative_to(folder).as_posix(),
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


def _from_manifest(manifest: Path, skip: Skip) -> Iterator[Clip]:
    named: dict[tuple[str, int | None], tuple[str, str | None]] = {}  # file, offset: line, split
    for where, text in read_lines(manifest):
        line = parse_object(text, where)
        if not isinstance(line.get("audio"), str):
            raise DataError(f'{where} names no "audio" file; mend or remove it')
        try:
            description = Description.read(line)
        except ConfigError as error:
            raise DataError(f"{where}: {error}; mend or remove it") from error
        place = (os.path.realpath(manifest.parent / line["audio"]), description.offset)
        first, split = named.setdefault(place, (where, description.split))
        if split != description.split:  # several lines of one split give several captions
            raise DataError(
                f"{where}: audio is '{line['audio']}', as in {first}, in another split; remove one"
            )
        if clip := _from_line(manifest.parent, line["audio"], description, skip):
            yield clip


def _from_line(folder: Path, audio: str, description: Description, skip: Skip) -> Clip | None:
    path = folder / audio
    if not os.path.isfile(path):
        skip(path, "the file of the manifest is missing")
        return None
    offset, size = description.offset or 0, description.size or 0
    if offset + size > path.stat().st_size:
        skip(path, f"the manifest places a clip at byte {offset + size}, behind its end")
        return None
    seconds = description.seconds
    if seconds is None:
        probe = _probe(Clip(path, (), 0.0, offset=offset, size=size).source, skip, path)
        if probe is None:
            return None
        seconds = probe.seconds
    named = description.named_split
    return Clip(
        path,
        description.captions or (caption_from_name(path.stem),),
        seconds,
        named or _split_of(f"{audio}/{offset}" if size else audio),
        description.attributes or {},
        offset,
        size,
        split_named=named is not None,
    )


# --- folders without a manifest ---


def _from_files(folder: Path, skip: Skip) -> Iterator[Clip]:
    files = walk_files(folder, (*AUDIO_SUFFIXES, ".tar"), skip)
    for path in _without_links(files, folder):
        if path.suffix.lower() == ".tar":
            yield from _from_shard(path, folder, skip)
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


@dataclass(frozen=True)
class _Probe:
    seconds: float
    tags: dict[str, str]


def _probe(source: Path | io.BytesIO, skip: Skip, path: Path | None = None) -> _Probe | None:
    """Read length and tags of an audio file; if broken, call `skip` and return None."""
    place = path or Path(str(source))
    try:
        size = (
            source.getbuffer().nbytes if isinstance(source, io.BytesIO) else source.stat().st_size
        )
        if not size:
            skip(place, "empty (0 bytes)")
            return None
        with opened(source, whole=True) as file:
            if not file.frames:
                skip(place, "no samples in it")
                return None
            seconds, tags = info_of(file, name_of(source)).seconds, dict(file.copy_metadata())
            if not has_its_end(file):
                skip(place, "cut off or damaged: its header promises more sound than there is")
                return None
        return _Probe(seconds, _tags_of_recipe(tags, read_recipe_text(source)))
    except soundfile.SoundFileError:
        skip(place, "not readable as audio (it is damaged)")
    except (AudioError, OSError, RuntimeError, ValueError) as error:
        why = str(error).removeprefix(f"{name_of(source)} ").rstrip(".") or type(error).__name__
        skip(place, why if why.startswith("is not audio") else f"not readable as audio ({why})")
    return None


def _tags_of_recipe(tags: dict[str, str], note: str | None) -> dict[str, str]:
    """Return the tags of a file that `jen1` wrote: its prompt, or that of the edited recording."""
    if note is None:
        return tags
    try:
        recipe = parse_json(note, "the recipe")
        while isinstance(recipe, dict):
            prompt = recipe.get("prompt")
            if isinstance(prompt, str) and prompt.strip():
                return {"title": prompt.strip()}
            recipe = (recipe.get("input") or {}).get("recipe")
    except (JsonError, AttributeError):
        pass  # written by another program
    own = (*GENERATED_TAGS, *DECODED_TAGS)
    return {key: text for key, text in tags.items() if (key, text) not in own}


def _from_file(path: Path, folder: Path, skip: Skip) -> Clip | None:
    probe = _probe(path, skip)
    if probe is None:
        return None
    captions, description = _read_sidecars(path, skip)
    named = description.named_split or _folder_split(path, folder)
    return Clip(
        path,
        captions or captions_from_tags(probe.tags) or (caption_from_name(path.stem),),
        probe.seconds,
        named or _split_of(stable_name(path, folder)),
        description.attributes or {},
        split_named=named is not None,
    )


def _read_sidecars(path: Path, skip: Skip) -> tuple[tuple[str, ...], Description]:
    """Return captions and facts from `song.txt` or `song.json` (also `song.wav.txt`)."""
    captions: tuple[str, ...] = ()
    description = Description()
    for beside in (path.with_suffix(".txt"), path.with_name(path.name + ".txt")):
        captions += captions_from_text(_decoded(_small_file(beside, skip)))
    for beside in (path.with_suffix(".json"), path.with_name(path.name + ".json")):
        if data := _small_file(beside, skip):
            description = _sidecar(data, beside, skip)
            captions += description.captions
    return captions, description


def _small_file(path: Path, skip: Skip) -> bytes:
    """Return the bytes of a sidecar; empty if it is missing or unusable."""
    if not os.path.isfile(path):
        return b""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        skip(path, f"cannot be read ({error.strerror}); the audio beside it is used without it")
        return b""
    if len(data) > MAX_BYTES:
        skip(path, "larger than any caption; the audio beside it is used without it")
        return b""
    return data


def _decoded(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")


def _sidecar(data: bytes, path: Path, skip: Skip) -> Description:
    """Read a JSON sidecar; a value that is not an object is ignored."""
    try:
        value = parse_json(data, "it")
        return Description.read(value) if isinstance(value, dict) else Description()
    except (JsonError, ConfigError) as error:
        fault = error.fault if isinstance(error, JsonError) else error
        skip(path, f"{fault}; the audio beside it is used without it")
        return Description()


def _folder_split(path: Path, folder: Path) -> str | None:
    """Take the split from a folder called train, validation or test."""
    parts = path.relative_to(folder).parts[:-1]
    return next(filter(None, map(known_split, parts)), None)


def _split_of(name: str) -> str:
    """Choose a split by the hash of a relative path, independent of other files."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    percent = int.from_bytes(digest, "big") % 100
    if percent < _HELD_OUT_PERCENT:
        return "test"
    return "validation" if percent < 2 * _HELD_OUT_PERCENT else "train"


# --- WebDataset ---


def _from_shard(shard: Path, folder: Path, skip: Skip) -> Iterator[Clip]:
    """Read a tar file; members with the same name up to the first dot form one sample."""
    try:
        # uncompressed, since clips are read by their offset in the file
        with tarfile.open(shard, "r:") as tar:
            groups: dict[str, list[tarfile.TarInfo]] = {}
            for member in tar:
                if member.isfile() and not member.issparse():
                    groups.setdefault(_key(member.name), []).append(member)
            for group in groups.values():
                if clip := _from_group(tar, shard, folder, group, skip):
                    yield clip
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        skip(shard, f"not a whole, uncompressed tar file ({error})")


def _key(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.split('.', 1)[0]}"


def _from_group(
    tar: tarfile.TarFile, shard: Path, folder: Path, group: list[tarfile.TarInfo], skip: Skip
) -> Clip | None:
    audio = next((m for m in group if PurePosixPath(m.name).suffix.lower() in AUDIO_SUFFIXES), None)
    if audio is None:
        return None
    captions: tuple[str, ...] = ()
    description = Description()
    for member in group:
        if member is audio or not member.name.endswith((".json", ".txt")):
            continue
        place = shard / member.name
        if member.size > MAX_BYTES:
            skip(place, "larger than any caption; the audio beside it is used without it")
        elif member.name.endswith(".json"):
            description = _sidecar(_bytes_of(tar, member), place, skip)
        else:
            captions += captions_from_text(_decoded(_bytes_of(tar, member)))
    captions = description.captions or captions
    seconds, tags = description.seconds, {}
    if seconds is None or not captions:
        probe = _probe(io.BytesIO(_bytes_of(tar, audio)), skip, shard / audio.name)
        if probe is None:
            return None
        seconds, tags = probe.seconds, probe.tags
    split = description.named_split or known_split(re.split(r"[-_.]", shard.name)[0])
    return Clip(
        shard,
        captions
        or captions_from_tags(tags)
        or (caption_from_name(PurePosixPath(audio.name).stem),),
        seconds,
        split or _split_of(f"{stable_name(shard, folder)}/{audio.name}"),
        description.attributes or {},
        audio.offset_data,
        audio.size,
        split_named=split is not None,
    )


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""
