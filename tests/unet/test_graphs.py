"""CUDA graphs of the U-Net, on a simulated GPU: when they are captured, used and dropped."""

import copy
import dataclasses
import logging

import pytest
import torch

from jen1cli.presets import TINY
from jen1cli.unet.graphs import SWITCH, GraphedUNet, GraphKey, graphed
from simulated_gpu import SimulatedGpu
from support import unet_inputs, unet_without_zeros

pytestmark = pytest.mark.heavy

CUDA = torch.device("cuda")
# two levels, since each operation of a simulated GPU costs a tenth of a millisecond
SMALL = dataclasses.replace(
    TINY.unet, multipliers=(1, 2), factors=(1, 2), num_blocks=(1, 1), attention=(False, True)
)


@pytest.fixture
def gpu():
    with SimulatedGpu() as found, torch.inference_mode():
        yield found


@pytest.fixture(scope="module")
def made():
    return unet_without_zeros(SMALL).eval()


@pytest.fixture
def unet(made, gpu):
    return copy.deepcopy(made).to("cuda")


def inputs(frames=12, seed=0, **more):
    found = unet_inputs(SMALL, frames, seed=seed, **more)
    return {name: tensor.to("cuda") for name, tensor in found.items()}


def test_a_form_has_a_graph_from_its_second_call_on(gpu, unet):
    network = GraphedUNet(unet)
    for number, seed in enumerate((1, 2, 3)):
        before = gpu.operations["other"]
        found = network(**inputs(seed=seed), causal=False)
        used = gpu.operations["other"] - before
        assert len(network.forms) == min(number, 1)
        assert torch.equal(found, unet(**inputs(seed=seed)))
    assert used < 20, "copies of the inputs, one launch, a copy of the output"
    assert network.forms == [GraphKey(2, 8, 12, inputs()["context"].shape[1], 5, False)]


def test_results_stay_when_a_graph_runs_again(unet):
    network = GraphedUNet(unet)
    first, second, third = (network(**inputs(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(second, third)


def test_each_form_has_its_own_graph(unet):
    network = GraphedUNet(unet)
    forms = [{}, {"frames": 13}, {"batch": 3}, {"tokens": 6}]
    for form in forms * 2:
        assert torch.equal(network(**inputs(**form)), unet(**inputs(**form)))
    one_way = [network(**inputs(), causal=True) for _ in range(2)]
    assert torch.equal(one_way[1], unet(**inputs(), causal=True))
    assert len(network.forms) == 5


def test_the_form_used_longest_ago_is_dropped(unet):
    network = GraphedUNet(unet, most=2)
    for frames in (10, 10, 11, 11, 10, 12, 12):
        network(**inputs(frames))
    assert [form.frames for form in network.forms] == [10, 12]


def test_a_capture_that_fails_is_told_and_the_network_goes_on(unet, caplog):
    unet.register_forward_hook(lambda module, given, output: output * float(output.sum() != 0))
    network = GraphedUNet(unet)
    with caplog.at_level(logging.WARNING):
        found = [network(**inputs()) for _ in range(3)]
    assert all(torch.equal(one, unet(**inputs())) for one in found)
    assert [record.message[:15] for record in caplog.records] == ["no CUDA graphs,"]
    assert network.forms == []


def test_graphs_are_for_gpus_and_can_be_turned_off(unet, monkeypatch):
    assert graphed(unet, torch.device("cpu")) is unet
    assert isinstance(graphed(unet, CUDA), GraphedUNet)
    monkeypatch.setenv(SWITCH, "0")
    assert graphed(unet, CUDA) is unet


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_graphs_of_a_real_gpu(dtype):
    unet = unet_without_zeros(TINY.unet, dtype=dtype).eval().cuda()
    network = GraphedUNet(unet)
    with torch.inference_mode():
        for seed in range(4):
            for causal in (False, True):
                given = inputs(seed=seed)
                assert torch.equal(network(**given, causal=causal), unet(**given, causal=causal))
    assert len(network.forms) == 2
