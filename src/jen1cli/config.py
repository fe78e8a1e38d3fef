"""Frozen configurations, one per module.

This file gives the meaning and unit of every field; `jen1cli.presets` marks each constant of the
paper (arXiv 2308.04729v2) with its section; `jen1cli.typed_json` reads and writes them.
"""

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

from jen1cli.errors import ConfigError
from jen1cli.typed_json import Matrix, pack_matrix, stored_key, unpack_matrix

FORMAT_VERSION = 1
"""Version of the weight-set folder; a loader refuses a newer one."""

SamplerName = Literal["ddpm", "ddim", "dpmpp-2m", "unipc"]
ComposerName = Literal["rules", "learned", "none"]
PredictionName = Literal["eps", "v"]
DirectionName = Literal["bidirectional", "unidirectional"]
ScheduleName = Literal["linear", "sqrt-linear", "cosine"]


@dataclass(frozen=True)
class SeanetConfig:
    """SEANet autoencoder on the waveform (paper section IV-A; EnCodec 48 kHz is its parent)."""

    family: Literal["seanet"] = "seanet"
    sample_rate: int = 48_000  # Hz
    audio_channels: int = 2
    latent_channels: int = 128
    num_filters: int = 32  # channels after the first convolution; doubled by each stage
    ratios: tuple[int, ...] = (8, 5, 4, 2)  # decoder order; their product is the hop length
    kernel_size: int = 7  # kernel size of the first and last convolution
    residual_kernel_size: int = 3
    num_residual_layers: int = 1  # per stage
    dilation_growth: int = 2
    compress: int = 2  # hidden channels of a residual layer are channels / compress
    conv_shortcut: bool = True
    num_lstm_layers: int = 2  # 0 for none
    norm: Literal["weight_norm", "time_group_norm"] = "weight_norm"
    mask_ratio: float = 0.05  # share of the latent, in training only
    mask_granularity: Literal["frame", "element", "channel"] = "frame"

    @property
    def hop_length(self) -> int:
        """Samples in one latent frame."""
        hop = 1
        for ratio in self.ratios:
            hop *= ratio
        return hop


@dataclass(frozen=True)
class SpectralBand:
    """One band of the spectral autoencoder; its frames overlap by three quarters."""

    window_length: int  # samples; also the Fourier length
    high_hz: float  # upper edge; the next band begins here
    weight: float = 1.0  # weight of its features in the linear basis and the loss
    num_features: int | None = None  # log-magnitudes of pooled bins; None: one for each bin
    tonal: bool = True  # rebuild phase by following peaks, needs every bin; otherwise as noise
    # phase refinements of this band, as a multiple of the autoencoder's
    refinement_factor: int = field(default=1, metadata={"optional": True})
    # bins on each side of a steady partial whose phase the refinement keeps; 0: none, and signs of
    # sidelobes as before release 12
    kept_bins: int = field(default=0, metadata={"optional": True})


QualityName = Literal["draft", "normal", "best"]
"""Qualities of phase refinement in the decoder; "normal" is the weight set's own."""
QUALITY_FACTORS: dict[QualityName, float] = {"draft": 0.25, "normal": 1.0, "best": 3.0}
"""Phase refinements of each quality, as a multiple of the weight set's."""


