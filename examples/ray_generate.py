"""Make a set of music with Ray Data: actors that load the model once, on one machine or many.

python ray_generate.py prompts.jsonl FOLDER [MODEL]

On a cluster the folder must be one that all machines share. Actors on GPUs: `num_gpus=1`.
"""

import dataclasses
import sys
from pathlib import Path

import ray

from jen1cli.cli.music.prompts import Request, RowReader
from jen1cli.cli.sampling import SamplingChoice
from jen1cli.scale.folder import SetFolder, SetSettings
from jen1cli.scale.models import ModelSource
from jen1cli.scale.pieces import Start
from jen1cli.scale.ray import make_set
from jen1cli.scale.shards import WHOLE

SEED = 1
ACTORS = 2
SECONDS = 1.0


def main(source: str, folder: str, model: str = "jen1-mini") -> None:
    """Make one piece for each row of the prompt file."""
    ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
    weights = ModelSource(model, device="cpu")
    base = Request("", 0, SECONDS, "bidirectional", SamplingChoice())  # what a row may replace
    settings = SetSettings(
        seed=SEED, shards=1, copies=1, layout="files", extension="flac", batch=1, block_rows=1_000,
        facts={**weights.facts(), "base": dataclasses.asdict(base)},
    )  # fmt: skip
    out = SetFolder(Path(folder), settings, WHOLE)
    start = Start(weights, out.folder, settings.extension, settings.batch)
    read = RowReader(base, SEED)
    tally, manifest = make_set(out, source, read, start, actors=ACTORS, batch_size=4, num_cpus=1)
    print(f"{tally.made} pieces, {tally.failed} rows failed: {manifest}")


if __name__ == "__main__":
    main(*sys.argv[1:])
