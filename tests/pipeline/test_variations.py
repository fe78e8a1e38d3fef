"""Variations on the tiny model: noise between two seeds, words, controls, edits."""

import dataclasses

import pytest
import torch

from jen1cli import Controls
from jen1cli.diffusion import Noise
from jen1cli.errors import ConfigError
from jen1cli.music.chords import parse_chart
from jen1cli.music.patterns import parse_melody
from jen1cli.pipeline.denoising import seeded
from jen1cli.pipeline.replay import varied
from jen1cli.recipe import Recipe, RecipeError
from jen1cli.sampling import Variation

SHAPE = (4, 20_000)


@pytest.fixture(scope="module")
def piece(tiny):
    return tiny.generate("lofi piano", seconds=0.5, seed=7, steps=2)


def distance(one, other):
    return float((one.waveform - other.waveform).pow(2).mean())


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.7, 1.0])
def test_noise_between_two_seeds_keeps_its_variance(amount):
    mixed = Noise(seeded(1), [(seeded(2), amount)]).draw(SHAPE)
    assert float(mixed.var()) == pytest.approx(1.0, abs=0.02)
    first, second = (torch.randn(SHAPE, generator=seeded(seed)) for seed in (1, 2))
    likeness = float(torch.corrcoef(torch.stack([mixed.flatten(), first.flatten()]))[0, 1])
    assert likeness == pytest.approx(
        float(torch.cos(torch.tensor(amount * torch.pi / 2))), abs=0.01
    )
    assert torch.equal(mixed, first) == (amount == 0.0)
    assert torch.equal(mixed, second) == (amount == 1.0)


def test_amount_0_is_the_piece_itself(tiny, piece):
    same = tiny.vary(piece, amount=0.0)
    assert torch.equal(same.waveform, piece.waveform)
    assert same.recipe == piece.recipe


def test_a_larger_amount_is_further_away(tiny, piece):
    near, far = (tiny.vary(piece, amount=amount, seed=9) for amount in (0.1, 0.6))
    assert 0.0 < distance(near, piece) < distance(far, piece)
    assert near.recipe.controls == far.recipe.controls == piece.recipe.controls
    assert near.recipe.variations == (Variation(9, 0.1),)


def test_all_new_noise_is_that_of_the_seed_under_the_same_score(tiny, piece):
    new = tiny.vary(piece, seed=9)
    assert new.recipe.variations == (Variation(9, 1.0),)
    controls = piece.recipe.controls
    other = tiny.generate("lofi piano", seconds=0.5, seed=9, steps=2, controls=controls)
    assert torch.equal(new.waveform, other.waveform)


@pytest.mark.heavy
def test_a_variation_is_made_again_and_varied_again(tiny, piece, tmp_path):
    first = tiny.vary(piece, amount=0.3, seed=9)
    second = tiny.vary(first, amount=0.2, seed=10)
    assert second.recipe.variations == (Variation(9, 0.3), Variation(10, 0.2))
    assert distance(second, first) > 0.0
    second.save(tmp_path / "a.wav")
    from_file = tiny.vary(tmp_path / "a.wav", amount=0.0)
    assert torch.equal(from_file.waveform, second.waveform)
    assert torch.equal(tiny.again(second.recipe).waveform, second.waveform)
    assert Recipe.from_json(second.recipe.to_json()) == second.recipe


def test_a_recipe_without_variations_does_not_name_them(piece):
    assert "variations" not in piece.recipe.to_dict()


def test_new_words_keep_noise_and_score(tiny, piece):
    new = tiny.vary(piece, "same, with strings")
    assert new.recipe.prompt == "lofi piano, with strings"
    assert new.recipe.variations == ()
    assert new.recipe.controls == piece.recipe.controls
    assert not torch.equal(new.waveform, piece.waveform)


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("techno", "techno"),
        ("same", "lofi"),
        ("Same, slower", "lofi, slower"),
        ("same with choir", "lofi with choir"),
        ("samewhat", "samewhat"),
    ],
)
def test_same_stands_for_the_former_words(piece, words, prompt):
    recipe = dataclasses.replace(piece.recipe, prompt="lofi")
    assert varied(recipe, words).prompt == prompt


def test_new_controls_keep_the_noise_and_the_other_controls(tiny, piece):
    new = tiny.vary(piece, controls=Controls(chords="Dm | G"))
    assert new.recipe.controls == dataclasses.replace(piece.recipe.controls, chords="Dm | G")
    assert new.recipe.variations == ()


