"""The prior of the guide: what tempo, meter, key, chords and parts go with a text that names none.

A small network on the mean of the text, as the predictors of Mustango (arXiv 2311.08355): logits
over tempi on a logarithmic scale, meters, and keys. One drawn guide makes a whole piece steady.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jen1cli.chords import TONICS, chart_text
from jen1cli.conditioning.chord_prior import ChordPrior
from jen1cli.conditioning.drawing import draw, mean_text
from jen1cli.conditioning.heard import HeardLoop
from jen1cli.conditioning.part_prior import (
    BARS,
    DRUM_TOKENS,
    MELODY_TOKENS,
    PartPrior,
    write_drums,
    write_melody,
)
from jen1cli.config import GuideConfig
from jen1cli.guide import BEATS, MODES, SIXTEENTHS, Guide, key_of_chart, key_of_melody
from jen1cli.parts import NONE
from jen1cli.shapes import Text, TextMask

SLOWEST_BPM, TEMPO_STEP, NUM_TEMPI = 40.0, 0.02, 90  # up to 237 bpm
METERS = tuple(BEATS)
KEYS = (("", ""), *((tonic, mode) for mode in MODES for tonic in TONICS))
"""The first stands for music without a key, such as drums alone."""
_BRIDGES = 4  # loops that are drawn until one differs from the first


class GuideLogits(NamedTuple):
    """Unnormalised log-probabilities."""

    tempo: Float[Tensor, "batch tempi"]
    meter: Float[Tensor, "batch meters"]
    key: Float[Tensor, "batch keys"]


def tempo_index(bpm: float) -> int:
    """Return the nearest place on the scale of tempi."""
    place = round(math.log(max(bpm, 1.0) / SLOWEST_BPM) / TEMPO_STEP)
    return min(max(place, 0), NUM_TEMPI - 1)


def tempo_at(index: int) -> float:
    """Return the tempo at a place of the scale, in whole beats per minute."""
    return float(round(SLOWEST_BPM * math.exp(TEMPO_STEP * index)))


class GuidePrior(nn.Module):
    """Text to distributions over tempo, meter and key, and with them chords, drums and melody."""

    def __init__(self, text_features: int, config: GuideConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(text_features)
        self.hidden = nn.Linear(text_features, config.prior_features)
        self.output = nn.Linear(config.prior_features, NUM_TEMPI + len(METERS) + len(KEYS))
        width = config.chord_features
        self.chords = ChordPrior(text_features, width) if width else None
        width = config.part_features
        self.drums = PartPrior(text_features, width, DRUM_TOKENS) if width else None
        self.melody = PartPrior(text_features, width, MELODY_TOKENS) if width else None

    def forward(self, text: Text, text_mask: TextMask) -> GuideLogits:
        """Return the logits of each text."""
        mean = mean_text(text, text_mask, self.hidden.weight.dtype)
        logits = self.output(nn.functional.silu(self.hidden(self.norm(mean))))
        return GuideLogits(*logits.split((NUM_TEMPI, len(METERS), len(KEYS)), dim=-1))

    @torch.no_grad()
    def draw(self, text: Text, text_mask: TextMask, generator: torch.Generator) -> Guide:
        """Draw tempo, meter and key of one text; the guide's clock starts with a bar.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.
        """
        tempo, meter, key = (draw(logits[0], generator) for logits in self(text, text_mask))
        tonic, mode = KEYS[key]
        return Guide(tempo_at(tempo), METERS[meter], 0.0, tonic, mode)

    def complete(
        self,
        asked: Guide,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        seconds: float = 0.0,
    ) -> Guide:
        """Draw what a guide leaves open; chords or a melody that are asked for say the key.

        Chords, drums and melody are a loop of `BARS` bars; in longer pieces that loop is A in the
        form A A B A. B has chords of its own, unless chords are asked for, and drums and melody
        that go on from A's.

        Args:
            asked: stays as it is.
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.
            seconds: length of the piece.
        """
        if not asked.key:
            key, mode = key_of_chart(asked.chords) if asked.chords else ("", "")
            if asked.melody and not key:
                key, mode = key_of_melody(asked.melody)
            asked = dataclasses.replace(asked, key=key, mode=mode)
        guide = asked.over(self.draw(text, text_mask, generator))
        long = guide.has_bars and seconds > BARS * guide.bar_seconds
        guide = self.with_chords(guide, text, text_mask, generator, long=long)
        return self._with_parts(guide, text, text_mask, generator, long=long)

    def with_chords(
        self,
        guide: Guide,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        *,
        long: bool = False,
    ) -> Guide:
        """Draw chords for a guide that has bars and a key but no chords.

        Args:
            guide: stays as it is where it has chords.
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.
            long: in the form A A B A; else A alone.
        """
        if guide.chords or not (guide.has_bars and guide.key) or self.chords is None:
            return guide
        a = b = self.chords.draw(text, text_mask, guide, generator)
        for _ in range(_BRIDGES if long else 0):
            b = self.chords.draw(text, text_mask, guide, generator)
            if b != a:
                break
        chart = chart_text(_in_form(a, b) if long else a)
        return dataclasses.replace(guide, chords=chart)

    def go_on(
        self,
        guide: Guide,
        heard: HeardLoop,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
    ) -> Guide:
        """Write what a guide leaves open as the loop that was heard, its gaps drawn.

        Args:
            guide: with bars; what it says of chords, drums and melody stays.
            heard: on the guide's clock and bars.
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.

        Returns:
            the guide, its loops beginning at its own downbeat; where all are heard, that is so
            early that they have always gone round.
        """
        loop = dataclasses.replace(guide, downbeat=heard.downbeat)
        if not guide.has_parts:
            turn = BARS * guide.bar_seconds
            early = turn * max(0, math.ceil(heard.downbeat / turn))
            guide = dataclasses.replace(guide, downbeat=heard.downbeat - early)
        late = round(loop.bars_at(guide.downbeat)) % BARS
        found: dict[str, str] = {}
        if not guide.chords and guide.key and self.chords is not None:
            chords = self.chords.draw(text, text_mask, loop, generator, heard.chords)
            loop = dataclasses.replace(loop, chords=chart_text(chords))
            found["chords"] = chart_text(chords[late:] + chords[:late])
        cut = late * SIXTEENTHS[guide.meter]
        if not guide.drums and self.drums is not None:
            steps = self.drums.draw(text, text_mask, loop, generator, heard.drums)
            found["drums"] = write_drums(steps[cut:] + steps[:cut], guide)
        if not guide.melody and guide.key and self.melody is not None:
            steps = self.melody.draw(text, text_mask, loop, generator, heard.melody)
            found["melody"] = write_melody(steps[cut:] + steps[:cut], guide)
        return dataclasses.replace(guide, **found)

    def _with_parts(
        self,
        guide: Guide,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        *,
        long: bool,
    ) -> Guide:
        """Draw drums and melody for a guide that has bars; without a key there is no melody."""
        if not guide.has_bars:
            return guide
        chart, told = guide.bars, guide
        verse, bridge = chart[:BARS], chart[2 * BARS : 3 * BARS]
        has_form = chart == _in_form(verse, bridge)
        if has_form:
            told = dataclasses.replace(guide, chords=chart_text((*verse, *bridge)))

        def drawn(prior: PartPrior) -> list[int]:
            if not long:
                return prior.draw(text, text_mask, guide, generator)
            if len(chart) > BARS and not has_form:  # a form of the asker's own
                return prior.draw(text, text_mask, guide, generator, bars=len(chart))
            both = prior.draw(text, text_mask, told, generator, bars=2 * BARS)
            half = len(both) // 2
            return list(_in_form(both[:half], both[half:]))

        if not guide.drums and self.drums is not None:
            guide = dataclasses.replace(guide, drums=write_drums(drawn(self.drums), guide))
        if not guide.melody and self.melody is not None:
            found = write_melody(drawn(self.melody), guide) if guide.key else NONE
            guide = dataclasses.replace(guide, melody=found)
        return guide


def _in_form(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, ...]:
    return (*a, *a, *b, *a)
