"""The renderer: same score, same samples; levels, onsets, silence, stems, effects."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from corpus_support import make_score
from jen1cli.audio.loudness import loudness
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.score import EFFECTS, ROOMS, Effect, Note, Part, Score
from jen1cli.corpus.rendering import drum_machine
from jen1cli.corpus.rendering.effects import EFFECTS as PLAYED_EFFECTS
from jen1cli.corpus.rendering.renderer import Renderer, timed_notes
from jen1cli.corpus.rendering.rooms import ROOMS as PLAYED_ROOMS
from jen1cli.corpus.rendering.rooms import impulse_response
from jen1cli.corpus.rendering.soundfont import find_soundfont
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE
from jen1cli.errors import DataError


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


@pytest.fixture(scope="module")
def mix(renderer):
    return renderer.render(make_score(bars=4))


@pytest.fixture(scope="module")
def plain(renderer):
    return renderer.render(make_score("drums chords", bars=1))


def peak_db(sound):
    """Peak between the samples, measured apart from the limiter's own way."""
    return 20 * np.log10(np.abs(signal.resample_poly(sound.astype(float), 8, 1, axis=1)).max())


@pytest.mark.heavy
def test_same_score_gives_the_same_samples(renderer, mix):
    renderer.render(make_score("chords", seed=9, instruments={"chords": "supersaw"}))
    assert np.array_equal(renderer.render(make_score(bars=4)), mix)
    assert np.array_equal(Renderer().render(make_score(bars=4)), mix)


@pytest.mark.heavy
def test_another_seed_sounds_different(renderer, mix):
    assert not np.array_equal(renderer.render(make_score(bars=4, seed=2)), mix)


def test_clip_is_exactly_as_long_as_its_score(renderer):
    score = make_score("chords", bars=1, bpm=97.0)
    sound = renderer.render(score)
    assert sound.shape == (2, round(score.seconds * SAMPLE_RATE))
    assert sound.dtype == np.float32


def test_mix_is_loud_and_never_clips(mix):
    assert loudness(mix, SAMPLE_RATE) == pytest.approx(-14.0, abs=0.7)
    assert peak_db(mix) <= -0.95
    assert np.isfinite(mix).all()
    assert abs(mix.mean()) < 1e-3


def test_drums_alone_keep_their_peaks_under_the_ceiling(renderer):
    sound = renderer.render(make_score("drums"))
    assert -18.0 < loudness(sound, SAMPLE_RATE) < -13.0
    assert peak_db(sound) <= -0.95


@pytest.mark.parametrize(
    ("effect", "low", "high"),
    [(Effect("quiet", 1.0), -46.5, -43.5), (Effect("loud", 0.7), -11.0, -8.5)],
)
def test_scores_may_ask_for_another_loudness(renderer, effect, low, high):
    sound = renderer.render(make_score(master=(effect,)))
    assert low < loudness(sound, SAMPLE_RATE) < high
    assert peak_db(sound) <= -0.95


def test_silence_is_exact_and_only_where_nothing_plays(renderer):
    silent = Score(1, "test", 120.0, "4/4", "", "", 4.0, ())
    assert not renderer.render(silent).any()
    late = make_score("drums")
    notes = tuple(note for note in late.parts[0].notes if note.beat >= 4)
    sound = renderer.render(replace(late, parts=(replace(late.parts[0], notes=notes),)))
    start = 2 * SAMPLE_RATE
    assert not sound[:, :start].any()
    assert np.abs(sound[:, start : start + 480]).max() > 1e-3


def test_onsets_are_exact_to_the_sample():
    beats = (0.0, 0.37, 1.013, 2.5, 3.26)
    part = Part("drums", "drums", "kit_minimal", tuple(Note(b, 0.1, 37, 0.8) for b in beats))
    notes = timed_notes(part, 93.0, 4 * SAMPLE_RATE)
    expected = [round(b * 60 / 93 * SAMPLE_RATE) for b in beats]
    assert [note.start for note in notes] == expected
    sound = drum_machine.play("minimal", notes, 4 * SAMPLE_RATE, model=0)
    for start in expected:
        before, after = sound[:, max(0, start - 40) : start], sound[:, start : start + 40]
        assert np.abs(after).max() > 100 * (np.abs(before).max() if start else 0.0) + 1e-4


def test_stems_add_up_to_the_mix(renderer):
    score = make_score("bass chords", bars=4)
    mix, stems = renderer.render_stems(score)
    assert set(stems) == {"drums", "bass", "harmony", "melody"}
    assert not stems["melody"].any()
    total = np.sum(list(stems.values()), axis=0)
    assert np.corrcoef(total.ravel(), mix.ravel())[0, 1] > 0.98
    # the processing of the mix is not linear, so both agree but for rounding in its input
    assert np.abs(mix - renderer.render(score)).max() < 1e-3