@pytest.fixture(scope="module")
def written(tiny):
    """A piece of the composer by rule, in A major."""
    return tiny.generate(
        "pop", seconds=4.0, seed=7, steps=1, style="pop", composer="rules",
        controls=Controls(bpm=120.0, meter="4/4", key="A", mode="major"),
    )  # fmt: skip


def notes_of(music, role):
    parts = (part for passage in music.recipe.played for part in passage.parts())
    return [part.notes for part in parts if part.role == role]


@pytest.mark.heavy
def test_the_recipe_holds_the_score_that_new_chords_lead_to(tiny, written):
    new = tiny.vary(written, controls=Controls(chords="Am | F"))
    controls = new.recipe.controls
    assert controls.chords == "Am | F"
    bass = [pitch % 12 for notes in notes_of(new, "bass") for _, _, pitch, _ in notes]
    assert bass
    assert bass[0] == 9  # A
    assert notes_of(new, "bass") != notes_of(written, "bass")
    assert notes_of(new, "lead") == notes_of(written, "lead")
    assert notes_of(new, "drums") == notes_of(written, "drums")
    assert tiny.again(new.recipe).recipe == new.recipe
    assert torch.equal(tiny.again(new.recipe).waveform, new.waveform)


def test_silent_drums_leave_all_other_parts(tiny, written):
    new = tiny.vary(written, controls=Controls(drums="none"))
    assert notes_of(written, "drums")
    assert not notes_of(new, "drums")
    for role in ("bass", "comping", "lead"):
        assert notes_of(new, role) == notes_of(written, role)
    assert notes_of(new, "bass")


@pytest.mark.heavy
def test_the_recipe_of_a_varied_edit_holds_what_was_played_now(tiny, tmp_path, music):
    from jen1cli import audio

    audio.write(tmp_path / "in.wav", music(2.0), 48_000)
    made = tiny.continue_(
        tmp_path / "in.wav", 2.0, seed=1, steps=1, controls=Controls(bpm=120.0, chords="Am")
    )
    new = tiny.vary(made, controls=Controls(bpm=90.0, chords="C"))
    assert [(item.controls.bpm, item.controls.chords) for item in new.recipe.passages] == [
        (90.0, "C")
    ]
    assert tiny.again(new.recipe).recipe == new.recipe


def test_new_instruments_are_those_of_the_recipe(tiny, written, caplog):
    new = tiny.vary(written, instruments=("piano",))
    assert "takes instruments from the words alone" in caplog.text
    assert new.recipe.instruments == ("piano",)
    assert new.recipe.controls.drums == "none"
    assert {part.family for part in new.recipe.controls.score.parts} == {"piano"}
    assert notes_of(new, "bass") == notes_of(written, "bass")


@pytest.mark.parametrize(
    ("key", "mode", "steps"),
    [("C", "major", 3), pytest.param("F#", "mixolydian", -3, marks=pytest.mark.heavy)],
)
def test_a_new_key_of_its_kind_transposes_the_score(tiny, written, key, mode, steps):
    new = tiny.vary(written, controls=Controls(key=key, mode=mode))
    former, controls = written.recipe.controls, new.recipe.controls
    assert (controls.key, controls.mode) == (key, mode)
    assert controls.drums == former.drums
    bars = zip(parse_chart(former.chords), parse_chart(controls.chords), strict=True)
    for old, now in bars:
        assert [((chord.root + steps) % 12, chord.suffix) for chord in old] == [
            (chord.root, chord.suffix) for chord in now
        ]
    for role in ("bass", "comping", "lead"):
        before, after = (
            [note for notes in notes_of(music, role) for note in notes] for music in (written, new)
        )
        assert before
        assert [(a, b, pitch + steps, level) for a, b, pitch, level in before] == after
    assert notes_of(new, "drums") == notes_of(written, "drums")
    melodies = [parse_melody(found.melody).sounds for found in (former, controls)]
    assert [note.number % 12 for note in melodies[1]] == [
        (note.number + steps) % 12 for note in melodies[0]
    ]
    assert tiny.again(new.recipe).recipe == new.recipe


