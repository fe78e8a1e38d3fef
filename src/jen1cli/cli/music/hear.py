"""`jen1 hear`: the score of any recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jen1cli.cli import options, terminal
from jen1cli.cli.engine import Engine, ModelOptions
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import Faults, open_input
from jen1cli.cli.music.scores import Midi, plan_inputs_midi

if TYPE_CHECKING:
    from jen1cli.music.heard import Heard


@grouped
def hear(
    files: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Audio files, or '-' for stdin.", show_default=False),
    ],
    *,
    midi: Midi = None,
    force: options.Force = False,
    reporting: options.Reporting,
    model: Annotated[ModelOptions, Without("lora", "quality", "random_weights")],
) -> None:
    """Write down the score of any recording, bar by bar, and how sure it is."""
    faults = Faults()
    opened = []
    for given, score in zip(files, plan_inputs_midi(midi, files, force=force), strict=True):
        with faults.kept():
            opened.append((given, open_input(given), score))
    if not opened:
        faults.raise_collected()
    report = reporting.report()
    with Engine.open(model.choice().check(), report) as engine:
        for number, (given, item, score) in enumerate(opened):
            with faults.kept():
                with engine.making(item.name):
                    heard = engine.model.hear(item.source)
                facts: dict[str, Any] = {"path": given, **heard.to_dict()}
                if score is not None:
                    with faults.kept():  # what was heard is shown all the same
                        write_heard(heard, given, score, force=force)
                        facts["midi"] = str(score)
                if report.as_json:
                    report.result(facts)
                else:
                    terminal.echo(*[""] * bool(number), *_shown(heard, given))
    faults.raise_collected()


def write_heard(heard: "Heard", name: str, path: Path, *, force: bool) -> None:
    """Write what is sure of a score as a MIDI file.

    Raises:
        ConfigError: no notes are sure.
        OutputError: the file cannot be written.
    """
    from jen1cli.errors import ConfigError
    from jen1cli.midi import Passage, has_score, write_midi

    passages = [Passage(heard.controls(), 0.0, heard.seconds)]
    if not has_score(passages):
        raise ConfigError(
            f"no notes of {name} are sure ({'; '.join(heard.describe())}), so there is no MIDI to"
            " write; leave out --midi"
        )
    write_midi(path, passages, overwrite=force)


def _shown(heard: "Heard", name: str) -> list[str]:
    lines = [f"{name}: {heard.seconds:.2f} s", *(f"  {line}" for line in heard.describe())]
    if not heard.bars:
        return lines
    parts = (f"{part} {heard.percent(part)}" for part in ("chords", "drums", "melody"))
    return [*lines, f"  {', '.join(parts)}", *(f"  {row}" for row in heard.table())]
