"""`jen1 studio`: the address that it opens, and when it opens none."""

import pytest

from jen1cli.cli.app import run
from jen1cli.cli.serving import studio


@pytest.fixture
def browsed(monkeypatch):
    """Return the addresses that were opened; the server listens at once and ends."""
    opened = []

    def start(settings, choice, signing, report, ready, *, log=False):
        assert settings.has_page
        ready(f"http://{settings.host}:{settings.port}", choice.model)

    monkeypatch.setattr(studio, "start", start)
    monkeypatch.setattr(studio.webbrowser, "open", opened.append)
    monkeypatch.setattr(studio, "has_desktop", lambda: True)
    return opened


def command(tmp_path, *words):
    return run(["studio", "--takes", str(tmp_path), "--random-weights", "-m", "tiny", *words])


def test_the_page_is_opened(browsed, tmp_path, capsys):
    assert command(tmp_path, "--port", "9000") == 0
    assert browsed == ["http://127.0.0.1:9000/"]
    assert capsys.readouterr().err == "the studio is at http://127.0.0.1:9000/ (Ctrl-C ends it)\n"


def test_no_browser_is_opened_where_none_is_wanted_or_there_is_no_desktop(
    browsed, tmp_path, capsys, monkeypatch
):
    assert command(tmp_path, "--no-browser") == 0
    monkeypatch.setattr(studio, "has_desktop", lambda: False)
    assert command(tmp_path) == 0
    assert browsed == []
    assert capsys.readouterr().err.count("http://127.0.0.1:8414/") == 2


def test_beyond_this_machine_a_token_is_needed_and_in_the_address(browsed, tmp_path, capsys):
    assert command(tmp_path, "--host", "0.0.0.0") == 1
    assert "token" in capsys.readouterr().err
    assert command(tmp_path, "--host", "0.0.0.0", "--token", "a&b=c12345") == 0
    assert browsed == ["http://127.0.0.1:8414/?token=a%26b%3Dc12345"]


@pytest.mark.parametrize(
    ("platform", "display", "expected"),
    [("linux", ":0", True), ("linux", "", False), ("darwin", "", True), ("win32", "", True)],
)
def test_a_desktop_is_known_by_its_display(monkeypatch, platform, display, expected):
    monkeypatch.setattr(studio.sys, "platform", platform)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert studio.has_desktop() is expected
