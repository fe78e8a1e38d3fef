"""The checks of `jen1 doctor`, one line each: finding, and remedy for a fault."""

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jen1cli.cli.installation.requirements import CORE, PROJECT, Package, packages
from jen1cli.errors import Jen1Error
from jen1cli.jsonfiles import parse_json

Status = Literal["ok", "note", "warn", "fail"]

# Optional packages that transformers imports if installed; a build for another torch version
# breaks T5 and CLAP.
COMPANIONS = ("torchaudio", "torchvision")
_PROBED = {"transformers": "transformers.models.t5.modeling_t5"}  # its package imports lazily
_PROBE = """
import importlib, json, os, sys, warnings
warnings.simplefilter("ignore")
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what packages print is not ours
for name in sys.argv[1:]:
    print(json.dumps([name, None]), file=out, flush=True)
    try:
        importlib.import_module(name)
        problem = ""
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
    print(json.dumps([name, problem]), file=out, flush=True)
"""
_PROBE_SECONDS = 300
_NO_PORTAUDIO = "PortAudio library not found"  # sounddevice without the library of the system
_GET_PORTAUDIO = (
    "install PortAudio (Debian, Ubuntu: apt install libportaudio2), or play through a program of"
    " the system"
)
_DISK_NEEDED, _DISK_WANTED = 100e6, 1e9  # bytes
_MEMORY_WANTED = 2e9  # bytes: what the bundled model takes at most on a CPU


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    status: Status
    found: str
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def checks(device: str = "auto") -> Iterator[Check]:
    """Yield the findings, each as soon as it is available.

    Args:
        device: device of the smoke test.
    """
    yield _versions()
    wanted = [p for p in packages() if CORE in p.extras or p.installed is not None]
    companions = [name for name in COMPANIONS if importlib.util.find_spec(name)]
    problems = load_apart([*(package.module for package in wanted), *companions])
    yield _core(problems)
    yield from _extras(problems)
    yield from (_companion(name, problems[name]) for name in companions)
    yield from _weights()
    if problems.get("torch"):
        yield Check("smoke test", "fail", "not run, since torch does not load", "see packages")
    else:
        yield _guarded("device", _device)
        yield _guarded("smoke test", lambda: _smoke(device))
    yield _guarded("SoundFont", _soundfont)
    yield from _disk()
    yield _memory()


def load_apart(modules: Sequence[str]) -> dict[str, str]:
    """Import modules in a subprocess, since a broken library may crash it.

    Returns:
        error by module; empty if it loads.
    """
    problems: dict[str, str] = {}
    targets = {_PROBED.get(module, module): module for module in modules}
    while len(problems) < len(targets):
        waiting = [target for target, module in targets.items() if module not in problems]
        command = [sys.executable, "-P", "-c", _PROBE, *waiting]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, encoding="utf-8", timeout=_PROBE_SECONDS
            )
            said, ended = done.stdout, f"ended the process with exit code {done.returncode}"
        except subprocess.TimeoutExpired as error:
            said = (error.stdout or b"").decode() if isinstance(error.stdout, bytes) else ""
            ended = f"took more than {_PROBE_SECONDS} s to load"
        begun = waiting[0]
        for line in said.splitlines():
            begun, problem = parse_json(line, "the probe")
            if problem is not None:
                problems[targets[begun]] = " ".join(problem.split())
        problems.setdefault(targets[begun], ended)
    return problems


def _versions() -> Check:
    version = importlib.metadata.version(PROJECT)
    system = f"{platform.system()} {platform.machine()}"
    found = f"jen1cli {version}, Python {platform.python_version()}, {system}"
    facts = {"jen1cli": version, "python": platform.python_version(), "system": system}
    return Check("versions", "ok", found, facts=facts)


def _core(problems: dict[str, str]) -> Check:
    mine = [package for package in packages() if CORE in package.extras]
    wrong = list(filter(None, (_wrong(package, problems) for package in mine)))
    facts = {"versions": {package.name: _version(package.name) for package in mine}}
    if wrong:
        wanted = " ".join(f"'{package.name}{package.bounds}'" for package in mine)
        return Check(
            "packages", "fail", "; ".join(wrong), f"pip install --force-reinstall {wanted}", facts
        )
    found = f"all {len(mine)} load, torch {_version('torch')}"
    return Check("packages", "ok", found, facts=facts)


def _extras(problems: dict[str, str]) -> Iterator[Check]:
    for extra in sorted({extra for package in packages() for extra in package.extras} - {CORE}):
        mine = [package for package in packages() if extra in package.extras]
        install = f"pip install '{PROJECT}[{extra}]'"
        facts = {"versions": {package.name: _version(package.name) for package in mine}}
        absent = [package.name for package in mine if package.installed is None]
        wrong = list(filter(None, (_wrong(package, problems) for package in mine)))
        broken = [text for text in wrong if not text.endswith("is not installed")]
        if any(_NO_PORTAUDIO in text for text in broken):
            yield Check(f"extra {extra}", "note", "; ".join(broken), _GET_PORTAUDIO, facts)
        elif broken:
            yield Check(f"extra {extra}", "fail", "; ".join(broken), f"{install} --upgrade", facts)
        elif absent:
            found = f"not installed (without {', '.join(absent)})"
            yield Check(f"extra {extra}", "note", found, install, facts)
        else:
            yield Check(f"extra {extra}", "ok", "installed", facts=facts)


