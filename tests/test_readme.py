"""README and docs cannot drift: commands parse, Python runs, help is the real help, links lead on.

A help block is a marker and a fence behind it, the output of that help at 80 columns:

    <!-- help: generate -->
    ```text
    ...
    ```

`<!-- help: jen1 -->` is the help of the command itself, `<!-- help: models show -->` that of a
sub-command. `python tests/test_readme.py` writes all of them anew, in every page.
"""

import functools
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults import forked

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
PROSE = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "weights" / "jen1-mini" / "README.md"]
PROSE = [page for page in PROSE if page.name != "robustness.md"]  # shows wrong options
OF_OTHER_PROGRAMS = {
    "--array", "--depth", "--exclude-editable", "--fsdp_version", "--index-url",
    "--jaxtyping-packages", "--multi_gpu", "--newest", "--no-deps", "--tiny", "--use_fsdp",
}  # fmt: skip
HELP = re.compile(r"<!-- help: ([\w ]+?) -->\n+```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_ENDINGS = ("json", "jsonl", "safetensors")
SHELLS = ("sh", "bash", "console", "shell")


def help_of(command):
    """Return what `jen1 VERB --help` prints at 80 columns, without colours."""
    words = [] if command == "jen1" else command.split()
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "TERMINAL_WIDTH": "80",
        "NO_COLOR": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "jen1cli", *words, "--help"],
        capture_output=True, text=True, encoding="utf-8", env=environment, check=True,
    )  # fmt: skip
    return tidy(done.stdout)


def tidy(text):
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip("\n")


def help_blocks(text):
    return [(command, tidy(block)) for command, block in HELP.findall(text)]


def commands(text):
    """List the words of every `jen1` command in the shell blocks of a text."""
    found = []
    for language, block in FENCE.findall(text):
        if language not in SHELLS:
            continue
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            for piece in re.split(r"\s(?:\||&&|;)\s", line.removeprefix("$ ")):
                words = shlex.split(piece, comments=True)
                while words and re.fullmatch(r"\w+=\S*", words[0]):
                    words = words[1:]
                if words and words[0] == "jen1":
                    found.append(cut_redirections(words[1:]))
    return found


def cut_redirections(words):
    kept = []
    skip = False
    for word in words:
        if not skip and not re.match(r"^\d?[<>]", word):
            kept.append(word)
        skip = not skip and word in ("<", ">", "2>", ">>")
    return kept


def fault_of(words):
    """Parse a command as the command line does; return what is wrong with it, or ""."""
    from jen1cli.cli import app

    command, rest, path = app.command(), list(words), "jen1"
    while hasattr(command, "commands") and rest and rest[0] in command.commands:
        command, rest, path = command.commands[rest[0]], rest[1:], rest[0]
    if any(word in ("--help", "-h", "--version") for word in rest):
        return ""
    if hasattr(command, "commands"):
        return f"unknown command in: jen1 {shlex.join(words)}"
    try:
        command.make_context(path, rest)
    except app.UsageError as error:
        return f"jen1 {shlex.join(words)}: {error}"
    return ""


def python_blocks(text):
    return [block for language, block in FENCE.findall(text) if language in ("python", "py")]


@by_page
def test_help_blocks_are_the_real_help(page):
    text = page.read_text(encoding="utf-8")
    blocks = help_blocks(text)
    assert len(blocks) == text.count("<!-- help:"), "a help marker without its fence"
    for command, block in blocks:
        assert block == help_of(command), (
            f"stale help of {command}: run python tests/test_readme.py"
        )


def test_the_pages_show_the_help_of_the_command():
    blocks = [
        command for page in PAGES for command, _ in help_blocks(page.read_text(encoding="utf-8"))
    ]
    assert "jen1" in blocks


@by_page
def test_commands_parse(page):
    found = commands(page.read_text(encoding="utf-8"))
    assert [fault for words in found if (fault := fault_of(words))] == []


@functools.cache
def known_options():
    import typer

    from jen1cli.cli.app import app

    found, commands = {"--help"}, [typer.main.get_command(app)]
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        found |= {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
    return found


def outside_blocks(page):
    return re.sub(FENCE, "", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.name)
def test_options_in_running_text_exist(page):
    seen = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", outside_blocks(page)))
    assert seen - known_options() - OF_OTHER_PROGRAMS == set()


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.name)
def test_modules_in_running_text_exist(page):
    places = (ROOT, ROOT / "src", ROOT / "src" / "jen1cli")
    seen = re.findall(r"`([\w/]+\.(?:py|js))\b", outside_blocks(page))
    assert [name for name in seen if not any((place / name).is_file() for place in places)] == []


