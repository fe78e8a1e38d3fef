"""The loss of stage 2: prediction of eps (paper eq. 6) or v, for all three tasks.

The target of either is `jen1cli.diffusion.denoiser.target`. Training evaluates the
network on the batch itself, without guidance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.conditioning.controls.channels import ControlChannels
from jen1cli.config import DiffusionConfig, PredictionName
from jen1cli.diffusion import Schedule, target
from jen1cli.shapes import KeepMask, Latent, Text, TextMask, Time
from jen1cli.tasks import make_context
from jen1cli.training.recipes import DiffusionTrainingConfig

ItemLoss = Float[Tensor, " batch"]


@dataclass(frozen=True)
class SubBatch:
    """Items of a batch that share one direction."""

    latent: Latent
    eps: Latent
    t: Time
    keep_mask: KeepMask
    text: Text
    text_mask: TextMask
    null: Bool[Tensor, " batch"]  # True where the null text replaces the text
    causal: bool
    controls: ControlChannels | None = None


def loss_weight(log_snr: Time, prediction: str, hyperparameters: DiffusionTrainingConfig) -> Time:
    """Weight the squared error at each noise level.

    "min-snr" (arXiv 2303.09556, section 3.4): min(SNR, γ) / SNR for eps and
    min(SNR, γ) / (SNR + 1) for v. "plain": 1, as the paper.
    """
    if hyperparameters.loss_weight == "plain":
        return torch.ones_like(log_snr)
    snr = log_snr.double().exp()
    least = snr.clamp(max=hyperparameters.min_snr_gamma)
    weight = least / snr.clamp(min=1e-12) if prediction == "eps" else least / (snr + 1.0)
    return weight.float()


class Objective(nn.Module):
    """The denoiser with its loss; its parameters are those of the optimiser.

    `null_text` is a parameter only if the configuration has a learned null text.
    """

    def __init__(
        self,
        unet: nn.Module,
        diffusion: DiffusionConfig,
        hyperparameters: DiffusionTrainingConfig,
        null_text: Tensor | None = None,
        deviations: Float[Tensor, " components"] | None = None,
    ) -> None:
        """Combine network, schedule and hyperparameters.

        Args:
            unet: the network.
            diffusion: schedule and prediction.
            hyperparameters: loss weights of noise levels and components.
            null_text: initial value of the learned null text, [1, tokens, features].
            deviations: standard deviation of each whitened component in the autoencoder's latent;
                required if components are weighted.
        """
        super().__init__()
        self.unet = unet
        self.schedule = Schedule(diffusion)
        self.prediction: PredictionName = diffusion.prediction
        self._hyperparameters = hyperparameters
        weights = None
        if hyperparameters.component_power and deviations is not None:
            weights = deviations**hyperparameters.component_power
            weights = (weights / weights.mean())[:, None]
        self.component_weight: Tensor | None
        self.register_buffer("component_weight", weights, persistent=False)
        self.null_text = nn.Parameter(null_text.clone()) if null_text is not None else None

    def forward(self, parts: Sequence[SubBatch]) -> list[ItemLoss]:
        """Return the weighted loss of every item, part by part."""
        return [self.item_loss(part, weighted=True) * self._weight(part) for part in parts]

    def item_loss(self, part: SubBatch, *, weighted: bool = False) -> ItemLoss:
        """Return the squared error of every item, averaged over the whole clip.

        Args:
            part: the items.
            weighted: apply the weights of components.
        """
        x_t = self.schedule.add_noise(part.latent, part.eps, part.t)
        text, text_mask = self.with_null(part.text, part.text_mask, part.null)
        predicted = self.unet(
            x_t,
            part.t,
            context=make_context(part.latent, part.keep_mask, part.controls),
            text=text,
            text_mask=text_mask,
            causal=part.causal,
        )
        wanted = target(part.latent, part.eps, part.t, self.schedule, self.prediction)
        error = (predicted.float() - wanted).square()
        if weighted and self.component_weight is not None:
            error = error * self.component_weight
        return error.mean(dim=(1, 2))

    def _weight(self, part: SubBatch) -> Tensor:
        return loss_weight(self.schedule.log_snr(part.t), self.prediction, self._hyperparameters)

    def with_null(
        self, text: Text, text_mask: TextMask, null: Bool[Tensor, " batch"]
    ) -> tuple[Text, TextMask]:
        """Insert the learned null text, if any, into the rows marked `null`."""
        if self.null_text is None:
            return text, text_mask
        tokens = text.shape[1]
        row = functional.pad(self.null_text, (0, 0, 0, tokens - self.null_text.shape[1]))
        first = torch.arange(tokens, device=text.device) < self.null_text.shape[1]
        whole = torch.where(null[:, None, None], row, text)
        return whole, torch.where(null[:, None], first, text_mask)
