"""`jen1 studio`: the server with its page, opened in the browser."""

import os
import sys
import webbrowser
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from jen1cli.cli import options
from jen1cli.cli.console import Console
from jen1cli.cli.engine import ModelOptions
from jen1cli.cli.groups import grouped
from jen1cli.cli.serving.serve import SERVER_PANEL, ServerOptions, start
from jen1cli.cli.signing import Signing

_EVERYWHERE = ("0.0.0.0", "[::]")


@grouped
def studio(
    *,
    no_browser: Annotated[
        bool,
        typer.Option(
            "--no-browser",
            metavar="",
            help="Open no browser; print the address alone.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = False,
    server: ServerOptions,
    quiet: options.Quiet = False,
    signing: Signing,
    model: ModelOptions,
) -> None:
    """Open the studio: a page to make, change and compare music in the browser."""
    settings = server.settings(has_page=True)
    report = Console(quiet=quiet)

    def ready(address: str, _: str) -> None:
        page = page_address(address, settings.token)
        report.note(f"the studio is at {page} (Ctrl-C ends it)")
        if not no_browser and has_desktop():
            webbrowser.open(page)

    choice = model.choice().check()
    start(settings, choice, signing, report, ready, log=server.log)


def page_address(address: str, token: str | None) -> str:
    """Return the address that a browser on this machine opens; a token becomes a cookie there.

    Args:
        address: on which the server listens, such as "http://127.0.0.1:8414".
        token: the server's token.
    """
    host, _, port = urlsplit(address).netloc.rpartition(":")
    page = f"http://127.0.0.1:{port}/" if host in _EVERYWHERE else f"{address}/"
    return page if token is None else f"{page}?token={quote(token, safe='')}"


def has_desktop() -> bool:
    """Return whether there is a graphical browser; in a terminal one would cover the messages."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
