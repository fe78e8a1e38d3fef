"""A short piece whose sound is known: shows that a device computes what it should.

Different processors round differently, so the music of a seed is not the same bit for bit. Its
levels in bands of an octave are: equal to 0.01 dB with SSE and with AVX-512, to 0.4 dB with bf16.
Only the integers of the random generator are compared exactly.
"""

import hashlib
import itertools
from dataclasses import dataclass

import numpy as np
import torch

from jen1cli.music.controls import Controls
from jen1cli.pipeline.denoising import seeded
from jen1cli.pipeline.jen1 import Jen1

SEED = 7
SECONDS = 4.0
PROMPT = "warm jazz trio"
TOLERANCE_DB = 1.0
# Everything is given: a choice that the model draws could fall differently after rounding.
_CONTROLS = Controls(
    bpm=120.0, meter="4/4", key="C", mode="major", chords="C | G", drums="none", melody="none"
)
_EDGES_HZ = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
_SILENCE = 1e-12
_INTEGERS = 1024
_INTEGERS_SHA256 = "ae78cbc3e23f9d1820bfd14aec603fbf22f35c4a395413f59cbaa989c61895a2"
"""Of the first integers of the generator, little-endian int64."""

# sha256 of a weight set: levels in dB per octave from 62.5 Hz on. `jen1 doctor --json` shows both
# for a new release.
_LEVELS: dict[str, tuple[float, ...]] = {
    "7f0aca5c803169f19a6b270e9fb68751906e754ba449c4143b78f5620df6a963": (  # jen1-mini, release 8
        -19.38, -27.96, -30.40, -33.05, -37.81, -42.58, -49.27, -69.47,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SelfTest:
    """What was measured, and what should have been."""

    levels_db: tuple[float, ...]  # per octave from 62.5 Hz on
    expected_db: tuple[float, ...] | None  # None where the weight set is not known
    has_known_generator: bool

    @property
    def deviation_db(self) -> float | None:
        """The largest difference of a level; NaN where there is no sound."""
        if self.expected_db is None:
            return None
        return float(np.abs(np.subtract(self.levels_db, self.expected_db)).max())

    @property
    def passed(self) -> bool:
        """Whether the sound is as expected, or at least finite where nothing is known."""
        deviation = self.deviation_db
        is_right = (
            np.isfinite(self.levels_db).all() if deviation is None else deviation <= TOLERANCE_DB
        )
        return bool(is_right) and self.has_known_generator


def self_test(model: Jen1, sha256: str) -> SelfTest:
    """Make the piece and measure it.

    Args:
        model: loaded, on the device to test.
        sha256: of its weight set, as `read_description` gives it.
    """
    music = model.generate(PROMPT, seconds=SECONDS, seed=SEED, controls=_CONTROLS)
    integers = torch.randint(2**31, (_INTEGERS,), generator=seeded(SEED))
    seen = hashlib.sha256(integers.numpy().astype("<i8").tobytes()).hexdigest()
    return SelfTest(
        octave_levels(music.waveform.numpy(), music.sample_rate),
        _LEVELS.get(sha256),
        seen == _INTEGERS_SHA256,
    )


def octave_levels(waveform: np.ndarray, sample_rate: int) -> tuple[float, ...]:
    """Return the levels, in dB, of eight octaves of a sound [channels, samples]."""
    power = np.square(np.abs(np.fft.rfft(waveform.astype(np.float64), axis=-1))).mean(axis=0)
    power /= waveform.shape[-1] ** 2
    hertz = np.fft.rfftfreq(waveform.shape[-1], 1 / sample_rate)
    places = np.searchsorted(hertz, _EDGES_HZ)
    bands = [power[a:b].sum() for a, b in itertools.pairwise(places)]
    return tuple(round(float(10 * np.log10(band + _SILENCE)), 2) for band in bands)
