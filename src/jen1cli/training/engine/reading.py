"""Reading of audio files for training; broken files are reported and skipped."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli import audio
from jen1cli.errors import AudioError, DataError
from jen1cli.manifest import Clip, home_of, read_folder
from jen1cli.training.engine.events import OnEvent, Warned

READERS = 2
"""Number of prefetching threads; decoding releases the interpreter lock."""
NOTHING_HELD_OUT = (
    "no clips are held out, so there are no validation figures: give more clips, or splits in a"
    " manifest"
)


def read_clips(data: Path | str, on_event: OnEvent) -> list[Clip]:
    """Read a set of music (`manifest.read_folder`); unusable files are reported.

    Raises:
        DataError: no file is usable.
    """
    home = home_of(data)

    def skipped(path: Path, reason: str) -> None:
        name = path.relative_to(home) if path.is_relative_to(home) else path
        on_event(Warned(f"skipped {name}: {reason}"))

    return read_folder(data, on_skip=skipped)


def check_training_clips(clips: Sequence[Clip]) -> None:
    """Refuse clips of which none is in the training split.

    Raises:
        DataError: there is none; the message counts the other splits and says who chose them.
    """
    if any(clip.split == "train" for clip in clips):
        return
    counts = Counter(clip.split for clip in clips)
    there = " and ".join(f"{count} for {split}" for split, count in counts.items())
    by_hash = "" if any(clip.split_named for clip in clips) else ", by the hashes of their names"
    raise DataError(
        f"none of {len(clips)} clips is for training ({there}{by_hash}); give more clips, or move"
        " some into a folder named 'train' in that folder"
    )


def read_waveform(
    clip: Clip, sample_rate: int, audio_channels: int
) -> Float[Tensor, "audio_channels samples"]:
    """Read one clip at the model's rate and channel count.

    Raises:
        AudioError: the file is missing, broken, empty or not finite.
    """
    source = clip.source
    rate = audio.probe(source).sample_rate
    signal = audio.to_channels(audio.read(source), audio_channels)
    return torch.from_numpy(audio.resample(signal, rate, sample_rate))


def read_waveforms(
    clips: Sequence[Clip], sample_rate: int, audio_channels: int, on_event: OnEvent
) -> Iterator[tuple[Clip, Tensor]]:
    """Read clips in order, with prefetching; unreadable clips are reported and skipped."""
    with ThreadPoolExecutor(READERS) as pool:
        waiting: deque[tuple[Clip, Future[Tensor]]] = deque()
        rest = iter(clips)
        while True:
            while len(waiting) < 2 * READERS and (clip := next(rest, None)) is not None:
                waiting.append(
                    (clip, pool.submit(read_waveform, clip, sample_rate, audio_channels))
                )
            if not waiting:
                return
            clip, future = waiting.popleft()
            try:
                waveform = future.result()
            except AudioError as error:  # but not of a server, which ends the run
                on_event(Warned(f"skipped {clip.name}: {error}"))
                continue
            yield clip, waveform
