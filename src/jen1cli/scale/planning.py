"""What a set would take: rows, hours of music, disk and time, by a short measured probe."""

import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.jsonfiles import read_object
from jen1cli.scale.pieces import MakerSpec, places
from jen1cli.scale.requests import PieceJob, PieceRequest, ReadRow
from jen1cli.scale.rows import Row
from jen1cli.shards import Shard

PROBE_SECONDS = 10.0  # longest music that the probe makes


@dataclass(frozen=True)
class SetPlan:
    """What a set would take; times are those of this machine."""

    rows: int
    bad_rows: int  # that cannot be read
    first_fault: str  # first fault of those; "" without
    pieces: int
    hours: float  # hours of music
    gigabytes: float  # gigabytes of disk
    free_gigabytes: float  # where the set would be written
    processes: int
    seconds_per_piece: float  # seconds per piece of one process
    compute_hours: float  # compute hours of all processes together, on the clock
    shard_pieces: int
    shard_hours: float  # shard hours of music
    shard_compute_hours: float


@dataclass
class _Counts:
    rows: int = 0
    pieces: int = 0
    seconds: float = 0.0


def plan_set(
    rows: Iterable[Row],
    read: ReadRow,
    shard: Shard,
    spec: MakerSpec,
    processes: int,
    folder: Path,
) -> SetPlan:
    """Read all rows, and make a few pieces as a measurement.

    Args:
        rows: all rows of the source.
        read: reads the requests of a row.
        shard: the part that is counted apart.
        spec: the spec of one process.
        processes: how many would share the work.
        folder: the set's folder, or one that does not exist yet.

    Raises:
        ConfigError: no row can be read.
        Jen1Error: the model cannot be loaded, or makes nothing of the first row.
    """
    whole, part = _Counts(), _Counts()
    bad, fault = 0, ""
    example: PieceRequest | None = None
    for row in rows:
        counted = (whole, part) if shard.has(row.index) else (whole,)
        for counts in counted:
            counts.rows += 1
        try:
            if row.fault is not None:
                raise row.fault
            requests = read(row)
        except Jen1Error as error:
            bad, fault = bad + 1, fault or str(error)
            continue
        example = example or requests[0]
        for counts in counted:
            counts.pieces += len(requests)
            counts.seconds += sum(request.seconds for request in requests)
    if example is None:
        raise ConfigError(f"no row can be read: {fault or 'there is none'}")
    mean = whole.seconds / whole.pieces
    cost, size = _probe(spec, _shortened(example, min(mean, PROBE_SECONDS)))
    return SetPlan(
        rows=whole.rows,
        bad_rows=bad,
        first_fault=fault,
        pieces=whole.pieces,
        hours=whole.seconds / 3600,
        gigabytes=whole.seconds * size / 1e9,
        free_gigabytes=_free(folder) / 1e9,
        processes=processes,
        seconds_per_piece=mean * cost,
        compute_hours=whole.seconds * cost / processes / 3600,
        shard_pieces=part.pieces,
        shard_hours=part.seconds / 3600,
        shard_compute_hours=part.seconds * cost / processes / 3600,
    )


def _shortened(request: PieceRequest, seconds: float) -> PieceRequest:
    """Return a request of at most that length, without a form; a loop has at least one bar."""
    if request.loop_bars is None:
        options = request.options.copy()
        options.pop("form", None)
        return dataclasses.replace(request, seconds=seconds, options=options, is_timed=True)
    bar = request.seconds / request.loop_bars
    bars = min(request.loop_bars, max(1, int(seconds / bar)))
    return dataclasses.replace(request, seconds=bars * bar, loop_bars=bars)


def _probe(spec: MakerSpec, request: PieceRequest) -> tuple[float, float]:
    """Return the seconds of work and the bytes that one second of music takes."""
    with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
        maker = dataclasses.replace(spec, folder=Path(folder)).open()
        jobs = [
            PieceJob(piece, piece, "the first row", f"probe/{piece}", request)
            for piece in range(spec.batch)
        ]
        warm = _shortened(request, min(1.0, request.seconds))
        for attempt in ([dataclasses.replace(job, request=warm) for job in jobs], jobs):
            began = time.perf_counter()
            outcomes = maker.make(attempt)
            elapsed = time.perf_counter() - began
            if outcomes[0].error:
                raise Jen1Error(f"the probe failed: {outcomes[0].error}")
        audio, facts = places(Path(folder), "probe/0", spec.extension)
        size = audio.stat().st_size + facts.stat().st_size
        seconds = read_object(facts)["seconds"]  # a loop's length follows from the composed tempo
    return elapsed / (len(jobs) * seconds), size / seconds


def _free(folder: Path) -> int:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
