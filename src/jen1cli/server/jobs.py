"""Jobs: a bounded queue and one thread that works on the device, one job at a time."""

import logging
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jen1cli.server.errors import ApiError, facts, of_exception

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
KEPT_JOBS = 500  # ended ones that can still be asked for
_USUAL_SECONDS = 5.0  # length of a job, before any has ended
_ID = re.compile(r"[0-9a-f]{16,32}")
_log = logging.getLogger(__name__)


class Cancelled(BaseException):
    """Ends the work of a cancelled job; no `except Exception` of the work catches it."""


@dataclass
class Job:
    """One piece of work, with its progress.

    Attributes:
        folder: for its files; removed by `discard`.
        work: called in the thread of the device.
        steps_per_window: the sampler's steps per window, by which progress is divided into windows.
        result: what the work returned.
        take: the result's name, if it is kept.
        warnings: the library's warnings, while it worked.
    """

    task: str
    folder: Path
    work: Callable[["Job"], Any]
    steps_per_window: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = "queued"
    place: int = 0
    step: int = 0
    steps: int = 0
    error: dict[str, Any] | None = None
    take: str | None = None
    result: Any = None
    warnings: list[str] = field(default_factory=list)
    status: int = 200  # status of HTTP, where it failed
    is_cancelled: bool = False
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def progress(self, done: int, total: int) -> None:
        """Take note of steps done; the callback of the model.

        Raises:
            Cancelled: the job is no longer wanted.
        """
        self.check()
        self.step, self.steps = done, total
        self.notify()

    def check(self) -> None:
        """Stop the work of a cancelled job.

        Raises:
            Cancelled: the job is no longer wanted.
        """
        if self.is_cancelled:
            raise Cancelled

    def notify(self) -> None:
        """Call the listeners."""
        for listener in tuple(self.listeners):
            listener()

    def facts(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        size = self.steps_per_window
        windows = self.steps // size if size and self.steps and self.steps % size == 0 else 0
        return {
            "id": self.id,
            "task": self.task,
            "state": self.state,
            "place": self.place if self.state == "queued" else None,
            "step": self.step,
            "steps": self.steps,
            "window": min(windows, self.step // size + 1) if windows else 0,
            "windows": windows,
            "error": self.error,
            "take": self.take,
            "warnings": list(self.warnings),
        }

    def discard(self) -> None:
        """Remove the files and the result."""
        self.result = None
        shutil.rmtree(self.folder, ignore_errors=True)


class Jobs:
    """The queue, and the thread that works through it.

    Args:
        folder: for the folders of jobs.
        limit: jobs that may wait.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._queue: deque[Job] = deque()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: Job | None = None
        self._closing = False
        self._changed = threading.Condition()
        self._mean_seconds = _USUAL_SECONDS
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def new_folder(self) -> Path:
        """Return a new folder for the files of a job."""
        folder = self.folder / f"job-{secrets.token_hex(8)}"
        folder.mkdir(parents=True)
        return folder

    def check_space(self) -> None:
        """Refuse a job early, before its upload is read.

        Raises:
            ApiError: the queue is full, or the server stops.
        """
        with self._changed:
            self._check_space()

    def submit(self, job: Job) -> Job:
        """Append a job to the queue.

        Raises:
            ApiError: the queue is full, or the server stops.
        """
        with self._changed:
            self._check_space()
            self._jobs[job.id] = job
            self._forget_old()
            self._queue.append(job)
            self._renumber()
            self._changed.notify_all()
        return job

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            ApiError: there is none of that name.
        """
        job = self._jobs.get(name)
        if job is None:
            raise ApiError(404, "job_not_found", "there is no such job (any more)", "id")
        return job

    def check_name(self, name: str) -> str:
        """Return an id that a client has chosen.

        Raises:
            ApiError: it is no id, or that of another job.
        """
        if not _ID.fullmatch(name):
            raise ApiError(422, "invalid_value", "X-Jen1-Job is not 16 to 32 hexadecimal digits")
        if name in self._jobs:
            raise ApiError(409, "job_exists", "there is a job of this id; choose another")
        return name

    def cancel(self, job: Job) -> None:
        """Remove a job from the queue, or stop it at its next step."""
        with self._changed:
            if job.state in ENDED:
                return
            job.is_cancelled = True
            if job.state == "queued":
                self._queue.remove(job)
                self._end(job, "cancelled")
                self._renumber()
        job.notify()

    def counts(self) -> dict[str, Any]:
        """Return how full the queue is."""
        with self._changed:
            return {
                "running": int(self._running is not None),
                "waiting": len(self._queue),
                "limit": self.limit,
            }

    def close(self) -> None:
        """Take no more jobs, and drop those that wait; the running one goes on."""
        with self._changed:
            self._closing = True
            waiting = list(self._queue)
            self._changed.notify_all()
        for job in waiting:
            job.error = facts("server_stopped", "the server was stopped before the job began")
            self.cancel(job)

    def join(self, seconds: float) -> None:
        """Wait for the running job after `close`, then cancel it at its next step."""
        self._thread.join(seconds)
        if self._thread.is_alive() and (job := self._running) is not None:
            job.error = facts("server_stopped", "the server was stopped")
            self.cancel(job)
            self._thread.join(seconds)

    @contextmanager
    def _held(self, job: Job) -> Iterator[None]:
        """Make a job the running one."""
        self._running = job
        started = time.monotonic()
        try:
            yield
        finally:
            self._running = None
            self._mean_seconds += 0.2 * (time.monotonic() - started - self._mean_seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closing:
                    self._changed.wait()
                if not self._queue:
                    return
                job = self._queue.popleft()
                job.state = "running"
                self._renumber()
            job.notify()
            with self._held(job):
                state = self._work(job)
            with self._changed:
                self._end(job, state)
            job.notify()
            del job  # a waiting thread would keep its result alive

    def _work(self, job: Job) -> State:
        try:
            with _warnings(job.warnings):
                job.check()
                job.result = job.work(job)
            return "done"
        except Cancelled:
            return "cancelled"
        except BaseException as error:  # the thread must live on
            refused = of_exception(error)
            job.error, job.status = refused.facts(), refused.status
            return "failed"

    def _end(self, job: Job, state: State) -> None:
        job.state = state
        job.work = _nothing  # it holds the request and the files
        if state != "done":
            job.discard()

    def _renumber(self) -> None:
        for place, job in enumerate(self._queue, 1):
            if job.place != place:
                job.place = place
                job.notify()

    def _check_space(self) -> None:
        if self._closing:
            raise ApiError(503, "server_stopping", "the server is being stopped")
        if len(self._queue) >= self.limit:
            raise ApiError(
                429,
                "queue_full",
                f"{len(self._queue)} jobs wait already; try again later",
                retry_after=self._mean_seconds,
            )

    def _forget_old(self) -> None:
        ended = [name for name, job in self._jobs.items() if job.state in ENDED]
        for name in ended[: max(0, len(self._jobs) - KEPT_JOBS)]:
            del self._jobs[name]


def _nothing(_: Job) -> None:
    """Stand for the work of a job that has ended."""


class _Lines(logging.Handler):
    """Collects the warnings of the thread that it was made in."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(level=logging.WARNING)
        self._lines = lines
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Collect one record."""
        line = " ".join(record.getMessage().split())
        if record.thread == self._thread and line not in self._lines and len(self._lines) < 100:
            self._lines.append(line)


@contextmanager
def _warnings(lines: list[str]) -> Iterator[None]:
    """Collect warnings of the library while a job runs."""
    logger = logging.getLogger("jen1cli")
    handler = _Lines(lines)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
