"""Routes of takes: music that is kept, its sound, pictures, score and recipe."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from jen1cli import audio
from jen1cli.midi import has_score, midi_bytes
from jen1cli.pipeline import Edit
from jen1cli.pipeline.played import played_passages
from jen1cli.recipe import Recipe
from jen1cli.server import pictures
from jen1cli.server.audio_routes import MEDIA_TYPES
from jen1cli.server.errors import CLIENT_LEFT, ApiError
from jen1cli.server.making import Recording
from jen1cli.server.requests import FormatName, TakeName, read_request
from jen1cli.server.scores import score_facts
from jen1cli.server.services import Services
from jen1cli.server.takes import Take
from jen1cli.server.uploads import read_body, schema_of, title_of

READABLE = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "MPEG", "AIFF")
"""Formats that takes are kept in; libsndfile's names."""
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A take never changes, and no other gets its id."""


def take_routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/takes", tags=["takes"])
    takes = services.takes

    @router.get("", summary="All takes, the newest first")
    async def every() -> list[dict[str, Any]]:
        return [take.facts() for take in takes.list()]

    @router.post(
        "",
        status_code=201,
        summary="Keep a file of one's own as a take",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {"file": {"type": "string", "format": "binary"}},
                        }
                    }
                },
            }
        },
    )
    async def upload(request: Request) -> dict[str, Any]:
        folder = services.jobs.new_folder()
        try:
            body = await read_body(request, folder)
            file = body.files.get("file")
            if file is None:
                raise ApiError(422, "missing_file", "no file was sent; send it as 'file'", "file")
            return (await run_in_threadpool(_keep, services, file.path, file.name)).facts()
        finally:
            await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)

    @router.get("/{id}", summary="One take")
    async def one(id: str) -> dict[str, Any]:
        return takes.get(id).facts()

    @router.patch("/{id}", summary="Rename a take", openapi_extra=schema_of(TakeName))
    async def rename(id: str, request: Request) -> dict[str, Any]:
        takes.get(id)
        name: TakeName = read_request(TakeName, (await read_body(request)).values)
        return (await run_in_threadpool(takes.rename, id, name.name)).facts()

    @router.delete("/{id}", status_code=204, summary="Remove a take")
    async def delete(id: str) -> Response:
        await run_in_threadpool(takes.delete, id)
        return Response(status_code=204)

    @router.get(
        "/{id}/audio", summary="Its sound; ranges of bytes work", response_class=FileResponse
    )
    async def sound(id: str, format: FormatName | None = None) -> FileResponse:
        take = takes.get(id)
        stored = takes.path(take)
        suffix = stored.suffix if format is None else f".{format}"
        name, kind = f"{take.name}{suffix}", MEDIA_TYPES[suffix]
        if suffix == stored.suffix:
            return FileResponse(
                stored, media_type=kind, filename=name, headers=KEPT,
                content_disposition_type="inline",
            )  # fmt: skip
        folder = services.jobs.new_folder()
        path = folder / f"audio{suffix}"
        try:
            await run_in_threadpool(_convert, services, take, path)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        removal = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        return FileResponse(
            path, media_type=kind, filename=name, headers=KEPT, background=removal,
            content_disposition_type="inline",
        )  # fmt: skip

    @router.get("/{id}/peaks", summary="Least and greatest samples of equal intervals, by channel")
    def peaks(id: str, width: Annotated[int, Query(ge=1, le=20_000)] = 2_000) -> Response:
        take = takes.get(id)
        text = takes.cached(
            take, f"peaks-{width}.json",
            lambda: json.dumps(pictures.peaks(takes.path(take), width)),
        )  # fmt: skip
        return Response(text, media_type="application/json", headers=KEPT)

    @router.get("/{id}/spectrogram", summary="Its spectrogram as a PNG image")
    def spectrogram(
        id: str,
        width: Annotated[int, Query(ge=16, le=4_000)] = 1_200,
        height: Annotated[int, Query(ge=16, le=1_024)] = 256,
    ) -> Response:
        image = pictures.spectrogram(takes.path(takes.get(id)), width, height)
        return Response(image, media_type="image/png", headers=KEPT)

    @router.get("/{id}/recipe", summary="The recipe in its file")
    def recipe(id: str) -> dict[str, Any]:
        return _recipe(services, takes.get(id)).to_dict()

    @router.get("/{id}/midi", summary="Its score as a MIDI file")
    def midi(id: str) -> Response:
        take = takes.get(id)
        passages = played_passages(_recipe(services, take))
        if not has_score(passages):
            raise ApiError(404, "no_score", "no score is known of this take", "id")
        name = quote(f"{take.name}.mid", safe="")
        return Response(
            midi_bytes(passages), media_type="audio/midi",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
        )  # fmt: skip

    @router.get("/{id}/score", summary="Its score: played, or heard in a file of one's own")
    async def score(id: str, request: Request) -> Response:
        take = takes.get(id)
        found = await run_in_threadpool(takes.recipe, take)
        if found is not None and found.played:
            return Response(
                json.dumps(score_facts(played_passages(found), heard=False)),
                media_type="application/json", headers=KEPT,
            )  # fmt: skip
        text = await services.heard(take, request)
        if text is None:
            return Response(status_code=CLIENT_LEFT)
        return Response(text, media_type="application/json", headers=KEPT)

    return router


def _recipe(services: Services, take: Take) -> Recipe:
    found = services.takes.recipe(take)
    if found is None:
        raise ApiError(404, "no_recipe", "the file of this take carries no recipe", "id")
    return found


def _keep(services: Services, path: Path, name: str) -> Take:
    """Check an uploaded file, and keep it as a take; WAV stands in for rare formats.

    Raises:
        AudioError: it cannot be read.
        ApiError: it is too short or too long.
    """
    info = services.maker.check_recording(
        Recording(path, name), services.settings.limits.audio_seconds
    )
    suffix = f".{info.extension}"
    if info.format not in READABLE:
        converted = path.with_name("converted.wav")
        audio.write_spliced(converted, path, ())
        path, suffix = converted, ".wav"
    return services.takes.add(path, name=title_of(name), task="upload", suffix=suffix)


def _convert(services: Services, take: Take, path: Path) -> None:
    """Write the sound of a take in another format, with its recipe."""
    stored = services.takes.path(take)
    recipe = services.takes.recipe(take)
    signer = services.maker.signer
    if recipe is not None and recipe.signature == "c2pa" and signer is not None:
        Edit(stored, (), take.sample_rate, recipe).save(path, signer=signer)
        return
    if recipe is not None and recipe.signature == "c2pa":
        recipe = dataclasses.replace(recipe, signature="")
    audio.write_spliced(path, stored, (), recipe=None if recipe is None else recipe.to_json())
