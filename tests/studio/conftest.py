"""The studio in a real browser, over a server with the tiny model in this process."""

import os
import shutil
import threading
import time

import pytest

MISSING = "no browser is installed: Debian's package is chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 860}


class Studio:
    """A server with the page, which can go and come back at one address."""

    def __init__(self, model, takes):
        self.model, self.takes = model, takes
        self.port = 0
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        import uvicorn

        from jen1cli.server.app import create_app
        from jen1cli.server.settings import Limits, ServerSettings

        limits = Limits(stop_seconds=5.0)
        settings = ServerSettings(takes=self.takes, port=self.port, limits=limits, has_page=True)
        app = create_app(self.model, settings)
        self.jobs = app.state.services.jobs
        config = uvicorn.Config(app, port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        end = time.monotonic() + 30
        while not self.server.started:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def stop(self):
        self.server.should_exit = True
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.jobs.join(60.0)  # its thread may be inside of torch, which may not outlive Python


@pytest.fixture(scope="session")
def browser():
    """Chromium; tests are skipped where there is none."""
    path = os.environ.get("JEN1_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def studio(tiny, tmp_path):
    running = Studio(tiny, tmp_path / "takes")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def opened(browser, studio):
    """Return a function that opens the page; at the end nothing may have gone wrong in it.

    Kept are the errors of scripts and of the Content-Security-Policy, and every address that was
    asked for.
    """
    contexts, faults, addresses = [], [], []

    def open_page(path="/", *, expected=(), **options):
        context = browser.new_context(**{"viewport": SIZE, "color_scheme": "dark", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)

        def heard(message):
            known = any(part in message.text for part in expected)
            if message.type == "error" and not known:
                faults.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(studio.url + path)
        page.wait_for_selector('#server[data-state="up"]')
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
    foreign = [url for url in addresses if not url.startswith((studio.url, "data:", "blob:"))]
    assert foreign == []


@pytest.fixture
def page(opened):
    return opened()


class Gate:
    """Holds every `generate` between two steps, until it is opened."""

    def __init__(self):
        self.opened = threading.Event()


@pytest.fixture
def gate(monkeypatch):
    from jen1cli import Jen1

    gate, real = Gate(), Jen1.generate

    def generate(self, prompt="", *, progress=None, **given):
        step = 0
        while not gate.opened.is_set():
            progress(min(step, 399), 1_000)
            step += 1
            gate.opened.wait(0.02)
        return real(self, prompt, progress=progress, **given)

    monkeypatch.setattr(Jen1, "generate", generate)
    yield gate
    gate.opened.set()
