"""`jen1 play`: play audio files."""

from typing import Annotated

import typer

from jen1cli.cli import options, terminal
from jen1cli.cli.groups import grouped
from jen1cli.cli.inputs import Faults, list_files, open_input
from jen1cli.cli.player import find_player
from jen1cli.errors import ConfigError
from jen1cli.folders import AUDIO_SUFFIXES

MAX_REPEAT = 1_000


@grouped
def play(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Audio files, folders of them, or '-' for stdin.",
            show_default=False,
        ),
    ],
    *,
    repeat: Annotated[
        int,
        typer.Option("--repeat", metavar="N", help="Times that each is played, without a gap."),
    ] = 1,
    reporting: options.Reporting,
) -> None:
    """Play audio files: through sounddevice, or a player of the system."""
    if repeat < 1:
        raise ConfigError(f"--repeat {repeat} plays nothing; give 1 or more")
    if repeat > MAX_REPEAT:
        raise ConfigError(f"--repeat {repeat} has no end; give {MAX_REPEAT:,} or less")
    player, report = find_player(), reporting.report()
    faults = Faults()
    for given, _ in list_files(files, AUDIO_SUFFIXES, "audio files", faults):
        with faults.kept():
            opened = open_input(given)
            report.note(f"{opened.name}, {opened.info.seconds:.2f} s, through {player.name}")
            player.play(opened.source, opened.info, repeat)
            if report.as_json:
                terminal.echo_json(
                    {
                        "path": None if given == "-" else given,
                        "seconds": round(opened.info.seconds, 6),
                        "repeat": repeat,
                        "player": player.name,
                    }
                )
    faults.raise_collected()
