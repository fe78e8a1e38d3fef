"""The project's tagger as an embedding: in-domain, without a download."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jen1cli.audio import Signal
from jen1cli.evaluation.embeddings.embedding import Distribution, Embedding, Rows, mono_windows
from jen1cli.evaluation.tagger.features import SAMPLE_RATE
from jen1cli.evaluation.tagger.tagger import Tagger

WINDOW_SECONDS, HOP_SECONDS = 5.0, 2.5


class TaggerEmbedding(Embedding):
    """128 features of length 1 for every five seconds; labels are the styles of the corpus."""

    name = "tagger"
    in_domain = True
    sample_rate = SAMPLE_RATE
    note = "in-domain: trained on music of 'jen1 corpus', knows little else"

    def __init__(self, folder: Path | None = None) -> None:
        self.tagger = Tagger.load(folder)
        self.version = self.tagger.description.sha256

    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound; return one row per five seconds."""
        windows = mono_windows(signal, sample_rate, SAMPLE_RATE, WINDOW_SECONDS, HOP_SECONDS)
        rows = self.tagger.embed(windows)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def classify(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the probabilities of the styles."""
        return np.array(list(self.tagger.predict(signal, sample_rate).styles.values()))

    def match(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the vector of the sound for comparison with captions."""
        return self.tagger.predict(signal, sample_rate).embedding

    def embed_text(self, captions: Sequence[str]) -> Rows | None:
        """Return the vectors of captions."""
        return self.tagger.embed_text(captions)
