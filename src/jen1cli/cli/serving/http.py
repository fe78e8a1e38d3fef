"""A small HTTP client of `jen1 serve` by the standard library, which starts fast."""

import contextlib
import http.client
import io
import json
import os
import secrets
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.jsonfiles import parse_json

if TYPE_CHECKING:
    from jen1cli.audio import Source

CONNECT_SECONDS = 10.0
MAX_WAITS = 100  # tries while the queue of the server is full
LONGEST_WAIT = 30.0  # seconds between them
_BLOCK = 2**16


class ServerError(Jen1Error):
    """A server that cannot be reached, or that refuses a request."""


@dataclass(frozen=True)
class Answer:
    """A response whose body is in a file."""

    headers: Mapping[str, str]  # with names in lower case
    path: Path


class Server:
    """A server by its URL.

    Args:
        url: http or https, with a path in front of the routes if there is one.
        note: called with a line for people.

    Raises:
        ConfigError: it is no such URL.
    """

    def __init__(self, url: str, note: Callable[[str], None]) -> None:
        self.url, self._note = url, note
        try:
            parts = urlsplit(url)
            host, self._port = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if not host or parts.scheme not in ("http", "https") or parts.query:
            raise ConfigError(
                f"--server {url} is no address of a server; give one such as http://127.0.0.1:8414"
            )
        self._host = host
        self._is_safe = parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        token = os.environ.get("JEN1_TOKEN")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the JSON of a route.

        Raises:
            ServerError: it cannot be had.
        """
        with self._asked("GET", path, {}, None) as response:
            data = response.read()
            return self._checked(response, data)

    def post(
        self,
        path: str,
        values: Mapping[str, Any],
        target: Path,
        files: "Mapping[str, Source] | None" = None,
        job: str = "",
    ) -> Answer:
        """Send a request, and write the body of the answer to a file.

        Args:
            path: the route's path.
            values: the request's values.
            target: file for the body.
            files: recordings by the names of their parts.
            job: id under which the progress can be asked for.

        Raises:
            ServerError: the server cannot be reached, or refuses.
        """
        for tries in range(MAX_WAITS):
            with (
                _body(values, files or {}) as (body, headers),
                self._asked(
                    "POST", path, headers | ({"X-Jen1-Job": job} if job else {}), body
                ) as response,
            ):
                if response.status == 200:
                    with target.open("wb") as file:
                        shutil.copyfileobj(response, file, _BLOCK)
                    expected = response.getheader("Content-Length")
                    if expected is not None and int(expected) != target.stat().st_size:
                        raise ServerError(f"{self.url} broke off its answer; try again")
                    found = {name.lower(): value for name, value in response.getheaders()}
                    return Answer(found, target)
                if response.status != 429 or tries == MAX_WAITS - 1:
                    self._checked(response, response.read())
                wait = min(LONGEST_WAIT, _number(response.getheader("Retry-After")))
            if tries == 0:
                self._note("the server's queue is full; waiting for a place")
            time.sleep(wait)
        raise AssertionError("the last try raises")

    @contextlib.contextmanager
    def _asked(
        self, method: str, path: str, headers: Mapping[str, str], body: Iterator[bytes] | None
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one request and yield the response; the connection is closed at the end.

        Raises:
            ServerError: the server cannot be reached, or breaks off.
        """
        kind = http.client.HTTPSConnection if self._is_safe else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=CONNECT_SECONDS)
        try:
            with contextlib.closing(connection):
                connection.connect()
                sock = connection.sock
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                sock.settimeout(None)  # a job may wait for others
                # a refusal may be there before the body was read
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(
                        method, self._prefix + path, body=body, headers={**self._headers, **headers}
                    )
                yield connection.getresponse()
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerError(
                f"the server {self.url} cannot be used ({reason}); is 'jen1 serve' running there?"
            ) from error

    def _checked(self, response: http.client.HTTPResponse, data: bytes) -> Any:  # noqa: ANN401
        """Return the JSON of a good answer.

        Raises:
            ServerError: the answer is a refusal, or not of such a server.
        """
        values: Any = None
        with contextlib.suppress(ValueError):
            values = parse_json(data, "the answer")
        if response.status < 300 and values is not None:
            return values
        match values:
            case {"error": {"message": str(message)}}:
                pass
            case _:
                message = f"the answer {response.status} is not one of 'jen1 serve'"
        raise ServerError(f"{self.url}: {message}")


@contextlib.contextmanager
def _body(
    values: Mapping[str, Any], files: "Mapping[str, Source]"
) -> Iterator[tuple[Iterator[bytes], dict[str, str]]]:
    """Yield blocks of a body and its headers: JSON, or multipart if there are files."""
    text = json.dumps(values).encode("ascii")
    if not files:
        yield (
            iter((text,)),
            {"Content-Type": "application/json", "Content-Length": str(len(text))},
        )
        return
    edge = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        pieces: list[bytes | io.BufferedIOBase] = [
            _part_head(edge, "request", "application/json"), text, b"\r\n",
        ]  # fmt: skip
        for name, source in files.items():
            stream: io.BufferedIOBase
            if isinstance(source, io.BytesIO):
                source.seek(0)
                stream = source
            else:
                stream = stack.enter_context(_opened(Path(source)))
            pieces += [
                _part_head(edge, name, "application/octet-stream", '; filename="-"'),
                stream,
                b"\r\n",
            ]
        pieces.append(f"--{edge}--\r\n".encode())
        length = sum(len(item) if isinstance(item, bytes) else _size(item) for item in pieces)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Content-Length": str(length),
        }
        yield _blocks(pieces), headers


def _opened(path: Path) -> io.BufferedIOBase:
    try:
        return path.open("rb")
    except OSError as error:
        raise Jen1Error(f"{path} cannot be read: {error.strerror}") from error


def _blocks(pieces: list[bytes | io.BufferedIOBase]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            while block := piece.read(_BLOCK):
                yield block


def _part_head(edge: str, name: str, kind: str, more: str = "") -> bytes:
    return (
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


def _size(file: io.BufferedIOBase) -> int:
    at = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(at)
    return size


def _number(text: str | None) -> float:
    try:
        return max(0.2, float(text or 1))
    except ValueError:
        return 1.0
