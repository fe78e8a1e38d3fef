"""Fails where a package has a strong copyleft licence: GPL or AGPL, but not LGPL.

python .ci/licences.py FILE, where FILE is what pip-licenses --format=json writes.
"""

import json
import re
import sys
from pathlib import Path

_STRICT = re.compile(r"\bA?GPL|GNU (?:General|Affero)", re.IGNORECASE)  # "LGPL" has no \b before G


def is_strict(licence: str) -> bool:
    """Whether the name of a licence, as packages give it, is that of a GPL or AGPL."""
    return _STRICT.search(licence) is not None


if __name__ == "__main__":
    packages = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    strict = [f"{p['Name']}: {p['License']}" for p in packages if is_strict(p["License"])]
    sys.exit("\n".join(strict) or (None if packages else "no packages"))
