"""Folders of music: audio files with their captions, made by `jen1 corpus` or by a user.

A folder with `manifest.jsonl` is read line by line. Any other folder is searched for audio, with
captions from sidecar `.txt` or `.json` files, from tags, or from the file's name, so that training
and evaluation never know the difference. Tar files in the form of WebDataset are read as folders.
"""

import hashlib
import io
import json
import logging
import os
import re
import tarfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import soundfile

from jen1cli.errors import DataError

MANIFEST_NAME = "manifest.jsonl"
AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".w64", ".caf"}
)
SPLITS = ("train", "validation", "test")

_HELD_OUT_PERCENT = 5  # each of validation and test, in folders without a manifest
_CAPTION_KEYS = ("captions", "caption", "prompt", "text", "description")
_SPLIT_WORDS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip

Skip = Callable[[Path, str], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clip:
    """One audio file with what is known about it."""

    path: Path  # of the audio file, or of the tar file that it lies in; absolute
    captions: tuple[str, ...]  # at least one; several ways to say the same
    seconds: float
    split: str = "train"  # train, validation or test
    attributes: dict[str, Any] = field(default_factory=dict)
    # of made music: style, bpm, key, mode, meter, instruments, drums, energy, moods
    offset: int = 0  # byte where the audio file starts inside a tar file
    size: int = 0  # its bytes; 0 where `path` is the audio file itself
    split_named: bool = True  # by manifest, sidecar or folder; False: chosen here, by a hash

    @property
    def source(self) -> Path | io.BytesIO:
        """What to hand to a reader of audio: the path, or the bytes out of a tar file."""
        if not self.size:
            return self.path
        with self.path.open("rb") as shard:
            shard.seek(self.offset)
            return io.BytesIO(shard.read(self.size))


def read_folder(folder: Path, *, on_skip: Skip | None = None) -> list[Clip]:
    """Return the clips of a folder in a stable order.

    Args:
        folder: with `manifest.jsonl`, with tar files, or with audio files at any depth.
        on_skip: told every file that cannot be used and why; without it they are logged.

    Raises:
        DataError: the folder is missing, the manifest is broken, or nothing in it can be used.
    """
    skip = on_skip or _warn
    folder = folder.expanduser().absolute()
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
    """Write `manifest.jsonl` for clips that lie in a folder; replaces one that is there."""
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
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return write_text(folder / MANIFEST_NAME, "".join(lines))


def write_text(path: Path, text: str) -> Path:
    """Write a small text file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    return path


def _warn(path: Path, reason: str) -> None:
    _log.warning("skipped %s: %s", path, reason)


# --- manifests ---


def _from_manifest(manifest: Path, skip: Skip) -> Iterator[Clip]:
    with manifest.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"line {number} of '{manifest}' is not JSON ({error.msg}); mend or remove it"
                ) from error
            if not isinstance(line, dict) or not isinstance(line.get("audio"), str):
                raise DataError(
                    f"line {number} of '{manifest}' names no \"audio\" file; mend or remove it"
                )
            clip = _from_line(manifest.parent, line, skip)
            if clip is not None:
                yield clip


def _from_line(folder: Path, line: Mapping[str, Any], skip: Skip) -> Clip | None:
    path = folder / line["audio"]
    if not path.is_file():
        skip(path, "the file of the manifest is missing")
        return None
    size, offset = int(line.get("size", 0)), int(line.get("offset", 0))
    captions = _captions_of(line) or (caption_from_name(path.stem),)
    seconds = line.get("seconds")
    if not isinstance(seconds, int | float):
        info = _probe(path, skip)
        if info is None:
            return None
        seconds = info.seconds
    named = _SPLIT_WORDS.get(str(line.get("split", "")).lower())
    split = named or _split_of(line["audio"])
    attributes = line.get("attributes")
    return Clip(
        path,
        captions,
        float(seconds),
        split,
        dict(attributes) if isinstance(attributes, dict) else {},
        offset,
        size,
        split_named=named is not None,
    )


# --- folders without a manifest ---


def _from_files(folder: Path, skip: Skip) -> Iterator[Clip]:
    for path in _walk(folder):
        if path.suffix.lower() == ".tar":
            yield from _from_shard(path, folder, skip)
        else:
            clip = _from_file(path, folder, skip)
            if clip is not None:
                yield clip


def _walk(folder: Path) -> list[Path]:
    """Return audio and tar files at any depth, in an order that no file system changes."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            suffix = os.path.splitext(name)[1].lower()
            if not name.startswith(".") and (suffix in AUDIO_SUFFIXES or suffix == ".tar"):
                found.append(Path(place) / name)
    return sorted(found, key=lambda path: _stable_name(path, folder))


def _stable_name(path: Path, folder: Path) -> str:
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


@dataclass(frozen=True)
class _Probe:
    seconds: float
    tags: dict[str, str]


def _probe(source: Path | io.BytesIO, skip: Skip, path: Path | None = None) -> _Probe | None:
    """Read length and tags of an audio file; None, and a word to `skip`, where it is broken."""
    place = path or Path(str(source))
    size = source.getbuffer().nbytes if isinstance(source, io.BytesIO) else source.stat().st_size
    if not size:
        skip(place, "empty (0 bytes)")
        return None
    try:
        with soundfile.SoundFile(source) as file:
            if not file.frames:
                skip(place, "no samples in it")
            elif not _has_its_end(file):
                skip(place, "cut off or damaged: its header promises more sound than there is")
            else:
                return _Probe(file.frames / file.samplerate, dict(file.copy_metadata()))
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        reason = str(error).rsplit(": ", 1)[-1].strip().rstrip(".")
        skip(place, f"not readable as audio ({reason or type(error).__name__})")
    return None


def _has_its_end(file: soundfile.SoundFile) -> bool:
    try:
        file.seek(max(0, file.frames - 1))
        return len(file.read(1, dtype="float32")) > 0
    except (soundfile.SoundFileError, RuntimeError):
        return False


def _from_file(path: Path, folder: Path, skip: Skip) -> Clip | None:
    probe = _probe(path, skip)
    if probe is None:
        return None
    captions, facts = _read_sidecars(path, skip)
    if not captions:
        captions = _captions_from_tags(probe.tags) or (caption_from_name(path.stem),)
    named = _SPLIT_WORDS.get(str(facts.get("split", "")).lower()) or _split_in_folders(path, folder)
    attributes = facts.get("attributes")
    return Clip(
        path,
        captions,
        probe.seconds,
        named or _split_of(_stable_name(path, folder)),
        dict(attributes) if isinstance(attributes, dict) else {},
        split_named=named is not None,
    )


def _read_sidecars(path: Path, skip: Skip) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return captions and facts from `song.txt` or `song.json` (also `song.wav.txt`)."""
    captions: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    for text in (path.with_suffix(".txt"), path.with_name(path.name + ".txt")):
        if text.is_file():
            content = text.read_text(encoding="utf-8-sig", errors="replace")
            captions += tuple(
                filter(None, (" ".join(line.split()) for line in content.split("\n")))
            )
    for place in (path.with_suffix(".json"), path.with_name(path.name + ".json")):
        if not place.is_file():
            continue
        try:
            loaded = json.loads(place.read_text(encoding="utf-8-sig"))
        except (json.JSONDecodeError, UnicodeDecodeError):
            skip(place, "not JSON; the audio beside it is used without it")
            continue
        if isinstance(loaded, dict):
            facts = loaded
            captions += _captions_of(loaded)
    return captions, facts


def _captions_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the captions that a JSON object carries, under any of their usual names."""
    for key in _CAPTION_KEYS:
        value = facts.get(key)
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list):
            captions = tuple(" ".join(c.split()) for c in value if isinstance(c, str) and c.strip())
            if captions:
                return captions
    return _captions_from_tags(
        {key: str(facts[key]) for key in ("title", "artist", "genre") if facts.get(key)}
    )