def _wrong(package: Package, problems: dict[str, str]) -> str:
    """Return a description of a package's fault; empty without one."""
    version = package.installed
    if version is None:
        return f"{package.name} is not installed"
    if problems.get(package.module):
        return f"{package.name} {version} does not load ({problems[package.module]})"
    if not package.bounds.contains(version, prereleases=True):
        return f"{package.name} is {version}, but jen1cli is made for {package.bounds}"
    return ""


def _companion(name: str, problem: str) -> Check:
    version, torch_version = _version(name), _version("torch")
    if not problem:
        return Check(name, "ok", f"{version} loads beside torch {torch_version}")
    return Check(
        name,
        "fail",
        f"{name} {version} does not load beside torch {torch_version} ({problem});"
        " transformers imports it, so FLAN-T5 and CLAP fail with it",
        f"pip uninstall {name} (jen1cli does not need it)",
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Convert an exception of a check to a finding, so that the other checks still run."""
    try:
        return check()
    except Exception as error:
        if os.environ.get("JEN1_DEBUG"):
            raise
        words = str(error) if isinstance(error, Jen1Error) else f"{type(error).__name__}: {error}"
        return Check(name, "fail", " ".join(words.split()), "JEN1_DEBUG=1 jen1 doctor shows where")


def _weights() -> Iterator[Check]:
    from jen1cli.checkpoint import read_description, verify_files
    from jen1cli.weightsets import DEFAULT_WEIGHTS, list_weights

    sets = list_weights()
    for found in sets:
        name = f"weights {found.name}"
        facts: dict[str, Any] = {"folder": str(found.folder), "place": found.place}
        try:
            description = read_description(found.folder)
            verify_files(description)
        except Jen1Error as error:
            yield Check(name, "fail", str(error), "get the weight set again", facts)
            continue
        facts |= {"licence": description.config.licence, "sha256": description.sha256}
        yield Check(name, "ok", f"{description.config.licence}, {found.folder}", facts=facts)
    if DEFAULT_WEIGHTS not in {found.name for found in sets}:
        yield Check(
            f"weights {DEFAULT_WEIGHTS}",
            "fail",
            "not found",
            "install again from a complete clone: pip install --force-reinstall --no-deps .",
        )


def _device() -> Check:
    import torch

    facts: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "mps": torch.backends.mps.is_available(),
    }
    found = f"CPU with {facts['threads']} threads"
    if facts["cuda"]:
        found += f", CUDA {torch.version.cuda}: {', '.join(facts['cuda'])}"
    if facts["mps"]:
        found += ", MPS"
    return Check("device", "ok", found, facts=facts)


def _smoke(device: str) -> Check:
    """Generate four seconds of music on the device and compare its levels with known ones."""
    from jen1cli.checkpoint import read_description
    from jen1cli.pipeline import Jen1
    from jen1cli.pipeline.selftest import SECONDS, TOLERANCE_DB, self_test
    from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

    weights = find_weights(DEFAULT_WEIGHTS)
    model = Jen1.load(weights.folder, device=device)
    sha256 = read_description(weights.folder).sha256
    result = self_test(model, sha256)
    facts = {
        "device": model.device,
        "dtype": model.dtype,
        "sha256": sha256,
        "levels_db": list(result.levels_db),
        "deviation_db": result.deviation_db,
        "known_generator": result.has_known_generator,
    }
    where = f"{SECONDS:g} s of music on {model.device} in {model.dtype}"
    if result.passed and result.deviation_db is None:
        found = f"{where}; this weight set's sound is not on record, so it was not compared"
        return Check("smoke test", "note", found, facts=facts)
    if result.passed:
        found = f"{where}, within {result.deviation_db:.2f} dB of what it should be"
        return Check("smoke test", "ok", found, facts=facts)
    if not result.has_known_generator:
        wrong = "this torch draws other random numbers than the one that jen1cli was made with"
        return Check("smoke test", "fail", f"{where}: {wrong}", "install the torch it names", facts)
    return Check(
        "smoke test",
        "fail",
        f"{where} sounds wrong: levels are {result.deviation_db:.2f} dB off,"
        f" {TOLERANCE_DB:g} dB is usual",
        "try --device cpu and --dtype fp32; update the device's driver",
        facts,
    )


def _soundfont() -> Check:
    from jen1cli.corpus.rendering.soundfont import find_soundfont

    try:
        path = find_soundfont()
    except Jen1Error as error:
        return Check("SoundFont", "note", "none, needed by jen1 corpus alone", str(error))
    return Check("SoundFont", "ok", str(path), facts={"path": str(path)})


def _disk() -> Iterator[Check]:
    import psutil

    for name, folder in (("here", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        free = psutil.disk_usage(str(folder)).free
        status: Status = "fail" if free < _DISK_NEEDED else "warn" if free < _DISK_WANTED else "ok"
        yield Check(
            f"disk ({name})",
            status,
            f"{free / 1e9:.1f} GB free at {folder}",
            "" if status == "ok" else "make room, or set TMPDIR to another disk",
            {"folder": str(folder), "free_bytes": free},
        )


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available
    is_enough = free >= _MEMORY_WANTED
    return Check(
        "memory",
        "ok" if is_enough else "warn",
        f"{free / 1e9:.1f} GB free",
        "" if is_enough else f"close other programs: {_MEMORY_WANTED / 1e9:g} GB are needed",
        {"free_bytes": free},
    )
