"""Reads tags, pictures, markers and chunks from one audio file and writes them to another."""

from collections.abc import Callable

from jen1cli.audio.chunks import ByteFile, read_chunks
from jen1cli.audio.metadata.id3_edits import carry_block as carry_id3_block
from jen1cli.audio.metadata.loops import Loop
from jen1cli.audio.metadata.model import Block, Metadata, Moves
from jen1cli.audio.metadata.mp3 import move_mp3_block, read_mp3, write_mp3
from jen1cli.audio.metadata.others import read_others
from jen1cli.audio.metadata.riff import move_riff_block, read_riff, write_riff
from jen1cli.audio.metadata.source_type import (
    GENERATED,
    PARTLY_GENERATED,
    SOURCE_TYPE_FIELD,
    edited_source_type,
    source_type_of,
    with_source_type,
)
from jen1cli.audio.metadata.texts import edited_texts
from jen1cli.audio.metadata.vorbis import (
    move_flac_block,
    read_flac,
    read_ogg,
    write_flac,
    write_ogg,
)

__all__ = [
    "GENERATED",
    "PARTLY_GENERATED",
    "SOURCE_TYPE_FIELD",
    "Loop",
    "Metadata",
    "Moves",
    "carry",
    "edited_source_type",
    "family_of",
    "read_metadata",
    "source_type_of",
    "with_source_type",
    "write_metadata",
]

_FAMILIES = {
    "WAV": "RIFF", "WAVEX": "RIFF", "RF64": "RIFF", "AIFF": "AIFF", "FLAC": "FLAC", "OGG": "OGG",
    "MP3": "MP3",
}  # fmt: skip
_WITH_ID3 = ("RIFF", "AIFF", "MP3")
_WRITERS: dict[str, Callable[[ByteFile, Metadata, str | None], None]] = {
    "RIFF": write_riff, "AIFF": write_riff, "FLAC": write_flac, "OGG": write_ogg, "MP3": write_mp3,
}  # fmt: skip


def family_of(format_: str) -> str:
    """Return the family of files with the same metadata, by libsndfile's name of a format."""
    return _FAMILIES.get(format_, "")


def read_metadata(file: ByteFile, format_: str) -> Metadata:
    """Read all data of a file besides its sound.

    Args:
        file: the file, open for reading.
        format_: libsndfile's name of its format, such as "FLAC".

    Returns:
        the metadata; of formats that are not written, texts and names of chunks.
    """
    family = family_of(format_)
    if family == "FLAC":
        return read_flac(file)
    if family == "OGG":
        return read_ogg(file)
    if family == "MP3":
        return read_mp3(file)
    if not family:
        return read_others(file, format_)
    layout = read_chunks(file)
    return read_riff(file, layout) if layout else Metadata()


def carry(metadata: Metadata, format_: str, moves: Moves) -> tuple[Metadata, list[str]]:
    """Return the metadata of an input that its edit keeps, and the names of what is dropped.

    Args:
        metadata: metadata of the input.
        format_: libsndfile's name of the output's format.
        moves: positions of the input's samples in the output.
    """
    dropped: list[str] = []
    blocks: list[Block] = []
    for block in metadata.blocks:
        family = family_of(format_)
        if family == metadata.family:
            new, lost = _move(block, family, moves)
        elif family in _WITH_ID3 and block.tag.lower().strip() == b"id3":
            new, lost = carry_id3_block(block, moves)
        else:
            new, lost = None, [block.name]
        dropped += lost
        if new is not None:
            blocks.append(new)
    texts, lost = edited_texts(metadata.texts, moves)
    dropped += lost
    kept = Metadata(metadata.family, texts, metadata.pictures, tuple(blocks))
    return kept, list(dict.fromkeys(name for name in dropped if name))


def write_metadata(file: ByteFile, format_: str, metadata: Metadata, recipe: str | None) -> None:
    """Write metadata and recipe into a new file, open for reading and writing.

    Raises:
        AudioError: the metadata is too large for the format.
    """
    write = _WRITERS.get(family_of(format_))
    if write is None:
        raise ValueError(f"no metadata is written into {format_} files")
    write(file, metadata, recipe)


def _move(block: Block, family: str, moves: Moves) -> tuple[Block | None, list[str]]:
    if family in ("RIFF", "AIFF"):
        return move_riff_block(block, moves)
    if family == "MP3":
        return move_mp3_block(block, moves)
    new = move_flac_block(block, moves)
    return new, [] if new is not None else [block.name]
