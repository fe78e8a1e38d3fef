"""Adds libraries and networks inside the package, which no installer knows, to a bill of materials.

python .ci/vendored.py SBOM
"""

import json
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src/jen1cli"
COMPONENTS = (
    PACKAGE / "studio/static/vendor/components.json",
    PACKAGE / "evaluation/data/basic_pitch/components.json",
)


def with_vendored(bill: dict[str, list[object]]) -> dict[str, list[object]]:
    """Return a bill of materials with these libraries at its end."""
    vendored = [
        component
        for path in COMPONENTS
        for component in json.loads(path.read_text(encoding="utf-8"))["components"]
    ]
    return {**bill, "components": [*bill["components"], *vendored]}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    bill = with_vendored(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(bill, indent=2), encoding="utf-8")
