"""Synthesised voices and drum machines: in tune, band-limited, equally loud, reproducible."""

import numpy as np
import pytest

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.corpus.rendering import drum_machine, oscillators, synth
from jen1cli.corpus.rendering.drum_keys import drum_level
from jen1cli.corpus.rendering.oscillators import ByteCache, WavetableSpec, build_wavetable
from jen1cli.corpus.rendering.patches import PATCHES
from jen1cli.corpus.rendering.plucked import PLUCKED
from jen1cli.corpus.rendering.soundfont import loudest_level, stroke_level
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, TimedNote, frequency
from jen1cli.corpus.rendering.textures import TEXTURES

SECOND = SAMPLE_RATE
PITCHED = sorted((set(PATCHES) | set(PLUCKED)) - {"impact", "wobble_bass", "reese_bass"})


def play(voice, pitches=(60,), *, model=0, seed=0, length=SECOND, samples=SECOND, velocity=0.8):
    notes = [TimedNote(0, length, pitch, velocity) for pitch in pitches]
    return synth.play(voice, notes, samples, bpm=120.0, model=model, seed=seed)


def test_all_voices_of_the_instruments_exist():
    asked = {i.voice for i in INSTRUMENTS.values() if i.kind == "synth"}
    assert asked <= synth.VOICES
    kits = {i.voice for i in INSTRUMENTS.values() if i.kind == "synth_kit"}
    assert kits <= set(drum_machine.KITS)