def test_pan_and_mono(renderer):
    score = make_score("bass")
    left = replace(score, parts=(replace(score.parts[0], pan=-1.0),))
    sound = renderer.render(left)
    assert np.abs(sound[0]).max() > 100 * np.abs(sound[1]).max()
    mono = renderer.render(make_score("chords", master=(Effect("mono", 1.0),)))
    assert np.abs(mono[0] - mono[1]).max() < 1e-6


def test_every_effect_and_room_of_the_score_is_played():
    assert set(EFFECTS) == set(PLAYED_EFFECTS)
    assert set(ROOMS) == set(PLAYED_ROOMS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.heavy] if i % 2 else [])
        for i, name in enumerate(sorted(set(EFFECTS) - {"quiet", "loud", "glide"}))
    ],
)
def test_effects_change_the_sound_and_keep_it_sound(renderer, plain, name):
    sound = renderer.render(make_score("drums chords", bars=1, effects=(Effect(name, 0.6),)))
    assert sound.shape == plain.shape
    assert np.isfinite(sound).all()
    assert loudness(sound, SAMPLE_RATE) == pytest.approx(-14.0, abs=2.5)
    assert np.abs(sound - plain).max() > 0.003


def test_settings_of_effects_are_heard(renderer):
    def high(effect):
        sound = renderer.render(make_score("chords", effects=(effect,))).mean(axis=0)
        halves = np.array_split(sound, 2)
        power = [np.abs(np.fft.rfft(half)) ** 2 for half in halves]
        return [p[len(p) // 8 :].sum() / p.sum() for p in power]

    dark, bright = (high(Effect("lowpass", 0.5, {"cutoff": c})) for c in (500.0, 9000.0))
    assert sum(dark) < 0.05 * sum(bright)
    rising = high(Effect("sweep", 0.5, {"low": 300.0, "high": 16_000.0}))
    falling = high(Effect("sweep", 0.5, {"low": 16_000.0, "high": 300.0}))
    assert rising[1] > 3 * rising[0]
    assert falling[0] > 3 * falling[1]


def test_sidechain_ducks_at_the_kicks(renderer):
    score = make_score("chords", instruments={"chords": "saw_pad"})
    ducked = replace(
        score,
        parts=(
            replace(
                score.parts[0], reverb=0.0, effects=(Effect("sidechain", 1.0, {"onsets": [4.0]}),)
            ),
        ),
    )
    sound = np.abs(renderer.render(ducked)).max(axis=0)
    at = 2 * SAMPLE_RATE
    assert sound[at : at + 960].max() < 0.35 * sound[at - 4800 : at].max()


def test_unknown_names_are_refused(renderer):
    with pytest.raises(ValueError, match="unknown effect 'echoo'"):
        renderer.render(make_score("chords", effects=(Effect("echoo"),)))
    with pytest.raises(ValueError, match="unknown room 'attic'"):
        renderer.render(make_score("chords", room="attic"))


@pytest.mark.parametrize("name", sorted(PLAYED_ROOMS))
def test_rooms_die_away_in_their_time(name):
    response = impulse_response(name, 0)
    assert np.sum(np.square(response), axis=1) == pytest.approx(1.0, rel=1e-3)
    decay = np.cumsum(np.square(response[0])[::-1])[::-1]
    reached = np.argmax(10 * np.log10(decay / decay[0]) < -20) / SAMPLE_RATE
    # a third of the time to fall by 60 dB, less what the dark treble takes away
    assert 0.1 < reached / (PLAYED_ROOMS[name].seconds + PLAYED_ROOMS[name].delay) < 0.6


@pytest.mark.heavy
def test_every_sampled_instrument_plays():
    try:
        soundfont = find_soundfont()
    except DataError:
        pytest.skip("no SoundFont is installed (docs/install.md)")
    renderer = Renderer(soundfont)
    silent = []
    for instrument in INSTRUMENTS.values():
        if instrument.kind not in ("gm", "kit"):
            continue
        pitch = 38 if instrument.kind == "kit" else (instrument.low + instrument.high) // 2
        part = Part("melody", instrument.stem, instrument.name, (Note(0.0, 0.5, pitch, 0.8),))
        score = Score(1, "test", 120.0, "4/4", "C", "major", 1.0, (part,))
        if np.abs(renderer.render(score)).max() < 0.05:
            silent.append(instrument.name)
    assert not silent
