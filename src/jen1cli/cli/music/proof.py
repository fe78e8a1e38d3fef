"""Verification that an edit kept all other samples: both files are read back and compared."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jen1cli.audio import AudioInfo, Patch, Source

Span = tuple[int, int]


def kept_spans(info: "AudioInfo", patches: "tuple[Patch, ...]") -> Iterator[tuple[Span, Span]]:
    """Yield each kept interval of an edit, in samples of the input and of the output."""
    at = shift = 0  # position in the input; in the output it is at + shift
    for patch in sorted(patches, key=lambda patch: patch.start):
        begin = patch.start - shift
        if begin > at:
            yield (at, begin), (at + shift, begin + shift)
        if patch.insert:
            at, shift = begin, shift + patch.signal.shape[1]
        else:
            at = begin + patch.signal.shape[1]
    if at < info.samples:
        yield (at, info.samples), (at + shift, info.samples + shift)


class Proof:
    """Hash of an input's kept samples; computed before writing, which may overwrite the input."""

    def __init__(self, source: "Source", patches: "tuple[Patch, ...]") -> None:
        from jen1cli import audio

        self._about = audio.probe(source)
        spans = list(kept_spans(self._about, patches))
        self.samples = sum(stop - start for (start, stop), _ in spans)
        self.sha256 = _hash(source, [inner for inner, _ in spans], self._about)
        self._outer = [outer for _, outer in spans]

    def compare(self, written: Path) -> dict[str, Any]:
        """Return the number of kept samples, their sha256, and whether the file still has them."""
        identical = _hash(written, self._outer, self._about) == self.sha256
        return {"samples": self.samples, "sha256": self.sha256, "identical": identical}


def _hash(source: "Source", spans: list[Span], like: "AudioInfo") -> str:
    from jen1cli.audio.files import raw_blocks

    floating = like.subtype in ("FLOAT", "DOUBLE")
    digest = hashlib.sha256()
    for start, stop in spans:
        for block in raw_blocks(source, start, stop, "float64" if floating else "int32"):
            digest.update(block.tobytes())
    return digest.hexdigest()
