"""The two small networks of the controls: draws from text, and one tempo fitted to arrows."""

import cmath
import dataclasses
import math

import numpy as np
import pytest
import torch

from jen1cli.conditioning.controls.beats import FASTEST_BPM, SLOWEST_BPM, Onsets
from jen1cli.conditioning.controls.chord_predictor import (
    BARS,
    HOLD,
    SLOTS,
    UNKNOWN,
    ChordPredictor,
    chart_slots,
)
from jen1cli.conditioning.controls.predictor import (
    KEYS,
    METERS,
    NUM_TEMPI,
    ControlPredictor,
    tempo_at,
    tempo_index,
)
from jen1cli.conditioning.controls.tracker import ControlTracker, TrackerOutput, fit_beat
from jen1cli.config import ControlsConfig
from jen1cli.music.chords import chart_text, parse_chart
from jen1cli.music.controls import MAX_BPM, MIN_BPM, Controls

SMALL = ControlsConfig(
    predictor_features=16, tracker_channels=8, tracker_dilations=(1, 2), transcribed_channels=47
)
RATE = 48_000 / 2048


def arrows(times, bpm, moment, beats, length=1.0):
    """Arrows of beat and bar of music with one tempo whose bar begins at `moment`."""
    phase = (times - moment) * bpm / 60.0
    return (
        torch.polar(torch.full_like(phase, length), 2 * math.pi * phase),
        torch.polar(torch.full_like(phase, length), 2 * math.pi * phase / beats),
    )


def times_of(frames):
    return (torch.arange(frames, dtype=torch.float64) + 0.5) / RATE


@pytest.mark.parametrize(("bpm", "beats", "meter"), [(60.5, 4, "4/4"), (141.3, 3, "3/4")])
def test_a_steady_beat_is_fitted_exactly(bpm, beats, meter):
    times = times_of(200)
    found = fit_beat(*arrows(times, bpm, 0.4, beats), times)
    assert found[0] == pytest.approx(bpm, rel=2e-3)
    assert found[1] == meter
    late = (found[2] - 0.4) / (beats * 60 / bpm)  # in bars
    assert abs(late - round(late)) < 0.01


def test_a_noisy_beat_with_a_hole_is_fitted_still():
    torch.manual_seed(0)
    times = torch.cat([times_of(220)[:70], times_of(220)[150:]])
    beat, bar = arrows(times, 104.0, 0.1, 4, length=0.7)
    noise = torch.polar(torch.full_like(times, 0.4), 7 * torch.rand_like(times))
    tempo, meter, moment = fit_beat(beat + noise, bar + noise.conj(), times)
    assert tempo == pytest.approx(104.0, rel=0.01)
    assert meter == "4/4"
    late = (moment - 0.1) * 104 / 240
    assert abs(late - round(late)) < 0.03


def test_arrows_without_a_beat_have_no_tempo():
    torch.manual_seed(0)
    times = times_of(240)
    noise = torch.polar(torch.rand_like(times), 7 * torch.rand_like(times))
    assert fit_beat(noise, noise, times) == (0.0, "", 0.0)


def test_a_beat_whose_bar_is_not_heard_goes_in_four():
    times = times_of(200)
    beat, bar = arrows(times, 90.0, 0.25, 3)
    tempo, meter, moment = fit_beat(beat, 0.1 * bar, times)
    assert (tempo, meter) == (pytest.approx(90.0, rel=2e-3), "4/4")
    late = (moment - 0.25) * 90 / 60  # in beats
    assert abs(late - round(late)) < 0.02


def test_a_tempo_that_is_known_only_gets_its_phase():
    times = times_of(100)
    beat, bar = arrows(times, 90.0, 0.25, 4)
    tempo, _, moment = fit_beat(beat, bar, times, 90.0)
    assert tempo == 90.0
    assert cmath.exp(2j * math.pi * (moment - 0.25) * 1.5).real == pytest.approx(1.0, abs=1e-3)
    assert fit_beat(beat, bar, times, 133.0)[0] == 0.0  # the music does not go that way


def test_the_tracker_hears_known_frames_alone():
    torch.manual_seed(0)
    tracker = ControlTracker(8, SMALL).eval()
    latent = torch.randn(1, 8, 90)
    known = (torch.arange(90) < 60)[None, None]
    other = torch.where(known, latent, torch.nan)
    assert tracker.track(latent, known, RATE) == tracker.track(other, known, RATE)
    for part, same in zip(tracker(latent, known), tracker(other, known), strict=True):
        assert torch.equal(part, same)


