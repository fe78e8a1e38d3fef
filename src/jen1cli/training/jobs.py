"""The jobs of `jen1 train`, one for each sub-command."""

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator, PartialState

from jen1cli.config import ModelConfig
from jen1cli.errors import ConfigError
from jen1cli.presets import preset
from jen1cli.shards import Shard
from jen1cli.training.autoencoder.build import (
    build_autoencoder_stage,
    describe_autoencoder,
    parse_predictor,
)  # fmt: skip
from jen1cli.training.controls.build import build_controls, has_tempi
from jen1cli.training.diffusion.build import (
    DiffusionSources,
    build_diffusion,
    describe,
    describe_unet,
    load_text_encoder,
    write_latent_shard,
    write_latents,
)
from jen1cli.training.diffusion.cache import CACHE_NAME, LatentCache
from jen1cli.training.diffusion.compatibility import check_cache, check_resumed
from jen1cli.training.diffusion.opening import opened_latents
from jen1cli.training.engine.events import Figures, OnEvent, Warned, ignore
from jen1cli.training.engine.metrics_writer import recorded
from jen1cli.training.engine.optimisation import check_batch
from jen1cli.training.engine.processes import LONGEST_WAIT, build_accelerator, on_processor
from jen1cli.training.engine.reading import NOTHING_HELD_OUT, read_clips
from jen1cli.training.engine.state import has_state
from jen1cli.training.engine.trainer import Stage, Trainer
from jen1cli.training.recipes import (
    AutoencoderTrainingConfig,
    DiffusionTrainingConfig,
    TrainedTask,
    training_config,
)
from jen1cli.training.settings import Settings
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

LORA_LR_FACTOR = 5.0
"""Learning rate of a LoRA: its small matrices need a higher rate than full weights."""
ACTIVATIONS = "memory for activations (MB)"
STAGE_1_SHARE = 1 / 3
"""Share of the minutes that `AllJob` gives to the autoencoder."""
CONTROLS_SHARE = 1 / 20
CONTROLS_CLIPS = 4_096
"""Training clips of latents in tar files on which the small control networks are trained."""
STAGES = ("autoencoder", "latents", "diffusion", "controls")


@dataclass(frozen=True, kw_only=True)
class LatentsJob:
    """Encode a folder of music into a latent cache."""

    data: Path | str  # set of music: folder, URL, or pattern of tar files
    model: str | Path  # folder of stage 1, or name or folder of a weight set
    output: Path
    keep_whitening: bool = False
    augmented: float = 0.0  # share of the training clips with an augmented copy
    shard: Shard | None = None  # part to write into tar files; None: all, into one file
    device: str = "auto"

    def run(self, on_event: OnEvent = ignore, *, keep: bool = False) -> Figures:
        """Write the cache, in the main process only, and return its size.

        Args:
            on_event: called on progress and skipped files.
            keep: reuse an existing cache.

        Raises:
            ConfigError: the existing cache was made by another model or from other music, or has
                other full scores.
        """
        processes = PartialState(cpu=on_processor(self.device), timeout=LONGEST_WAIT)
        model = weights_folder(self.model)
        if self.shard is not None:  # each process writes a shard of its own
            return write_latent_shard(
                self.data, model, self.output, self.shard,
                keep_whitening=self.keep_whitening, augmented=self.augmented, device=self.device,
                on_event=on_event,
            )  # fmt: skip
        there = keep and (self.output / CACHE_NAME).is_file()
        if processes.is_main_process and there:
            clips = read_clips(self.data, ignore)
            check_cache(self.output, model, self.data, clips, whitened=self.keep_whitening)
        elif processes.is_main_process:
            write_latents(
                self.data, model, self.output,
                keep_whitening=self.keep_whitening, augmented=self.augmented, device=self.device,
                on_event=on_event,
            )  # fmt: skip
        processes.wait_for_everyone()
        cache = LatentCache.open(self.output)
        return {"clips": len(cache.clips), "frames": len(cache.table)}