@pytest.mark.heavy
def test_a_new_key_of_another_kind_replaces_what_is_in_the_former_one(tiny, written):
    new = tiny.vary(written, controls=Controls(key="D", mode="minor"))
    controls = new.recipe.controls
    assert (controls.key, controls.mode, controls.bpm) == ("D", "minor", 120.0)
    assert controls.drums == written.recipe.controls.drums
    assert notes_of(new, "drums") == notes_of(written, "drums")
    chords = written.recipe.controls.chords
    assert chords
    assert controls.chords not in ("", chords)
    scale = {(2 + step) % 12 for step in (0, 2, 3, 5, 7, 8, 9, 10, 11)}  # of all minor modes
    bass = {pitch % 12 for notes in notes_of(new, "bass") for _, _, pitch, _ in notes}
    assert bass <= scale
    same = varied(written.recipe, options={"controls": Controls(key="A", mode="major")})
    assert same.controls == written.recipe.controls


def test_an_upbeat_has_as_many_beats_at_a_new_tempo(piece):
    upbeat = dataclasses.replace(piece.recipe.controls, bpm=120.0, meter="4/4", downbeat=-1.5)
    recipe = dataclasses.replace(piece.recipe, controls=upbeat)
    new = varied(recipe, options={"controls": Controls(bpm=90.0)}).controls
    assert (new.bpm, new.downbeat) == (90.0, pytest.approx(-2.0))


def test_a_full_score_gives_way_to_a_new_tempo(written):
    new = varied(written.recipe, options={"controls": Controls(bpm=90.0)}).controls
    former = written.recipe.controls
    assert (new.score, new.chords, new.melody) == (None, former.chords, former.melody)
    assert varied(written.recipe, amount=0.5).controls == former


@pytest.mark.heavy
def test_a_new_style_is_written_anew(tiny, written):
    new = tiny.vary(written, style="techno")
    assert new.recipe.style == "techno"
    assert (new.recipe.controls.bpm, new.recipe.controls.key) == (120.0, "A")
    assert notes_of(new, "drums") != notes_of(written, "drums")
    assert not torch.equal(new.waveform, written.waveform)
    learned = tiny.vary(new, composer="learned")
    assert (learned.recipe.style, learned.recipe.composer) == ("", "learned")
    assert learned.recipe.controls.score is None


def test_what_is_no_setting_is_refused(tiny, piece):
    with pytest.raises(TypeError, match="unknown setting 'seconds'; known: negative_prompt"):
        tiny.vary(piece, seconds=2.0)


@pytest.mark.parametrize("asked", [{"amount": 0.0}, {"prompt": "same, with strings"}])
def test_a_seed_without_new_noise_is_refused(tiny, piece, asked):
    with pytest.raises(ConfigError, match="seed 5 is of new noise, and there is none"):
        tiny.vary(piece, seed=5, **asked)


@pytest.mark.heavy
@pytest.mark.parametrize("task", ["inpaint", "continue"])
def test_edits_are_varied_inside_the_edit_alone(tiny, tmp_path, music, task):
    from jen1cli import audio

    path = tmp_path / "in.wav"
    audio.write(path, music(2.0), 48_000)
    if task == "inpaint":
        made = tiny.inpaint(path, [(0.5, 1.0)], seed=1, steps=2)
        inside = slice(24_000, 48_000)
    else:
        made = tiny.continue_(path, 0.5, seed=1, steps=2)
        inside = slice(96_000, None)
    same, new = tiny.vary(made, amount=0.0), tiny.vary(made, amount=0.5, seed=3)
    assert torch.equal(same.waveform, made.waveform)
    assert not torch.equal(new.waveform[:, inside], made.waveform[:, inside])
    outside = torch.ones(made.waveform.shape[1], dtype=torch.bool)
    outside[inside] = False
    assert torch.equal(new.waveform[:, outside], made.waveform[:, outside])
    assert torch.equal(tiny.again(new.recipe).waveform, new.waveform)


def test_mixed_noise_goes_on_from_window_to_window():
    noise = Noise(seeded(1), [(seeded(2), 1.0)])
    assert not torch.equal(noise.draw((3, 5)), noise.draw((3, 5)))


def test_what_cannot_be_varied_is_said(tiny, piece, tmp_path, music):
    with pytest.raises(ConfigError, match=r"amount of a variation is 1\.5"):
        tiny.vary(piece, amount=1.5)
    decoded = dataclasses.replace(piece.recipe, task="decode")
    with pytest.raises(RecipeError, match="decoded from a latent"):
        tiny.vary(decoded)
    damaged = piece.recipe.to_dict() | {"variations": [{"seed": 1, "amount": 2.0}]}
    with pytest.raises(RecipeError, match="variations is"):
        Recipe.from_dict(damaged)
