"""Audio embeddings by name, for distances between sets of music.

Each maps a sound to one vector per window; some also give label distributions or embed text.
Weights of VGGish, CLAP and AudioSet taggers come from a local folder or the hub, and every report
has their hash. `tagger` and `handcrafted` need no download.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jen1cli.audio import Signal, resample, to_channels
from jen1cli.errors import ConfigError
from jen1cli.evaluation.tagger.tagger import window_starts

Rows = Float[np.ndarray, "_windows features"]
Distribution = Float[np.ndarray, " classes"]


class Embedding:
    """Base class of the embeddings; unsupported methods return None.

    Attributes:
        name: key of the embedding.
        version: hash of the weights, or version of the algorithm.
        note: caveat for readers of a report.
        sample_rate: sample rate of its input in Hz.
        in_domain: whether it was trained on the project's own music.
    """

    name: str
    version: str
    note: str
    sample_rate: int
    in_domain: bool = False

    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound [channels, samples]; return one row per window."""
        raise NotImplementedError

    def classify(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the probabilities of the labels, which sum to 1."""
        return None

    def match(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the vector of the whole sound for comparison with `embed_text`."""
        return None

    def embed_text(self, captions: Sequence[str]) -> Rows | None:
        """Return the vectors of captions for comparison with `match`."""
        return None


def mono_windows(
    signal: Signal, from_rate: int, to_rate: int, seconds: float, hop_seconds: float | None = None
) -> Float[np.ndarray, "windows samples"]:
    """Cut a sound into mono windows at another rate; a shorter sound is repeated to fill one.

    Args:
        signal: [channels, samples].
        from_rate: sample rate of the signal in Hz.
        to_rate: sample rate of the windows in Hz.
        seconds: length of a window.
        hop_seconds: distance of windows; None: evenly spaced windows that cover the sound.
    """
    mono = resample(to_channels(signal, 1), from_rate, to_rate)[0]
    window = round(seconds * to_rate)
    if len(mono) < window:
        mono = np.resize(mono, window)
    if hop_seconds is None:
        starts = window_starts(len(mono), window)
    else:
        starts = list(range(0, len(mono) - window + 1, round(hop_seconds * to_rate)))
    return np.stack([mono[start : start + window] for start in starts])


@dataclass(frozen=True)
class Kind:
    """One available embedding."""

    name: str
    about: str
    default_source: str  # hub id; "" if nothing is downloaded
    build: Callable[[str], Embedding]


def _tagger(source: str) -> Embedding:
    from jen1cli.evaluation.embeddings.tagger import TaggerEmbedding

    return TaggerEmbedding(Path(source) if source else None)


def _handcrafted(source: str) -> Embedding:
    from jen1cli.evaluation.embeddings.handcrafted import Handcrafted

    return Handcrafted()


def _clap(source: str) -> Embedding:
    from jen1cli.evaluation.embeddings.hub_models import ClapEmbedding

    return ClapEmbedding(source)


def _audioset(source: str) -> Embedding:
    from jen1cli.evaluation.embeddings.hub_models import AudioSetEmbedding

    return AudioSetEmbedding(source)


def _vggish(source: str) -> Embedding:
    from jen1cli.evaluation.embeddings.vggish import VggishEmbedding

    return VggishEmbedding(source)


SET_EMBEDDINGS = ("tagger", "handcrafted")
"""Embeddings in which sets are compared if no others are named: they need no download."""

KINDS = {
    kind.name: kind
    for kind in (
        Kind("tagger", "the tagger of this package, in-domain; labels and text", "", _tagger),
        Kind("handcrafted", "mel statistics, chroma, onsets, tempogram", "", _handcrafted),
        Kind("clap", "LAION-CLAP, text and sound", "laion/larger_clap_music", _clap),
        Kind(
            "audioset",
            "an AudioSet tagger (AST; PaSST in that layout), 527 labels",
            "MIT/ast-finetuned-audioset-10-10-0.4593",
            _audioset,
        ),
        Kind("vggish", "VGGish, the usual backbone of FAD", "", _vggish),
    )
}


def load_embedding(spec: str) -> Embedding:
    """Load an embedding from its name, or `name=FOLDER` or `name=HUB-ID`.

    Raises:
        ConfigError: the embedding is unknown.
        CheckpointError: its weights are missing.
    """
    name, _, source = spec.partition("=")
    kind = KINDS.get(name)
    if kind is None:
        raise ConfigError(f"unknown embedding '{name}'; known: {', '.join(KINDS)}")
    return kind.build(source or kind.default_source)
