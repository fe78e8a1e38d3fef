"""The declared packages: each is imported by something, loads, and what is imported is declared."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "jen1cli"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {  # where a module is not called after its distribution
    "c2pa-python": "c2pa",
    "scikit-learn": "sklearn",
    "import-linter": "importlinter",
    "pre-commit": "pre_commit",
    "pytest-timeout": "pytest_timeout",
    "pytest-xdist": "xdist",
}
# Declared for packages that import them: torch.utils.tensorboard, ray.data, starlette.testclient
INDIRECT = {"tensorboard", "pandas", "httpx2"}


def declared(extra=""):
    """Modules that an extra brings, with the extras that it names in turn."""
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    found = set()
    for requirement in map(Requirement, lines):
        if requirement.name == "jen1cli":
            found |= set().union(*map(declared, requirement.extras))
        else:
            found.add(MODULES.get(requirement.name, requirement.name.replace("-", "_")))
    return found


EXTRAS = sorted(PROJECT["optional-dependencies"])
ALL = set().union(declared(), *map(declared, EXTRAS))
RUNTIME = set().union(declared(), *map(declared, set(EXTRAS) - {"dev"}))


def imports(path, *, at_import_time=False):
    """Third-party modules that a file imports; at import time: outside functions and `if`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if at_import_time else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"jen1cli"}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.heavy
def test_every_declared_package_loads():
    """In one process, as they meet in practice: two of them may not fit together."""
    names = sorted(ALL)
    # PortAudio, which sounddevice loads, is a package of the system on Linux, and no requirement
    code = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except OSError as error:
        if (name, str(error)) != ("sounddevice", "PortAudio library not found"):
            raise
"""
    # transformers loads its models, and with them torchaudio where that is installed, late
    late = ["transformers.models.t5.modeling_t5", "transformers.models.clap.modeling_clap"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *names, *late], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.heavy
def test_what_is_imported_is_declared():
    unknown = {(path.name, name) for path in FILES for name in imports(path) - RUNTIME}
    assert unknown == set()


@pytest.mark.heavy
def test_what_is_declared_is_imported():
    imported = set().union(*map(imports, FILES))
    assert RUNTIME - imported - INDIRECT == set()


@pytest.mark.heavy
def test_making_music_needs_the_core_alone():
    """Nothing that an extra brings is imported with what `jen1 generate` imports."""
    outside = {"training", "evaluation", "corpus", "pages", "metrics", "server", "studio"}
    files = [path for path in FILES if path.relative_to(PACKAGE).parts[0] not in outside]
    extra = {
        (path.name, name)
        for path in files
        for name in imports(path, at_import_time=True) - declared()
    }
    assert extra == set()


def test_the_tested_versions_are_inside_the_bounds():
    """`.ci/run` installs what stands there, so each declared package must, and in one version."""
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    tested = {canonicalize_name(name): Version(version) for name, version in pins.items()}
    assert len(tested) == len(pins)
    extras = PROJECT["optional-dependencies"].values()
    for requirement in map(Requirement, [*PROJECT["dependencies"], *chain.from_iterable(extras)]):
        if requirement.name != "jen1cli":
            assert tested[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.heavy
def test_torchaudio_is_no_ones():
    assert "torchaudio" not in ALL
    assert all("torchaudio" not in imports(path) for path in FILES)


def test_typer_has_an_upper_bound():
    """Relatives of its errors are found by name, which a next major version may change."""
    requirements = map(Requirement, PROJECT["dependencies"])
    bounds = next(found.specifier for found in requirements if found.name == "typer")
    assert "0.99" in bounds
    assert "1.0" not in bounds
    from jen1cli.cli import app

    assert app.UsageError.__name__ == "UsageError"
    assert issubclass(app.MissingParameter, app.UsageError)
    assert issubclass(app.NoArgsIsHelpError, app.UsageError)


@pytest.mark.slow
def test_generate_imports_neither_hub_nor_transformers(tmp_path):
    code = (
        "import sys\n"
        "from jen1cli.cli.app import run\n"
        "code = run(['generate', 'lofi piano', '-s', '1', '--seed', '1', '-o', 'a.wav'])\n"
        "bad = {'huggingface_hub', 'transformers', 'scipy', 'torchaudio', 'matplotlib', 'httpx'}\n"
        "print(code, *sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "0", done.stdout + done.stderr


def test_a_missing_extra_is_one_line_that_names_it(monkeypatch, capsys):
    from jen1cli.cli import app
    from jen1cli.cli.installation import requirements

    def refuse(name):
        raise ModuleNotFoundError("No module named 'accelerate'", name="accelerate")

    monkeypatch.setattr(app, "command", app.command.__wrapped__)  # without what is imported
    monkeypatch.setattr(app, "importlib", SimpleNamespace(import_module=refuse))
    monkeypatch.setattr(requirements.Package, "installed", None)
    assert app.run(["train", "all", "music", "-o", "run"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("jen1: error: accelerate is not installed")
    assert "pip install 'jen1cli[train]'" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("licence", "is_strict"),
    [
        ("GPL", True), ("GPLv2", True), ("GPLv3+", True), ("GPL-3.0-or-later", True),
        ("AGPL-3.0", True), ("MIT AND GPL-2.0-only", True), ("GNU GPL", True),
        ("GNU Affero General Public License v3", True),
        ("GNU General Public License v3 (GPLv3)", True), ("gpl", True),
        ("LGPL", False), ("LGPL-2.1-or-later", False), ("LGPLv3+", False), ("MIT", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", False), ("Apache-2.0", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
    ],
)  # fmt: skip
def test_the_check_of_licences_knows_the_strict_ones(licence, is_strict):
    assert runpy.run_path(str(ROOT / ".ci" / "licences.py"))["is_strict"](licence) == is_strict


def test_a_package_without_a_licence_is_found_unless_it_is_known():
    faults = runpy.run_path(str(ROOT / ".ci" / "licences.py"))["faults"]
    names = {"cuda-toolkit": "UNKNOWN", "a": "UNKNOWN", "b": "", "c": "MIT", "d": "GPLv3"}
    packages = [{"Name": name, "License": licence} for name, licence in names.items()]
    assert faults(packages) == ["a: UNKNOWN", "b: UNKNOWN", "d: GPLv3"]


def test_the_checks_begin_without_the_settings_of_their_user():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    variables = set(re.findall(r"\bJEN1_[A-Z0-9_]+\b", sources)) - {"JEN1_RECIPE"}  # a tag
    assert len(variables) > 3
    assert variables <= set(re.search(r"^unset (.*)$", text, re.MULTILINE)[1].split())
    assert '\nexport XDG_CONFIG_HOME="$work/' in text
