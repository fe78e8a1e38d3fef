"""Serves the page: `/` with its Content-Security-Policy, and the files that it loads.

Nothing comes from another host, no script and no style stands inside the HTML, and there is no
build step. wavesurfer.js puts a `<style>` into its shadow tree; each answer has a nonce for it.
"""

import mimetypes
import secrets
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"

_NONCE = "{{nonce}}"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:"
    " blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


class _Files(StaticFiles):
    """Files that the browser keeps, and asks after each time: a new version shows at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - starlette's
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def add_page(app: FastAPI) -> None:
    """Add the page to a server: `GET /`, and its files below `/studio/`."""
    mimetypes.add_type("text/javascript", ".js")  # the registry of Windows may say text/plain
    index = (STATIC / "index.html").read_text(encoding="utf-8")

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        headers = {
            "Content-Security-Policy": _POLICY.format(nonce=nonce),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(index.replace(_NONCE, nonce), headers=headers)

    app.mount("/studio", _Files(directory=STATIC), name="studio")
