"""Strict reading of JSON: errors name file, line and field.

Python's own reader accepts NaN, turns 1e400 into infinity, keeps the last of two equal keys, and
raises four kinds of errors for deep nesting, long integers, invalid UTF-8 and syntax. Here all of
these raise `JsonError`. Types are checked by `typed_json.from_dict` or by the caller.
"""

import json
import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from jen1cli.errors import DataError

MAX_DEPTH = 64
"""Largest nesting depth."""
MAX_BYTES = 64 * 2**20
"""Largest size of a document, or of a line in a file of lines."""

_MAX_DIGITS = 40  # digits of an integer; 128 bits need 39
_FILE_NAMES = frozenset({"audio", "clip", "name", "path"})


class JsonError(DataError, ValueError):
    """A text that is not strict JSON.

    It is a `ValueError` too, as `json.JSONDecodeError` is.

    Attributes:
        fault: the message without its advice.
    """

    def __init__(self, fault: str, advice: str = "mend it") -> None:
        super().__init__(f"{fault}; {advice}")
        self.fault = fault


def parse_json(text: str | bytes, where: str) -> Any:  # noqa: ANN401 - any JSON value
    """Read one JSON text.

    A byte order mark is skipped. Numbers must be finite and integers have at most 40 digits, keys
    must be unique, and strings must not contain lone surrogates, except file names (`audio`,
    `name`, `path`), where Python represents bytes that are not UTF-8 by them.

    Args:
        text: at most `MAX_BYTES`, nested at most `MAX_DEPTH` deep.
        where: file, and line if it has several texts, for the message.

    Raises:
        JsonError: the text is not strict JSON.
    """
    if isinstance(text, bytes):
        text = decode_text(text, where)
    try:
        value = json.loads(
            text.removeprefix("\ufeff"), object_pairs_hook=_object, parse_int=_integer
        )
        _check(value, ())
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if "\n" in text.strip() else ""
        raise JsonError(f"{where} is not JSON ({error.msg}, {line}column {error.colno})") from error
    except RecursionError as error:
        raise JsonError(f"{where} is {_TOO_DEEP}") from error
    except _Fault as error:
        raise JsonError(f"{where} {error}") from error
    return value


def parse_object(text: str | bytes, where: str) -> dict[str, Any]:
    """Read one JSON text that is an object; see `parse_json`."""
    value = parse_json(text, where)
    if not isinstance(value, dict):
        raise JsonError(f"{where} is {json_type(value)}, where an object {{…}} is wanted")
    return value


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that is one JSON object; see `parse_json`.

    Raises:
        JsonError: it is not one in strict JSON.
        OSError: it cannot be read.
    """
    return parse_object(_read(path), str(path))


def read_lines(source: Path | bytes, name: str = "") -> Iterator[tuple[str, str]]:
    r"""Yield every line that is not blank, with its position for messages.

    Only line feeds end a line. U+2028, U+0085 and form feeds, at which `str.splitlines` splits
    too, are allowed inside JSON strings.

    Args:
        source: a file, or its bytes.
        name: name of the source in messages; the path by default.

    Raises:
        JsonError: a line is not UTF-8, or longer than `MAX_BYTES`.
        OSError: the file cannot be read.
    """
    name = name or str(source)
    opened: BinaryIO = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with opened as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), start=1):
            where = f"line {number} of {name}"
            if text := decode_text(line, where).strip():
                yield where, text


def decode_text(data: bytes, where: str) -> str:
    """Return UTF-8 text of at most `MAX_BYTES`, without a byte order mark.

    Raises:
        JsonError: it is too long or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise JsonError(f"{where} has more than {MAX_BYTES // 2**20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JsonError(
            f"{where} is not UTF-8 text (byte {error.start + 1})", "save it as UTF-8"
        ) from error


def to_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return one line of JSON that any strict reader accepts.

    Non-ASCII text is not escaped, except in a line with a file name that is not UTF-8.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if is_unicode(text) else json.dumps(value, allow_nan=False)


def short_json(value: object) -> str:
    """Return a value as JSON for a message, cut to 60 characters."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_unicode(text: str, errors: str = "strict") -> bool:
    """Whether a text can be written as UTF-8, with the error handler of `str.encode`."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def json_type(value: object) -> str:
    """Name the type of a JSON value in words."""
    if isinstance(value, str):
        return f"text ({_short(value)})"
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value)) or f"a number ({_short(value)})"


class _Fault(Exception):
    """A value that is not allowed, and its place."""


_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"has the key {_short(double)} twice")
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.inf


def _check(value: object, path: tuple[str | int, ...]) -> None:
    """Reject values that JSON's grammar allows but strict JSON does not."""
    if len(path) >= MAX_DEPTH and isinstance(value, dict | list):
        raise _Fault(f"is {_TOO_DEEP}")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not is_unicode(name):
                raise _Fault(f"has a broken letter (half a surrogate pair) in the key {name!a}")
            _check(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, (*path, index))
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Fault(f"has a number that is not finite{_place(path)}")
    elif isinstance(value, str):
        codec_errors = "surrogateescape" if path and path[-1] in _FILE_NAMES else "strict"
        if not is_unicode(value, codec_errors):
            raise _Fault(f"has a broken letter (half a surrogate pair){_place(path)}")


def _place(path: tuple[str | int, ...]) -> str:
    return f" in {_short('.'.join(map(str, path)))}" if path else ""


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"
