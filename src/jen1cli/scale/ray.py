"""Sets with Ray Data: a callable class for `map_batches`, and datasets of numbered rows.

    pieces = rows_dataset("prompts.jsonl").map_batches(
        MakePieces,
        fn_constructor_kwargs={"spec": spec, "read": read},
        batch_format="pyarrow", batch_size=64, concurrency=8,   # on GPUs: num_gpus=1
    )

Each actor loads the model once and writes its pieces into the set's folder, which all machines must
share. Pieces that are there are not made again; so an actor that ends, or a whole job, costs no
more than what was in progress. `make_set` does all of it and writes the manifest.
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import DataError, Jen1Error, needs_extra
from jen1cli.jsonfiles import parse_object, to_json
from jen1cli.scale.folder import SetFolder, file_place, read_piece
from jen1cli.scale.pieces import MakerSpec
from jen1cli.scale.requests import Outcome, PieceJob, ReadRow
from jen1cli.scale.rows import Row, read_rows
from jen1cli.scale.run import Tally, in_batches, make_shard

if TYPE_CHECKING:
    import pyarrow
    from ray.data import Dataset

_BLOCK_ROWS = 1_000  # rows of a dataset


class MakePieces:
    """Makes the pieces of a table of rows; Ray Data starts it in actors.

    A table has the columns of `rows_dataset`. A dataset of another origin needs a column "row",
    the number of the row over all the set; its other columns are those of a prompt file.
    """

    def __init__(self, spec: MakerSpec, read: ReadRow, copies: int = 1) -> None:
        """Load the model.

        Args:
            spec: model and folder; see `MakerSpec`.
            read: reads the requests of a row, such as the command's `RowReader`.
            copies: pieces for each row, as `read` returns them.
        """
        self._spec = spec
        self._read = read
        self._copies = copies
        self._maker = spec.open()

    def __call__(self, table: "pyarrow.Table") -> "pyarrow.Table":
        """Return the columns piece, row, audio (path inside the folder) and error."""
        import pyarrow

        outcomes: list[dict[str, Any]] = []
        jobs: list[PieceJob] = []
        for values in table.to_pylist():
            row = _row(values)
            try:
                jobs += self._jobs(row)
            except Jen1Error as error:
                piece = row.index * self._copies
                outcomes.append(self._outcome(piece, row.index, "", str(error)))
        missing = [job for job in jobs if not self._is_made(job)]
        failed: dict[int, str] = {}
        for batch in in_batches(missing, self._spec.batch):
            made: list[Outcome] = self._maker.make(batch)
            failed |= {outcome.job.piece: outcome.error for outcome in made}
        for job in jobs:
            error = failed.get(job.piece, "")
            outcomes.append(self._outcome(job.piece, job.row, job.place, error))
        return pyarrow.Table.from_pylist(outcomes)

    def _jobs(self, row: Row) -> list[PieceJob]:
        if row.fault is not None:
            raise row.fault
        first = row.index * self._copies
        return [
            PieceJob(first + copy, row.index, row.where, file_place(first + copy), request)
            for copy, request in enumerate(self._read(row))
        ]

    def _is_made(self, job: PieceJob) -> bool:
        line = read_piece(self._spec.folder, job.place, self._spec.extension)
        return line is not None and line.get("request") == job.request.digest

    def _outcome(self, piece: int, row: int, place: str, error: str) -> dict[str, Any]:
        audio = "" if error else f"{place}.{self._spec.extension}"
        return {"piece": piece, "row": row, "audio": audio, "error": error}


def rows_dataset(source: str) -> "Dataset":
    """Return the rows of a prompt file with their numbers, as a dataset of Ray.

    The driver reads the file in blocks and keeps none; Ray's object store holds them, and spills to
    the disk what exceeds its memory.

    Args:
        source: see `read_rows`.

    Raises:
        DataError: the file cannot be read, or is empty.
        MissingExtraError: the extra `ray` is needed.
    """
    with needs_extra("ray", "sets with Ray"):
        import pyarrow
        import ray

    rows = read_rows(source)
    blocks = []
    while block := list(itertools.islice(rows, _BLOCK_ROWS)):
        blocks.append(ray.put(pyarrow.Table.from_pylist([_stored(row) for row in block])))
    if not blocks:
        raise DataError(f"{source} has no prompts; write one per line")
    return ray.data.from_arrow_refs(blocks)


def make_set(
    folder: SetFolder,
    source: str,
    read: ReadRow,
    spec: MakerSpec,
    *,
    actors: int = 1,
    batch_size: int = 64,
    **resources: int | float,
) -> tuple[Tally, Path | None]:
    """Make a set of the layout "files" with actors of Ray, and write its manifest.

    Args:
        folder: the set's folder, which all machines share; a whole set, not a shard.
        source: see `read_rows`.
        read: reads the requests of a row.
        spec: model and folder.
        actors: how many, each with the model loaded once.
        batch_size: rows that an actor takes at once.
        **resources: resources of each actor, such as `num_gpus=1`.

    Returns:
        counts, and the manifest.

    Raises:
        Jen1Error: the source or the folder cannot be used, or the model not loaded.
    """
    folder.begin()
    pieces = rows_dataset(source).map_batches(
        MakePieces,
        fn_constructor_kwargs={"spec": spec, "read": read, "copies": folder.settings.copies},
        batch_format="pyarrow",
        batch_size=batch_size,
        concurrency=actors,
        **resources,  # type: ignore[arg-type]
    )
    made = sum(1 for outcome in _outcomes(pieces) if not outcome["error"])
    # lists what is there; names the rows that failed, after one more try of each
    tally = make_shard(folder, read_rows(source), read, [spec])
    tally.made, tally.reused = tally.made + made, tally.reused - made
    return tally, folder.finish()


def _outcomes(pieces: "Dataset") -> Iterator[Mapping[str, Any]]:
    yield from pieces.iter_rows()


def _stored(row: Row) -> dict[str, Any]:
    return {
        "row": row.index,
        "where": row.where,
        "values": to_json(dict(row.values)),
        "is_text": row.is_text,
        "fault": "" if row.fault is None else str(row.fault),
    }


def _row(values: dict[str, Any]) -> Row:
    index = values.pop("row")
    if "values" not in values:
        given = {key: value for key, value in values.items() if value is not None}
        return Row(index, f"row {index}", given)
    fault = DataError(values["fault"]) if values["fault"] else None
    content = parse_object(values["values"], values["where"])
    return Row(index, values["where"], content, is_text=values["is_text"], fault=fault)
