"""Held-out loss of stage 2 at fixed windows, times, noise and masks: comparable between runs."""

from collections import defaultdict
from collections.abc import Iterator

import torch

from jen1cli import tasks
from jen1cli.conditioning.controls.score_channels import ALL_DROPPED, NOTHING_DROPPED, ScoreDropout
from jen1cli.config import ModelConfig
from jen1cli.music.controls import CONTROL_CHANNELS, controls_of
from jen1cli.music.full_score import SCORE_GROUPS
from jen1cli.training.diffusion.batches import LatentTable
from jen1cli.training.diffusion.cache import CachedClip, LatentCache
from jen1cli.training.diffusion.objective import Objective, SubBatch
from jen1cli.training.diffusion.scores import ScoreTable
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.recipes import DiffusionTrainingConfig

NOISE_SEED = 20_230_808
"""Seed of the fixed noise and masks, equal for all runs."""

TASK_KINDS = ("generate", "generate-causal", "inpaint", "continue")
ITEMS_AT_ONCE = 32

SCORE_VARIANTS: dict[str, ScoreDropout] = {
    "score": NOTHING_DROPPED,
    **{f"score without {group}": ScoreDropout(groups=(group,)) for group in SCORE_GROUPS},
}
"""What a network that takes scores is given of them in further measurements of generation."""


class DiffusionValidation:
    """Evaluates a fixed set: every clip at every noise level, with alternating modes."""

    def __init__(
        self,
        cache: LatentCache,
        table: LatentTable,
        texts: TextCache,
        hyperparameters: DiffusionTrainingConfig,
        config: ModelConfig,
        scores: ScoreTable,
        *,
        frames: int,
    ) -> None:
        clips = cache.split("validation")
        stride = max(1, len(clips) // max(1, hyperparameters.validation_clips))
        self._clips: tuple[CachedClip, ...] = clips[::stride][: hyperparameters.validation_clips]
        self._components = cache.table.shape[1]
        self._table = table
        self._texts = texts
        count = hyperparameters.validation_times
        self._times = hyperparameters.grid or tuple((i + 0.5) / count for i in range(count))
        self._frames = frames
        self._frame_rate = config.frame_rate
        self._control_channels = config.unet.control_channels
        self._scores = scores

    def measure(self, objective: Objective) -> dict[str, float]:
        """Return unweighted mean squared errors: overall, per mode and per noise level.

        These have tempo, key, chords, drums and melody, but no score. A network that takes scores
        is measured in generation with the whole score too, with all but one group of it, and
        without any control.
        """
        if not self._clips:
            return {}
        sums: dict[str, list[float]] = defaultdict(list)
        for mode in TASK_KINDS:
            for level, loss in self._losses(objective, mode, ALL_DROPPED):
                for name in ("all", mode, f"t={self._times[level]:.2f}"):
                    sums[f"validation/{name}"].append(loss)
        if self._control_channels > CONTROL_CHANNELS and len(self._scores):
            variants = {"no controls": None, **SCORE_VARIANTS}
            for name, dropped in variants.items():
                losses = self._losses(objective, "generate", dropped)
                sums[f"validation/generate, {name}"] = [loss for _, loss in losses]
        return {name: sum(values) / len(values) for name, values in sorted(sums.items())}

    def _losses(
        self, objective: Objective, mode: str, dropped: ScoreDropout | None
    ) -> Iterator[tuple[int, float]]:
        """Yield noise level and loss of the items of a mode."""
        chosen = [
            (number, level)
            for number in range(len(self._clips))
            for level in range(len(self._times))
            if (number + level) % len(TASK_KINDS) == TASK_KINDS.index(mode)
        ]
        for first in range(0, len(chosen), ITEMS_AT_ONCE):
            piece = chosen[first : first + ITEMS_AT_ONCE]
            losses = objective.item_loss(self._part(piece, mode, dropped)).tolist()
            yield from zip((level for _, level in piece), losses, strict=True)

    def _part(
        self, items: list[tuple[int, int]], mode: str, dropped: ScoreDropout | None
    ) -> SubBatch:
        """Return items with that dropout of their scores; None: no controls at all."""
        clips = [self._clips[number] for number, _ in items]
        places = [(clip, max(0, clip.frames - self._frames) // 2) for clip in clips]
        latent = self._table.gather(places, self._frames)
        text, text_mask = self._texts([clip.captions[0] for clip in clips])
        noise, conditionings = zip(*(self._fixed(*item, mode) for item in items), strict=True)
        times = torch.tensor([self._times[level] for _, level in items])
        device = latent.device
        return SubBatch(
            latent=latent,
            eps=torch.stack(noise).to(device),
            t=times.to(device),
            keep_mask=torch.cat([each.keep_mask for each in conditionings]).to(device),
            text=text.to(device),
            text_mask=text_mask.to(device),
            null=torch.zeros(len(items), dtype=torch.bool, device=device),
            causal=conditionings[0].causal,
            controls=self._controls(places, dropped).to(device) if self._control_channels else None,
        )

    def _controls(
        self, places: list[tuple[CachedClip, int]], dropped: ScoreDropout | None
    ) -> torch.Tensor:
        channels = self._control_channels
        if dropped is None:
            return torch.zeros(len(places), channels, self._frames)
        return self._scores.channels(
            [controls_of(clip.attributes) for clip, _ in places],
            places,
            [dropped] * len(places),
            self._frames,
            self._frame_rate,
            channels,
        )

    def _fixed(self, number: int, level: int, mode: str) -> tuple[torch.Tensor, tasks.Conditioning]:
        generator = torch.Generator().manual_seed(NOISE_SEED + 1000 * number + level)
        noise = torch.randn(self._components, self._frames, generator=generator)
        if mode == "inpaint":
            return noise, tasks.random_inpaint(self._frames, 1, generator)
        if mode == "continue":
            return noise, tasks.random_continuation(self._frames, 1, generator)
        return noise, tasks.generate(self._frames, causal=mode == "generate-causal")
