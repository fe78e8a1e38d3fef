"""The latent of a recording: encode it, keep it in a file, decode it, and measure the loss.

python examples/encode_decode.py RECORDING.wav [WEIGHT SET]
"""

import sys
from pathlib import Path

import numpy as np

from jen1cli import Jen1, audio


def main(recording: str, weights: str = "jen1-mini") -> None:
    """Encode a recording and decode it again."""
    model = Jen1.load(weights)
    path = Path(recording).with_suffix(".safetensors")

    latent = model.encode(recording)
    latent.save(path)
    channels, frames = latent.latent.shape
    print(f"{path.name}: {frames} frames of {channels}, {latent.frame_rate:g} per second")

    music = model.decode(path)  # at the rate, layout and length of the recording
    music.save(path.with_name("decoded.wav"))
    original = audio.read(recording)
    difference = original - music.waveform.numpy()
    ratio = np.linalg.norm(difference) / np.linalg.norm(original)
    print(f"decoded.wav: {music.seconds:.2f} s, difference {20 * np.log10(ratio):.1f} dB")


if __name__ == "__main__":
    main(*sys.argv[1:])
