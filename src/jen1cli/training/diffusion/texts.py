"""Cache of the text embeddings of captions, in memory as float16."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from jen1cli.conditioning import TextEncoder
from jen1cli.devices import to_device
from jen1cli.shapes import Text, TextMask

ENCODE_AT_ONCE = 64
TOKEN_MULTIPLE = 8
"""Padded lengths are multiples of this, which limits recompilation of the network."""


class TextCache:
    """Frozen text encoder with a cache; the empty caption is the null text."""

    def __init__(self, encoder: TextEncoder, max_bytes: int = 2_000_000_000) -> None:
        """Start empty.

        Args:
            encoder: frozen encoder, on the device of the embeddings.
            max_bytes: size limit, above which the oldest embeddings are removed.
        """
        self._encoder = encoder
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        with torch.no_grad():
            text, mask = encoder.null(1)
        self._null = text[0][mask[0]].detach()

    def __len__(self) -> int:
        """Return the number of cached captions."""
        return len(self._known)

    def __call__(self, captions: Sequence[str]) -> tuple[Text, TextMask]:
        """Return embeddings and mask of captions, padded to the longest."""
        self._learn([c for c in dict.fromkeys(captions) if c and c not in self._known])
        rows = [(self._known[c] if c else self._null).float() for c in captions]
        counts = to_device(torch.tensor([len(row) for row in rows]), self._null.device)
        # on a GPU, attention gets a multiple with the U-Net's own token
        own = 1 if self._null.device.type == "cuda" else 0
        most = max(map(len, rows)) + own
        longest = most + -most % TOKEN_MULTIPLE - own
        text = pad_sequence(rows, batch_first=True)
        text = torch.nn.functional.pad(text, (0, 0, 0, longest - text.shape[1]))
        mask = torch.arange(longest, device=counts.device) < counts[:, None]
        self._forget(captions)
        return text, mask

    @torch.no_grad()
    def _learn(self, captions: Sequence[str]) -> None:
        for first in range(0, len(captions), ENCODE_AT_ONCE):
            piece = captions[first : first + ENCODE_AT_ONCE]
            text, mask = self._encoder.encode(piece)
            lengths = mask.sum(1).tolist()  # real tokens are in front
            for caption, row, length in zip(piece, text, lengths, strict=True):
                self._known[caption] = row[:length].half()
                self._bytes += self._known[caption].nbytes

    def _forget(self, captions: Sequence[str]) -> None:
        for caption in captions:
            if caption:
                self._known.move_to_end(caption)
        while self._bytes > self._max_bytes:
            _, row = self._known.popitem(last=False)
            self._bytes -= row.nbytes
