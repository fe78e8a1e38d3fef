"""The linear codec: exact with all components, worse with fewer, for stereo and mono."""

import pytest

from jen1cli.errors import DataError
from jen1cli.metrics.linear_codec import LinearCodec
from jen1cli.metrics.signals import si_sdr


def test_the_linear_codec_is_perfect_at_full_size_and_degrades_below(noise, music):
    signal = noise(seconds=0.5, level=0.2)
    whole = LinearCodec.fit([noise(seconds=4.0, seed=s) for s in (1, 2)], 16, 32)
    assert si_sdr(signal, whole.through(signal)) > 80
    assert si_sdr(signal[:1], LinearCodec.fit([signal[:1]], 16, 16).through(signal[:1])) > 80
    tonal = music()
    sizes = [LinearCodec.fit([tonal], 64, size).through(tonal) for size in (32, 8)]
    assert si_sdr(tonal, sizes[0]) > si_sdr(tonal, sizes[1]) > 0
    with pytest.raises(DataError, match="too few for a linear codec"):
        LinearCodec.fit([noise(seconds=0.1)], 1024, 512)
