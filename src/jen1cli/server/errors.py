"""Errors of the server as JSON: `{"error": {"code", "message", "param"}}`, never a traceback."""

import logging
import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from jen1cli.errors import AudioError, InputErrors, Jen1Error, is_out_of_memory
from jen1cli.midi.reading import MidiError

LONGEST_MESSAGE = 1_000  # characters
CLIENT_LEFT = 499  # the status of nginx for a client that has left; nobody reads it
_log = logging.getLogger(__name__)
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


class ApiError(Exception):
    """A refused request.

    Args:
        status: HTTP status.
        code: a word for programs.
        message: one line for people: what is wrong, what to do.
        param: field of the request.
        retry_after: seconds until another try makes sense.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after = retry_after

    def facts(self) -> dict[str, Any]:
        """Return code, message and parameter."""
        return facts(self.code, self.message, self.param)

    def response(self) -> JSONResponse:
        """Return the error as a response."""
        headers = {} if self.retry_after is None else {"Retry-After": _seconds(self.retry_after)}
        return JSONResponse({"error": self.facts()}, self.status, headers)


def _seconds(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))


def facts(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """Return an error as JSON values; its message is one line of limited length."""
    line = " ".join(message.split())
    if len(line) > LONGEST_MESSAGE:
        line = f"{line[: LONGEST_MESSAGE // 2]} … {line[-LONGEST_MESSAGE // 2 :]}"
    return {"code": code, "message": line, "param": param}


def of_exception(error: BaseException) -> ApiError:
    """Return the error of a request or job that failed; unknown ones are logged, not shown."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, InputErrors):
        return of_exception(error.errors[0])
    if isinstance(error, MidiError):
        return ApiError(422, "invalid_score", str(error), "score")
    if isinstance(error, AudioError):
        return ApiError(422, "invalid_audio", str(error), "file")
    if isinstance(error, Jen1Error):
        return ApiError(422, "invalid_request", str(error))
    if is_out_of_memory(error):
        return ApiError(
            503, "out_of_memory", "the memory of the server does not suffice; ask for less music"
        )
    if isinstance(error, OSError):
        _log.error("the system refused: %s", error)
        return ApiError(503, "system_error", f"the server's system refused: {error.strerror}")
    _log.error("internal error: %s: %s", type(error).__name__, error, exc_info=error)
    return ApiError(
        500, "internal_error", f"a fault of the server ({type(error).__name__}); see its log"
    )


def of_validation(error: RequestValidationError | ValidationError) -> ApiError:
    """Return the first fault of a request in one line."""
    fault = error.errors()[0]
    place = [str(part) for part in fault["loc"] if part not in ("body", "query", "path")]
    param = ".".join(place) or None
    kind = fault["type"]
    if kind == "json_invalid":
        return ApiError(400, "invalid_json", "the body is no JSON; send one JSON object")
    if kind == "extra_forbidden":
        return ApiError(422, "unknown_field", f"unknown field '{param}'; see /docs", param)
    if kind == "missing":
        return ApiError(422, "missing_field", f"'{param or 'the body'}' is missing", param)
    seen = repr(fault.get("input"))
    seen = seen if len(seen) <= 60 else f"{seen[:57]}..."
    message = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}; seen: {seen}"
    return ApiError(422, "invalid_value", f"{param}: {message}" if param else message, param)


def add_handlers(app: FastAPI) -> None:
    """Answer all errors of an application in this form."""

    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return of_validation(error).response()

    @app.exception_handler(Jen1Error)
    async def mendable(_: Request, error: Jen1Error) -> JSONResponse:
        return of_exception(error).response()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "http_error")
        return ApiError(error.status_code, code, str(error.detail)).response()

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_LEFT)

    @app.exception_handler(OSError)
    @app.exception_handler(MemoryError)
    async def refused_by_system(_: Request, error: Exception) -> JSONResponse:
        return of_exception(error).response()

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        return of_exception(error).response()
