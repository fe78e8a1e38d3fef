"""Input features of the tagger: log-mel spectrogram, semitone spectrogram, and tempogram.

All are computed from mono sound at 24 kHz, normalised in level, so that they do not depend on
loudness.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.metrics.mel import mel_filters

SAMPLE_RATE = 24_000  # Hz
HOP = 240  # samples: 100 frames of the mel spectrogram per second
FRAME_RATE = SAMPLE_RATE // HOP
WINDOW = 1024
NUM_MELS = 80
LOW_HZ, HIGH_HZ = 30.0, 11_500.0
PITCH_WINDOW = 8192  # 2.9 Hz between bins
PITCH_HOP = 2400  # 10 frames per second
PITCH_RATE = SAMPLE_RATE // PITCH_HOP
LOWEST_NOTE = 33  # MIDI number, 55 Hz
OCTAVES = 6
LEVEL = 0.1  # root mean square after normalisation
FLOOR = 1e-7  # power; lower values are clamped

SLOWEST_BPM = 40.0
BPM_STEP = 0.02  # step of the natural logarithm of the tempo
NUM_TEMPI = 86  # up to 219 bpm
ONSET_BANDS = 8
BEAT_MULTIPLES = (0.5, 1.0, 2.0, 3.0, 4.0, 8.0)  # lags of the autocorrelation in beats

Mono = Float[Tensor, "batch samples"]
Mel = Float[Tensor, "batch mels mel_frames"]
Pitch = Float[Tensor, "batch notes pitch_frames"]
Tempogram = Float[Tensor, "batch rows tempi"]


@dataclass(frozen=True)
class Features:
    """Input features of the network for a batch."""

    mel: Mel
    pitch: Pitch

    def to(self, device: torch.device) -> "Features":
        """Return the features on a device."""
        return Features(self.mel.to(device), self.pitch.to(device))

    def __getitem__(self, items: slice) -> "Features":
        return Features(self.mel[items], self.pitch[items])


def describe(mono: Mono) -> Features:
    """Compute the features of sounds of equal length, at least one second at 24 kHz."""
    level = mono.square().mean(-1, keepdim=True).sqrt()
    mono = mono * (LEVEL / level.clamp(min=1e-6))
    power = _power(mono, WINDOW, HOP)
    mel = (_mel_filters().to(mono) @ power).clamp(min=FLOOR).log()
    notes = _note_filters().to(mono) @ _power(mono, PITCH_WINDOW, PITCH_HOP)
    return Features(mel, notes.clamp(min=FLOOR).log())


def tempi() -> Float[Tensor, " tempi"]:
    """Return the beats per minute of the columns of a tempogram."""
    return SLOWEST_BPM * torch.exp(BPM_STEP * torch.arange(NUM_TEMPI))


def tempogram(mel: Mel) -> Tempogram:
    """Return the autocorrelation of the onsets at multiples of the beat, for every tempo.

    The autocorrelation of the onsets of eight bands is interpolated at lags of `BEAT_MULTIPLES`
    beats of each tempo; at lags beyond 60 % of the sound it is 0.
    """
    bands = mel.unflatten(1, (ONSET_BANDS, NUM_MELS // ONSET_BANDS))
    onsets = bands.diff(dim=-1).clamp(min=0).mean(2)
    onsets = onsets - onsets.mean(-1, keepdim=True)
    frames = onsets.shape[-1]
    spectrum = torch.fft.rfft(onsets, n=2 * frames).abs().square()
    lags = torch.arange(frames, device=mel.device)
    correlation = torch.fft.irfft(spectrum)[..., :frames] / (frames - lags)
    correlation = correlation / (correlation[..., :1] + 1e-4)
    beats = 60.0 * FRAME_RATE / tempi().to(mel)
    wanted = torch.tensor(BEAT_MULTIPLES, device=mel.device, dtype=mel.dtype)[:, None] * beats
    inside = wanted < 0.6 * frames
    place = wanted.clamp(max=frames - 2)
    left = place.floor().long()
    share = place - left
    read = correlation[..., left] * (1 - share) + correlation[..., left + 1] * share
    return (read * inside).flatten(1, 2)


def _power(mono: Mono, window: int, hop: int) -> Float[Tensor, "batch bins frames"]:
    shape = torch.hann_window(window, device=mono.device, dtype=mono.dtype)
    spectrum = torch.stft(
        mono, window, hop, window=shape, center=True, pad_mode="constant", return_complex=True
    )
    return spectrum.abs().square() / shape.square().sum()


@lru_cache(maxsize=1)
def _mel_filters() -> Float[Tensor, "mels bins"]:
    filters = mel_filters(WINDOW // 2 + 1, LOW_HZ, HIGH_HZ, NUM_MELS, SAMPLE_RATE, scale="slaney")
    return filters.T.contiguous()


@lru_cache(maxsize=1)
def _note_filters() -> Float[Tensor, "notes bins"]:
    """Return triangular filters of ± one semitone, at least as wide as the bin spacing."""
    bins = torch.arange(PITCH_WINDOW // 2 + 1) * (SAMPLE_RATE / PITCH_WINDOW)
    note = 69 + 12 * torch.log2(bins.clamp(min=1.0) / 440.0)
    centres = LOWEST_NOTE + torch.arange(12 * OCTAVES)
    hertz = 440.0 * 2.0 ** ((centres - 69) / 12)
    reach = (SAMPLE_RATE / PITCH_WINDOW / hertz * 12 / math.log(2)).clamp(min=0.8)
    filters = (1 - (note - centres[:, None]).abs() / reach[:, None]).clamp(min=0)
    return filters / filters.sum(1, keepdim=True).clamp(min=1e-9)
