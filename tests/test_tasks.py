import pytest
import torch

from jen1cli.music.controls import BEAT_AND_KEY_CHANNELS, CONTROL_CHANNELS
from jen1cli.tasks import (
    Task,
    continuation,
    from_spans,
    generate,
    inpaint,
    make_context,
    random_continuation,
    random_inpaint,
)

ODD_LENGTHS = [2, 3, 5, 7, 11, 13, 37, 101, 239, 240, 1499, 1500]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def holes(keep_mask):
    """Number of separate unknown spans."""
    unknown = (~keep_mask).int().flatten()
    return int((unknown.diff(prepend=torch.zeros(1)) == 1).sum())


def test_tasks_are_the_papers_three():
    assert list(Task) == ["generate", "inpaint", "continue"]


def test_generate_keeps_nothing():
    task = generate(9, 2)
    assert task.keep_mask.shape == (2, 1, 9)
    assert not task.keep_mask.any()
    assert not task.causal
    assert generate(9, causal=True).causal


def test_inpaint_keeps_all_but_the_spans_and_looks_both_ways():
    task = inpaint(8, [(1, 3), (6, 8)], batch=2)
    assert task.keep_mask[1, 0].tolist() == [True, False, False, True, True, True, False, False]
    assert not task.causal


@pytest.mark.parametrize("span", [(3, 3), (4, 2), (-1, 2), (5, 9)])
def test_impossible_spans_are_refused(span):
    with pytest.raises(ValueError, match="does not lie inside 8 frames"):
        inpaint(8, [span])


@pytest.mark.parametrize("known", [0, 3, 8])
def test_continuation_keeps_the_beginning_and_looks_back(known):
    task = continuation(8, known, batch=2)
    assert task.keep_mask[0, 0].tolist() == [True] * known + [False] * (8 - known)
    assert task.causal
    with pytest.raises(ValueError, match="do not fit"):
        continuation(8, 9)


def test_examples_have_the_direction_of_their_task():
    assert not random_inpaint(9, 2, generator()).causal
    assert random_continuation(9, 2, generator()).causal
    assert not random_continuation(9, 2, generator(), causal=False).causal
    for draw in (random_inpaint, random_continuation):
        assert draw(9, 0, generator()).keep_mask.shape == (0, 1, 9)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("continuing", [False, True])
def test_spans_are_one_of_the_three_tasks(causal, continuing):
    for spans, task in (
        ([(0, 8)], generate(8, causal=causal)),
        ([(3, 8)], continuation(8, 3, causal=continuing)),
        ([(0, 3)], inpaint(8, [(0, 3)])),
        ([(2, 5)], inpaint(8, [(2, 5)])),
        ([(1, 3), (6, 8)], inpaint(8, [(1, 3), (6, 8)])),
    ):
        found = from_spans(8, spans, causal=causal, causal_continuation=continuing)
        assert torch.equal(found.keep_mask, task.keep_mask)
        assert found.causal is task.causal


def test_context_is_the_kept_latent_then_the_mask():
    latent = torch.randn(2, 3, 6)
    keep_mask = inpaint(6, [(2, 4)], batch=2).keep_mask
    context = make_context(latent, keep_mask)
    assert context.shape == (2, 4, 6)
    assert torch.equal(context[:, :3, :2], latent[..., :2])
    assert context[:, :, 2:4].abs().max() == 0
    assert context[:, 3].tolist() == [[1, 1, 0, 0, 1, 1]] * 2


def test_what_is_not_kept_may_hold_anything():
    latent = torch.full((1, 3, 6), torch.nan)
    assert not make_context(latent, generate(6).keep_mask).any()


def test_chords_and_parts_are_told_where_nothing_is_kept():
    latent, controls = torch.randn(1, 3, 6), torch.ones(1, CONTROL_CHANNELS, 6)
    context = make_context(latent, inpaint(6, [(2, 4)]).keep_mask, controls)
    assert context.shape == (1, 4 + CONTROL_CHANNELS, 6)
    beat_and_key, chords = context[0, 4:].tensor_split([BEAT_AND_KEY_CHANNELS])
    assert beat_and_key.eq(1).all()
    assert chords[:, 2:4].eq(1).all()
    assert not chords[:, :2].any()
    assert not chords[:, 4:].any()
    fewer = make_context(latent, generate(6).keep_mask, controls[:, :BEAT_AND_KEY_CHANNELS])
    assert fewer.shape == (1, 4 + BEAT_AND_KEY_CHANNELS, 6)


def test_layout_is_the_same_for_every_task():
    latent = torch.randn(1, 128, 10)
    tasks = [generate(10), inpaint(10, [(2, 5)]), continuation(10, 4)]
    assert {make_context(latent, task.keep_mask).shape for task in tasks} == {(1, 129, 10)}


@pytest.mark.parametrize("draw", [random_inpaint, random_continuation])
@pytest.mark.parametrize("frames", ODD_LENGTHS)
def test_line_16_hidden_part_is_20_to_80_percent_at_any_length(draw, frames):
    keep_mask = draw(frames, 40, generator()).keep_mask
    assert keep_mask.shape == (40, 1, frames)
    assert keep_mask.dtype == torch.bool
    hidden = (~keep_mask).sum(-1)
    assert (10 * hidden >= 2 * frames).all()
    assert (10 * hidden <= 8 * frames).all()


@pytest.mark.parametrize("draw", [random_inpaint, random_continuation])
def test_line_16_masks_differ_within_a_batch(draw):
    keep_mask = draw(239, 32, generator()).keep_mask
    assert len({tuple(row.flatten().tolist()) for row in keep_mask}) > 20


@pytest.mark.parametrize("draw", [random_inpaint, random_continuation])
def test_masks_follow_the_seed_and_use_the_whole_range(draw):
    one, again, other = (draw(101, 8, generator(seed)).keep_mask for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    part = (~draw(101, 400, generator()).keep_mask).float().mean(-1)
    assert part.min() < 0.25
    assert part.max() > 0.75
    assert 0.45 < part.mean() < 0.55


def test_inpaint_masks_have_one_or_several_holes_anywhere():
    keep_mask = random_inpaint(101, 300, generator()).keep_mask
    counts = torch.tensor([holes(row) for row in keep_mask])
    assert {1, 2, 3, 4} == set(counts.tolist())
    assert (counts == 4).sum() < 30
    known = keep_mask.float().mean((0, 1))
    assert known.min() > 0.2
    assert known.max() < 0.9


def test_continuation_masks_hide_the_right_end_only():
    keep_mask = random_continuation(101, 100, generator()).keep_mask
    assert (keep_mask[..., 1:].int() - keep_mask[..., :-1].int() <= 0).all()
    assert keep_mask[..., 0].all()
    assert not keep_mask[..., -1].any()


def test_one_frame_cannot_be_masked():
    with pytest.raises(ValueError, match="too few"):
        random_inpaint(1, 1, generator())
