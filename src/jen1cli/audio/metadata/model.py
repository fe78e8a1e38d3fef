"""Metadata of audio files in a form that is independent of the file format."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jen1cli.audio.metadata.loops import Loop

RECIPE_FIELD = "JEN1_RECIPE"
"""Name of the comment (Vorbis) or user text (ID3) that holds the recipe."""

PACKED = "jen1z:"
"""Prefix of a recipe that jen1cli 0.1 stored in a comment, compressed with zlib."""

COVERED = ""
"""Name of a block whose content is also in the texts and pictures."""

Texts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Block:
    """A part of a file that is copied as bytes, and only to files of its own family."""

    tag: bytes  # type of the chunk, FLAC block or ID3 frame
    data: bytes
    name: str  # for messages; `COVERED` if texts and pictures have the content
    early: bool = False  # whether it precedes the sound


@dataclass(frozen=True)
class Metadata:
    """Tags, pictures and all other data besides the sound.

    Attributes:
        family: family of the source file: RIFF, AIFF, FLAC, OGG, MP3, or "".
        texts: (name, text) with the field names of Vorbis comments, in capitals.
        pictures: bodies of FLAC PICTURE blocks.
        blocks: parts that only the same family can hold.
        recipe: the music's recipe, as text.
        loop: of a new file that repeats without a seam; WAV has chunks for it.
        signed: whether the file has a C2PA manifest, which no block holds: it fits one file alone.
    """

    family: str = ""
    texts: Texts = ()
    pictures: tuple[bytes, ...] = ()
    blocks: tuple[Block, ...] = ()
    recipe: str | None = None
    signed: bool = False
    loop: "Loop | None" = None

    @property
    def size(self) -> int:
        """Approximate size in bytes."""
        parts = [*self.pictures, *(block.data for block in self.blocks)]
        return sum(map(len, parts)) + sum(len(a) + 4 * len(b) for a, b in self.texts)


@dataclass(frozen=True)
class Moves:
    """Maps positions in the input of an edit to positions in its output."""

    sample_rate: int  # Hz
    before: int  # samples of the input
    samples: int  # samples of the output
    # (position in the input, samples inserted there); without what is appended
    inserted: tuple[tuple[int, int], ...] = ()

    @property
    def any(self) -> bool:
        """Whether any sample has moved."""
        return bool(self.inserted)

    def sample(self, position: int) -> int:
        """Return the position in the output of a sample of the input."""
        return position + sum(count for at, count in self.inserted if at <= position)

    def earlier(self, time: int) -> int:
        """Return a start time in samples, earlier by what was inserted at 0; 0 (unknown) is kept.

        So the input keeps its place on the absolute time line.
        """
        return max(0, time - self._lead) if time else 0

    def has_earlier(self, time: int) -> bool:
        """Whether `earlier` can say when the output starts: not before midnight."""
        return not time or time >= self._lead

    @property
    def _lead(self) -> int:
        return sum(count for at, count in self.inserted if at == 0)

    def time(self, value: int, per_second: int) -> int:
        """Convert a time in the input to one in the output, in units of 1 / `per_second` s."""
        position = value * self.sample_rate // per_second
        return value + round((self.sample(position) - position) * per_second / self.sample_rate)


_USUAL_NAMES = {
    "DESCRIPTION": "COMMENT",
    "ENCODER": "SOFTWARE",
    "USLT": "LYRICS",
    "UNSYNCEDLYRICS": "LYRICS",
    "ALBUM ARTIST": "ALBUMARTIST",
    "TRACK": "TRACKNUMBER",
    "YEAR": "DATE",
}  # alternative field names of other programs


def usual_names(texts: Texts) -> Texts:
    """Return texts with the field names that are mapped to ID3 and RIFF."""
    return tuple((_USUAL_NAMES.get(name, name), text) for name, text in texts)


def first_texts(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the first text of each name."""
    found: dict[str, str] = {}
    for name, text in texts:
        found.setdefault(name, text)
    return found


def is_recipe(comment: str) -> bool:
    """Whether a comment is a recipe of jen1cli 0.1, not a user's comment."""
    packed = comment.startswith(PACKED)
    return packed or (comment.startswith("{") and '"generator":"jen1cli"' in comment)