def _captions_from_tags(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return captions from genre, title, artist and comment."""
    captions = []
    comment = tags.get("comment", "").strip()
    if comment.startswith("{"):  # the recipe of a file that `jen1` wrote
        try:
            prompt = json.loads(comment).get("prompt")
        except (json.JSONDecodeError, AttributeError):
            prompt = None
        comment = ""
        if isinstance(prompt, str) and prompt.strip():
            return (prompt.strip(),)
    words = [tags.get(key, "").strip() for key in ("genre", "title")]
    caption = ", ".join(filter(None, words))
    artist = tags.get("artist", "").strip()
    if caption:
        captions.append(f"{caption} by {artist}" if artist and words[1] else caption)
    if comment:
        captions.append(" ".join(comment.split()))
    return tuple(captions)


def caption_from_name(stem: str) -> str:
    """Turn a file's name into words: `03_Slow-Blues (take 2)` becomes `Slow Blues take 2`."""
    words = re.sub(r"[_\-.()\[\]{}]+", " ", unicodedata.normalize("NFC", stem))
    words = re.sub(r"^\s*\d{1,2}\s+(?=\D)", "", words)
    return " ".join(words.split()) or stem or "music"


def _split_in_folders(path: Path, folder: Path) -> str | None:
    """Take the split from a folder called train, validation or test."""
    parts = path.relative_to(folder).parts[:-1]
    named = [_SPLIT_WORDS[part.lower()] for part in parts if part.lower() in _SPLIT_WORDS]
    return named[0] if named else None


def _split_of(name: str) -> str:
    """Choose a split by the hash of a relative name: stable, whatever files come and go."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    percent = int.from_bytes(digest, "big") % 100
    if percent < _HELD_OUT_PERCENT:
        return "test"
    return "validation" if percent < 2 * _HELD_OUT_PERCENT else "train"


# --- WebDataset ---


def _from_shard(shard: Path, folder: Path, skip: Skip) -> Iterator[Clip]:
    """Read a tar file whose members of one name (up to the first dot) belong together."""
    try:
        with tarfile.open(shard) as tar:
            members = [member for member in tar if member.isfile()]
            groups: dict[str, list[tarfile.TarInfo]] = {}
            for member in members:
                groups.setdefault(_key(member.name), []).append(member)
            for key in groups:
                clip = _from_group(tar, shard, folder, groups[key], skip)
                if clip is not None:
                    yield clip
    except (tarfile.TarError, OSError, EOFError) as error:
        skip(shard, f"not a whole tar file ({error})")


def _key(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(path.name.split(".", 1)[0]))


def _from_group(
    tar: tarfile.TarFile, shard: Path, folder: Path, group: list[tarfile.TarInfo], skip: Skip
) -> Clip | None:
    audio = next((m for m in group if PurePosixPath(m.name).suffix.lower() in AUDIO_SUFFIXES), None)
    if audio is None:
        return None
    captions: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    for member in group:
        stream = tar.extractfile(member) if member is not audio else None
        if stream is None:
            continue
        if member.name.endswith(".json"):
            try:
                loaded = json.load(stream)
            except (json.JSONDecodeError, UnicodeDecodeError):
                skip(shard / member.name, "not JSON; the audio beside it is used without it")
                continue
            if isinstance(loaded, dict):
                facts = loaded
        elif member.name.endswith(".txt"):
            lines = stream.read().decode("utf-8", "replace").splitlines()
            captions += tuple(filter(None, (" ".join(line.split()) for line in lines)))
    captions = _captions_of(facts) or captions
    seconds, tags = facts.get("seconds"), {}
    if not isinstance(seconds, int | float) or not captions:
        stream = tar.extractfile(audio)
        probe = _probe(io.BytesIO(stream.read() if stream else b""), skip, shard / audio.name)
        if probe is None:
            return None
        seconds, tags = probe.seconds, probe.tags
    stem = PurePosixPath(audio.name).stem
    split = _SPLIT_WORDS.get(str(facts.get("split", "")).lower())
    split = split or _SPLIT_WORDS.get(re.split(r"[-_.]", shard.name)[0].lower())
    attributes = facts.get("attributes")
    return Clip(
        shard,
        captions or _captions_from_tags(tags) or (caption_from_name(stem),),
        float(seconds),
        split or _split_of(f"{_stable_name(shard, folder)}/{audio.name}"),
        dict(attributes) if isinstance(attributes, dict) else {},
        audio.offset_data,
        audio.size,
        split_named=split is not None,
    )
