import pytest
import torch
from torch import nn

from jen1cli.training.engine.muon import Muon, orthogonalize
from jen1cli.training.engine.optimisation import build_optimizer
from jen1cli.training.recipes import Optimisation


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_become_about_one(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrix))
    assert values.min() > 0.5
    assert values.max() < 1.4
    scaled = orthogonalize(1000.0 * matrix)
    assert torch.allclose(scaled, orthogonalize(matrix), atol=0.05)


def test_vectors_take_adamws_step():
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2))
    optimizers = [
        Muon([{"params": [ours]}], lr=0.1, betas=(0.9, 0.95), weight_decay=0.01),
        torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.95), weight_decay=0.01),
    ]
    for step in range(5):
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = (parameter.detach() - 0.3) * (step + 1)
            optimizer.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_it_learns_a_convolution():
    torch.manual_seed(0)
    wanted, found = nn.Conv1d(4, 4, 3), nn.Conv1d(4, 4, 3)
    optimizer = build_optimizer(found, Optimisation(lr=0.1, weight_decay=0.0, optimizer="muon"))
    x = torch.randn(16, 4, 20)
    losses = []
    for step in range(60):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 - step / 60)
        loss = (found(x) - wanted(x).detach()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 * losses[0]
