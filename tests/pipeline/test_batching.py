"""Batches of one size: the same bits for a piece in any company; and again from its recipe."""

import dataclasses

import pytest
import torch

from jen1cli.music.controls import Controls
from jen1cli.pipeline import generating
from jen1cli.pipeline.generating import Order, generate_orders
from jen1cli.recipe import Recipe, RecipeError
from jen1cli.sampling import Sampling, usual_batch


@pytest.fixture
def orders(tiny):
    """Eight unlike orders: other prompts, lengths of texts, controls, composers and seeds."""
    base = Sampling.over(tiny.config.generation, {"steps": 2})
    given = [
        {},
        {"controls": Controls(bpm=90.0)},
        {"negative_prompt": "noise, hum and hiss of an old tape"},
        {"composer": "none"},
        {"composer": "rules", "style": "bossa nova"},
        {},
        {"controls": Controls(bpm=140.0, key="D", mode="minor")},
        {},
    ]
    return [
        Order("piano " * (1 + 3 * index), 100 - 7 * index, dataclasses.replace(base, **more))
        for index, more in enumerate(given)
    ]


@pytest.mark.heavy
@pytest.mark.parametrize("batch", [1, 4, 8])
def test_a_piece_has_the_same_bits_in_any_company(tiny, orders, batch):
    together = generate_orders(tiny, orders, 0.5, batch=batch)
    backwards = generate_orders(tiny, orders[::-1], 0.5, batch=batch)[::-1]
    for order, one, other in zip(orders, together, backwards, strict=True):
        (alone,) = generate_orders(tiny, [order], 0.5, batch=batch)
        assert torch.equal(alone.waveform, one.waveform)
        assert torch.equal(alone.waveform, other.waveform)
        assert alone.recipe == one.recipe == other.recipe


@pytest.mark.heavy
def test_batches_of_one_are_what_generate_makes(tiny, orders):
    made = generate_orders(tiny, orders, 0.5, batch=1)
    for order, piece in zip(orders, made, strict=True):
        alone = tiny.generate(
            order.prompt, seconds=0.5, seed=order.seed, **order.sampling.settings()
        )
        assert torch.equal(alone.waveform, piece.waveform)
        assert alone.recipe == piece.recipe


@pytest.mark.heavy
def test_a_batch_makes_nearly_what_its_pieces_are_alone(tiny, orders):
    alone = generate_orders(tiny, orders, 0.5, batch=1)
    for one, other in zip(alone, generate_orders(tiny, orders, 0.5, batch=8), strict=True):
        assert torch.allclose(one.waveform, other.waveform, atol=1e-3)
        assert one.recipe == dataclasses.replace(other.recipe, batch=1)


def test_the_recipe_of_a_batch_makes_the_same_bits(tiny, orders):
    piece = generate_orders(tiny, orders[:3], 0.5, batch=4)[1]
    assert piece.recipe.batch == 4
    stored = Recipe.from_json(piece.recipe.to_json())
    assert stored == piece.recipe
    assert torch.equal(tiny.again(stored).waveform, piece.waveform)


@pytest.mark.heavy
def test_the_usual_batch_of_a_device_is_recorded_and_repeated(tiny, monkeypatch):
    """On a GPU pieces are made together without a word; here a CPU does as one."""
    monkeypatch.setattr(generating, "usual_batch", lambda device: 4)
    made = tiny.generate_batch(["lofi", "a slow waltz", "folk"], seconds=0.5, seed=3)
    assert [piece.recipe.batch for piece in made] == [3, 3, 3]
    monkeypatch.undo()
    for piece in made:
        assert torch.equal(tiny.again(piece.recipe).waveform, piece.waveform)
    assert tiny.generate("lofi", seconds=0.5, seed=3).recipe.batch == 1
    assert tiny.generate_batch([], seconds=0.5) == []


def test_the_usual_batch_is_one_on_a_cpu():
    assert (usual_batch("cpu"), usual_batch("cuda")) == (1, 8)


def test_a_recipe_without_a_batch_is_as_before(tiny, orders):
    (piece,) = generate_orders(tiny, orders[:1], 0.5)
    assert "batch" not in piece.recipe.to_dict()
    assert Recipe.from_json(piece.recipe.to_json()).batch == 1


@pytest.mark.parametrize("batch", [0, -1, 10**9])
def test_a_recipe_with_an_impossible_batch_is_damaged(tiny, orders, batch):
    (piece,) = generate_orders(tiny, orders[:1], 0.5)
    values = piece.recipe.to_dict() | {"batch": batch}
    with pytest.raises(RecipeError, match="damaged recipe"):
        Recipe.from_dict(values)


@pytest.mark.gpu
def test_a_piece_has_the_same_bits_in_any_company_on_a_gpu(tiny_folder, orders):
    from jen1cli import Jen1

    model = Jen1.load(tiny_folder, device="cuda")
    together = generate_orders(model, orders, 0.5, batch=8)
    for order, one in zip(orders, together, strict=True):
        (alone,) = generate_orders(model, [order], 0.5, batch=8)
        assert torch.equal(alone.waveform, one.waveform)
