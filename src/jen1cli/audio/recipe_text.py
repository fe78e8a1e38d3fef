"""The text of a recipe inside an audio file, and the marks of generated sound beside it.

In WAV and AIFF it is a private chunk after the sound, which other readers skip; in FLAC, OGG, Opus
and MP3 a private comment field beside the user's comment. Files of jen1cli 0.1 have it in the
user's comment field, compressed with zlib if it is long. The text is written in
ASCII and read in UTF-8.
"""

import base64
import re
import zlib
from dataclasses import dataclass

from jen1cli.audio.files import Source, name_of, opened, opened_bytes
from jen1cli.audio.metadata import Metadata, read_metadata, source_type_of
from jen1cli.audio.metadata.id3_packed import has_expanding_tag
from jen1cli.audio.metadata.model import PACKED
from jen1cli.errors import AudioError

MOST_BYTES = 1 << 22
"""Limit in bytes; a recipe with the nested recipes of its inputs takes about ten thousand."""

_DAMAGED = re.compile("[\ufffd\ud800-\udfff]")  # what bytes that are not UTF-8 become


@dataclass(frozen=True)
class Marks:
    """Machine-readable marks of generated sound in a file, beside the recipe."""

    format: str  # libsndfile's name of the file's format
    source_type: str | None  # the IPTC digital source type
    signed: bool  # whether there is a C2PA manifest
    expands: bool = False  # whether packed frames of an ID3 tag at its start are too large for c2pa


def read_marks(source: Source) -> Marks:
    """Return the marks of a file.

    Raises:
        AudioError: the file cannot be read.
    """
    format_, metadata = _metadata(source)
    with opened_bytes(source) as file:
        expands = has_expanding_tag(file)
    return Marks(format_, source_type_of(metadata.texts), metadata.signed, expands)


def read_recipe_text(source: Source) -> str | None:
    """Return the text stored in a file, or None where there is none.

    Raises:
        AudioError: the file cannot be read, or its text is damaged or too long.
    """
    recipe = _metadata(source)[1].recipe
    if recipe is None:
        return None
    name = name_of(source)
    if recipe.startswith(PACKED):
        recipe = _unpacked(recipe, name)
    if _DAMAGED.search(recipe):
        raise AudioError(f"the recipe in {name} is damaged; it cannot be read")
    if len(recipe.encode()) > MOST_BYTES:
        raise AudioError(f"the recipe in {name} is over {MOST_BYTES} bytes long; it is not read")
    return recipe


def check_recipe_text(recipe: str) -> None:
    """Refuse a text that `read_recipe_text` could not read back.

    Raises:
        AudioError: it is too long.
    """
    if len(recipe) > MOST_BYTES:
        raise AudioError(
            f"the recipe needs {len(recipe)} bytes, {MOST_BYTES} are taken; shorten the prompt"
        )


def _metadata(source: Source) -> tuple[str, Metadata]:
    """Return libsndfile's name of a file's format, and its metadata."""
    with opened(source) as file:
        format_ = file.format
    with opened_bytes(source) as file:
        return format_, read_metadata(file, format_)


def _unpacked(recipe: str, name: str) -> str:
    """Decode base64 and zlib, at most `MOST_BYTES` + 1 bytes, as a guard against zip bombs."""
    try:
        packed = base64.b64decode(recipe[len(PACKED) :], validate=True)
        return zlib.decompressobj().decompress(packed, MOST_BYTES + 1).decode("ascii")
    except (ValueError, zlib.error) as error:
        raise AudioError(f"the recipe in {name} is damaged; it cannot be read") from error
