"""Where weight sets are: by folder, in JEN1_WEIGHTS, in a checkout, or inside the package."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from jen1cli.checkpoint import CONFIG_NAME
from jen1cli.errors import CheckpointError
from jen1cli.files import expand_user
from jen1cli.presets import PRESETS

DEFAULT_WEIGHTS = "jen1-mini"
ENVIRONMENT_VARIABLE = "JEN1_WEIGHTS"


@dataclass(frozen=True)
class FoundWeights:
    """One weight set on this machine."""

    name: str  # name of its folder, or of the link to it
    folder: Path
    place: str  # "environment", "checkout" or "package"


def search_places() -> list[tuple[str, Path]]:
    """Return the folders to search in order, including missing ones.

    `JEN1_WEIGHTS` may be one weight set, a folder of them, or several joined like PATH.
    """
    package = Path(__file__).parent
    places = [
        ("environment", expand_user(entry))
        for entry in os.environ.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
        if entry
    ]
    checkout = package.parent.parent
    if (checkout / "pyproject.toml").is_file():
        places.append(("checkout", checkout / "weights"))
    return [*places, ("package", package / "weights")]


def list_weights() -> list[FoundWeights]:
    """Return every weight set that is found; of two with one name, the first place wins."""
    found: dict[str, FoundWeights] = {}
    for place, folder in search_places():
        for candidate in _sets_in(folder):
            found.setdefault(candidate.name, FoundWeights(candidate.name, candidate, place))
    return list(found.values())


def find_weights(name_or_folder: str | Path) -> FoundWeights:
    """Find a weight set by its name or folder.

    Raises:
        ConfigError: the path begins with the home of an unknown user.
        CheckpointError: there is none; a preset without weights says what to do.
    """
    text = str(name_or_folder)
    path = expand_user(text)
    if path.is_dir() and (path / CONFIG_NAME).is_file():
        folder = _absolute(path)
        return FoundWeights(folder.name, folder, "folder")
    known = {found.name: found for found in list_weights()}
    if text in known:
        return known[text]
    raise CheckpointError(_why_missing(text, path, list(known)))


def _sets_in(folder: Path) -> list[Path]:
    if (folder / CONFIG_NAME).is_file():
        return [_absolute(folder)]
    if not folder.is_dir():
        return []
    return sorted(_absolute(set_) for set_ in folder.iterdir() if (set_ / CONFIG_NAME).is_file())


def _absolute(folder: Path) -> Path:
    """Return the whole path; a link keeps the name that the user gave it."""
    if ".." in folder.parts:  # behind a link it means the parent of the target
        return folder.resolve()
    return Path(os.path.abspath(folder))


def _why_missing(text: str, path: Path, known: list[str]) -> str:
    listed = ", ".join(known) or "none"
    if path.is_dir():
        return f"the folder {text} is no weight set: it has no {CONFIG_NAME}; known sets: {listed}"
    if os.sep in text or text.startswith("."):
        return f"the weight set {text} does not exist; known sets: {listed}"
    if text in PRESETS:
        return (
            f"the preset '{text}' has no trained weights here (known sets: {listed});"
            f" train it with jen1 train, put its folder into {ENVIRONMENT_VARIABLE},"
            " or measure speed with --random-weights"
        )
    close = difflib.get_close_matches(text, [*known, *PRESETS], n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"unknown weight set '{text}'; {hint}known sets: {listed}"
