import pytest
import torch

from jen1cli.diffusion import guide_batched, scaled_along
from jen1cli.diffusion.denoiser import at_time

GENERATOR = torch.Generator().manual_seed(3)
X_T = torch.randn(2, 3, 8, generator=GENERATOR)
T = torch.full((2,), 0.5)


class Network:
    """Predicts from x_t and a text; counts what it sees."""

    def __init__(self):
        self.batches = []

    def __call__(self, x_t, t, text):
        self.batches.append(len(x_t))
        return (x_t * text).sin() + t.view(-1, 1, 1)


def guided(network, *, t=T, null=-1.0, **settings):
    """What is predicted with guidance away from the text `null`."""
    prompt, other = torch.full((2, 1, 1), 2.0), torch.full((2, 1, 1), null)
    predict = guide_batched(
        lambda x_t, t: network(x_t, t, prompt),
        lambda x_t, t: network(x_t, t, torch.cat([prompt, other])),
        **settings,
    )
    return at_time(predict, float(t[0]))(X_T, t)


CONDITIONAL = Network()(X_T, T, torch.full((2, 1, 1), 2.0))
NULL = Network()(X_T, T, torch.full((2, 1, 1), -1.0))


def test_line_4_scale_one_is_the_text_branch_exactly():
    network = Network()
    assert torch.equal(guided(network, scale=1.0), CONDITIONAL)
    assert network.batches == [2]


def test_scale_zero_is_the_null_branch():
    assert torch.equal(guided(Network(), scale=0.0), NULL)


@pytest.mark.parametrize("scale", [-1.0, 0.5, 2.0, 7.5])
def test_guidance_is_linear(scale):
    result = guided(Network(), scale=scale)
    torch.testing.assert_close(result, NULL + scale * (CONDITIONAL - NULL))


def test_one_pass_holds_both():
    network = Network()
    guided(network, scale=2.0)
    assert network.batches == [4]


def test_outside_the_interval_only_the_conditional_pass_is_computed():
    for t, inside in ((0.1, False), (0.2, True), (0.8, True), (0.9, False)):
        network = Network()
        time = torch.full((2,), t, dtype=torch.float64)
        result = guided(network, t=time, scale=5.0, interval=(0.2, 0.8))
        assert network.batches == ([4] if inside else [2])
        plain = Network()(X_T, time, torch.full((2, 1, 1), 2.0))
        assert torch.equal(result, plain) != inside


def test_rescale_gives_the_spread_back():
    plain, half, full = (guided(Network(), scale=6.0, rescale=share) for share in (0.0, 0.5, 1.0))
    assert (plain.std((1, 2)) > 1.5 * CONDITIONAL.std((1, 2))).all()
    torch.testing.assert_close(full.std((1, 2)), CONDITIONAL.std((1, 2)))
    torch.testing.assert_close(half, (plain + full) / 2)


def test_negative_prompt_takes_the_place_of_the_null():
    negative = Network()(X_T, T, torch.full((2, 1, 1), 0.3))
    result = guided(Network(), null=0.3, scale=2.0)
    torch.testing.assert_close(result, 2 * CONDITIONAL - negative)


def test_a_change_scales_the_guidance_along_an_axis_alone():
    axis = torch.tensor([[0.6, 0.8, 0.0]])
    across = torch.tensor([0.8, -0.6, 0.0])
    whole = NULL + 3.0 * (CONDITIONAL - NULL)
    for factor in (0.0, 0.5, 1.0):
        changed = guided(Network(), scale=3.0, change=scaled_along(axis, factor))
        along = torch.einsum("c,bcf->bf", axis[0], changed - CONDITIONAL)
        wanted = torch.einsum("c,bcf->bf", axis[0], whole - CONDITIONAL)
        torch.testing.assert_close(along, factor * wanted)
        for other in (across, torch.tensor([0.0, 0.0, 1.0])):
            torch.testing.assert_close(
                torch.einsum("c,bcf->bf", other, changed), torch.einsum("c,bcf->bf", other, whole)
            )
