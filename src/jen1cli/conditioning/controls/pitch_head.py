"""Transcription of chords, bass, melody and key from latents by a nearly pitch-equivariant network.

A fixed linear map estimates the semitone spectrum of the decoded music from the latent
(fitted by `jen1cli.training.controls.pitch_map`). Convolutions along pitch and time follow, as in
networks on constant-Q spectra (Bittner et al., ISMIR 2017): an interval is treated alike at every
pitch, so that all twelve keys share one training set. Only the height of a pitch, one of the
inputs, and the borders differ between pitches.
"""

import math
from typing import NamedTuple

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.music.chords import TONICS
from jen1cli.music.keys import MODES
from jen1cli.music.patterns import LOWEST, OCTAVES
from jen1cli.shapes import KeepMask, Latent

LOWEST_PITCH, NUM_PITCHES = 24, 84
"""MIDI number of the lowest row, C1, and number of rows: seven octaves."""
TAPS = 3
"""Receptive field of one frame of the spectrum, in latent frames."""
PARTIAL_SEMITONES = (12, 19, 24, 28)
"""Semitones from the fundamental to its partials 2 to 5."""
_CLASSES = len(TONICS)
_MELODY = slice(LOWEST - LOWEST_PITCH, LOWEST - LOWEST_PITCH + _CLASSES * OCTAVES)
_KEY_WIDTH = 64

Map = Float[Tensor, "batch maps pitches frames"]


class PitchOutput(NamedTuple):
    """Logits, which the tracker adds to those of its own heads."""

    chords: Float[Tensor, "batch chord_channels frames"]  # pitch classes, then the bass
    melody: Float[Tensor, "batch melody_channels frames"]  # pitch classes, octaves, onset
    key: Float[Tensor, "batch keys"]  # mode by mode, without "no key"


class PitchHead(nn.Module):
    """Maps whitened latents to logits by pitch; initialised such that all are 0.

    Attributes:
        pitch_weight: weight of the fixed map, [pitches, components, taps].
        pitch_bias: bias of the fixed map, [pitches]; spectra have mean 0 and deviation 1, nearly.
    """

    pitch_weight: Tensor
    pitch_bias: Tensor

    def __init__(self, components: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("pitch_weight", torch.zeros(NUM_PITCHES, components, TAPS))
        self.register_buffer("pitch_bias", torch.zeros(NUM_PITCHES))
        self.input = nn.Conv2d(len(PARTIAL_SEMITONES) + 5, channels, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, channels, (3, 5), padding=(1, 2 * d), dilation=(1, d))
            for d in (1, 2, 4)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, channels) for _ in self.layers)
        self.heads = nn.Conv2d(channels, 4, 1)  # chord, bass, melody, onset
        self.key_in = nn.Conv1d(2 * channels, _KEY_WIDTH, _CLASSES)
        self.key_out = nn.Conv1d(_KEY_WIDTH, len(MODES), _CLASSES)
        for last in (self.heads, self.key_out):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def spectrum(self, latent: Latent) -> Float[Tensor, "batch pitches frames"]:
        """Return the spectrum in semitones."""
        return functional.conv1d(latent, self.pitch_weight, self.pitch_bias, padding=TAPS // 2)

    def forward(self, latent: Latent, known: KeepMask) -> PitchOutput:
        """Return the logits of the known frames."""
        latent = latent.masked_fill(~known, 0.0)
        x = functional.silu(self.input(self._stacked(latent, known)))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + functional.silu(layer(norm(x)))
        chord, bass, melody, onset = self.heads(x).unbind(1)
        notes = rearrange(melody[:, _MELODY], "b (o n) f -> b o n f", n=_CLASSES)
        return PitchOutput(
            torch.cat([_any(_by_class(chord), 1), _any(_by_class(bass), 1)], dim=1),
            torch.cat([_any(notes, 1), _any(notes, 2), _any(onset, 1)[:, None]], dim=1),
            self._key(x, known),
        )

    def _stacked(self, latent: Latent, known: KeepMask) -> Map:
        """Stack, for each pitch, the spectrum at its partials and cues of the absolute pitch."""
        spectrum = self.spectrum(latent) * known
        rows = [spectrum]
        rows += [functional.pad(spectrum[:, by:], (0, 0, 0, by)) for by in PARTIAL_SEMITONES]
        rows.append(functional.pad(spectrum[:, :-12], (0, 0, 12, 0)))  # the octave below
        rows.append(spectrum.cummax(1).values)  # maximum over this and lower pitches
        rows.append(spectrum.flip(1).cummax(1).values.flip(1))
        height = torch.linspace(-1.0, 1.0, NUM_PITCHES, device=latent.device)
        rows.append((height[:, None] * known).to(spectrum.dtype))
        return torch.stack(rows, dim=1)

    def _key(self, x: Map, known: KeepMask) -> Float[Tensor, "batch keys"]:
        folded = reduce(x, "b c (o n) f -> b c n f", "mean", n=_CLASSES)
        weight = known[:, None].to(x.dtype)
        mean = (folded * weight).sum(-1) / weight.sum(-1).clamp(min=1.0)
        most = folded.masked_fill(~known[:, None], -1.0).amax(-1)
        hidden = functional.silu(_around(self.key_in, torch.cat([mean, most], dim=1)))
        return _around(self.key_out, hidden).flatten(1)


def _by_class(
    rows: Float[Tensor, "batch pitches frames"],
) -> Float[Tensor, "batch octaves classes frames"]:
    return rearrange(rows, "b (o n) f -> b o n f", n=_CLASSES)


def _any(logits: Tensor, dim: int) -> Tensor:
    """Return a soft maximum (log-mean-exp); 0 if all logits are 0."""
    return logits.logsumexp(dim) - math.log(logits.shape[dim])


def _around(layer: nn.Conv1d, x: Float[Tensor, "batch channels classes"]) -> Tensor:
    """Convolve with circular padding over pitch classes: tap i at tonic n reads class n + i."""
    return layer(functional.pad(x, (0, _CLASSES - 1), mode="circular"))
