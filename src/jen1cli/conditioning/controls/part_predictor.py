"""Predictor of a part: samples a loop of drums or melody for a text, step by step.

An autoregressive recurrent network (GRU, arXiv 1406.1078) over sixteenths. Its inputs are the
previous token, the tokens one bar and four bars earlier, since music repeats, and the chord. Notes
and chords are relative to the tonic, which makes the network equivariant to transposition.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from jen1cli.conditioning.controls.categorical import mean_text, sample
from jen1cli.music.chords import SUFFIXES, TONICS
from jen1cli.music.controls import BEATS, SIXTEENTHS, Controls
from jen1cli.music.keys import MODES
from jen1cli.music.patterns import (
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
"""Number of drum tokens: every set of simultaneous strokes, as bits."""
RESTS, HOLDS, FIRST_NOTE = 0, 1, 2
_NOTES = 12 * OCTAVES
MELODY_TOKENS = FIRST_NOTE + _NOTES
_KINDS = tuple(SUFFIXES)
METERS = tuple(BEATS)
Rows = Int[Tensor, "batch steps columns"]


class PartPredictor(nn.Module):
    """Distribution over tokens given text, meter, mode and chords; trained on `BARS` bars."""

    def __init__(self, text_features: int, width: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.norm = nn.LayerNorm(text_features)
        self.text = nn.Linear(text_features, width)
        # in the order of `_row`; the last index of each table means none
        sizes = (
            *[tokens + 1] * 4, max(SIXTEENTHS.values()), BARS, len(TONICS) + 1, len(_KINDS) + 1,
            len(METERS), len(MODES) + 1,
        )  # fmt: skip
        self.embeddings = nn.ModuleList(nn.Embedding(size, width) for size in sizes)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.output = nn.Linear(width, tokens)

    def forward(
        self, text: Text, text_mask: TextMask, rows: Rows
    ) -> Float[Tensor, "batch steps vocabulary"]:
        """Return the logits of every step, given the steps before it.

        Args:
            text: [batch, tokens, features].
            text_mask: True at real tokens.
            rows: inputs from `part_rows`.
        """
        found, _ = self._steps(self._about(text, text_mask), rows, None)
        return found

    @torch.no_grad()
    def sample(
        self,
        text: Text,
        text_mask: TextMask,
        controls: Controls,
        generator: torch.Generator,
        known: Sequence[int | None] = (),
        bars: int = BARS,
    ) -> list[int]:
        """Sample bars of tokens.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
            controls: with tempo and meter.
            generator: on the CPU.
            known: known tokens, which are kept; None at steps to sample; empty for none.
            bars: number of bars to sample if no token is known.
        """
        about, state = self._about(text, text_mask), None
        found: list[int] = []
        for token in known or [None] * (bars * SIXTEENTHS[controls.meter]):
            row = torch.tensor([[_row(found, controls, self.tokens)]], device=about.device)
            logits, state = self._steps(about, row, state)
            found.append(sample(logits[0, 0], generator) if token is None else token)
        return found

    def _about(self, text: Text, text_mask: TextMask) -> Tensor:
        return self.text(self.norm(mean_text(text, text_mask, self.text.weight.dtype)))

    def _steps(self, about: Tensor, rows: Rows, state: Tensor | None) -> tuple[Tensor, Tensor]:
        parts = [layer(rows[..., i]) for i, layer in enumerate(self.embeddings)]
        hidden, after = self.gru(about[:, None] + torch.stack(parts).sum(0), state)
        return self.output(nn.functional.silu(hidden + about[:, None])), after


def part_rows(tokens: Sequence[int], controls: Controls, count: int) -> list[list[int]]:
    """Return the inputs before each known token; `count` is the size of the vocabulary."""
    return [_row(tokens[:step], controls, count) for step in range(len(tokens))]


def _row(before: Sequence[int], controls: Controls, count: int) -> list[int]:
    step, steps = len(before), SIXTEENTHS[controls.meter]
    earlier = [before[step - far] if step >= far else count for far in (1, steps, 4 * steps)]
    sounding = next((t for t in reversed(before[-steps:]) if t >= FIRST_NOTE), count)
    chord = controls.chord_at(controls.downbeat + (step + 0.5) / steps * controls.bar_seconds)
    root, kind = len(TONICS), len(_KINDS)
    if chord is not None and controls.key:
        root = (chord.root - TONICS.index(controls.key)) % len(TONICS)
        kind = _KINDS.index(chord.suffix)
    mode = list(MODES).index(controls.mode) if controls.mode else len(MODES)
    bar, place = divmod(step, steps)
    return [*earlier, sounding, place, bar % BARS, root, kind, METERS.index(controls.meter), mode]


def drum_tokens(controls: Controls) -> list[int]:
    """Return the tokens of the first `BARS` bars of drums, fewer if the pattern is shorter."""
    if not controls.drums or not controls.has_bars:
        return []
    steps, rows = SIXTEENTHS[controls.meter], parse_drums(controls.drums)
    bars = min(BARS, max((row.bars for row in rows), default=BARS))
    found = [0] * (bars * steps)
    for row in rows:
        for stroke in row.sounds:
            first = round(stroke.start * steps)
            for place in range(first, len(found), row.bars * steps):
                found[place] |= 1 << stroke.number
    return found


def melody_tokens(controls: Controls) -> list[int]:
    """Return the tokens of the first `BARS` bars of melody, none if the key is unknown."""
    if not controls.melody or not controls.has_bars or not controls.key:
        return []
    steps, pattern = SIXTEENTHS[controls.meter], parse_melody(controls.melody)
    found = [RESTS] * (BARS * steps if not pattern.sounds else min(BARS, pattern.bars) * steps)
    for note in pattern.sounds:
        first, stop = round(note.start * steps), round(note.stop * steps)
        if first < len(found):
            found[first:stop] = [HOLDS] * (min(stop, len(found)) - first)
            found[first] = note_token(note.number - LOWEST, controls)
    return found


def note_token(place: int, controls: Controls) -> int:
    """Return the token of the onset of a note, `place` semitones above the lowest note."""
    return FIRST_NOTE + (place - _tonic(controls)) % _NOTES


def write_drums(tokens: Sequence[int], controls: Controls) -> str:
    """Return the drum pattern of tokens."""
    return drums_text(
        {
            name: [
                "".join(STROKE if token >> number & 1 else REST for token in bar)
                for bar in _bars(tokens, controls)
            ]
            for number, name in enumerate(DRUMS)
        }
    )


def write_melody(tokens: Sequence[int], controls: Controls) -> str:
    """Return the melody of tokens."""
    names = {RESTS: REST, HOLDS: HOLD}
    for place in range(_NOTES):
        names[FIRST_NOTE + place] = note_name(LOWEST + (place + _tonic(controls)) % _NOTES)
    return melody_text([[names[token] for token in bar] for bar in _bars(tokens, controls)])


def _tonic(controls: Controls) -> int:
    return TONICS.index(controls.key)


def _bars(tokens: Sequence[int], controls: Controls) -> list[Sequence[int]]:
    steps = SIXTEENTHS[controls.meter]
    return [tokens[first : first + steps] for first in range(0, len(tokens), steps)]