@dataclass(frozen=True)
class SpectralConfig:
    """Autoencoder on log-magnitudes in several bands; the decoder rebuilds the phase."""

    family: Literal["spectral"] = "spectral"
    sample_rate: int = 48_000
    audio_channels: int = 2
    latent_channels: int = 128
    hop_length: int = 2048  # samples in one latent frame; a multiple of every band's hop
    bands: tuple[SpectralBand, ...] = (
        SpectralBand(4096, 1_500.0, 1.5, kept_bins=64),
        SpectralBand(2048, 6_000.0, 1.0, refinement_factor=2, kept_bins=2),
        SpectralBand(1024, 24_000.0, 0.7, num_features=64, tonal=False),
    )
    num_stereo_groups: int = 8  # per band: groups of bins with one balance and one coherence
    floor: float = 3e-5  # floor of magnitudes, relative to a full-scale sine
    trunk_channels: int = 384
    num_encoder_blocks: int = 2
    num_decoder_blocks: int = 4
    refinements: int = 8  # rounds of fast Griffin-Lim after the first guess of the phase
    # channels of the network that predicts envelopes within the windows; 0: no such network
    envelope_channels: int = field(default=0, metadata={"optional": True})
    # channels of the networks that predict frequencies in tonal bands; 0: those of peaks
    frequency_channels: int = field(default=0, metadata={"optional": True})
    mask_ratio: float = 0.05
    mask_granularity: Literal["frame", "element", "channel"] = "frame"

    def __post_init__(self) -> None:
        """Check that the bands can be built."""
        if self.audio_channels != 2:
            raise ConfigError(
                f"the spectral autoencoder describes stereo, not {self.audio_channels} channels;"
                " use 2"
            )
        for band in self.bands:
            if (
                band.window_length < 4
                or band.window_length % 4
                or self.hop_length % (band.window_length // 2)
            ):
                raise ConfigError(
                    f"a hop of {self.hop_length} samples holds no even number of spectra of a"
                    f" window of {band.window_length}; use a multiple of half the window"
                )
        if self.envelope_channels:
            self._check_envelopes()

    def _check_envelopes(self) -> None:
        windows = [band.window_length for band in self.bands]
        halving = all(a % b == 0 for a, b in itertools.pairwise(windows))
        if len(windows) < 2 or not halving or windows[-1] % 8 or not self.refinements:
            raise ConfigError(
                "envelopes need several bands, each window a multiple of the next one and the last"
                f" of 8, and refinements of the phase; windows are {windows}, refinements"
                f" {self.refinements}"
            )


AutoencoderConfig = SeanetConfig | SpectralConfig


@dataclass(frozen=True)
class WhiteningConfig:
    """PCA whitening with truncation (paper Algorithm 1)."""

    latent_channels: int = 128
    components: int = 128  # k of the paper: channels the diffusion model sees


@dataclass(frozen=True)
class TextConfig:
    """T5 text encoder and null text."""

    source: str = "text_encoder"  # folder inside the weight set, or a hub id
    revision: str | None = None  # revision of the hub id; None for a folder
    features: int = 1024  # width of the encoder's output (d_model)
    max_tokens: int = 128  # longer prompts are cut, with a warning
    null_prompt: Literal["empty", "learned"] = "empty"


@dataclass(frozen=True)
class UNetConfig:
    """Omnidirectional efficient 1D U-Net (paper section IV-B)."""

    latent_channels: int = 128  # of the whitened latent; context adds as many and one
    text_features: int = 1024  # cross-attention dimension
    channels: int = 320  # width at the first level
    multipliers: tuple[int, ...] = (1, 2, 4, 4)  # width of each level in units of channels
    factors: tuple[int, ...] = (1, 2, 2, 2)  # downsampling on entering each level
    num_blocks: tuple[int, ...] = (2, 2, 4, 5)  # residual blocks per level, on each side
    attention: tuple[bool, ...] = (False, False, True, True)  # self and cross, per level
    head_channels: int = 64
    kernel_size: int = 3
    feedforward_multiplier: int = 3  # hidden width of the attention blocks' feed-forward
    time_features: int = 512  # width of the time embedding after its two linear layers
    dropout: float = 0.0
    # unidirectional mode: zeros in front (the paper), or taps that read later frames dropped
    causal_convolution: Literal["padding", "masking"] = field(
        default="padding", metadata={"optional": True}
    )
    # channels of musical controls (`conditioning.controls.channels`); 0 for none, as the paper
    control_channels: int = field(default=0, metadata={"optional": True, "key": "guide_channels"})


@dataclass(frozen=True)
class ControlsConfig:
    """The small networks that predict controls from a text and transcribe them from music."""

    # hidden width of the predictor of tempo, meter and key
    predictor_features: int = field(default=256, metadata={"key": "prior_features"})
    chord_features: int = field(default=0, metadata={"optional": True})  # 0: no predictor
    part_features: int = field(default=0, metadata={"optional": True})  # same
    tracker_channels: int = 96
    tracker_dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)  # frames; one layer each
    # channels of chords, drums and melody that the tracker transcribes; 0: none
    transcribed_channels: int = field(
        default=0, metadata={"optional": True, "key": "heard_channels"}
    )
    # width of the convolutions over pitch that transcribe key, chords and melody; 0: none
    pitch_channels: int = field(default=0, metadata={"optional": True})


@dataclass(frozen=True)
class DiffusionConfig:
    """Noise schedule and what the network predicts (paper section III)."""

    schedule: ScheduleName = "linear"
    num_timesteps: int = 1000
    beta_start: float = 0.0015
    beta_end: float = 0.0195
    prediction: PredictionName = "eps"


