"""Build stage 2 from a latent cache, and the cache from a folder of music."""

import dataclasses
import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch.nn import functional

from jen1cli.autoencoder.codec import Codec, load_codec
from jen1cli.checkpoint import TEXT_ENCODER_FOLDER, load_into, load_weight_set, read_description
from jen1cli.conditioning import TextEncoder
from jen1cli.conditioning.text import FILE as TEXT_FILE
from jen1cli.config import ModelConfig, TextConfig
from jen1cli.errors import CheckpointError, ConfigError, DataError
from jen1cli.music.controls import CHANNELS_WITH_SCORE, PLAYED_CHANNELS
from jen1cli.shards import Shard
from jen1cli.training.diffusion.cache import CacheWriter, LatentCache
from jen1cli.training.diffusion.compatibility import (
    check_latents,
    encoder_settings,
    music_digest,
)
from jen1cli.training.diffusion.distillation import DistillationObjective, GuidedTeacher
from jen1cli.training.diffusion.objective import Objective
from jen1cli.training.diffusion.samples import SampleWriter
from jen1cli.training.diffusion.scores import ScoreTable
from jen1cli.training.diffusion.stage import DiffusionParts, DiffusionStage
from jen1cli.training.diffusion.streaming import StreamSources
from jen1cli.training.diffusion.tar_writing import TarCacheWriter
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.diffusion.weights import (
    ControlTensors,
    DistilledWriter,
    LoraWriter,
    WeightWriter,
)
from jen1cli.training.engine.events import Figures, OnEvent, Warned, ignore
from jen1cli.training.engine.memory import state_megabytes
from jen1cli.training.engine.processes import on_processor
from jen1cli.training.engine.reading import read_clips
from jen1cli.training.recipes import DiffusionTrainingConfig
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import add_lora
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

SAMPLE_PROMPTS = 4


@dataclass(frozen=True)
class DiffusionSources:
    """Inputs from which stage 2 is built."""

    cache: Path
    text_encoder: Path | None = None  # folder; None: that of `init`, or the hub's
    init: Path | None = None  # weight set to continue from; None: random weights
    lora_rank: int | None = None  # rank of a LoRA on `init`; None: train all weights
    distilled_steps: int = 0  # above 0: learn the guided prediction of `init`, for so many steps
    prompts: Sequence[str] = ()  # prompts of samples; empty: captions of held-out clips
    stream: StreamSources | None = None  # training clips in tar files; None: those of `cache`


def write_latents(
    data: Path | str,
    codec_folder: Path,
    folder: Path,
    *,
    keep_whitening: bool = False,
    augmented: float = 0.0,
    device: str = "auto",
    on_event: OnEvent = ignore,
) -> LatentCache:
    """Encode every clip of a folder of music into a latent cache, with the scores of the folder.

    Args:
        data: set of music (`manifest.read_folder`).
        codec_folder: result of stage 1, or a weight set.
        folder: folder of the cache.
        keep_whitening: use the codec's whitening, for fine-tuning; else fit it to this music.
        augmented: share of the training clips with an augmented copy (`augmentation`).
        device: "auto", "cpu" or "cuda".
        on_event: called on progress and skipped files.
    """
    codec = load_codec(codec_folder)
    place = torch.device("cpu" if on_processor(device) else "cuda")
    writer = CacheWriter(folder, codec.autoencoder.to(place), place)
    whitening = codec.whitening if keep_whitening else None
    clips = read_clips(data, on_event)
    writer.write(
        clips, codec.config, whitening, on_event,
        augmented=augmented, music=music_digest(clips), data=data,
    )  # fmt: skip
    return LatentCache.open(folder)


def write_latent_shard(
    data: Path | str,
    codec_folder: Path,
    folder: Path,
    shard: Shard,
    *,
    keep_whitening: bool = False,
    augmented: float = 0.0,
    device: str = "auto",
    on_event: OnEvent = ignore,
) -> Figures:
    """Encode one shard of a folder of music into latents in tar files; see `write_latents`.

    Returns:
        number of clips of the shard, and whether all shards are complete (1) or not (0).
    """
    codec = load_codec(codec_folder)
    place = torch.device("cpu" if on_processor(device) else "cuda")
    codec.autoencoder.to(place)
    writer = TarCacheWriter(
        folder, codec, place, shard,
        keep_whitening=keep_whitening, augmented=augmented, on_event=on_event,
    )  # fmt: skip
    clips = read_clips(data, on_event)
    complete = writer.write(clips, data)
    return {"clips": len(shard.of(clips)), "complete": int(complete)}


