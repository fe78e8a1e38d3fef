"""Makes one shard of a set: rows in blocks, sorted to batches, made by one or more processes."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from jen1cli.errors import Jen1Error
from jen1cli.scale.folder import RowBlock, SetFolder
from jen1cli.scale.pieces import MakerSpec
from jen1cli.scale.requests import PieceJob, ReadRow
from jen1cli.scale.rows import Row
from jen1cli.scale.workers import make_here, make_in_processes


@dataclass
class Tally:
    """Counts of a run."""

    rows: int = 0  # read
    made: int = 0  # pieces
    reused: int = 0  # pieces of earlier runs
    failed: int = 0  # rows that cannot be read, or of which a piece cannot be made
    is_stopped: bool = False


Listener = Callable[[Tally], None]


def make_shard(
    folder: SetFolder,
    rows: Iterable[Row],
    read: ReadRow,
    specs: Sequence[MakerSpec],
    *,
    stopped: Callable[[], bool] = lambda: False,
    listener: Listener = lambda tally: None,
) -> Tally:
    """Make what is missing of a shard.

    Args:
        folder: the set's folder.
        rows: the shard's rows, in order.
        read: reads the requests of a row.
        specs: one for each process; a single one is opened in this process.
        stopped: asked before each batch; once true, only what is begun is finished.
        listener: called when a model is loaded, and after each batch.

    Raises:
        DataError: the rows cannot be read on, or are not those of the earlier runs.
        OutputError: the folder cannot be written.
        Jen1Error: the model cannot be loaded.
    """
    folder.begin()
    shard = _Shard(folder, rows, read, stopped)
    batches = shard.batches()
    first = next(batches, None)  # without one, no model is loaded
    if first is not None:
        queue = itertools.chain([first], batches)
        made = make_here(specs[0], queue)
        if len(specs) > 1:
            made = make_in_processes(specs, queue)
        for outcomes in made:
            for outcome in outcomes:
                shard.take(outcome.job, outcome.error)
            listener(shard.tally)
    return shard.tally


class _Shard:
    """The blocks of a shard while they are made."""

    def __init__(
        self, folder: SetFolder, rows: Iterable[Row], read: ReadRow, stopped: Callable[[], bool]
    ) -> None:
        self.tally = Tally()
        self._folder = folder
        self._rows = iter(rows)
        self._read = read
        self._stopped = stopped
        self._blocks: dict[int, RowBlock] = {}  # by piece, of the jobs that are handed out

    def batches(self) -> Iterator[list[PieceJob]]:
        """Yield the jobs that are missing, in batches of one kind."""
        settings = self._folder.settings
        for position in itertools.count():
            rows = list(itertools.islice(self._rows, settings.block_rows))
            if not rows:
                return
            block = self._folder.block(position)
            jobs = [job for row in rows for job in self._missing(row, block)]
            block.sweep(jobs)
            for batch in in_batches(jobs, settings.batch):
                if self._stopped():
                    self.tally.is_stopped = True
                    return
                self._blocks |= {job.piece: block for job in batch}
                block.open_jobs += len(batch)
                yield batch
            block.is_closed = True
            _finish_if_done(block)

    def take(self, job: PieceJob, error: str) -> None:
        """Take up the outcome of a job."""
        block = self._blocks.pop(job.piece)
        if error:
            self._fail(block, job.row, job.where, error, job.piece)
        else:
            block.add(job)
            self.tally.made += 1
        block.open_jobs -= 1
        _finish_if_done(block)

    def _missing(self, row: Row, block: RowBlock) -> Iterator[PieceJob]:
        self.tally.rows += 1
        first = row.index * self._folder.settings.copies
        try:
            if row.fault is not None:
                raise row.fault
            requests = self._read(row)
        except Jen1Error as error:
            made = any(map(block.is_made, range(first, first + self._folder.settings.copies)))
            kept = " (what was made of the row is kept)" if made else ""
            self._fail(block, row.index, row.where, f"{error}{kept}")
            return
        for piece, request in enumerate(requests, first):
            if block.has(piece, request, row.where):
                self.tally.reused += 1
            else:
                yield PieceJob(piece, row.index, row.where, block.place(piece), request)

    def _fail(
        self, block: RowBlock, row: int, where: str, error: str, piece: int | None = None
    ) -> None:
        self.tally.failed += row not in block.failed_rows
        block.failed_rows.add(row)
        self._folder.note_error(row, where, error, piece)


def _finish_if_done(block: RowBlock) -> None:
    if block.is_closed and not block.open_jobs:
        block.finish()


def in_batches(jobs: Sequence[PieceJob], size: int) -> Iterator[list[PieceJob]]:
    """Sort jobs to batches of one kind, of at most a given size."""
    ordered = sorted(jobs, key=lambda job: repr(job.request.kind))  # stable: in order of rows
    for _, alike in itertools.groupby(ordered, key=lambda job: job.request.kind):
        same = list(alike)
        for first in range(0, len(same), size):
            yield same[first : first + size]
