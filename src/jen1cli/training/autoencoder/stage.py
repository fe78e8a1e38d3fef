"""Stage 1 (paper section IV-A): the masked autoencoder, reconstruction first, then adversarial."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn

from jen1cli import audio
from jen1cli.autoencoder import Autoencoder, Whitening, mask_latent
from jen1cli.autoencoder.codec import Codec
from jen1cli.devices import to_device
from jen1cli.files import make_folder
from jen1cli.metrics.linear_codec import LinearCodec
from jen1cli.pages.spectrogram import draw_spectrograms
from jen1cli.shapes import Waveform
from jen1cli.training.autoencoder.balancer import Balancer
from jen1cli.training.autoencoder.crops import CropSource
from jen1cli.training.autoencoder.discriminator import (
    Discriminator,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    halves,
)
from jen1cli.training.autoencoder.frozen import FrozenComponents
from jen1cli.training.autoencoder.losses import spectral_loss, waveform_loss
from jen1cli.training.autoencoder.metrics import reconstruction_metrics
from jen1cli.training.autoencoder.weights import AutoencoderWriter
from jen1cli.training.engine.averaging import Ema
from jen1cli.training.engine.learning_rate import learning_rate
from jen1cli.training.engine.memory import activation_megabytes
from jen1cli.training.engine.optimisation import build_optimizer, check_batch, set_learning_rate
from jen1cli.training.engine.sharding import refuse_sharing
from jen1cli.training.engine.state import load_optimizer, optimizer_tensors, under
from jen1cli.training.recipes import AutoencoderTrainingConfig

SAMPLES = 2
"""Number of clips written as samples."""


@dataclass(frozen=True)
class AutoencoderParts:
    """Components of stage 1, built by `jen1cli.training.autoencoder.build`."""

    codec: Codec
    crops: CropSource
    held_out: Waveform  # crops [batch, audio_channels, samples]; may be empty
    floor: LinearCodec | None
    # crops written as samples: held-out ones if available
    heard: Float[Tensor, "clips audio_channels heard_samples"]
    init: Path | None = None  # weight set or stage 1 folder that the training begins with


class AutoencoderObjective(nn.Module):
    """The autoencoder with its objective: masked reconstruction, or the family's own loss."""

    def __init__(self, autoencoder: Autoencoder, whitening: Whitening | None = None) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.own_loss = hasattr(autoencoder, "training_loss")
        self._whitening = (whitening,)  # in a tuple: not registered, so neither trained nor stored

    def forward(self, waveform: Waveform, *, frozen: bool = False) -> Any:  # noqa: ANN401
        """Return the reconstruction, or (loss, parts) if the family has its own loss.

        Args:
            waveform: crops.
            frozen: compute no gradient of the encoder.
        """
        model = self.autoencoder
        if self.own_loss:
            return model.training_loss(  # type: ignore[operator]
                waveform, frozen=frozen, whitening=self._whitening[0]
            )
        if not frozen:
            return model(waveform)[0]
        with torch.no_grad():
            latent = model.encode(waveform)
        masked = mask_latent(latent, model.config.mask_ratio, model.config.mask_granularity)
        return model.decode(masked, waveform.shape[-1])


