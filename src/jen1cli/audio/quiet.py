"""Keeps libmpg123, which reads MP3 inside libsndfile, from writing to stderr.

It prints its own lines about odd tags and damaged frames, and libsndfile gives no way to turn them
off. What other threads write to stderr at the same moment is lost too.
"""

import os
import threading
from types import TracebackType

_STDERR = 2


class _Quiet:
    """Context manager that redirects stderr to nowhere; several threads may be inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._kept: int | None = None  # duplicate of the true stderr

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._redirect()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._restore()

    def reset(self) -> None:
        """Give a forked process its stderr back; the threads that redirected it are not in it."""
        self._lock = threading.Lock()
        self._users = 0
        self._restore()

    def _redirect(self) -> None:
        try:
            kept = os.dup(_STDERR)
        except OSError:  # closed
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:  # too many open files
            os.close(kept)
            return
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        self._kept = kept

    def _restore(self) -> None:
        if self._kept is not None:
            os.dup2(self._kept, _STDERR)
            os.close(self._kept)
            self._kept = None


quiet = _Quiet()
"""Use it around every call of libsndfile that reads what may be MP3."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=quiet.reset)
