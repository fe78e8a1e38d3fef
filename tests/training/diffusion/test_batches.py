import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch

from jen1cli.errors import DataError
from jen1cli.tasks import Task
from jen1cli.training.diffusion.batches import (
    BatchSampler,
    LatentTable,
    WindowSampler,
    draw_times,
    stratified,
    task_counts,
)
from jen1cli.training.diffusion.cache import CachedClip
from training_support import PITCHES

CPU = torch.device("cpu")


def make_planner(cache, hyperparameters, frames=101, seed=0, components=8):
    sampler = WindowSampler(cache.split("train"), frames, seed)
    return BatchSampler(
        sampler, hyperparameters, components=components, num_timesteps=1000, seed=seed, device=CPU
    )


def test_batch_is_three_equal_thirds():
    counts = np.array([task_counts(10, step) for step in range(9)])
    assert (counts.sum(1) == 10).all()
    assert counts.max() - counts.min() == 1
    assert (counts.sum(0) == 30).all()  # the remainder goes round


def test_tasks_have_their_direction_and_mask(cache, fp32):
    batch_sampler = make_planner(cache, dataclasses.replace(fp32, batch_size=12))
    directions = set()
    for step in range(20):
        spec = batch_sampler.spec(step)
        for task, causal, keep in zip(spec.tasks, spec.causal, spec.keep_mask, strict=True):
            kept = keep[0]
            if task is Task.GENERATE:
                assert not kept.any()
                directions.add(causal)
            else:
                assert 0.2 <= 1 - kept.float().mean() <= 0.8
                assert causal is (task is Task.CONTINUE)
            if task is Task.CONTINUE:
                assert (kept == kept.sort(descending=True).values).all()  # right-only
    assert directions == {True, False}


@pytest.mark.parametrize("frames", [5, 37, 101, 1499])
def test_masks_of_odd_lengths_differ_within_a_batch(cache, fp32, frames):
    """Line 16 of paper.md section 13."""
    batch_sampler = make_planner(cache, dataclasses.replace(fp32, batch_size=30), frames)
    masks = batch_sampler.spec(0).keep_mask
    assert masks.shape == (30, 1, frames)
    assert len({tuple(mask.flatten().tolist()) for mask in masks[10:20]}) > 3
    assert len({int(mask.sum()) for mask in masks[20:]}) > 1


def test_noise_is_standard_normal(cache, fp32):
    """Line 1 of paper.md section 13: Gaussian in training as in sampling."""
    eps = make_planner(cache, dataclasses.replace(fp32, batch_size=60)).spec(3).eps
    assert abs(float(eps.mean())) < 0.02
    assert abs(float(eps.var()) - 1) < 0.02
    assert float((eps.abs() > 2).float().mean()) == pytest.approx(0.0455, abs=0.005)


def test_text_is_dropped_one_time_in_five(cache, fp32):
    batch_sampler = make_planner(cache, dataclasses.replace(fp32, batch_size=90))
    windows = [window for step in range(20) for window in batch_sampler.spec(step).windows]
    share = sum(window.caption == "" for window in windows) / len(windows)
    assert share == pytest.approx(0.2, abs=0.03)


def test_a_plan_follows_from_seed_and_step_alone(cache, fp32):
    first, again = (make_planner(cache, fp32).spec(7) for _ in range(2))
    assert first.windows == again.windows
    assert torch.equal(first.eps, again.eps)
    assert torch.equal(first.keep_mask, again.keep_mask)
    assert torch.equal(first.t, again.t)
    other = make_planner(cache, fp32, seed=1).spec(7)
    assert not torch.equal(first.eps, other.eps)


