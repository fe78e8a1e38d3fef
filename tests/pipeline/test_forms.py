"""Pieces with a form on the tiny model: length, recipe, the end, MIDI, and what has none."""

import io

import mido
import pytest
import torch

from jen1cli import Controls
from jen1cli.errors import ConfigError
from jen1cli.midi import read_midi
from jen1cli.music.chords import parse_chart
from jen1cli.pipeline.gain_matching import fade_out

FAST = Controls(bpm=300.0, meter="4/4", key="C", mode="major")  # 0.8 s a bar
FORM = "verse:1[F] chorus:1 verse:1 end"


@pytest.fixture(scope="module")
def piece(tiny):
    return tiny.generate(
        "pop", form=FORM, style="pop", composer="rules", seed=3, steps=1, controls=FAST
    )


def test_the_length_is_that_of_the_bars(piece):
    recipe = piece.recipe
    assert piece.seconds == pytest.approx(3.2)
    assert recipe.seconds == pytest.approx(3.2)
    assert recipe.form == "verse:1[F] chorus:1 verse:1[F] end:1"
    bars = parse_chart(recipe.controls.chords)
    assert [bar[0].root for bar in bars[::2]] == [5, 5]
    assert bars[3][0].root == 0


@pytest.mark.heavy
def test_again_makes_the_same(tiny, piece):
    again = tiny.again(piece.recipe)
    assert torch.equal(again.waveform, piece.waveform)
    assert again.recipe == piece.recipe


def test_the_last_chord_decays(piece):
    last = piece.waveform[:, -2400:].abs().max()
    assert last < 0.05 * piece.waveform.abs().max()
    assert last > 0
    signal = torch.ones(2, 1000).numpy()
    fade_out(signal, 400)
    assert (signal[:, :700] == 1.0).all()
    assert signal[0, 850] == pytest.approx(0.5, abs=0.01)
    assert signal[0, -1] < 1e-4


def test_without_an_end_nothing_decays(tiny):
    made = tiny.generate(
        "pop",
        form="verse:1 chorus:1",
        style="pop",
        composer="rules",
        seed=3,
        steps=1,
        controls=FAST,
    )
    assert made.waveform[:, -2400:].abs().max() > 0.05 * made.waveform.abs().max()


def test_a_length_determines_the_tempo(tiny):
    made = tiny.generate(
        "pop", form="a:1 b:1", style="pop", composer="rules", seed=3, steps=1, seconds=2.0,
        controls=Controls(meter="4/4"),
    )  # fmt: skip
    assert made.recipe.controls.bpm == pytest.approx(240.0)
    assert made.seconds == 2.0
    assert tiny.again(made.recipe).recipe == made.recipe


@pytest.mark.heavy
def test_pieces_of_a_batch_have_lengths_of_their_own(tiny):
    options = {"form": "a:1 end", "composer": "rules", "steps": 1}
    both = tiny.generate_batch(["pop, 300 bpm", "pop, 240 bpm"], seed=4, **options)
    assert [music.seconds for music in both] == [pytest.approx(1.6), pytest.approx(2.0)]
    assert both[0].recipe == tiny.generate("pop, 300 bpm", seed=4, **options).recipe


def test_midi_has_the_sections_as_markers_and_is_read_back(piece, tmp_path):
    piece.save_midi(tmp_path / "a.mid")
    data = (tmp_path / "a.mid").read_bytes()
    track = mido.MidiFile(file=io.BytesIO(data)).tracks[0]
    at, found = 0, []
    for message in track:
        at += message.time
        if message.type == "marker" and message.text.startswith("["):
            found.append((at, message.text))
    assert found == [(0, "[verse]"), (1920, "[chorus]"), (3840, "[verse]"), (5760, "[end]")]
    assert read_midi(data).controls.chords == piece.recipe.controls.chords


@pytest.mark.heavy
def test_variations_keep_the_form(tiny, piece):
    moved = tiny.vary(piece, controls=Controls(key="D", mode="major")).recipe
    assert moved.form == "verse:1 chorus:1 verse:1 end:1"
    assert parse_chart(moved.controls.chords)[0][0].root == 7
    assert tiny.again(moved).recipe == moved
    slower = tiny.vary(piece, controls=Controls(bpm=240.0)).recipe
    assert slower.seconds == pytest.approx(4.0)
    learned = tiny.vary(piece, composer="learned").recipe
    assert (learned.form, learned.composer) == ("", "learned")
    other = tiny.vary(piece, form="intro:1 verse:1", amount=0.5).recipe
    assert other.seconds == pytest.approx(1.6)
    assert len(parse_chart(other.controls.chords)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"composer": "learned"}, "a form is for new pieces of the composer 'rules', not"),
        ({"composer": "none"}, "a form is for new pieces of the composer 'rules', not"),
        ({"composer": "rules", "loop_bars": 2}, "a loop has no form"),
        ({"composer": "rules", "style": "sounds"}, "'sounds' has no bars"),
        ({"composer": "rules", "form": "verse"}, "no number of bars"),
        ({"composer": "rules", "seconds": 9.0, "controls": FAST}, "last 3.20 s, not 9"),
    ],
)
def test_what_has_no_form_is_refused(tiny, options, words):
    with pytest.raises(ConfigError, match=words):
        tiny.generate("pop", **{"form": FORM, "seed": 1, "steps": 1, **options})


def test_scores_and_edits_have_no_form(tiny, piece, tmp_path):
    piece.save_midi(tmp_path / "a.mid")
    tune = read_midi(tmp_path / "a.mid")
    with pytest.raises(ConfigError, match="a score has the form of its own notes"):
        tiny.generate("pop", form=FORM, composer="rules", seed=1, controls=tune.controls)
    with pytest.raises(ConfigError, match="a form is for new pieces"):
        tiny.continue_(piece, 1.0, form=FORM, seed=1)
