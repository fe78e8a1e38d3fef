"""The pieces that the rows of a source ask for."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from jen1cli.sampling import SamplingOptions
from jen1cli.scale.rows import Row

_OWN = frozenset({"controls", "composer", "style", "instruments", "negative_prompt"})
"""Settings that may differ between the pieces of a batch."""


@dataclass(frozen=True)
class PieceRequest:
    """One piece of a set, as arguments of `Jen1.generate_batch`."""

    prompt: str
    seed: int
    seconds: float  # seconds of a loop or form: about, at the usual tempo
    direction: str = "bidirectional"
    options: SamplingOptions = field(default_factory=lambda: SamplingOptions())
    loop_bars: int | None = None  # None: no loop
    is_timed: bool = True  # whether the seconds are given; False: about

    @property
    def length(self) -> float | None:
        """Length in seconds; None if bars at an unknown tempo determine it."""
        return self.seconds if self.is_timed else None

    @property
    def kind(self) -> Hashable:
        """What the pieces of a batch have in common."""
        common = {key: value for key, value in self.options.items() if key not in _OWN}
        # a negative prompt can choose the network (`Sampling.over`), which a batch shares
        denies = bool(self.options.get("negative_prompt"))
        return self.seconds, self.direction, self.loop_bars, denies, tuple(sorted(common.items()))

    @property
    def digest(self) -> str:
        """Short digest of all that makes the piece, to notice a row that has changed."""
        options = sorted(self.options.items())
        whole = repr(
            (self.prompt, self.seed, self.seconds, self.direction, self.loop_bars, options)
        )
        return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


ReadRow = Callable[[Row], list[PieceRequest]]
"""Reads the requests of a row; raises a `Jen1Error` that says why it cannot."""


@dataclass(frozen=True)
class PieceJob:
    """A request with its place in the set."""

    piece: int  # number over the whole set, independent of shards
    row: int
    where: str  # place of the row in its source
    place: str  # path of the audio inside the set's folder, without its extension
    request: PieceRequest


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    job: PieceJob
    error: str = ""  # why it failed; empty if the piece is written