def test_onsets_make_a_tempo_sure_across_a_hole(monkeypatch):
    """Where the tracker's phases are faint; a longer gap leaves the larger part alone."""
    times = times_of(600)
    beat, bar = (phase[None].to(torch.complex64) for phase in arrows(times, 100.0, 0.31, 4))
    output = TrackerOutput(0.29 * beat, bar, torch.zeros(1, len(KEYS)), None)
    tracker = ControlTracker(4, SMALL)
    monkeypatch.setattr(ControlTracker, "forward", lambda *_: output)
    strength = np.zeros(round(600 / RATE * 80))
    strength[np.rint(np.arange(0.31, 600 / RATE - 0.1, 0.6) * 80).astype(int)] = 1.0
    for hole in (slice(300, 370), slice(60, 320)):
        known = torch.ones(1, 1, 600, dtype=torch.bool)
        known[..., hole] = False
        heard = strength * np.repeat(known[0, 0].numpy(), 4)[: len(strength)]
        alone = tracker.track(torch.zeros(1, 4, 600), known, RATE)
        found = tracker.track(torch.zeros(1, 4, 600), known, RATE, onsets=Onsets(heard, 80.0))
        assert alone.bpm == 0.0
        assert found.bpm == pytest.approx(100.0, rel=0.005)
        assert found.meter == "4/4"
        assert (found.downbeat - 0.31) % 2.4 == pytest.approx(0.0, abs=0.06)
    onsets = Onsets(heard, 80.0)
    asked = tracker.track(torch.zeros(1, 4, 600), known, RATE, Controls(bpm=90.0), onsets)
    assert asked.bpm == 90.0


