"""A server over the tiny model, called without a port."""

import copy
import functools
import threading
from contextlib import ExitStack

import pytest

ADDRESS = "http://127.0.0.1:8414"


@pytest.fixture(scope="session", autouse=True)
def _schemas_once():
    """Keep the descriptions of bodies, whose making is half of the start of an application."""
    from jen1cli.server import audio_routes, job_routes, take_routes, uploads

    kept = functools.cache(uploads.schema_of)
    with pytest.MonkeyPatch.context() as patch:
        for module in (audio_routes, job_routes, take_routes):
            patch.setattr(module, "schema_of", lambda *of, **how: copy.deepcopy(kept(*of, **how)))
        yield


@pytest.fixture
def takes_folder(tmp_path):
    return tmp_path / "takes"


def build(model, takes, *, signer=None, signs=True, log=None, **given):
    """Return the client of a new application, which begins when its context is entered."""
    from fastapi.testclient import TestClient

    from jen1cli.server.app import create_app
    from jen1cli.server.settings import Limits, ServerSettings

    limits = Limits(**{"stop_seconds": 5.0, **given.pop("limits", {})})
    settings = ServerSettings(takes=takes, limits=limits, **given)
    app = create_app(model, settings, signer=signer, signs=signs, log=log)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


@pytest.fixture
def serving(tiny, takes_folder):
    """Return a function that starts an application and returns its client."""
    with ExitStack() as stack:

        def start(**given):
            return stack.enter_context(build(tiny, takes_folder, **given))

        start.stop = stack.close
        yield start


@pytest.fixture(scope="module")
def shared(tiny, tmp_path_factory):
    """Return the client of one server for the tests that leave nothing behind."""
    with build(tiny, tmp_path_factory.mktemp("takes")) as client:
        yield client


@pytest.fixture
def client(serving):
    return serving()


class Gate:
    """Holds the music of every `generate` between two steps, until it is opened."""

    def __init__(self):
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.steps = 0


@pytest.fixture
def gate(monkeypatch):
    from jen1cli import Jen1

    gate, real = Gate(), Jen1.generate

    def generate(self, prompt="", *, progress=None, **given):
        while not gate.opened.is_set():
            progress(gate.steps, 1_000)
            gate.steps += 1
            gate.reached.set()
            gate.opened.wait(0.005)
        return real(self, prompt, progress=progress, **given)

    monkeypatch.setattr(Jen1, "generate", generate)
    yield gate
    gate.opened.set()


@pytest.fixture
def wav(tmp_path, music):
    """Return the bytes of a recording of 0.6 s."""
    from jen1cli import audio

    path = tmp_path / "recording.wav"
    audio.write(path, music(0.6), 48_000)
    return path.read_bytes()
