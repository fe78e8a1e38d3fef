"""The frame grid of a recording: exact cuts at any rate, and nothing read from inside a mask."""

import io
import weakref

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.pipeline.edits.timeline import Timeline

HOP = 320


def timeline(signal, rate, unknown=(), samples=None, offset=0):
    source = io.BytesIO(audio.to_bytes(signal, rate, subtype="FLOAT"))
    info = audio.probe(source)
    return Timeline(
        source,
        info,
        unknown,
        samples=samples or info.samples,
        offset=offset,
        model_rate=48_000,
        hop_length=HOP,
    )


@pytest.mark.parametrize("rate", [48_000, 44_100, 22_050, 32_000, 44_056])
def test_any_cut_equals_the_whole(music, rate):
    line = timeline(music(3.0, rate), rate)
    whole = line.waveform(0, line.frames, 2)
    assert whole.shape == (2, line.frames * HOP)
    for start, stop in [(0, 5), (3, 100), (123, 377), (line.frames - 50, line.frames)]:
        part = line.waveform(start, stop, 2)
        np.testing.assert_allclose(part, whole[:, start * HOP : stop * HOP], atol=2e-4)


def test_spans_are_rounded_outward_to_frames(noise):
    line = timeline(noise(1.0, 44_100), 44_100)
    for span in [(0, 1), (293, 294), (294, 588), (295, 587), (44_000, 44_100)]:
        start, stop = line.frame_span(span)
        assert start * HOP * 44_100 <= span[0] * 48_000
        assert (stop * HOP * 44_100 >= span[1] * 48_000) or stop == line.frames
        assert (start + 1) * HOP * 44_100 > span[0] * 48_000
        assert (stop - 1) * HOP * 44_100 < span[1] * 48_000
    assert line.frame_span((294, 588)) == (1, 2)


def test_what_stands_inside_a_mask_is_never_read(music, noise):
    signal = music(2.0)
    other = signal.copy()
    other[:, 40_000:60_000] = noise(2.0)[:, 40_000:60_000]
    lines = [timeline(s, 48_000, [(40_000, 60_000)]) for s in (signal, other)]
    seen = [line.waveform(0, line.frames, 2) for line in lines]
    np.testing.assert_array_equal(*seen)
    np.testing.assert_array_equal(seen[0][:, :40_000], signal[:, :40_000])
    assert seen[0][:, 40_000:41_000].any()
    assert not seen[0][:, 45_000:55_000].any()


def test_new_music_on_both_sides_has_its_place(music):
    signal = music(1.0)
    line = timeline(signal, 48_000, [(0, 9_600)], samples=57_600, offset=9_600)
    assert line.is_outside((0, 9_600))
    np.testing.assert_array_equal(line.read(9_600, 57_600), signal)
    left, right = line.edges((0, 9_600), 100)
    assert left is None
    assert right is not None
    assert np.abs(right[:, -1] - signal[:, 0]).max() < 0.05
    before, after = line.known_around((0, 9_600), 0.5)
    assert before.shape == (2, 0)
    np.testing.assert_array_equal(after, signal[:, :24_000])


def test_known_music_ends_where_the_next_mask_begins(music):
    masks = [(10_000, 12_000), (14_000, 15_000)]
    line = timeline(music(1.0), 48_000, masks)
    before, after = line.known_around(masks[0], 1.0)
    assert (before.shape[1], after.shape[1]) == (10_000, 2_000)
    before, after = line.known_around(masks[1], 1.0)
    assert (before.shape[1], after.shape[1]) == (2_000, 33_000)


def test_a_timeline_is_freed_with_its_edit(music):
    """A server edits for days: nothing may keep the recordings."""
    line = timeline(music(1.0), 48_000, [(10_000, 20_000)])
    assert line.waveform(0, line.frames, 2).any()
    gone = weakref.ref(line)
    del line
    assert gone() is None
