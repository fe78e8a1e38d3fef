import pytest
import torch

from jen1cli.diffusion import guide, guide_batched, scaled_along

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


def forms(network, *, scale, interval=(0.0, 1.0), rescale=0.0):
    """The same guidance as two passes and as one."""
    prompt, null = torch.full((2, 1, 1), 2.0), torch.full((2, 1, 1), -1.0)
    settings = {"scale": scale, "interval": interval, "rescale": rescale}
    two = guide(
        lambda x_t, t: network(x_t, t, prompt), lambda x_t, t: network(x_t, t, null), **settings
    )
    one = guide_batched(
        lambda x_t, t: network(x_t, t, prompt),
        lambda x_t, t: network(x_t, t, torch.cat([prompt, null])),
        **settings,
    )
    return two, one


CONDITIONAL = Network()(X_T, T, torch.full((2, 1, 1), 2.0))
NULL = Network()(X_T, T, torch.full((2, 1, 1), -1.0))


@pytest.mark.parametrize("form", [0, 1])
def test_line_4_scale_one_is_the_text_branch_exactly(form):
    network = Network()
    assert torch.equal(forms(network, scale=1.0)[form](X_T, T), CONDITIONAL)
    assert network.batches == [2]


@pytest.mark.parametrize("form", [0, 1])
def test_scale_zero_is_the_null_branch(form):
    assert torch.equal(forms(Network(), scale=0.0)[form](X_T, T), NULL)


@pytest.mark.parametrize("scale", [-1.0, 0.5, 2.0, 7.5])
@pytest.mark.parametrize("form", [0, 1])
def test_guidance_is_linear(scale, form):
    guided = forms(Network(), scale=scale)[form](X_T, T)
    torch.testing.assert_close(guided, NULL + scale * (CONDITIONAL - NULL))


def test_null_is_used_once_per_step_and_one_pass_holds_both():
    network = Network()
    two, one = forms(network, scale=2.0)
    two(X_T, T)
    assert network.batches == [2, 2]
    one(X_T, T)
    assert network.batches == [2, 2, 4]


@pytest.mark.parametrize("form", [0, 1])
def test_outside_the_interval_only_the_conditional_pass_is_computed(form):
    network = Network()
    predict = forms(network, scale=5.0, interval=(0.2, 0.8))[form]
    for t, guided in ((0.1, False), (0.2, True), (0.8, True), (0.9, False)):
        network.batches.clear()
        time = torch.full((2,), t, dtype=torch.float64)
        result = predict(X_T, time)
        assert sum(network.batches) == (4 if guided else 2)
        plain = Network()(X_T, time, torch.full((2, 1, 1), 2.0))
        assert torch.equal(result, plain) != guided


@pytest.mark.parametrize("form", [0, 1])
def test_rescale_gives_the_spread_back(form):
    guided = forms(Network(), scale=6.0)[form](X_T, T)
    full = forms(Network(), scale=6.0, rescale=1.0)[form](X_T, T)
    half = forms(Network(), scale=6.0, rescale=0.5)[form](X_T, T)
    assert (guided.std((1, 2)) > 1.5 * CONDITIONAL.std((1, 2))).all()
    torch.testing.assert_close(full.std((1, 2)), CONDITIONAL.std((1, 2)))
    torch.testing.assert_close(half, (guided + full) / 2)


def test_negative_prompt_takes_the_place_of_the_null():
    network, negative = Network(), torch.full((2, 1, 1), 0.3)
    predict = guide(
        lambda x_t, t: network(x_t, t, torch.full((2, 1, 1), 2.0)),
        lambda x_t, t: network(x_t, t, negative),
        scale=2.0,
    )
    torch.testing.assert_close(predict(X_T, T), 2 * CONDITIONAL - network(X_T, T, negative))


def test_a_change_scales_the_guidance_along_an_axis_alone():
    axis = torch.tensor([[0.6, 0.8, 0.0]])
    across = torch.tensor([0.8, -0.6, 0.0])
    whole = NULL + 3.0 * (CONDITIONAL - NULL)
    for factor in (0.0, 0.5, 1.0):
        changed = guide_batched(
            lambda x_t, t: CONDITIONAL,
            lambda x_t, t: torch.cat([CONDITIONAL, NULL]),
            scale=3.0,
            change=scaled_along(axis, factor),
        )(X_T, T)
        along = torch.einsum("c,bcf->bf", axis[0], changed - CONDITIONAL)
        wanted = torch.einsum("c,bcf->bf", axis[0], whole - CONDITIONAL)
        torch.testing.assert_close(along, factor * wanted)
        for other in (across, torch.tensor([0.0, 0.0, 1.0])):
            torch.testing.assert_close(
                torch.einsum("c,bcf->bf", other, changed), torch.einsum("c,bcf->bf", other, whole)
            )
