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
from jen1cli.autoencoder.envelope import EnvelopePredictor
from jen1cli.autoencoder.frequency import FrequencyPredictor, true_deviations
from jen1cli.autoencoder.phase import PhaseFollower
from jen1cli.autoencoder.refinement import PhaseRefiner
from jen1cli.autoencoder.spectral_loss import training_loss
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
        self.frequencies = nn.ModuleDict(
            {
                str(i): FrequencyPredictor(band, config.frequency_channels)
                for i, band in enumerate(self._bands)
                if band.tonal and config.frequency_channels
            }
        )
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
        self._predictor_reach = self.envelopes.reach_frames if self.envelopes else 0
        for i, predictor in self.predictors:
            reach_frames = math.ceil(predictor.reach / self.rates[i])
            self._predictor_reach = max(self._predictor_reach, reach_frames)
        self.reach_frames = self._trunk_reach + window_frames + 1

    @property
    def _bands(self) -> list[Band]:
        return [band for band in self.bands if isinstance(band, Band)]

    @property
    def _refiners(self) -> list[PhaseRefiner]:
        return [refiner for refiner in self.refiners if isinstance(refiner, PhaseRefiner)]

    @property
    def predictors(self) -> list[tuple[int, FrequencyPredictor]]:
        """Numbers of bands with the networks that predict their frequencies."""
        found = self.frequencies.items()
        return [(int(i), one) for i, one in found if isinstance(one, FrequencyPredictor)]

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
            reach_frames=self._trunk_reach + self._predictor_reach,
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
        """Return features, envelopes and frequencies of each latent frame, [B, values, frames]."""
        features = self.decode_features(latent)
        parts = [features, self._predict_envelopes(features)]
        for (i, _), found in zip(self.predictors, self.frequencies_of(features), strict=True):
            parts.append(rearrange(found, "b n (f r) -> b (n r) f", r=self.rates[i]))
        return torch.cat(parts, dim=1)

    def frequencies_of(self, features: Tensor) -> list[Tensor]:
        """Return the frequencies in the bins of each of `predictors`, [B, bins, spectra].

        In bins, from the bin's centre.
        """
        levels = [own for _, own, _, _ in self.unpack(features)] if self.predictors else []
        return [predict(levels[i]) for i, predict in self.predictors]

    def _predict_envelopes(self, features: Tensor) -> Tensor:
        """Return the log-power of all shaped bands, [B, bands · points, frames]; maybe no bands."""
        if self.envelopes is None:
            return features[:, :0]
        found = self.envelopes_of(features)
        return rearrange(found, "b n (f p) -> b (n p) f", p=self.envelopes.points)

    def envelopes_of(self, features: Tensor) -> Tensor:
        """Return the predicted log-power of all shaped bands, [B, bands, points]."""
        assert self.envelopes is not None
        return self.envelopes([levels for _, levels, _, _ in self.unpack(features)])

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
        for band, log_magnitude, balance, _ in self.unpack(self.decode_features(latent)):
            magnitude = torch.stack(band.pan(band.magnitude(log_magnitude), balance), dim=1)
            total += band.synthesize(torch.polar(magnitude, band.analyze(original).angle()))
        return total

    def training_loss(
        self, waveform: Waveform, *, frozen: bool = False, whitening: Whitening | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of training and its parts; see `spectral_loss.training_loss`."""
        return training_loss(self, waveform, frozen=frozen, whitening=whitening)

    @torch.no_grad()
    def true_envelopes(self, waveform: Waveform) -> Tensor:
        """Return the log-power of all shaped bands of music, [B, bands, points]."""
        assert self.envelopes is not None
        points = waveform.shape[-1] // self.envelopes.grid
        shaped = list(zip(self._bands, self._refiners, strict=True))[1:]
        rows = [refiner.envelope(band.analyze(waveform), points) for band, refiner in shaped]
        return torch.stack(rows, dim=1)

    @torch.no_grad()
    def true_frequencies(self, waveform: Waveform) -> list[tuple[Tensor, Tensor]]:
        """Return what `frequencies_of` should be, and the magnitudes, both [B, bins, spectra]."""
        found = []
        for i, _ in self.predictors:
            spectrum = self._bands[i].analyze(waveform)
            magnitude = spectrum.abs().square().mean(1).sqrt()
            found.append((true_deviations(self._bands[i], spectrum), magnitude))
        return found

    def levels(self, features: Tensor) -> Tensor:
        """Return the levels in nepers of mid and side of each band over the crop: [B, bands, 2]."""
        energies = [
            band.mid_and_side(log_magnitude, width)
            for band, log_magnitude, _, width in self.unpack(features)
        ]
        return 0.5 * torch.stack(energies, dim=1).log()

    def unpack(self, features: Tensor) -> Iterator[tuple[Band, Tensor, Tensor, Tensor]]:
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
            balance and width of its groups, and frequencies of its bins where they are predicted.
        """
        points = self.envelopes.points * self.envelopes.num_shaped if self.envelopes else 0
        sizes = [self._bands[i].bins * self.rates[i] for i, _ in self.predictors]
        features, envelopes, *found = described.split((self.num_features, points, *sizes), dim=1)
        deviations: list[Tensor | None] = [None] * len(self._bands)
        for (i, _), rows in zip(self.predictors, found, strict=True):
            deviations[i] = rearrange(rows, "b (n r) f -> b n (f r)", r=self.rates[i])
        packed = [envelopes]
        for (band, log_magnitude, balance, width), rate, follow, deviation in zip(
            self.unpack(features), self.rates, followers, deviations, strict=True
        ):
            magnitude = band.magnitude(log_magnitude)
            spectrum = torch.polar(magnitude, follow(magnitude, deviation))
            parts = (spectrum.real, spectrum.imag, balance, width)
            values = torch.cat(parts if deviation is None else (*parts, deviation), dim=1)
            packed.append(rearrange(values, "b n (f r) -> b (n r) f", r=rate))
        return torch.cat(packed, dim=1)

    def _render(self, packed: Tensor) -> Waveform:
        """Refine the phase, make the spectra stereo and sum the bands' waveforms."""
        predicted = {i: self._bands[i].bins for i, _ in self.predictors}
        counts = [
            (band.bins, band.bins, band.num_groups, band.num_groups, predicted.get(i, 0))
            for i, band in enumerate(self._bands)
        ]
        sizes = [sum(own) * rate for own, rate in zip(counts, self.rates, strict=True)]
        described, spectra = packed.tensor_split((packed.shape[1] - sum(sizes),), dim=1)
        envelopes: list[Tensor | None] = [None] * len(sizes)
        if self.envelopes:
            envelopes[1:] = rearrange(described, "b (n p) f -> n b (f p)", p=self.envelopes.points)
        waveform = None
        for band, rate, refine, envelope, own, part in zip(
            self._bands,
            self.rates,
            self._refiners,
            envelopes,
            counts,
            spectra.split(sizes, dim=1),
            strict=True,
        ):
            values = rearrange(part, "b (n r) f -> b n (f r)", r=rate)
            real, imaginary, balance, width, deviation = values.split(own, dim=1)
            guess = torch.complex(real.contiguous(), imaginary.contiguous())
            spectrum = refine(guess, envelope, deviation if own[-1] else None)
            share = band.synthesize(band.place(spectrum.abs(), spectrum.angle(), balance, width))
            waveform = share if waveform is None else waveform + share
        assert waveform is not None
        return waveform
