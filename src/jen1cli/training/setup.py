"""From folders to trainers: what the command line and `python -m jen1cli.training` call."""

import dataclasses
import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, KwargsHandler
from torch.nn import functional

from jen1cli.autoencoder import Autoencoder, Whitening, build_autoencoder
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.checkpoint import TEXT_ENCODER_FOLDER, load_into, load_weight_set, read_description
from jen1cli.conditioning import TextEncoder
from jen1cli.conditioning.text import FILE as TEXT_FILE
from jen1cli.config import ModelConfig, TextConfig
from jen1cli.errors import CheckpointError, ConfigError, DataError
from jen1cli.files import expand_user
from jen1cli.guide import guide_of
from jen1cli.manifest import Clip, read_folder
from jen1cli.shapes import Waveform
from jen1cli.training.autoencoder import AutoencoderParts, AutoencoderStage
from jen1cli.training.cache import CacheWriter, LatentCache
from jen1cli.training.codec import Codec, load_codec
from jen1cli.training.compatibility import check_latents, music_digest
from jen1cli.training.crops import CropSource, middles
from jen1cli.training.diffusion import DiffusionParts, DiffusionStage
from jen1cli.training.events import Figures, Listener, Warned, ignore
from jen1cli.training.guide import GuideParts, GuideStage
from jen1cli.training.linear_codec import LinearCodec
from jen1cli.training.memory import state_megabytes
from jen1cli.training.objective import Objective
from jen1cli.training.optimisation import mixed_precision
from jen1cli.training.recipes import AutoencoderRecipe, DiffusionRecipe, GuideRecipe, Optimisation
from jen1cli.training.samples import SampleWriter
from jen1cli.training.texts import TextCache
from jen1cli.training.weights import GuideTensors, GuideWriter, LoraWriter, WeightWriter
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import add_lora
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

DEVICES = ("auto", "cpu", "cuda")
SAMPLE_PROMPTS = 4
NOTHING_HELD_OUT = (
    "no clips are held out, so there are no validation figures: give more clips, or splits in a"
    " manifest"
)


@dataclass(frozen=True)
class DiffusionSources:
    """Where stage 2 takes its parts from."""

    cache: Path
    text_encoder: Path | None = None  # folder; None: of `init`, or the hub's
    init: Path | None = None  # weight set to continue from; None: random weights
    lora_rank: int | None = None  # train low-rank changes of `init` only
    prompts: Sequence[str] = ()  # of the samples; empty: captions of held-out clips


def build_accelerator(
    optimisation: Optimisation, *, device: str = "auto", unused: bool = False
) -> Accelerator:
    """Build accelerate's state for this process.

    Args:
        optimisation: its precision.
        device: "cpu" forces the processor.
        unused: some parameters get no gradient in some steps.
    """
    cpu = on_processor(device)
    kind = torch.device("cpu" if cpu else "cuda")
    handlers: list[KwargsHandler] = [DistributedDataParallelKwargs(find_unused_parameters=unused)]
    precision = mixed_precision(optimisation, kind)
    AcceleratorState._reset_state()  # a second job in this process may want another precision
    return Accelerator(cpu=cpu, mixed_precision=precision, kwargs_handlers=handlers)


def on_processor(device: str) -> bool:
    """Tell whether "auto", "cpu" or "cuda" means the processor here.

    Raises:
        ConfigError: it is another word, or "cuda" where there is none.
    """
    if device not in DEVICES:
        raise ConfigError(
            f"unknown device '{device}'; training knows {', '.join(DEVICES)}, and accelerate launch"
            " chooses among several GPUs"
        )
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ConfigError("the device 'cuda' is not on this machine; use --device cpu or auto")
    return device == "cpu" or not there


def read_clips(data: Path, listener: Listener) -> list[Clip]:
    """Read a folder of music; files that cannot be used are named to the listener.

    Raises:
        DataError: nothing in it can be used.
    """
    folder = expand_user(data).absolute()

    def skipped(path: Path, reason: str) -> None:
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        listener(Warned(f"skipped {name}: {reason}"))

    return read_folder(data, on_skip=skipped)


