import dataclasses

import pytest

from jen1cli.training.engine.learning_rate import learning_rate
from jen1cli.training.recipes import RECIPES, Optimisation

PAPER = RECIPES["jen1"].diffusion.optimisation


def test_paper_rate_decays_linearly_to_zero():
    """Line 10 of paper.md section 13: the rate at the start, in the middle and at the end."""
    rates = [learning_rate(PAPER, 10_000, share) for share in (0.0, 0.5, 1.0)]
    assert rates == pytest.approx([3e-5, 1.5e-5, 0.0])


def test_warm_up_rises_by_the_step():
    assert learning_rate(PAPER, 0, 0.0) == pytest.approx(3e-5 / PAPER.warmup_steps)
    assert learning_rate(PAPER, 249, 0.0) == pytest.approx(3e-5 / 2)


@pytest.mark.parametrize(("shape", "middle", "end"), [("cosine", 0.5, 0.0), ("constant", 1.0, 1.0)])
def test_other_shapes(shape, middle, end):
    optimisation = dataclasses.replace(Optimisation(lr=1.0, warmup_steps=1), lr_shape=shape)
    assert learning_rate(optimisation, 5, 0.5) == pytest.approx(middle)
    assert learning_rate(optimisation, 5, 1.0) == pytest.approx(end)


def test_paper_recipe_has_the_papers_numbers():
    """Section V, and the three lines of paper.md section 13 that it decides (10 and 13)."""
    recipe = RECIPES["jen1"].diffusion
    assert (PAPER.lr, PAPER.betas, PAPER.weight_decay, PAPER.clip_norm) == (
        3e-5, (0.9, 0.95), 0.1, 1.0,
    )  # fmt: skip
    assert (recipe.batch_size, recipe.text_dropout, recipe.steps) == (512, 0.2, 200_000)
    assert (recipe.loss_weight, recipe.times) == ("plain", "discrete")
