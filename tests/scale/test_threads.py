"""Sets compute with one thread on a CPU, and `jen1 again` and `jen1 vary` follow them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from jen1cli.pipeline import generating
from jen1cli.pipeline.generating import Order, generate_orders
from jen1cli.recipe import Recipe, RecipeError, read_recipe
from jen1cli.sampling import Sampling
from scale_support import write_prompts

MINI = ("-m", "mini", "--random-weights", "--device", "cpu")
"""Large enough that the number of threads changes the last bits."""


def jen1(*commands, threads):
    """Run commands in one new process."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    words = [list(map(str, command)) for command in commands]
    code = f"import sys; from jen1cli.cli.app import run; sys.exit(any(map(run, {words!r})))"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)


@pytest.mark.heavy
def test_again_makes_the_bytes_of_a_set_with_any_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_prompts(tmp_path / "prompts.jsonl", [{"prompt": "lofi piano", "seconds": 2, "seed": 3}])
    options = ["--steps", 1, "--composer", "none", *MINI]
    jen1(["generate", "--from", "prompts.jsonl", "-o", "set", "--resume", *options], threads=1)
    made = Path("set/000000/000000000.flac")
    assert read_recipe(made).threads == 1
    jen1(
        ["again", made, "-o", "again.flac", "--device", "cpu"],
        ["vary", made, "--amount", 0, "-o", "vary.flac", "--device", "cpu"],
        threads=2,
    )
    assert Path("again.flac").read_bytes() == made.read_bytes()
    assert Path("vary.flac").read_bytes() == made.read_bytes()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def order(tiny):
    return Order("lofi", 3, Sampling.over(tiny.config.generation, {"composer": "none"}))


@pytest.mark.heavy
def test_threads_are_fixed_while_music_is_made(tiny, order, two_threads, monkeypatch):
    make, seen = generating.make_pieces, []

    def counted(*arguments, **options):
        seen.append(torch.get_num_threads())
        return make(*arguments, **options)

    monkeypatch.setattr(generating, "make_pieces", counted)
    (fixed,) = generate_orders(tiny, [order], 0.1, threads=1)
    assert Recipe.from_json(fixed.recipe.to_json()).threads == 1
    assert tiny.again(fixed.recipe).recipe == fixed.recipe
    assert tiny.vary(fixed.recipe, amount=0.0).recipe.threads == 1
    (free,) = generate_orders(tiny, [order], 0.1)
    assert "threads" not in free.recipe.to_dict()
    assert seen == [1, 1, 1, 2]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("threads", [-1, 10**9])
def test_a_recipe_with_impossible_threads_is_damaged(tiny, order, threads):
    (piece,) = generate_orders(tiny, [order], 0.1)
    with pytest.raises(RecipeError, match="damaged recipe"):
        Recipe.from_dict(piece.recipe.to_dict() | {"threads": threads})
