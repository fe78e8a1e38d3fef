"""Excerpts of edits in several versions, for `jen1 evaluate listen --together`.

Each version has a folder with a manifest. Excerpts of one edit have the same caption in all of
them, by which a listening test finds what belongs together.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.files import make_folder
from jen1cli.manifest import Clip, write_manifest

EXCERPT_SECONDS = 10.0
_CONTEXT_SECONDS = (2.0, 3.0)  # least before and after a hole, and in front of a continuation


class Versions:
    """Writes the versions of edits into sub-folders of one folder.

    Args:
        folder: parent of the sub-folders; files in it are replaced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clips: dict[str, list[Clip]] = defaultdict(list)

    def add(
        self,
        name: str,
        whole: Signal,
        made: Mapping[str, Signal],
        span: tuple[int, int],
        sample_rate: int,
    ) -> None:
        """Write the versions of one edit.

        Args:
            name: the edit's name, unique.
            whole: the original, [channels, samples].
            made: what fills the interval, by version.
            span: the interval, in samples.
            sample_rate: Hz.
        """
        start, stop = excerpt(whole.shape[1], span, sample_rate)
        seconds = [(at - start) / sample_rate for at in (span[0], min(span[1], stop))]
        caption = f"{name}: from {seconds[0]:.1f} to {seconds[1]:.1f} s it may be new"
        for version, signal in made.items():
            filled = whole.copy()
            filled[:, span[0] : span[1]] = signal
            path = self._folder / version / f"{name}.flac"
            make_folder(path.parent)
            audio.write(path, np.ascontiguousarray(filled[:, start:stop]), sample_rate)
            clip = Clip(path, (caption,), (stop - start) / sample_rate, "test")
            self._clips[version].append(clip)

    def finish(self) -> None:
        """Write the manifests."""
        for version, clips in self._clips.items():
            write_manifest(self._folder / version, clips)


def excerpt(samples: int, span: tuple[int, int], sample_rate: int) -> tuple[int, int]:
    """Return the part of a clip in which an edit is to be heard, at most `EXCERPT_SECONDS` long.

    It is longer where the interval has known music on both sides and needs more.

    Args:
        samples: length of the clip.
        span: the interval that is new, in samples.
        sample_rate: Hz.
    """
    least, lead = (audio.seconds_to_samples(seconds, sample_rate) for seconds in _CONTEXT_SECONDS)
    length = audio.seconds_to_samples(EXCERPT_SECONDS, sample_rate)
    if span[1] >= samples:  # a continuation, which may be cut short
        start = max(0, span[0] - lead)
        return start, min(samples, start + length)
    around = max(least, (length - (span[1] - span[0])) // 2)
    return max(0, span[0] - around), min(samples, span[1] + around)
