"""Jobs: one at a time, places, progress as events, cancellation, and the end of the server."""

import asyncio
import json
import threading
import time

import pytest

from jen1cli import Jen1

SHORT = {"task": "generate", "audio_length": 0.2, "seed": 1}


def begin(client, **fields):
    response = client.post("/v1/jobs", json={**SHORT, **fields})
    assert response.status_code == 202, response.text
    return response.json()["id"]


def state(client, job):
    return client.get(f"/v1/jobs/{job}").json()


def wait_for(client, job, *states, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        facts = state(client, job)
        if facts["state"] in states:
            return facts
        time.sleep(0.01)
    raise AssertionError(f"still {facts}")


def events(client, job):
    with client.stream("GET", f"/v1/jobs/{job}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = response.read().decode()
    found = []
    for block in filter(None, text.split("\n\n")):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_job_ends_as_a_take(client, tiny):
    job = begin(client, input="lofi piano", audio_length=1.2)
    seen = events(client, job)
    assert seen[0][0] in ("state", "progress")
    assert seen[-1][0] == "done"
    steps = [facts["step"] for name, facts in seen if name == "progress"]
    assert steps == sorted(steps)
    last = seen[-1][1]
    assert (last["steps"], last["windows"], last["window"]) == (4, 2, 2)  # 2 steps a window
    take = client.get(f"/v1/takes/{last['take']}").json()
    assert (take["name"], take["task"], take["seconds"]) == ("lofi piano", "generate", 1.2)
    assert state(client, job)["state"] == "done"
    assert events(client, job)[-1][0] == "done"  # also when it is over


def test_places_and_a_full_queue(serving, gate):
    client = serving(limits={"queued_jobs": 2})
    jobs = [begin(client)]
    assert gate.reached.wait(10)
    jobs += [begin(client), begin(client)]
    assert [state(client, job)["place"] for job in jobs] == [None, 1, 2]
    refused = client.post("/v1/jobs", json=SHORT)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "queue_full"
    assert int(refused.headers["retry-after"]) >= 1
    assert client.post("/v1/audio/generate", json={}).status_code == 429
    assert client.get("/health").json()["queue"] == {"running": 1, "waiting": 2, "limit": 2}
    assert client.delete(f"/v1/jobs/{jobs[1]}").json()["state"] == "cancelled"
    assert state(client, jobs[2])["place"] == 1
    gate.opened.set()
    assert wait_for(client, jobs[2], "done")["take"]


def test_a_running_job_is_cancelled_within_a_step(client, gate, takes_folder):
    job = begin(client)
    assert gate.reached.wait(10)
    seen = gate.steps
    client.delete(f"/v1/jobs/{job}")
    wait_for(client, job, "cancelled")
    assert gate.steps - seen <= 1 + seen  # it did not go on for a thousand steps
    at = gate.steps
    time.sleep(0.05)
    assert gate.steps == at
    assert list((takes_folder / ".work").iterdir()) == []
    assert client.get("/v1/takes").json() == []
    assert events(client, job)[-1][0] == "cancelled"


def test_a_cancelled_synchronous_request(client, gate):
    found = []
    name = "0123456789abcdef"

    def ask():
        found.append(
            client.post("/v1/audio/generate", json={"seed": 1}, headers={"x-jen1-job": name})
        )

    thread = threading.Thread(target=ask)
    thread.start()
    assert gate.reached.wait(10)
    assert state(client, name)["steps"] == 1_000
    client.delete(f"/v1/jobs/{name}")
    thread.join(10)
    assert found[0].status_code == 409
    assert found[0].json()["error"]["code"] == "cancelled"


def test_a_failed_job(client, monkeypatch):
    from jen1cli import Jen1
    from jen1cli.errors import ConfigError

    def refuse(*_, **__):
        raise ConfigError("it makes\nno sense")

    monkeypatch.setattr(Jen1, "generate", refuse)
    job = begin(client)
    facts = wait_for(client, job, "failed")
    assert facts["error"] == {
        "code": "invalid_request", "message": "it makes no sense", "param": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_field"),
        ({"task": "paint"}, "invalid_value"),
        ({"task": "generate", "masks": []}, "unknown_field"),
        ({"task": "inpaint", "masks": ["0-1s"]}, "missing_file"),
        ({"task": "inpaint", "masks": ["0-1s"], "take": "../../etc"}, "take_not_found"),
        ([], "invalid_value"),
    ],
)
def test_jobs_that_are_refused(shared, body, code):
    response = shared.post("/v1/jobs", json=body)
    assert response.json()["error"]["code"] == code
    assert response.status_code in (404, 422)


def test_jobs_that_do_not_exist(shared):
    for method in ("GET", "DELETE"):
        assert shared.request(method, "/v1/jobs/none").json()["error"]["code"] == "job_not_found"
    assert shared.get("/v1/jobs/none/events").status_code == 404


def test_two_jobs_of_one_name(shared):
    headers = {"x-jen1-job": "0123456789abcdef"}
    body = {"audio_length": 0.1, "seed": 1}
    assert shared.post("/v1/audio/generate", json=body, headers=headers).status_code == 200
    assert shared.post("/v1/audio/generate", json=body, headers=headers).status_code == 409
    headers = {"x-jen1-job": "../x"}
    assert shared.post("/v1/audio/generate", json=body, headers=headers).status_code == 422


def test_the_end_of_the_server_drops_what_waits(serving, gate):
    client = serving()
    services = client.app.state.services
    jobs = [begin(client)]
    assert gate.reached.wait(10)
    jobs.append(begin(client))
    services.jobs.close()
    waiting = state(client, jobs[1])
    assert (waiting["state"], waiting["error"]["code"]) == ("cancelled", "server_stopped")
    refused = client.post("/v1/jobs", json=SHORT)
    assert refused.status_code == 503
    gate.opened.set()
    services.jobs.join(10.0)
    assert state(client, jobs[0])["state"] == "done"


def test_the_end_of_the_server_cancels_a_long_job(client, gate):
    services = client.app.state.services
    job = begin(client)
    assert gate.reached.wait(10)
    services.jobs.close()
    services.jobs.join(0.05)
    facts = wait_for(client, job, "cancelled")
    assert facts["error"]["code"] == "server_stopped"


def request_scope(method, path):
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8414),
        "headers": [(b"host", b"127.0.0.1:8414"), (b"content-type", b"application/json")],
    }  # fmt: skip


