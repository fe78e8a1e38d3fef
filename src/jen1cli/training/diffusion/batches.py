"""Batches of stage 2: random windows of the cache, three tasks, text dropout, noise levels.

Batch number n is a function of (seed, n). An interrupted run therefore continues bit-exactly. Each
process draws the random numbers of the whole batch but gathers only its own items, so the training
data do not depend on the number of processes.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float16
from torch import Tensor

from jen1cli.conditioning.controls.score_channels import ALL_DROPPED, ScoreDropout
from jen1cli.devices import to_device
from jen1cli.errors import DataError
from jen1cli.music.controls import NO_CONTROLS, Controls, controls_of
from jen1cli.shapes import KeepMask, Latent, Time
from jen1cli.tasks import Task, generate, random_continuation, random_inpaint
from jen1cli.training.diffusion.cache import CachedClip, LatentCache
from jen1cli.training.diffusion.scores import draw_score_dropout
from jen1cli.training.recipes import DiffusionTrainingConfig

TASKS = (Task.GENERATE, Task.INPAINT, Task.CONTINUE)
# Streams of random numbers, by the first number behind a run's seed in `mixed_seed`; those of
# `streaming` are beside them in one run. Another number would change the batches of a seed.
_EPOCH_STREAM, _BATCH_STREAM, _SCORE_STREAM = 1, 2, 6


@dataclass(frozen=True)
class TrainingWindow:
    """A window of one clip with one of its captions."""

    clip: int  # position in the sampler's list
    start: int  # frame within the clip
    caption: str  # "" is the null text
    controls: Controls = NO_CONTROLS  # input of the network; time 0 is the start of the clip
    dropped: ScoreDropout = ALL_DROPPED  # dropout of the clip's full score


@dataclass(frozen=True)
class BatchSpec:
    """All random choices of one optimiser step, for the whole batch over all processes."""

    windows: tuple[TrainingWindow, ...]
    tasks: tuple[Task, ...]  # in blocks: generate, inpaint, continue
    causal: tuple[bool, ...]
    keep_mask: KeepMask
    t: Time
    eps: Latent


def mixed_seed(seed: int, *numbers: int) -> int:
    """Return one 63-bit seed for a tuple of integers."""
    words = np.random.SeedSequence([seed, *numbers]).generate_state(2, np.uint32)
    return int(words[0]) << 31 | int(words[1]) >> 1


def task_counts(batch_size: int, step: int, tasks: Sequence[str] = TASKS) -> tuple[int, int, int]:
    """Divide a batch equally among tasks; thirds for the paper's three (section IV-C).

    The remainder rotates with the step; a task that is not in `tasks` gets no items.
    """
    base, rest = divmod(batch_size, len(tasks))
    places = {task: (i - step) % len(tasks) for i, task in enumerate(tasks)}
    counts = [base + (places[task] < rest) if task in places else 0 for task in TASKS]
    return counts[0], counts[1], counts[2]


def stratified(count: int, generator: torch.Generator) -> Float[Tensor, " count"]:
    """Draw one number in each of `count` equal parts of [0, 1), in random order."""
    places = torch.randperm(count, generator=generator)
    drawn = (places + torch.rand(count, generator=generator)) / max(1, count)
    return drawn.clamp(max=1.0 - 2.0**-24)  # float32 may round the last part up to 1


def draw_times(
    hyperparameters: DiffusionTrainingConfig, count: int, generator: torch.Generator, steps: int
) -> Time:
    """Draw stratified diffusion times in (0, 1].

    Args:
        hyperparameters: gives the distribution, or a grid whose times are equally likely.
        count: number of times.
        generator: on the CPU.
        steps: N of the discrete schedule; "discrete" draws uniformly from {1/N .. N/N}.
    """
    uniform = stratified(count, generator)
    if hyperparameters.grid:
        return torch.tensor(hyperparameters.grid)[(uniform * len(hyperparameters.grid)).long()]
    if hyperparameters.times == "discrete":
        return (torch.floor(uniform * steps) + 1.0) / steps
    if hyperparameters.times == "logit-normal":
        inside = uniform.clamp(1e-4, 1 - 1e-4)
        return torch.sigmoid(torch.special.ndtri(inside.double())).float()
    return uniform.clamp(min=1e-4)


@runtime_checkable
class WindowSource(Protocol):
    """Windows of training clips, in the order of a run."""

    frames: int  # length of a window

    @property
    def clips(self) -> Sequence[CachedClip] | Mapping[int, CachedClip]:
        """Clips by the `clip` of a window."""
        ...

    @property
    def epoch_windows(self) -> int:
        """Windows in one epoch."""
        ...

    def windows(self, first: int, count: int, rng: np.random.Generator) -> list[TrainingWindow]:
        """Return windows number `first` to `first + count - 1` of the run."""
        ...


class WindowSampler:
    """Chooses windows; one epoch visits every clip once for each window that fits into it."""

    def __init__(self, clips: Sequence[CachedClip], frames: int, seed: int) -> None:
        """Count the windows.

        Args:
            clips: clips of one split.
            frames: length of a window.
            seed: the run's seed.

        Raises:
            DataError: there are no clips.
        """
        if not clips:
            raise DataError("the latent cache holds no training clips; check the splits")
        self.clips = tuple(clips)
        self.frames = frames
        self._seed = seed
        per_clip = [max(1, clip.frames // frames) for clip in clips]
        self._slots = np.repeat(np.arange(len(clips)), per_clip)
        self._order: tuple[int, np.ndarray] = (-1, self._slots)

    @property
    def epoch_windows(self) -> int:
        """Windows in one epoch."""
        return len(self._slots)

    def windows(self, first: int, count: int, rng: np.random.Generator) -> list[TrainingWindow]:
        """Return windows number `first` to `first + count - 1` of the run."""
        found = []
        for number in range(first, first + count):
            epoch, place = divmod(number, len(self._slots))
            index = int(self._shuffled(epoch)[place])
            clip = self.clips[index]
            start = int(rng.integers(max(0, clip.frames - self.frames) + 1))
            caption = clip.captions[int(rng.integers(len(clip.captions)))]
            found.append(TrainingWindow(index, start, caption))
        return found

    def _shuffled(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            rng = np.random.default_rng(mixed_seed(self._seed, _EPOCH_STREAM, epoch))
            self._order = (epoch, rng.permutation(self._slots))
        return self._order[1]


class LatentTable:
    """Reads windows from the cache; a GPU keeps the whole table in memory if it fits."""

    def __init__(self, cache: LatentCache, device: torch.device) -> None:
        """Open the table for `device`."""
        self._table = cache.table
        self._silence = cache.silence.to(device)
        self._device = device
        self._resident: Tensor | None = None
        if device.type == "cuda" and fits(cache.table.nbytes, device):
            self._resident = torch.from_numpy(np.array(cache.table)).to(device)

    def gather(self, places: Sequence[tuple[CachedClip, int]], frames: int) -> Latent:
        """Return windows [batch, components, frames]; short clips are padded with silence.

        Args:
            places: clip and first frame within it, one per window.
            frames: length of each window.
        """
        if self._resident is None:
            found = torch.stack([self._cut(clip, start, frames) for clip, start in places])
            return to_device(found, self._device).transpose(1, 2).contiguous()
        ends = [(clip.start + start, clip.start + clip.frames) for clip, start in places]
        starts, limits = to_device(torch.tensor(ends), self._device).unbind(1)
        rows = starts[:, None] + torch.arange(frames, device=self._device)
        inside = rows < limits[:, None]
        found = self._resident[rows.clamp(max=len(self._resident) - 1)].float()
        found = torch.where(inside[..., None], found, self._silence)
        return found.transpose(1, 2).contiguous()

    def _cut(self, clip: CachedClip, start: int, frames: int) -> Tensor:
        count = min(frames, clip.frames - start)
        first = clip.start + start
        return padded(self._table[first : first + count], frames, self._silence.cpu())


def padded(
    latent: Float16[np.ndarray, "_frames components"],
    frames: int,
    silence: Float[Tensor, " components"],
) -> Float[Tensor, "frames components"]:
    """Return latents in float32, followed by silence up to a number of frames."""
    found = torch.from_numpy(latent.astype(np.float32))
    missing = frames - len(found)
    return torch.cat([found, silence.expand(missing, -1)]) if missing else found


def fits(size: int, device: torch.device) -> bool:
    """Return whether a table of that many bytes leaves most of a GPU's memory free."""
    free, _ = torch.cuda.mem_get_info(device)
    return size < 0.4 * free


