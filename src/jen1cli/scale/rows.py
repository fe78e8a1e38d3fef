"""The rows of a prompt file of any length, one by one: lines, CSV or Parquet; a path or a URL."""

import bz2
import codecs
import contextlib
import csv
import errno
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from jen1cli.errors import ConfigError, DataError, Jen1Error, needs_extra
from jen1cli.files import is_device
from jen1cli.folders import opened_source
from jen1cli.jsonfiles import MAX_BYTES, JsonError, decode_text, parse_json, parse_object
from jen1cli.shards import WHOLE, Shard

PROMPT = "prompt"
_UNPACKED: dict[str, Callable[[Any], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_PACKED = (".zst", ".zip", ".lz4", ".7z", ".tar", ".tgz")  # and not unpacked here
_LONGEST_LINE = 2**30  # bytes, that are passed over
_PARQUET_ROWS = 1_024  # read at once


@dataclass(frozen=True)
class Row:
    """One row of a source."""

    index: int  # from 0, over the whole source
    where: str  # such as "line 3 of prompts.jsonl"
    values: Mapping[str, Any] = field(default_factory=dict)
    is_text: bool = False  # whether numbers are given as text, as in CSV
    fault: Jen1Error | None = None  # why the row cannot be read


def read_rows(
    source: str, shard: Shard = WHOLE, *, stdin: io.IOBase | None = None
) -> Iterator[Row]:
    """Yield the rows of a shard in bounded memory.

    A file whose name ends in .csv or .parquet is a table with a column "prompt". Any other has
    lines that are not blank, JSON objects or plain prompts; blank ones do not count. Behind any of
    these names .gz, .bz2 and .xz are unpacked. A row that cannot be read is yielded with its fault.

    Args:
        source: a path; a URL of fsspec, such as "s3://bucket/prompts.jsonl"; "-" for `stdin`.
        shard: the rows to yield.
        stdin: the stream that "-" stands for; lines only.

    Raises:
        DataError: the source cannot be opened or read on, or is a device.
        ConfigError: a table has no column "prompt".
        MissingExtraError: the extra `scale` is needed.
    """
    name = "stdin" if source == "-" else source
    path = PurePosixPath(source.partition("?")[0].lower())
    if path.suffix in _PACKED:
        raise DataError(
            f"--from {name} is packed as {path.suffix}, which is not unpacked here; give it as .gz,"
            " or unpack it"
        )
    unpack = _UNPACKED.get(path.suffix)
    kind = (path.with_suffix("") if unpack else path).suffix
    reader = {".csv": _table_rows, ".parquet": _parquet_rows}.get(kind, _line_rows)
    try:
        with _opened(source, stdin) as file:
            if unpack is None:
                yield from reader(file, name, shard)
            else:
                with unpack(file) as unpacked:
                    yield from reader(unpacked, name, shard)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise DataError(f"--from {name} is not whole ({error}); make it again") from error
    except FileNotFoundError as error:  # which has no reason of its own from some file systems
        raise DataError(f"--from {name} cannot be read: {os.strerror(errno.ENOENT)}") from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise DataError(f"--from {name} cannot be read: {reason}") from error


@contextlib.contextmanager
def _opened(source: str, stdin: io.IOBase | None) -> Iterator[io.IOBase]:
    if source == "-":
        if stdin is None:
            raise ConfigError("prompts cannot be read from stdin here; give a file")
        yield stdin
    else:
        with opened_source(source, "reading prompts from a URL", option="--from") as file:
            if is_device(Path(source)) and not file.isatty():  # /dev/urandom has no end
                raise DataError(f"--from {source} is a device; give a file or a pipe with prompts")
            yield file


def _line_rows(file: io.IOBase, name: str, shard: Shard) -> Iterator[Row]:
    index = -1
    for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), start=1):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > MAX_BYTES and not line.endswith(b"\n"):
            _skip_line(file, f"line {number} of {name}")
        if not line.strip():
            continue
        index += 1
        if shard.has(index):
            yield _line_row(index, f"line {number} of {name}", line)


def _skip_line(file: io.IOBase, where: str) -> None:
    """Read to the end of a line.

    Raises:
        DataError: it has none within reach, as in a device.
    """
    for _ in range(_LONGEST_LINE // MAX_BYTES):
        rest = file.readline(MAX_BYTES)
        if not rest or rest.endswith(b"\n"):
            return
    raise DataError(f"{where} has more than {_LONGEST_LINE >> 30} GB; give one prompt on a line")


def _line_row(index: int, where: str, line: bytes) -> Row:
    try:
        text = decode_text(line, where).strip()
        is_json = text.startswith("{") or _is_list(text)
        return Row(index, where, parse_object(text, where) if is_json else {PROMPT: text})
    except JsonError as error:
        return Row(index, where, fault=error)


def _is_list(text: str) -> bool:
    """Whether a line is a list in JSON, and no prompt such as "[verse] lofi"."""
    if not text.startswith("["):
        return False
    try:
        parse_json(text, "")
    except JsonError:
        return False
    return True


def _table_rows(file: io.IOBase, name: str, shard: Shard) -> Iterator[Row]:
    # bytes that are not UTF-8 stay in their cell, whose row is refused later
    binary: Any = file
    text = io.TextIOWrapper(binary, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _cells(csv.reader(text), name, shard)
    finally:
        text.detach()  # else it would close the file


def _cells(reader: Any, name: str, shard: Shard) -> Iterator[Row]:  # noqa: ANN401 - csv names no type
    header = [cell.strip() for cell in next(reader, [])]
    _check_header(header, name)
    index = -1
    while True:
        fault: Jen1Error | None = None
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = DataError(f"line {reader.line_num} of {name} is not CSV ({error}); mend it")
        if fault is None and not any(cell.strip() for cell in cells):
            continue
        index += 1
        if not shard.has(index):
            continue
        where = f"line {reader.line_num} of {name}"
        if len(cells) > len(header):
            fault = DataError(f"{where} has {len(cells)} cells, the header {len(header)}; mend it")
        values = {key: cell for key, cell in zip(header, cells, strict=False) if cell.strip()}
        yield Row(index, where, values, is_text=True, fault=fault)


def _parquet_rows(file: io.IOBase, name: str, shard: Shard) -> Iterator[Row]:
    with needs_extra("scale", "reading prompts from Parquet"):
        import pyarrow
        from pyarrow import parquet
    try:
        table = parquet.ParquetFile(file)
        _check_header(table.schema_arrow.names, name)
        index = -1
        for block in table.iter_batches(_PARQUET_ROWS):
            for values in block.to_pylist():
                index += 1
                if shard.has(index):
                    given = {key: value for key, value in values.items() if value is not None}
                    yield Row(index, f"line {index + 1} of {name}", given)
    except pyarrow.ArrowException as error:
        reason = " ".join(str(error).split())
        raise DataError(f"--from {name} is not whole Parquet ({reason}); make it again") from error


def _check_header(header: list[str], name: str) -> None:
    if PROMPT not in header:
        seen = ", ".join(header[:8]) or "none"
        raise ConfigError(f"--from {name} has no column '{PROMPT}'; its columns: {seen}")
    if len(set(header)) < len(header):
        raise ConfigError(f"--from {name} names a column twice; rename one: {', '.join(header)}")
