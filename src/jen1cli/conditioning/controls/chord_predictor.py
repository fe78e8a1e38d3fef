"""Predictor of chords: samples a loop of bars for a text and a key, chord by chord.

An autoregressive recurrent network (GRU, arXiv 1406.1078) over half bars: it reads the chords so
far and predicts the next chord, or that the last one continues. Roots are relative to the tonic,
which makes the network equivariant to transposition.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from jen1cli.conditioning.controls.categorical import mean_text, sample
from jen1cli.music.chords import SUFFIXES, TONICS, Bar, Chord
from jen1cli.music.controls import Controls
from jen1cli.music.keys import MODES
from jen1cli.shapes import Text, TextMask

BARS = 8
SLOTS = 2 * BARS
KINDS = tuple(SUFFIXES)
HOLD = len(TONICS)
"""In place of a root: the previous chord continues."""
UNKNOWN = -1
Slots = Int[Tensor, "batch slots"]


class ChordLogits(NamedTuple):
    """Unnormalised log-probabilities of each half bar."""

    root: Float[Tensor, "batch slots roots"]  # with `HOLD`
    kind: Float[Tensor, "batch slots kinds"]  # given the true root


class ChordPredictor(nn.Module):
    """Distribution over chord charts of `BARS` bars, given text and mode."""

    def __init__(self, text_features: int, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(text_features)
        self.text = nn.Linear(text_features, width)
        self.mode = nn.Embedding(len(MODES), width)
        self.place = nn.Embedding(SLOTS, width)
        self.root = nn.Embedding(HOLD + 2, width)  # the last one marks the beginning
        self.kind = nn.Embedding(len(KINDS), width)
        self.cell = nn.GRUCell(width, width)
        self.next_root = nn.Linear(width, HOLD + 1)
        self.next_kind = nn.Linear(width, len(KINDS))

    def forward(
        self, text: Text, text_mask: TextMask, mode: Int[Tensor, " batch"], root: Slots, kind: Slots
    ) -> ChordLogits:
        """Return the logits of every half bar, given the half bars before it.

        Args:
            text: [batch, tokens, features].
            text_mask: True at real tokens.
            mode: index of `MODES`.
            root: semitones above the tonic, `HOLD`, or `UNKNOWN`.
            kind: index of `KINDS`; any value where held or unknown.
        """
        about = self._about(text, text_mask, mode)
        state = torch.tanh(about)
        last_root = torch.full_like(root[:, 0], HOLD + 1)
        last_kind = torch.zeros_like(last_root)
        roots, kinds = [], []
        for slot in range(root.shape[1]):
            state = self._advanced(state, about, last_root, last_kind, slot)
            roots.append(self.next_root(state))
            true_root, true_kind = root[:, slot].clamp(min=0), kind[:, slot].clamp(min=0)
            kinds.append(self._kinds(state, true_root))
            last_root = true_root
            last_kind = torch.where(true_root == HOLD, last_kind, true_kind)
        return ChordLogits(torch.stack(roots, dim=1), torch.stack(kinds, dim=1))

    @torch.no_grad()
    def sample(
        self,
        text: Text,
        text_mask: TextMask,
        controls: Controls,
        generator: torch.Generator,
        known: Sequence[Chord | None] = (None,) * SLOTS,
    ) -> tuple[Bar, ...]:
        """Sample a chord chart in the key of the controls.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
            controls: with a key.
            generator: on the CPU.
            known: known chords of half bars, which are kept; None at those to sample.
        """
        device = self.mode.weight.device
        tonic = TONICS.index(controls.key)
        mode = torch.tensor([list(MODES).index(controls.mode)], device=device)
        about = self._about(text, text_mask, mode)
        state = torch.tanh(about)
        root, kind = HOLD + 1, 0
        sounding: list[Chord] = []
        for slot, chord in enumerate(known):
            last = torch.tensor([[root], [kind]], device=device)
            state = self._advanced(state, about, last[0], last[1], slot)
            if chord is not None:
                root, kind = (chord.root - tonic) % len(TONICS), KINDS.index(chord.suffix)
                if sounding and chord == sounding[-1]:
                    root = HOLD
                sounding.append(chord)
                continue
            logits = self.next_root(state)[0]
            if not sounding:
                logits[HOLD] = -torch.inf
            root = sample(logits, generator)
            if root == HOLD:
                sounding.append(sounding[-1])
                continue
            kinds = self._kinds(state, torch.tensor([root], device=device))
            kind = sample(kinds[0], generator)
            place = (tonic + root) % len(TONICS)
            sounding.append(Chord(place, KINDS[kind], place))
        return tuple(zip(sounding[::2], sounding[1::2], strict=True))

    def _about(self, text: Text, text_mask: TextMask, mode: Int[Tensor, " batch"]) -> Tensor:
        mean = mean_text(text, text_mask, self.text.weight.dtype)
        return self.text(self.norm(mean)) + self.mode(mode)

    def _advanced(
        self, state: Tensor, about: Tensor, root: Tensor, kind: Tensor, slot: int
    ) -> Tensor:
        step = self.root(root) + self.kind(kind) + self.place.weight[slot] + about
        return self.cell(step, state)

    def _kinds(self, state: Tensor, root: Tensor) -> Tensor:
        return self.next_kind(nn.functional.silu(state + self.root(root)))


def chart_slots(controls: Controls) -> tuple[list[int], list[int]]:
    """Return roots and kinds of the first `BARS` bars of a chart, the input of `forward`.

    Values are `UNKNOWN` without a key or a chart, and where no chord sounds.
    """
    roots, kinds = [UNKNOWN] * SLOTS, [UNKNOWN] * SLOTS
    if not controls.key:
        return roots, kinds
    tonic = TONICS.index(controls.key)
    bars = controls.bars[:BARS]
    halves = [half for bar in bars for half in (bar[0], bar[len(bar) // 2])]
    last = None
    for slot, chord in enumerate(halves):
        if chord is not None:
            same = last is not None and (chord.root, chord.suffix) == (last.root, last.suffix)
            roots[slot] = HOLD if same else (chord.root - tonic) % len(TONICS)
            kinds[slot] = UNKNOWN if same else KINDS.index(chord.suffix)
        last = chord
    return roots, kinds