def answered(client, scope, body, reached):
    """Return the status for a client that closes its connection when an event is set."""
    sent = []

    async def ask():
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await asyncio.to_thread(reached.wait, 10)
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await client.app(scope, receive, send)

    asyncio.run(ask())
    return sent[0]["status"]


def test_a_client_that_leaves_cancels_its_request(client, gate, takes_folder):
    """The messages of a server whose client sends a request and closes the connection."""
    services = client.app.state.services
    body = json.dumps({"seed": 1}).encode()
    scope = request_scope("POST", "/v1/audio/generate")
    assert answered(client, scope, body, gate.reached) == 499
    end = time.monotonic() + 10
    while services.jobs.counts()["running"] and time.monotonic() < end:
        time.sleep(0.01)
    assert services.jobs.counts()["running"] == 0
    assert list((takes_folder / ".work").iterdir()) == []


def test_a_client_that_leaves_stops_the_listening_that_it_asked_for(
    client, wav, monkeypatch, takes_folder
):
    services = client.app.state.services
    reached = threading.Event()

    def hear(self, source, *, progress):
        for second in range(1_000):
            progress(second, 1_000)
            reached.set()
            time.sleep(0.01)
        raise AssertionError("it went on for a client that had left")

    monkeypatch.setattr(Jen1, "hear", hear)
    take = client.post("/v1/takes", files={"file": ("x.wav", wav)}).json()["id"]
    scope = request_scope("GET", f"/v1/takes/{take}/score")
    assert answered(client, scope, b"", reached) == 499
    end = time.monotonic() + 10
    while services.jobs.counts()["running"] and time.monotonic() < end:
        time.sleep(0.01)
    assert services.jobs.counts()["running"] == 0
    assert list((takes_folder / ".work").iterdir()) == []
    monkeypatch.undo()
    assert client.get(f"/v1/takes/{take}/score").json()["heard"] is True
