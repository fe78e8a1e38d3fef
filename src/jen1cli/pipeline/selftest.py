"""Self-test: a short piece with known octave levels checks the computation of a device.

Processors round differently, so the music of a seed is not bit-identical on all of them. Its levels
in octave bands agree within 0.01 dB between SSE and AVX-512, and within 0.4 dB in bf16.
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
# All controls are given: a control that the model samples could change with rounding.
_CONTROLS = Controls(
    bpm=120.0, meter="4/4", key="C", mode="major", chords="C | G", drums="none", melody="none"
)
_EDGES_HZ = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
_SILENCE = 1e-12
_INTEGERS = 1024
_INTEGERS_SHA256 = "ae78cbc3e23f9d1820bfd14aec603fbf22f35c4a395413f59cbaa989c61895a2"
"""sha256 of the generator's first integers, as little-endian int64."""

# sha256 of a weight set: levels in dB per octave from 62.5 Hz on. `jen1 doctor --json` shows both
# for a new release.
_LEVELS: dict[str, tuple[float, ...]] = {
    "5ff28ea74752fd9287a06aaecbfb9277a98af32f1d1ad53f4cf20090ccd09835": (  # jen1-mini, release 11
        -21.27, -26.10, -27.60, -30.63, -35.61, -49.39, -64.62, -84.71,
    ),
    "d016728c990fd7b2b1fbd8d2319ea89225f85e6ca05fbe7628ccfa2b21993991": (  # jen1-mini, release 10
        -22.16, -27.29, -27.29, -29.88, -32.98, -49.26, -65.05, -83.58,
    ),
    "19d93b6410ac2429cb3f7f5f1c8efe5e6f44868f37aeceb3679e88b154b14b33": (  # jen1-mini, release 9
        -19.74, -27.94, -29.26, -32.26, -37.18, -42.12, -48.97, -68.99,
    ),
    "7f0aca5c803169f19a6b270e9fb68751906e754ba449c4143b78f5620df6a963": (  # jen1-mini, release 8
        -19.38, -27.96, -30.40, -33.05, -37.81, -42.58, -49.27, -69.47,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SelfTest:
    """Measured and expected levels."""

    levels_db: tuple[float, ...]  # per octave from 62.5 Hz on
    expected_db: tuple[float, ...] | None  # None for an unknown weight set
    has_known_generator: bool

    @property
    def deviation_db(self) -> float | None:
        """Largest difference of a level; NaN without sound."""
        if self.expected_db is None:
            return None
        return float(np.abs(np.subtract(self.levels_db, self.expected_db)).max())

    @property
    def passed(self) -> bool:
        """Whether the levels are as expected, or finite for an unknown weight set."""
        deviation = self.deviation_db
        is_right = (
            np.isfinite(self.levels_db).all() if deviation is None else deviation <= TOLERANCE_DB
        )
        return bool(is_right) and self.has_known_generator


def self_test(model: Jen1, sha256: str) -> SelfTest:
    """Generate the piece and measure its levels.

    Args:
        model: loaded model, on the device to test.
        sha256: digest of its weight set, from `read_description`.
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
    """Return the levels of eight octave bands of a waveform [channels, samples], in dB."""
    power = np.square(np.abs(np.fft.rfft(waveform.astype(np.float64), axis=-1))).mean(axis=0)
    power /= waveform.shape[-1] ** 2
    hertz = np.fft.rfftfreq(waveform.shape[-1], 1 / sample_rate)
    places = np.searchsorted(hertz, _EDGES_HZ)
    bands = [power[a:b].sum() for a, b in itertools.pairwise(places)]
    return tuple(round(float(10 * np.log10(band + _SILENCE)), 2) for band in bands)