def write_latents(
    data: Path,
    codec_folder: Path,
    folder: Path,
    *,
    keep_whitening: bool = False,
    coloured: float = 0.0,
    device: str = "auto",
    listener: Listener = ignore,
) -> LatentCache:
    """Encode every clip of a folder of music into a latent cache.

    Args:
        data: folder of music, with or without a manifest.
        codec_folder: result of stage 1, or a weight set.
        folder: of the cache.
        keep_whitening: use the codec's whitening, for fine-tuning; else fit it to this music.
        coloured: share of the training clips to encode in another colour as well (`colour`).
        device: "auto", "cpu" or "cuda".
        listener: told about progress and skipped files.
    """
    codec = load_codec(codec_folder)
    place = torch.device("cpu" if on_processor(device) else "cuda")
    writer = CacheWriter(folder, codec.autoencoder.to(place), place)
    whitening = codec.whitening if keep_whitening else None
    clips = read_clips(data, listener)
    writer.write(
        clips, codec.config, whitening, listener, coloured=coloured, music=music_digest(clips)
    )
    return LatentCache.open(folder)


def build_autoencoder_stage(
    data: Path,
    config: ModelConfig,
    recipe: AutoencoderRecipe,
    accelerator: Accelerator,
    *,
    init: Path | None = None,
    seed: int = 0,
    listener: Listener = ignore,
) -> AutoencoderStage:
    """Build stage 1 on a folder of music.

    Args:
        data: folder of music.
        config: preset whose autoencoder to train.
        recipe: of the training.
        accelerator: of this process.
        init: stage 1 folder or weight set to continue from; replaces `config`.
        seed: of the weights and of every random draw.
        listener: told about skipped files.
    """
    torch.manual_seed(seed)
    if init is None:
        model = build_autoencoder(config.autoencoder)
        codec = Codec(config, model, Whitening(config.whitening))
    else:
        codec = load_codec(init)
    model, shape = codec.autoencoder, codec.config.autoencoder
    clips = read_clips(data, listener)
    rate, channels = shape.sample_rate, shape.audio_channels
    hop = shape.hop_length
    crops = CropSource(
        [clip for clip in clips if clip.split == "train"],
        sample_rate=rate,
        audio_channels=channels,
        samples=max(1, round(recipe.crop_seconds * rate / hop)) * hop,
        gain_decibels=recipe.gain_decibels,
        side_decibels=recipe.side_decibels,
        seed=seed,
        listener=listener,
    )
    some = crops.peek(recipe.linear_crops)
    if init is None:
        start_linear(model, some)
    held_out = [clip for clip in clips if clip.split == "validation"][: recipe.validation_clips]
    samples = round(recipe.validation_seconds * rate)
    found = list(middles(held_out, rate, channels, samples, listener))
    stacked = torch.stack(found) if found else torch.zeros(0, channels, samples)
    if not found:
        listener(Warned(NOTHING_HELD_OUT))
    floor = LinearCodec.fit(some, hop, shape.latent_channels) if found else None
    parts = AutoencoderParts(codec, crops, stacked, floor, stacked if found else some)
    return AutoencoderStage(parts, recipe, accelerator, seed=seed)


