"""Autoencoder on log-magnitude spectra, used by the bundled model.

The paper's autoencoder works on the waveform (section IV-A). Its latent encodes the phase of every
partial, which takes most of a small diffusion model's capacity. Here the latent encodes only level
and stereo position of each partial; the decoder estimates the phase (`jen1cli.autoencoder.phase`)
and makes it consistent (`jen1cli.autoencoder.refinement`).

Encoder and decoder are each a linear projection, initialised with the principal components of the
features (`fit_basis`), plus a convolutional trunk at frame rate whose last layer is initialised to
zero: training starts at the quality of the best linear code.
"""

import math
from collections.abc import Iterable, Iterator

import torch
from einops import pack, rearrange
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.autoencoder.envelope import EnvelopePredictor, envelope_loss
from jen1cli.autoencoder.masking import NESTED_SHARE, drop_last_channels, mask_latent
from jen1cli.autoencoder.phase import PhaseFollower
from jen1cli.autoencoder.refinement import PhaseRefiner
from jen1cli.autoencoder.spectrum import Band, pool_pairs, unpool_pairs
from jen1cli.autoencoder.streaming import ahead, apply_overlapped
from jen1cli.autoencoder.trunk import Trunk
from jen1cli.autoencoder.whitening import Whitening, principal_components
from jen1cli.config import SpectralConfig
from jen1cli.errors import DataError
from jen1cli.shapes import Latent, Waveform

BALANCE_WEIGHT = 3.0
"""Weight of the balance (-1..1) relative to log-magnitudes (nepers)."""
WIDTH_WEIGHT = 1.0
"""Weight of the width (nepers) relative to log-magnitudes."""
LATENT_NOISE = 0.05
"""Standard deviation of the noise added in training, relative to that of each latent channel."""
LEVEL_WEIGHT = 2.0
"""Weight in the loss of the error in the levels of mid and side (nepers)."""


