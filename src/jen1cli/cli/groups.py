"""Groups of options: a dataclass in the signature of a command declares several at once.

Each field of the dataclass is an option or a group of its own. The command line shows the options
at the place of the group; the command receives one instance of the dataclass.
"""

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from typer import Context as Context
else:  # what commands receive is of the base class, which Typer does not export
    Context = typer.Context.__base__

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
    parameters = tuple(inspect.signature(command).parameters.values())
    options = list(_flat(parameters))

    @functools.wraps(command)
    def with_options(**given: object) -> None:
        command(**_gather(parameters, given))

    with_options.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    with_options.__annotations__ = {item.name: item.annotation for item in options}
    return with_options


def options_of(group: type) -> tuple[inspect.Parameter, ...]:
    """List the options of a group and of the groups in it: name, annotation and default of each."""
    return _options(group, frozenset())


def replaced(group: T, values: Mapping[str, Any]) -> T:
    """Return a group with other values of some options, by name, also of the groups in it."""
    changed = {
        name: replaced(value, values) if dataclasses.is_dataclass(value) else values[name]
        for name, value in vars(group).items()
        if dataclasses.is_dataclass(value) or name in values
    }
    return dataclasses.replace(group, **changed)  # type: ignore[type-var]


def _flat(parameters: Iterable[inspect.Parameter]) -> Iterator[inspect.Parameter]:
    for item in parameters:
        group = _group(item.annotation)
        if group is not None:
            yield from _options(*group)
        elif item.kind is inspect.Parameter.KEYWORD_ONLY:
            yield item
        else:  # by keyword, so that one without a default may follow one with a default
            yield item.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _gather(
    parameters: Iterable[inspect.Parameter], given: Mapping[str, object]
) -> dict[str, object]:
    """Build the arguments of a command, or the fields of a group, from the values of options."""
    arguments: dict[str, object] = {}
    for item in parameters:
        group = _group(item.annotation)
        if group is None:
            arguments[item.name] = given[item.name]
        else:
            arguments[item.name] = group[0](**_gather(_fields(*group), given))
    return arguments


def _group(annotation: Any) -> tuple[type, frozenset[str]] | None:  # noqa: ANN401
    """Return the dataclass of a group and the fields that are left out; None for an option."""
    kind, extras = annotation, ()
    if typing.get_origin(annotation) is Annotated:
        kind, *extras = typing.get_args(annotation)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return None
    names = (item.names for item in extras if isinstance(item, Without))
    return kind, frozenset[str]().union(*names)


@functools.cache
def _fields(group: type, left_out: frozenset[str]) -> tuple[inspect.Parameter, ...]:
    parameters = inspect.signature(group).parameters
    if unknown := left_out - parameters.keys():
        raise TypeError(f"{group.__name__} has no field {', '.join(sorted(unknown))}")
    return tuple(item for name, item in parameters.items() if name not in left_out)


@functools.cache
def _options(group: type, left_out: frozenset[str]) -> tuple[inspect.Parameter, ...]:
    return tuple(_flat(_fields(group, left_out)))