def start_linear(autoencoder: Autoencoder, waveform: Waveform) -> None:
    """Let a family that can (`fit_basis`) start at the principal components of some music."""
    if not isinstance(autoencoder, SpectralAutoencoder):
        return
    hop = autoencoder.hop_length
    whole = waveform[..., : waveform.shape[-1] // hop * hop]
    with torch.no_grad():
        features = torch.cat([autoencoder.features(one[None])[0].T for one in whole])
        mean = features.mean(0) / autoencoder.feature_weight + autoencoder.feature_mean
        autoencoder.fit_basis(features, mean)


def build_diffusion(
    sources: DiffusionSources,
    recipe: DiffusionRecipe,
    accelerator: Accelerator,
    *,
    config: ModelConfig | None = None,
    seed: int = 0,
    listener: Listener = ignore,
) -> DiffusionStage:
    """Build stage 2.

    Args:
        sources: cache, text encoder, weights to continue from.
        recipe: of the training.
        accelerator: of this process.
        config: preset whose U-Net, text and diffusion settings replace the cache's; None keeps
            them. Its autoencoder must be the cache's.
        seed: of the weights and of every random draw.
        listener: told what the new weights leave out.

    Raises:
        ConfigError: cache, preset and initial weights do not fit each other.
        DataError: the cache is incomplete.
    """
    cache = LatentCache.open(sources.cache)
    codec = load_codec(sources.cache)
    if config is not None:
        codec = dataclasses.replace(codec, config=_adapted(config, codec.config))
    config = codec.config
    torch.manual_seed(seed)
    encoder, text_folder = _text_encoder(sources, config.text)
    encoder = encoder.to(accelerator.device)
    unet = UNet1d(config.unet)
    if sources.init is not None:
        check_latents(sources.cache, sources.init)
        _start_from(unet, config, sources.init)
    if sources.lora_rank is not None:
        add_lora(unet, sources.lora_rank)
    unet.checkpointing = recipe.optimisation.checkpointing
    learned = config.text.null_prompt == "learned" and sources.lora_rank is None
    null_text = encoder.null(1)[0] if learned else None
    deviations = codec.whitening.inverse_matrix.norm(dim=1)
    objective = Objective(unet, config.diffusion, recipe, null_text, deviations)
    texts = TextCache(encoder)
    codec.autoencoder.to(accelerator.device)
    codec.whitening.to(accelerator.device)
    guide = None
    if sources.init is not None and sources.lora_rank is None:
        guide = _guide_of(sources.init, text_folder, listener)
    parts = DiffusionParts(
        config=config,
        objective=objective,
        cache=cache,
        texts=texts,
        weights=_writer(sources, codec, text_folder, guide),
        samples=_samples(codec, cache, texts, sources.prompts),
    )
    return DiffusionStage(parts, recipe, accelerator, seed=seed)


def _writer(
    sources: DiffusionSources, codec: Codec, text_folder: Path | None, guide: GuideTensors | None
) -> WeightWriter | LoraWriter:
    if sources.lora_rank is None:
        return WeightWriter(codec, text_folder, guide)
    if sources.init is None:
        raise ConfigError("a LoRA changes weights that exist; name the weight set to start from")
    digest = read_description(sources.init).sha256
    return LoraWriter(codec.config, sources.lora_rank, codec.config.name, digest)


def _guide_of(init: Path, text_folder: Path | None, listener: Listener) -> GuideTensors | None:
    """Return the guide's networks of the set to continue, where the text encoder stays the same."""
    config, tensors = load_weight_set(init)
    if config.guide is None:
        return None
    own_text = init / TEXT_ENCODER_FOLDER
    if text_folder is not None and not _same_file(text_folder / TEXT_FILE, own_text / TEXT_FILE):
        listener(
            Warned(
                f"the guide of {init} is left out, since the text encoder is another; train one"
                " with jen1 train guide"
            )
        )
        return None
    trained = config.provenance.get("guide", {})
    return GuideTensors(config.guide, tensors["prior"], tensors["tracker"], trained)


def _same_file(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def build_guide(
    cache: Path, init: Path, recipe: GuideRecipe, accelerator: Accelerator, *, seed: int = 0
) -> GuideStage:
    """Build the training of the guide's networks.

    Args:
        cache: latents written by the autoencoder and whitening of `init`.
        init: weight set that gets the networks; if it has some, they go on from there.
        recipe: of the training.
        accelerator: of this process.
        seed: of the weights and of every random draw.

    Raises:
        ConfigError: the cache is of another autoencoder.
        DataError: the cache is incomplete, or none of its clips has a tempo.
    """
    latents = LatentCache.open(cache)
    config, tensors = load_weight_set(init)
    codec = load_codec(cache)
    check_latents(cache, init)
    if not has_tempi(latents):
        raise DataError(
            f"no clip of {cache} has a tempo; give 'bpm', 'meter', 'key' and 'mode' as attributes"
        )
    encoder = TextEncoder.load(config.text, init).to(accelerator.device)
    initial = (
        GuideTensors(config.guide, tensors["prior"], tensors["tracker"]) if config.guide else None
    )
    parts = GuideParts(config, codec, latents, TextCache(encoder), GuideWriter(init), initial)
    return GuideStage(parts, recipe, accelerator, seed=seed)


def has_tempi(cache: LatentCache) -> bool:
    """Tell whether a training clip says its tempo, so that a guide can be learned."""
    return any(guide_of(clip.attributes).bpm for clip in cache.split("train"))


def _adapted(config: ModelConfig, of_cache: ModelConfig) -> ModelConfig:
    if config.autoencoder != of_cache.autoencoder:
        raise ConfigError(
            f"the cache was written by another autoencoder than that of '{config.name}';"
            " run 'jen1 train latents' with the right one"
        )
    components = of_cache.whitening.components
    return dataclasses.replace(
        config,
        whitening=of_cache.whitening,
        unet=dataclasses.replace(config.unet, latent_channels=components),
        provenance=of_cache.provenance,
    )


def _text_encoder(sources: DiffusionSources, config: TextConfig) -> tuple[TextEncoder, Path | None]:
    if config.revision is not None:
        return TextEncoder.from_hub(config), None
    folder = sources.text_encoder
    if folder is None and sources.init is not None:
        folder = sources.init / TEXT_ENCODER_FOLDER
    if folder is None:
        folder = _bundled_text_encoder()
    if folder is None or not folder.is_dir():
        raise ConfigError(
            f"no text encoder was given ({folder}); name its folder with --text-encoder, such as"
            " the text_encoder folder of a weight set"
        )
    return TextEncoder.from_folder(folder, config), folder


def _bundled_text_encoder() -> Path | None:
    try:
        return find_weights(DEFAULT_WEIGHTS).folder / TEXT_ENCODER_FOLDER
    except CheckpointError:
        return None


def _start_from(unet: UNet1d, config: ModelConfig, folder: Path) -> None:
    initial, tensors = load_weight_set(folder)
    found = tensors["unet"]
    more = config.unet.guide_channels - initial.unet.guide_channels
    if unet.guide is not None and more > 0:
        # it goes on as it was: what it was not told before has no weight at first
        old = found.get("guide.weight", torch.zeros(config.unet.time_features, 0))
        found = {
            **found,
            "input.weight": functional.pad(found["input.weight"], (0, 0, 0, more)),
            "guide.weight": functional.pad(old, (0, more)),
            "guide.bias": found.get("guide.bias", torch.zeros(config.unet.time_features)),
        }
    load_into(unet, found, str(folder))


def _samples(
    codec: Codec, cache: LatentCache, texts: TextCache, prompts: Sequence[str]
) -> SampleWriter:
    held_out = cache.split("validation") or cache.split("train")
    if not held_out:
        raise DataError(f"{cache.folder} holds no clips; write it again")
    stride = max(1, len(held_out) // SAMPLE_PROMPTS)
    chosen = list(prompts) or [c.captions[0] for c in held_out[::stride][:SAMPLE_PROMPTS]]
    return SampleWriter(
        codec.config, codec.autoencoder, codec.whitening, texts, chosen, held_out[0]
    )


def describe(stage: DiffusionStage) -> Figures:
    """Return what `--dry-run` shows: parameters, memory in MB, windows and steps of an epoch."""
    parameters = sum(p.numel() for p in stage.objective.parameters())
    trainable = sum(p.numel() for p in stage.objective.parameters() if p.requires_grad)
    windows = stage.sampler.epoch_windows
    return {
        "parameters": parameters,
        "trainable parameters": trainable,
        "memory for weights and optimiser (MB)": state_megabytes(parameters, trainable),
        "windows per epoch": windows,
        "steps per epoch": windows / stage.batch_size,
        "frames per window": stage.frames,
    }


def describe_autoencoder(stage: AutoencoderStage) -> Figures:
    """Return what `--dry-run` shows for stage 1."""
    parameters = sum(p.numel() for p in stage.objective.parameters())
    critic = sum(p.numel() for p in stage.discriminator.parameters())
    return {
        "parameters": parameters,
        "discriminator parameters": critic,
        # of the critic there is no average
        "memory for weights and optimisers (MB)": state_megabytes(parameters, parameters)
        + state_megabytes(0, critic),
        "clips": stage.clips,
        "steps per epoch": stage.clips / stage.batch_size,
    }


def describe_unet(config: ModelConfig) -> Figures:
    """Return what can be said of stage 2 before there is a cache."""
    with torch.device("meta"):
        parameters = sum(p.numel() for p in UNet1d(config.unet).parameters())
    return {
        "stage 2 parameters": parameters,
        "stage 2 memory for weights and optimiser (MB)": state_megabytes(parameters, parameters),
    }
