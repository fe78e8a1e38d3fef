"""The bodies of requests: JSON, or multipart with a recording beside it."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from jen1cli.jsonfiles import JsonError, parse_json
from jen1cli.server.errors import ApiError
from jen1cli.server.making import Recording
from jen1cli.server.names import one_line

MAX_JSON_BYTES = 16 * 2**20
MAX_NAME = 1_000  # characters of a file name
FILES = ("file", "source")
"""Parts with files: the recording, and the one that a varied edit began with."""


@dataclass
class Body:
    """A body that has been read."""

    values: Any  # of the JSON
    files: dict[str, Recording] = field(default_factory=dict)


async def read_body(request: Request, folder: Path | None = None) -> Body:
    """Read a body, and write its files into a folder.

    Args:
        request: whose body is read.
        folder: for files; None takes JSON alone.

    Raises:
        ApiError: it is neither JSON nor multipart, broken, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Body(await run_in_threadpool(_parse, await _text(request)))
    if kind != "multipart/form-data" or folder is None:
        wanted = "application/json" + ("" if folder is None else " or multipart/form-data")
        raise ApiError(
            415, "wrong_type", f"the body is '{kind[:80] or 'of no type'}'; send {wanted}"
        )
    async with request.form(
        max_files=len(FILES), max_fields=4, max_part_size=MAX_JSON_BYTES
    ) as form:
        body = Body({})
        for name, part in form.multi_items():
            if isinstance(part, UploadFile) and name in FILES and name not in body.files:
                path = folder / name
                await run_in_threadpool(_write, part, path)
                body.files[name] = Recording(path, _name(part.filename))
            elif name == "request" and isinstance(part, str):
                body.values = await run_in_threadpool(_parse, part.encode())
            else:
                raise ApiError(
                    422, "unknown_field", f"unknown part '{name[:80]}'; send file and request",
                    name[:80],
                )  # fmt: skip
        return body


async def _text(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_JSON_BYTES:
            raise ApiError(
                413, "too_large", f"the JSON has more than {MAX_JSON_BYTES:,} bytes; send less"
            )
    return bytes(data)


def _parse(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return parse_json(data.decode("utf-8"), "the body")
    except JsonError as error:
        raise ApiError(400, "invalid_json", str(error)) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise ApiError(400, "invalid_json", f"the body is no JSON: {error}") from error


def _write(part: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(part.file, file, 2**20)


def _name(given: str | None) -> str:
    """Return the client's name of a file, which is shown and recorded, never opened."""
    return one_line(given or "")[:MAX_NAME] or "-"


def title_of(name: str) -> str:
    """Return the last part of a file name without its suffix, as the name of a take."""
    return PurePosixPath(name.replace("\\", "/")).stem or "upload"


def schema_of(kind: type[BaseModel], *, with_file: bool = False) -> dict[str, Any]:
    """Return the description of a body for the OpenAPI document."""
    own = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    if not with_file:
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": own}}}}
    file = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["request"],
        "properties": {"file": file, "source": file, "request": own},
    }
    content = {
        "multipart/form-data": {
            "schema": form,
            "encoding": {"request": {"contentType": "application/json"}},
        }
    }
    return {"requestBody": {"required": True, "content": content}}


def header_json(values: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return JSON values as one line of ASCII for a header."""
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"))