def test_the_tracker_runs_in_bfloat16():
    torch.manual_seed(0)
    tracker, latent = ControlTracker(8, SMALL).eval(), torch.randn(1, 8, 60)
    known = torch.ones(1, 1, 60, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        output = tracker(latent, known)
    exact = tracker(latent, known)
    for half, whole in ((output.beat, exact.beat), (output.bar, exact.bar)):
        assert half.dtype == torch.complex64
        assert (half - whole).abs().max() < 0.05 * whole.abs().max()


def test_what_is_asked_for_stays_and_silence_hears_nothing():
    tracker = ControlTracker(8, SMALL).eval()
    asked = Controls(100.0, "3/4", 0.5, "D", "minor")
    latent, nothing = torch.randn(1, 8, 40), torch.zeros(1, 1, 40, dtype=torch.bool)
    assert tracker.track(latent, nothing, RATE, asked) == asked
    heard = tracker.track(latent, ~nothing, RATE, asked)
    assert (heard.bpm, heard.meter, heard.key, heard.mode) == (100.0, "3/4", "D", "minor")


def test_the_scale_of_tempi_is_fine_and_wide():
    assert MIN_BPM < tempo_at(0) <= SLOWEST_BPM
    assert FASTEST_BPM < tempo_at(NUM_TEMPI - 1) < MAX_BPM
    for bpm in (45.0, 60.0, 92.0, 128.0, 174.0, 230.0):
        assert tempo_at(tempo_index(bpm)) == pytest.approx(bpm, rel=0.02)
    assert (tempo_index(1.0), tempo_index(1e6)) == (0, NUM_TEMPI - 1)


def test_draws_follow_the_seed_and_the_distribution():
    torch.manual_seed(0)
    predictor = ControlPredictor(12, SMALL).eval()
    with torch.no_grad():
        predictor.output.bias[tempo_index(128.0)] = 30.0
        predictor.output.bias[NUM_TEMPI + METERS.index("3/4")] = 30.0
        predictor.output.bias[NUM_TEMPI + len(METERS) + KEYS.index(("D", "minor"))] = 30.0
    text, mask = torch.randn(1, 5, 12), torch.ones(1, 5, dtype=torch.bool)
    drawn = predictor.sample(text, mask, torch.Generator().manual_seed(1))
    assert (drawn.meter, drawn.downbeat, drawn.key, drawn.mode) == ("3/4", 0.0, "D", "minor")
    assert drawn.bpm == pytest.approx(128.0, rel=0.02)
    flat = ControlPredictor(12, SMALL).eval()
    seeds = [flat.sample(text, mask, torch.Generator().manual_seed(i)) for i in range(20)]
    assert len(set(seeds)) > 10
    assert flat.sample(text, mask, torch.Generator().manual_seed(3)) == seeds[3]


def test_padding_says_nothing():
    predictor = ControlPredictor(12, SMALL).eval()
    text = torch.randn(1, 5, 12)
    padded = torch.cat([text, torch.randn(1, 3, 12)], dim=1)
    mask = (torch.arange(8) < 5)[None]
    for one, other in zip(predictor(text, mask[:, :5]), predictor(padded, mask), strict=True):
        torch.testing.assert_close(one, other)


CHART = Controls(100.0, "4/4", 0.0, "D", "minor", "Dm | Gm A7 | Dm | N.C. | C")


def test_half_bars_of_a_chart_count_from_the_tonic():
    roots, kinds = chart_slots(CHART)
    assert roots[:10] == [0, HOLD, 5, 7, 0, HOLD, UNKNOWN, UNKNOWN, 10, HOLD]
    assert roots[10:] == [UNKNOWN] * (SLOTS - 10)
    moved = Controls(100.0, "4/4", 0.0, "E", "minor", "Em | Am B7 | Em | N.C. | D")
    assert chart_slots(moved) == (roots, kinds)
    for silent in (Controls(100.0, "4/4", chords="C"), Controls(100.0, "4/4", 0.0, "C", "major")):
        assert chart_slots(silent) == ([UNKNOWN] * SLOTS, [UNKNOWN] * SLOTS)


def test_a_chord_depends_on_those_before_it_alone():
    torch.manual_seed(0)
    predictor = ChordPredictor(12, 16).eval()
    text, mask, mode = torch.randn(1, 4, 12), torch.ones(1, 4, dtype=torch.bool), torch.tensor([1])
    roots, kinds = (torch.tensor([slots]) for slots in chart_slots(CHART))
    whole = predictor(text, mask, mode, roots, kinds)
    later = roots.clone()
    later[:, 5:] = 3
    changed = predictor(text, mask, mode, later, kinds)
    assert torch.equal(whole.root[:, :6], changed.root[:, :6])
    assert not torch.equal(whole.root[:, 6:], changed.root[:, 6:])


@pytest.mark.heavy
def test_a_prior_that_learned_one_chart_draws_it_in_every_key():
    torch.manual_seed(0)
    predictor = ChordPredictor(12, 32)
    text, mask = torch.randn(1, 4, 12), torch.ones(1, 4, dtype=torch.bool)
    controls = Controls(100.0, "4/4", 0.0, "A", "minor", "Am | F | C | G E7 | Am | F | C | E7")
    roots, kinds = (torch.tensor([slots]) for slots in chart_slots(controls))
    optimizer = torch.optim.Adam(predictor.parameters(), 0.02)
    for _ in range(120):
        logits = predictor(text, mask, torch.tensor([1]), roots, kinds)
        loss = torch.nn.functional.cross_entropy(logits.root[0], roots[0])
        known = kinds[0] >= 0
        loss = loss + torch.nn.functional.cross_entropy(logits.kind[0, known], kinds[0, known])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    draw = torch.Generator().manual_seed(0)
    assert chart_text(predictor.sample(text, mask, controls, draw)) == controls.chords
    higher = Controls(100.0, "4/4", 0.0, "C", "minor")
    higher_chords = chart_text(predictor.sample(text, mask, higher, draw))
    assert higher_chords == "Cm | G# | D# | A# G7 | Cm | G# | D# | G7"


def test_what_is_asked_for_stays_when_controls_are_completed():
    torch.manual_seed(0)
    predictor = ControlPredictor(12, dataclasses.replace(SMALL, chord_features=8)).eval()
    text, mask = torch.randn(1, 5, 12), torch.ones(1, 5, dtype=torch.bool)

    def complete(asked, seed=0):
        return predictor.complete(asked, text, mask, torch.Generator().manual_seed(seed))

    asked = Controls(bpm=90.0, chords="Em | C | D | Em")
    assert (complete(asked).chords, complete(asked).key, complete(asked).mode) == (
        asked.chords, "E", "minor",
    )  # fmt: skip
    drawn = {complete(Controls(key="C", mode="major"), seed).chords for seed in range(5)}
    assert len(drawn) == 5
    assert all(len(parse_chart(chords)) == BARS for chords in drawn)
    plain = ControlPredictor(12, SMALL).eval()
    assert (
        plain.complete(Controls(key="C", mode="major"), text, mask, torch.Generator()).chords == ""
    )