def test_every_window_has_its_own_caption_and_all_are_reached(cache, fp32):
    """Line 8 of paper.md section 13: tones whose caption is their pitch."""
    batch_sampler = make_planner(cache, fp32, frames=100)
    sampler, table = batch_sampler.sampler, LatentTable(cache, CPU)
    wanted = {f"{pitch} hertz" for pitch in PITCHES[:-1]}
    means = {
        clip.captions[0]: torch.from_numpy(
            np.array(cache.table[clip.start : clip.start + clip.frames], np.float32)
        ).mean(0)
        for clip in sampler.clips
    }
    seen = Counter()
    for window in sampler.windows(0, sampler.epoch_windows, np.random.default_rng(0)):
        latent = table.gather([(sampler.clips[window.clip], window.start)], 100)[0].mean(1)
        nearest = min(means, key=lambda caption: float((means[caption] - latent).norm()))
        if sampler.clips[window.clip].frames >= 100:
            assert nearest == window.caption
        seen[window.caption] += 1
    assert set(seen) == wanted
    assert set(means) == wanted


def test_an_epoch_gives_long_clips_more_windows():
    clips = [CachedClip(0, 1000, ("long",), "train", ""), CachedClip(1000, 90, ("a",), "train", "")]
    sampler = WindowSampler(clips, 100, seed=0)
    assert sampler.epoch_windows == 11
    for epoch in range(3):
        drawn = sampler.windows(11 * epoch, 11, np.random.default_rng(0))
        assert Counter(window.caption for window in drawn) == {"long": 10, "a": 1}


def test_short_clips_are_padded_with_silence(cache):
    short = min(cache.clips, key=lambda clip: clip.frames)
    window = LatentTable(cache, CPU).gather([(short, 0)], 150)
    assert torch.equal(window[0, :, short.frames :].T, cache.silence.expand(150 - short.frames, -1))
    inside = torch.from_numpy(np.array(cache.table[short.start : short.start + short.frames]))
    assert torch.equal(window[0, :, : short.frames].T, inside.float())


def test_times_are_stratified():
    draws = stratified(50, torch.Generator().manual_seed(0))
    assert sorted((draws * 50).long().tolist()) == list(range(50))
    assert draws.tolist() != sorted(draws.tolist())


def test_rounding_reaches_no_time_behind_the_last(fp32):
    draws = stratified(4096, torch.Generator().manual_seed(16_280))
    assert 0.9999 < float(draws.max()) < 1.0
    hyperparameters = dataclasses.replace(fp32, grid=(1.0, 0.5, 0.25))
    generator = torch.Generator().manual_seed(16_280)
    assert len(draw_times(hyperparameters, 4096, generator, steps=1000)) == 4096


def test_discrete_times_are_the_papers_steps(fp32):
    hyperparameters = dataclasses.replace(fp32, times="discrete")
    times = draw_times(hyperparameters, 5000, torch.Generator().manual_seed(0), steps=10)
    counts = Counter((times * 10).round().int().tolist())
    assert set(counts) == set(range(1, 11))
    assert max(counts.values()) - min(counts.values()) <= 2
    assert torch.allclose(times * 10, (times * 10).round(), atol=1e-5)


@pytest.mark.parametrize("kind", ["uniform", "logit-normal", "discrete"])
def test_times_never_leave_the_schedule(fp32, kind):
    hyperparameters = dataclasses.replace(fp32, times=kind)
    times = draw_times(hyperparameters, 1000, torch.Generator().manual_seed(0), steps=1000)
    assert float(times.min()) > 0
    assert float(times.max()) <= 1


def test_times_of_a_grid_are_equally_likely(fp32):
    hyperparameters = dataclasses.replace(fp32, grid=(1.0, 0.5, 0.25))
    times = draw_times(hyperparameters, 300, torch.Generator().manual_seed(0), steps=1000)
    assert Counter(times.tolist()) == {1.0: 100, 0.5: 100, 0.25: 100}
    assert times[:6].tolist() != sorted(times[:6].tolist())


def test_no_training_clips_is_a_clear_error():
    with pytest.raises(DataError, match="no training clips"):
        WindowSampler([], 10, 0)
