"""Errors that a user can fix: one sentence each, shown as one line by the command."""

import contextlib
import re
from collections.abc import Iterator, Sequence

_NO_MEMORY = re.compile(
    "not enough memory|can't allocate memory|annot allocate memory|bad_alloc"
    "|could not (?:create|execute) a primitive$|failed to map segment from shared object$"
    "|returned NULL without setting an exception"
)
"""In messages of torch on Windows and Linux, of the system and C++; of oneDNN, which computes on
CPUs, and of the loader of libraries; of Python 3.11, where a frame gets no memory."""


class Jen1Error(Exception):
    """What is wrong, what was seen, what to do; the parent of all errors a user can fix."""


class AudioError(Jen1Error):
    """An audio file that is missing, broken, empty or of an unsupported format."""


class CheckpointError(Jen1Error):
    """A weight set that is missing, damaged, incomplete or too new."""


class ConfigError(Jen1Error):
    """A configuration, option or range that is invalid."""


class DataError(Jen1Error):
    """A folder of music, a manifest or a SoundFont that cannot be used."""


class OutputError(Jen1Error):
    """A file or folder that cannot be written."""


class InputErrors(Jen1Error):
    """Errors of several inputs; the other inputs were processed.

    Attributes:
        errors: one error per input.
    """

    def __init__(self, errors: Sequence[Jen1Error]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


class MissingExtraError(Jen1Error):
    """A package of one of the optional extras is not installed, or does not load."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: torch raises its own error on a GPU, RuntimeError on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or _NO_MEMORY.search(str(error)) is not None
    )


@contextlib.contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Context manager for imports of an extra's packages only.

    Args:
        extra: name in pyproject's optional dependencies.
        purpose: what the packages are for, the subject of the message.

    Raises:
        MissingExtraError: a package is not installed, or is and does not load: one built for
            another torch fails with ImportError, OSError or RuntimeError.
        ImportError: there is no memory to load it.
    """
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:
        if "failed to map segment" in str(error):  # of the loader of libraries, without memory
            raise
        raise MissingExtraError(
            f"{purpose} needs packages that do not load ({error}):"
            f" pip install 'jen1cli[{extra}]'; 'jen1 doctor' shows which"
        ) from error
