"""Every flag reaches the library."""

import json
from pathlib import Path

import pytest

from jen1cli import Controls

SAMPLING = [
    "--steps", "7", "--sampler", "unipc", "--guidance-scale", "4.5", "--negative", "drums",
    "--seed", "11", "--bpm", "92.5", "--key", "Bb dorian", "--chords", "Bbm7 Eb7",
    "--drums", "kick x.x.", "--melody", "Db5 -", "--composer", "rules", "--style", "bossa nova",
]  # fmt: skip
SAMPLED = {
    "steps": 7,
    "sampler": "unipc",
    "guidance_scale": 4.5,
    "negative_prompt": "drums",
    "seed": 11,
    "composer": "rules",
    "style": "bossa nova",
    "controls": Controls(
        bpm=92.5, key="A#", mode="dorian", chords="A#m7 | D#7", drums="kick x.x.", melody="Db5 -"
    ),
}
PLACE = ["--model", "jen1-mini", "--device", "cuda:1", "--dtype", "bf16"]


def test_generate(jen1, model):
    result = jen1("generate", "lofi  piano", "--seconds", "0.5", "--direction", "unidirectional",
                  *SAMPLING, *PLACE)  # fmt: skip
    assert result.code == 0, result.err
    ((name, arguments),) = model.calls
    assert name == "generate_batch"
    assert arguments == {
        "prompts": ["lofi piano"],
        "seconds": 0.5,
        "direction": "unidirectional",
        **SAMPLED,
    }
    assert (model.load.model, model.load.device, model.load.dtype) == (
        "jen1-mini", "cuda:1", "bf16",
    )  # fmt: skip


def test_what_is_left_out_is_left_to_the_model(jen1, model):
    assert jen1("generate", "lofi piano", "--seed", "1").code == 0
    assert model.calls[0][1] == {
        "prompts": ["lofi piano"],
        "seconds": 10.0,
        "seed": 1,
        "direction": "bidirectional",
    }
    assert not model.load.random_weights


def test_inpaint(jen1, model, take):
    result = jen1("inpaint", take, "--mask", "1-1.5s", "--mask", "start-0.25", "--prompt", "soft",
                  *SAMPLING, *PLACE)  # fmt: skip
    assert result.code == 0, result.err
    ((name, arguments),) = model.calls
    assert name == "inpaint"
    assert arguments == {
        "source": take,
        "masks": [(0.0, 0.25), (1.0, 1.5)],
        "prompt": "soft",
        **SAMPLED,
    }
    assert model.load.dtype == "bf16"


def test_inpaint_counts_bars(jen1, model, take):
    assert jen1("inpaint", take, "--mask", "bars:2-2", "--bpm", "240").code == 0
    assert model.calls[0][1]["masks"] == [(1.0, 2.0)]


def test_continue(jen1, model, take):
    result = jen1("continue", take, "--seconds", "0.5", "--before", "--context", "1.5",
                  "--direction", "unidirectional", "--prompt", "soft",
                  *SAMPLING, *PLACE)  # fmt: skip
    assert result.code == 0, result.err
    ((name, arguments),) = model.calls
    assert name == "continue_"
    assert arguments == {
        "source": take,
        "seconds": 0.5,
        "before": True,
        "context_seconds": 1.5,
        "direction": "unidirectional",
        "prompt": "soft",
        **SAMPLED,
    }


def test_encode_and_decode(jen1, model, take):
    assert jen1("encode", take, *PLACE).code == 0
    assert model.calls == [("encode", {"source": take})]
    assert model.load.device == "cuda:1"
    result = jen1("decode", "take.safetensors", "--format", "flac", *PLACE)
    assert result.code == 0, result.err
    assert result.out == "take-decoded.flac\n"
    name, arguments = model.calls[-1]
    assert name == "decode"
    assert arguments["latent"].samples == 96_000


@pytest.mark.parametrize("model_name", [None, "jen1-mini"])
def test_random_weights_reach_the_preset(jen1, model, model_name):
    chosen = [] if model_name is None else ["--model", model_name]
    assert jen1("generate", "x y", "--random-weights", "-s", "0.1", *chosen).code == 0
    assert model.load.random_weights
    assert model.load.preset_name == "mini"


def test_weights_is_another_name_of_model(jen1, model, tmp_path):
    folder = tmp_path / "sets" / "jen1-mini"
    assert jen1("generate", "lofi", "--weights", folder, "-s", "0.1").code == 0
    assert Path(model.load.name) == folder


def test_count_makes_rising_seeds(jen1, model):
    result = jen1("generate", "lofi", "jazz trio", "-n", "2", "--seed", "5", "-s", "0.1", "--json")
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["path"] for line in lines] == [
        "lofi-5.wav", "lofi-6.wav", "jazz-trio-7.wav", "jazz-trio-8.wav",
    ]  # fmt: skip
    assert [line["seed"] for line in lines] == [5, 6, 7, 8]


def test_on_a_gpu_pieces_of_the_same_settings_are_made_together(jen1, model):
    model.device = "cuda"
    assert jen1("generate", "lofi", "jazz", "-n", "5", "--seed", "5", "-s", "0.1").code == 0
    sizes = [len(arguments["prompts"]) for _, arguments in model.calls]
    seeds = [arguments["seed"] for _, arguments in model.calls]
    assert sizes == [8, 2]
    assert seeds == [5, 13]


def test_prompt_file(jen1, model):
    Path("prompts.txt").write_text(
        "\ufefflofi piano\n\n"
        '{"prompt": "jazz trio", "seed": 40, "seconds": 1, "negative": "voice", "steps": 3,'
        ' "sampler": "ddim", "guidance_scale": 2, "direction": "unidirectional"}\n'
        "techno\n",
        encoding="utf-8",
    )
    result = jen1("generate", "--from", "prompts.txt", "--seed", "7", "-s", "0.2", "--steps", "9")
    assert result.code == 0, result.err
    assert result.out.split() == ["lofi-piano-7.wav", "jazz-trio-40.wav", "techno-9.wav"]
    assert model.calls[1][1] == {
        "prompts": ["jazz trio"],
        "seconds": 1.0,
        "seed": 40,
        "direction": "unidirectional",
        "steps": 3,
        "sampler": "ddim",
        "guidance_scale": 2.0,
        "negative_prompt": "voice",
    }
    assert model.calls[2][1]["steps"] == 9


def test_the_library_is_told_to_report_progress(jen1, model, monkeypatch):
    seen = []
    original = model._note
    monkeypatch.setattr(
        model,
        "_note",
        lambda name, **more: (seen.append(more.get("progress")), original(name, **more)),
    )
    assert jen1("generate", "lofi", "-s", "0.1").code == 0
    assert callable(seen[0])
