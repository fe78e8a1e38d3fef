"""Continuation: lengthen a recording at both ends; its own samples stay as they are.

python examples/continue_track.py RECORDING.wav [WEIGHT SET]
"""

import sys
from pathlib import Path

from jen1cli import Jen1


def main(recording: str, weights: str = "jen1-mini") -> None:
    """Lengthen a recording to the right, then to the left."""
    model = Jen1.load(weights)
    folder = Path(recording).parent

    # To the right, in the direction that the weight set names; then to the left, as --before does.
    longer = model.continue_(recording, seconds=2.0, prompt="strings join in", seed=1)
    longer.save(folder / "longer.flac")
    whole = model.continue_(folder / "longer.flac", seconds=1.0, before=True, seed=2)
    whole.save(folder / "whole.flac")

    print(f"longer.flac: {longer.seconds:.2f} s, whole.flac: {whole.seconds:.2f} s")
    print("made with seed", whole.seed, "from", Path(whole.recipe.input.name).name)


if __name__ == "__main__":
    main(*sys.argv[1:])
