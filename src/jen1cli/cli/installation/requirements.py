"""The declared dependencies of jen1cli by extra, from the installed metadata."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

PROJECT = "jen1cli"
CORE = ""  # extra of the core dependencies
DEVELOPER_EXTRA = "dev"
# modules whose names differ from their distributions
_MODULES = {"scikit-learn": "sklearn", "c2pa-python": "c2pa"}


@dataclass(frozen=True)
class Package:
    """One declared package."""

    name: str
    bounds: SpecifierSet
    extras: tuple[str, ...]  # extras that require it, `CORE` for every installation

    @property
    def module(self) -> str:
        """Name of the module."""
        return _MODULES.get(self.name, self.name.replace("-", "_"))

    @property
    def installed(self) -> Version | None:
        """The installed version; None if missing."""
        return _installed_version(self.name)


@cache  # reading the metadata of a package takes milliseconds, and several checks ask for each
def _installed_version(name: str) -> Version | None:
    try:
        return Version(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def packages() -> tuple[Package, ...]:
    """Return all declared packages except developers' ones, core packages first."""
    found: dict[str, Package] = {}
    extras = importlib.metadata.metadata(PROJECT).get_all("Provides-Extra") or []
    for extra in (CORE, *(extra for extra in extras if extra != DEVELOPER_EXTRA)):
        for requirement in _requirements(extra):
            known = found.get(requirement.name)
            if known is None:
                found[requirement.name] = Package(requirement.name, requirement.specifier, (extra,))
            elif CORE not in known.extras:
                found[requirement.name] = Package(
                    known.name, known.bounds & requirement.specifier, (*known.extras, extra)
                )
    return tuple(found.values())


def _requirements(extra: str) -> Iterator[Requirement]:
    """Yield the requirements of an extra, including those of nested extras."""
    for line in importlib.metadata.requires(PROJECT) or []:
        requirement = Requirement(line)
        has_extra = requirement.marker is not None and "extra" in str(requirement.marker)
        if has_extra != bool(extra):
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name != PROJECT:
            yield requirement
            continue
        for inner in requirement.extras:
            yield from _requirements(inner)


def explain_import(error: ImportError) -> str | None:
    """Return advice for a declared package that fails to load; None for other modules."""
    module = (error.name or "").partition(".")[0]
    package = next((found for found in packages() if found.module == module), None)
    if package is None:
        return None
    if package.installed is not None:
        return f"{package.name} {package.installed} does not load ({error}); see: jen1 doctor"
    if CORE in package.extras:
        return f"{package.name} is not installed; install again: pip install {PROJECT}"
    choice = " or ".join(f"'{PROJECT}[{extra}]'" for extra in package.extras)
    return f"{package.name} is not installed; it comes with an extra: pip install {choice}"
