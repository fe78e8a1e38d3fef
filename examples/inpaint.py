"""Inpainting: replace a stretch of a recording and prove that the rest is untouched.

python examples/inpaint.py RECORDING.wav [WEIGHT SET]
"""

import sys
from pathlib import Path

import soundfile

from jen1cli import Jen1


def main(recording: str, weights: str = "jen1-mini") -> None:
    """Replace the second quarter of a recording."""
    model = Jen1.load(weights)
    info = soundfile.info(recording)
    start, stop = 0.25 * info.duration, 0.5 * info.duration  # seconds: made anew

    fixed = model.inpaint(recording, masks=[(start, stop)], prompt="soft piano", seed=3)
    path = Path(recording).with_name("fixed.wav")
    exact = fixed.save(path)  # rate, channels and bit depth are those of the recording
    print(f"{path}: {start:.2f}-{stop:.2f} s are new; the rest is bit-identical: {exact}")

    before, _ = soundfile.read(recording, dtype="int32", always_2d=True)
    after, rate = soundfile.read(path, dtype="int32", always_2d=True)
    first, last = round(start * rate), round(stop * rate)
    print("before the hole:", bool((before[:first] == after[:first]).all()))
    print("behind the hole:", bool((before[last:] == after[last:]).all()))


if __name__ == "__main__":
    main(*sys.argv[1:])
