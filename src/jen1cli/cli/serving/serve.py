"""`jen1 serve`: the model over HTTP, loaded once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.console import Console
from jen1cli.cli.engine import ModelChoice, ModelOptions, load_model
from jen1cli.cli.groups import grouped
from jen1cli.cli.signing import Signing
from jen1cli.errors import ConfigError
from jen1cli.files import expand_user

if TYPE_CHECKING:
    from jen1cli.server.settings import ServerSettings

DEFAULT_PORT = 8_414
SERVER_PANEL = "Server"


@dataclass(frozen=True)
class ServerOptions:
    """Options of the server as given on the command line."""

    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Address to listen on. One beyond this machine needs a token.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        typer.Option(
            "--port",
            "-p",
            metavar="N",
            min=0,
            max=65_535,
            help="0: any that is free.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = DEFAULT_PORT
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="JEN1_TOKEN",
            show_envvar=False,
            metavar="TEXT",
            help="Ask it of every request; better given as JEN1_TOKEN.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = None
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Further name of this server, such as that of a proxy; repeatable.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = None
    takes: Annotated[
        str | None,
        typer.Option(
            "--takes",
            metavar="FOLDER",
            help="Where the music of jobs is kept. Left out: in the user's data folder.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = None
    queue: Annotated[
        int,
        typer.Option(
            "--queue",
            metavar="N",
            min=1,
            max=10_000,
            help="Jobs that may wait.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = 16
    max_upload: Annotated[
        int,
        typer.Option(
            "--max-upload",
            metavar="MB",
            min=1,
            max=1_000_000,
            help="Largest upload.",
            rich_help_panel=SERVER_PANEL,
        ),
    ] = 512
    log: Annotated[
        bool,
        typer.Option(
            "--log", metavar="", help="Log every request on stderr.", rich_help_panel=SERVER_PANEL
        ),
    ] = False

    def settings(self, *, has_page: bool = False) -> "ServerSettings":
        """Return the checked settings.

        Args:
            has_page: whether the page of the studio is served too.

        Raises:
            Jen1Error: a package is missing, or the token or the folder cannot be used.
        """
        from jen1cli.server.settings import Limits, ServerSettings, check_packages

        check_packages()
        return ServerSettings(
            takes=takes_folder(self.takes),
            host=self.host,
            port=self.port,
            token=check_token(self.token, self.host),
            allowed_hosts=tuple(self.allow_host or ()),
            limits=Limits(queued_jobs=self.queue, upload_bytes=self.max_upload * 10**6),
            has_page=has_page,
        )


@grouped
def serve(
    *,
    server: ServerOptions,
    quiet: options.Quiet = False,
    signing: Signing,
    model: ModelOptions,
) -> None:
    """Serve the model over HTTP, loaded once."""
    report = Console(quiet=quiet)

    def ready(address: str, name: str) -> None:
        report.note(f"jen1 serves '{name}' at {address} (Ctrl-C ends it)")

    choice = model.choice().check()
    start(server.settings(), choice, signing, report, ready, log=server.log)


def start(
    settings: "ServerSettings",
    choice: ModelChoice,
    signing: Signing,
    report: Console,
    ready: Callable[[str, str], None],
    *,
    log: bool = False,
) -> None:
    """Load the model and serve until a signal.

    Args:
        settings: the server's settings.
        choice: the model's choice.
        signing: signing of what is made.
        report: for warnings.
        ready: called with the address and the name of the model when the server listens.
        log: every request on stderr.

    Raises:
        Jen1Error: the model does not load, or the address or the folder of takes cannot be used.
    """
    with report.library_warnings():
        signer = signing.signer()
        model = load_model(choice, report)
    from jen1cli.server.app import create_app
    from jen1cli.server.run import run_server

    app = create_app(
        model,
        settings,
        signer=signer,
        signs=not signing.is_off,
        log=report.note if log else None,
    )
    run_server(app, settings, lambda address: ready(address, model.config.name))


def check_token(token: str | None, host: str) -> str | None:
    """Return the token.

    Raises:
        ConfigError: there is none, and the host is beyond this machine; or it is short or no text
            for a header.
    """
    from jen1cli.server.settings import is_loopback

    if token is None:
        if is_loopback(host):
            return None
        raise ConfigError(
            f"--host {host} can be reached from other machines, which needs a token; set one, such"
            " as JEN1_TOKEN=$(openssl rand -hex 16)"
        )
    if len(token) < 8 or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError("the token must be 8 or more letters and digits without spaces")
    return token


def takes_folder(given: str | None) -> Path:
    """Return the folder of takes, by default in the user's data folder.

    Raises:
        ConfigError: it names a user that does not exist.
    """
    if given is not None:
        return expand_user(given)
    from platformdirs import user_data_path

    return user_data_path("jen1cli", appauthor=False) / "takes"