def missing_names(text):
    """List the dotted names in backticks that begin like a module but are in none."""
    seen = re.findall(r"`(?:jen1cli\.)?([a-z]\w*(?:\.\w+)+)\b", text)
    return [name for name in seen if not is_there(name.split("."))]


def is_there(parts):
    """Whether a name is a file, or in the module that it begins with, if there is one."""
    for count in range(len(parts), 0, -1):
        place = ROOT / "src" / "jen1cli" / Path(*parts[:count])
        module = place / "__init__.py" if place.is_dir() else place.with_name(place.name + ".py")
        if module.is_file():
            rest = parts[count:]
            words = set(re.findall(r"\w+", module.read_text(encoding="utf-8")))
            return not rest or rest[0] in words or rest[-1] in FILE_ENDINGS
    return True


def test_modules_in_docstrings_and_comments_exist():
    sources = sorted((ROOT / "src").rglob("*.py"))
    texts = {str(source): source.read_text(encoding="utf-8") for source in sources}
    assert {name: missing for name, text in texts.items() if (missing := missing_names(text))} == {}
    known = "`recipe.Recipe`, `jen1cli.pipeline.edits`, `autoencoder.safetensors`, `os.path`"
    assert missing_names(f"{known}, `pipeline.nowhere`, `recipe.Nothing`") == [
        "pipeline.nowhere", "recipe.Nothing",
    ]  # fmt: skip


def test_the_readme_shows_the_main_verbs():
    found = commands(README.read_text(encoding="utf-8"))
    assert {"generate", "inpaint", "continue"} <= {words[0] for words in found if words}


@pytest.mark.heavy
@by_page
def test_python_runs(page, tiny_folder, tmp_path, tone, monkeypatch):
    """In a process of its own, as a reader would run it; the tiny model is called jen1-mini.

    The process is a fork, which does not import torch again.
    """
    import soundfile

    blocks = python_blocks(page.read_text(encoding="utf-8"))
    if not blocks:
        assert page != README, "the README shows no Python"
        return
    shutil.copytree(tiny_folder, tmp_path / "sets" / "jen1-mini")
    code = "".join(blocks)
    for name in set(re.findall(r"""["']([\w-]+\.(?:wav|flac))["']""", code)):
        if f'save("{name}")' not in code:
            soundfile.write(tmp_path / name, tone(seconds=8.0).T, 48_000)
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    monkeypatch.setenv("JEN1_WEIGHTS", str(tmp_path / "sets"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    done = forked(tmp_path, call=lambda: runpy.run_path("page.py", run_name="__main__"))
    assert done.code == 0, done.err


@by_page
def test_files_that_are_linked_exist(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


@by_page
def test_every_page_is_reached_from_the_readme(page):
    if page != README:
        assert f"](docs/{page.name})" in README.read_text(encoding="utf-8")


SAMPLE = """
```sh
pip install jen1cli
jen1 generate "lofi piano" -o - | jen1 continue - --seconds 10 -o - > long.wav  # a chain
JEN1_WEIGHTS=/models jen1 inpaint take.wav --mask 3-6s \\
    -o fixed.wav
$ jen1 models list && jen1 info long.wav
```
```python
x = 1
```
<!-- help: models path -->
```text
stale
```
"""


@pytest.mark.heavy
def test_the_checks_see_what_they_check():
    assert [words[0] for words in commands(SAMPLE)] == [
        "generate", "continue", "inpaint", "models", "info",
    ]  # fmt: skip
    assert commands(SAMPLE)[1] == ["continue", "-", "--seconds", "10", "-o", "-"]
    assert [fault_of(words) for words in commands(SAMPLE)] == [""] * 5
    assert python_blocks(SAMPLE) == ["x = 1\n"]
    ((command, block),) = help_blocks(SAMPLE)
    assert (command, block) == ("models path", "stale")
    assert "Usage: jen1 models path" in help_of(command)


@pytest.mark.parametrize("words", [["generate", "x", "--nonsense"], ["dance"], ["inpaint"]])
def test_a_command_that_does_not_exist_is_seen(words):
    assert re.search(r"(?i)no such option|unknown command|missing \w+", fault_of(words))


def test_blocks_are_written_anew():
    text = renewed(SAMPLE, lambda command: f"help of {command}")
    assert help_blocks(text) == [("models path", "help of models path")]
    assert commands(text) == commands(SAMPLE)


def renewed(text, helper=help_of):
    """Return the text with every help block written anew."""
    return HELP.sub(
        lambda match: f"<!-- help: {match[1]} -->\n```text\n{helper(match[1])}\n```", text
    )


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
