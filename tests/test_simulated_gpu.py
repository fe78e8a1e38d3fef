"""The simulated GPU refuses what a GPU refuses, and counts what a GPU waits for."""

import numpy as np
import pytest
import torch

from simulated_gpu import DeviceError, SimulatedGpu


@pytest.fixture
def gpu():
    with SimulatedGpu() as found:
        yield found


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: x + torch.zeros(3), "of cuda and of the CPU"),
        (lambda x: torch.zeros(3)[x.long()], "indices of cuda on a tensor of the CPU"),
        (lambda x: torch.cat([x, torch.zeros(3)]), "of cuda and of the CPU"),
        (lambda x: x.numpy(), "to numpy"),
        (lambda x: np.asarray(x), "to numpy"),
        (lambda x: torch.linalg.inv(torch.outer(x, x).bfloat16()), "BFloat16"),
        (lambda x: torch.complex(x.bfloat16(), x.bfloat16()), "BFloat16"),
        (lambda x: torch.randn(3, device="cuda", generator=torch.Generator()), "generator"),
        (lambda x: torch.nn.Linear(3, 2)(x), "of cuda and of the CPU"),
    ],
)
def test_what_a_gpu_refuses(gpu, wrong, words):
    with pytest.raises(DeviceError, match=words):
        wrong(torch.ones(3, device="cuda"))


@pytest.mark.parametrize(
    ("costly", "kind"),
    [
        (lambda x: x.cpu(), "d2h"),
        (lambda x: x.tolist(), "d2h"),
        (lambda x: float(x[0]), "item"),
        (lambda x: bool((x > 0).any()), "item"),
        (lambda x: x[x > 0], "shape"),
        (lambda x: torch.equal(x, x), "shape"),
        (lambda x: torch.zeros(3).to(x.device), "h2d"),
        (lambda x: torch.tensor([1.0], device=x.device), "h2d"),
        (lambda x: x.copy_(torch.ones(3)), "h2d"),
    ],
)
def test_what_a_gpu_waits_for(gpu, costly, kind):
    x = torch.zeros(3, device="cuda")
    assert not gpu.syncs
    costly(x)
    assert gpu.syncs == {("other", kind, "outside"): 1}


def test_what_a_gpu_does_without_waiting(gpu):
    x = torch.ones(3, device="cuda")
    layer = torch.nn.Linear(3, 2).to("cuda", non_blocking=True)
    y = layer(x * torch.tensor(2.0)).sum() + torch.zeros(3).pin_memory().to(
        "cuda", non_blocking=True
    )
    y.sum().backward()
    assert layer.weight.grad.device == x.device == torch.device("cuda:0")
    torch.optim.AdamW(layer.parameters(), fused=True).step()
    assert gpu.operations["other"] > 5
    assert not gpu.syncs


def test_double_precision_is_refused_where_there_is_none():
    with SimulatedGpu(has_float64=False):
        x = torch.ones(3, device="cuda")
        for wrong in (
            x.double,
            lambda: x.to(torch.complex128),
            lambda: torch.zeros(3).double().to("cuda"),
        ):
            with pytest.raises(DeviceError, match="double precision"):
                wrong()
        assert torch.zeros(3, dtype=torch.float64).to("cuda", torch.float32).is_cuda


def test_autocast_computes_norms_in_float32_as_cuda_does(gpu):
    x = torch.ones(3, 3, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        assert torch.nn.functional.layer_norm(x @ x, (3,)).dtype == torch.float32


def test_a_graph_does_its_operations_again_and_waits_for_nothing(gpu):
    with torch.inference_mode():
        x = torch.ones(3, device="cuda")
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = (x * 2.0).add_(1.0)[:2] + 0.0
        x.fill_(5.0)
        graph.replay()
        assert y.tolist() == [11.0, 11.0]
        with pytest.raises(DeviceError, match="capture"), torch.cuda.graph(graph):
            float(x[0])
