"""Processes that make pieces from one queue; one that ends is replaced."""

import contextlib
import logging
import multiprocessing
import signal
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from jen1cli.errors import Jen1Error, OutputError
from jen1cli.scale.pieces import MakerSpec
from jen1cli.scale.requests import Outcome, PieceJob

Batch = Sequence[PieceJob]
_MAX_ENDS = 2  # times that a process may end over one batch
_MAX_WARNINGS = 1_000  # different ones, of one process

logger = logging.getLogger(__name__)


def make_here(spec: MakerSpec, batches: Iterator[Batch]) -> Iterator[list[Outcome]]:
    """Make batches in this process; an empty list comes when the model is loaded."""
    maker = spec.open()
    yield []
    for batch in batches:
        yield maker.make(batch)


def make_in_processes(
    specs: Sequence[MakerSpec], batches: Iterator[Batch]
) -> Iterator[list[Outcome]]:
    """Make batches in one process for each spec; the outcomes come in any order.

    An empty list comes whenever a model is loaded; warnings of the processes are logged here. A
    batch is taken from the iterator only when a process is about to need it. A process that ends,
    for want of memory or by a signal, is replaced and its batch made again; after the second time
    the rows of that batch have failed.

    Raises:
        OutputError: a process can write nothing.
        Jen1Error: a process cannot load the model.
    """
    workers = [_Worker(spec) for spec in specs]
    try:
        while True:
            for worker in workers:
                if worker.held is None and (batch := next(batches, None)) is not None:
                    worker.give(_Held(batch))
            busy = [worker for worker in workers if worker.held is not None]
            if not busy:
                return
            for ready in wait([worker.connection for worker in busy]):
                worker = next(worker for worker in busy if worker.connection is ready)
                yield from worker.receive()
    finally:
        for worker in workers:
            worker.end()


@dataclass
class _Held:
    batch: Batch
    ends: int = 0  # processes that have ended over it


@dataclass
class _Worker:
    spec: MakerSpec
    held: _Held | None = None
    is_loaded: bool = False

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        context = multiprocessing.get_context("spawn")  # CUDA does not outlive a fork
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, self.spec), daemon=True
        )
        self.process.start()
        theirs.close()
        self.is_loaded = False

    def give(self, held: _Held) -> None:
        self.held = held
        with contextlib.suppress(OSError):  # the process has ended, which `receive` notices
            self.connection.send(held.batch)

    def receive(self) -> Iterator[list[Outcome]]:
        """Yield outcomes that the process sends; replace one that has ended."""
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError):
            yield from self._replace()
            return
        if kind == "loaded":
            self.is_loaded = True
            yield []
        elif kind == "warned":
            logger.warning("%s", content)
        elif kind == "made":
            self.held = None
            yield content
        else:
            raise OutputError(content) if kind == "unwritable" else Jen1Error(content)

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()

    def _replace(self) -> Iterator[list[Outcome]]:
        self.process.join()
        how = f"ended with exit code {self.process.exitcode}"
        if not self.is_loaded:
            raise Jen1Error(
                f"a process {how} while it loaded the model, perhaps for want of memory; give"
                " fewer --devices"
            )
        self.connection.close()
        self._open()
        held, self.held = self.held, None
        if held is None:
            return
        held.ends += 1
        if held.ends < _MAX_ENDS:
            self.give(held)
        else:
            yield [Outcome(job, f"its process {how}, twice") for job in held.batch]


def _serve(connection: "Connection[Any, Any]", spec: MakerSpec) -> None:
    """Make batches in this process until the connection is closed; the parent handles signals."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    library = logging.getLogger("jen1cli")
    library.addHandler(_Sender(connection))
    library.propagate = False
    warnings.simplefilter("ignore")  # as the command that started this process
    try:
        maker = spec.open()
        connection.send(("loaded", None))
        while True:
            connection.send(("made", maker.make(connection.recv())))
    except OutputError as error:
        _say(connection, "unwritable", str(error))
    except Jen1Error as error:
        _say(connection, "failed", str(error))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent has ended


class _Sender(logging.Handler):
    """Sends warnings of the library to the parent, each once."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        super().__init__(level=logging.WARNING)
        self._connection = connection
        self._sent: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        text = record.getMessage()
        if text not in self._sent and len(self._sent) < _MAX_WARNINGS:
            self._sent.add(text)
            _say(self._connection, "warned", text)


def _say(connection: "Connection[Any, Any]", kind: str, text: str) -> None:
    with contextlib.suppress(OSError):  # the parent has ended
        connection.send((kind, text))
