"""Groups: options declared once, in a dataclass, for every command that takes them."""

import ast
import dataclasses
import inspect
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from jen1cli import cli
from jen1cli.cli import app as app_module
from jen1cli.cli.groups import Without, grouped, options_of, replaced
from jen1cli.cli.sampling import SamplerChoice, SamplingChoice
from jen1cli.sampling import SETTINGS, SamplingOptions
from midi_support import meta, notes, song, track


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option("--width")] = 1
    height: Annotated[int, typer.Option("--height")] = 2


@dataclass(frozen=True)
class Look:
    name: Annotated[str, typer.Option("--name")]
    size: Size = Size()
    colour: Annotated[str, typer.Option("--colour")] = "red"


def call(command, *arguments):
    """Run a command in an application of its own."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


def test_a_command_receives_its_groups_filled_in():
    calls = []

    @grouped
    def show(
        file: Annotated[str, typer.Argument()],
        count: Annotated[int, typer.Option("--count")] = 3,
        *,
        look: Look,
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
    ) -> None:
        calls.append((file, count, look, quiet))

    call(show, "a.png", "--name", "cube", "--height", "9")
    assert calls == [("a.png", 3, Look("cube", Size(1, 9), "red"), False)]


def test_options_stand_where_the_group_stands():
    @grouped
    def show(*, before: int = 0, look: Look, after: int = 0) -> None: ...

    names = [p.name for p in typer_parameters(show)]
    assert names == ["before", "name", "width", "height", "colour", "after"]


def typer_parameters(command):
    app = typer.Typer(add_completion=False)
    app.command()(command)
    return typer.main.get_command(app).params


def test_what_is_left_out_has_no_option_and_keeps_its_default():
    calls = []

    @grouped
    def show(*, look: Annotated[Look, Without("size", "colour")]) -> None:
        calls.append(look)

    assert [p.name for p in typer_parameters(show)] == ["name"]
    call(show, "--name", "cube")
    assert calls == [Look("cube")]


def test_a_group_without_the_field_that_is_left_out_is_refused():
    def show(*, size: Annotated[Size, Without("depth")]) -> None: ...

    with pytest.raises(TypeError, match="Size has no field depth"):
        grouped(show)


def test_two_options_of_one_name_are_refused():
    def show(*, size: Size, width: int = 0) -> None: ...

    with pytest.raises(ValueError, match="width"):
        grouped(show)


def test_options_are_replaced_in_groups_within_groups():
    look = replaced(Look("cube", Size(3, 4)), {"height": 5, "colour": "blue"})
    assert look == Look("cube", Size(3, 5), "blue")


def commands(group, path=()):
    """Every command under a group, as (words, command)."""
    for name, inner in group.commands.items():
        if hasattr(inner, "commands"):
            yield from commands(inner, (*path, name))
        else:
            yield " ".join((*path, name)), inner


COMMANDS = dict(commands(typer.main.get_command(app_module.app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_shows_a_group_as_an_option(name):
    """As it would where a command with groups is not `grouped`."""
    parameters = inspect.signature(COMMANDS[name].callback).parameters.values()
    kinds = [getattr(item.annotation, "__origin__", item.annotation) for item in parameters]
    assert not [kind for kind in kinds if dataclasses.is_dataclass(kind)]


def test_no_option_is_declared_twice():
    places = Counter()
    for path in Path(cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "typer.Option",
                "typer.Argument",
            ):
                places[ast.unparse(node)] += 1
    assert len(places) > 50
    assert {text: count for text, count in places.items() if count > 1} == {}


SAMPLER_NAMES = {item.name for item in options_of(SamplerChoice)}
SAMPLING_NAMES = {item.name for item in options_of(SamplingChoice)}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *((name, SAMPLING_NAMES) for name in ("generate", "inpaint", "continue")),
        *((f"evaluate {name}", SAMPLER_NAMES) for name in ("prompts", "edits", "musiccaps")),
    ],
)
def test_every_command_that_samples_takes_every_setting(name, wanted):
    assert wanted <= {parameter.name for parameter in COMMANDS[name].params}


VALUES = {
    "bpm": 92.0, "key": "C minor", "chords": "Cm Fm", "drums": "kick x.x.", "melody": "C5 -",
    "negative": "voice", "steps": 3, "sampler": "ddim", "guidance_scale": 2.0,
    "distilled": False, "composer": "rules", "style": "bossa nova", "score": "tune.mid",
    "keep": "chords,melody", "melody_track": "1", "instruments": "piano, violins",
}  # fmt: skip


def test_the_options_of_a_sampler_are_keyword_arguments_of_the_library():
    given = {name: VALUES[name] for name in SAMPLER_NAMES}
    assert SamplerChoice(**given).arguments() == given
    assert given.keys() <= SamplingOptions.__annotations__.keys() == set(SETTINGS)


def test_a_line_of_a_prompt_file_takes_every_setting_by_the_name_of_its_option(jen1, model):
    (source,) = [p for p in COMMANDS["generate"].params if "--from" in p.opts]
    assert all(name in source.help for name in SAMPLING_NAMES)
    assert VALUES.keys() == SAMPLING_NAMES
    in_minor = (0, meta(1, b"Key: C minor"))
    Path("tune.mid").write_bytes(song(track(in_minor, *notes([60, 63, 67]))))
    options = ["--guided"] + [
        word
        for name, value in VALUES.items()
        if name != "distilled"
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    assert jen1("generate", "lofi", "--seed", "1", *options).code == 0
    Path("prompts.txt").write_text(json.dumps({"prompt": "lofi", "seed": 1, **VALUES}))
    assert jen1("generate", "--from", "prompts.txt", "-o", "other.wav").code == 0
    assert model.calls[0] == model.calls[1]
    assert model.calls[0][1].keys() >= {"controls", "negative_prompt", *SAMPLER_NAMES}
