"""The paper's ablation: each cell switches off one thing and nothing else."""

import pytest
import torch

from jen1cli.autoencoder import Whitening, WhiteningStatistics
from jen1cli.cli.evaluation.ablation import CELLS, Cell
from jen1cli.config import WhiteningConfig
from jen1cli.errors import ConfigError
from jen1cli.training.diffusion.batches import task_counts
from jen1cli.training.recipes import DiffusionTrainingConfig


def test_cells_change_one_thing_each():
    whole, *rest = CELLS
    assert (whole.tasks, whole.unidirectional) == (DiffusionTrainingConfig().tasks, True)
    switches = ("masking", "whitening", "unidirectional", "inpaint", "continue_")
    assert [[name for name in switches if not getattr(cell, name)] for cell in rest] == [
        [name] for name in switches
    ]
    assert CELLS[4].tasks == ("generate", "continue")


def test_a_batch_without_a_task_is_shared_by_the_others():
    counts = [task_counts(10, step, ("generate", "continue")) for step in range(2)]
    assert counts == [(5, 0, 5), (5, 0, 5)]
    assert sum(task_counts(7, 3, ("generate",))) == 7
    with pytest.raises(ConfigError, match="trains nothing"):
        DiffusionTrainingConfig(tasks=())


def test_without_whitening_components_keep_their_scale():
    torch.manual_seed(0)
    latent = torch.randn(1, 6, 4000) * torch.tensor([5.0, 3, 2, 1, 0.5, 0.1])[:, None]
    statistics = WhiteningStatistics(6)
    statistics.update(latent)
    whitening = statistics.fit(WhiteningConfig(6, 4))
    plain = whitening.unscaled()
    assert isinstance(plain, Whitening)
    deviations = plain.whiten(latent).std(dim=-1)[0]
    assert float(deviations.max() / deviations.min()) == pytest.approx(5.0, rel=0.1)
    assert float(plain.whiten(latent).std()) == pytest.approx(1.0, rel=0.05)
    torch.testing.assert_close(
        plain.unwhiten(plain.whiten(latent)), whitening.unwhiten(whitening.whiten(latent)),
        atol=1e-4, rtol=1e-4,
    )  # fmt: skip


def test_cells_have_names_for_folders():
    assert Cell("no masking", "").folder == "no-masking"
    assert len({cell.folder for cell in CELLS}) == len(CELLS) == 6
