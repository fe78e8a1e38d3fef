"""The tagger's networks: what is heard, in which key, how fast; and captions beside it.

Three small nets share the work: convolutions over the mel spectrogram for timbre, circular
convolutions over the twelve pitch classes for the key (transposed music gives a transposed answer
by construction), and convolutions along the tempo axis of a tempogram.
"""

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.evaluation.tagger.features import (
    BEAT_MULTIPLES,
    NUM_MELS,
    OCTAVES,
    ONSET_BANDS,
    Features,
    tempogram,
)

EMBEDDING = 128
TEXT_BUCKETS = 8192
_MEL_MEAN, _MEL_STD = -9.0, 4.0


@dataclass(frozen=True)
class Answers:
    """What the network says of a batch; logits where nothing else is said."""

    style: Float[Tensor, "batch styles"]
    instruments: Float[Tensor, "batch instruments"]
    drums: Float[Tensor, " batch"]
    key: Float[Tensor, "batch tonics modes"]
    tempo: Float[Tensor, "batch tempi"]
    energy: Float[Tensor, " batch"]  # 0 to 1
    embedding: Float[Tensor, "batch embedding"]  # before normalisation


def _block(in_channels: int, out_channels: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


class TimbreNet(nn.Module):
    """Mel spectrogram → one vector of 256."""

    def __init__(self, features: int = 256) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            _block(1, 24, (2, 2)),
            _block(24, 48, (2, 2)),
            _block(48, 96, (2, 2)),
            _block(96, 144, (2, 2)),
        )
        self.join = nn.Sequential(
            nn.Conv1d(144 * (NUM_MELS // 16), features, 3, padding=1, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(),
        )
        self.leave = nn.Sequential(nn.Linear(3 * features, features), nn.ReLU())

    def forward(self, mel: Tensor) -> Tensor:
        """Map [B, 80, mel frames] to [B, 256]."""
        x = functional.avg_pool1d((mel - _MEL_MEAN) / _MEL_STD, 2)
        x = self.blocks(x[:, None])
        x = self.join(rearrange(x, "b c m f -> b (c m) f"))
        pooled = torch.cat((x.mean(-1), x.amax(-1), x.std(-1, correction=0)), dim=1)
        return self.leave(pooled)


class KeyNet(nn.Module):
    """Spectrum by semitones → a score for each of 12 tonics and each mode."""

    def __init__(self, modes: int, channels: int = 32) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * OCTAVES, channels, (12, 3), padding=(0, 1))
        self.middle = nn.Conv2d(channels, channels, (12, 3), padding=(0, 1))
        self.leave = nn.Conv1d(2 * channels, channels, 12)
        self.answer = nn.Conv1d(channels, modes, 12)

    def forward(self, pitch: Tensor) -> Tensor:
        """Map [B, 72, pitch frames] to [B, 12, modes]; row 0 is C."""
        level = (pitch - _MEL_MEAN) / _MEL_STD
        sharp = functional.relu(
            level
            - functional.avg_pool1d(
                level.transpose(1, 2), 13, stride=1, padding=6, count_include_pad=False
            ).transpose(1, 2)
        )
        both = torch.stack((level, sharp), 1)
        # the lowest note is an A: rotate so that row 0 of the twelve is a C
        x = rearrange(both, "b k (o n) f -> b (k o) n f", n=12).roll(-3, dims=2)
        x = functional.avg_pool2d(x, (1, 2))
        x = functional.relu(self.enter(_circular(x)))
        x = functional.relu(self.middle(_circular(x)))
        x = torch.cat((x.mean(-1), x.amax(-1)), dim=1)
        x = functional.relu(self.leave(_circular(x)))
        return self.answer(_circular(x)).transpose(1, 2)


def _circular(x: Tensor) -> Tensor:
    """Append the first eleven of twelve pitch classes, so that a kernel of twelve goes round."""
    return torch.cat((x, x[:, :, :11]), dim=2)


class TempoNet(nn.Module):
    """Tempogram → a score for each tempo."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        rows = ONSET_BANDS * len(BEAT_MULTIPLES)
        self.layers = nn.Sequential(
            nn.Conv1d(rows + 1, channels, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 9, padding=4),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 9, padding=4),
            nn.ReLU(),
            nn.Conv1d(channels, 1, 5, padding=2),
        )
        self.timbre = nn.Linear(256, channels)
        self.curve = nn.Linear(channels, 86)  # what the sound alone says of the tempo

    def forward(self, rows: Tensor, timbre: Tensor) -> Tensor:
        """Map a tempogram [B, 48, tempi] and a timbre [B, 256] to scores [B, tempi]."""
        place = torch.linspace(-1, 1, rows.shape[-1], device=rows.device, dtype=rows.dtype)
        place = place.expand(rows.shape[0], 1, -1)
        heard = self.layers(torch.cat((rows, place), dim=1))[:, 0]
        return heard + self.curve(functional.relu(self.timbre(timbre)))


class TextNet(nn.Module):
    """Captions → vectors, from hashed words, pairs of words and letter triples.

    It needs no tokenizer and no other model, so a score does not depend on the text encoder of the
    model that is scored; letter triples carry it over typing errors.
    """

    def __init__(self, features: int = 96) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(TEXT_BUCKETS, features, mode="mean")
        self.layers = nn.Sequential(nn.Linear(features, 192), nn.ReLU(), nn.Linear(192, EMBEDDING))

    def forward(self, captions: Sequence[str]) -> Tensor:
        """Map captions to [B, 128], before normalisation."""
        rows = [buckets(caption) for caption in captions]
        device = self.bag.weight.device
        starts = torch.tensor([0, *map(len, rows)], device=device).cumsum(0)[:-1]
        flat = torch.tensor([bucket for row in rows for bucket in row], device=device)
        return self.layers(self.bag(flat, starts))


def buckets(caption: str) -> list[int]:
    """Return the hash buckets of a caption's words, pairs of words and letter triples."""
    cleaned = "".join(c if c.isalnum() or c in "#-" else " " for c in caption.lower())
    words = cleaned.split() or ["music"]
    pieces = [f"w {word}" for word in words]
    pieces += [f"p {a} {b}" for a, b in itertools.pairwise(words)]
    for word in words:
        edged = f"<{word}>"
        pieces += [f"t {edged[i : i + 3]}" for i in range(len(edged) - 2)]
    return [zlib.crc32(piece.encode()) % TEXT_BUCKETS for piece in pieces]


class TaggerNet(nn.Module):
    """All heads on the three nets, and the text beside them."""

    def __init__(self, styles: int, instruments: int, modes: int) -> None:
        super().__init__()
        self.timbre = TimbreNet()
        self.key = KeyNet(modes)
        self.tempo = TempoNet()
        self.style = nn.Linear(256, styles)
        self.instruments = nn.Linear(256, instruments)
        self.scalars = nn.Linear(256, 2)  # drums, energy
        self.to_embedding = nn.Linear(256 + 12 + 86, EMBEDDING)
        self.text = TextNet()
        self.temperature = nn.Parameter(torch.tensor(2.3))  # of the contrast; exp(2.3) = 10

    def forward(self, features: Features) -> Answers:
        """Hear a batch of sounds of one length."""
        timbre = self.timbre(features.mel)
        key = self.key(features.pitch)
        tempo = self.tempo(tempogram(features.mel), timbre)
        scalars = self.scalars(timbre)
        heard = torch.cat((timbre, key.logsumexp(-1).softmax(-1), tempo.softmax(-1)), dim=1)
        return Answers(
            style=self.style(timbre).float(),
            instruments=self.instruments(timbre).float(),
            drums=scalars[:, 0].float(),
            key=key.float(),
            tempo=tempo.float(),
            energy=scalars[:, 1].float().sigmoid(),
            embedding=self.to_embedding(heard).float(),
        )
