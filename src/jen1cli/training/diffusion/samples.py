"""Samples during training: what the product would make of the weights, with fixed seeds.

The networks in training are put into a `Jen1`, so that masks, directions, guidance and levels are
those of `jen1 generate`, `inpaint` and `continue`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from jen1cli.autoencoder.codec import Codec
from jen1cli.conditioning import TextEncoder
from jen1cli.files import make_folder
from jen1cli.pages.spectrogram import draw_spectrograms
from jen1cli.pipeline.jen1 import Jen1
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.networks import choose_dtype, load_networks
from jen1cli.sampling import SamplingOptions
from jen1cli.training.diffusion.batches import LatentTable
from jen1cli.training.diffusion.cache import CachedClip
from jen1cli.training.diffusion.objective import Objective
from jen1cli.training.diffusion.weights import ControlTensors, contents

MOST_STEPS = 50
"""Sampler steps while training; the reference preset's 200 would take the training's time."""

SEED = 0
"""Of the first prompt and of both edits; the prompts after it count on."""

MODEL = "in-training"
"""Stands in the recipes of samples for the sha256 of a weight set."""


@dataclass(frozen=True)
class SampleWriter:
    """Generates fixed prompts, and inpaints and continues one clip."""

    codec: Codec
    text_encoder: TextEncoder
    prompts: Sequence[str]
    clip: CachedClip
    controls: ControlTensors | None = None  # of the weight set that the training writes or changes

    def write(
        self, folder: Path, objective: Objective, table: LatentTable, frames: int
    ) -> tuple[Path, ...]:
        """Write one file for each sample, the clip that is edited, and one picture of all.

        Args:
            folder: of the files.
            objective: holds the U-Net, in evaluation mode.
            table: of the clip's latent.
            frames: length of the new music, and at most of the clip.
        """
        make_folder(folder)
        model = self._model(objective)
        generation, rate = model.config.generation, model.config.frame_rate
        options: SamplingOptions = {"steps": min(generation.steps, MOST_STEPS)}
        paths, signals = [], {}

        def keep(name: str, music: Music | Edit) -> Path:
            paths.append(folder / f"{name}.wav")
            music.save(paths[-1])
            signals[name] = music.waveform.numpy()
            return paths[-1]

        pieces = model.generate_batch(self.prompts, seconds=frames / rate, seed=SEED, **options)
        for number, music in enumerate(pieces, 1):
            keep(f"prompt-{number}", music)
        length = min(frames, self.clip.frames)
        source = keep("clip", self._decoded(model, table, length))
        third, caption = length / rate / 3, self.clip.captions[0]
        hole = (third, 2 * third)
        keep("inpaint", model.inpaint(source, [hole], caption, seed=SEED, **options))
        keep("continue", model.continue_(source, third, caption, seed=SEED, **options))
        picture = folder / "spectrograms.png"
        draw_spectrograms(picture, signals, model.sample_rate)
        return (*paths, picture)

    def _model(self, objective: Objective) -> Jen1:
        """Return the model that `Jen1.load` would open, without a copy of the weights."""
        config, tensors = contents(self.codec, objective, self.controls)
        tensors = {"conditioning": self.text_encoder.state_dict(), **tensors}
        device = next(objective.parameters()).device
        networks = load_networks(
            config,
            tensors,
            Path(MODEL),
            device,
            choose_dtype("auto", device),
            text_encoder=self.text_encoder,
        )
        return Jen1(config, networks, sha256=MODEL, autoencoder_sha256=MODEL)

    @torch.inference_mode()
    def _decoded(self, model: Jen1, table: LatentTable, frames: int) -> Music:
        """Decode the beginning of the clip from the cache: its audio file may be gone."""
        latent = model.networks.whitening.unwhiten(table.gather([(self.clip, 0)], frames))
        samples = frames * model.config.autoencoder.hop_length
        file = LatentFile(
            latent=latent[0],
            frame_rate=model.config.frame_rate,
            samples=samples,
            sample_rate=model.sample_rate,
            channels=model.audio_channels,
            model=model.config.name,
            sha256=MODEL,
        )
        return model.decode(file)
