"""The server under load: many clients, clients that vanish, and memory over many jobs.

`pytest -n 0 -s -m slow tests/server/test_load.py` shows the figures.
"""

import contextlib
import http.client
import json
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter

import psutil
import pytest

from server_support import Process, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600)]
SHORT = {"audio_length": 0.1, "num_inference_steps": 1, "composer": "none"}
CLIENTS, REQUESTS, JOBS = 50, 1_000, 500
VANISHING = 0.1  # share of the requests whose client leaves
MOST_GROWTH = 40 * 2**20  # bytes over `JOBS` jobs


@pytest.fixture
def server(tiny_folder, tmp_path):
    process = Process(tiny_folder, tmp_path / "takes")
    yield process
    process.close()


def memory(server):
    return psutil.Process(server.popen.pid).memory_info().rss


def handles(server):
    process = psutil.Process(server.popen.pid)
    return process.num_fds() if hasattr(process, "num_fds") else 0


def ask(server, seed, seconds, outcomes):
    """Send one request as a well-behaved client does: it waits while the queue is full."""
    started = time.monotonic()
    while True:
        with contextlib.closing(server.connection()) as connection:
            headers = {"Content-Type": "application/json"}
            body = json.dumps({**SHORT, "seed": seed})
            connection.request("POST", "/v1/audio/generate", body, headers)
            response = connection.getresponse()
            data = response.read()
        outcomes[response.status] += 1
        if response.status == 200:
            seconds.append(time.monotonic() - started)
            return data
        assert response.status == 429, data
        time.sleep(int(response.headers["Retry-After"]) * random.uniform(0.5, 1.5))


def vanish(server, seed, outcomes):
    """Send a request, or a part of one, and close the connection."""
    connection = server.connection()
    body = json.dumps({**SHORT, "seed": seed, "num_inference_steps": 50})
    connection.putrequest("POST", "/v1/audio/generate")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body.encode()[: random.choice([5, len(body)])])
    time.sleep(random.uniform(0.0, 0.3))
    connection.close()
    outcomes["vanished"] += 1


def test_fifty_clients_at_once(server, capsys):
    ask(server, 0, [], Counter())
    before, open_before = memory(server), handles(server)
    outcomes, seconds, wrong = Counter(), [], []
    numbers = iter(range(1, REQUESTS + 1))
    lock = threading.Lock()
    expected = ask(server, 1, [], Counter())

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                if random.random() < VANISHING:
                    vanish(server, number, outcomes)
                elif ask(server, 1, seconds, outcomes) != expected:
                    wrong.append(number)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                wrong.append(repr(error))

    started = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    wait_until(lambda: server.json("GET", "/health")["queue"]["running"] == 0)
    wait_until(lambda: list((server.takes / ".work").iterdir()) == [])
    with capsys.disabled():
        seconds.sort()
        sys.stdout.write(
            f"\n{REQUESTS} requests of {CLIENTS} clients in {took:.0f} s: {dict(outcomes)};"
            f" answered after {statistics.median(seconds):.2f} s (median),"
            f" {seconds[int(0.95 * len(seconds))]:.2f} s (95 %); memory {before / 2**20:.0f} ->"
            f" {memory(server) / 2**20:.0f} MiB; open files {open_before} -> {handles(server)}\n"
        )
    assert wrong == []
    assert outcomes[200] + outcomes["vanished"] == REQUESTS
    assert handles(server) <= open_before + 5
    assert server.end(signal.SIGTERM) == (0, "")


def test_memory_over_many_jobs(server, capsys):
    seen = []

    def jobs(count):
        for _ in range(count):
            job = server.json("POST", "/v1/jobs", {"task": "generate", **SHORT, "seed": 1})["id"]
            assert b"event: done" in server.ask("GET", f"/v1/jobs/{job}/events")[1]
            take = server.json("GET", f"/v1/jobs/{job}")["take"]
            assert server.ask("GET", f"/v1/takes/{take}/peaks")[0] == 200
            assert server.ask("DELETE", f"/v1/takes/{take}")[0] == 204
        seen.append(memory(server))
        with capsys.disabled():
            sys.stdout.write(f"\nafter {count} more jobs: {seen[-1] / 2**20:.0f} MiB")
            sys.stdout.flush()

    jobs(50)
    for _ in range(5):
        jobs(JOBS // 5)
    assert seen[-1] - seen[0] < MOST_GROWTH
