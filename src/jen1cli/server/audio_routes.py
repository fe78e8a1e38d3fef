"""Synchronous routes: a request is answered by the bytes of the audio."""

import base64
import shutil

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from jen1cli.server.errors import CLIENT_LEFT, ApiError
from jen1cli.server.jobs import ENDED, Job
from jen1cli.server.making import Made
from jen1cli.server.requests import REQUESTS, read_request
from jen1cli.server.services import Services
from jen1cli.server.uploads import header_json, read_body, schema_of
from jen1cli.server.waiting import end_of

LONGEST_RECIPE = 16_000  # bytes in a header; it is in the file too
MEDIA_TYPES = {
    ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg",
    ".opus": "audio/ogg", ".aiff": "audio/aiff",
}  # fmt: skip
_SUMMARIES = {
    "generate": "Make music from text",
    "inpaint": "Make ranges of a recording anew; every other sample stays as it was",
    "continue": "Make a recording longer, at its end or in front of its beginning",
    "vary": "Make a variation of music that was made before",
}


class _Answer(FileResponse):
    """A file that is removed with its job when it is sent, or the client has left."""

    def __init__(self, job: Job, made: Made) -> None:
        super().__init__(made.path, media_type=MEDIA_TYPES[made.path.suffix], headers=_headers(job))
        self._job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await run_in_threadpool(self._job.discard)


def _headers(job: Job) -> dict[str, str]:
    made: Made = job.result
    recipe = base64.urlsafe_b64encode(made.recipe.to_json().encode()).decode()
    name = f"jen1-{job.task}-{made.recipe.seed}{made.path.suffix}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Jen1-Job": job.id,
        "X-Jen1-Seed": str(made.recipe.seed),
        "Cache-Control": "no-store",
    }
    if len(recipe) <= LONGEST_RECIPE:
        headers["X-Jen1-Recipe"] = recipe
    if made.is_edit:
        headers["X-Jen1-Edited"] = header_json(made.edited)
    if job.warnings:
        headers["X-Jen1-Warnings"] = header_json(job.warnings)[:LONGEST_RECIPE]
    return headers


def audio_routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/audio", tags=["audio"])

    async def answer(task: str, request: Request) -> Response:
        services.jobs.check_space()
        folder = services.jobs.new_folder()
        job: Job | None = None
        try:
            body = await read_body(request, None if task == "generate" else folder)
            order = await run_in_threadpool(
                services.check,
                read_request(REQUESTS[task], body.values),
                body.files.get("file"),
                body.files.get("source"),
            )
            job = services.submit(order, folder, name=request.headers.get("x-jen1-job"))
            if await end_of(job, request):
                return _result(job)
            services.jobs.cancel(job)
            return Response(status_code=CLIENT_LEFT)
        except BaseException:
            if job is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                services.jobs.cancel(job)
                if job.state in ENDED:
                    job.discard()
            raise

    def add(task: str) -> None:
        @router.post(
            f"/{task}",
            name=task,
            summary=_SUMMARIES[task],
            response_class=Response,
            responses={200: {"content": {"audio/wav": {}}, "description": "The audio file"}},
            openapi_extra=schema_of(REQUESTS[task], with_file=task != "generate"),
        )
        async def route(request: Request) -> Response:
            return await answer(task, request)

    for task in REQUESTS:
        add(task)
    return router


def _result(job: Job) -> Response:
    """Return the answer of a job that has ended.

    Raises:
        ApiError: it failed, or was cancelled by somebody else.
    """
    if job.state == "done":
        return _Answer(job, job.result)
    if job.error is not None and job.state == "failed":
        raise ApiError(job.status, job.error["code"], job.error["message"], job.error["param"])
    if job.error is not None:
        raise ApiError(503, job.error["code"], job.error["message"])
    raise ApiError(409, "cancelled", "the job was cancelled")