def build_diffusion(
    sources: DiffusionSources,
    hyperparameters: DiffusionTrainingConfig,
    accelerator: Accelerator,
    *,
    config: ModelConfig | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> DiffusionStage:
    """Build stage 2.

    Args:
        sources: cache, text encoder, weights to continue from.
        hyperparameters: the training's hyperparameters.
        accelerator: accelerate's state of this process.
        config: preset whose U-Net, text and diffusion settings replace the cache's; None keeps
            them. Its autoencoder must be the cache's.
        seed: seed of the weights and of all random draws.
        on_event: called with warnings about parts that the new weights lack.

    Raises:
        ConfigError: cache, preset and initial weights do not match.
        DataError: the cache is incomplete.
    """
    cache = LatentCache.open(sources.cache)
    codec = load_codec(sources.cache)
    if config is not None:
        codec = dataclasses.replace(codec, config=_adapted(config, codec.config))
    scores = ScoreTable.open(sources.cache)
    codec = dataclasses.replace(codec, config=_widened(codec.config, sources, scores))
    config = codec.config
    torch.manual_seed(seed)
    encoder, text_folder = load_text_encoder(config.text, sources.text_encoder, sources.init)
    unet = UNet1d(config.unet)
    if sources.init is not None:
        check_latents(sources.cache, sources.init)
        _start_from(unet, encoder, config, sources.init)
    encoder = encoder.to(accelerator.device)
    if sources.lora_rank is not None:
        add_lora(unet, sources.lora_rank)
    unet.checkpointing = hyperparameters.optimisation.checkpointing
    learned = config.text.null_prompt == "learned" and sources.lora_rank is None
    null_text = encoder.null(1)[0] if learned else None
    deviations = codec.whitening.inverse_matrix.norm(dim=1)
    texts = TextCache(encoder)
    if sources.distilled_steps:
        if sources.init is None:
            raise ConfigError("guidance is distilled from a weight set; name it")
        teacher = GuidedTeacher.load(sources.init, texts([""]))
        times = teacher.visited_times(sources.distilled_steps)
        hyperparameters = dataclasses.replace(
            hyperparameters, grid=times, unidirectional=teacher.continues_one_way
        )
        objective: Objective = DistillationObjective(
            unet, teacher, config.diffusion, hyperparameters, deviations
        )
    else:
        objective = Objective(unet, config.diffusion, hyperparameters, null_text, deviations)
    codec.autoencoder.to(accelerator.device)
    codec.whitening.to(accelerator.device)
    controls = None
    if sources.init is not None:
        controls = _controls_of(sources.init, text_folder, on_event)
    parts = DiffusionParts(
        config=config,
        objective=objective,
        cache=cache,
        texts=texts,
        weights=_writer(sources, codec, text_folder, controls),
        samples=_samples(
            _sampled(codec, sources), cache, encoder, sources.prompts, controls, scores
        ),
        scores=scores,
        stream=sources.stream,
    )
    return DiffusionStage(parts, hyperparameters, accelerator, seed=seed)


def _sampled(codec: Codec, sources: DiffusionSources) -> Codec:
    """Return the codec with the settings of the samples; a distilled network needs no guidance."""
    if not sources.distilled_steps or sources.init is None:
        return codec
    generation = dataclasses.replace(
        read_description(sources.init).config.generation,
        steps=sources.distilled_steps,
        guidance_scale=1.0,
        edit_guidance_scale=None,
        distilled_steps=0,
    )
    config = dataclasses.replace(codec.config, generation=generation)
    return dataclasses.replace(codec, config=config)


def _writer(
    sources: DiffusionSources,
    codec: Codec,
    text_folder: Path | None,
    controls: ControlTensors | None,
) -> WeightWriter | LoraWriter | DistilledWriter:
    if sources.lora_rank is None:
        return WeightWriter(codec, text_folder, controls)
    if sources.init is None:
        raise ConfigError("a LoRA changes weights that exist; name the weight set to start from")
    if sources.distilled_steps:
        return DistilledWriter(sources.init, sources.distilled_steps)
    digest = read_description(sources.init).sha256
    return LoraWriter(codec.config, sources.lora_rank, codec.config.name, digest)


def _controls_of(init: Path, text_folder: Path | None, on_event: OnEvent) -> ControlTensors | None:
    """Return the control networks of the initial weights, if the text encoder is the same."""
    config, tensors = load_weight_set(init)
    if config.controls is None:
        return None
    own_text = init / TEXT_ENCODER_FOLDER
    if text_folder is not None and not _same_file(text_folder / TEXT_FILE, own_text / TEXT_FILE):
        on_event(
            Warned(
                f"the controls of {init} are left out, since the text encoder is another;"
                " train them with jen1 train controls"
            )
        )
        return None
    trained = config.provenance.get("guide", {})
    return ControlTensors(config.controls, tensors["prior"], tensors["tracker"], trained)


def _same_file(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def _adapted(config: ModelConfig, of_cache: ModelConfig) -> ModelConfig:
    if encoder_settings(config) != encoder_settings(of_cache):
        raise ConfigError(
            f"the cache was written by another autoencoder than that of '{config.name}';"
            " run 'jen1 train latents' with the right one"
        )
    components = of_cache.whitening.components
    return dataclasses.replace(
        config,
        autoencoder=of_cache.autoencoder,
        whitening=of_cache.whitening,
        unet=dataclasses.replace(config.unet, latent_channels=components),
        provenance=of_cache.provenance,
    )


def _widened(config: ModelConfig, sources: DiffusionSources, scores: ScoreTable) -> ModelConfig:
    """Return the configuration with channels for the full score if the cache has scores.

    Channels of the initial weights are kept, also without scores. A LoRA changes no widths, and a
    U-Net without any controls, as the paper's, gets none.
    """
    channels = config.unet.control_channels
    if not channels or sources.lora_rank is not None:
        return config
    if sources.init is not None:
        channels = max(channels, read_description(sources.init).config.unet.control_channels)
    if len(scores):
        channels = max(channels, CHANNELS_WITH_SCORE)
    return dataclasses.replace(
        config, unet=dataclasses.replace(config.unet, control_channels=channels)
    )


def load_text_encoder(
    config: TextConfig, folder: Path | None = None, init: Path | None = None
) -> tuple[TextEncoder, Path | None]:
    """Return the text encoder of a training, and its folder; None: it is of the hub.

    Args:
        config: the model's config.
        folder: the encoder's folder; None: that of `init`, else that of the bundled model.
        init: weight set to continue from.

    Raises:
        ConfigError: there is none.
        CheckpointError: it is broken, or of another size than the model's.
    """
    if config.revision is not None:
        return TextEncoder.from_hub(config), None
    if folder is None and init is not None:
        folder = init / TEXT_ENCODER_FOLDER
    if folder is None:
        folder = _bundled_text_encoder()
    if folder is None or not folder.is_dir():
        raise ConfigError(
            f"no text encoder was given ({folder}); name its folder with --text-encoder, such as"
            " the text_encoder folder of a weight set"
        )
    remedy = (
        f"name the folder of one with {config.features} features with --text-encoder, or a preset"
        " whose U-Net takes this one with --preset"
    )
    return TextEncoder.from_folder(folder, config, remedy=remedy), folder


def _bundled_text_encoder() -> Path | None:
    try:
        return find_weights(DEFAULT_WEIGHTS).folder / TEXT_ENCODER_FOLDER
    except CheckpointError:
        return None


def _start_from(unet: UNet1d, encoder: TextEncoder, config: ModelConfig, folder: Path) -> None:
    initial, tensors = load_weight_set(folder)
    if encoder.null_text is not None and "conditioning" in tensors:
        load_into(encoder, tensors["conditioning"], str(folder))
    found = tensors["unet"]
    more = config.unet.control_channels - initial.unet.control_channels
    if unet.guide is not None and more > 0:
        # new input channels have zero weights, which leaves the output unchanged
        old = found.get("guide.weight", torch.zeros(config.unet.time_features, 0))
        found = {
            **found,
            "input.weight": functional.pad(found["input.weight"], (0, 0, 0, more)),
            "guide.weight": functional.pad(old, (0, more)),
            "guide.bias": found.get("guide.bias", torch.zeros(config.unet.time_features)),
        }
    load_into(unet, found, str(folder))


def _samples(
    codec: Codec,
    cache: LatentCache,
    encoder: TextEncoder,
    prompts: Sequence[str],
    controls: ControlTensors | None,
    scores: ScoreTable,
) -> SampleWriter:
    held_out = cache.split("validation") or cache.split("train")
    if not held_out:
        raise DataError(f"{cache.folder} holds no clips; write it again")
    stride = max(1, len(held_out) // SAMPLE_PROMPTS)
    clips = held_out[::stride][:SAMPLE_PROMPTS]
    chosen = list(prompts) or [clip.captions[0] for clip in clips]
    longest = max(held_out, key=lambda clip: clip.frames)
    scored = []
    if codec.config.unet.control_channels > PLAYED_CHANNELS:
        whole = [(clip.captions[0], scores.complete(clip)) for clip in clips]
        scored = [(caption, found) for caption, found in whole if found.score is not None]
    return SampleWriter(codec, encoder, chosen, longest, controls, scored)


def describe(stage: DiffusionStage) -> Figures:
    """Return what `--dry-run` shows: parameters, memory in MB, windows and steps of an epoch."""
    named = stage.objective.named_parameters()
    network = [p for name, p in named if not name.startswith("teacher.")]
    parameters = sum(p.numel() for p in network)
    trainable = sum(p.numel() for p in network if p.requires_grad)
    windows = stage.sampler.epoch_windows
    return {
        "parameters": parameters,
        "trainable parameters": trainable,
        "memory for weights and optimiser (MB)": state_megabytes(parameters, trainable),
        "windows per epoch": windows,
        "steps per epoch": windows / stage.batch_size,
        "frames per window": stage.frames,
    }


def describe_unet(config: ModelConfig) -> Figures:
    """Return the figures of stage 2 that do not depend on a cache."""
    with torch.device("meta"):
        parameters = sum(p.numel() for p in UNet1d(config.unet).parameters())
    return {
        "stage 2 parameters": parameters,
        "stage 2 memory for weights and optimiser (MB)": state_megabytes(parameters, parameters),
    }
