"""The prior of a part: a loop of drums or of melody that goes with a text, drawn step by step.

A recurrent network (a GRU, arXiv 1406.1078) over sixteenths, as language models are. Beside the
step before it reads what the part did at the same place a bar and four bars earlier, since music
repeats, and which chord sounds. Notes and chords are counted from the tonic, so that it learns
every key at once.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from jen1cli.chords import SUFFIXES, TONICS
from jen1cli.conditioning.drawing import draw, mean_text
from jen1cli.guide import BEATS, MODES, SIXTEENTHS, Guide
from jen1cli.parts import (
    DRUMS,
    HOLD,
    LOWEST,
    OCTAVES,
    REST,
    STROKE,
    drums_text,
    melody_text,
    note_name,
    parse_drums,
    parse_melody,
)
from jen1cli.shapes import Text, TextMask

BARS = 8
UNKNOWN = -1
DRUM_TOKENS = 2 ** len(DRUMS)
"""Every set of drums that can be struck at once, as bits."""
RESTS, HOLDS, FIRST_NOTE = 0, 1, 2
_NOTES = 12 * OCTAVES
MELODY_TOKENS = FIRST_NOTE + _NOTES
_KINDS = tuple(SUFFIXES)
_MODES, _METERS = tuple(MODES), tuple(BEATS)
Rows = Int[Tensor, "batch steps columns"]


class PartPrior(nn.Module):
    """Text, meter, mode and chords to a distribution over bars of tokens; it learns `BARS`."""

    def __init__(self, text_features: int, width: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.norm = nn.LayerNorm(text_features)
        self.text = nn.Linear(text_features, width)
        # as `_row` lists them; the last of each stands for none
        sizes = (
            *[tokens + 1] * 4, max(SIXTEENTHS.values()), BARS, len(TONICS) + 1, len(_KINDS) + 1,
            len(_METERS), len(_MODES) + 1,
        )  # fmt: skip
        self.embeddings = nn.ModuleList(nn.Embedding(size, width) for size in sizes)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.output = nn.Linear(width, tokens)

    def forward(
        self, text: Text, text_mask: TextMask, rows: Rows
    ) -> Float[Tensor, "batch steps vocabulary"]:
        """Return the logits of every step, given those before it.

        Args:
            text: [batch, tokens, features].
            text_mask: True at real tokens.
            rows: of `part_rows`.
        """
        found, _ = self._steps(self._about(text, text_mask), rows, None)
        return found

    @torch.no_grad()
    def draw(
        self,
        text: Text,
        text_mask: TextMask,
        guide: Guide,
        generator: torch.Generator,
        heard: Sequence[int | None] = (),
        bars: int = BARS,
    ) -> list[int]:
        """Draw bars of tokens for a guide with bars.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
            guide: with tempo and meter.
            generator: on the CPU.
            heard: tokens that are known and stay, None at steps to draw; empty for none.
            bars: to draw where nothing is heard.
        """
        about, state = self._about(text, text_mask), None
        found: list[int] = []
        for token in heard or [None] * (bars * SIXTEENTHS[guide.meter]):
            row = torch.tensor([[_row(found, guide, self.tokens)]], device=about.device)
            logits, state = self._steps(about, row, state)
            found.append(draw(logits[0, 0], generator) if token is None else token)
        return found

    def _about(self, text: Text, text_mask: TextMask) -> Tensor:
        return self.text(self.norm(mean_text(text, text_mask, self.text.weight.dtype)))

    def _steps(self, about: Tensor, rows: Rows, state: Tensor | None) -> tuple[Tensor, Tensor]:
        parts = [layer(rows[..., i]) for i, layer in enumerate(self.embeddings)]
        heard, after = self.gru(about[:, None] + torch.stack(parts).sum(0), state)
        return self.output(nn.functional.silu(heard + about[:, None])), after


def part_rows(tokens: Sequence[int], guide: Guide, count: int) -> list[list[int]]:
    """Return what the network reads before each of some known tokens (`count` of a vocabulary)."""
    return [_row(tokens[:step], guide, count) for step in range(len(tokens))]


def _row(before: Sequence[int], guide: Guide, count: int) -> list[int]:
    step, steps = len(before), SIXTEENTHS[guide.meter]
    earlier = [before[step - far] if step >= far else count for far in (1, steps, 4 * steps)]
    sounding = next((t for t in reversed(before[-steps:]) if t >= FIRST_NOTE), count)
    chord = guide.chord_at(guide.downbeat + (step + 0.5) / steps * guide.bar_seconds)
    root, kind = len(TONICS), len(_KINDS)
    if chord is not None and guide.key:
        root = (chord.root - TONICS.index(guide.key)) % len(TONICS)
        kind = _KINDS.index(chord.suffix)
    mode = _MODES.index(guide.mode) if guide.mode else len(_MODES)
    bar, place = divmod(step, steps)
    return [*earlier, sounding, place, bar % BARS, root, kind, _METERS.index(guide.meter), mode]


def drum_tokens(guide: Guide) -> list[int]:
    """Return the first `BARS` bars of a guide's drums, fewer where fewer are written."""
    if not guide.drums or not guide.has_bars:
        return []
    steps, rows = SIXTEENTHS[guide.meter], parse_drums(guide.drums)
    bars = min(BARS, max((row.bars for row in rows), default=BARS))
    found = [0] * (bars * steps)
    for row in rows:
        for stroke in row.sounds:
            first = round(stroke.start * steps)
            for place in range(first, len(found), row.bars * steps):
                found[place] |= 1 << stroke.number
    return found


def melody_tokens(guide: Guide) -> list[int]:
    """Return the first `BARS` bars of a guide's melody, none where its key is unknown."""
    if not guide.melody or not guide.has_bars or not guide.key:
        return []
    steps, loop = SIXTEENTHS[guide.meter], parse_melody(guide.melody)
    found = [RESTS] * (BARS * steps if not loop.sounds else min(BARS, loop.bars) * steps)
    for note in loop.sounds:
        first, stop = round(note.start * steps), round(note.stop * steps)
        if first < len(found):
            found[first:stop] = [HOLDS] * (min(stop, len(found)) - first)
            found[first] = note_token(note.number - LOWEST, guide)
    return found


def note_token(place: int, guide: Guide) -> int:
    """Return the token of a note that begins, so many semitones above the lowest."""
    return FIRST_NOTE + (place - _tonic(guide)) % _NOTES


def write_drums(tokens: Sequence[int], guide: Guide) -> str:
    """Return the pattern that tokens stand for."""
    return drums_text(
        {
            name: [
                "".join(STROKE if token >> number & 1 else REST for token in bar)
                for bar in _bars(tokens, guide)
            ]
            for number, name in enumerate(DRUMS)
        }
    )


def write_melody(tokens: Sequence[int], guide: Guide) -> str:
    """Return the melody that tokens stand for."""
    names = {RESTS: REST, HOLDS: HOLD}
    for place in range(_NOTES):
        names[FIRST_NOTE + place] = note_name(LOWEST + (place + _tonic(guide)) % _NOTES)
    return melody_text([[names[token] for token in bar] for bar in _bars(tokens, guide)])


def _tonic(guide: Guide) -> int:
    return TONICS.index(guide.key)


def _bars(tokens: Sequence[int], guide: Guide) -> list[Sequence[int]]:
    steps = SIXTEENTHS[guide.meter]
    return [tokens[first : first + steps] for first in range(0, len(tokens), steps)]
