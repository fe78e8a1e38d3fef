"""Stage 2 (paper section IV-C): omnidirectional latent diffusion, joint training of three tasks.

`DiffusionStage.train_step` is one optimiser step; the loop over steps, which all stages share, is
`jen1cli.training.engine.trainer.Trainer.run`.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from jen1cli.config import ModelConfig
from jen1cli.devices import to_device
from jen1cli.errors import ConfigError
from jen1cli.tasks import Task
from jen1cli.training.diffusion.batches import (
    TASKS,
    BatchSampler,
    BatchSpec,
    LatentTable,
    TrainingWindow,
    WindowSampler,
    WindowSource,
    fits,
)
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.diffusion.objective import Objective, SubBatch
from jen1cli.training.diffusion.resident_controls import ResidentControls
from jen1cli.training.diffusion.samples import SampleWriter
from jen1cli.training.diffusion.scores import ScoreTable
from jen1cli.training.diffusion.streaming import Share, StreamSources, WindowStream
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.diffusion.validation import DiffusionValidation
from jen1cli.training.diffusion.weights import DistilledWriter, LoraWriter, WeightWriter
from jen1cli.training.engine.averaging import Ema
from jen1cli.training.engine.learning_rate import learning_rate
from jen1cli.training.engine.memory import activation_megabytes
from jen1cli.training.engine.optimisation import build_optimizer, check_batch, set_learning_rate
from jen1cli.training.engine.sharding import shared_like, shares_out, whole
from jen1cli.training.engine.state import load_optimizer, optimizer_tensors, under
from jen1cli.training.recipes import DiffusionTrainingConfig

GIVE_UP_AFTER = 20
"""Consecutive steps with a non-finite gradient after which training stops."""


@dataclass(frozen=True)
class DiffusionParts:
    """Components of stage 2, built by `jen1cli.training.diffusion.build`."""

    config: ModelConfig
    objective: Objective
    cache: LatentCache
    texts: TextCache
    weights: WeightWriter | LoraWriter | DistilledWriter
    samples: SampleWriter | None = None
    scores: ScoreTable = field(default_factory=ScoreTable)
    stream: StreamSources | None = None  # training clips; None: those of `cache`


class DiffusionStage:
    """Optimiser steps of stage 2; `Trainer` runs the loop."""

    def __init__(
        self,
        parts: DiffusionParts,
        hyperparameters: DiffusionTrainingConfig,
        accelerator: Accelerator,
        *,
        seed: int = 0,
    ) -> None:
        optimisation = hyperparameters.optimisation
        check_batch(hyperparameters.batch_size, optimisation.accumulation, accelerator)
        self.batch_size = hyperparameters.batch_size
        self._parts = parts
        self._hyperparameters = hyperparameters
        self._accelerator = accelerator
        self._seed = seed
        config = parts.config
        seconds = hyperparameters.crop_seconds or config.generation.window_seconds
        self.frames = max(1, round(seconds * config.frame_rate))
        self._device = accelerator.device
        self._stream = None if parts.stream is None else self._opened(parts.stream)
        self.sampler: WindowSource = self._stream or WindowSampler(
            parts.cache.split("train"), self.frames, seed
        )
        self._batch_sampler = BatchSampler(
            self.sampler,
            hyperparameters,
            components=config.whitening.components,
            num_timesteps=config.diffusion.num_timesteps,
            seed=seed,
            device=self._device,
        )
        self._table = LatentTable(parts.cache, self._device)
        self._training_table = self._stream or self._table
        self._scores = self._stream.scores() if self._stream else parts.scores
        self._resident: ResidentControls | None = None
        self.objective = parts.objective.to(self._device).train()
        self._optimizer = build_optimizer(self.objective, optimisation)
        # With sharded parameters, averaged weights are evaluated in an unsharded copy.
        self._whole = copy.deepcopy(self.objective).cpu() if shares_out(accelerator) else None
        if optimisation.compile:
            self.objective.unet.compile(dynamic=True)  # batches of a third and two thirds
        self._model, self._prepared = accelerator.prepare(self.objective, self._optimizer)
        self._names: dict[Tensor, str] = {
            p: n for n, p in self.objective.named_parameters() if p.requires_grad
        }
        self.ema = Ema(self.objective, optimisation.ema_decay)
        decays = optimisation.more_ema_decays
        self._more_emas = {repr(decay): Ema(self.objective, decay) for decay in decays}
        self._validation = DiffusionValidation(
            parts.cache, self._table, parts.texts, hyperparameters, config, parts.scores,
            frames=self.frames,
        )  # fmt: skip
        self._sums = torch.zeros(len(TASKS) + 1, 2, device=self._device)
        self._rate = 0.0
        self._bad_steps = 0
        self._pool = ThreadPoolExecutor(1)
        self._waiting: tuple[int, Future[BatchSpec]] | None = None

    def _opened(self, stream: StreamSources) -> WindowStream:
        """Open the tar files from which this process reads its items."""
        accelerator, optimisation = self._accelerator, self._hyperparameters.optimisation
        mine = Share(
            accelerator.process_index, accelerator.num_processes, optimisation.accumulation
        )
        silence = self._parts.cache.silence
        return WindowStream(
            stream.caches, stream.weights, self.frames, silence, self._seed, mine, self._device
        )

    @property
    def holds_out(self) -> bool:
        """Return whether there are held-out clips."""
        return bool(self._parts.cache.split("validation"))

    def train_step(self, step: int, share: float) -> None:
        """Do one optimiser step over all micro-batches of all processes.

        Args:
            step: its number.
            share: used share of the budget, 0 to 1.
        """
        if self._waiting is None:  # the first step; a dry run has none
            self._resident = self._resident_controls()
        spec = self._next_batch(step)
        torch.manual_seed(self._seed + step)  # seed of dropout
        pieces = self._hyperparameters.optimisation.accumulation
        first = self._accelerator.process_index * pieces
        stride = self._accelerator.num_processes * pieces
        for piece in range(pieces):
            mine = list(range(first + piece, self.batch_size, stride))
            last = piece == pieces - 1
            with nullcontext() if last else self._accelerator.no_sync(self._model):
                self._backward(spec, mine)
        self._update(step, share)

    def activation_megabytes(self) -> float:
        """Return the memory of activations for one micro-batch of this process, in MB."""
        pieces = self._hyperparameters.optimisation.accumulation * self._accelerator.num_processes
        spec = self._batch_sampler.spec(0)
        one = self._part(spec, [spec.causal.index(False)])
        with self._accelerator.autocast():
            found = activation_megabytes(self.objective, lambda: self.objective([one]))
        return found * -(-self.batch_size // pieces)

    def _next_batch(self, step: int) -> BatchSpec:
        """Return the batch of a step, and prepare the next one in a thread."""
        waiting = self._waiting
        if waiting is not None and waiting[0] == step:
            spec = waiting[1].result()
        else:
            spec = self._batch_sampler.spec(step)
        self._waiting = (step + 1, self._pool.submit(self._batch_sampler.spec, step + 1))
        return spec

    def _backward(self, spec: BatchSpec, items: Sequence[int]) -> None:
        groups = [[i for i in items if spec.causal[i] is causal] for causal in (False, True)]
        groups = [group for group in groups if group]
        parts = [self._part(spec, group) for group in groups]
        # On a CPU the backward pass of fused attention takes a fifth of a step.
        plain = self._device.type == "cpu"
        with sdpa_kernel(SDPBackend.MATH) if plain else nullcontext():
            with self._accelerator.autocast():
                losses = self._model(parts)
            joined = torch.cat(losses)
            # Mean over the whole batch; gradients are averaged over processes afterwards.
            scale = self._accelerator.num_processes / self.batch_size
            self._accelerator.backward(joined.sum() * scale)
        self._keep([spec.tasks[i] for group in groups for i in group], joined.detach())

    def _part(self, spec: BatchSpec, items: Sequence[int]) -> SubBatch:
        windows = [spec.windows[i] for i in items]
        places = [(self.sampler.clips[w.clip], w.start) for w in windows]
        text, text_mask = self._parts.texts([w.caption for w in windows])
        index = torch.tensor(items)
        device = self._device
        return SubBatch(
            latent=self._training_table.gather(places, self.frames),
            eps=spec.eps[to_device(index, device)],
            t=to_device(spec.t[index], device),
            keep_mask=to_device(spec.keep_mask[index], device),
            text=text.to(device),
            text_mask=text_mask.to(device),
            null=to_device(torch.tensor([w.caption == "" for w in windows]), device),
            causal=spec.causal[items[0]],
            controls=self._control_channels(windows),
        )

    def _control_channels(self, windows: Sequence[TrainingWindow]) -> Tensor | None:
        config = self._parts.config
        channels = config.unet.control_channels
        if not channels:
            return None
        if self._resident is not None:
            return self._resident.gather(windows)
        found = self._scores.channels(
            [window.controls for window in windows],
            [(self.sampler.clips[window.clip], window.start) for window in windows],
            [window.dropped for window in windows],
            self.frames,
            config.frame_rate,
            channels,
        )
        return to_device(found, self._device)

    def _resident_controls(self) -> ResidentControls | None:
        """Return the table of channels for a GPU that has the memory; none for a stream."""
        config, sampler = self._parts.config, self.sampler
        channels = config.unet.control_channels
        if self._device.type != "cuda" or not channels or not isinstance(sampler, WindowSampler):
            return None
        clips = sampler.clips
        if not fits(ResidentControls.size(clips, self.frames, channels), self._device):
            return None
        return ResidentControls(
            clips, self._parts.scores, self.frames, config.frame_rate, channels, self._device
        )

    def _update(self, step: int, share: float) -> None:
        optimisation = self._hyperparameters.optimisation
        self._rate = learning_rate(optimisation, step, share)
        set_learning_rate(self._optimizer, self._rate)
        norm = self._accelerator.clip_grad_norm_(self._model.parameters(), optimisation.clip_norm)
        norm = None if norm is None else whole(norm)
        if norm is not None and torch.isfinite(norm):
            self._prepared.step()
            for ema in (self.ema, *self._more_emas.values()):
                ema.update()
            self._sums[-1] += torch.stack([norm.detach(), torch.ones_like(norm)])
            self._bad_steps = 0
        else:
            self._bad_steps += 1
            if self._bad_steps >= GIVE_UP_AFTER:
                raise ConfigError(
                    f"the gradient was not finite in {GIVE_UP_AFTER} steps in a row (at {step});"
                    " resume from the last save with a lower --lr"
                )
        self._prepared.zero_grad(set_to_none=True)

    def _keep(self, tasks: Sequence[Task], losses: Tensor) -> None:
        place = to_device(torch.tensor([TASKS.index(task) for task in tasks]), losses.device)
        pairs = torch.stack([losses.float(), torch.ones_like(losses, dtype=torch.float32)], dim=1)
        self._sums.index_add_(0, place, pairs)

    def take_values(self) -> dict[str, float]:
        """Return mean losses per task, their mean, gradient norm and learning rate."""
        sums = torch.as_tensor(self._accelerator.reduce(self._sums.clone(), "sum")).cpu()
        self._sums.zero_()
        names = [*(f"loss/{task.value}" for task in TASKS), "gradient_norm"]
        values = {n: float(s / c) for n, (s, c) in zip(names, sums, strict=True) if c}
        count = float(sums[:-1, 1].sum())
        if count:
            values["loss"] = float(sums[:-1, 0].sum()) / count
        return {**values, "lr": self._rate}

    def validate(self) -> dict[str, float]:
        """Return held-out losses of the averaged weights at fixed times and noise."""
        with self._averaged() as objective, torch.inference_mode(), self._accelerator.autocast():
            return self._validation.measure(objective)

    def write_samples(self, folder: Path) -> tuple[Path, ...]:
        """Generate fixed prompts, inpaint and continue a clip; write wav and png."""
        samples, main = self._parts.samples, self._accelerator.is_main_process
        with self._averaged() as objective:
            if samples is None or not main:
                return ()
            return samples.write(folder, objective, self._table, self.frames)

    def write_weights(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write the weight set with the averaged weights, and one for each further average.

        These are in `averages/DECAY` beside the folder.
        """
        about = {**provenance, "recipe": asdict(self._hyperparameters), "seed": self._seed}
        sets = {folder: self.ema}
        sets |= {folder.parent / "averages" / name: e for name, e in self._more_emas.items()}
        for target, ema in sets.items():
            with self._averaged(ema) as objective:
                if self._accelerator.is_main_process:
                    self._parts.weights.write(target, objective, {"diffusion": about})

    @contextmanager
    def _averaged(self, ema: Ema | None = None) -> Iterator[Objective]:
        """Yield the objective with averaged weights; all processes must enter."""
        ema = ema or self.ema
        if self._whole is None:
            self.objective.eval()
            with ema.applied():
                yield self.objective
            self.objective.train()
            return
        weights = ema.state()
        with torch.no_grad():
            for name, parameter in self._whole.named_parameters():
                if name in weights:
                    parameter.copy_(weights[name])
        yield self._whole.to(self._device).eval()
        self._whole.cpu()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return weights, average and optimiser state; the step determines the data."""
        tensors = {f"model.{n}": whole(p.detach()) for p, n in self._names.items()}
        tensors |= {f"ema.{n}": p for n, p in self.ema.state().items()}
        for decay, ema in self._more_emas.items():
            tensors |= {f"ema {decay}.{n}": p for n, p in ema.state().items()}
        moments = optimizer_tensors(self._optimizer, self._names)
        tensors |= {f"optimizer.{n}": p for n, p in moments.items()}
        updates = {decay: ema.updates for decay, ema in self._more_emas.items()}
        about = {"ema_updates": self.ema.updates, "seed": self._seed}
        return tensors, about | ({"more_ema_updates": updates} if updates else {})

    @torch.no_grad()
    def load_state(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Restore a state."""
        for parameter, name in self._names.items():
            parameter.copy_(shared_like(tensors[f"model.{name}"], parameter))
        self.ema.load(under(tensors, "ema."), about["ema_updates"])
        updates = about.get("more_ema_updates", {})
        for decay, ema in self._more_emas.items():
            if decay in updates:
                ema.load(under(tensors, f"ema {decay}."), updates[decay])
            else:  # added when the run is resumed: it goes on from the first average
                ema.load(under(tensors, "ema."), about["ema_updates"])
        load_optimizer(self._optimizer, self._names, under(tensors, "optimizer."))
