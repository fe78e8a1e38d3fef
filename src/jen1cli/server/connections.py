"""Connections whose requests come in time."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0


class Connection(H11Protocol):
    """HTTP/1.1 that ends a connection on which nothing is worked.

    uvicorn itself waits without end for the first request, for the rest of a request's head, and
    for the rest of a body after its answer; clients that send none of it would use up the files
    that the server may open.
    """

    idle_seconds = HEAD_SECONDS
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, for a limited time."""
        super().connection_made(transport)
        self._limit()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of an unfinished head do not prolong the time for it."""
        super().data_received(data)
        self._limit()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget()
        super().connection_lost(exc)

    @property
    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _limit(self) -> None:
        if self._is_at_work or self.transport.is_closing():
            self._forget()
        elif self._end is None:
            self._end = self.loop.call_later(self.idle_seconds, self._close)

    def _forget(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _close(self) -> None:
        self._end = None
        if not self._is_at_work:
            self.transport.close()
