"""Serves the page: `/` with its Content-Security-Policy, and the files that it loads.

The scripts are in `static/js`: `main.js` starts the page, `stage.js` draws the waveform, `lanes.js`
and `sheet.js` the score, `jobs.js` follows the server's jobs.

Nothing comes from another host, no script and no style stands inside the HTML, and there is no
build step. wavesurfer.js puts a `<style>` into its shadow tree; each answer has a nonce for it.
"""

import hashlib
import mimetypes
import secrets
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent / "static"

_NONCE = "{{nonce}}"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:"
    " blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


class _Files:
    """The files of the page, read once: a page asks for some thirty, and they are 0.2 MB.

    The browser keeps them and asks after each time, so that a new version shows at once.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, tuple[bytes, str | None, dict[str, str]]] = {}
        for path in folder.rglob("*"):
            if path.is_file():
                body = path.read_bytes()
                tag = f'"{hashlib.sha256(body).hexdigest()}"'
                headers = {"Cache-Control": "no-cache", "ETag": tag}
                kind = mimetypes.guess_type(path.name)[0]
                self.files["/" + path.relative_to(folder).as_posix()] = body, kind, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: the file, or that the browser has it.

        Raises:
            HTTPException: there is no such file, or something else than reading is asked.
        """
        found = self.files.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if found is None:
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        body, kind, headers = found
        known = Headers(scope=scope).get("if-none-match", "")
        if headers["ETag"] in known:
            await Response(status_code=304, headers=headers)(scope, receive, send)
        else:
            await Response(body, media_type=kind, headers=headers)(scope, receive, send)


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

    app.mount("/studio", _Files(STATIC), name="studio")
