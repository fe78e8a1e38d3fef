"""Runs the application under uvicorn until a signal: the first lets the running job finish."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from jen1cli.errors import ConfigError
from jen1cli.server.connections import Connection
from jen1cli.server.services import Services
from jen1cli.server.settings import ServerSettings

_INTERRUPTED = 130


class _Server(uvicorn.Server):
    """Drops waiting jobs at the first signal, and leaves at once at the second."""

    def __init__(
        self, config: uvicorn.Config, services: Services, ready: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self._services, self._ready = services, ready
        self._stopping = False
        self._stop: asyncio.Task[None] | None = None  # kept, since the loop keeps none

    async def startup(self, sockets: Any = None) -> None:  # noqa: ANN401 - uvicorn's types
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready(f"http://{_address(self)}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take one signal."""
        if self._stopping:
            os._exit(_INTERRUPTED)  # files have temporary names, which the next start removes
        self._stopping = True
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # before there is a loop, there is no job
            asyncio.get_running_loop().call_soon_threadsafe(self._begin_stop)

    def _begin_stop(self) -> None:
        self._stop = asyncio.create_task(asyncio.to_thread(self._stop_jobs))

    def _stop_jobs(self) -> None:
        jobs = self._services.jobs
        jobs.close()
        jobs.join(self._services.settings.limits.stop_seconds)


def run_server(
    app: FastAPI,
    settings: ServerSettings,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        app: result of `create_app`.
        settings: the server's settings.
        ready: called with the address when the server listens.

    Raises:
        ConfigError: the address cannot be used.
    """
    server = _Server(server_config(app, settings), app.state.services, ready)
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        if not server.started and not server.should_exit:
            raise ConfigError(
                f"nothing can listen on {settings.host}:{settings.port}; is a server running there?"
                " choose another --port"
            ) from None


def server_config(app: FastAPI, settings: ServerSettings) -> uvicorn.Config:
    """Return the settings of uvicorn; the same with and without its optional packages."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=Connection,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=round(2 * settings.limits.stop_seconds) + 10,
        h11_max_incomplete_event_size=65_536,
    )


def _address(server: uvicorn.Server) -> str:
    """Return host and port that the server listens on."""
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
