"""Training windows from tar files, in bounded memory and in an order known beforehand.

Each process reads its own tar files, every P-th one. An epoch visits each of their clips once for
each window that fits into it. The tar files are permuted, taken in groups of about
`SHUFFLE_BYTES`, and the windows of a group are permuted together, while the next group is read: a
shuffle buffer whose content follows from its number. So window n is a function of the seed, n, the
process, the number of processes and `SHUFFLE_BYTES`, and a run that is resumed with the same goes
on at the same window after reading one group.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float16, Integer
from torch import Tensor

from jen1cli.conditioning.controls.score_channels import ScoreEvents
from jen1cli.devices import to_device
from jen1cli.errors import ConfigError
from jen1cli.shapes import Latent
from jen1cli.training.diffusion.batches import TrainingWindow, mixed_seed, padded
from jen1cli.training.diffusion.cache import CachedClip
from jen1cli.training.diffusion.scores import ScoreTable
from jen1cli.training.diffusion.tar_reading import Tar, TarCache, TarClip, read_tar

SHUFFLE_BYTES = 1 << 30
"""Latents of a process among which windows are drawn; as many again are read ahead."""
_CYCLE = 1_000
"""Windows in which every set of a mix has exactly its share."""
_KEPT_BATCHES = 3
"""Batches whose clips are kept: one in training, one prepared, and one of a dry run."""
_NOBODY = -1
"""Window of another process."""
# Streams of random numbers, as in `batches`; tar files and groups are drawn from the seed of a set.
_TAR_STREAM, _GROUP_STREAM, _MIX_STREAM, _SET_STREAM, _WINDOW_STREAM = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class StreamSources:
    """Caches in tar files with one whitening, and the share of each in the windows."""

    caches: tuple[TarCache, ...]
    weights: tuple[float, ...]


class Share(NamedTuple):
    """Items of each batch that one process takes."""

    process: int
    processes: int
    accumulation: int

    def items(self, batch_size: int) -> list[int]:
        """Return the positions of the items, as `DiffusionStage.train_step` divides a batch."""
        stride = self.processes * self.accumulation
        return [i for i in range(batch_size) if i % stride // self.accumulation == self.process]


@dataclass(frozen=True)
class _Epoch:
    number: int
    groups: list[list[int]]  # tar files
    ends: Integer[np.ndarray, " groups"]  # windows up to the end of each group


class _Order:
    """The windows of one set that one process reads, in their order, without end."""

    def __init__(self, tars: Sequence[Tar], frames: int, components: int, seed: int) -> None:
        self._tars = tars
        self._seed = seed
        per_clip = [np.maximum(1, tar.frames // frames) for tar in tars]
        self._slots = [np.repeat(np.arange(len(count)), count) for count in per_clip]
        self._sizes = [2 * components * int(tar.frames.sum()) for tar in tars]
        self._epoch = self._epoch_of(0)
        self._places = ((-1, -1), np.zeros((0, 2), int))  # places in a group of an epoch
        self._pool = ThreadPoolExecutor(1)
        self._reading: dict[int, Future[list[TarClip]]] = {}

    @property
    def windows(self) -> int:
        """Windows in one epoch."""
        return int(self._epoch.ends[-1])

    def take(self, number: int) -> tuple[int, int, TarClip]:
        """Return tar file, position in it and clip of window `number`."""
        epoch, place = divmod(number, self.windows)
        if epoch != self._epoch.number:
            self._epoch = self._epoch_of(epoch)
        group = int(np.searchsorted(self._epoch.ends, place, side="right"))
        first = int(self._epoch.ends[group - 1]) if group else 0
        if self._places[0] != (epoch, group):
            self._places = ((epoch, group), self._places_of(group))
            self._read(group)
        tar, position = map(int, self._places[1][place - first])
        return tar, position, self._reading[tar].result()[position]

    def _epoch_of(self, number: int) -> _Epoch:
        rng = np.random.default_rng(mixed_seed(self._seed, _TAR_STREAM, number))
        groups: list[list[int]] = []
        room = 0
        for tar in rng.permutation(len(self._tars)).tolist():
            if not groups or self._sizes[tar] > room:
                groups.append([])
                room = SHUFFLE_BYTES
            groups[-1].append(tar)
            room -= self._sizes[tar]
        counts = [sum(len(self._slots[tar]) for tar in group) for group in groups]
        return _Epoch(number, groups, np.cumsum(counts))

    def _places_of(self, group: int) -> Integer[np.ndarray, "windows 2"]:
        """Return tar file and position of each window of a group, in their order."""
        tars = self._epoch.groups[group]
        found = np.concatenate(
            [np.stack([np.full_like(self._slots[t], t), self._slots[t]], 1) for t in tars]
        )
        rng = np.random.default_rng(
            mixed_seed(self._seed, _GROUP_STREAM, self._epoch.number, group)
        )
        return rng.permutation(found)

    def _read(self, group: int) -> None:
        """Have the tar files of a group read, then those of the next; forget all others."""
        groups = self._epoch.groups[group : group + 2]
        if len(groups) < 2:
            groups = [*groups, self._epoch_of(self._epoch.number + 1).groups[0]]
        self._reading = {
            tar: self._reading.get(tar) or self._pool.submit(read_tar, self._tars[tar])
            for group_tars in groups
            for tar in group_tars
        }


class Mix:
    """Divides a sequence of windows among several sets by weight."""

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        """Compute how many windows of a cycle each set has.

        Args:
            weights: weights of the sets, above 0.
            seed: the order's seed.
        """
        exact = np.array(weights, np.float64) / sum(weights) * _CYCLE
        counts = np.maximum(1, np.floor(exact).astype(int))
        while (rest := _CYCLE - int(counts.sum())) != 0:
            counts[np.argmax((exact - counts) * np.sign(rest))] += np.sign(rest)
        self._counts = counts
        self._seed = seed
        self._cycle: tuple[int, Integer[np.ndarray, " windows"]] = (-1, counts)

    def place(self, number: int) -> tuple[int, int]:
        """Return the set of window `number`, and which window of that set it is."""
        cycle, place = divmod(number, _CYCLE)
        if self._cycle[0] != cycle:
            rng = np.random.default_rng(mixed_seed(self._seed, _MIX_STREAM, cycle))
            order = np.repeat(np.arange(len(self._counts)), self._counts)
            self._cycle = (cycle, rng.permutation(order))
        order = self._cycle[1]
        chosen = int(order[place])
        before = int(np.count_nonzero(order[:place] == chosen))
        return chosen, cycle * int(self._counts[chosen]) + before


class WindowStream:
    """Chooses and holds the windows that one process trains on, from caches in tar files.

    A clip's `start` is the frame at which it would begin if all clips of all caches were joined,
    so that it identifies the clip; latents and scores are held for the batches in use.
    """

    def __init__(
        self,
        caches: Sequence[TarCache],
        weights: Sequence[float],
        frames: int,
        silence: Float[Tensor, " components"],
        seed: int,
        share: Share,
        device: torch.device,
    ) -> None:
        """Choose the tar files of this process; nothing is read yet.

        Args:
            caches: caches of latents with one whitening.
            weights: share of each cache in the windows.
            frames: length of a window.
            silence: latent that pads short clips.
            seed: the run's seed.
            share: share of this process in each batch.
            device: device of the windows.

        Raises:
            ConfigError: there are fewer tar files than processes.
        """
        self.frames = frames
        components = len(silence)
        self._silence = silence
        self._device = device
        self._seed = seed
        self._share = share
        self._mix = Mix(weights, seed)
        self._orders: list[_Order] = []
        self._starts: list[list[Integer[np.ndarray, " clips"]]] = []
        self._epoch_windows = first = 0
        for number, cache in enumerate(caches):
            tars = cache.split("train")
            if len(tars) < share.processes:
                raise ConfigError(
                    f"{cache.folder} has {len(tars)} tar files of training clips for"
                    f" {share.processes} processes, which read one each at least; write the"
                    " latents with more --shard, or start fewer processes"
                )
            mine = slice(share.process, None, share.processes)
            order_seed = mixed_seed(seed, _SET_STREAM, number, share.process)
            self._orders.append(_Order(tars[mine], frames, components, order_seed))
            ends = first + np.cumsum([int(tar.frames.sum()) for tar in tars])
            starts = [
                end - int(tar.frames.sum()) + np.cumsum(tar.frames) - tar.frames
                for end, tar in zip(ends, tars, strict=True)
            ]
            self._starts.append(starts[mine])
            first = int(ends[-1])
            self._epoch_windows += sum(
                int(np.maximum(1, tar.frames // frames).sum()) for tar in tars
            )
        self._recent: tuple[set[int], ...] = ()
        empty = np.zeros((0, components), np.float16)
        self.clips = {_NOBODY: CachedClip(_NOBODY, 0, ("",), "train", "")}
        self.latents: dict[int, Float16[np.ndarray, "_frames _components"]] = {_NOBODY: empty}
        self.events: dict[int, ScoreEvents] = {}

    @property
    def epoch_windows(self) -> int:
        """Windows of all clips of all sets, over all processes."""
        return self._epoch_windows

    def windows(self, first: int, count: int, rng: np.random.Generator) -> list[TrainingWindow]:
        """Return the windows of a batch; those of other processes are empty.

        Args:
            first: number of the batch's first window in the run, a multiple of `count`.
            count: size of the batch.
            rng: not used, since processes must draw alike from it.
        """
        step = first // count
        mine = self._share.items(count)
        own = np.random.default_rng(
            mixed_seed(self._seed, _WINDOW_STREAM, step, self._share.process)
        )
        found = [TrainingWindow(_NOBODY, 0, "")] * count
        used = set()
        for ordinal, item in enumerate(mine, step * len(mine)):
            clip = self._hold(ordinal)
            used.add(clip.start)
            start = int(own.integers(max(0, clip.frames - self.frames) + 1))
            caption = clip.captions[int(own.integers(len(clip.captions)))]
            found[item] = TrainingWindow(clip.start, start, caption)
        self._recent = (used, *self._recent[: _KEPT_BATCHES - 1])
        for start in set(self.clips) - {_NOBODY}.union(*self._recent):
            for held in (self.clips, self.latents, self.events):
                held.pop(start, None)
        return found

    def _hold(self, ordinal: int) -> CachedClip:
        """Take window `ordinal` of this process; hold and return its clip."""
        number, place = self._mix.place(ordinal)
        tar, position, clip = self._orders[number].take(place)
        start = int(self._starts[number][tar][position])
        if start not in self.clips:
            self.latents[start] = clip.latent
            if clip.events is not None:
                self.events[start] = clip.events
            self.clips[start] = replace(clip.entry, start=start)
        return self.clips[start]

    def scores(self) -> ScoreTable:
        """Return the scores of the clips that are held."""
        return ScoreTable(self.events)

    def gather(self, places: Sequence[tuple[CachedClip, int]], frames: int) -> Latent:
        """Return windows [batch, components, frames]; short clips are padded with silence."""
        found = [
            padded(self.latents[clip.start][start : start + frames], frames, self._silence)
            for clip, start in places
        ]
        return to_device(torch.stack(found), self._device).transpose(1, 2).contiguous()
