"""Distillation of classifier-free guidance into the network (Meng et al., arXiv 2210.03142).

    student(x_t, t, c) → guided(x_t, t, c) = null + scale · (teacher(x_t, t, c) - null)

so that sampling needs one pass of the network a step in place of two. The teacher is a weight set
with its own settings of guidance, those of `jen1cli.pipeline.denoising`; the student is the same
network with a low-rank change (`jen1cli.unet.lora`). Scales are fixed, unlike in the paper, which
makes them an input of the network.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.checkpoint import load_into, load_weight_set
from jen1cli.config import DiffusionConfig, GenerationConfig, ModelConfig
from jen1cli.diffusion import Change, Schedule, combined, scaled_along, time_grid
from jen1cli.shapes import Context, KeepMask, Latent, Text, TextMask, Time
from jen1cli.tasks import make_context
from jen1cli.training.diffusion.objective import ItemLoss, Objective, SubBatch
from jen1cli.training.recipes import DiffusionTrainingConfig
from jen1cli.unet import UNet1d


@dataclass(frozen=True)
class GuidanceSettings:
    """What differs between the items of a batch, [batch] each."""

    scale: Float[Tensor, " batch"]
    on_controls: Bool[Tensor, " batch"]  # guidance acts on the controls
    on_context: Bool[Tensor, " batch"]  # and on the surrounding music

    @classmethod
    def of(
        cls, generation: GenerationConfig, keep_mask: KeepMask, t: Time, frame_rate: float
    ) -> "GuidanceSettings":
        """Return the settings with which a weight set samples each item at its time.

        Music that is known for longer than the context of a new piece is taken for a recording
        that is edited, as `sample_canvas` does by where the music came from.
        """
        edits, pieces = generation.for_edits(), generation.for_pieces()
        known = keep_mask.sum(dim=(1, 2))
        is_edit = known > round(pieces.context_seconds * frame_rate)
        scale = torch.where(is_edit, edits.guidance_scale, generation.guidance_scale)
        scale = torch.where(_inside(t, generation.guidance_interval), scale, 1.0)
        on_context = is_edit & _inside(t, generation.context_guidance_interval)
        return cls(scale, _inside(t, generation.control_guidance_interval), on_context)


class GuidedTeacher(nn.Module):
    """A network whose prediction is guided as a weight set's settings say."""

    def __init__(
        self,
        unet: nn.Module,
        config: ModelConfig,
        null: tuple[Text, TextMask],
    ) -> None:
        """Keep the network, frozen.

        Args:
            unet: the teacher.
            config: of its weight set, with the settings of its guidance.
            null: the null text and its mask, [1, tokens, ...].
        """
        super().__init__()
        self.unet = unet.eval().requires_grad_(False)
        generation = config.generation
        self._generation = generation
        self._diffusion = config.diffusion
        self._frame_rate = config.frame_rate
        axes = torch.tensor(generation.level_axes) if generation.level_axes else None
        self._null_text: Text
        self._null_mask: TextMask
        self._level_axes: Tensor | None
        self.register_buffer("_null_text", null[0], persistent=False)
        self.register_buffer("_null_mask", null[1], persistent=False)
        self.register_buffer("_level_axes", axes, persistent=False)

    @classmethod
    def load(cls, folder: Path, null: tuple[Text, TextMask]) -> "GuidedTeacher":
        """Return the teacher of a weight set; `null` as above."""
        config, tensors = load_weight_set(folder)
        unet = UNet1d(config.unet)
        load_into(unet, tensors["unet"], str(folder))
        return cls(unet, config, null)

    @property
    def continues_one_way(self) -> bool:
        """Whether the weight set continues music unidirectionally; else no edit needs that."""
        return self._generation.continuation == "unidirectional"

    def visited_times(self, steps: int) -> tuple[float, ...]:
        """Return the times at which the weight set's sampler calls the network in so many steps.

        The guidance changes abruptly at the ends of its intervals, which a network that learns all
        times cannot follow; with these alone it need not.
        """
        grid = time_grid(
            Schedule(self._diffusion),
            self._generation.sampler,
            steps,
            self._diffusion.prediction,
        )
        return tuple(grid[:-1])

    @torch.no_grad()
    def forward(self, part: SubBatch, x_t: Latent, context: Context) -> Latent:
        """Return the guided prediction.

        Args:
            part: the items; their noise is not used.
            x_t: their noised latents.
            context: in-context channels of the items.
        """
        guidance = GuidanceSettings.of(self._generation, part.keep_mask, part.t, self._frame_rate)
        keep_mask = part.keep_mask & ~guidance.on_context[:, None, None]
        controls = part.controls
        if controls is not None:
            controls = controls.masked_fill(guidance.on_controls[:, None, None], 0.0)
        null_text, null_mask = self._null_like(part.text)
        both = self.unet(
            torch.cat([x_t, x_t]),
            torch.cat([part.t, part.t]),
            context=torch.cat([context, make_context(part.latent, keep_mask, controls)]),
            text=torch.cat([part.text, null_text]),
            text_mask=torch.cat([part.text_mask, null_mask]),
            causal=part.causal,
        )
        conditional, unconditional = both.float().chunk(2)
        return combined(
            conditional,
            unconditional,
            guidance.scale[:, None, None],
            self._generation.guidance_rescale,
            self._change(),
        )

    def _null_like(self, text: Text) -> tuple[Text, TextMask]:
        """Return the null text as long as others, which are padded to the same multiple."""
        spare = text.shape[1] - self._null_text.shape[1]
        null_text = functional.pad(self._null_text, (0, 0, 0, spare)).expand_as(text)
        null_mask = functional.pad(self._null_mask, (0, spare)).expand(len(text), -1)
        return null_text.to(text), null_mask

    def _change(self) -> Change | None:
        factor = self._generation.level_guidance
        if factor == 1.0 or self._level_axes is None:
            return None
        return scaled_along(self._level_axes, factor)


class DistillationObjective(Objective):
    """Squared distance of the student to the guided teacher, over the frames that are made."""

    def __init__(
        self,
        unet: nn.Module,
        teacher: GuidedTeacher,
        diffusion: DiffusionConfig,
        hyperparameters: DiffusionTrainingConfig,
        deviations: Float[Tensor, " components"] | None = None,
    ) -> None:
        """Combine student and teacher; for the rest see `Objective`."""
        super().__init__(unet, diffusion, hyperparameters, None, deviations)
        self.teacher = teacher

    def train(self, mode: bool = True) -> "DistillationObjective":
        """Set the mode of the student; the teacher never trains."""
        super().train(mode)
        self.teacher.eval()
        return self

    def item_loss(self, part: SubBatch, *, weighted: bool = False) -> ItemLoss:
        """Return the squared distance of every item, averaged over its unknown frames."""
        x_t = self.schedule.add_noise(part.latent, part.eps, part.t)
        context = make_context(part.latent, part.keep_mask, part.controls)
        wanted = self.teacher(part, x_t, context)
        predicted = self.unet(
            x_t, part.t, context=context,
            text=part.text, text_mask=part.text_mask, causal=part.causal,
        )  # fmt: skip
        error = (predicted.float() - wanted).square()
        if weighted and self.component_weight is not None:
            error = error * self.component_weight
        made = (~part.keep_mask).to(error)
        frames = made.sum(dim=(1, 2)).clamp(min=1.0)
        return (error * made).sum(dim=(1, 2)) / (frames * error.shape[1])


def _inside(t: Time, interval: tuple[float, float]) -> Bool[Tensor, " batch"]:
    return (t >= interval[0]) & (t <= interval[1])
