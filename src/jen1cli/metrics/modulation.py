"""Modulation that a codec adds at the rate of its frames: the "staircase" and its harmonics.

A decoder that renders the inside of a frame flatter than its borders modulates what is steady, at
the frame rate.
"""

import numpy as np

from jen1cli.metrics.envelopes import Mono, PowerEnvelope

LEAST_SECONDS = 3.0  # shorter sounds do not separate a line from its neighbours
_LINE_STEP_SECONDS = 0.001
_LINE_HZ = 0.4  # half width of a line
_NEIGHBOURS_HZ = (1.0, 5.0)  # away from the line


def line_level(envelope: PowerEnvelope, hertz: float) -> float:
    """Return how far a line in the spectrum of an envelope stands over its neighbours, in dB.

    The mean power within 0.4 Hz of the frequency against that from 1 to 5 Hz away; 0 dB is no line.
    Of the amplitude in steps of 1 ms, less its mean, through a Hann window.

    Returns:
        NaN for sounds of less than three seconds, and for silence.
    """
    power, rate = envelope.averaged(_LINE_STEP_SECONDS)
    if len(power) < LEAST_SECONDS * rate or not 0 < hertz < rate / 2:
        return float("nan")
    amplitude = np.sqrt(power)
    amplitude -= amplitude.mean()
    spectrum = np.square(np.abs(np.fft.rfft(amplitude * np.hanning(len(amplitude)))))
    away = np.abs(np.fft.rfftfreq(len(amplitude), 1 / rate) - hertz)
    line = spectrum[away < _LINE_HZ].mean()
    beside = spectrum[(away > _NEIGHBOURS_HZ[0]) & (away < _NEIGHBOURS_HZ[1])].mean()
    return float(10 * np.log10(line / beside)) if line > 0 and beside > 0 else float("nan")


def sine_modulation(mono: Mono, sample_rate: int, sine_hz: float, hertz: float) -> float:
    """Return the depth of the amplitude modulation of a sine at one frequency: 0.05 is 5 %.

    The sine's amplitude is that of its analytic signal, from the spectrum within four times the
    modulation's frequency (and not beyond half the sine's); the depth is that of the component at
    `hertz` against the mean amplitude, both through a Hann window. Without the first and last
    tenth of the sound, where a codec's ends disturb.

    Args:
        mono: a steady sine that was coded, [samples].
        sample_rate: Hz.
        sine_hz: frequency of the sine.
        hertz: frequency of the modulation.

    Returns:
        NaN for silence, and where the sine is not above twice the modulation's frequency.
    """
    if sine_hz <= 2 * hertz:
        return float("nan")
    spectrum = np.fft.fft(np.asarray(mono, np.float64))
    frequency = np.fft.fftfreq(len(mono), 1 / sample_rate)
    spectrum[np.abs(frequency - sine_hz) > min(4 * hertz, sine_hz / 2)] = 0.0
    edge = len(mono) // 10
    amplitude = np.abs(np.fft.ifft(spectrum))[edge : len(mono) - edge]
    weighted = amplitude * np.hanning(len(amplitude))
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(amplitude)) / sample_rate)
    mean = weighted.sum()
    return float(2 * np.abs(weighted @ turn) / mean) if mean > 0 else float("nan")
