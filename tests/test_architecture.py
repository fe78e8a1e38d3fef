"""The shape of the code: who may import whom, what is never loaded, how files are named."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "jen1cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
DRAWERS = {"utils", "util", "common", "misc", "base", "helpers", "helper", "tools", "functions"}
HEAVY = (
    "torch", "transformers", "huggingface_hub", "numpy", "soundfile", "soxr", "jaxtyping",
    "safetensors", "scipy",
)  # fmt: skip
HELP_MODULES = {  # of ours; each command has a module of its own
    "jen1cli.cli", "jen1cli.cli.app", "jen1cli.cli.examples", "jen1cli.cli.streams",
    "jen1cli.cli.terminal", "jen1cli.errors", "jen1cli.files",
}  # fmt: skip
HELP_SECONDS = 0.6  # of processor time


@pytest.mark.heavy
def test_imports_point_down():
    code = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout)
    assert kept, done.stdout
    assert int(kept[1]) >= 3


@pytest.mark.heavy
def test_help_is_quick_and_loads_nothing_heavy():
    """CPU time is measured, so that a busy machine does not matter."""
    code = (
        "import sys, time\n"
        "from jen1cli.cli.app import run\n"
        "code = run(['--help'])\n"
        "seconds = time.process_time()\n"
        "own = [name for name in sys.modules if name.startswith('jen1cli.')]\n"
        "from jen1cli.cli.app import DEVELOPER_COMMANDS, COMMANDS\n"
        "for command in (*COMMANDS, *DEVELOPER_COMMANDS):\n"
        "    code += run([command, '--help'])\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(code, seconds, ','.join(own), *heavy, file=sys.stderr)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        for _ in range(2)
    ]
    said = [run.stderr.split() for run in runs]
    assert said[0][0] == "0", runs[0].stderr
    assert said[0][3:] == [], "loaded by the help of a command"
    assert set(said[0][2].split(",")) == HELP_MODULES, "loaded by --help"
    assert min(float(words[1]) for words in said) < HELP_SECONDS


@pytest.mark.heavy
@pytest.mark.parametrize("words", ["jen1 ", "jen1 gen", "jen1 generate --se"])
def test_completion_loads_nothing_heavy(words):
    code = (
        "import sys\n"
        "from jen1cli.cli.app import run\n"
        "try:\n"
        "    run([])\n"
        "finally:\n"
        f"    print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    count = len(words.split(" ")) - 1
    environment = {
        **os.environ, "_JEN1_COMPLETE": "complete_bash", "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert "generate" in done.stdout or "--seconds" in done.stdout, done.stderr
    assert done.stderr.split() == []


def test_the_checks_cover_every_package_with_annotated_shapes():
    """`.ci/run` names the packages; the pattern is that of an import of shapes."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lists = re.findall(r"^checked\+?=(.*)$", text, re.MULTILINE)
    checked = set(re.findall(r"\bjen1cli\.(\w+)", "\n".join(lists)))
    shaped = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in MODULES
        if re.search(r"^from (jaxtyping|jen1cli\.shapes) import", path.read_text("utf-8"), re.M)
    }
    assert "unet" in shaped
    assert shaped - checked == set()
    assert [name for name in checked if not list(PACKAGE.glob(f"{name}*"))] == []


def test_summaries_are_those_of_the_commands():
    from jen1cli.cli.app import COMMANDS, app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, summary in COMMANDS.items():
        assert commands[name].help.split("\n\n")[0].replace("\n", " ").strip() == summary


def test_the_picture_of_the_layers_is_what_is_checked():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers, *_ = settings["tool"]["importlinter"]["contracts"]
    picture = "```\n" + "\n".join(layers["layers"]) + "\n```"
    assert picture in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_no_file_is_a_drawer():
    assert [path for path in MODULES if path.stem in DRAWERS] == []


def test_no_file_is_longer_than_400_lines():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_folder_has_more_than_about_20_files():
    sizes = Counter(path.parent for path in MODULES)
    assert {folder: size for folder, size in sizes.items() if size > 22} == {}


def test_file_names_are_nouns_in_snake_case():
    names = [path.stem for path in MODULES if not path.stem.startswith("__")]
    assert names
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


@pytest.mark.heavy
def test_every_module_says_what_it_is():
    silent = [
        path
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize(
    "forbidden", [r"^from __future__ import annotations", r"^\s*from \.", r"\bpickle\b", r"# TODO"]
)
def test_no_module_has(forbidden):
    pattern = re.compile(forbidden, re.MULTILINE)
    found = [path for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))]
    allowed = {"checkpoint.py", "encodec.py"} if "pickle" in forbidden else set()  # in words only
    assert [path for path in found if path.name not in allowed] == []


@pytest.mark.heavy
def test_nothing_prints_but_the_command_line():
    printing = []
    for path in MODULES:
        if "cli" in path.relative_to(PACKAGE).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("print", "exit"):
                printing.append(f"{path}:{node.lineno}")
    assert printing == []


def test_transformers_is_named_in_one_file_of_each_box():
    """A heavy import appears once: in the library's text encoder, and in its training."""
    files = [
        path.relative_to(PACKAGE)
        for path in MODULES
        if re.search(r"^\s*(from|import) transformers", path.read_text(encoding="utf-8"), re.M)
    ]
    boxes = [path.parts[0] for path in files]
    assert "conditioning" in boxes
    assert len(boxes) == len(set(boxes)), files
    assert set(boxes) <= {"conditioning", "training", "evaluation"}


def test_tests_have_the_tree_of_the_package():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    boxes = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders - {"data", "simulated_gpu", "__pycache__"} <= boxes


def parse_tree(text):
    """List the paths of a drawn tree: the first line without branches is its root."""
    paths, parents, root = [], [], None
    for line in text.splitlines():
        match = re.match(r"^(?P<stem>(?:[│ ]   )*)[├└]── (?P<names>\S.*)$", line)
        if match is None:
            bare = re.match(r"^(\S+/)(\s|$)", line)
            root = bare[1].rstrip("/") if bare else root
            parents = []
            continue
        depth = len(match["stem"]) // 4
        name = re.split(r"\s{2,}|\s#", match["names"])[0]
        parents = parents[:depth]
        for single in name.split():
            paths.append("/".join([*([root] if root else []), *parents, single.rstrip("/")]))
        parents.append(name.split()[0].rstrip("/"))
    return paths


def test_a_drawn_tree_is_read():
    tree = (
        "src/jen1cli/\n"
        "├── audio/        files\n"
        "│   ├── files.py  reading\n"
        "│   └── ogg.py\n"
        "└── __init__.py  py.typed   the door\n"
    )
    assert parse_tree(tree) == [
        "src/jen1cli/audio",
        "src/jen1cli/audio/files.py",
        "src/jen1cli/audio/ogg.py",
        "src/jen1cli/__init__.py",
    ]


def test_the_tree_of_the_docs_is_the_real_one():
    text = (ROOT / "docs" / "understand.md").read_text(encoding="utf-8")
    drawn = [
        path
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if "── " in block
        for path in parse_tree(block)
    ]
    assert drawn, "no tree is drawn"
    missing = [path for path in drawn if not (ROOT / path).exists()]
    assert missing == [], "drawn, but not there"
    boxes = {
        f"src/jen1cli/{path.name}"
        for path in PACKAGE.iterdir()
        if not path.name.startswith(("_", "py.typed"))
    }
    assert boxes - set(drawn) == set(), "there, but not drawn"