@pytest.mark.parametrize(
    "voice",
    [  # those with a pitch sound in the next test, too
        pytest.param(voice, marks=[pytest.mark.heavy] if voice in PITCHED[1:] else [])
        for voice in sorted(synth.VOICES)
    ],
)
def test_voices_sound_and_repeat(voice):
    sound = play(voice, (55, 62), samples=SECOND // 2)
    assert sound.shape == (2, SECOND // 2)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert loudest_level(sound) > 0.03
    assert np.abs(sound).max() < 3.0
    assert np.array_equal(sound, play(voice, (55, 62), samples=SECOND // 2))


@pytest.mark.parametrize("voice", PITCHED)
def test_voices_are_in_tune(voice):
    pitch = 45 if "bass" in voice or voice == "chip_triangle" else 69
    sound = play(voice, (pitch,)).mean(axis=0)[SECOND // 8 : SECOND // 2]
    size = 1 << 19  # 0.09 Hz a bin
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    hertz = frequency(pitch)
    near = slice(int(hertz * 0.94 * size / SAMPLE_RATE), int(hertz * 1.06 * size / SAMPLE_RATE))
    found = (near.start + int(np.argmax(power[near]))) * SAMPLE_RATE / size
    assert abs(1200 * np.log2(found / hertz)) < 15  # cents; detuned voices beat
    assert power[near].max() > 0.05 * power.max()


@pytest.mark.parametrize("voice", sorted(PATCHES))
def test_patches_are_equally_loud(voice):
    for model in range(2):
        sound = play(voice, (60,), model=model, samples=int(0.8 * SECOND))
        level = loudest_level(sound)
        assert 20 * np.log10(level / 0.1) == pytest.approx(0.0, abs=1.5)


@pytest.mark.parametrize("wave", ["saw", "square", "pulse", "triangle"])
def test_oscillators_have_no_partial_beyond_their_band(wave):
    loop = build_wavetable(WavetableSpec(wave, 88.3, 20_000.0))
    power = np.abs(np.fft.rfft(loop[0])) ** 2
    hertz = np.fft.rfftfreq(loop.shape[1], 1 / SAMPLE_RATE)
    assert power[hertz > 20_100].sum() < 1e-9 * power.sum()
    cycles = loop.shape[1] * frequency(88.3) / SAMPLE_RATE
    between = power[np.abs(hertz / frequency(88.3) - np.round(hertz / frequency(88.3))) > 0.05]
    assert cycles == pytest.approx(round(cycles), abs=0.02)
    assert between.sum() < 1e-9 * power.sum()


def test_loops_are_in_tune_everywhere():
    worst = 0.0
    for about in (1 << 12, 1 << 14, 1 << 17):
        for pitch in range(24, 100, 3):
            cycles, samples = oscillators._whole_cycles(frequency(pitch), about)
            cents = 1200 * np.log2(cycles * SAMPLE_RATE / samples / frequency(pitch))
            worst = max(worst, abs(cents))
    assert worst < 2.0


def test_models_differ_and_wrap():
    assert not np.array_equal(play("pluck", model=1), play("pluck", model=2))
    assert np.array_equal(play("pluck", model=1), play("pluck", model=1 + synth.MODELS))


def test_sounds_do_not_depend_on_the_cache(monkeypatch):
    kept = play("supersaw", (57, 61, 64))
    monkeypatch.setattr(oscillators, "CACHE", ByteCache(1))
    assert np.array_equal(play("supersaw", (57, 61, 64)), kept)


def test_cache_forgets_the_oldest():
    cache, made = ByteCache(100), []

    def make(name):
        return lambda: made.append(name) or np.zeros(10, np.float32)

    for name in "abcab":
        cache.get(name, make(name))
    assert made == ["a", "b", "c", "a", "b"]


def test_velocity_makes_louder_and_brighter():
    soft, hard = play("pluck", velocity=0.3), play("pluck", velocity=1.0)
    assert loudest_level(hard) > 2.5 * loudest_level(soft)

    def brightness(sound):
        power = np.abs(np.fft.rfft(sound.mean(axis=0))) ** 2
        return power[2000:].sum() / power.sum()

    assert brightness(hard) > 1.5 * brightness(soft)


def test_glide_starts_at_the_previous_note():
    notes = [TimedNote(0, SECOND // 2, 57, 0.8), TimedNote(SECOND // 2, SECOND // 2, 69, 0.8)]

    def start_hertz(glide):
        sound = synth.play(
            "square_lead", notes, SECOND, bpm=120.0, model=0, seed=0, glide=glide
        ).mean(axis=0)
        piece = sound[SECOND // 2 + 600 : SECOND // 2 + 3600]
        power = np.abs(np.fft.rfft(piece * np.hanning(3000), 1 << 16))
        return np.argmax(power[:2000]) * SAMPLE_RATE / (1 << 16)

    assert start_hertz(0.0) == pytest.approx(440.0, rel=0.02)
    assert start_hertz(0.6) < 300.0


def test_unknown_voice_is_refused():
    with pytest.raises(ValueError, match="unknown voice 'tuba'"):
        play("tuba")


@pytest.mark.parametrize("voice", sorted(TEXTURES))
def test_textures_fill_their_note(voice):
    note = TimedNote(4800, 2 * SECOND, 60, 0.8)
    sound = synth.play(voice, [note], 3 * SECOND, bpm=120.0, model=0, seed=3)
    assert not sound[:, :4800].any()
    assert not sound[:, 4800 + 2 * SECOND :].any()
    assert loudest_level(sound) == pytest.approx(0.1, rel=0.15)


FIRST_KIT, *OTHER_KITS = sorted(drum_machine.KITS)


@pytest.mark.parametrize(
    "kit", [FIRST_KIT, *(pytest.param(kit, marks=pytest.mark.heavy) for kit in OTHER_KITS)]
)
def test_kits_have_every_key(kit):
    notes = [TimedNote(4800 * n, 2400, key, 0.8) for n, key in enumerate(range(27, 88))]
    sound = drum_machine.play(kit, notes, 62 * 4800, model=1)
    assert np.isfinite(sound).all()
    for note in notes:
        piece = sound[:, note.start : note.start + 2400]
        assert np.abs(piece).max() > 0.005, note.pitch


@pytest.mark.parametrize("key", [36, 38, 42, 49])
def test_strokes_sit_where_their_drum_belongs(key):
    level = stroke_level(drum_machine.build_stroke("909", key, 0, 0))
    wanted = 20 * np.log10(0.1) + drum_level(key)
    assert 20 * np.log10(level) == pytest.approx(wanted, abs=0.6)


def test_closed_hat_chokes_an_open_one():
    open_alone = drum_machine.play("808", [TimedNote(0, 100, 46, 0.9)], SECOND, model=0)
    closed_alone = drum_machine.play("808", [TimedNote(9600, 100, 42, 0.9)], SECOND, model=0)
    both = drum_machine.play(
        "808", [TimedNote(0, 100, 46, 0.9), TimedNote(9600, 100, 42, 0.9)], SECOND, model=0
    )
    assert np.abs(open_alone[:, 10_000:]).max() > 0.01
    assert np.abs((both - closed_alone)[:, 10_000:]).max() < 1e-6
