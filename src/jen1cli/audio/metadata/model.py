"""What a file carries beside its sound, in a form that goes from one kind of file to another."""

from collections.abc import Iterable
from dataclasses import dataclass

RECIPE_FIELD = "JEN1_RECIPE"
"""Name of the comment (Vorbis) or user text (ID3) that holds the recipe."""

PACKED = "jen1z:"
"""What a recipe begins with that jen1cli 0.1 packed with zlib into a comment."""

COVERED = ""
"""Name of a block whose content stands in the texts and pictures as well."""

Texts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Block:
    """A part of a file that only files of its own family can hold, byte by byte."""

    tag: bytes  # of the chunk, the FLAC block or the ID3 frame
    data: bytes
    name: str  # for people; `COVERED` where texts and pictures say the same
    early: bool = False  # stands in front of the sound


@dataclass(frozen=True)
class Metadata:
    """Tags, pictures and everything else that is not sound.

    Attributes:
        family: of the file that it was read from: RIFF, AIFF, FLAC, OGG, MP3, or nothing.
        texts: (name, text) by the field names of Vorbis comments, in capitals.
        pictures: bodies of FLAC PICTURE blocks.
        blocks: what only the same family can hold.
        note: the recipe.
    """

    family: str = ""
    texts: Texts = ()
    pictures: tuple[bytes, ...] = ()
    blocks: tuple[Block, ...] = ()
    note: str | None = None

    @property
    def size(self) -> int:
        """Return its bytes, nearly."""
        parts = [*self.pictures, *(block.data for block in self.blocks)]
        return sum(map(len, parts)) + sum(len(a) + 4 * len(b) for a, b in self.texts)


@dataclass(frozen=True)
class Moves:
    """Where the samples of an edit's input stand in its output."""

    sample_rate: int  # Hz
    samples: int  # of the output
    inserted: tuple[tuple[int, int], ...] = ()  # (sample of the input, samples put in front of it)

    @property
    def any(self) -> bool:
        """Whether any sample has moved."""
        return bool(self.inserted)

    def sample(self, position: int) -> int:
        """Return the position in the output of a sample of the input."""
        return position + sum(count for at, count in self.inserted if at <= position)

    def earlier(self, time: int) -> int:
        """Return the time in samples at which the output must begin for its input to stay put."""
        lead = sum(count for at, count in self.inserted if at == 0)
        return max(0, time - lead) if time else 0

    def time(self, value: int, per_second: int) -> int:
        """Return a time of the input as one of the output, in units of 1 / per_second."""
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
}  # of fields that programs call otherwise


def usual_names(texts: Texts) -> Texts:
    """Return texts under the names that have a place in ID3 tags and in RIFF."""
    return tuple((_USUAL_NAMES.get(name, name), text) for name, text in texts)


def first_texts(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the first text of each name."""
    found: dict[str, str] = {}
    for name, text in texts:
        found.setdefault(name, text)
    return found


def is_note(comment: str) -> bool:
    """Whether a comment is the recipe, which jen1cli 0.1 put there, and not the user's own."""
    packed = comment.startswith(PACKED)
    return packed or (comment.startswith("{") and '"generator":"jen1cli"' in comment)
