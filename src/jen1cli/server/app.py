"""The application: routes, guards, and the beginning and end of its parts."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

import jen1cli
from jen1cli.pipeline import Jen1
from jen1cli.provenance import Signer
from jen1cli.server.audio_routes import audio_routes
from jen1cli.server.docs_page import docs_page
from jen1cli.server.errors import add_handlers
from jen1cli.server.job_routes import job_routes
from jen1cli.server.jobs import Jobs
from jen1cli.server.making import TakeMaker
from jen1cli.server.security import BodyLimit, Guard, Log
from jen1cli.server.services import Services
from jen1cli.server.settings import ServerSettings
from jen1cli.server.take_routes import take_routes
from jen1cli.server.takes import Takes
from jen1cli.studio.page import add_page

_DESCRIPTION = "Music from text, and edits of recordings, by one warm model on this machine."


def create_app(
    model: Jen1,
    settings: ServerSettings,
    *,
    signer: Signer | None = None,
    signs: bool = True,
    log: Log | None = None,
) -> FastAPI:
    """Return the application; its folder of takes is claimed at once.

    Args:
        model: loaded.
        settings: the server's settings.
        signer: signer of C2PA manifests; None signs nothing.
        signs: False if the user of the server wants no signatures.
        log: called with a line for each answer.

    Raises:
        Jen1Error: the folder of takes cannot be used.
    """
    takes = Takes(settings.takes)
    services = Services(
        settings,
        TakeMaker(model, signer, is_off=not signs),
        Jobs(takes.work, settings.limits.queued_jobs),
        takes,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.jobs.start()
        yield
        services.jobs.close()
        await run_in_threadpool(services.jobs.join, settings.limits.stop_seconds)
        takes.close()

    app = FastAPI(
        title="jen1 serve",
        description=_DESCRIPTION,
        version=jen1cli.__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    add_handlers(app)
    app.include_router(audio_routes(services))
    app.include_router(job_routes(services))
    app.include_router(take_routes(services))
    _add_facts(app, services)
    if settings.has_page:
        add_page(app)
    app.add_middleware(BodyLimit, limits=settings.limits)
    hosts = (settings.host, *settings.allowed_hosts)
    app.add_middleware(Guard, hosts=hosts, token=settings.token, log=log)
    return app


def _add_facts(app: FastAPI, services: Services) -> None:
    """Add the routes that describe the server."""
    model = services.maker.model

    @app.get("/v1/models", tags=["server"], summary="The loaded model")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [model_facts(model)]}

    @app.get("/health", tags=["server"], summary="Whether the server is there, and its queue")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "model": model.config.name,
            "device": model.device,
            "queue": services.jobs.counts(),
            "version": jen1cli.__version__,
        }

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))


def model_facts(model: Jen1) -> dict[str, Any]:
    """Return what is known of the loaded model as JSON values."""
    return {
        "id": model.config.name,
        "object": "model",
        "owned_by": "jen1cli",
        "sha256": model.sha256,
        "release": model.config.release,
        "device": model.device,
        "dtype": model.dtype,
        "quality": model.quality,
        "sample_rate": model.sample_rate,
        "channels": model.audio_channels,
        "window_seconds": model.window_seconds,
        "loras": [
            {"name": item.name, "sha256": item.sha256, "strength": item.strength}
            for item in model.recipe_model.loras
        ],
    }
