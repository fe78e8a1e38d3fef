"""Generation and editing of music: the implementation of `Jen1`."""

from jen1cli.pipeline.jen1 import Jen1
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.music import Edit, Music, Stream
from jen1cli.sampling import Sampling, SamplingOptions

__all__ = ["Edit", "Jen1", "LatentFile", "Music", "Sampling", "SamplingOptions", "Stream"]
