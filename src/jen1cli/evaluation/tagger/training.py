"""Training of the tagger on folders of synthetic music; takes minutes on two cores.

The features of all clips are computed once and kept in half precision. Batches are random windows
of them with augmentation (level, tilt, noise, blur, masks), so that the tagger is robust to the
flaws of generated music. Only the train split is used for training.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jen1cli import audio
from jen1cli.errors import DataError, Jen1Error
from jen1cli.evaluation.clips import read_clip
from jen1cli.evaluation.tagger.features import (
    FRAME_RATE,
    NUM_MELS,
    PITCH_RATE,
    SAMPLE_RATE,
    Features,
    describe,
)
from jen1cli.evaluation.tagger.labels import NOT_MUSIC, Labels, TaggerTargets, make_targets
from jen1cli.evaluation.tagger.network import Answers, TaggerNet
from jen1cli.evaluation.tagger.scores import score_answers
from jen1cli.evaluation.tagger.tagger import save_tagger
from jen1cli.manifest import Clip, read_folder
from jen1cli.pipeline.networks import choose_device

MessageHandler = Callable[[str, float], None]


@dataclass(frozen=True)
class TaggerJob:
    """Settings of one training run.

    Attributes:
        folders: folders of music with attributes, as written by `jen1 corpus make`.
        output: folder of the tagger.
        minutes: wall-clock time of training, after the features are computed.
        steps: optimiser steps instead of `minutes`, for a reproducible result.
        device: as in `Jen1.load`; features are computed on the CPU.
    """

    folders: tuple[Path, ...]
    output: Path
    minutes: float = 8.0
    steps: int | None = None
    batch_size: int = 32
    learning_rate: float = 2e-3
    crop_seconds: float = 10.0
    seed: int = 0
    device: str = "auto"

    def run(self, on_message: MessageHandler | None = None) -> dict[str, float]:
        """Train, evaluate on held-out clips, and save.

        Returns:
            accuracy of each head on the test split, or on validation if there is no test split.

        Raises:
            ConfigError: the device is not available.
            DataError: there are no clips with attributes, or no held-out ones.
        """
        device = choose_device(self.device)
        on_message = on_message or (lambda what, share: None)
        clips = [clip for folder in self.folders for clip in read_folder(folder)]
        clips = [clip for clip in clips if clip.attributes.get("style")]
        train = [clip for clip in clips if clip.split == "train"]
        held_out = [clip for clip in clips if clip.split == "test"] or [
            clip for clip in clips if clip.split == "validation"
        ]
        if len(train) < self.batch_size or not held_out:
            raise DataError(
                f"{len(train)} training and {len(held_out)} held-out clips with attributes are too"
                f" few; make at least an hour with 'jen1 corpus make'"
            )
        labels = Labels.of(clip.attributes for clip in train)
        data = PreparedClips.of(train, labels, on_message)
        torch.manual_seed(self.seed)
        net = TaggerNet(len(labels.styles), len(labels.instruments), len(labels.modes))
        started = time.monotonic()
        steps = self._fit(net.to(device), data, device, on_message)
        net.cpu()
        minutes = (time.monotonic() - started) / 60
        accuracies = evaluate(
            net, PreparedClips.of(held_out, labels, on_message), labels, self.crop_seconds
        )
        provenance = {
            "trained_on": "music of 'jen1 corpus', train split only",
            "domain": "made music: judgements on other music are relative at best",
            "train_clips": len(data.features), "train_hours": round(data.hours, 2),
            "held_out_clips": len(held_out), "held_out_split": held_out[0].split,
            "steps": steps, "minutes": round(minutes, 1), "batch_size": self.batch_size,
            "threads": torch.get_num_threads(), "seed": self.seed,
            "parameters": sum(p.numel() for p in net.parameters()),
        }  # fmt: skip
        save_tagger(self.output, net, labels, provenance, accuracies)
        return accuracies

    def _fit(
        self,
        net: TaggerNet,
        data: "PreparedClips",
        device: torch.device,
        on_message: MessageHandler,
    ) -> int:
        generator = torch.Generator().manual_seed(self.seed)
        decayed = [p for p in net.parameters() if p.ndim > 1]
        rest = [p for p in net.parameters() if p.ndim <= 1]
        optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}],
            lr=self.learning_rate,
        )
        net.train()
        start, step = time.monotonic(), 0
        running: dict[str, float] = {}
        while (share := self._share(step, time.monotonic() - start)) < 1:
            rate = min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * share))
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate * rate
            rows = torch.randperm(len(data.features), generator=generator)[: self.batch_size]
            features = roughen(data.crop(rows, self.crop_seconds, generator), generator)
            captions = [_pick(data.captions[int(row)], generator) for row in rows]
            with torch.autocast(device.type, dtype=torch.bfloat16):
                answers = net(features.to(device))
            losses = compute_losses(net, answers, data.targets.take(rows, device), captions)
            optimiser.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimiser.step()
            step += 1
            for name, loss in losses.items():
                running[name] = 0.95 * running.get(name, loss.item()) + 0.05 * loss.item()
            if step % 50 == 0:
                shown = ", ".join(f"{name} {value:.2f}" for name, value in running.items())
                on_message(f"step {step}: {shown}", share)
        return step

    def _share(self, step: int, seconds: float) -> float:
        return seconds / (60 * self.minutes) if self.steps is None else step / self.steps


@dataclass(frozen=True)
class PreparedClips:
    """Features of clips in memory, with targets and captions."""

    features: list[tuple[Tensor, Tensor]]  # mel and pitch of each clip, float16
    targets: TaggerTargets
    captions: list[tuple[str, ...]]
    attributes: list[dict[str, Any]]
    hours: float

    @classmethod
    def of(
        cls, clips: Sequence[Clip], labels: Labels, on_message: MessageHandler
    ) -> "PreparedClips":
        """Read clips and compute their features; unreadable ones are left out."""
        features: list[tuple[Tensor, Tensor]] = []
        kept: list[Clip] = []
        for number, clip in enumerate(clips):
            try:
                found = describe(read_mono(clip)[None])
            except Jen1Error as error:
                on_message(f"skipped {clip.name}: {error}", number / len(clips))
                continue
            features.append((found.mel[0].half(), found.pitch[0].half()))
            kept.append(clip)
            if number % 100 == 0:
                on_message(f"listening to clip {number} of {len(clips)}", number / len(clips))
        return cls(
            features,
            make_targets((clip.attributes for clip in kept), labels),
            [clip.captions for clip in kept],
            [clip.attributes for clip in kept],
            sum(clip.seconds for clip in kept) / 3600,
        )

    def crop(
        self, rows: Iterable[int] | Tensor, seconds: float, generator: torch.Generator | None
    ) -> Features:
        """Return random windows of clips, or the middle ones without a generator."""
        mels, pitches = [], []
        width = round(seconds * PITCH_RATE)
        ratio = FRAME_RATE // PITCH_RATE
        for row in rows:
            mel, pitch = self.features[int(row)]
            room = min(pitch.shape[-1], mel.shape[-1] // ratio) - width
            start = max(0, room // 2)
            if generator is not None:
                start = int(torch.randint(max(0, room) + 1, (1,), generator=generator))
            mels.append(_fitted(mel[:, start * ratio :], width * ratio))
            pitches.append(_fitted(pitch[:, start:], width))
        return Features(torch.stack(mels).float(), torch.stack(pitches).float())


def _fitted(frames: Tensor, width: int) -> Tensor:
    frames = frames[:, :width]
    return functional.pad(frames, (0, width - frames.shape[1]), value=-16.0)


def _pick(captions: Sequence[str], generator: torch.Generator) -> str:
    return captions[int(torch.randint(len(captions), (1,), generator=generator))]


def read_mono(clip: Clip) -> Tensor:
    """Read a clip as mono at 24 kHz, [samples].

    Raises:
        AudioError: the file cannot be read.
    """
    signal, sample_rate = read_clip(clip)
    mono = audio.to_channels(signal, 1)
    return torch.from_numpy(audio.resample(mono, sample_rate, SAMPLE_RATE)[0])


def roughen(features: Features, generator: torch.Generator) -> Features:
    """Augment features by random level, tilt, bandwidth, noise floor, blur and masks."""
    mel, pitch = features.mel, features.pitch
    batch = mel.shape[0]

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(batch, 1, 1).uniform_(low, high, generator=generator)

    def chance(share: float) -> Tensor:
        return torch.rand(batch, 1, 1, generator=generator) < share

    level = uniform(-1.0, 1.0)
    slope = torch.linspace(-1, 1, NUM_MELS)[:, None] * uniform(-1.2, 1.2)
    mel = mel + level + slope
    pitch = pitch + level
    blurred = functional.avg_pool1d(mel.exp(), 9, 1, 4, count_include_pad=False).log()
    mel = torch.where(chance(0.15), blurred, mel)
    noise = uniform(-15.0, -6.0) + 0.5 * torch.randn(mel.shape, generator=generator)
    mel = torch.where(chance(0.4), torch.logaddexp(mel, noise), mel)
    height = torch.arange(NUM_MELS)[:, None]
    cut = (height > uniform(45.0, 80.0)) & chance(0.3)
    mel = mel.masked_fill(cut, -16.0)
    frames = torch.arange(mel.shape[-1])
    start = uniform(0.0, float(mel.shape[-1]))
    hole = (frames > start) & (frames < start + uniform(0.0, 0.15 * mel.shape[-1])) & chance(0.3)
    low = uniform(0.0, float(NUM_MELS))
    band = (height > low) & (height < low + uniform(0.0, 10.0)) & chance(0.3)
    mel = mel.masked_fill(hole | band, -9.0)
    return Features(mel, pitch)


def compute_losses(
    net: TaggerNet, answers: Answers, targets: TaggerTargets, captions: Sequence[str]
) -> dict[str, Tensor]:
    """Return the weighted loss of every head; missing targets are ignored."""
    zero = answers.style.sum() * 0
    has_key, has_tempo = targets.key >= 0, targets.tempo.sum(1) > 0
    has_style = targets.style >= 0
    pick = functional.cross_entropy
    tempo = -(targets.tempo * answers.tempo.log_softmax(-1)).sum(1)[has_tempo]
    return {
        "style": pick(answers.style[has_style], targets.style[has_style], label_smoothing=0.05),
        "instruments": 6.0
        * functional.binary_cross_entropy_with_logits(answers.instruments, targets.instruments),
        "drums": functional.binary_cross_entropy_with_logits(answers.drums, targets.drums),
        "key": pick(answers.key.flatten(1)[has_key], targets.key[has_key])
        if has_key.any()
        else zero,
        "tempo": 0.5 * tempo.mean() if has_tempo.any() else zero,
        "energy": 4.0 * functional.mse_loss(answers.energy, targets.energy),
        "text": 0.5 * _contrast(net, answers, captions),
    }


def _contrast(net: TaggerNet, answers: Answers, captions: Sequence[str]) -> Tensor:
    """Return the symmetric contrastive loss; equal captions are equally correct targets."""
    heard = functional.normalize(answers.embedding, dim=1)
    said = functional.normalize(net.text(captions), dim=1)
    scores = net.temperature.clamp(max=4.0).exp() * heard @ said.T
    same = scores.new_tensor([[float(a == b) for b in captions] for a in captions])
    same = same / same.sum(1, keepdim=True)
    pick = functional.cross_entropy
    return 0.5 * (pick(scores, same) + pick(scores.T, same))


@torch.inference_mode()
def evaluate(
    net: TaggerNet, data: PreparedClips, labels: Labels, crop_seconds: float
) -> dict[str, float]:
    """Compute the accuracy of every head on the middle windows of clips."""
    net.eval()
    answers: list[Answers] = []
    for first in range(0, len(data.features), 32):
        rows = range(first, min(first + 32, len(data.features)))
        answers.append(net(data.crop(rows, crop_seconds, None)))
    joined = Answers(
        *(torch.cat([getattr(a, name) for a in answers]) for name in Answers.__dataclass_fields__)
    )
    said = functional.normalize(net.text([captions[-1] for captions in data.captions]), dim=1)
    music = torch.tensor([facts["style"] != NOT_MUSIC for facts in data.attributes])
    return score_answers(joined, data.targets, data.attributes, labels, said, music)
