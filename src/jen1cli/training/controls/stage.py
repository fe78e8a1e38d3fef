"""Training of the control networks: prediction from text, and transcription from latents.

All are small and use a frozen text encoder and cached latents, so minutes suffice. The tracker is
trained with the windows and masks of the three tasks, since it transcribes music around gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.codec import Codec
from jen1cli.conditioning.controls.channels import TRANSCRIBED
from jen1cli.conditioning.controls.chord_predictor import chart_slots
from jen1cli.conditioning.controls.part_predictor import (
    drum_tokens,
    melody_tokens,
)
from jen1cli.conditioning.controls.predictor import (
    KEYS,
    METERS,
    ControlPredictor,
    tempo_at,
    tempo_index,
)
from jen1cli.conditioning.controls.tracker import ControlTracker
from jen1cli.config import ControlsConfig, ModelConfig
from jen1cli.music.controls import (
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_PARTS,
    Controls,
    controls_of,
)
from jen1cli.music.keys import MODES
from jen1cli.shapes import KeepMask
from jen1cli.tasks import random_continuation, random_inpaint
from jen1cli.training.controls.accuracy import add_accuracies, add_loop_accuracies
from jen1cli.training.controls.pitch_map import fit_pitch_map
from jen1cli.training.controls.targets import (
    beat_targets,
    by_part,
    part_targets,
    transcription_targets,
)
from jen1cli.training.diffusion.batches import (
    LatentTable,
    TrainingWindow,
    WindowSampler,
    mixed_seed,
)
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.diffusion.weights import ControlsWriter, ControlTensors
from jen1cli.training.engine.averaging import Ema
from jen1cli.training.engine.learning_rate import learning_rate
from jen1cli.training.engine.optimisation import build_optimizer, set_learning_rate
from jen1cli.training.engine.state import load_optimizer, optimizer_tensors, under
from jen1cli.training.recipes import ControlsTrainingConfig

CHORD_FEATURES = 192
"""Width of the chord predictor."""
PART_FEATURES = 192
"""Width of the predictors of drums and melody."""
PITCH_CHANNELS = 16
"""Width of the tracker's convolutions over pitch."""
PITCH_WINDOWS = 48
"""Windows for the fit of the fixed map from latents to semitones."""
TRANSCRIPTION_WEIGHT = 5.0
"""Loss weight of transcription: its cross-entropy is a mean over many mostly silent channels."""
_BATCH_STREAM, _PITCH_STREAM = 3, 4  # of random numbers, as in `training.diffusion.batches`


@dataclass(frozen=True)
class ControlsParts:
    """Components of the stage, built by `jen1cli.training.controls.build`."""

    config: ModelConfig
    codec: Codec
    cache: LatentCache
    texts: TextCache
    weights: ControlsWriter
    initial: ControlTensors | None = None  # initial weights; missing parts start at random


class ControlNetworks(nn.Module):
    """Both networks as one module for the optimiser."""

    def __init__(self, config: ModelConfig, shape: ControlsConfig) -> None:
        super().__init__()
        self.prior = ControlPredictor(config.text.features, shape)
        self.tracker = ControlTracker(config.whitening.components, shape)


