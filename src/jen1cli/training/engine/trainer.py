"""The training loop: budget, reports, validation, samples, saving, resuming, Ctrl-C."""

import copy
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.training.engine.events import OnEvent, Sampled, Saved, Stepped, Validated, ignore
from jen1cli.training.engine.state import copied, load_state, save_state

SAME_INTERRUPT_SECONDS = 1.0


@runtime_checkable
class Stage(Protocol):
    """Interface of a training stage."""

    batch_size: int

    def train_step(self, step: int, share: float) -> None:
        """Run optimiser step number `step` and record its figures."""
        ...

    def take_values(self) -> dict[str, float]:
        """Return the mean figures since the last call."""
        ...

    def validate(self) -> dict[str, float]:
        """Return held-out figures of the averaged weights."""
        ...

    def write_samples(self, folder: Path) -> tuple[Path, ...]:
        """Write audio and pictures of the averaged weights, in the main process.

        All processes must call it; only the main process returns paths.
        """
        ...

    def write_weights(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write a weight set with the averaged weights in the main process; all must call it."""
        ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and plain values to resume from."""
        ...

    def load_state(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Restore a state."""
        ...


@dataclass(frozen=True)
class Budget:
    """Length of a training: steps, wall-clock minutes, or whichever ends first."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Check that the budget is finite."""
        if self.steps is None and self.minutes is None:
            raise ConfigError("neither steps nor minutes say when to stop; give one of them")

    def share(self, step: int, seconds: float) -> float:
        """Return the used share, 1 when the budget is spent."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / (60.0 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))


@dataclass(frozen=True)
class Intervals:
    """Minutes between validations, samples and saves; each also runs at the end."""

    report_seconds: float = 5.0
    validate_minutes: float = 5.0
    save_minutes: float = 10.0
    sample_minutes: float = 20.0

    def of(self, duty: str) -> float:
        """Return the interval of a duty in seconds."""
        return self.report_seconds if duty == "report" else 60.0 * getattr(self, f"{duty}_minutes")


@dataclass
class _Clock:
    """Wall-clock time over all sessions, including validation and saving."""

    before: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started


class Trainer:
    """Runs one stage in one folder.

    The folder contains `weights/` (a weight set with averaged weights), `state/` (to resume),
    `samples/` and the files of event handlers.
    """

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        budget: Budget,
        *,
        accelerator: Accelerator,
        intervals: Intervals = Intervals(),
        on_event: OnEvent = ignore,
    ) -> None:
        self._stage = stage
        self._folder = folder
        self._budget = budget
        self._accelerator = accelerator
        self._intervals = intervals
        self._on_event = on_event if accelerator.is_main_process else ignore
        self._step = 0
        self._share = 0.0
        self._stopped = False
        self._last: dict[str, float] = {}
        self._reported = 0
        self._clock = _Clock()
        self._stop = threading.Event()
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def resume(self) -> None:
        """Continue from `state/` of the folder.

        Raises:
            CheckpointError: there is no state, or it is of other networks.
        """
        tensors, about = load_state(self._folder / "state")
        self._step = about["step"]
        self._clock.before = about["seconds"]
        try:
            self._stage.load_state(tensors, about["stage"])
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(
                f"{self._folder / 'state'} is not of these networks ({reason});"
                " resume with the options that the run began with, or choose another --output"
            ) from error

    def run(self) -> None:
        """Train until the end of the budget or Ctrl-C, then save.

        Raises:
            KeyboardInterrupt: after saving, when the user stopped the training.
        """
        self._clock.started = time.monotonic()
        duties = {"report": self._report, "validate": self._validate, "save": self._save,
                  "sample": self._sample}  # fmt: skip
        self._last = dict.fromkeys(duties, self._clock.seconds())
        self._reported = self._step
        with _interrupts(self._stop):
            self._agree()
            while self._share < 1.0 and not self._stopped:
                self._stage.train_step(self._step, self._share)
                self._step += 1
                for name in self._agree():
                    duties[name]()
                    self._last[name] = self._clock.seconds()
            self._save()  # first, so that the result exists even if the process is killed later
            if not self._stopped:
                self._validate()
                self._sample()
            self._wait_for_state()
        if self._stopped or self._stop.is_set():
            raise KeyboardInterrupt

    def _agree(self) -> list[str]:
        """Synchronise progress and stop requests over processes; return the duties that are due.

        All use the main process' clock, so that they have the same learning rate and run the
        duties, which communicate, at the same step.
        """
        seconds = self._clock.seconds()
        share, stopped = self._budget.share(self._step, seconds), self._stop.is_set()
        due = [
            name for name, last in self._last.items() if seconds - last >= self._intervals.of(name)
        ]
        if (share >= 1.0 or stopped) and "report" not in due:
            due.insert(0, "report")
        agreed: list[Any] = [share, stopped, due]
        if self._accelerator.num_processes > 1:
            broadcast_object_list(agreed)
        self._share, self._stopped, due = agreed
        return due

    def _report(self) -> None:
        values = self._stage.take_values()
        elapsed = self._clock.seconds()
        share = self._budget.share(self._step, elapsed)
        steps, seconds = self._step - self._reported, elapsed - self._last["report"]
        self._reported = self._step
        self._on_event(
            Stepped(
                step=self._step,
                share=share,
                elapsed_seconds=elapsed,
                remaining_seconds=self._remaining(share, elapsed, steps, seconds),
                items_per_second=steps * self._stage.batch_size / max(seconds, 1e-9),
                values=values,
            )
        )

    def _remaining(self, share: float, elapsed: float, steps: int, seconds: float) -> float:
        by_steps = (
            (self._budget.steps - self._step) * seconds / max(1, steps)
            if self._budget.steps
            else float("inf")
        )
        by_time = 60.0 * self._budget.minutes - elapsed if self._budget.minutes else float("inf")
        return max(0.0, min(by_steps, by_time)) if share < 1.0 else 0.0

    def _validate(self) -> None:
        values = self._stage.validate()
        if values:
            self._on_event(Validated(self._step, values))

    def _sample(self) -> None:
        folder = self._folder / "samples" / f"step-{self._step:07d}"
        if paths := self._stage.write_samples(folder):
            self._on_event(Sampled(self._step, paths))
        self._accelerator.wait_for_everyone()

    def _save(self) -> None:
        tensors, about = self._stage.state()
        seconds = self._clock.seconds()
        if self._accelerator.is_main_process:
            self._wait_for_state()
            whole = {"step": self._step, "seconds": seconds, "stage": copy.deepcopy(about)}
            # the copy takes a fraction of the time of the file, which a thread writes
            self._written = self._writer.submit(
                save_state, self._folder / "state", copied(tensors), whole
            )
        provenance = {
            "steps": self._step,
            "minutes": round(seconds / 60.0, 2),
            "processes": self._accelerator.num_processes,
            "device": _device_name(self._accelerator.device),
        }
        self._stage.write_weights(self._folder / "weights", provenance)
        self._on_event(Saved(self._step, self._folder / "weights"))
        self._accelerator.wait_for_everyone()

    def _wait_for_state(self) -> None:
        """Wait until the last state is written; raise the error if that failed."""
        written, self._written = self._written, None
        if written is not None:
            written.result()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """Set a flag on the first SIGINT, SIGTERM or SIGHUP; a second one ends the process.

    A launcher forwards Ctrl-C to processes that have received it themselves, so repetitions within
    a short time are ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name == "posix" else []))
    found = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in found.items() if handler != signal.SIG_IGN}

    asked: list[float] = []

    def ask(number: int, frame: object) -> None:
        asked.append(time.monotonic())
        if asked[-1] - asked[0] > SAME_INTERRUPT_SECONDS:
            raise KeyboardInterrupt
        stop.set()

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