@dataclass(frozen=True, kw_only=True)
class AutoencoderJob(Settings):
    """Stage 1 on a folder of music."""

    data: Path | str  # set of music: folder, URL, or pattern of tar files
    preset: str | None = None  # preset of the autoencoder; None: the recipe's
    init: str | Path | None = None  # stage 1 folder or weight set to continue from
    mask_ratio: float | None = None  # masked share of the latent; None: the preset's
    freeze_encoder: bool = False  # keeps the latents unchanged
    freeze_components: bool = False  # keeps the whitened components unchanged
    only: str = ""  # a network with its channels, "envelopes:128"; "": train everything

    def run(self, on_event: OnEvent = ignore) -> Figures:
        """Train, or describe the training for a dry run."""
        chosen = self._hyperparameters()
        accelerator = build_accelerator(
            chosen.optimisation, device=self.device, unused=chosen.freeze_encoder != "never"
        )
        config = preset(self.preset or training_config(self.recipe).preset)
        init = None if self.init is None else weights_folder(self.init)
        if self.mask_ratio is not None:
            shape = dataclasses.replace(config.autoencoder, mask_ratio=self.mask_ratio)
            config = dataclasses.replace(config, autoencoder=shape)
        writes = accelerator.is_main_process and not self.dry_run
        with recorded(self.output, on_event, writes=writes) as record:
            stage = build_autoencoder_stage(
                self.data, config, chosen, accelerator,
                init=init, seed=self.seed, on_event=record,
            )  # fmt: skip
            with contextlib.closing(stage):
                if self.dry_run:
                    return {
                        **describe_autoencoder(stage),
                        ACTIVATIONS: stage.activation_megabytes(),
                    }
                _train(stage, self, chosen.steps, accelerator, record)
        return describe_autoencoder(stage)

    def _hyperparameters(self) -> AutoencoderTrainingConfig:
        base = training_config(self.recipe).autoencoder
        begun = self.init is not None and not self.freeze_components
        name, channels = parse_predictor(self.only, begun=begun)
        frozen = base.freeze_encoder
        if self.freeze_components:
            frozen = "components"
        if self.freeze_encoder or name:
            frozen = "always"
        return dataclasses.replace(
            self.over(base), freeze_encoder=frozen, only=name, only_channels=channels
        )


@dataclass(frozen=True, kw_only=True)
class DiffusionJob(Settings):
    """Stage 2 on a latent cache."""

    cache: str | Path  # folder; or latents in tar files, by folder, URL or pattern
    mix: tuple[tuple[str, float], ...] = ()  # further latents in tar files, with their shares
    preset: str | None = None  # preset of the U-Net; None: that of the cache
    text_encoder: Path | None = None
    init: str | Path | None = None  # weight set to continue from
    prompt: tuple[str, ...] = ()  # prompt of the samples
    tasks: tuple[TrainedTask, ...] = ()  # tasks of the training; none: the recipe's
    bidirectional_only: bool = False  # for ablations
    lora: int | None = None  # rank; None: train the whole U-Net
    distilled_steps: int = 0  # above 0: distil the guidance of `init`, for so many steps

    def run(self, on_event: OnEvent = ignore) -> Figures:
        """Train, or describe the training for a dry run."""
        chosen = self.over(training_config(self.recipe).diffusion)
        chosen = dataclasses.replace(
            chosen,
            tasks=self.tasks or chosen.tasks,
            unidirectional=chosen.unidirectional and not self.bidirectional_only,
        )
        accelerator = build_accelerator(chosen.optimisation, device=self.device)
        init = None if self.init is None else find_weights(self.init).folder
        config: ModelConfig | None = preset(self.preset) if self.preset else None
        with opened_latents(self.cache, self.mix) as latents:
            sources = DiffusionSources(
                latents.folder, self.text_encoder, init,
                prompts=self.prompt, stream=latents.stream,
                lora_rank=self.lora, distilled_steps=self.distilled_steps,
            )  # fmt: skip
            return _train_diffusion(sources, self, chosen, accelerator, on_event, config)


