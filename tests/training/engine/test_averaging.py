import torch
from torch import nn

from jen1cli.training.engine.averaging import Ema


def test_average_follows_the_formula():
    layer = nn.Linear(1, 1, bias=False)
    ema = Ema(layer, decay=0.5)
    expected = layer.weight.item()
    for update, value in enumerate([1.0, -2.0, 3.0, 0.5, 4.0, 4.0, 2.0, 7.0, 1.0, 1.0, 6.0]):
        with torch.no_grad():
            layer.weight.fill_(value)
        ema.update()
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    assert abs(float(ema.average["weight"]) - expected) < 1e-6


def test_all_parameters_at_once_have_the_same_bits_as_one_by_one():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(33, 17), nn.Linear(17, 5).bfloat16())
    ema = Ema(layers, decay=0.9)
    expected = {name: average.clone() for name, average in ema.average.items()}
    for update in range(5):
        with torch.no_grad():
            for parameter in layers.parameters():
                parameter.add_(torch.randn_like(parameter))
        ema.update()
        for name, parameter in layers.named_parameters():
            expected[name].lerp_(parameter.detach().float(), 1.0 - ema.decay_at(update))
    assert all(torch.equal(ema.average[name], expected[name]) for name in expected)


def test_average_is_put_in_for_the_block_only():
    layer = nn.Linear(2, 2)
    ema = Ema(layer, decay=0.9)
    before = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight.add_(1.0)
    with ema.applied():
        assert torch.equal(layer.weight, before)
    assert torch.equal(layer.weight, before + 1.0)


def test_frozen_parameters_have_no_average():
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers[0].requires_grad_(False)
    assert set(Ema(layers, 0.9).average) == {"1.weight", "1.bias"}
