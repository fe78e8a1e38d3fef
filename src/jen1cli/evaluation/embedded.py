"""Clips through several embeddings, each clip read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jen1cli.evaluation.clips import Audit, has_caption, load_clips
from jen1cli.evaluation.embeddings.embedding import Embedding
from jen1cli.manifest import Clip

Found = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]
"""Windows [windows, features], label distribution and caption vector of a clip."""


@dataclass(frozen=True)
class EmbeddedClip:
    """One clip through several embeddings."""

    name: str  # name of the file
    caption: str | None  # None: the clip has none
    found: tuple[Found, ...]  # by embedding


def embed_clips(
    clips: Sequence[Clip],
    embeddings: Sequence[Embedding],
    audit: Audit,
    sample_rate: int | None = None,
) -> Iterator[EmbeddedClip]:
    """Yield the usable clips; the others are recorded in the audit.

    Args:
        clips: result of `find_clips`.
        embeddings: listeners.
        audit: record of problems, filled while reading.
        sample_rate: required rate in Hz; None is the most common one of `clips`.
    """
    for item in load_clips(clips, audit, sample_rate=sample_rate):
        caption = item.clip.captions[0] if has_caption(item.clip) else None
        if caption is None:
            audit.note("without caption", item.clip.name)
        found = tuple(
            (
                embedding.embed(item.signal, item.sample_rate),
                embedding.classify(item.signal, item.sample_rate),
                embedding.match(item.signal, item.sample_rate),
            )
            for embedding in embeddings
        )
        yield EmbeddedClip(item.clip.name, caption, found)
