"""Window plans: everything unknown is made once, from known music, within the window."""

import itertools

import pytest

from jen1cli.pipeline.windows import plan_windows


def check(frames, unknown, window, context):
    """Walk through a plan as the sampler does and return it."""
    plan = plan_windows(frames, unknown, window=window, context=context)
    missing = {f for start, stop in unknown for f in range(start, stop)}
    for step in plan:
        assert 0 <= step.start < step.stop <= frames
        assert step.frames <= window
        inside = set(range(step.start, step.stop))
        made = {f for start, stop in step.unknown for f in range(start, stop)}
        assert made
        assert made <= inside
        assert made <= missing, "made twice"
        assert not (inside & missing) - made, "something unknown passes for known"
        kept = step.conditioning.keep_mask[0, 0].nonzero().flatten().tolist()
        assert {step.start + frame for frame in kept} == inside - made
        if step.conditioning.causal:
            assert max(made) == step.stop - 1
            assert len(step.unknown) == 1
        missing -= made
    assert not missing
    return plan


@pytest.mark.parametrize("frames", [1, 7, 99, 100, 101, 149, 150, 151, 999])
def test_new_music_of_any_length(frames):
    plan = check(frames, [(0, frames)], 100, 50)
    assert len(plan) == max(1, 1 + -(-(frames - 100) // 50))
    assert not plan[0].conditioning.causal
    assert all(step.conditioning.causal for step in plan[1:])
    lengths = [step.unknown[0][1] - step.unknown[0][0] for step in plan[1:]]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert all(step.start <= step.unknown[0][0] - 50 for step in plan[1:])


@pytest.mark.parametrize("known", [1, 20, 50, 80])
@pytest.mark.parametrize("new", [1, 49, 50, 51, 100, 777])
def test_continuation_is_unidirectional_and_hears_the_end(known, new):
    plan = check(known + new, [(known, known + new)], 100, 50)
    assert all(step.conditioning.causal for step in plan)
    assert plan[0].start <= max(0, known - min(known, 50))


def test_a_model_may_continue_in_both_directions():
    options = {"window": 100, "context": 50}
    for unknown, causal in (([(30, 400)], True), ([(0, 400)], True), ([(0, 400)], False)):
        usual = plan_windows(400, unknown, causal=causal, **options)
        both = plan_windows(400, unknown, causal=causal, causal_continuation=False, **options)
        assert [(s.start, s.stop, s.unknown) for s in both] == [
            (s.start, s.stop, s.unknown) for s in usual
        ]
        first = unknown[0][0] == 0
        assert [s.conditioning.causal for s in both] == [first and causal] + [False] * (
            len(both) - 1
        )


@pytest.mark.parametrize("known", [1, 20, 50, 80])
@pytest.mark.parametrize("new", [1, 49, 51, 100, 777])
def test_music_before_is_made_from_right_to_left(known, new):
    plan = check(known + new, [(0, new)], 100, 50)
    assert not any(step.conditioning.causal for step in plan)
    starts = [step.unknown[0][0] for step in plan]
    assert starts == sorted(starts, reverse=True)


def test_a_short_hole_gets_one_window_with_context_on_both_sides():
    (step,) = check(1_000, [(500, 520)], 100, 50)
    assert (step.start, step.stop, step.unknown) == (460, 560, ((500, 520),))
    assert not step.conditioning.causal
    (step,) = check(1_000, [(10, 30)], 100, 50)  # near the start: the room goes to the right
    assert (step.start, step.stop) == (0, 100)
    (step,) = check(1_000, [(975, 990)], 100, 50)
    assert (step.start, step.stop) == (900, 1_000)


@pytest.mark.parametrize("length", [40, 51, 70, 99, 100, 101, 300, 1_234])
def test_a_long_hole_meets_both_ends(length):
    plan = check(3_000, [(700, 700 + length)], 100, 50)
    assert plan[0].start < 700
    assert plan[-1].stop > 700 + length
    assert not plan[-1].conditioning.causal


def test_near_holes_share_a_window_and_far_ones_do_not():
    assert len(check(1_000, [(100, 110), (130, 140)], 100, 50)) == 1
    assert len(check(1_000, [(100, 110), (400, 410)], 100, 50)) == 2


def test_every_pattern_of_three_holes_is_covered():
    for a, b, c in itertools.combinations(range(0, 240, 17), 3):
        spans = [(a, a + 9), (b, b + 12), (c, min(c + 150, 260))]
        if spans[0][1] < spans[1][0] and spans[1][1] < spans[2][0]:
            check(260, spans, 60, 30)
