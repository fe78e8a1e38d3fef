"""Clips of music: audio files with their captions, alone or in WebDataset tar files."""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import soundfile

from jen1cli.audio import DECODED_TAGS, GENERATED_TAGS, name_of, read_recipe_text
from jen1cli.audio.files import has_its_end, info_of, opened
from jen1cli.descriptions import (
    MAX_CAPTION_CHARACTERS,
    Description,
    caption_from_name,
    captions_from_tags,
    captions_from_text,
    known_split,
)
from jen1cli.errors import AudioError, ConfigError, DataError
from jen1cli.folders import AUDIO_SUFFIXES, Skip, opened_source, read_range
from jen1cli.jsonfiles import MAX_BYTES, JsonError, parse_json

_HELD_OUT_PERCENT = 5  # share of validation, and of test, in folders without a manifest
_READING = "reading music from a URL"


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
    url: str = ""  # URL of the tar file or audio file, where it is not local; `path` is its name
    split_named: bool = True  # by manifest, sidecar or folder; False: chosen by a hash

    @property
    def place(self) -> str:
        """Path or URL of the audio file or of its tar file."""
        return self.url or str(self.path)

    @property
    def name(self) -> str:
        """Name of the audio file; of one in a tar file, its name there."""
        if not self.size or self.url:
            return self.path.name
        try:
            with self.path.open("rb") as shard:
                shard.seek(self.offset - tarfile.BLOCKSIZE)
                header = shard.read(tarfile.BLOCKSIZE)
            return Path(tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape").name).name
        except (OSError, ValueError, tarfile.TarError):  # no header there, or no file any more
            return f"{self.path.stem} at byte {self.offset}"

    @property
    def source(self) -> Path | io.BytesIO:
        """Input of an audio reader: the path, or bytes of a tar file or of a URL.

        Raises:
            DataError: the URL cannot be read.
        """
        if self.url:
            return io.BytesIO(read_range(self.url, _READING, self.offset, self.size or None))
        if not self.size:
            return self.path
        with self.path.open("rb") as shard:
            shard.seek(self.offset)
            return io.BytesIO(shard.read(self.size))


@dataclass(frozen=True)
class Probe:
    """What the header and the tags of an audio file say."""

    seconds: float
    tags: dict[str, str]


def probe(source: Path | io.BytesIO, skip: Skip, path: Path | None = None) -> Probe | None:
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
        return Probe(seconds, _tags_of_recipe(tags, read_recipe_text(source)))
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


def read_sidecar(data: bytes, path: Path, skip: Skip) -> Description:
    """Read a JSON sidecar; a value that is not an object is ignored."""
    try:
        value = parse_json(data, "it")
        return Description.read(value) if isinstance(value, dict) else Description()
    except (JsonError, ConfigError) as error:
        fault = error.fault if isinstance(error, JsonError) else error
        skip(path, f"{fault}; the audio beside it is used without it")
        return Description()


def decoded(data: bytes) -> str:
    """Return the text of a sidecar."""
    return data.decode("utf-8-sig", errors="replace")


def split_of(name: str) -> str:
    """Choose a split by the hash of a relative path, independent of other files."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    percent = int.from_bytes(digest, "big") % 100
    if percent < _HELD_OUT_PERCENT:
        return "test"
    return "validation" if percent < 2 * _HELD_OUT_PERCENT else "train"


def read_tar(shard: Path, name: str, skip: Skip, *, url: str = "") -> Iterator[Clip]:
    """Yield the clips of a WebDataset tar file.

    Members with the same name up to the first dot form one sample: audio, and captions as .json or
    .txt. Of samples whose JSON has captions and seconds, the audio is not read.

    Args:
        shard: the tar file, or the name of one that is not local.
        name: its name in the set of music, from which the split follows.
        skip: called with each unusable file and the reason.
        url: URL of a tar file that is not local.

    Raises:
        DataError: the URL cannot be read.
    """
    try:
        # uncompressed, since clips are read by their offset in the file
        with (
            opened_source(url or str(shard), _READING) as file,
            tarfile.open(fileobj=cast(BinaryIO, file), mode="r:") as tar,
        ):
            groups: dict[str, list[tarfile.TarInfo]] = {}
            for member in tar:
                if member.isfile() and not member.issparse():
                    groups.setdefault(_key(member.name), []).append(member)
            for group in groups.values():
                if clip := _from_group(tar, shard, name, url, group, skip):
                    yield clip
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        if url:  # a part of the music would be missing as long as a server is
            raise DataError(f"{url} cannot be read ({error}); check the place") from error
        skip(shard, f"not a whole, uncompressed tar file ({error})")


def _key(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.split('.', 1)[0]}"


def _from_group(
    tar: tarfile.TarFile,
    shard: Path,
    name: str,
    url: str,
    group: list[tarfile.TarInfo],
    skip: Skip,
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
        if member.size > (MAX_BYTES if member.name.endswith(".json") else MAX_CAPTION_CHARACTERS):
            skip(place, "larger than any caption; the audio beside it is used without it")
        elif member.name.endswith(".json"):
            description = read_sidecar(_bytes_of(tar, member), place, skip)
        else:
            captions += captions_from_text(decoded(_bytes_of(tar, member)))
    captions = description.captions or captions
    seconds, tags = description.seconds, {}
    if seconds is None or not captions:
        found = probe(io.BytesIO(_bytes_of(tar, audio)), skip, shard / audio.name)
        if found is None:
            return None
        seconds, tags = found.seconds, found.tags
    split = description.named_split or known_split(re.split(r"[-_.]", shard.name)[0])
    return Clip(
        shard,
        captions
        or captions_from_tags(tags)
        or (caption_from_name(PurePosixPath(audio.name).stem),),
        seconds,
        split or split_of(f"{name}/{audio.name}"),
        description.attributes or {},
        audio.offset_data,
        audio.size,
        url,
        split_named=split is not None,
    )


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""
