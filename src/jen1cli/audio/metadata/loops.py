"""Chunks that tell samplers and sequencers that a WAV file is a loop: `smpl` and `acid`.

`smpl` (Microsoft's RIFF, 1994) holds the first and the last sample of the loop. `acid` (ACID loops,
not published; as libsndfile reads it) holds beats, metre, tempo and root note.
"""

import struct
from dataclasses import dataclass

from jen1cli.audio.metadata.model import Block

_UNITY_NOTE = 60  # the key that plays the loop as it is
_ROOT_IS_SET, _STRETCHES = 2, 4  # flags of the acid chunk; it is no one-shot


@dataclass(frozen=True)
class Loop:
    """A whole file that is a loop."""

    samples: int
    sample_rate: int  # Hz
    quarters: float  # length in quarter notes
    meter: tuple[int, int]  # beats of a bar, and what note is one: (6, 8)
    root: int | None = None  # pitch class, 0 is C; None: unknown

    @property
    def bpm(self) -> float:
        """Quarter notes per minute."""
        return 60.0 * self.quarters * self.sample_rate / self.samples

    def blocks(self) -> list[Block]:
        """Return the chunks of a WAV file."""
        sampler = struct.pack(
            "<9I6I",
            0, 0, round(1e9 / self.sample_rate), _UNITY_NOTE, 0, 0, 0, 1, 0,  # one loop
            0, 0, 0, self.samples - 1, 0, 0,  # forward, without end
        )  # fmt: skip
        flags = _STRETCHES if self.root is None else _STRETCHES | _ROOT_IS_SET
        root = _UNITY_NOTE + (self.root or 0)
        acid = struct.pack(
            "<IHHfIHHf",
            flags, root, 0x8000, 0.0, round(self.quarters), self.meter[1], self.meter[0], self.bpm,
        )  # fmt: skip
        return [Block(b"smpl", sampler, "smpl"), Block(b"acid", acid, "acid")]
