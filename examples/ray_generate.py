"""Make a set of music with Ray Data: actors that load the model once, on one machine or many.

python ray_generate.py prompts.jsonl FOLDER [MODEL]; all machines of a cluster share the folder.
"""

import dataclasses
import sys
from pathlib import Path

import ray

from jen1cli.cli.music.prompts import PromptRequest, RowReader
from jen1cli.cli.sampling import SamplingChoice
from jen1cli.scale.folder import SetFolder, SetSettings
from jen1cli.scale.models import ModelSource
from jen1cli.scale.pieces import MakerSpec
from jen1cli.scale.ray import make_set
from jen1cli.shards import WHOLE


def main(source: str, folder: str, model: str = "jen1-mini") -> None:
    """Make one piece for each row of the prompt file."""
    ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
    weights = ModelSource(model, device="cpu")  # "cuda" with num_gpus=1 below
    base = PromptRequest("", 0, None, "bidirectional", SamplingChoice())  # a row may replace it
    facts = {**weights.facts(), "base": dataclasses.asdict(base)}
    settings = SetSettings(1, 1, 1, "files", "flac", 1, 1_000, facts)  # with the seed 1
    out = SetFolder(Path(folder), settings, WHOLE)
    spec = MakerSpec(weights, out.folder, settings.extension, settings.batch)
    read = RowReader(base, first_seed=1)
    tally, manifest = make_set(out, source, read, spec, actors=2, batch_size=4, num_cpus=1)
    print(f"{tally.made} pieces, {tally.failed} rows failed: {manifest}")


if __name__ == "__main__":
    main(*sys.argv[1:])
