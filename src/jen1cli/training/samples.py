"""Samples during training: audio and a picture of spectrograms, always from the same seeds."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from jen1cli import audio
from jen1cli.autoencoder import Autoencoder, Whitening
from jen1cli.conditioning.guiding import GuideChannels, guide_channels
from jen1cli.config import ModelConfig
from jen1cli.files import make_folder
from jen1cli.prompt import read_guide
from jen1cli.shapes import KeepMask, Latent, Waveform
from jen1cli.training.batches import LatentTable
from jen1cli.training.cache import CachedClip
from jen1cli.training.objective import Objective
from jen1cli.training.pictures import draw_spectrograms
from jen1cli.training.sampling import Request, sample_latents
from jen1cli.training.texts import TextCache

MOST_STEPS = 50
"""Sampler steps while training; the reference preset's 200 would take the training's time."""


@dataclass(frozen=True)
class SampleWriter:
    """Generates fixed prompts, one inpainting and one continuation."""

    config: ModelConfig
    autoencoder: Autoencoder
    whitening: Whitening
    texts: TextCache
    prompts: Sequence[str]
    clip: CachedClip | None = None  # to inpaint and continue

    def write(
        self, folder: Path, objective: Objective, table: LatentTable, frames: int
    ) -> tuple[Path, ...]:
        """Write one file for each sample and one picture of all."""
        make_folder(folder)
        waveforms = dict(self._generated(objective, table, frames))
        paths = []
        for name, waveform in waveforms.items():
            path = folder / f"{name}.wav"
            audio.write(path, waveform.numpy(), self.autoencoder.sample_rate)
            paths.append(path)
        picture = folder / "spectrograms.png"
        with torch.autocast("cpu", enabled=False):  # only the network computes in bf16
            draw_spectrograms(picture, waveforms, self.autoencoder.sample_rate)
        return (*paths, picture)

    def _generated(
        self, objective: Objective, table: LatentTable, frames: int
    ) -> list[tuple[str, Tensor]]:
        components = self.config.whitening.components
        device = next(objective.parameters()).device
        empty = torch.zeros(len(self.prompts), components, frames, device=device)
        nothing = torch.zeros(len(self.prompts), 1, frames, dtype=torch.bool, device=device)
        guide = self._guide(self.prompts, frames)
        made = self._decoded(objective, Request(self.prompts, empty, nothing, guide=guide))
        found = [(f"prompt-{i + 1}", waveform) for i, waveform in enumerate(made)]
        if self.clip is None:
            return found
        latent = table.gather([(self.clip, 0)], frames)
        captions = [self.clip.captions[0]]
        for name, keep, causal in (
            ("inpaint", _outside(frames, frames // 3, 2 * frames // 3), False),
            ("continue", _outside(frames, frames // 2, frames), True),
        ):
            guide = self._guide(captions, frames)
            request = Request(captions, latent, keep.to(device), causal, guide=guide)
            found.append((name, self._decoded(objective, request)[0]))
        return found

    def _guide(self, prompts: Sequence[str], frames: int) -> GuideChannels | None:
        channels = self.config.unet.guide_channels
        if not channels:
            return None
        guides, starts = [read_guide(prompt) for prompt in prompts], [0.0] * len(prompts)
        return guide_channels(guides, starts, frames, self.config.frame_rate, channels)

    def _decoded(self, objective: Objective, request: Request) -> Waveform:
        settings = self.config.generation
        settings = dataclasses.replace(settings, steps=min(settings.steps, MOST_STEPS))
        latent: Latent = sample_latents(objective, self.texts, request, settings)
        with torch.autocast(latent.device.type, enabled=False):
            return self.autoencoder.decode(self.whitening.unwhiten(latent.float())).cpu()


def _outside(frames: int, start: int, stop: int) -> KeepMask:
    keep = torch.ones(1, 1, frames, dtype=torch.bool)
    keep[..., start:stop] = False
    return keep
