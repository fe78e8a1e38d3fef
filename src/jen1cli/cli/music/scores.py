"""Options of scores: MIDI in, MIDI out, and the instruments that play."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.outputs import Target, check_place, is_folder
from jen1cli.errors import ConfigError
from jen1cli.music.controls import Controls

if TYPE_CHECKING:
    from jen1cli.midi import Tune

MIDI_SUFFIXES = (".mid", ".midi")
_NAME = "{name}"
KEEP_HELP = (
    "What is kept: of --score some of chords,melody,drums,bass,comping,instruments; of a recording"
    " some of tempo,key,chords,drums,melody, also if unsure. Left out: all, or all that is sure."
)

Midi = Annotated[
    str | None,
    typer.Option(
        "--midi",
        metavar="PATH",
        help="Write the score that was played as a MIDI file too: a .mid file, a folder, or"
        " '{name}.mid' for one beside each result.",
        rich_help_panel=options.OUTPUT_PANEL,
    ),
]


@dataclass(frozen=True)
class ScoreOptions:
    """Options of a score from a MIDI file; None leaves the choice to prompt, music or model."""

    score: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="FILE",
            help="MIDI file to play: its tempo, metre, key, chords, melody, drums and parts. --bpm"
            " plays it at another tempo, --key in another key of its mode; --chords, --drums and"
            " --melody replace its own. Longer music repeats the bars of its chords, drums and"
            " melody.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="LIST",
            help=KEEP_HELP,
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    melody_track: Annotated[
        str | None,
        typer.Option(
            "--melody-track",
            metavar="N|NAME",
            help="Voice of --score that has the melody: its number or a part of its name, as they"
            " are printed, or 'none'. Left out: the likeliest.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    instruments: Annotated[
        str | None,
        typer.Option(
            "--instruments",
            metavar="LIST",
            help="Families of instruments that play, such as 'piano, strings'. Left out: as style"
            " or score have them.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None

    def families(self) -> tuple[str, ...]:
        """Return the families of --instruments; none if it is left out.

        Raises:
            ConfigError: an instrument is unknown.
        """
        from jen1cli.music.instruments import parse_instruments  # not for --help

        return () if self.instruments is None else parse_instruments(self.instruments)

    def read(self, given: Controls) -> "Tune | None":
        """Read the file of --score with the given tempo and key; None without one.

        Raises:
            MidiError: the file cannot be used.
            ConfigError: an option belongs to --score, which is not given, or does not fit it.
        """
        if self.score is None:
            for option, value in (("--keep", self.keep), ("--melody-track", self.melody_track)):
                if value is not None:
                    raise ConfigError(f"{option} chooses from a score; give one with --score FILE")
            return None
        path = Path(self.score)
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        return _tune(self.score, changed, self.melody_track or "", given.bpm, given.key, given.mode)

    def controls(self, given: Controls) -> Controls:
        """Return the given controls over those of the score.

        Raises:
            ConfigError: see `read`; or --keep names something unknown.
        """
        tune = self.read(given)
        if tune is None:
            return given
        from jen1cli.midi import KEEP

        keep = KEEP
        if self.keep is not None:
            keep = tuple(filter(None, (name.strip().lower() for name in self.keep.split(","))))
            if not keep:
                raise ConfigError(f"--keep is empty; name some of {', '.join(KEEP)}")
            keep = KEEP if keep == ("all",) else keep
        return tune.controls_under(given, keep)


@lru_cache(maxsize=8)
def _tune(path: str, changed: int, melody_track: str, bpm: float, key: str, mode: str) -> "Tune":
    """Read a MIDI file; `changed`, its time of change, is part of the cache's key."""
    from jen1cli.midi import read_midi

    return read_midi(path, melody_track=melody_track, bpm=bpm, key=(key, mode))


def plan_midi(
    given: str | None, targets: Sequence[Target], *, force: bool, piped: str = "goes to stdout"
) -> list[Path | None]:
    """Name the MIDI file of each result, and check that it can be written.

    Args:
        given: value of --midi; None: no files.
        targets: files to which the results are written.
        force: whether existing files are replaced.
        piped: what is said of a result without a path.

    Raises:
        ConfigError: a name cannot be used, or a file exists.
    """
    if given is None:
        return [None] * len(targets)
    folder = is_folder(given)
    if not folder and not given.lower().endswith(MIDI_SUFFIXES):
        raise ConfigError(
            f"--midi {given} does not end in .mid; give a .mid file, a folder with its slash, or"
            f" '{_NAME}.mid'"
        )
    if braces := re.search(r"\{.*\}|[{}]", given.replace(_NAME, "")):
        raise ConfigError(
            f"--midi {given} has '{braces[0]}', of which nothing is known here; write '{_NAME}' for"
            " the name of the result"
        )
    if not folder and _NAME not in given and len(targets) > 1:
        raise ConfigError(
            f"--midi {given} is one file for {len(targets)} results; give a folder, or"
            f" '{_NAME}.mid'"
        )
    paths = [_midi_path(given, target.path, piped, folder=folder) for target in targets]
    for path, target in zip(paths, targets, strict=True):
        if path == target.path or paths.count(path) > 1:
            raise ConfigError(f"--midi {given} names {path} twice; choose another name")
        tree = Path() if path.parent.exists() else Path(path.parent.name)
        check_place(path, force=force, tree=tree)
    return list(paths)


def plan_inputs_midi(given: str | None, files: Sequence[str], *, force: bool) -> list[Path | None]:
    """Name the MIDI file of each input, as `plan_midi` does for results."""
    targets = [
        Target(None if file == "-" else Path(file), Path(file).suffix.removeprefix("."))
        for file in files
    ]
    return plan_midi(given, targets, force=force, piped="comes from stdin")


def _midi_path(given: str, result: Path | None, piped: str, *, folder: bool) -> Path:
    if folder:
        return Path(given) / (f"{result.stem}.mid" if result is not None else "score.mid")
    if _NAME not in given:
        return Path(given)
    if result is None:
        raise ConfigError(
            f"--midi {given} takes the name of a file, but that {piped}; name the MIDI file"
        )
    return Path(given.replace(_NAME, str(result.with_suffix(""))))
