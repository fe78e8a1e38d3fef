"""Options of the C2PA manifest that results are signed with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli.groups import Context
from jen1cli.errors import ConfigError, MissingExtraError
from jen1cli.files import expand_user

if TYPE_CHECKING:
    from jen1cli.provenance import Signer

OUTPUT_PANEL = "Output"


def _refuse_both(context: Context, certificate: str | None) -> str | None:
    """Refuse a certificate and no signature on one command line; the environment gives defaults."""
    sources = map(context.get_parameter_source, ("provenance", "certificate"))
    are_given = all(source is not None and source.name == "COMMANDLINE" for source in sources)
    if are_given and context.params.get("provenance") is False:
        raise ConfigError("--no-provenance signs nothing, so leave it or --certificate out")
    return certificate


Provenance = Annotated[
    bool | None,
    typer.Option(
        "--provenance/--no-provenance",
        is_eager=True,  # known when the certificate is checked
        envvar="JEN1_PROVENANCE",
        show_envvar=False,
        metavar="",
        help="Sign WAV, FLAC and MP3 with a C2PA manifest. Left out: if the extra is installed.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
Certificate = Annotated[
    str | None,
    typer.Option(
        "--certificate",
        callback=_refuse_both,
        envvar="JEN1_CERTIFICATE",
        show_envvar=False,
        metavar="FILE",
        help="PEM file with the certificate chain and the private key that sign. Left out: a"
        " self-made one, which proves integrity, not identity.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]


@dataclass(frozen=True)
class Signing:
    """Options of signatures as given on the command line."""

    provenance: Provenance = None
    certificate: Certificate = None

    @property
    def is_off(self) -> bool:
        """Whether the user wants none."""
        return self.provenance is False

    @property
    def is_wanted(self) -> bool:
        """Whether the user asks for one, so that its absence is worth a word."""
        return self.provenance is True or (self.certificate is not None and not self.is_off)

    def signer(self) -> "Signer | None":
        """Return the signer, its certificate checked; None for none.

        Raises:
            MissingExtraError: a signature is asked for, and the extra is not installed.
            ConfigError: the certificate cannot be used.
        """
        from jen1cli import provenance

        if self.is_off:
            return None
        if not provenance.is_installed():
            if not self.is_wanted:
                return None
            raise MissingExtraError(
                "signing with a C2PA manifest needs the extra: pip install 'jen1cli[provenance]'"
            )
        if self.certificate is None:
            credentials = provenance.own_credentials()
        else:
            credentials = provenance.read_credentials(expand_user(self.certificate))
        signer = provenance.Signer(credentials, is_required=self.is_wanted)
        signer.check()
        return signer
