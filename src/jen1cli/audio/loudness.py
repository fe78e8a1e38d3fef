"""Loudness (ITU-R BS.1770-4), exact and streaming or fast within 0.1 LU, and true peak."""

import math
from functools import lru_cache

import numpy as np
import soxr
from jaxtyping import Float32

from jen1cli.audio.files import Signal
from jen1cli.audio.on_disk import spans

SILENCE = -70.0  # LUFS; absolute gate of BS.1770, and the value returned for silence
_PRE_ROLL_SECONDS = 0.5  # length after which the impulse response of the K-weighting is negligible


def db_to_amplitude(gain_db: float | int) -> float:
    """Return the amplitude ratio of a gain in decibels: 10^(dB / 20)."""
    return float(10.0 ** (gain_db / 20.0))


def k_weighting(sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the two biquads of the K-weighting at any rate, each (b0, b1, b2, a0, a1, a2).

    BS.1770 prints coefficients for 48 kHz only; here the analogue prototypes behind them are
    discretised by the bilinear transform (Mansbridge, Finn and Reiss, AES 132, 2012).
    """
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    a0 = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array(shelf), np.array(high_pass)


class LoudnessMeter:
    """Integrated loudness of a stream, fed block by block in bounded memory."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._hop = round(0.1 * sample_rate)  # 400 ms blocks with 75 % overlap
        self._filters = k_weighting(sample_rate)
        self._pending: list[Signal] = []
        self._pending_samples = 0
        self._history: Signal | None = None
        self._energies: list[np.ndarray] = []

    def feed(self, block: Signal) -> None:
        """Take the next samples, `[channels, samples]`."""
        self._pending.append(block)
        self._pending_samples += block.shape[1]
        if self._pending_samples >= 100 * self._hop:
            self._measure()

    def result(self) -> float:
        """Return the integrated loudness in LUFS; `SILENCE` if no block passes the gate.

        A stream shorter than 400 ms is measured as one block without a gate.
        """
        self._measure()
        hops = np.concatenate([np.zeros(0), *self._energies])
        if len(hops) < 4:
            return self._short()
        powers = np.convolve(hops, np.full(4, 1 / (4 * self._hop)), mode="valid")
        return _gated(powers)

    def _measure(self) -> None:
        if not self._pending:
            return
        signal = np.concatenate(self._pending, axis=1)
        whole = signal.shape[1] - signal.shape[1] % self._hop
        rest = signal[:, whole:]
        if whole:
            squares = self._weighted(signal[:, :whole]) ** 2
            self._energies.append(squares.sum(axis=0).reshape(-1, self._hop).sum(axis=1))
            self._remember(signal[:, :whole])
        self._pending, self._pending_samples = [rest], rest.shape[1]

    def _remember(self, signal: Signal) -> None:
        keep = round(_PRE_ROLL_SECONDS * self._rate)
        past = signal if self._history is None else np.concatenate([self._history, signal], axis=1)
        self._history = past[:, -keep:]

    def _weighted(self, signal: Signal) -> np.ndarray:
        """Filter by FFT with the exact frequency response; zero padding prevents wrap-around."""
        past = self._history if self._history is not None else signal[:, :0]
        padded = np.concatenate([past, signal], axis=1).astype(np.float64)
        samples = padded.shape[1]
        length = 1 << (samples + round(_PRE_ROLL_SECONDS * self._rate) - 1).bit_length()
        z = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
        spectrum = np.fft.rfft(padded, length)
        for b0, b1, b2, a0, a1, a2 in self._filters:
            spectrum *= (b0 + z * (b1 + z * b2)) / (a0 + z * (a1 + z * a2))
        return np.fft.irfft(spectrum, length)[:, past.shape[1] : samples]

    def _short(self) -> float:
        rest = np.concatenate(self._pending, axis=1) if self._pending else np.zeros((1, 0))
        energy = float(sum(e.sum() for e in self._energies))
        samples = self._hop * sum(len(e) for e in self._energies) + rest.shape[1]
        if rest.shape[1]:
            energy += float((self._weighted(rest.astype(np.float32)) ** 2).sum())
        return max(SILENCE, float(_lufs(np.asarray(energy / max(samples, 1)))))


def loudness(signal: Signal, sample_rate: int) -> float:
    """Return the integrated loudness of `[channels, samples]` in LUFS (BS.1770-4)."""
    meter = LoudnessMeter(sample_rate)
    for start, stop in spans(signal.shape[1], 30 * sample_rate):
        meter.feed(signal[:, start:stop])
    return meter.result()


def fast_loudness(signal: Signal, sample_rate: int) -> float:
    """Return the integrated loudness of `[channels, samples]` in LUFS, within 0.1 LU of `loudness`.

    The K-weighting multiplies the power spectra of 100 ms segments, so no time-domain filter is
    needed and single precision suffices. Needs scipy (extra `corpus`): its FFT stays in single
    precision and is faster than NumPy's.
    """
    from scipy import fft

    segment = sample_rate // 10
    count = max(1, -(-signal.shape[1] // segment))
    padded = np.zeros((len(signal), count * segment), np.float32)
    padded[:, : signal.shape[1]] = signal
    spectrum = np.asarray(fft.rfft(padded.reshape(len(signal), count, segment))).view(np.float32)
    np.square(spectrum, out=spectrum)
    powers = (spectrum.sum(axis=0) * _k_power(sample_rate)).sum(axis=-1).astype(np.float64)
    size = min(4, count)
    return _gated(np.convolve(powers, np.full(size, 1.0 / size), mode="valid"))


@lru_cache(maxsize=4)
def _k_power(sample_rate: int) -> Float32[np.ndarray, " values"]:
    """Return the power response of the K-weighting at the bins of a 100 ms segment.

    Each value appears twice, for the real and the imaginary part of its bin.
    """
    segment = sample_rate // 10
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(segment))
    response = np.ones_like(z)
    for b0, b1, b2, a0, a1, a2 in k_weighting(sample_rate):
        response *= (b0 + z * (b1 + z * b2)) / (a0 + z * (a1 + z * a2))
    power = np.abs(response) ** 2
    power[1:-1] *= 2.0  # for positive and negative frequencies
    return np.repeat(power / segment**2, 2).astype(np.float32)


def true_peak(signal: Signal, sample_rate: int) -> float:
    """Return the true peak: the largest absolute value after 4 x oversampling by soxr."""
    peak, overlap = 0.0, 256
    for start, stop in spans(signal.shape[1], 30 * sample_rate):
        part = signal[:, max(0, start - overlap) : stop + overlap]
        frames = soxr.resample(np.ascontiguousarray(part.T), sample_rate, 4 * sample_rate, "HQ")
        peak = max(peak, float(np.abs(part).max(initial=0)), float(np.abs(frames).max(initial=0)))
    return peak


def _lufs(power: np.ndarray) -> np.ndarray:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-20)))


def _gated(powers: np.ndarray) -> float:
    """Return the mean loudness of the blocks above both gates (absolute, relative) of BS.1770."""
    levels = _lufs(powers)
    loud = powers[levels > SILENCE]
    if len(loud) == 0:
        return SILENCE
    gate = _lufs(np.asarray(loud.mean())) - 10.0
    kept = powers[(levels > SILENCE) & (levels > gate)]
    return float(_lufs(np.asarray(kept.mean())))
