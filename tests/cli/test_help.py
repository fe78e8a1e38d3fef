"""Help: every command, its examples, and one meaning for every option name."""

import re
import shlex

import pytest
import typer

from jen1cli.cli import app as app_module
from jen1cli.cli.examples import EXAMPLES
from jen1cli.cli.outputs import FIELDS

COMMAND = typer.main.get_command(app_module.app)
COMMANDS = ["generate", "inpaint", "continue", "vary", "hear", "cover", "encode", "decode", "play",
         "info", "again", "studio", "serve", "models", "doctor"]  # fmt: skip


def command(name):
    return COMMAND.commands[name]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")


def test_user_commands_come_first_and_developer_commands_in_a_panel_of_their_own(jen1):
    text = jen1("--help").out
    names = list(COMMAND.commands)  # type: ignore[attr-defined]
    assert names[: len(COMMANDS)] == COMMANDS
    developer = names[len(COMMANDS) :]
    assert set(developer) <= set(app_module.DEVELOPER_COMMANDS)
    if developer:
        user_panel, developer_panel = text.split(app_module.DEVELOPER_PANEL)
        assert all(name in user_panel for name in COMMANDS)
        assert all(name in developer_panel for name in developer)


def tree(command, path=()):
    """Every command and group under a group but former names, as (words, command)."""
    for name, inner in getattr(command, "commands", {}).items():
        if inner.hidden:
            continue
        yield (*path, name), inner
        yield from tree(inner, (*path, name))


TREE = [" ".join(path) for path, _ in tree(COMMAND)]


def test_the_tree_is_the_examples():
    assert {*TREE, "jen1"} == EXAMPLES.keys()
    assert {"corpus make", "train finetune", "evaluate codec", "models list"} <= set(TREE)


@pytest.mark.parametrize(
    "name",
    [
        "jen1",
        "corpus make",
        *COMMANDS,
        *(
            pytest.param(x, marks=pytest.mark.heavy)
            for x in TREE
            if x not in (*COMMANDS, "corpus make")
        ),
    ],
)
def test_every_command_has_help_with_its_examples(jen1, name):
    words = [] if name == "jen1" else name.split()
    result = jen1(*words, "--help")
    assert result.code == 0
    assert 1 <= len(EXAMPLES[name]) <= 4
    text = " ".join(result.out.split())
    assert "Examples" in text
    for command, meaning in EXAMPLES[name]:
        assert " ".join(command.split()) in text
        assert f"# {meaning}" in text


CALL = re.compile(r"""(?:^|\| |\$\()(jen1 (?:"[^"]*"|[^"|<>)])+)""")  # alone, in a pipe, in $()


def examples():
    for name, pairs in EXAMPLES.items():
        for command, _ in pairs:
            for call in CALL.findall(command):
                words = shlex.split(call)
                yield pytest.param(name, words[1:], id=" ".join(words))


def test_every_command_has_an_example_that_is_parsed():
    parsed = {tuple(example.values[1]) for example in examples()}
    shown = {name for example in examples() for name in [example.values[0]]}
    assert shown == EXAMPLES.keys()
    for name in TREE:
        words = tuple(name.split())
        assert any(other[: len(words)] == words for other in parsed), name


@pytest.mark.parametrize(("name", "words"), list(examples()))
def test_every_example_is_a_command_that_parses(name, words):
    assert name == "jen1" or words[: len(name.split())] == name.split()
    command, rest = COMMAND, list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    assert command.make_context(words[0], rest).params


def test_an_option_means_the_same_everywhere():
    seen = {}
    for name in COMMANDS:
        for parameter in command(name).params:
            for option in parameter.opts:
                if option.startswith("--") and option not in ("--seconds", "--help"):
                    known = seen.setdefault(option, (parameter.help, parameter.opts, name))
                    assert (parameter.help, parameter.opts) == known[:2], (option, name, known[2])
    assert {"--seed", "--output", "--json", "--quiet", "--force", "--model"} <= seen.keys()


def test_the_help_of_output_names_every_field():
    (output,) = [p for p in command("generate").params if "--output" in p.opts]
    assert all("{" + field + "}" in output.help for field in FIELDS)


def test_the_help_of_samplers_names_every_sampler():
    from jen1cli.cli.sampling import SAMPLERS

    (sampler,) = [p for p in command("generate").params if "--sampler" in p.opts]
    assert all(name in sampler.help for name in SAMPLERS)


def test_the_command_alone_shows_its_help(jen1):
    result = jen1()
    assert result.code == 2
    assert "Usage: jen1" in result.out
    assert result.err == ""
