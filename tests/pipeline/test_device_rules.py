"""The tasks on a simulated GPU: each operation on tensors of one device, and the CPU's samples."""

import pytest
import torch

from jen1cli import Jen1, audio
from jen1cli.devices import allow_tf32
from jen1cli.diffusion import samplers
from jen1cli.music.controls import Controls
from jen1cli.pipeline import generating
from jen1cli.pipeline.denoising import Prompts, text_on_device
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.recipes import Optimisation
from simulated_gpu import SimulatedGpu

pytestmark = pytest.mark.heavy

# in bfloat16, the padding of the text changes the order of sums
TOLERANCE = {"fp32": 1e-5, "bf16": 0.02}
SHORT = {"seconds": 0.5, "steps": 2, "seed": 3, "composer": "none"}


@pytest.fixture(scope="module")
def models(tiny_folder):
    """The tiny model on the CPU and on the simulated GPU, in both types."""
    with SimulatedGpu():
        return {
            (device, dtype): Jen1.load(tiny_folder, device=device, dtype=dtype)
            for device in ("cpu", "cuda")
            for dtype in ("fp32", "bf16")
        }


@pytest.fixture(scope="module")
def both(models):
    """Make music on the simulated GPU and on the CPU: `both(make, dtype)` -> two results."""

    def make_both(make, dtype="fp32"):
        with SimulatedGpu():
            found = make(models["cuda", dtype])
        return found, make(models["cpu", dtype])

    return make_both


def apart(results):
    """Return the largest difference of the samples of two results."""
    found, expected = results
    assert found.waveform.shape == expected.waveform.shape
    return (found.waveform - expected.waveform).abs().max()


@pytest.mark.parametrize(
    ("sampler", "dtype", "more"),
    [
        ("dpmpp-2m", "bf16", {"guidance_rescale": 0.5}),
        ("dpmpp-2m", "fp32", {"composer": "learned", "negative_prompt": "drums"}),
        ("unipc", "fp32", {"guidance_scale": 1.0}),
        ("ddim", "fp32", {"eta": 0.5}),
        ("ddpm", "bf16", {"direction": "unidirectional"}),
    ],
)
def test_generation(both, sampler, dtype, more):
    options = {**SHORT, **more, "sampler": sampler}
    made = both(lambda m: m.generate("calm lofi piano", **options), dtype)
    assert apart(made) <= TOLERANCE[dtype]


@pytest.mark.parametrize("sampler", ["dpmpp-2m", "unipc", "ddim", "ddpm"])
def test_no_step_waits_for_the_gpu(models, sampler):
    with SimulatedGpu() as gpu:
        gpu.watch(samplers, "_run", "steps")
        more = {"eta": 0.5} if sampler == "ddim" else {}
        models["cuda", "fp32"].generate("lofi", sampler=sampler, **{**SHORT, "steps": 3}, **more)
    assert gpu.operations["steps"] > 20
    assert gpu.syncs_of("steps") == {}


def test_text_and_predictors_stay_on_the_processor(models):
    with SimulatedGpu() as gpu:
        gpu.watch(generating, "_written", "controls")
        models["cuda", "bf16"].generate("calm lofi piano", **{**SHORT, "composer": "learned"})
    assert gpu.operations["controls"] == 0
    assert gpu.syncs_of("controls") == {}


def test_attention_on_a_gpu_gets_multiples_of_eight_tokens():
    prompts = Prompts(torch.ones(2, 9, 4), torch.ones(2, 9, dtype=torch.bool))
    assert text_on_device(prompts, torch.device("cpu"))[0] is prompts.text
    with SimulatedGpu():
        text, mask = text_on_device(prompts, torch.device("cuda"))
        assert text.is_cuda
        assert (text.shape[1], int(mask.sum())) == (15, 18)


def test_precision_of_float32_is_chosen(tiny_folder, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with SimulatedGpu():
        Jen1.load(tiny_folder, device="cuda")
        assert not torch.backends.cudnn.allow_tf32
        build_accelerator(Optimisation(), device="cuda")
    assert torch.backends.cudnn.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
    allow_tf32(False)


def test_graphs_make_the_same_music(tiny_folder):
    def make(model):
        return model.generate("lofi", **{**SHORT, "steps": 4})

    with SimulatedGpu() as gpu:
        model = Jen1.load(tiny_folder, device="cuda", dtype="fp32")
        gpu.watch(samplers, "_run", "steps")
        found = make(model)
        first = gpu.operations["steps"]
        again = make(model)
        second = gpu.operations["steps"] - first
    expected = make(Jen1.load(tiny_folder, device="cpu", dtype="fp32"))
    assert len(model.networks.call_unet.forms) == 1
    assert 0 < second < 100 < first
    torch.testing.assert_close(found.waveform, expected.waveform, atol=1e-5, rtol=0)
    assert torch.equal(again.waveform, found.waveform)
    assert gpu.syncs_of("steps") == {}


def test_batches(models):
    prompts = ["calm lofi piano", "jazz"]
    with SimulatedGpu():
        made = models["cuda", "fp32"].generate_batch(prompts, **SHORT)
    alone = [
        models["cpu", "fp32"].generate(p, **{**SHORT, "seed": 3 + i}) for i, p in enumerate(prompts)
    ]
    for one, other in zip(made, alone, strict=True):
        torch.testing.assert_close(one.waveform, other.waveform, atol=1e-4, rtol=0)


@pytest.fixture
def recording(tone, tmp_path):
    audio.write(tmp_path / "in.wav", tone(1.0), 48_000)
    return tmp_path / "in.wav"


def test_edits_and_variations(both, recording):
    more = {"steps": 2, "seed": 3}
    edits = both(lambda m: m.inpaint(recording, [(0.3, 0.6)], "piano", **more))
    assert apart(edits) <= TOLERANCE["fp32"]
    made = both(lambda m: m.continue_(recording, 0.4, "piano", composer="learned", **more))
    assert apart(made) <= TOLERANCE["fp32"]
    made = both(lambda m: m.continue_(recording, 0.4, "piano", before=True, **more), "bf16")
    assert apart(made) <= TOLERANCE["bf16"]
    assert apart(both(lambda m: m.vary(edits[0], amount=0.5, seed=1))) <= TOLERANCE["fp32"]


def test_devices_without_double_precision(tiny_folder, recording):
    """MPS has none."""
    with SimulatedGpu(has_float64=False):
        model = Jen1.load(tiny_folder, device="cuda", dtype="fp32")
        model.generate("calm lofi piano", **SHORT)
        made = model.continue_(recording, 0.4, "piano", steps=2, seed=3, composer="learned")
    assert made.waveform.isfinite().all()


def test_loops(both):
    controls = Controls(bpm=200.0, meter="2/4", chords="C | F", key="C", mode="major")
    options = {"loop_bars": 1, "controls": controls, "steps": 2, "seed": 1, "composer": "none"}
    assert apart(both(lambda m: m.generate("x", **options))) <= TOLERANCE["fp32"]


def test_encoding_and_decoding(both, recording):
    made = both(lambda m: m.decode(m.encode(recording)), "bf16")
    assert made[0].waveform.shape == (2, 48_000)
    assert apart(made) <= TOLERANCE["bf16"]
