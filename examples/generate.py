"""Text to music: two takes of one prompt, each file with its own recipe inside.

python examples/generate.py [WEIGHT SET]
"""

import sys
from pathlib import Path

from jen1cli import Jen1
from jen1cli.recipe import read_recipe


def main(weights: str = "jen1-mini") -> None:
    """Make two takes, then one of them again."""
    model = Jen1.load(weights)  # a name or a folder; device="cuda" takes a GPU

    takes = model.generate_batch(["warm lofi piano, soft drums"] * 2, seconds=4.0, seed=7)
    for music in takes:
        path = Path(f"lofi-{music.seed}.wav")
        music.save(path)
        print(f"{path}: {music.seconds:.1f} s at {music.sample_rate} Hz")

    # Every file says how it was made, and the same recipe makes the same samples.
    recipe = read_recipe(Path("lofi-8.wav"))
    again = model.again(recipe)
    print("same samples again:", bool((again.waveform == takes[1].waveform).all()))


if __name__ == "__main__":
    main(*sys.argv[1:])
