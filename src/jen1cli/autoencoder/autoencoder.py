"""Base class of all masked autoencoders (paper section IV-A).

The waveform [batch, audio_channels, samples] becomes a continuous latent
[batch, latent_channels, frames], one frame for each `hop_length` samples, and is decoded from it.
There is no quantiser, no chunking and no rescaling: the latent encodes level and stereo image.
A subclass supplies encoder and decoder on whole frames; padding, trimming, masking and streaming
are implemented here.
"""

from collections.abc import Iterable, Iterator

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.masking import mask_latent
from jen1cli.autoencoder.streaming import apply_overlapped, pad_to_frames, trim_to_samples
from jen1cli.config import AutoencoderConfig
from jen1cli.errors import AudioError
from jen1cli.shapes import Latent, Waveform

WaveformBlock = Float[Tensor, "batch audio_channels _"]
LatentBlock = Float[Tensor, "batch channels _"]


class Autoencoder(nn.Module):
    """Waveform ↔ latent; base class of the SEANet and the spectral autoencoder.

    A subclass overrides `encode_frames` and `decode_frames` and sets `reach_frames`.

    Attributes:
        config: the configuration it was built from.
        sample_rate: Hz.
        audio_channels: 1 or 2.
        latent_channels: channels of the latent, before whitening.
        hop_length: samples in one latent frame.
        frame_rate: latent frames per second.
        reach_frames: latent frames on each side that one frame of encoder or decoder output
            depends on; `encode_stream` and `decode_stream` overlap their pieces by as many.
        stream_seconds: seconds of audio in one piece of a stream; determines the peak memory.
        noise_key: key of a decoder's noise phases (`jen1cli.autoencoder.watermark`).
    """

    noise_key: str = ""
    reach_frames: int = 0
    stream_seconds: float = 5.0

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.audio_channels = config.audio_channels
        self.latent_channels = config.latent_channels
        self.hop_length = config.hop_length
        self.frame_rate = config.sample_rate / config.hop_length

    def encode_frames(self, waveform: Waveform) -> Latent:
        """Encode a whole number of frames: [B, C, frames · hop] → [B, D, frames]."""
        raise NotImplementedError

    def decode_frames(self, latent: Latent) -> Waveform:
        """Decode all frames: [B, D, frames] → [B, C, frames · hop]."""
        raise NotImplementedError

    def encode(self, waveform: Waveform) -> Latent:
        """Encode any number of samples; the last frame is padded with zeros.

        Returns:
            latent [batch, latent_channels, ceil(samples / hop_length)].

        Raises:
            AudioError: there are no samples.
        """
        self._check_waveform(waveform)
        samples = waveform.shape[-1]
        if samples == 0:
            raise AudioError("the audio has 0 samples; give at least one")
        return self.encode_frames(functional.pad(waveform, (0, -samples % self.hop_length)))

    def decode(self, latent: Latent, samples: int | None = None) -> Waveform:
        """Decode a latent.

        Args:
            latent: [batch, latent_channels, frames].
            samples: length of the result; by default frames · hop_length.
        """
        samples = self._check_latent(latent, samples)
        return self.decode_frames(latent)[..., :samples]

    def forward(self, waveform: Waveform) -> tuple[Waveform, Latent]:
        """Encode, mask (in training mode only) and decode.

        Returns:
            reconstruction of the input's length, and the latent as encoded, before masking.
        """
        latent = self.encode(waveform)
        masked = latent
        if self.training:
            masked = mask_latent(latent, self.config.mask_ratio, self.config.mask_granularity)
        return self.decode(masked, waveform.shape[-1]), latent

    def encode_stream(self, blocks: Iterable[WaveformBlock]) -> Iterator[LatentBlock]:
        """Encode a signal of any length in bounded memory, without gradients.

        Args:
            blocks: pieces [batch, audio_channels, any number of samples] of one signal, in order.

        Yields:
            pieces of the latent; joined along frames they equal `encode` of the joined blocks.
        """
        return self._encode_blocks(pad_to_frames(self._checked(blocks), self.hop_length))

    def decode_stream(self, latent: Latent, samples: int | None = None) -> Iterator[WaveformBlock]:
        """Decode a latent of any length in bounded memory, without gradients.

        Args:
            latent: [batch, latent_channels, frames].
            samples: length of the result; by default frames · hop_length.

        Yields:
            pieces of the waveform; joined along samples they equal `decode` up to rounding, which
            the refinement of a rebuilt phase may amplify: -60 dB is usual.
        """
        samples = self._check_latent(latent, samples)
        blocks = latent.split(self.stream_frames, dim=-1)
        return trim_to_samples(self._decode_blocks(blocks), samples)

    def decode_pieces(self, pieces: Iterable[LatentBlock], samples: int) -> Iterator[WaveformBlock]:
        """Decode a latent that is still being made, each piece as early as it can be.

        Args:
            pieces: consecutive parts [batch, latent_channels, any number of frames].
            samples: length of the result.

        Yields:
            pieces of the waveform; joined they equal `decode_stream` up to rounding.
        """
        return trim_to_samples(self._decode_blocks(pieces, soon=True), samples)

    @property
    def stream_frames(self) -> int:
        """Latent frames in each piece of `encode_stream` and `decode_stream`, without context."""
        return max(1, round(self.stream_seconds * self.frame_rate))

    def _encode_blocks(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """Encode waveform pieces to latent pieces; their total is a whole number of frames."""
        return apply_overlapped(
            blocks,
            self.encode_frames,
            reach_frames=self.reach_frames,
            chunk_frames=self.stream_frames,
            in_hop=self.hop_length,
        )

    def _decode_blocks(self, blocks: Iterable[Tensor], *, soon: bool = False) -> Iterator[Tensor]:
        """Decode latent pieces to waveform pieces; `soon` asks for early ones."""
        return apply_overlapped(
            blocks,
            self.decode_frames,
            reach_frames=self.reach_frames,
            chunk_frames=self.stream_frames,
            out_hop=self.hop_length,
        )

    def _checked(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        for block in blocks:
            self._check_waveform(block)
            yield block

    def _check_waveform(self, waveform: Tensor) -> None:
        if waveform.ndim != 3 or waveform.shape[1] != self.audio_channels:
            raise ValueError(
                f"waveform has shape {tuple(waveform.shape)};"
                f" give [batch, {self.audio_channels}, samples]"
            )

    def _check_latent(self, latent: Tensor, samples: int | None) -> int:
        if latent.ndim != 3 or latent.shape[1] != self.latent_channels or not latent.shape[-1]:
            raise ValueError(
                f"latent has shape {tuple(latent.shape)};"
                f" give [batch, {self.latent_channels}, at least one frame]"
            )
        longest = latent.shape[-1] * self.hop_length
        samples = longest if samples is None else samples
        if not 0 < samples <= longest:
            raise ValueError(f"{samples} samples asked of a latent that holds {longest}")
        return samples
