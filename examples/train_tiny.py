"""Both stages of training on a folder of music, at toy size.

Run `python train_tiny.py FOLDER`. It takes about a minute and makes no music: it shows the way.
What does: `recipe="mini-cpu"`, no `text_encoder` (that of jen1-mini is borrowed), `minutes=180`.
"""

import sys
from pathlib import Path

from jen1cli import Jen1
from jen1cli.conditioning import TextEncoder
from jen1cli.presets import TINY
from jen1cli.training.jobs import AllJob

music = Path(sys.argv[1])
words = Path("run/text_encoder")
words.mkdir(parents=True)
TextEncoder.random(TINY.text).save(words)  # random weights: its words mean nothing

job = AllJob(data=music, output=Path("run"), recipe="tiny", steps=10, text_encoder=words)
figures = job.run(on_event=lambda event: print(type(event).__name__))
print(f"trained {figures['parameters']:,} parameters")

model = Jen1.load("run/diffusion/weights")
model.generate("lofi piano", seconds=1.0, seed=7).save("tiny.wav")
