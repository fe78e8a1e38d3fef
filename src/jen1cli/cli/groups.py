"""Groups of options: a dataclass in the signature of a command declares several at once.

Each field of the dataclass is an option or a group of its own. The command line shows the options
at the place of the group; the command receives one instance of the dataclass.
"""

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

T = TypeVar("T")


class Without:
    """Fields that a command does not offer: `Annotated[Group, Without("field")]`.

    They keep the defaults that the group gives them.
    """

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the groups in a command's signature by their options, as Typer reads them.

    Raises:
        TypeError: a group lacks a field that `Without` names.
        ValueError: two options have one name.
    """
    signature = inspect.signature(command)
    parameters = list(_flat(signature))

    @functools.wraps(command)
    def with_options(**given: object) -> None:
        command(**_gather(signature, given))

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {item.name: item.annotation for item in parameters}
    return with_options


def options_of(group: type) -> list[inspect.Parameter]:
    """List the options of a group and of the groups in it: name, annotation and default of each."""
    return list(_flat(inspect.signature(group)))


def replaced(group: T, values: Mapping[str, Any]) -> T:
    """Return a group with other values of some options, by name, also of the groups in it."""
    changed = {
        name: replaced(value, values) if dataclasses.is_dataclass(value) else values[name]
        for name, value in vars(group).items()
        if dataclasses.is_dataclass(value) or name in values
    }
    return dataclasses.replace(group, **changed)  # type: ignore[type-var]


def _flat(signature: inspect.Signature) -> Iterator[inspect.Parameter]:
    for item in signature.parameters.values():
        group = _group(item.annotation)
        if group is None:
            # by keyword, so that one without a default may follow one with a default
            yield item.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        else:
            yield from _flat(group[1])


def _gather(signature: inspect.Signature, given: Mapping[str, object]) -> dict[str, Any]:
    """Build the arguments of a signature from the values of all options."""
    arguments: dict[str, Any] = {}
    for name, item in signature.parameters.items():
        group = _group(item.annotation)
        arguments[name] = given[name] if group is None else group[0](**_gather(group[1], given))
    return arguments


def _group(annotation: Any) -> tuple[type, inspect.Signature] | None:  # noqa: ANN401
    """Return the dataclass of a group and the signature of its offered fields; None for options."""
    kind, left_out = annotation, frozenset[str]()
    if typing.get_origin(annotation) is Annotated:
        kind, *extras = typing.get_args(annotation)
        left_out = left_out.union(*(item.names for item in extras if isinstance(item, Without)))
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return None
    fields = inspect.signature(kind).parameters
    if unknown := left_out - fields.keys():
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    kept = [item for name, item in fields.items() if name not in left_out]
    return kind, inspect.Signature(kept)
