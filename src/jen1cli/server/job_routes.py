"""Routes of jobs: long work with a place in the queue, progress, and a take at its end."""

import shutil
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from jen1cli.server.jobs import Job
from jen1cli.server.making import Recording
from jen1cli.server.names import one_line
from jen1cli.server.requests import JobFields, VaryRequest, read_job
from jen1cli.server.services import Services
from jen1cli.server.uploads import read_body, schema_of, title_of
from jen1cli.server.waiting import events

LONGEST_NAME = 80  # characters of a take named by its prompt


def job_routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    jobs, takes = services.jobs, services.takes

    @router.post(
        "",
        status_code=202,
        summary="Begin a job; its result is a take",
        description="The fields of the task beside those of the job. A recording is a take, or the"
        " part 'file' of a multipart body whose part 'request' is the JSON.",
        openapi_extra=schema_of(JobFields),
    )
    async def begin(request: Request) -> dict[str, Any]:
        jobs.check_space()
        folder = jobs.new_folder()
        job: Job | None = None
        try:
            body = await read_body(request, folder)
            fields, wanted = read_job(body.values)
            recording, source = body.files.get("file"), body.files.get("source")
            parent, title = fields.parent, ""
            if fields.take is not None:
                take = takes.get(fields.take, "take")
                recording = Recording(takes.path(take), f"{take.id}{takes.path(take).suffix}")
                parent, title = parent or take.id, take.name
            elif recording is not None:
                title = title_of(recording.name)
            order = await run_in_threadpool(services.check, wanted, recording, source)
            if isinstance(wanted, VaryRequest) and order.recipe is not None:
                title = title or order.recipe.prompt
            name = fields.name or one_line(wanted.words())[:LONGEST_NAME] or title or fields.task
            job = services.submit(order, folder, {"name": name, "parent": parent})
            return {"id": job.id, "place": job.place}
        finally:
            if job is None:
                await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)

    @router.get("/{id}", summary="The state of a job")
    async def state(id: str) -> dict[str, Any]:
        return jobs.get(id).facts()

    @router.get(
        "/{id}/events",
        summary="The state of a job as server-sent events, until its end",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}},
    )
    async def follow(id: str) -> StreamingResponse:
        return StreamingResponse(events(jobs.get(id)), media_type="text/event-stream")

    @router.delete("/{id}", summary="Cancel a job, within one step of the sampler")
    async def cancel(id: str) -> dict[str, Any]:
        job = jobs.get(id)
        jobs.cancel(job)
        return job.facts()

    return router
