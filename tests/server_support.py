"""A server in a process of its own, for the tests of clients, signals and load."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from urllib.parse import urlsplit

LONG = {"audio_length": 600, "num_inference_steps": 1_000, "seed": 1}
"""A request that takes minutes, also with the tiny model."""


class Process:
    """`jen1 serve` on a free port."""

    def __init__(self, model, takes, *more):
        self.takes = takes
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "jen1cli", "serve", "--model", str(model), "--device", "cpu",
             "--port", "0", "--takes", str(takes), *more],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        line = self.popen.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.popen.stderr.read()
        self.url = found[0]

    def ask(self, method, path, values=None):
        with contextlib.closing(self.connection()) as connection:
            body = None if values is None else json.dumps(values)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()

    def connection(self):
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=600)

    def json(self, method, path, values=None):
        return json.loads(self.ask(method, path, values)[1])

    def begin_long_job(self):
        job = self.json("POST", "/v1/jobs", {"task": "generate", **LONG})["id"]
        wait_until(lambda: self.json("GET", f"/v1/jobs/{job}")["step"] > 0)
        return job

    def close(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stderr.close()

    def end(self, number):
        self.popen.send_signal(number)
        code = self.popen.wait(30)
        with self.popen.stderr as stream:
            return code, stream.read()


def wait_until(is_true, seconds=60.0):
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