class SpectralAutoencoder(Autoencoder):
    """Waveform → log-magnitude features ↔ latent; the decoder estimates the phase.

    Attributes:
        num_features: number of features in one latent frame.
    """

    stream_seconds = 10.0

    config: SpectralConfig
    feature_weight: Tensor  # [num_features]
    feature_mean: Tensor  # [num_features]
    latent_scale: Tensor  # [latent_channels]

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__(config)
        lows = [0.0, *(band.high_hz for band in config.bands[:-1])]
        self.bands = nn.ModuleList(
            Band(band, low, config.num_stereo_groups, config.sample_rate, config.floor)
            for band, low in zip(config.bands, lows, strict=True)
        )
        step = self._bands[-1].hop // 2 if config.envelope_channels else 0
        self.refiners = nn.ModuleList(
            PhaseRefiner(band, config.refinements * item.refinement_factor, step if i else 0)
            for i, (band, item) in enumerate(zip(self._bands, config.bands, strict=True))
        )
        self.envelopes: EnvelopePredictor | None = None
        if channels := config.envelope_channels:
            lengths = [refiner.length for refiner in self._refiners]
            self.envelopes = EnvelopePredictor(self._bands, lengths, config.hop_length, channels)
        # spectra of each band in one latent frame
        self.rates = [config.hop_length // band.hop for band in self._bands]
        sizes = [
            rate * band.num_features + rate // 2 * 2 * band.num_groups
            for rate, band in zip(self.rates, self._bands, strict=True)
        ]
        self.num_features = sum(sizes)
        self._sizes = sizes
        weights = [
            self._band_vector(band, rate, item.weight)
            for band, rate, item in zip(self._bands, self.rates, config.bands, strict=True)
        ]
        self.register_buffer("feature_weight", torch.cat(weights), persistent=False)
        self.register_buffer("feature_mean", torch.zeros(self.num_features))
        self.register_buffer("latent_scale", torch.ones(config.latent_channels))
        self.project = nn.Parameter(torch.zeros(config.latent_channels, self.num_features))
        self.expand = nn.Parameter(torch.zeros(self.num_features, config.latent_channels))
        width = config.trunk_channels
        self.encoder_trunk = Trunk(
            self.num_features, config.latent_channels, width, config.num_encoder_blocks
        )
        self.decoder_trunk = Trunk(
            config.latent_channels, self.num_features, width, config.num_decoder_blocks
        )
        nn.init.orthogonal_(self.project)
        self.expand.data.copy_(self.project.data.T)
        window_frames = max(band.length for band in self._bands) // config.hop_length
        reach = max(
            refiner.reach * band.hop
            for refiner, band in zip(self._refiners, self._bands, strict=True)
        )
        self._refine_reach = math.ceil(reach / config.hop_length) + window_frames + 1
        self._trunk_reach = 2 * max(config.num_encoder_blocks, config.num_decoder_blocks)
        self._envelope_reach = self.envelopes.reach_frames if self.envelopes else 0
        self.reach_frames = self._trunk_reach + window_frames + 1

    @property
    def _bands(self) -> list[Band]:
        return [band for band in self.bands if isinstance(band, Band)]

    @property
    def _refiners(self) -> list[PhaseRefiner]:
        return [refiner for refiner in self.refiners if isinstance(refiner, PhaseRefiner)]

    @staticmethod
    def _band_vector(band: Band, rate: int, magnitude: float) -> Tensor:
        """Return the weight of each feature of a band, in the order of `features`."""
        groups = torch.ones(band.num_groups)
        cues = torch.cat((BALANCE_WEIGHT * groups, WIDTH_WEIGHT * groups))
        return torch.cat(
            (torch.full((band.num_features * rate,), magnitude), cues.repeat(rate // 2))
        )

    def features(self, waveform: Waveform) -> Tensor:
        """Return weighted, centred features [B, num_features, frames] of a waveform.

        Args:
            waveform: [B, 2, frames · hop_length].
        """
        rows = []
        for band, rate in zip(self._bands, self.rates, strict=True):
            log_magnitude, balance, width = band.describe(band.analyze(waveform))
            rows.append(rearrange(log_magnitude, "b n (f r) -> b (r n) f", r=rate))
            cues = torch.cat((pool_pairs(balance), pool_pairs(width)), dim=1)
            rows.append(rearrange(cues, "b n (f r) -> b (r n) f", r=rate // 2))
        stacked, _ = pack(rows, "b * f")
        return (stacked - self.feature_mean[:, None]) * self.feature_weight[:, None]

    def encode_features(self, features: Tensor) -> Latent:
        """Map features [B, num_features, frames] to the latent."""
        unit = self.project @ features + self.encoder_trunk(features)
        return unit * self.latent_scale[:, None]

    def decode_features(self, latent: Latent) -> Tensor:
        """Map the latent to features [B, num_features, frames]."""
        unit = latent / self.latent_scale[:, None]
        return self.expand @ unit + self.decoder_trunk(unit)

    def encode_frames(self, waveform: Waveform) -> Latent:
        """Encode a whole number of frames: [B, 2, frames · hop] → [B, D, frames]."""
        return self.encode_features(self.features(waveform))

    def decode_frames(self, latent: Latent) -> Waveform:
        """Decode all frames: [B, D, frames] → [B, 2, frames · hop]."""
        described = self._describe_frames(latent)
        return self._render(self._guess_phase(described, self._followers()))

    def _decode_blocks(self, blocks: Iterable[Tensor], *, soon: bool = False) -> Iterator[Tensor]:
        """Decode in pieces; the followers keep their state, and rendering has equal pieces."""
        followers = self._followers()
        features = apply_overlapped(
            blocks,
            self._describe_frames,
            reach_frames=self._trunk_reach + self._envelope_reach,
            chunk_frames=max(1, self.stream_frames // (4 if soon else 1)),
        )
        guesses = (self._guess_phase(piece, followers) for piece in features)
        return apply_overlapped(
            ahead(guesses),  # phase estimation uses one core; rendering uses the others meanwhile
            self._render,
            reach_frames=self._refine_reach,
            chunk_frames=self.stream_frames,
            out_hop=self.hop_length,
        )

    def _describe_frames(self, latent: Latent) -> Tensor:
        """Return features and envelopes of each latent frame, [B, values, frames]."""
        features = self.decode_features(latent)
        return torch.cat((features, self._predict_envelopes(features)), dim=1)

    def _predict_envelopes(self, features: Tensor) -> Tensor:
        """Return the log-power of all shaped bands, [B, bands · points, frames]; maybe no bands."""
        if self.envelopes is None:
            return features[:, :0]
        found = self._envelopes_of(features)
        return rearrange(found, "b n (f p) -> b (n p) f", p=self.envelopes.points)

    def _envelopes_of(self, features: Tensor) -> Tensor:
        """Return the predicted log-power of all shaped bands, [B, bands, points]."""
        assert self.envelopes is not None
        return self.envelopes([levels for _, levels, _, _ in self._unpack(features)])

    @torch.no_grad()
    def _true_envelopes(self, waveform: Waveform) -> Tensor:
        """Return the log-power of all shaped bands of music, [B, bands, points]."""
        assert self.envelopes is not None
        points = waveform.shape[-1] // self.envelopes.grid
        shaped = list(zip(self._bands, self._refiners, strict=True))[1:]
        rows = [refiner.envelope(band.analyze(waveform), points) for band, refiner in shaped]
        return torch.stack(rows, dim=1)

    def decode_with_phase(self, latent: Latent, waveform: Waveform) -> Waveform:
        """Decode with the original's phase: a yardstick for the phase that `decode` rebuilds.

        Left and right keep their own phases, so the decoded width is not needed.

        Args:
            latent: [B, D, frames].
            waveform: the original, [B, 2, samples], as long as the latent or shorter.

        Returns:
            [B, 2, samples].
        """
        samples, hop = self._check_latent(latent, waveform.shape[-1]), self.hop_length
        padded = functional.pad(waveform, (0, latent.shape[-1] * hop - samples))
        both = torch.cat((latent, rearrange(padded, "b c (f h) -> b (c h) f", h=hop)), dim=1)
        pieces = apply_overlapped(
            both.split(self.stream_frames, dim=-1),
            self._lend_phase,
            reach_frames=self.reach_frames,
            chunk_frames=self.stream_frames,
            out_hop=hop,
        )
        return torch.cat(list(pieces), dim=-1)[..., :samples]

    def _lend_phase(self, both: Tensor) -> Waveform:
        latent, rows = both.tensor_split((self.latent_channels,), dim=1)
        original = rearrange(rows, "b (c h) f -> b c (f h)", c=self.audio_channels)
        total = torch.zeros_like(original)
        for band, log_magnitude, balance, _ in self._unpack(self.decode_features(latent)):
            magnitude = torch.stack(band.pan(band.magnitude(log_magnitude), balance), dim=1)
            total += band.synthesize(torch.polar(magnitude, band.analyze(original).angle()))
        return total

    def training_loss(
        self, waveform: Waveform, *, frozen: bool = False, whitening: Whitening | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the reconstruction error of the features; the latent is noised, cut and masked.

        The mean absolute and 0.2 times the mean squared error of weighted log-magnitudes and stereo
        cues, plus the error in the levels of mid and side and, if envelopes are predicted, their
        error. It is independent of phase, so no waveform is synthesised.

        Args:
            waveform: [B, 2, samples].
            frozen: compute no gradient for the encoder, which keeps the latent space.
            whitening: a fixed whitening of the latents; a share of the crops then loses the
                components that it drops, instead of the last channels.

        Returns:
            the loss and its parts by name.
        """
        with torch.no_grad():
            padding = -waveform.shape[-1] % self.hop_length
            waveform = functional.pad(waveform, (0, padding))
            features = self.features(waveform)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            latent = self.encode_features(features)
        if self.training:
            scale = latent.detach().std(dim=(0, 2), keepdim=True)
            latent = latent + LATENT_NOISE * scale * torch.randn_like(latent)
            latent = self._shortened(latent, whitening)
            latent = mask_latent(latent, self.config.mask_ratio, self.config.mask_granularity)
        found = self.decode_features(latent).float()
        error = (found - features).abs()
        absolute, square = error.mean(), error.square().mean()
        level = (self._levels(found) - self._levels(features)).abs().mean()
        total = absolute + 0.2 * square + LEVEL_WEIGHT * level
        parts = {"absolute": absolute, "square": square, "level": level}
        if self.envelopes is not None:
            with torch.autocast(found.device.type, enabled=False):  # powers need single precision
                wanted = self._true_envelopes(waveform)
                # detached: the features shall not bend to help the envelopes
                parts["envelope"] = envelope_loss(self._envelopes_of(found.detach()), wanted)
            total = total + parts["envelope"]
        return total, parts

    def _shortened(self, latent: Latent, whitening: Whitening | None) -> Latent:
        if whitening is None:
            return drop_last_channels(latent)
        seen = whitening.unwhiten(whitening.whiten(latent))
        short = torch.rand(len(latent), 1, 1, device=latent.device) < NESTED_SHARE
        return torch.where(short, seen, latent)

    def _levels(self, features: Tensor) -> Tensor:
        """Return the levels in nepers of mid and side of each band over the crop: [B, bands, 2]."""
        energies = [
            band.mid_and_side(log_magnitude, width)
            for band, log_magnitude, _, width in self._unpack(features)
        ]
        return 0.5 * torch.stack(energies, dim=1).log()

    def _unpack(self, features: Tensor) -> Iterator[tuple[Band, Tensor, Tensor, Tensor]]:
        """Yield each band with log-magnitudes, balance and width at the frame rate of the band.

        Shapes: [B, num_features, spectra], and twice [B, num_groups, spectra].
        """
        features = features / self.feature_weight[:, None] + self.feature_mean[:, None]
        parts = features.split(self._sizes, dim=1)
        for band, rate, part in zip(self._bands, self.rates, parts, strict=True):
            magnitudes, cues = part.split(
                (band.num_features * rate, 2 * band.num_groups * (rate // 2)), dim=1
            )
            log_magnitude = rearrange(magnitudes, "b (r n) f -> b n (f r)", r=rate)
            cues = rearrange(cues, "b (r n) f -> b n (f r)", r=rate // 2)
            balance, width = unpool_pairs(cues).chunk(2, dim=1)
            yield band, log_magnitude, balance, width

    @torch.no_grad()
    def fit_basis(self, features: Tensor, mean: Tensor) -> None:
        """Initialise both projections with the principal components of the features.

        The projections work on channels of unit variance; `latent_scale` scales each by the square
        root of its share of the features' variance, by which whitening (paper Algorithm 1) selects
        the channels to keep.

        Args:
            features: [frames, num_features], results of `features` for a large sample of music.
            mean: [num_features] of the unweighted features; replaces `feature_mean`.

        Raises:
            DataError: there are fewer frames than latent channels.
        """
        if len(features) < self.latent_channels:
            raise DataError(
                f"{len(features)} frames of music are too few for {self.latent_channels} latent"
                " channels; give more music"
            )
        shift = (mean - self.feature_mean) * self.feature_weight
        self.feature_mean.copy_(mean)
        centred = (features - shift).double()
        values, vectors = principal_components(centred)
        values = values[: self.latent_channels].clamp_min(1e-8)
        vectors = vectors[:, : self.latent_channels]
        self.latent_scale.copy_(values.sqrt())
        self.project.copy_((vectors / values.sqrt()).T)
        self.expand.copy_(vectors * values.sqrt())

    def _followers(self) -> list[PhaseFollower]:
        return [PhaseFollower(band, self.noise_key) for band in self._bands]

    def _guess_phase(self, described: Tensor, followers: list[PhaseFollower]) -> Tensor:
        """Turn features into spectra with estimated phase and stereo cues, packed by latent frame.

        Args:
            described: results of `_describe_frames`.
            followers: one for each band.

        Returns:
            [B, values, frames]: envelopes; then per band real and imaginary parts of its bins,
            balance and width of its groups.
        """
        features, envelopes = described.tensor_split((self.num_features,), dim=1)
        packed = [envelopes]
        for (band, log_magnitude, balance, width), rate, follow in zip(
            self._unpack(features), self.rates, followers, strict=True
        ):
            magnitude = band.magnitude(log_magnitude)
            spectrum = torch.polar(magnitude, follow(magnitude))
            values = torch.cat((spectrum.real, spectrum.imag, balance, width), dim=1)
            packed.append(rearrange(values, "b n (f r) -> b (n r) f", r=rate))
        return torch.cat(packed, dim=1)

    def _render(self, packed: Tensor) -> Waveform:
        """Refine the phase, make the spectra stereo and sum the bands' waveforms."""
        sizes = [
            2 * (band.bins + band.num_groups) * rate
            for band, rate in zip(self._bands, self.rates, strict=True)
        ]
        described, spectra = packed.tensor_split((packed.shape[1] - sum(sizes),), dim=1)
        envelopes: list[Tensor | None] = [None] * len(sizes)
        if self.envelopes:
            envelopes[1:] = rearrange(described, "b (n p) f -> n b (f p)", p=self.envelopes.points)
        waveform = None
        for band, rate, refine, envelope, part in zip(
            self._bands,
            self.rates,
            self._refiners,
            envelopes,
            spectra.split(sizes, dim=1),
            strict=True,
        ):
            values = rearrange(part, "b (n r) f -> b n (f r)", r=rate)
            counts = (band.bins, band.bins, band.num_groups, band.num_groups)
            real, imaginary, balance, width = values.split(counts, dim=1)
            guess = torch.complex(real.contiguous(), imaginary.contiguous())
            spectrum = refine(guess, envelope)
            share = band.synthesize(band.place(spectrum.abs(), spectrum.angle(), balance, width))
            waveform = share if waveform is None else waveform + share
        assert waveform is not None
        return waveform
