"""Random crops of audio files for stage 1, prefetched by threads.

As in stage 2, batch number n is a function of (seed, n).
"""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from jen1cli import audio
from jen1cli.errors import AudioError, DataError
from jen1cli.manifest import Clip
from jen1cli.shapes import Waveform
from jen1cli.training.diffusion.batches import mixed_seed
from jen1cli.training.engine.augmentation import WIDTH_HERTZ, widen
from jen1cli.training.engine.events import OnEvent, Warned
from jen1cli.training.engine.reading import read_waveform

AHEAD = 3
"""Number of prefetched batches."""
MOST_THREADS = 8
WIDENED_SHARE = 0.75
"""Share of stereo crops whose width is changed."""
WIDTH_BEND = 6.0
"""Random deviation of the width gain between frequencies, in dB."""
_CROP_STREAM, _ORDER_STREAM = 3, 4  # of random numbers, as in `training.diffusion.batches`


class CropSource:
    """Source of the batches; unreadable files are reported once and replaced."""

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        sample_rate: int,
        audio_channels: int,
        samples: int,
        gain_decibels: tuple[float, float],
        side_decibels: tuple[float, float],
        seed: int,
        on_event: OnEvent,
    ) -> None:
        """Start prefetching crops of `samples` samples at `sample_rate` from `clips`.

        Raises:
            DataError: there are no clips.
        """
        if not clips:
            raise DataError("there are no training clips; check the folder's splits")
        self._clips = tuple(clips)
        self._sample_rate = sample_rate
        self._audio_channels = audio_channels
        self._samples = samples
        self._gain = gain_decibels
        self._side = side_decibels
        self._seed = seed
        self._on_event = on_event
        self._broken: set[int] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1))
        self._waiting: dict[tuple[int, int], Future[Tensor]] = {}

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self._clips)

    def batch(self, step: int, items: Sequence[int], of: int) -> Waveform:
        """Return the crops number `items` of step `step`, whose batch has `of` crops in all."""
        for later in range(step, step + AHEAD):
            for item in items:
                if (later, item) not in self._waiting:
                    task = self._pool.submit(self._crop, later * of + item)
                    self._waiting[later, item] = task
        found = [self._waiting.pop((step, item)).result() for item in items]
        return torch.stack(found)

    def peek(self, count: int) -> Waveform:
        """Return crops that differ from those of the first training steps."""
        tasks = [self._pool.submit(self._crop, -1 - number) for number in range(count)]
        return torch.stack([task.result() for task in tasks])

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _crop(self, number: int) -> Tensor:
        epoch, place = divmod(number, len(self._clips))
        order_seed = mixed_seed(self._seed, _ORDER_STREAM, abs(epoch), epoch < 0)
        order = np.random.default_rng(order_seed).permutation(len(self._clips))
        first = int(order[place])
        for offset in range(len(self._clips)):
            index = (first + offset) % len(self._clips)
            if index in self._broken:
                continue
            seed = mixed_seed(self._seed, _CROP_STREAM, abs(number), number < 0)
            rng = np.random.default_rng(seed)
            try:
                return self._read(self._clips[index], rng)
            except AudioError as error:  # but not of a server, which ends the run
                self._give_up(index, error)
        raise DataError("none of the clips can be read; check the warnings")

    def _give_up(self, index: int, error: AudioError) -> None:
        """Report a file once, even if several threads fail to read it."""
        with self._lock:
            known = index in self._broken
            self._broken.add(index)
        if not known:
            self._on_event(Warned(f"skipped {self._clips[index].name}: {error}"))

    def _read(self, clip: Clip, rng: np.random.Generator) -> Tensor:
        source = clip.source
        info = audio.probe(source)
        wanted = -(-self._samples * info.sample_rate // self._sample_rate)
        start = int(rng.integers(max(0, info.samples - wanted) + 1))
        signal = audio.read(source, start, min(info.samples, start + wanted))
        signal = audio.to_channels(signal, self._audio_channels)
        signal = audio.resample(signal, info.sample_rate, self._sample_rate)[:, : self._samples]
        gain = audio.db_to_amplitude(rng.uniform(*self._gain))
        if len(signal) == 2 and rng.random() < WIDENED_SHARE:
            bend = rng.uniform(-WIDTH_BEND, WIDTH_BEND, len(WIDTH_HERTZ))
            signal = widen(signal, self._sample_rate, rng.uniform(*self._side) + bend)
        signal = np.pad(signal, ((0, 0), (0, self._samples - signal.shape[1])))
        return torch.from_numpy((signal * gain).astype(np.float32))


def middles(
    clips: Sequence[Clip], sample_rate: int, audio_channels: int, samples: int, on_event: OnEvent
) -> Iterator[Tensor]:
    """Yield the middle of each clip [audio_channels, samples]; skips short and broken clips."""
    for clip in clips:
        try:
            waveform = read_waveform(clip, sample_rate, audio_channels)
        except AudioError as error:
            on_event(Warned(f"skipped {clip.name}: {error}"))
            continue
        spare = waveform.shape[1] - samples
        if spare >= 0:
            yield waveform[:, spare // 2 : spare // 2 + samples]
