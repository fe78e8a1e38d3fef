"""Mastering: normalises a mix to a loudness below a true-peak ceiling."""

import numpy as np

from jen1cli.audio.limiting import block_peaks, limited
from jen1cli.audio.loudness import SILENCE, db_to_amplitude, fast_loudness
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Stereo

TARGET_LUFS = -14.0
CEILING_DB = -1.0  # dBTP


def normalize(
    sound: Stereo,
    lufs: float = TARGET_LUFS,
    ceiling_db: float = CEILING_DB,
    *,
    most_limiting_db: float = 9.0,
) -> Stereo:
    """Normalise music to a loudness below a true-peak ceiling.

    Peaks are limited by at most `most_limiting_db`; music that needs more stays below `lufs`.
    """
    loudness = fast_loudness(sound, SAMPLE_RATE)
    tallest = float(np.abs(sound).max())
    raised = db_to_amplitude(lufs - loudness)
    # assumes that no true peak is more than twice the sample peak
    least = min(tallest, db_to_amplitude(ceiling_db) / raised) / 2.0
    peaks = block_peaks(sound, least)
    peak_db = 20.0 * np.log10(max(float(peaks.max()), 1e-9))
    if loudness <= SILENCE + 0.01:
        return limited(sound, db_to_amplitude(ceiling_db), peaks)
    most = ceiling_db + most_limiting_db - peak_db
    gain_db = min(lufs - loudness, most)
    loud = sound
    for _ in range(2):
        gain = np.float32(db_to_amplitude(gain_db))
        loud = limited(sound * gain, db_to_amplitude(ceiling_db), peaks * gain)
        if gain_db + peak_db <= ceiling_db:
            break
        missing = lufs - fast_loudness(loud, SAMPLE_RATE)
        if missing < 0.3 or gain_db >= most:
            break
        gain_db = min(gain_db + 1.3 * missing, most)
    return loud