class ControlsStage:
    """Trains both networks together, in every process alike."""

    def __init__(
        self,
        parts: ControlsParts,
        hyperparameters: ControlsTrainingConfig,
        accelerator: Accelerator,
        *,
        seed: int = 0,
    ) -> None:
        self.batch_size = hyperparameters.batch_size
        self._parts = parts
        self._hyperparameters = hyperparameters
        self._accelerator = accelerator
        self._seed = seed
        self._device = accelerator.device
        config = parts.config
        seconds = hyperparameters.crop_seconds or config.generation.window_seconds
        self.frames = max(2, round(seconds * config.frame_rate))
        self.sampler = WindowSampler(parts.cache.split("train"), self.frames, seed)
        self._table = LatentTable(parts.cache, self._device)
        torch.manual_seed(seed)
        # a U-Net without channels for chords or parts needs no such predictor
        taken = config.unet.control_channels
        self.shape = ControlsConfig(
            chord_features=CHORD_FEATURES if taken >= CHANNELS_WITH_CHORDS else 0,
            part_features=PART_FEATURES if taken >= CHANNELS_WITH_PARTS else 0,
            transcribed_channels=sum(TRANSCRIBED.values()) if taken >= CHANNELS_WITH_PARTS else 0,
            pitch_channels=PITCH_CHANNELS if taken >= CHANNELS_WITH_PARTS else 0,
        )
        self.networks = ControlNetworks(config, self.shape)
        if parts.initial is not None:
            _start_from(self.networks, parts.initial)
        self._fit_pitches()
        self.networks.to(self._device).train()
        self._optimizer = build_optimizer(self.networks, hyperparameters.optimisation)
        self._names: dict[Tensor, str] = {p: n for n, p in self.networks.named_parameters()}
        self.ema = Ema(self.networks, hyperparameters.optimisation.ema_decay)
        self._sums: dict[str, list[float]] = {}
        self._rate = 0.0

    def _fit_pitches(self) -> None:
        """Fit the tracker's map to semitones, unless the initial weights have one."""
        head = self.networks.tracker.pitch
        if head is None or head.pitch_weight.any():
            return
        rng = np.random.default_rng(mixed_seed(self._seed, _PITCH_STREAM))
        clips = self.sampler.clips
        windows = self.sampler.windows(0, PITCH_WINDOWS, rng)
        latents = (
            self._table.gather([(clips[w.clip], w.start)], self.frames).cpu() for w in windows
        )
        codec = self._parts.codec
        weight, bias = fit_pitch_map(
            latents,
            lambda latent: codec.autoencoder.decode(codec.whitening.unwhiten(latent)),
            codec.config.autoencoder.sample_rate,
            codec.autoencoder.hop_length,
        )
        head.pitch_weight.copy_(weight)
        head.pitch_bias.copy_(bias)

    def train_step(self, step: int, share: float) -> None:
        """Run one optimiser step."""
        size = self.batch_size
        seed = mixed_seed(self._seed, _BATCH_STREAM, step)
        rng = np.random.default_rng(seed)
        windows = self.sampler.windows(step * size, size, rng)
        masks = _masks(size, self.frames, torch.Generator().manual_seed(seed))
        with self._accelerator.autocast():
            losses = self._losses(windows, masks.to(self._device))
        self._optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        optimisation = self._hyperparameters.optimisation
        nn.utils.clip_grad_norm_(self.networks.parameters(), optimisation.clip_norm)
        self._rate = learning_rate(optimisation, step, share)
        set_learning_rate(self._optimizer, self._rate)
        self._optimizer.step()
        self.ema.update()
        for name, loss in losses.items():
            self._sums.setdefault(f"loss/{name}", []).append(float(loss.detach()))

    def _losses(self, windows: Sequence[TrainingWindow], known: KeepMask) -> dict[str, Tensor]:
        clips = [self.sampler.clips[window.clip] for window in windows]
        controls_batch = [controls_of(clip.attributes) for clip in clips]
        text, mask = self._parts.texts([window.caption for window in windows])
        logits = self.networks.prior(text.to(self._device), mask.to(self._device))
        places = [(clip, w.start) for clip, w in zip(clips, windows, strict=True)]
        output = self.networks.tracker(self._table.gather(places, self.frames), known)
        keys = self._index(
            [
                KEYS.index((controls.key, controls.mode)) if "key" in clip.attributes else -1
                for clip, controls in zip(clips, controls_batch, strict=True)
            ]
        )
        tempi = self._index([tempo_index(g.bpm) if g.bpm else -1 for g in controls_batch])
        meters = self._index([METERS.index(g.meter) if g.meter else -1 for g in controls_batch])
        rate = self._parts.config.frame_rate
        starts = [window.start for window in windows]
        beat, bar = (
            phase.to(self._device)
            for phase in beat_targets(controls_batch, starts, self.frames, rate)
        )
        return {
            **self._chord_loss(controls_batch, text, mask),
            **self._part_loss(controls_batch, text, mask),
            "predictor tempo": _cross_entropy(logits.tempo, tempi),
            "predictor meter": _cross_entropy(logits.meter, meters),
            "predictor key": _cross_entropy(logits.key, keys),
            **self._transcription_loss(output.parts, controls_batch, windows, known),
            "tracker beat": _distance(output.beat, beat, known),
            "tracker bar": _distance(output.bar, bar, known),
            "tracker key": _cross_entropy(output.key, keys),
        }

    def _transcription_loss(
        self,
        logits: Tensor | None,
        controls_batch: Sequence[Controls],
        windows: Sequence[TrainingWindow],
        known: KeepMask,
    ) -> dict[str, Tensor]:
        """Return the losses of chords, drums and melody in known, annotated frames."""
        if logits is None:
            return {}
        rate = self._parts.config.frame_rate
        starts = [window.start / rate for window in windows]
        played, given = transcription_targets(controls_batch, starts, self.frames, rate)
        error = functional.binary_cross_entropy_with_logits(
            logits.float(), played.to(self._device), reduction="none"
        )
        counts = given.to(self._device) & known
        return {
            f"tracker {name}": TRANSCRIPTION_WEIGHT * (part * used).sum() / used.sum().clamp(min=1)
            for name, part, used in zip(TRANSCRIBED, *map(by_part, (error, counts)), strict=True)
        }

    def _chord_loss(
        self, controls_batch: Sequence[Controls], text: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the mean loss over the half bars whose chord is known."""
        if self.networks.prior.chords is None:
            return {}
        root, kind = (
            self._index(slots) for slots in zip(*map(chart_slots, controls_batch), strict=True)
        )
        modes = self._index([list(MODES).index(g.mode) if g.mode else 0 for g in controls_batch])
        text, mask = text.to(self._device), mask.to(self._device)
        logits = self.networks.prior.chords(text, mask, modes, root, kind)
        return {
            "predictor root": _cross_entropy(logits.root.flatten(0, 1), root.flatten()),
            "predictor chord": _cross_entropy(logits.kind.flatten(0, 1), kind.flatten()),
        }

    def _part_loss(
        self, controls_batch: Sequence[Controls], text: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the mean losses over the known steps of drums and of melody."""
        predictor, found = self.networks.prior, {}
        text, mask = text.to(self._device), mask.to(self._device)
        for name, network, read in (
            ("predictor drums", predictor.drums, drum_tokens),
            ("predictor melody", predictor.melody, melody_tokens),
        ):
            if network is not None:
                rows, tokens = part_targets(
                    network, controls_batch, [read(controls) for controls in controls_batch]
                )
                logits = network(text, mask, rows.to(self._device))
                tokens = tokens.to(self._device)
                found[name] = _cross_entropy(logits.flatten(0, 1), tokens.flatten())
        return found

    def _index(self, values: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(values, device=self._device)

    def take_values(self) -> dict[str, float]:
        """Return the mean losses since the last call."""
        values = {name: sum(losses) / len(losses) for name, losses in self._sums.items()}
        self._sums.clear()
        return {"loss": sum(values.values()), **values, "lr": self._rate}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Return accuracies on held-out clips, with one window and one caption per clip.

        For the predictors of chords, drums and melody it returns the loss.
        """
        config, clips = self._parts.config, self._parts.cache.split("validation")
        found: dict[str, list[float]] = {}
        tracker = self.networks.tracker
        self.networks.eval()
        with self.ema.applied():
            for number, clip in enumerate(clips):
                true = controls_of(clip.attributes)
                caption = clip.captions[number % len(clip.captions)]
                text, mask = self._parts.texts([caption])
                logits = self.networks.prior(text.to(self._device), mask.to(self._device))
                start = max(0, clip.frames - self.frames) // 2
                latent = self._table.gather([(clip, start)], self.frames)
                known = torch.ones(1, 1, self.frames, dtype=torch.bool, device=self._device)
                transcribed = tracker.track(latent, known, config.frame_rate)
                guess = tempo_at(int(logits.tempo[0].argmax()))
                seconds = start / config.frame_rate
                add_accuracies(found, true, transcribed, guess, seconds)
                add_loop_accuracies(found, true, seconds, latent, tracker, config.frame_rate)
                losses = self._chord_loss([true], text, mask) if true.bars else {}
                for name, loss in {**losses, **self._part_loss([true], text, mask)}.items():
                    found.setdefault(name, []).append(float(loss))
        self.networks.train()
        return {f"validation/{name}": sum(v) / len(v) for name, v in found.items() if v}

    def write_samples(self, folder: Path) -> tuple[Path, ...]:
        """Write nothing: the networks have no audio output."""
        del folder
        return ()

    def write_weights(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write the weight set with the averaged weights of both networks."""
        if not self._accelerator.is_main_process:
            return
        about = {**provenance, "recipe": asdict(self._hyperparameters), "seed": self._seed}
        with self.ema.applied():
            found = ControlTensors(
                self.shape, self.networks.prior.state_dict(), self.networks.tracker.state_dict()
            )
            self._parts.weights.write(folder, found, {"guide": about})

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return weights, average and optimiser."""
        tensors = {f"model.{n}": p.detach() for p, n in self._names.items()}
        tensors |= {f"ema.{n}": p for n, p in self.ema.state().items()}
        moments = optimizer_tensors(self._optimizer, self._names)
        tensors |= {f"optimizer.{n}": p for n, p in moments.items()}
        return tensors, {"ema_updates": self.ema.updates}

    @torch.no_grad()
    def load_state(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Restore a state."""
        for parameter, name in self._names.items():
            parameter.copy_(tensors[f"model.{name}"])
        self.ema.load(under(tensors, "ema."), about["ema_updates"])
        load_optimizer(self._optimizer, self._names, under(tensors, "optimizer."))


def _start_from(networks: ControlNetworks, found: ControlTensors) -> None:
    for module, tensors in ((networks.prior, found.prior), (networks.tracker, found.tracker)):
        own = module.state_dict()
        known = {n: x for n, x in tensors.items() if n in own and own[n].shape == x.shape}
        module.load_state_dict({**own, **known})


def _masks(size: int, frames: int, generator: torch.Generator) -> KeepMask:
    """Draw masks: a third each without gaps, with gaps, and with an unknown end."""
    third = size // 3
    return torch.cat(
        [
            torch.ones(size - 2 * third, 1, frames, dtype=torch.bool),
            random_inpaint(frames, third, generator).keep_mask,
            random_continuation(frames, third, generator).keep_mask,
        ]
    )


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over the known (non-negative) targets; 0 if there are none."""
    total = functional.cross_entropy(logits.float(), targets, ignore_index=-1, reduction="sum")
    return total / (targets >= 0).sum().clamp(min=1)


def _distance(arrows: Tensor, true: Tensor, known: KeepMask) -> Tensor:
    """Return the mean squared distance of phases in known frames of clips that have a beat."""
    counts = known[:, 0] & (true.abs() > 0.5)
    error = torch.view_as_real(arrows.to(torch.complex64) - true).square().sum(-1)
    return (error * counts).sum() / counts.sum().clamp(min=1)
