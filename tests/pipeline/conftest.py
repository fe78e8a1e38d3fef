"""What the network was asked to do."""

import pytest


@pytest.fixture
def calls(tiny):
    """Return a function that gives (causal, kept frames) of each call since it was last asked."""
    seen = []

    def note(module, arguments, options):
        kept = options["context"][0, tiny.config.unet.latent_channels]
        seen.append((options["causal"], int(kept.sum())))

    hook = tiny.networks.unet.register_forward_pre_hook(note, with_kwargs=True)

    def take():
        taken = list(seen)
        seen.clear()
        return taken

    yield take
    hook.remove()
