"""Dataclasses as JSON objects, read strictly: configurations, recipes and descriptions in files.

The metadata of a field may hold "key", its name in files, "optional", if files written before the
field existed may lack it, and "write" and "read", functions between its value and another form in
files.
"""

import base64
import dataclasses
import difflib
import functools
import itertools
import math
import struct
import types
import typing
from typing import Any, Literal, TypeVar

from jen1cli.errors import ConfigError
from jen1cli.jsonfiles import json_type

T = TypeVar("T")

Matrix = tuple[tuple[float, ...], ...]
"""Rows of equal length; in files, one string of their float16 numbers."""


def to_dict(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Convert a dataclass to plain JSON values, under the keys of files."""
    return {stored_key(item): _stored(record, item) for item in dataclasses.fields(record)}


def _stored(record: Any, item: dataclasses.Field[Any]) -> Any:  # noqa: ANN401 - any value
    value = getattr(record, item.name)
    write = item.metadata.get("write")
    return _plain(value) if write is None or value is None else write(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any of its values
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return type(value)(map(_plain, value)) if isinstance(value, tuple | list) else value


def stored_key(item: dataclasses.Field[Any]) -> str:
    """Return the key of a field in files.

    It is the metadata "key" if existing files use another name, else the field's name.
    """
    return item.metadata.get("key", item.name)


def from_dict(kind: type[T], values: object, where: str = "config", *, complete: bool = True) -> T:
    """Read a dataclass strictly: unknown and missing keys are refused.

    Fields marked optional, which older weight sets do not have, may be missing.

    Args:
        kind: dataclass to build.
        values: parsed JSON object.
        where: path shown in errors, such as `config.unet`; "" shows the names of fields alone.
        complete: False lets every field be missing that has a default.

    Raises:
        ConfigError: a key is unknown, missing or of the wrong type.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{where or 'it'} must be an object, not {json_type(values)}")
    prefix = f"{where} " if where else ""
    fields = {stored_key(item): item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = _hints(kind)
    for key in values:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(fields)}"
            raise ConfigError(f"{prefix}has an unknown key '{key[:60]}'; {hint}")
    for key, item in fields.items():
        may_miss = item.metadata.get("optional") if complete else _has_default(item)
        if key not in values and not may_miss:
            raise ConfigError(f"{prefix}lacks the key '{key}'")
    within = f"{where}." if where else ""
    read = {
        fields[key].name: _read_field(fields[key], hints[fields[key].name], value, f"{within}{key}")
        for key, value in values.items()
    }
    return kind(**read)


_hints = functools.cache(typing.get_type_hints)  # half of the time that a short object takes


def _read_field(item: dataclasses.Field[Any], hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    read = item.metadata.get("read")
    return _read(hint, value, where) if read is None or value is None else read(value, where)


def _has_default(item: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return item.default is not missing or item.default_factory is not missing


def _read(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where)
    if origin in (types.UnionType, typing.Union):
        return _read_union(typing.get_args(hint), value, where)
    if origin is Literal:
        known = typing.get_args(hint)
        if value not in known:
            raise ConfigError(f"{where} is {json_type(value)}; known: {', '.join(map(str, known))}")
        return value
    if origin is tuple and isinstance(value, list | tuple):
        inner = typing.get_args(hint)
        hints = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        if len(hints) != len(value):
            raise ConfigError(f"{where} must have {len(hints)} entries, not {len(value)}")
        return tuple(
            _read(h, v, f"{where}.{i}") for i, (h, v) in enumerate(zip(hints, value, strict=True))
        )
    if origin is dict and isinstance(value, dict):
        inner = typing.get_args(hint)[1]
        return {key: _read(inner, item, f"{where}.{key}") for key, item in value.items()}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and number:
        return float(value)
    plain = origin or hint
    if hint is Any or (isinstance(value, plain) and (number or plain is not int)):
        return value
    raise ConfigError(f"{where} must be {_WANTED[plain]}, not {json_type(value)}")


_WANTED = {
    bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list",
    dict: "an object",
}  # fmt: skip


def _read_union(options: tuple[Any, ...], value: Any, where: str) -> Any:  # noqa: ANN401
    classes = [c for c in options if isinstance(c, type) and dataclasses.is_dataclass(c)]
    if len(classes) > 1 and isinstance(value, dict):
        families = {typing.get_args(typing.get_type_hints(c)["family"])[0]: c for c in classes}
        family = value.get("family")
        if not isinstance(family, str) or family not in families:
            raise ConfigError(
                f"{where}.family is {json_type(family)}; known: {', '.join(families)}"
            )
        return from_dict(families[family], value, where)
    if value is None and type(None) in options:
        return None
    return _read(next(option for option in options if option is not type(None)), value, where)


def pack_matrix(matrix: Matrix) -> list[str]:
    """Return the rows as text: base64 of float16, little-endian."""
    rows = (struct.pack(f"<{len(row)}e", *row) for row in matrix)
    return [base64.b64encode(row).decode() for row in rows]


def unpack_matrix(values: object, where: str) -> Matrix:
    """Read the rows of `pack_matrix`.

    Raises:
        ConfigError: they are no such rows; names the place.
    """
    fault = ConfigError(f"{where} must be rows of base64, of equally many float16 numbers")
    if not isinstance(values, list) or not all(isinstance(row, str) for row in values):
        raise fault
    try:
        rows = [base64.b64decode(row, validate=True) for row in values]
        matrix = tuple(struct.unpack(f"<{len(row) // 2}e", row) for row in rows)
    except (ValueError, struct.error) as error:
        raise fault from error
    if len({len(row) for row in matrix}) > 1 or not all(
        map(math.isfinite, itertools.chain(*matrix))
    ):
        raise fault
    return matrix