@dataclass(frozen=True)
class GenerationConfig:
    """Defaults of sampling, stored with the weights they were measured on."""

    window_seconds: float = 10.0  # length of the sampling window
    sampler: SamplerName = "ddim"
    steps: int = 200
    guidance_scale: float = 2.0  # 1 is off
    guidance_interval: tuple[float, float] = (0.0, 1.0)  # interval of diffusion time; 0 is clean
    guidance_rescale: float = 0.0
    # interval of diffusion time in which guidance also acts on the controls
    control_guidance_interval: tuple[float, float] = field(
        default=(0.0, 0.0), metadata={"optional": True, "key": "guide_interval"}
    )
    # the same for the surrounding recording, if all known music is recorded, not generated
    context_guidance_interval: tuple[float, float] = field(
        default=(0.0, 0.0), metadata={"optional": True, "key": "context_interval"}
    )
    # factor of the guidance along `level_axes`; 1: as along all others
    level_guidance: float = field(default=1.0, metadata={"optional": True})
    # orthonormal axes of the latent along which levels change (`autoencoder.levels`); (): unknown
    level_axes: Matrix = field(
        default=(), metadata={"optional": True, "write": pack_matrix, "read": unpack_matrix}
    )
    eta: float = 0.0
    context_seconds: float = 5.0  # known music in front of each continuation window
    # the same in pieces that are wholly new; None: as above
    piece_context_seconds: float | None = field(default=None, metadata={"optional": True})
    # direction of windows that continue known music; the paper's is unidirectional
    continuation: DirectionName = field(default="unidirectional", metadata={"optional": True})
    # writer of the controls that are not given: rules of styles, the learned predictors, nobody
    composer: ComposerName = field(default="learned", metadata={"optional": True})
    # steps of the distilled network, one pass each (`training.diffusion.distillation`); 0: the
    # weight set has none
    distilled_steps: int = field(default=0, metadata={"optional": True})
    # whether it samples where nothing else is asked for; edits always prefer it
    prefers_distilled: bool = field(default=True, metadata={"optional": True})
    # scale of inpainting and continuation, where the context conditions as well; None: as above
    edit_guidance_scale: float | None = field(default=None, metadata={"optional": True})

    def for_pieces(self, context_seconds: float | None = None) -> "GenerationConfig":
        """Return the defaults of new pieces; a context that is given replaces theirs."""
        own = self.piece_context_seconds if context_seconds is None else context_seconds
        return self if own is None else dataclasses.replace(self, context_seconds=own)

    def for_edits(self) -> "GenerationConfig":
        """Return the defaults of inpainting and continuation.

        The composer by rule writes whole pieces only.
        """
        scale = self.edit_guidance_scale
        return dataclasses.replace(
            self,
            guidance_scale=self.guidance_scale if scale is None else scale,
            composer="learned" if self.composer == "rules" else self.composer,
            prefers_distilled=True,
        )


@dataclass(frozen=True)
class ModelConfig:
    """Everything that describes one weight set; `config.json` of its folder."""

    name: str
    autoencoder: AutoencoderConfig
    whitening: WhiteningConfig
    text: TextConfig
    unet: UNetConfig
    diffusion: DiffusionConfig
    generation: GenerationConfig
    controls: ControlsConfig | None = field(
        default=None, metadata={"optional": True, "key": "guide"}
    )
    licence: str = "Apache-2.0"
    provenance: dict[str, Any] = field(default_factory=dict)  # how the weights were trained
    # release of the weights: 1, 2, …, counted per name; 0: unreleased
    release: int = field(default=0, metadata={"optional": True})
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        """Check that sizes are valid and parts match."""
        parts = {"autoencoder": self.autoencoder, "whitening": self.whitening, "text": self.text,
                 "unet": self.unet, "guide": self.controls}  # fmt: skip
        for key, part in parts.items():
            if part is not None:
                _check_sizes(part, key)
        if self.whitening.latent_channels != self.autoencoder.latent_channels:
            raise ConfigError(
                f"whitening expects {self.whitening.latent_channels} channels but the autoencoder"
                f" has {self.autoencoder.latent_channels}; make them equal"
            )
        if self.unet.latent_channels != self.whitening.components:
            raise ConfigError(
                f"the U-Net expects {self.unet.latent_channels} channels but whitening keeps"
                f" {self.whitening.components}; make them equal"
            )
        axes = self.generation.level_axes
        if axes and len(axes[0]) != self.whitening.components:
            raise ConfigError(
                f"the level axes have {len(axes[0])} components but whitening keeps"
                f" {self.whitening.components}; make them equal"
            )
        if self.unet.text_features != self.text.features:
            raise ConfigError(
                f"the U-Net expects text of {self.unet.text_features} features but the encoder"
                f" gives {self.text.features}; make them equal"
            )

    @property
    def frame_rate(self) -> float:
        """Latent frames per second."""
        return self.autoencoder.sample_rate / self.autoencoder.hop_length


LARGEST_SIZE = 2**20
"""Largest integer in a configuration."""
DEEPEST = 256
"""Most blocks or layers of one kind, and entries of a list."""


def _check_sizes(part: Any, where: str) -> None:  # noqa: ANN401 - any of the dataclasses above
    """Check numbers with which building a network would fail or not terminate."""
    for item in dataclasses.fields(part):
        value, name = getattr(part, item.name), f"{where}.{stored_key(item)}"
        entries = value if isinstance(value, tuple) else (value,)
        counts = item.name.startswith("num_") and item.name.endswith(("blocks", "layers"))
        most = DEEPEST if counts or item.name == "refinements" else LARGEST_SIZE
        if not 1 <= len(entries) <= DEEPEST:
            raise ConfigError(f"{name} has {len(entries)} entries; give 1 to {DEEPEST}")
        for entry in entries:
            if dataclasses.is_dataclass(entry):
                _check_sizes(entry, name)
            elif isinstance(entry, int) and not 0 <= entry <= most:
                raise ConfigError(f"{name} is {entry}; give 0 to {most}")
