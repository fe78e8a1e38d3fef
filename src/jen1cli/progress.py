"""Progress of long work, reported through a callback."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total) after each unit of work."""


def part_of(progress: Progress | None, first: int, whole: int, items: int = 1) -> Progress | None:
    """Return the callback of a part of some work, which reports to that of the whole.

    Args:
        progress: callback of the whole; None: none.
        first: items before the part.
        whole: items of the whole, which take equally many units.
        items: items of the part, which are worked on together.
    """
    if progress is None:
        return None
    return lambda done, total: progress(first * total + items * done, whole * total)
