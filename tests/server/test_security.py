"""Who may use the server: hosts, origins and tokens; and what its documents say."""

import asyncio

import pytest

from jen1cli.errors import ConfigError
from jen1cli.server.settings import is_loopback

TOKEN = "0123456789abcdef"


def code(response):
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8414", "localhost:1", "LOCALHOST", "[::1]:8414", "192.168.1.5:8414"]
)
def test_own_hosts(shared, host):
    assert shared.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8414", "", "[::1",
     "evil.example@127.0.0.1", "127.0.0.1/evil", "127.0.0.1#evil.example", "localhost:8414:80"],
)  # fmt: skip
def test_other_hosts_are_refused(shared, host):
    assert code(shared.get("/health", headers={"host": host})) == (403, "wrong_host")


def test_an_allowed_host(serving):
    client = serving(allowed_hosts=("Studio.local",))
    assert client.get("/health", headers={"host": "studio.local:8414"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://[broken"},
        {"origin": "ftp://127.0.0.1:8414"},
        [("origin", "http://127.0.0.1:8414"), ("origin", "http://evil.example")],
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_sites_are_refused(shared, headers, method):
    response = shared.request(method, "/v1/audio/generate", headers=headers, json={})
    assert code(response) == (403, "wrong_origin")
    assert "access-control-allow-origin" not in response.headers


def test_a_link_on_another_site_may_be_followed_but_not_posted(shared):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert shared.get("/docs", headers=headers).status_code == 200
    assert shared.post("/v1/jobs", headers=headers, json={}).status_code == 403


def test_the_page_of_the_server_itself(shared):
    headers = {"origin": "http://127.0.0.1:8414", "sec-fetch-site": "same-origin"}
    assert shared.get("/v1/takes", headers=headers).status_code == 200


def test_preflights_are_refused(shared):
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    assert shared.options("/v1/jobs", headers=headers).status_code == 403


def test_the_token(serving):
    client = serving(token=TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN},
                    {"cookie": "jen1_token=wrong"}, {"cookie": ";;=;\x01"}):  # fmt: skip
        response = client.get("/health", headers=headers)
        assert code(response) == (401, "no_token"), headers
    good = {"authorization": f"Bearer {TOKEN}"}
    assert client.get("/health", headers=good).status_code == 200
    assert client.get("/docs").status_code == 401
    assert client.post(f"/v1/jobs?token={TOKEN}", json={}).status_code == 401
    assert client.get("/health?token=wrong").status_code == 401


def test_a_token_in_the_address_becomes_a_cookie(serving):
    client = serving(token=TOKEN)
    first = client.get(f"/docs?token={TOKEN}", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/docs"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/docs").status_code == 200  # the client has kept it


def test_headers_of_all_answers(shared):
    for path in ("/health", "/docs", "/nothing", "/v1/takes"):
        headers = shared.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_the_log_has_no_token(serving):
    lines = []
    client = serving(token=TOKEN, log=lines.append)
    client.get(f"/health?token={TOKEN}", follow_redirects=False)
    client.get("/a%0ab%1b[31m")
    assert lines == ["GET '/health' 303", "GET '/a\\nb\\x1b[31m' 404"]


def test_a_slow_body_is_ended(serving):
    from jen1cli.server.security import BodyLimit
    from jen1cli.server.settings import Limits

    sent = []

    async def app(scope, receive, send):
        await receive()

    async def receive():
        await asyncio.sleep(5)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [], "method": "POST", "path": "/"}
    limited = BodyLimit(app, Limits(upload_seconds=0.01))
    asyncio.run(limited(scope, receive, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("example.org", False)],
)  # fmt: skip
def test_loopback(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("token", "host"),
    [(None, "0.0.0.0"), (None, "studio.local"), ("short", "127.0.0.1"), ("with a space", "::1"),
     ("zwölf Zeichen", "0.0.0.0")],
)  # fmt: skip
def test_a_host_for_others_needs_a_token(token, host):
    from jen1cli.cli.serving.serve import check_token

    with pytest.raises(ConfigError, match="token"):
        check_token(token, host)


def test_models_and_health(shared, tiny):
    (model,) = shared.get("/v1/models").json()["data"]
    assert (model["id"], model["sha256"]) == ("tiny", tiny.sha256)
    health = shared.get("/health").json()
    assert (health["status"], health["model"], health["device"]) == ("ok", "tiny", tiny.device)


def test_unknown_routes_and_methods(shared):
    assert code(shared.get("/v2/nothing")) == (404, "not_found")
    assert code(shared.put("/v1/takes")) == (405, "method_not_allowed")


def test_the_documents(shared):
    document = shared.get("/openapi.json").json()
    paths = document["paths"]
    for task in ("generate", "inpaint", "continue", "vary"):
        assert f"/v1/audio/{task}" in paths
    body = paths["/v1/audio/generate"]["post"]["requestBody"]["content"]["application/json"]
    assert "audio_length" in body["schema"]["properties"]
    page = shared.get("/docs").text
    for path in paths:
        assert path in page
    assert "audio_length" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


async def _trickle(port, data, more):
    """Send bytes, then others one by one; return the answer, or fail if there is no end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = asyncio.create_task(reader.read())
    try:
        for _ in range(60):
            await asyncio.wait([answer], timeout=0.05)
            if answer.done():
                return answer.result()
            writer.write(more)
        pytest.fail("the connection is still open")
    except ConnectionError:
        return b""
    finally:
        answer.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        (b"", b"", b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: a", b"a", b""),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n", b"a", b"HTTP/1.1 204"),
    ],
    ids=["nothing", "a head without end", "a body that nobody reads"],
)
def test_connections_on_which_nothing_is_worked_are_closed(data, more, expected, tmp_path):
    import uvicorn
    from fastapi import FastAPI
    from uvicorn.server import ServerState

    from jen1cli.server.connections import Connection
    from jen1cli.server.run import server_config
    from jen1cli.server.settings import ServerSettings

    async def app(scope, receive, send):
        await asyncio.sleep(0.2)  # work takes as long as it takes
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    class Quick(Connection):
        idle_seconds = 0.1

    async def check():
        config = server_config(FastAPI(), ServerSettings(takes=tmp_path))
        assert (config.http, config.ws) == (Connection, "none")
        config = uvicorn.Config(app, http=Quick, lifespan="off", log_level="error")
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(lambda: Quick(config, state, {}), "127.0.0.1", 0)
        async with server:
            answer = await _trickle(server.sockets[0].getsockname()[1], data, more)
        assert answer[: len(expected)] == expected
        assert bool(answer) == bool(expected)

    asyncio.run(check())
