"""Predictor of controls: samples tempo, meter, key, chords and parts for a text.

A small network on the mean text embedding, as the predictors of Mustango (arXiv 2311.08355), gives
logits over tempi on a logarithmic scale, meters and keys. They are sampled once per piece.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jen1cli.conditioning.controls.categorical import mean_text, sample
from jen1cli.conditioning.controls.chord_predictor import ChordPredictor
from jen1cli.conditioning.controls.part_predictor import (
    BARS,
    DRUM_TOKENS,
    MELODY_TOKENS,
    METERS,
    PartPredictor,
    write_drums,
    write_melody,
)
from jen1cli.conditioning.controls.transcription import TranscribedLoop
from jen1cli.config import ControlsConfig
from jen1cli.music.chords import TONICS, chart_text
from jen1cli.music.controls import SIXTEENTHS, Controls
from jen1cli.music.keys import MODES, key_of_chart, key_of_melody
from jen1cli.music.patterns import NONE
from jen1cli.shapes import Text, TextMask

SLOWEST_BPM, TEMPO_STEP, NUM_TEMPI = 40.0, 0.02, 90  # up to 237 bpm
KEYS = (("", ""), *((tonic, mode) for mode in MODES for tonic in TONICS))
"""The first entry means music without a key, such as drums alone."""
_BRIDGES = 4  # most attempts to sample a loop that differs from the first


class ControlLogits(NamedTuple):
    """Unnormalised log-probabilities."""

    tempo: Float[Tensor, "batch tempi"]
    meter: Float[Tensor, "batch meters"]
    key: Float[Tensor, "batch keys"]


def tempo_index(bpm: float) -> int:
    """Return the index of the nearest tempo on the logarithmic scale."""
    place = round(math.log(max(bpm, 1.0) / SLOWEST_BPM) / TEMPO_STEP)
    return min(max(place, 0), NUM_TEMPI - 1)


def tempo_at(index: int) -> float:
    """Return the tempo of an index, rounded to whole beats per minute."""
    return float(round(SLOWEST_BPM * math.exp(TEMPO_STEP * index)))


class ControlPredictor(nn.Module):
    """Distributions over tempo, meter and key, then over chords, drums and melody, given text."""

    def __init__(self, text_features: int, config: ControlsConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(text_features)
        self.hidden = nn.Linear(text_features, config.predictor_features)
        self.output = nn.Linear(config.predictor_features, NUM_TEMPI + len(METERS) + len(KEYS))
        width = config.chord_features
        self.chords = ChordPredictor(text_features, width) if width else None
        width = config.part_features
        self.drums = PartPredictor(text_features, width, DRUM_TOKENS) if width else None
        self.melody = PartPredictor(text_features, width, MELODY_TOKENS) if width else None

    def forward(self, text: Text, text_mask: TextMask) -> ControlLogits:
        """Return the logits of each text."""
        mean = mean_text(text, text_mask, self.hidden.weight.dtype)
        logits = self.output(nn.functional.silu(self.hidden(self.norm(mean))))
        return ControlLogits(*logits.split((NUM_TEMPI, len(METERS), len(KEYS)), dim=-1))

    @torch.no_grad()
    def sample(self, text: Text, text_mask: TextMask, generator: torch.Generator) -> Controls:
        """Sample tempo, meter and key for one text; a bar begins at time 0 of the controls.

        Args:
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.
        """
        tempo, meter, key = (sample(logits[0], generator) for logits in self(text, text_mask))
        tonic, mode = KEYS[key]
        return Controls(tempo_at(tempo), METERS[meter], 0.0, tonic, mode)

    def complete(
        self,
        asked: Controls,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        seconds: float = 0.0,
    ) -> Controls:
        """Sample the controls that are not given; given chords or a given melody determine the key.

        Chords, drums and melody are a loop of `BARS` bars. Longer pieces have the form A A B A,
        where A is that loop. B has other chords, unless chords are given, and its drums and melody
        continue those of A.

        Args:
            asked: given controls, which are kept.
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
        controls = asked.over(self.sample(text, text_mask, generator))
        long = controls.has_bars and seconds > BARS * controls.bar_seconds
        controls = self.with_chords(controls, text, text_mask, generator, long=long)
        return self._with_parts(controls, text, text_mask, generator, long=long)

    def with_chords(
        self,
        controls: Controls,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        *,
        long: bool = False,
    ) -> Controls:
        """Sample chords for controls that have bars and a key but no chords.

        Args:
            controls: returned unchanged if they have chords.
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.
            long: whether to use the form A A B A; else A only.
        """
        if controls.chords or not (controls.has_bars and controls.key) or self.chords is None:
            return controls
        a = b = self.chords.sample(text, text_mask, controls, generator)
        for _ in range(_BRIDGES if long else 0):
            b = self.chords.sample(text, text_mask, controls, generator)
            if b != a:
                break
        chart = chart_text(_in_form(a, b) if long else a)
        return dataclasses.replace(controls, chords=chart)

    def continue_loop(
        self,
        controls: Controls,
        transcribed: TranscribedLoop,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
    ) -> Controls:
        """Fill missing controls from a transcribed loop, and sample its unknown steps.

        Args:
            controls: with bars; given chords, drums and melody are kept.
            transcribed: on the controls' clock and bars.
            text: [1, tokens, features].
            text_mask: True at real tokens.
            generator: on the CPU.

        Returns:
            the controls; their loops begin at the downbeat. If all are transcribed, the downbeat is
            moved back by whole loops until it is at most 0.
        """
        loop = dataclasses.replace(controls, downbeat=transcribed.downbeat)
        if not controls.has_parts:
            turn = BARS * controls.bar_seconds
            early = turn * max(0, math.ceil(transcribed.downbeat / turn))
            controls = dataclasses.replace(controls, downbeat=transcribed.downbeat - early)
        late = round(loop.bars_at(controls.downbeat)) % BARS
        found: dict[str, str] = {}
        if not controls.chords and controls.key and self.chords is not None:
            chords = self.chords.sample(text, text_mask, loop, generator, transcribed.chords)
            loop = dataclasses.replace(loop, chords=chart_text(chords))
            found["chords"] = chart_text(chords[late:] + chords[:late])
        cut = late * SIXTEENTHS[controls.meter]
        if not controls.drums and self.drums is not None:
            steps = self.drums.sample(text, text_mask, loop, generator, transcribed.drums)
            found["drums"] = write_drums(steps[cut:] + steps[:cut], controls)
        if not controls.melody and controls.key and self.melody is not None:
            steps = self.melody.sample(text, text_mask, loop, generator, transcribed.melody)
            found["melody"] = write_melody(steps[cut:] + steps[:cut], controls)
        return dataclasses.replace(controls, **found)

    def _with_parts(
        self,
        controls: Controls,
        text: Text,
        text_mask: TextMask,
        generator: torch.Generator,
        *,
        long: bool,
    ) -> Controls:
        """Sample drums, and a melody if the key is known, for controls that have bars."""
        if not controls.has_bars:
            return controls
        chart, given = controls.bars, controls
        verse, bridge = chart[:BARS], chart[2 * BARS : 3 * BARS]
        has_form = chart == _in_form(verse, bridge)
        if has_form:
            given = dataclasses.replace(controls, chords=chart_text((*verse, *bridge)))

        def drawn(predictor: PartPredictor) -> list[int]:
            if not long:
                return predictor.sample(text, text_mask, controls, generator)
            if len(chart) > BARS and not has_form:  # the given chords have a form of their own
                return predictor.sample(text, text_mask, controls, generator, bars=len(chart))
            both = predictor.sample(text, text_mask, given, generator, bars=2 * BARS)
            half = len(both) // 2
            return list(_in_form(both[:half], both[half:]))

        if not controls.drums and self.drums is not None:
            controls = dataclasses.replace(controls, drums=write_drums(drawn(self.drums), controls))
        if not controls.melody and self.melody is not None:
            found = write_melody(drawn(self.melody), controls) if controls.key else NONE
            controls = dataclasses.replace(controls, melody=found)
        return controls


def _in_form(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, ...]:
    return (*a, *a, *b, *a)
