"""Progress of long work, reported through a callback."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total) after each unit of work."""