@dataclass(frozen=True, kw_only=True)
class ControlsJob(Settings):
    """The control networks: predictors from text, and transcription from music."""

    cache: str | Path  # as of `DiffusionJob`
    init: str | Path  # weight set to which they are added

    def run(self, on_event: OnEvent = ignore) -> Figures:
        """Train, or describe the training for a dry run.

        These networks are small, so several processes do not share the work: all train alike, and
        the main process writes.
        """
        chosen = self.over(training_config(self.recipe).controls)
        accelerator = build_accelerator(chosen.optimisation, device=self.device)
        init = find_weights(self.init).folder
        with opened_latents(self.cache, training_clips=CONTROLS_CLIPS) as latents:
            stage = build_controls(latents.folder, init, chosen, accelerator, seed=self.seed)
            if not self.dry_run:
                self.check_begun()
                writes = accelerator.is_main_process
                if writes:
                    check_resumed(self.output, latents.folder, init, resume=self.resume)
                with recorded(self.output, on_event, writes=writes) as record:
                    _train(stage, self, chosen.steps, accelerator, record)
        return {
            "parameters": sum(p.numel() for p in stage.networks.parameters()),
            "windows per epoch": stage.sampler.epoch_windows,
        }


@dataclass(frozen=True, kw_only=True)
class FinetuneJob(Settings):
    """Fine-tuning on a folder of music: the whole U-Net, or a LoRA."""

    data: Path | str  # set of music: folder, URL, or pattern of tar files
    model: str = DEFAULT_WEIGHTS  # weight set, by name or folder
    recipe: str = "finetune"
    lora: int | None = None  # rank; None: train the whole U-Net
    prompt: tuple[str, ...] = ()  # prompt of the samples

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: one is not positive.
        """
        super().__post_init__()
        if self.lora is not None and self.lora < 1:
            raise ConfigError(f"--lora {self.lora} is no rank; 4 to 32 are usual")

    def run(self, on_event: OnEvent = ignore) -> Figures:
        """Encode the folder once, then train."""
        chosen = self._hyperparameters()
        accelerator = build_accelerator(chosen.optimisation, device=self.device)
        # before encoding, which takes minutes
        check_batch(chosen.batch_size, chosen.optimisation.accumulation, accelerator)
        self.check_begun()
        folder = find_weights(self.model).folder
        cache = self.output / "cache"
        encode = LatentsJob(
            data=self.data, model=folder, output=cache, keep_whitening=True, device=self.device
        )
        encode.run(on_event, keep=True)
        sources = DiffusionSources(cache, init=folder, lora_rank=self.lora, prompts=self.prompt)
        return _train_diffusion(sources, self, chosen, accelerator, on_event)

    def _hyperparameters(self) -> DiffusionTrainingConfig:
        base = self.over(training_config(self.recipe).diffusion)
        if self.lora is None or self.lr is not None:
            return base
        faster = dataclasses.replace(base.optimisation, lr=LORA_LR_FACTOR * base.optimisation.lr)
        return dataclasses.replace(base, optimisation=faster)


@dataclass(frozen=True, kw_only=True)
class AllJob(Settings):
    """All stages in order, on a folder of music."""

    data: Path | str  # set of music: folder, URL, or pattern of tar files
    text_encoder: Path | None = None

    def run(self, on_event: OnEvent = ignore) -> Figures:
        """Train the autoencoder, write the latents, train the diffusion model and the controls.

        A resumed run skips the autoencoder if its latents exist.

        Raises:
            ConfigError: the settings of a stage are invalid (checked before the first stage), or
                the latents of a resumed run were made from other music.
        """
        self.over(training_config(self.recipe).diffusion)
        if self.text_encoder is not None and not self.text_encoder.is_dir():
            raise ConfigError(f"--text-encoder {self.text_encoder} is no folder; check the path")
        text = preset(training_config(self.recipe).preset).text
        if not self.dry_run and text.revision is None:  # before the hours of stage 1
            load_text_encoder(text, self.text_encoder)
        shared = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(Settings)
            if field.name not in ("output", "minutes", "steps", "resume")
        }
        parts = {name: self.output / name for name in STAGES}
        minutes = self.minutes or 0.0
        first = AutoencoderJob(
            data=self.data, output=parts["autoencoder"], steps=self.steps,
            minutes=STAGE_1_SHARE * minutes or None, resume=self._begun(parts["autoencoder"]),
            **shared,
        )  # fmt: skip
        encoded = self.resume and (parts["latents"] / CACHE_NAME).is_file()
        figures = first.run(on_event) if self.dry_run or not encoded else {}
        if self.dry_run:
            return {**figures, **describe_unet(preset(training_config(self.recipe).preset))}
        encode = LatentsJob(
            data=self.data, model=parts["autoencoder"] / "weights", output=parts["latents"],
            device=self.device,
        )  # fmt: skip
        encode.run(on_event, keep=self.resume)
        second = DiffusionJob(
            cache=parts["latents"], output=parts["diffusion"], steps=self.steps,
            minutes=(1.0 - STAGE_1_SHARE - CONTROLS_SHARE) * minutes or None,
            text_encoder=self.text_encoder,
            resume=self._begun(parts["diffusion"]), **shared,
        )  # fmt: skip
        figures = second.run(on_event)
        if not has_tempi(LatentCache.open(parts["latents"])):
            return figures
        third = ControlsJob(
            cache=parts["latents"], init=parts["diffusion"] / "weights", output=parts["controls"],
            steps=self.steps, minutes=CONTROLS_SHARE * minutes or None,
            resume=self._begun(parts["controls"]), **shared,
        )  # fmt: skip
        third.run(on_event)
        return figures

    @staticmethod
    def result(output: Path) -> Path:
        """Return the weight set of a finished run; with controls if the music had tempi."""
        controls = output / "controls" / "weights"
        return controls if controls.exists() else output / "diffusion" / "weights"

    def _begun(self, folder: Path) -> bool:
        return self.resume and has_state(folder / "state")


def weights_folder(name_or_folder: str | Path) -> Path:
    """Return an existing folder unchanged, or the folder of a weight set by its name.

    Raises:
        CheckpointError: no such folder or weight set.
    """
    folder = Path(name_or_folder).expanduser()
    return folder if folder.is_dir() else find_weights(name_or_folder).folder


def _train_diffusion(
    sources: DiffusionSources,
    settings: Settings,
    chosen: DiffusionTrainingConfig,
    accelerator: Accelerator,
    on_event: OnEvent,
    config: ModelConfig | None = None,
) -> Figures:
    stage = build_diffusion(
        sources, chosen, accelerator, config=config, seed=settings.seed, on_event=on_event
    )
    figures = describe(stage)
    if settings.dry_run:
        return {**figures, ACTIVATIONS: stage.activation_megabytes()}
    settings.check_begun()
    if accelerator.is_main_process:
        steps = sources.distilled_steps
        kind = f"distilled for {steps} steps," if steps else "LoRA"
        change = f"{kind} {sources.lora_rank}" if sources.lora_rank else "none"
        check_resumed(settings.output, sources.cache, sources.init, change, resume=settings.resume)
    with recorded(settings.output, on_event, writes=accelerator.is_main_process) as record:
        if not stage.holds_out:
            record(Warned(NOTHING_HELD_OUT))
        _train(stage, settings, chosen.steps, accelerator, record)
    return figures


def _train(
    stage: Stage,
    settings: Settings,
    steps: int | None,
    accelerator: Accelerator,
    on_event: OnEvent,
) -> None:
    folder = settings.output
    trainer = Trainer(
        stage,
        folder,
        settings.budget(steps),
        accelerator=accelerator,
        intervals=settings.intervals(),
        on_event=on_event,
    )
    settings.check_begun()
    if settings.resume and has_state(folder / "state"):
        trainer.resume()
    elif settings.resume:  # a cluster repeats one command, also if it ended before the first save
        on_event(
            Warned(f"nothing is saved in {folder} yet; the training starts from the beginning")
        )
    trainer.run()
