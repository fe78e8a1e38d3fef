"""Settings of the server: where it listens, what it accepts, and where takes are kept."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from jen1cli.errors import needs_extra


@dataclass(frozen=True)
class Limits:
    """What the server accepts."""

    queued_jobs: int = 16  # waiting, beside the one that runs
    upload_bytes: int = 512 * 2**20
    upload_seconds: float = 120.0  # until the whole body of a request is here
    audio_seconds: float = 3_600.0  # length of an uploaded recording
    stop_seconds: float = 30.0  # for the running job, when the server is stopped


@dataclass(frozen=True)
class ServerSettings:
    """Settings of one server."""

    takes: Path
    host: str = "127.0.0.1"
    port: int = 8_414
    token: str | None = None  # needed beyond loopback
    allowed_hosts: tuple[str, ...] = ()  # further names in the Host header
    limits: Limits = field(default_factory=Limits)
    has_page: bool = False  # whether the page of the studio is served too


def is_loopback(host: str) -> bool:
    """Whether a host name or address is reached from this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_packages() -> None:
    """Load the packages of the extra.

    Raises:
        MissingExtraError: one is missing.
    """
    with needs_extra("serve", "the server"):
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
