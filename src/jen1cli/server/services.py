"""What the routes share: the model, the queue and the takes."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from jen1cli.errors import ConfigError
from jen1cli.music.heard import Heard
from jen1cli.server.errors import ApiError
from jen1cli.server.jobs import Job, Jobs
from jen1cli.server.making import Made, Recording, TakeMaker, TakeOrder
from jen1cli.server.requests import AnyRequest
from jen1cli.server.scores import heard_facts
from jen1cli.server.settings import ServerSettings
from jen1cli.server.takes import Take, Takes
from jen1cli.server.waiting import end_of

HEARD = "heard-2.json"  # 1 did not say whether the metre is sure


@dataclass(frozen=True)
class Services:
    """The parts of a running server."""

    settings: ServerSettings
    maker: TakeMaker
    jobs: Jobs
    takes: Takes

    def check(
        self, request: AnyRequest, recording: Recording | None, source: Recording | None = None
    ) -> TakeOrder:
        """Check a request; see `TakeMaker.check`."""
        place = None if source is None else source.path
        return self.maker.check(request, recording, place, self.settings.limits.audio_seconds)

    def submit(
        self,
        order: TakeOrder,
        folder: Path,
        keep: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> Job:
        """Append an order to the queue.

        Args:
            order: what is made.
            folder: for its files.
            keep: arguments of `Takes.add` for a result that is kept; None: it is not.
            name: id of the job that the client has chosen, to follow a synchronous request.

        Raises:
            ApiError: the queue is full, or the name is taken or no name.
        """

        def work(job: Job) -> Made | None:
            made = self.maker.make(order, job, self.takes.find)
            if keep is None:
                return made
            take = self.takes.add(made.path, suffix=order.suffix, task=order.task, **keep)
            job.take = take.id
            job.discard()
            return None

        steps = self.maker.steps_per_window(order)
        job = Job(order.task, folder, work, steps)
        if name is not None:
            job.id = self.jobs.check_name(name)
        return self.jobs.submit(job)

    async def heard(self, take: Take, request: Request) -> str | None:
        """Return the score that is heard in a take, as JSON text; transcribed at the first call.

        Returns:
            None if the client left before; nothing is transcribed for it then.

        Raises:
            ApiError: the queue is full, or it failed.
        """
        folder = self.jobs.new_folder()

        def work(job: Job) -> str:
            def transcribe() -> str:
                try:
                    heard = self.maker.model.hear(self.takes.path(take), progress=job.progress)
                except ConfigError:  # a model that transcribes nothing
                    heard = Heard(seconds=take.seconds, confidence={})
                return json.dumps(heard_facts(heard))

            try:
                return self.takes.cached(take, HEARD, transcribe)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        if (text := self.takes.read_cached(take, HEARD)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            return text
        job = self.jobs.submit(Job("hear", folder, work))
        try:
            is_there = await end_of(job, request)
        except BaseException:  # the server stops
            self.jobs.cancel(job)
            raise
        if not is_there:
            self.jobs.cancel(job)
            return None
        if job.state == "done":
            return job.result
        error = job.error or {}
        raise ApiError(
            job.status if job.state == "failed" else 503,
            error.get("code", "cancelled"), error.get("message", "it was cancelled"),
        )  # fmt: skip