class AutoencoderStage:
    """Optimiser steps of stage 1; `Trainer` runs the loop."""

    def __init__(
        self,
        parts: AutoencoderParts,
        hyperparameters: AutoencoderTrainingConfig,
        accelerator: Accelerator,
        *,
        seed: int = 0,
    ) -> None:
        optimisation = hyperparameters.optimisation
        check_batch(hyperparameters.batch_size, optimisation.accumulation, accelerator)
        refuse_sharing(accelerator, "the autoencoder")
        self.batch_size = hyperparameters.batch_size
        self._parts = parts
        self._hyperparameters = hyperparameters
        self._accelerator = accelerator
        self._seed = seed
        self._device = accelerator.device
        model = parts.codec.autoencoder.requires_grad_(True)
        if hyperparameters.only:
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(name.startswith(f"{hyperparameters.only}."))
        freeze = hyperparameters.freeze_encoder
        stays = freeze in ("always", "components")  # whitening is kept as well
        whitening = parts.codec.whitening.to(self._device) if stays else None
        self._frozen = (
            FrozenComponents(model, parts.codec.whitening) if freeze == "components" else None
        )
        self.objective = AutoencoderObjective(model, whitening)
        self.objective.to(self._device).train()
        self._optimizer = build_optimizer(self.objective, optimisation)
        self._names = _names(self.objective)
        self.ema = Ema(self.objective, optimisation.ema_decay)
        self._adversarial = hyperparameters.adversarial_from < 1.0 and not self.objective.own_loss
        windows = hyperparameters.discriminator_windows if self._adversarial else ()
        self.discriminator = Discriminator(windows, hyperparameters.discriminator_channels)
        self.discriminator.to(self._device)
        prepared = accelerator.prepare(self.objective, self._optimizer)
        self._model, self._prepared = prepared
        self._critic: nn.Module = self.discriminator
        self._critic_optimizer: torch.optim.Optimizer | None = None
        if self._adversarial:
            optimisation = replace(optimisation, weight_decay=0.0)
            self._critic_optimizer = build_optimizer(self.discriminator, optimisation)
            self._critic = accelerator.prepare(self.discriminator)
        weights = {
            "waveform": hyperparameters.weight_waveform,
            "spectral": hyperparameters.weight_spectral,
            "adversarial": hyperparameters.weight_adversarial,
            "features": hyperparameters.weight_features,
        }
        self._balancer = Balancer(weights, balanced=hyperparameters.balancer)
        self._sums: dict[str, Tensor] = {}
        self._rate = 0.0

    @property
    def clips(self) -> int:
        """Number of training clips."""
        return self._parts.crops.clips

    def close(self) -> None:
        """Stop the threads that read audio."""
        self._parts.crops.close()

    def train_step(self, step: int, share: float) -> None:
        """Run one step of the autoencoder and, in the adversarial phase, of the discriminator."""
        adversarial = self._adversarial and share >= self._hyperparameters.adversarial_from
        torch.manual_seed(self._seed + 1_000_003 * step + self._accelerator.process_index)
        rate = learning_rate(self._hyperparameters.optimisation, step, share)
        set_learning_rate(self._optimizer, rate)
        pieces = self._hyperparameters.optimisation.accumulation
        first = self._accelerator.process_index * pieces
        stride = self._accelerator.num_processes * pieces
        made: list[tuple[Tensor, Tensor]] = []
        for piece in range(pieces):
            items = list(range(first + piece, self.batch_size, stride))
            crops = self._parts.crops.batch(step, items, self.batch_size)
            waveform = to_device(crops, self._device)
            last = piece == pieces - 1
            with nullcontext() if last else self._accelerator.no_sync(self._model):
                made.append((waveform, self._backward(waveform, adversarial, 1.0 / pieces)))
        self._update()
        if adversarial and self._turn_of_critic(step):
            self._train_critic(made, rate)
        self._rate = rate

    def _backward(self, waveform: Waveform, adversarial: bool, scale: float) -> Waveform:
        """Back-propagate one micro-batch and return its detached reconstruction."""
        freeze = self._hyperparameters.freeze_encoder
        frozen = freeze == "always" or (freeze == "adversarial" and adversarial)
        with self._accelerator.autocast():
            result = self._model(waveform, frozen=frozen)
        if self.objective.own_loss:
            loss, parts = result
            self._accelerator.backward(loss * scale)
            self._keep({"loss": loss, **{f"loss/{n}": v for n, v in parts.items()}})
            return waveform
        leaf = result.detach().float().requires_grad_()
        losses = self._losses(leaf, waveform, adversarial)
        gradient = self._balancer.gradient(losses, leaf, self._mean)
        self._accelerator.backward(result.float(), gradient=gradient * scale)
        self._keep({f"loss/{name}": value for name, value in losses.items()})
        self._keep({"loss": losses["waveform"] + losses["spectral"]})
        return leaf.detach()

    def _losses(
        self, reconstruction: Waveform, waveform: Waveform, adversarial: bool
    ) -> dict[str, Tensor]:
        rate = self._parts.codec.autoencoder.sample_rate
        losses = {
            "waveform": waveform_loss(reconstruction, waveform),
            "spectral": spectral_loss(reconstruction, waveform, rate),
        }
        if adversarial:
            with self._accelerator.autocast():
                with torch.no_grad():
                    real = self.discriminator(waveform)
                made = self.discriminator(reconstruction)
                losses["adversarial"] = adversarial_loss(made)
                losses["features"] = feature_loss(real, made)
        return losses

    def _update(self) -> None:
        norm = self._accelerator.clip_grad_norm_(
            self._model.parameters(), self._hyperparameters.optimisation.clip_norm
        )
        if norm is not None and torch.isfinite(norm):
            self._prepared.step()
            if self._frozen is not None:
                self._frozen.restore()
            self.ema.update()
            self._keep({"gradient_norm": norm})
        self._prepared.zero_grad(set_to_none=True)

    def _turn_of_critic(self, step: int) -> bool:
        generator = torch.Generator().manual_seed(self._seed + step)
        share = self._hyperparameters.discriminator_share
        return float(torch.rand((), generator=generator)) < share

    def _train_critic(self, made: Sequence[tuple[Tensor, Tensor]], rate: float) -> None:
        assert self._critic_optimizer is not None
        set_learning_rate(self._critic_optimizer, rate)
        waveform = torch.cat([real for real, _ in made])
        reconstruction = torch.cat([found for _, found in made])
        with self._accelerator.autocast():
            judged = self._critic(torch.cat([waveform, reconstruction]))
            loss = discriminator_loss(*halves(judged))
        self._accelerator.backward(loss)
        self._critic_optimizer.step()
        self._critic_optimizer.zero_grad(set_to_none=True)
        self._keep({"loss/discriminator": loss})

    def _mean(self, value: Tensor) -> Tensor:
        return torch.as_tensor(self._accelerator.reduce(value, "mean"))

    def _keep(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            pair = torch.stack([value.detach().float(), torch.ones_like(value, dtype=torch.float)])
            self._sums[name] = self._sums.get(name, torch.zeros_like(pair)) + pair

    def activation_megabytes(self) -> float:
        """Return the memory of activations for one micro-batch of this process, in MB."""
        pieces = self._hyperparameters.optimisation.accumulation * self._accelerator.num_processes
        one = self._parts.crops.peek(1).to(self._device)
        with self._accelerator.autocast():
            found = activation_megabytes(self.objective, lambda: self.objective(one))
        return found * -(-self.batch_size // pieces)

    def take_values(self) -> dict[str, float]:
        """Return mean losses, gradient norm and learning rate of the main process."""
        values = {name: float(total / count) for name, (total, count) in self._sums.items()}
        self._sums.clear()
        return {**values, "lr": self._rate}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Return held-out metrics and losses of the averaged weights, and the linear codec's."""
        waveform = self._parts.held_out
        if not len(waveform):
            return {}
        rate = self._parts.codec.autoencoder.sample_rate
        report = reconstruction_metrics(self._reconstruct(waveform), waveform, rate)
        values = {f"validation/{name}": value for name, value in report.items()}
        if self.objective.own_loss:
            values |= self._held_out_losses(waveform)
        if (floor := self._parts.floor) is not None:
            linear = [torch.from_numpy(floor.through(one.numpy())) for one in waveform]
            metrics = reconstruction_metrics(torch.stack(linear), waveform, rate)
            values |= {f"floor/{name}": value for name, value in metrics.items()}
        return values

    def _held_out_losses(self, waveform: Waveform) -> dict[str, float]:
        """Return the parts of the family's own loss, of whole latents without noise."""
        self.objective.eval()
        with self.ema.applied():
            parts = [self.objective(one[None].to(self._device))[1] for one in waveform]
        self.objective.train()
        return {
            f"validation/{name}": float(torch.stack([own[name] for own in parts]).mean())
            for name in parts[0]
        }

    def _reconstruct(self, waveform: Waveform) -> Waveform:
        model = self._parts.codec.autoencoder
        model.eval()
        with self.ema.applied():
            found = [model(one[None].to(self._device))[0].float().cpu() for one in waveform]
        model.train()
        return torch.cat(found)

    @torch.inference_mode()
    def write_samples(self, folder: Path) -> tuple[Path, ...]:
        """Write clips and their reconstructions."""
        if not self._accelerator.is_main_process:
            return ()
        chosen = self._parts.heard[:SAMPLES]
        make_folder(folder)
        rate = self._parts.codec.autoencoder.sample_rate
        signals = {}
        for i, (one, other) in enumerate(zip(chosen, self._reconstruct(chosen), strict=True)):
            signals |= {f"clip-{i + 1}": one.numpy(), f"clip-{i + 1}-decoded": other.numpy()}
        paths = [folder / f"{name}.wav" for name in signals]
        for path, signal in zip(paths, signals.values(), strict=True):
            audio.write(path, signal, rate)
        picture = folder / "spectrograms.png"
        draw_spectrograms(picture, signals, rate)
        return (*paths, picture)

    def write_weights(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write the averaged weights; whitening is fitted with the latent cache.

        With a frozen encoder the result is a whole weight set if the training began with one.
        """
        if not self._accelerator.is_main_process:
            return
        about = {**provenance, "recipe": asdict(self._hyperparameters), "seed": self._seed}
        name = self._hyperparameters.only or "autoencoder"
        writer = AutoencoderWriter(
            self._parts.init, self._hyperparameters.freeze_encoder == "always"
        )
        with self.ema.applied():
            writer.write(folder, self._parts.codec, {name: about})

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return weights, averages, optimisers and the balancer."""
        tensors = {f"model.{n}": p for n, p in self.objective.state_dict().items()}
        tensors |= {f"critic.{n}": p for n, p in self.discriminator.state_dict().items()}
        tensors |= {f"ema.{n}": p for n, p in self.ema.state().items()}
        moments = optimizer_tensors(self._optimizer, self._names)
        tensors |= {f"optimizer.{n}": p for n, p in moments.items()}
        if self._critic_optimizer is not None:
            moments = optimizer_tensors(self._critic_optimizer, _names(self.discriminator))
            tensors |= {f"critic_optimizer.{n}": p for n, p in moments.items()}
        return tensors, {
            "ema_updates": self.ema.updates,
            "balancer": [self._balancer.sums, self._balancer.counts],
        }

    def load_state(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Restore a state."""
        self.objective.load_state_dict(under(tensors, "model."))
        self.discriminator.load_state_dict(under(tensors, "critic."))
        self.ema.load(under(tensors, "ema."), about["ema_updates"])
        load_optimizer(self._optimizer, self._names, under(tensors, "optimizer."))
        if self._critic_optimizer is not None:
            names, moments = _names(self.discriminator), under(tensors, "critic_optimizer.")
            load_optimizer(self._critic_optimizer, names, moments)
        self._balancer.sums, self._balancer.counts = map(dict, about["balancer"])


def _names(module: nn.Module) -> dict[Tensor, str]:
    return {p: n for n, p in module.named_parameters() if p.requires_grad}
