"""Who may ask what: Host and Origin headers, the token, and the size and time of uploads.

A page of another site can make a browser send requests to this machine. Browsers name that site in
`Origin` or `Sec-Fetch-Site`, and a name that was rebound to this machine in `Host`; such requests
are refused, before anything else of them is read.
"""

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jen1cli.server.errors import ApiError
from jen1cli.server.settings import Limits, is_loopback

Log = Callable[[str], None]
COOKIE = "jen1_token"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::[0-9]{1,5})?")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:;"
    " media-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'self'",
}


class Guard:
    """Refuses what comes from elsewhere, and what lacks the token.

    Args:
        app: the application.
        hosts: names that the Host header may have, beside this machine's own and addresses.
        token: needed in each request; None: none is needed.
        log: called with a line for each answer, without the query, which may have the token.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: tuple[str, ...] = (),
        token: str | None = None,
        log: Log | None = None,
    ) -> None:
        self.app, self.token, self.log = app, token, log
        self.hosts = frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self.log is not None:
                    self.log(f"{scope['method']} {scope['path']!r} {message['status']}")
                found = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    found.setdefault(name, value)
                found.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check_place(headers, scope)
            if (redirected := self._check_token(headers, scope)) is not None:
                await redirected(scope, receive, guarded)
                return
        except ApiError as error:
            await error.response()(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)

    def _check_place(self, headers: Headers, scope: Scope) -> None:
        """Refuse a Host that is not this server, and pages of other sites.

        Raises:
            ApiError: it is.
        """
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_own(host):
            raise ApiError(
                403, "wrong_host",
                f"the Host header names '{host[:80]}', which this server is not; to allow it:"
                " jen1 serve --allow-host NAME",
            )  # fmt: skip
        own = {f"{scheme}://{host}".lower() for scheme in ("http", "https")}
        for origin in headers.getlist("origin"):
            if origin.lower() not in own:
                raise ApiError(
                    403, "wrong_origin", f"pages of '{origin[:80]}' may not use this server"
                )
        site = headers.get("sec-fetch-site", "none")
        follows_link = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("none", "same-origin") and not follows_link:
            raise ApiError(403, "wrong_origin", "pages of other sites may not use this server")

    def _is_own(self, host: str) -> bool:
        if (found := _HOST.fullmatch(host.lower())) is None:
            return False
        name = found[1] or found[2]
        if is_loopback(name) or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)  # no name was rebound
        except ValueError:
            return False
        return True

    def _check_token(self, headers: Headers, scope: Scope) -> RedirectResponse | None:
        """Refuse a request without the token; a token in the address becomes a cookie.

        Raises:
            ApiError: the token is missing or wrong.
        """
        if self.token is None:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is_token(given.strip()):
            return None
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if asked and scope["method"] == "GET" and self._is_token(asked):
            response = RedirectResponse(scope["path"], 303)
            response.set_cookie(COOKIE, asked, httponly=True, samesite="strict", path="/")
            return response
        if self._is_token(_cookie(headers)):
            return None
        raise ApiError(
            401, "no_token", "a token is needed: send the header 'Authorization: Bearer TOKEN'"
        )

    def _is_token(self, given: str) -> bool:
        assert self.token is not None
        return hmac.compare_digest(given.encode(), self.token.encode())


class BodyLimit:
    """Ends uploads that are too large or too slow.

    Args:
        app: the application.
        limits: the server's limits.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request with a counted body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.limits.upload_bytes
        too_large = ApiError(
            413, "too_large",
            f"what was sent has more than {most:,} bytes; send less, or start the server with a"
            " larger --max-upload",
            "file",
        )  # fmt: skip
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            await too_large.response()(scope, receive, send)
            return
        seen = 0
        is_whole = False
        end = asyncio.get_running_loop().time() + self.limits.upload_seconds

        async def counted() -> Message:
            nonlocal seen, is_whole
            if is_whole:
                return await receive()
            left = end - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left))
            except TimeoutError:
                raise ApiError(
                    408, "too_slow",
                    f"the body took more than {self.limits.upload_seconds:g} s; send it faster",
                ) from None  # fmt: skip
            seen += len(message.get("body", b""))
            if seen > most:
                raise too_large
            is_whole = not message.get("more_body", False)
            return message

        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except ApiError as error:
            if started:
                raise
            await error.response()(scope, receive, send)


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
