"""Attacks: where they are, how fast they rise, what sounds before them, how far they stand out.

Places are found once, in the original where there is one, and measured in every version of the
sound, so that a version that smears its attacks cannot hide them. Envelopes are those of one band
(`jen1cli.metrics.envelopes`). Figures of fewer than four attacks are NaN.
"""

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, find_peaks, sosfiltfilt

from jen1cli.metrics.envelopes import Mono, PowerEnvelope

Places = Float[np.ndarray, " attacks"]  # seconds

FEWEST_ATTACKS = 4
RISE_DB = 10.0  # least rise of the level within `RISE_SECONDS`
RISE_SECONDS = 0.016
APART_SECONDS = 0.08
SOFTEST_DB = -25.0  # against the loudest moment
STEP_SECONDS = 0.002  # in which rises are looked for and compared
LONGEST_SECONDS = 0.05
PRE_ECHO_SECONDS = (0.025, 0.008)  # before the peak
CREST_HZ = 1_500.0
_AROUND = (0.02, 0.03)  # seconds around a place in which its peak lies
_CREST_AROUND = (0.01, 0.09)  # seconds around the peak
_FLOOR_DB = -60.0


def find_attacks(envelope: PowerEnvelope) -> Places:
    """Return the moments, in seconds, at which the level has risen by 10 dB or more within 16 ms.

    Levels are means over 2 ms, not lower than 60 dB below the loudest. Attacks are at least 80 ms
    apart and within 25 dB of the loudest moment.
    """
    power, rate = envelope.averaged(STEP_SECONDS)
    span = round(RISE_SECONDS * rate)
    if len(power) <= span or not power.max() > 0:
        return np.zeros(0)
    level = np.maximum(10 * np.log10(np.maximum(power / power.max(), 1e-12)), _FLOOR_DB)
    rise = np.where(level[span:] > SOFTEST_DB, level[span:] - level[:-span], 0.0)
    places, _ = find_peaks(np.pad(rise, 1), height=RISE_DB, distance=round(APART_SECONDS * rate))
    return (places - 1 + span) / rate


def attack_time(envelope: PowerEnvelope, places: Places) -> float:
    """Return the median rise time of attacks in ms, from 10 % to 90 %.

    The rise time of pulses (IEEE Std 181): between the lowest amplitude in the 50 ms before the
    peak, which is what sounds on from before, and the peak, which is the highest amplitude from 20
    ms before to 30 ms after a place. The envelope's smoothing lets a step read 0.7 ms.
    """
    amplitude = np.sqrt(envelope.power)
    longest = round(LONGEST_SECONDS * envelope.rate)
    times = []
    for peak in _peaks(amplitude, envelope.rate, places):
        before = amplitude[max(0, peak - longest) : peak + 1]
        floor = before.min()
        rise = (before - floor) / max(amplitude[peak] - floor, 1e-12)
        times.append((_crossing(rise, 0.9) - _crossing(rise, 0.1)) * 1e3 / envelope.rate)
    return _middle(times)


def pre_echo(envelope: PowerEnvelope, places: Places) -> float:
    """Return the level from 25 ms to 8 ms before the peaks of attacks, in dB against the peak.

    The mean over attacks of the level of the mean power in that time, not lower than -60 dB.
    """
    far, near = (round(seconds * envelope.rate) for seconds in PRE_ECHO_SECONDS)
    levels = []
    for peak in _peaks(np.sqrt(envelope.power), envelope.rate, places):
        if peak < far:
            continue
        ratio = envelope.power[peak - far : peak - near].mean() / envelope.power[peak]
        levels.append(max(_FLOOR_DB, 10 * np.log10(max(ratio, 1e-12))))
    return float(np.mean(levels)) if len(levels) >= FEWEST_ATTACKS else float("nan")


def attack_correlation(reference: PowerEnvelope, estimate: PowerEnvelope) -> float:
    """Return the correlation (-1 to 1) of the rises of amplitude in steps of 2 ms.

    Rises are the positive differences of the root mean square of successive steps: a spectral flux
    of one band at the resolution of the ear.
    """
    first, second = (
        np.maximum(np.diff(np.sqrt(one.averaged(STEP_SECONDS)[0])), 0.0)
        for one in (reference, estimate)
    )
    if not len(first) or min(first.std(), second.std()) < 1e-12:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def attack_crest(mono: Mono, sample_rate: int, places: Places) -> float:
    """Return the median crest factor of attacks in dB: their peak against the root mean square.

    Above 1.5 kHz, from 10 ms before to 90 ms after the peak: 3 dB for a steady sine, about 12 dB
    for steady noise, 20 dB and more for drums that ring for a short time.

    Args:
        mono: sound, [samples].
        sample_rate: Hz.
        places: places of the attacks, in seconds.
    """
    if not len(places):
        return float("nan")
    sections = butter(2, CREST_HZ, "highpass", fs=sample_rate, output="sos")
    before, after = (round(seconds * sample_rate) for seconds in _CREST_AROUND)
    reach = round(0.05 * sample_rate)
    found = []
    for place in np.rint(places * sample_rate).astype(int).tolist():
        first = max(0, place - reach)
        piece = np.asarray(mono[first : place + reach + after], np.float64)
        if len(piece) <= reach:
            continue
        sharp = sosfiltfilt(sections, piece)
        middle = np.array([(place - first) / sample_rate])
        for peak in _peaks(np.abs(sharp), float(sample_rate), middle):
            around = np.square(sharp[max(0, peak - before) : peak + after])
            found.append(10 * np.log10(np.square(sharp[peak]) / around.mean()))
    return _middle(found)


def _middle(figures: list[float]) -> float:
    """Return the median over attacks; NaN for too few."""
    return float(np.median(figures)) if len(figures) >= FEWEST_ATTACKS else float("nan")


def _peaks(amplitude: Float[np.ndarray, " steps"], rate: float, places: Places) -> list[int]:
    """Return the step of the highest amplitude around every place; silence has none."""
    before, after = (round(seconds * rate) for seconds in _AROUND)
    found = []
    for place in np.rint(places * rate).astype(int).tolist():
        first = max(0, place - before)
        around = amplitude[first : place + after]
        if len(around) and around.max() > 0:
            found.append(first + int(around.argmax()))
    return found


def _crossing(rise: Float[np.ndarray, " steps"], height: float) -> float:
    """Return the step, with its fraction, at which a rise from 0 to 1 last crosses a height."""
    below = np.nonzero(rise[:-1] < height)[0]
    if not len(below):  # no rise at all
        return 0.0
    last = int(below[-1])
    return last + (height - rise[last]) / (rise[last + 1] - rise[last])
