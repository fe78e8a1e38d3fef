"""Fails where a package has a strong copyleft licence, GPL or AGPL but not LGPL, or names none.

python .ci/licences.py FILE, where FILE is what pip-licenses --format=json writes.
"""

import json
import re
import sys
from pathlib import Path

_STRICT = re.compile(r"\bA?GPL|GNU (?:General|Affero)", re.IGNORECASE)  # "LGPL" has no \b before G


_TOLD = {
    "cuda-toolkit": "NVIDIA Proprietary Software",  # no files, only NVIDIA's packages as needs
}
"""Licences of packages that do not name theirs."""


def faults(packages: list[dict[str, str]]) -> list[str]:
    """Return "name: licence" of the packages whose licence is strict or unknown."""
    found = []
    for package in packages:
        name, licence = package["Name"], package["License"]
        if licence.strip().upper() in ("", "UNKNOWN"):
            licence = _TOLD.get(name, "UNKNOWN")
        if is_strict(licence) or licence == "UNKNOWN":
            found.append(f"{name}: {licence}")
    return found


def is_strict(licence: str) -> bool:
    """Whether the name of a licence, as packages give it, is that of a GPL or AGPL."""
    return _STRICT.search(licence) is not None


if __name__ == "__main__":
    packages = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.exit("\n".join(faults(packages)) or (None if packages else "no packages"))