class BatchSampler:
    """Draws the batch of each step."""

    def __init__(
        self,
        sampler: WindowSource,
        hyperparameters: DiffusionTrainingConfig,
        *,
        components: int,
        num_timesteps: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.sampler = sampler
        self._hyperparameters = hyperparameters
        self._components = components
        self._num_timesteps = num_timesteps
        self._seed = seed
        self._device = device

    def spec(self, step: int) -> BatchSpec:
        """Return the batch of step number `step` (from 0); seeds rely on the order of draws."""
        hyperparameters, frames = self._hyperparameters, self.sampler.frames
        size = hyperparameters.batch_size
        seed = mixed_seed(self._seed, _BATCH_STREAM, step)
        rng = np.random.default_rng(seed)
        generator = torch.Generator().manual_seed(seed)
        windows = self.sampler.windows(step * size, size, rng)
        without_text = rng.random(size) < hyperparameters.text_dropout
        counts = task_counts(size, step, hyperparameters.tasks)
        both_ways_causal = bool(rng.random() < 0.5)  # the paper uses both, without a ratio
        controls_batch = [
            self._controls(w, bool(null), rng, edited=i >= counts[0])
            for i, (w, null) in enumerate(zip(windows, without_text, strict=True))
        ]
        one_way = hyperparameters.unidirectional
        parts = (
            generate(frames, counts[0], causal=both_ways_causal and one_way),
            random_inpaint(frames, counts[1], generator),
            random_continuation(frames, counts[2], generator, causal=one_way),
        )
        # a separate generator, so that scores do not change the other draws of a seed
        score_rng = np.random.default_rng(mixed_seed(self._seed, _SCORE_STREAM, step))
        dropped = [
            draw_score_dropout(score_rng, frames, edited=i >= counts[0])
            if controls
            else ALL_DROPPED
            for i, controls in enumerate(controls_batch)
        ]
        times = [draw_times(hyperparameters, n, generator, self._num_timesteps) for n in counts]
        noise = torch.Generator(self._device).manual_seed(seed)
        eps = torch.randn(size, self._components, frames, generator=noise, device=self._device)
        return BatchSpec(
            windows=tuple(
                TrainingWindow(
                    w.clip, w.start, "" if null else w.caption, controls or NO_CONTROLS, drop
                )
                for w, null, controls, drop in zip(
                    windows, without_text, controls_batch, dropped, strict=True
                )
            ),
            tasks=tuple(task for task, n in zip(TASKS, counts, strict=True) for _ in range(n)),
            causal=tuple(
                part.causal for part, n in zip(parts, counts, strict=True) for _ in range(n)
            ),
            keep_mask=torch.cat([part.keep_mask for part in parts]),
            t=torch.cat(times),
            eps=eps,
        )

    def _controls(
        self, window: TrainingWindow, null_text: bool, rng: np.random.Generator, *, edited: bool
    ) -> Controls | None:
        """Apply dropout to the controls, since any of them may be missing in generation.

        None stands for no controls and no score. It is the result for half of the items without
        text, since guidance needs predictions without text and predictions without any condition.
        Drums and melody are dropped in half of the items that edit music, where a transcription is
        not always available.
        """
        beat, bar, key, nothing, chords, drums, melody, parts = rng.random(8)
        drop = self._hyperparameters.control_dropout
        if null_text and nothing < 0.5:
            return None
        controls = controls_of(self.sampler.clips[window.clip].attributes)
        if beat < drop:
            controls = dataclasses.replace(controls, bpm=0.0, meter="")
        elif bar < drop:
            controls = dataclasses.replace(controls, meter="")
        if key < drop:
            controls = dataclasses.replace(controls, key="", mode="")
        without = {
            "chords": chords < drop,
            "drums": drums < drop or (edited and parts < 0.5),
            "melody": melody < drop or (edited and parts < 0.5),
        }
        return dataclasses.replace(controls, **{name: "" for name, out in without.items() if out})
