"""The commands' own client: addresses, servers that are none, and a queue that is full."""

import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from jen1cli.cli.app import run
from jen1cli.cli.serving.http import Server, ServerError
from jen1cli.errors import ConfigError


@contextlib.contextmanager
def answering(*answers):
    """Serve one answer after the other: (status, headers, body); yield the URL and requests."""
    requests, waiting = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            requests.append((self.path, dict(self.headers), self.rfile.read(length)))
            status, headers, body = waiting.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8414", "ftp://x", "http://", "http://x:99999", "http://x/?a=b", "http://["],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(ConfigError, match="is no address of a server"):
        Server(url, print)


def test_no_server(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["generate", "lofi", "--server", "http://127.0.0.1:9"]) == 1
    said = capfd.readouterr().err
    assert "cannot be used (Connection refused); is 'jen1 serve' running there?" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {}, b"<html>"), "is not one of 'jen1 serve'"),
        ((404, {}, b"{}"), "is not one of 'jen1 serve'"),
        ((200, {}, b"[]"), "is not a server of jen1"),
        ((401, {}, b'{"error": {"message": "a token is needed"}}'), "a token is needed"),
    ],
)
def test_servers_that_are_none(answer, message, capfd):
    with answering(answer) as (url, _):
        assert run(["generate", "lofi", "--server", url]) == 1
    assert message in capfd.readouterr().err


def test_another_version_is_said(capfd):
    refused = (422, {}, b'{"error": {"message": "no such thing"}}')
    with answering((200, {}, b'{"version": "0.0.1"}'), refused) as (url, requests):
        assert run(["generate", "lofi", "--seed", "1", "--server", url]) == 1
    said = capfd.readouterr().err
    assert "the server is jen1cli 0.0.1" in said
    assert "no such thing" in said
    sent = json.loads(requests[1][2])
    assert (sent["input"], sent["seed"], sent["audio_length"]) == ("lofi", 1, 10.0)


def test_a_full_queue_is_waited_for(tmp_path):
    notes = []
    full = (429, {"Retry-After": "0"}, b'{"error": {"message": "full"}}')
    with answering(full, full, (200, {"X-Jen1-Seed": "7"}, b"music")) as (url, requests):
        answer = Server(url, notes.append).post(
            "/v1/audio/generate", {"a": 1}, tmp_path / "a", job="x"
        )
    assert answer.path.read_bytes() == b"music"
    assert answer.headers["x-jen1-seed"] == "7"
    assert notes == ["the server's queue is full; waiting for a place"]
    assert [request[1]["X-Jen1-Job"] for request in requests] == ["x"] * 3


def test_an_answer_that_breaks_off(tmp_path):
    half = (200, {"Content-Length": "100"}, b"half")
    refused = pytest.raises(ServerError, match=r"broke off|cannot be used")
    with answering(half) as (url, _), refused:
        Server(url, print).post("/x", {}, tmp_path / "a")


def test_recordings_are_sent_whole(tmp_path, monkeypatch):
    """A file and a buffer, with the token of the environment."""
    monkeypatch.setenv("JEN1_TOKEN", "0123456789")
    path = tmp_path / "in.wav"
    path.write_bytes(bytes(range(256)) * 1_000)
    with answering((200, {}, b""), (200, {}, b"")) as (url, requests):
        server = Server(f"{url}/under/", print)
        for source in (path, io.BytesIO(path.read_bytes())):
            server.post("/x", {"name": "é"}, tmp_path / "a", {"file": source})
    for place, headers, body in requests:
        assert place == "/under/x"
        assert headers["Authorization"] == "Bearer 0123456789"
        assert int(headers["Content-Length"]) == len(body)
        assert bytes(range(256)) * 1_000 in body
        assert b'{"name": "\\u00e9"}' in body
