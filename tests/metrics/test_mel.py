"""Mel filter banks against torchaudio's values and librosa's construction."""

import pytest
import torch

from jen1cli.metrics.mel import mel_filters

# Of torchaudio 2.11.0: arguments, scale, equal area, sum of all values, some (bin, band, value)
BANKS = [
    ((513, 30.0, 11_500.0, 80, 24_000), "slaney", False, 478.3463134765625,
     [(71, 34, 0.48721304535865784), (242, 63, 0.6352726817131042), (412, 76, 0.8865430951118469)]),
    ((1025, 0.0, 24_000.0, 80, 48_000), "htk", True, 3.410698413848877,
     [(144, 39, 0.005362143740057945), (501, 65, 0.0007262635044753551)]),
    ((257, 0.0, 24_000.0, 40, 48_000), "htk", True, 0.4241926074028015,
     [(36, 19, 0.0021381534170359373), (123, 32, 0.0008488141465932131)]),
    ((4801, 40.0, 16_000.0, 40, 48_000), "htk", False, 3063.91015625,
     [(451, 18, 0.209088534116745), (1546, 31, 0.9936579465866089)]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "scale", "equal_area", "total", "values"), BANKS)
def test_the_values_are_those_that_the_tagger_was_trained_with(
    arguments, scale, equal_area, total, values
):
    filters = mel_filters(*arguments, scale=scale, equal_area=equal_area)
    assert filters.dtype == torch.float32
    assert float(filters.sum()) == pytest.approx(total, rel=1e-6)
    for bin_, band, value in values:
        assert float(filters[bin_, band]) == pytest.approx(value, rel=2e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("equal_area", [False, True])
def test_they_are_librosas(scale, equal_area):
    import librosa

    ours = mel_filters(1025, 20.0, 16_000.0, 64, 48_000, scale=scale, equal_area=equal_area)
    theirs = librosa.filters.mel(
        sr=48_000, n_fft=2048, n_mels=64, fmin=20.0, fmax=16_000.0, htk=scale == "htk",
        norm="slaney" if equal_area else None,
    )  # fmt: skip
    assert torch.allclose(ours.T, torch.from_numpy(theirs), atol=2e-4 * float(theirs.max()))
