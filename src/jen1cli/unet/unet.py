"""The omnidirectional latent U-Net of JEN-1 (paper section IV-B): one network, both directions.

An efficient 1D U-Net (Imagen, arXiv 2205.11487): each level downsamples before its blocks on the
way down and upsamples after them on the way up, lower resolutions have more blocks, and skips are
scaled by 1/√2. In-context channels define the task:
[noisy latent k | kept latent k | keep mask 1], and behind them the controls where it takes them
(`jen1cli.conditioning.controls.channels`). `causal` switches every convolution to padding in
front and every self-attention to a triangle; the weights stay the same.

Where we differ from the paper, which gives no widths: a learned vector of the direction is added to
the time embedding, and so are the mean of the text and the first frame of the controls. Where the
configuration says `causal_convolution="masking"`, unidirectional convolutions drop the taps of
later frames instead of moving all taps back (`jen1cli.unet.convolution`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from jen1cli.config import UNetConfig
from jen1cli.shapes import Context, Latent, Text, TextMask, Time
from jen1cli.unet.attention import zero
from jen1cli.unet.blocks import SKIP_SCALE, Conditions, UNetStage
from jen1cli.unet.convolution import (
    Downsample,
    Features,
    FrameConvolution,
    Upsample,
    keep_variance,
)
from jen1cli.unet.embedding import Rotary, TextEmbedding, TimeEmbedding, rotary


class Level(nn.Module):
    """One resolution: downsampling, the stages of both paths, upsampling."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        super().__init__()
        widths = [config.channels * multiplier for multiplier in config.multipliers]
        above, width, factor = widths[max(level - 1, 0)], widths[level], config.factors[level]
        count = config.num_blocks[level]
        self.factor = factor
        self.entrance = Downsample(above, width, factor)
        self.down = nn.ModuleList(UNetStage(config, level, takes_skip=False) for _ in range(count))
        self.up = nn.ModuleList(UNetStage(config, level, takes_skip=True) for _ in range(count))
        self.exit = Upsample(width, above, factor)


class UNet1d(nn.Module):
    """Predict eps or v for a noisy latent, given time, text and the in-context channels.

    Attributes:
        causal_block: block size in frames in which the unidirectional mode is causal. It is 1:
            output frame i depends only on input frames up to i, for any factors of the levels.
        checkpointing: recompute the stages in the backward pass to save memory.
    """

    causal_block = 1

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        channels = config.channels * config.multipliers[0]
        in_channels = 2 * config.latent_channels + 1 + config.control_channels
        size, masking = config.kernel_size, config.causal_convolution == "masking"
        self.input = FrameConvolution(in_channels, channels, size, masking=masking)
        keep_variance(self.input)
        self.time = TimeEmbedding(config.time_features)
        self.direction = nn.Parameter(torch.zeros(config.time_features))
        self.text = TextEmbedding(config.text_features, config.time_features)
        self.guide = None  # projection of the controls; weight files have this name
        if config.control_channels:
            self.guide = zero(nn.Linear(config.control_channels, config.time_features))
        self.levels = nn.ModuleList(Level(config, level) for level in range(len(config.factors)))
        self.norm = nn.LayerNorm(channels)
        self.output = FrameConvolution(channels, config.latent_channels, size, masking=masking)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        x_t: Latent,
        t: Time,
        *,
        context: Context,
        text: Text,
        text_mask: TextMask,
        causal: bool = False,
    ) -> Latent:
        """Predict eps or v for any number of frames.

        Args:
            x_t: noisy latent, [batch, k, frames].
            t: diffusion time of each item, 0 clean to 1 noise.
            context: [batch, k + 1 + control_channels, frames], of `tasks.make_context`.
            text: encoded prompts, [batch, tokens, features].
            text_mask: True at real tokens; may be False everywhere.
            causal: whether to run in the unidirectional mode.

        Returns:
            The prediction, with the shape and dtype of `x_t`, computed in the dtype of the weights.
        """
        dtype = self.input.weight.dtype
        x = torch.cat([x_t.to(dtype), context.to(dtype)], dim=1).transpose(1, 2)
        tokens, mask, pooled = self.text(text, text_mask)
        direction = self.direction if causal else -self.direction
        time = self.time(t) + pooled + direction
        if self.guide is not None:
            # frame 0 may inform every frame in both modes; it has what is constant: key, mix, style
            first = context[:, -self.config.control_channels :, 0]
            time = time + self.guide(first.to(dtype))
        time = F.silu(time)
        x = entered = self.input(x, causal=causal)
        skips: list[list[Tensor]] = []
        frames: list[int] = []
        conditions: list[Conditions] = []
        for level in self._levels():
            frames.append(x.shape[1])
            x = level.entrance(x, causal=causal)
            positions = self._positions(x)
            conditions.append(Conditions(time, positions, tokens, mask, causal))
            skips.append([])
            for stage in level.down:
                x = self._run(stage, x, None, conditions[-1])
                skips[-1].append(x)
        for level in reversed(self._levels()):
            here = conditions.pop()
            level_skips = skips.pop()
            for stage in level.up:
                x = self._run(stage, x, level_skips.pop(), here)
            x = level.exit(x, frames.pop())
        x = x + entered * SKIP_SCALE
        x = self.output(F.silu(self.norm(x)), causal=causal)
        return x.transpose(1, 2).to(x_t.dtype)

    def store_channels_last(self) -> None:
        """Store the weights of all convolutions in the layout of a GPU; no value changes."""
        for module in self.modules():
            if isinstance(module, FrameConvolution):
                module.store_channels_last()

    def _levels(self) -> list[Level]:
        return [level for level in self.levels if isinstance(level, Level)]

    def _positions(self, x: Features) -> Rotary:
        return rotary(x.shape[1], self.config.head_channels, x)

    def _run(
        self, stage: nn.Module, x: Features, skip: Features | None, conditions: Conditions
    ) -> Tensor:
        if self.checkpointing and torch.is_grad_enabled():
            result = checkpoint(stage, x, skip, conditions, use_reentrant=False)
            assert isinstance(result, Tensor)
            return result
        return stage(x, skip, conditions)
