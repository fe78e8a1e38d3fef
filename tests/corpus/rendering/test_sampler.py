"""The sampler: loops, tuning, envelopes, filter and oscillators as the standard has them."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import signal

from corpus_support import make_soundfont
from jen1cli.corpus.rendering import sampler
from jen1cli.corpus.rendering.sampler import Sampler, Stroke
from jen1cli.corpus.rendering.soundfont import SoundFontPlayer
from jen1cli.corpus.rendering.soundfont_file import SoundFontFile
from jen1cli.corpus.rendering.stereo import CONTROL_SAMPLES, TimedNote
from jen1cli.errors import DataError

ROOT = 71  # key at which the sample plays as it is, but for 49 cents
STEREO = 0.5**0.5  # of each side, for a sound in the middle
TUNED = (52, -49)  # takes back the correction of the sample
CYCLE = 100  # samples of the saw


def play(tmp_path, *amounts, key=ROOT, velocity=1.0, samples=9600, held=9600, cut=None):
    """The left side of one note, with generators of the instrument."""
    path = tmp_path / "font.sf2"
    path.write_bytes(make_soundfont(amounts=amounts))
    font = SoundFontFile(path)
    sound = np.zeros((2, samples), np.float32)
    strokes = [Stroke(0, held, 1.0, cut)]
    Sampler(font).add(sound, font.presets[0, 0], key, velocity, strokes)
    return sound[0] / np.float32(STEREO)


def saw(samples):
    cycle = (np.linspace(0.9, -0.9, CYCLE) * 30_000).astype("<i2") / 32_768
    return np.resize(cycle, samples)


def cents(sound, reference):
    """How much higher one sound is than another, by the peak of its spectrum."""
    size = 1 << 18
    peaks = [
        np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x)), size))) for x in (sound, reference)
    ]
    return 1200 * np.log2(peaks[0] / peaks[1])


@pytest.mark.heavy
def test_a_sample_in_tune_is_played_point_by_point(tmp_path):
    """40 cycles lie in the sample: the rest comes from its loop."""
    np.testing.assert_allclose(play(tmp_path, TUNED), saw(9600), atol=2e-6)


@pytest.mark.heavy
def test_a_sample_without_loop_ends(tmp_path):
    sound = play(tmp_path, TUNED, (54, 0))
    np.testing.assert_allclose(sound[:4000], saw(4000), atol=2e-6)
    assert not sound[4046:].any()


def test_a_loop_that_ends_with_the_key_goes_on_behind_it(tmp_path):
    release = (38, 1200)  # 2 s
    sound = play(tmp_path, TUNED, (54, 3), release, held=6000)
    assert np.abs(sound[5990:6010]).max() > 0.1
    # on the way out it plays the 146 points that lie behind the loop's start once more, then ends
    assert not sound[6000 + 4046 :].any()
    assert sound[6500:6600].any()


@pytest.mark.parametrize(
    ("amounts", "key", "expected"),
    [
        ((), ROOT, 49),
        ((TUNED,), ROOT + 7, 700),
        (((51, -12), TUNED), ROOT, -1200),
        (((56, 50), TUNED), ROOT + 12, 600),
        (((56, 0), TUNED), ROOT + 12, 0),
        (((56, 20), (51, -12), TUNED), ROOT, -1200),  # the scale of keys leaves tuning alone
        (((58, 60), TUNED), 60, 0),
    ],
)
def test_pitch(tmp_path, amounts, key, expected):
    sound = play(tmp_path, *amounts, key=key, samples=48_000, held=48_000)
    assert cents(sound, saw(48_000)) == pytest.approx(expected, abs=2)


def test_volume_envelope(tmp_path):
    """Delay, attack, hold, decay to -20 dB, release: each where it should be."""
    envelope = [(33, -4800), (34, -4800), (35, -4800), (36, -1200), (37, 200), (38, -1200)]
    sound = play(tmp_path, TUNED, *envelope, samples=48_000, held=30_000)
    gain = np.abs(sound).reshape(-1, CYCLE).max(axis=1) / np.abs(saw(CYCLE)).max()
    assert not gain[:30].any()  # delay: 62.5 ms
    assert gain[45] == pytest.approx(0.5, abs=0.05)  # in the middle of the attack
    assert gain[60:90] == pytest.approx(1.0, abs=0.01)  # hold
    # decays with 80 dB in 0.5 s, so 20 dB in a quarter of it
    assert 20 * np.log10(gain[90 + 30]) == pytest.approx(-10, abs=0.6)
    assert 20 * np.log10(gain[170:299]) == pytest.approx(-20, abs=0.1)
    assert 20 * np.log10(gain[300 + 60]) == pytest.approx(-20 - 20, abs=0.6)
    assert not gain[300 + 241 :].any()


def test_another_note_of_the_group_ends_a_note(tmp_path):
    sound = play(tmp_path, TUNED, cut=4800)
    np.testing.assert_array_equal(sound[:4800], play(tmp_path, TUNED)[:4800])
    assert not sound[4800 + 480 :].any()


def test_groups_cut_across_keys_and_leave_others(tmp_path):
    """Hats: the closed one ends the open one, whatever came first in the list of notes."""
    path = tmp_path / "font.sf2"
    path.write_bytes(make_soundfont(amounts=((57, 1), TUNED)))
    player = SoundFontPlayer(path)
    long, short = TimedNote(0, 40_000, 46, 0.8), TimedNote(12_000, 2_000, 42, 0.8)
    both = player.play(0, [short, long], 40_000, kit=True)
    assert both[0, 11_000:12_000].any()
    assert not both[0, 16_000:].any()
    path.write_bytes(make_soundfont(amounts=(TUNED,)))
    assert SoundFontPlayer(path).play(0, [short, long], 40_000, kit=True)[0, 16_000:].any()


def test_pan_keeps_the_power(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(make_soundfont(amounts=((17, -500), TUNED)))
    font = SoundFontFile(path)
    sound = np.zeros((2, 4800), np.float32)
    Sampler(font).add(sound, font.presets[0, 0], ROOT, 1.0, [Stroke(0, 4800, 1.0)])
    np.testing.assert_allclose(sound[0], saw(4800), atol=2e-6)
    assert not sound[1].any()


@pytest.mark.heavy
def test_the_filter_is_the_two_pole_low_pass_of_its_cutoff():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(48_000).astype(np.float32)
    hertz, resonance_db = 1000.0, 6.0
    steady = np.array([1200 * np.log2(hertz / 8.176)])
    k, damping = np.tan(np.pi * hertz / 48_000), 10 ** (-resonance_db / 20)
    a = np.array([1 + k * damping + k * k, 2 * (k * k - 1), 1 - k * damping + k * k])
    expected = signal.lfilter(k * k * np.array([1, 2, 1]) / a[0], a / a[0], noise)
    made = sampler._low_pass(noise, steady, resonance_db)
    np.testing.assert_allclose(made, expected, atol=1e-5)
    many = np.full(48_000 // CONTROL_SAMPLES + 1, steady[0])
    np.testing.assert_array_equal(made, sampler._low_pass(noise, many, resonance_db))


@pytest.mark.heavy
def test_the_envelope_opens_the_filter(tmp_path):
    closed = (8, 6237)  # 300 Hz
    opened = play(tmp_path, TUNED, closed, (11, 6000), (26, -3986))  # within 100 ms
    steady = play(tmp_path, TUNED, closed)
    early, late = (
        np.square(np.diff(opened[part])).sum() / np.square(np.diff(steady[part])).sum()
        for part in (slice(48, 96), slice(4800, 9600))
    )
    assert early < 3
    assert late > 20


def test_vibrato_goes_up_and_down(tmp_path):
    slow = (24, -5000)  # 0.455 Hz
    sound = play(tmp_path, TUNED, (6, 100), slow, samples=110_000, held=110_000)
    quarter = 48_000 / (8.176 * 2 ** (-5000 / 1200)) / 4
    for place, expected in ((1, 100), (2, 0), (3, -100)):
        middle = round(place * quarter)
        part = sound[middle - 2400 : middle + 2400]
        assert cents(part, saw(4800)) == pytest.approx(expected, abs=12)


def test_tremolo(tmp_path):
    fast = (22, 0)  # 8.176 Hz
    sound = play(tmp_path, TUNED, (13, 60), fast, samples=48_000, held=48_000)  # 6 dB each way
    gain = 20 * np.log10(np.abs(sound).reshape(-1, CYCLE).max(axis=1) / np.abs(saw(CYCLE)).max())
    assert gain.max() == pytest.approx(6, abs=0.3)
    assert gain.min() == pytest.approx(-6, abs=0.3)


@pytest.mark.heavy
def test_another_process_plays_the_same(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(make_soundfont(amounts=((8, 8000), (11, 3000), (26, 0), (6, 20))))
    code = (
        "import hashlib, sys\nfrom pathlib import Path\n"
        "from jen1cli.corpus.rendering.stereo import TimedNote\n"
        "from jen1cli.corpus.rendering.soundfont import SoundFontPlayer\n"
        "notes = [TimedNote(i * 900, 4000, 60 + i, 0.5 + i / 20) for i in range(9)]\n"
        "sound = SoundFontPlayer(Path(sys.argv[1])).play(0, notes, 20_000)\n"
        "print(hashlib.sha256(sound.tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(path)]
    there = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    notes = [TimedNote(i * 900, 4000, 60 + i, 0.5 + i / 20) for i in range(9)]
    here = SoundFontPlayer(path).play(0, notes, 20_000)
    assert np.abs(here).max() > 0.01
    assert there == f"{hashlib.sha256(here.tobytes()).hexdigest()}\n"


def test_kits_that_a_font_lacks_are_played_by_its_standard_kit(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(make_soundfont())
    player = SoundFontPlayer(path)
    notes = [TimedNote(0, 4000, 38, 0.8)]
    brush, standard = (player.play(kit, notes, 9600, kit=True) for kit in (40, 0))
    assert standard.any()
    np.testing.assert_array_equal(brush, standard)


@pytest.mark.heavy
def test_damaged_fonts_are_refused_or_played(tmp_path):
    """Nothing but a DataError comes out, and no amount makes the compiled loops read astray."""
    rng = np.random.default_rng(7)
    font = bytearray(make_soundfont(modulator=3000, attenuation=20, amounts=((11, 99), (6, 9))))
    tables = font.index(b"pdta")
    path = tmp_path / "font.sf2"
    notes = [TimedNote(0, 2000, 0, 1.0), TimedNote(100, 900, 127, 0.1)]
    outcomes = []
    for _ in range(400):
        broken = bytearray(font)
        for place in rng.integers(tables, len(font), rng.integers(1, 6)):
            broken[place] = rng.integers(256)
        path.write_bytes(broken[: len(font) - rng.integers(0, 40) * rng.integers(0, 2)])
        try:
            player = SoundFontPlayer(path)
            outcomes.append(bool(np.isfinite(player.play(0, notes, 4000)).all()))
        except DataError as error:
            outcomes.append(False if "\n" in str(error) else None)
    assert False not in outcomes
    refused = outcomes.count(None)
    assert 50 < refused < 350
