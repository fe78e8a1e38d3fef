"""Waiting for a job: until its end, until the client leaves, and as server-sent events."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import Request

from jen1cli.server.jobs import ENDED, Job

KEEP_ALIVE_SECONDS = 15.0


@contextlib.contextmanager
def changes(job: Job) -> Iterator[asyncio.Event]:
    """Yield an event of asyncio that is set whenever the job changes."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def listener() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(event.set)

    job.listeners.append(listener)
    try:
        yield event
    finally:
        job.listeners.remove(listener)


async def end_of(job: Job, request: Request) -> bool:
    """Wait until a job ends, or the client leaves.

    Returns:
        whether the client is still there.
    """
    left = asyncio.create_task(_left(request))
    try:
        with changes(job) as changed:
            while job.state not in ENDED:
                next_change = asyncio.create_task(changed.wait())
                try:
                    await asyncio.wait({left, next_change}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    next_change.cancel()
                changed.clear()
                if left.done() and job.state not in ENDED:
                    return False
    finally:
        left.cancel()
    return True


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def events(job: Job) -> AsyncIterator[str]:
    """Yield the events of a job until its end, in the format of server-sent events.

    The first is the present state. Steps that pass faster than the client reads are left out.
    """
    before: str | None = None
    seen: dict[str, Any] | None = None
    with changes(job) as changed:
        while True:
            changed.clear()
            facts = job.facts()
            state = facts["state"]
            if facts != seen:
                name = state if state in ENDED else "progress" if state == before else "state"
                yield f"event: {name}\ndata: {json.dumps(facts)}\n\n"
                before, seen = state, facts
            if state in ENDED:
                return
            try:
                await asyncio.wait_for(changed.wait(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
