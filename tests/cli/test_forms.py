"""`jen1 generate --form`: what is asked of the model, and what is refused."""

import json
from pathlib import Path

import pytest

from jen1cli.recipe import read_recipe
from midi_support import band


def asked(model):
    return [(arguments["seconds"], arguments.get("form")) for _, arguments in model.calls]


def test_the_form_goes_to_model_recipe_and_report(jen1, model):
    result = jen1("generate", "pop", "--form", "Verse:2[Am F], end", "-o", "a.wav", "--json")
    assert result.code == 0, result.err
    assert asked(model) == [(None, "verse:2[Am | F] end:1")]
    assert json.loads(result.out)["settings"]["form"] == "verse:2[Am | F] end:1"
    assert read_recipe(Path("a.wav")).form == "verse:2[Am | F] end:1"
    assert "verse:2[Am | F] end:1" in jen1("info", "a.wav").out


def test_lines_of_a_file_have_forms_of_their_own(jen1, model):
    lines = [
        {"prompt": "a", "form": "verse:4"},
        {"prompt": "b", "form": "verse:4", "seconds": 8},
        {"prompt": "c"},
        {"prompt": "d", "seconds": 3},
    ]
    Path("p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = jen1("generate", "--from", "p.jsonl", "--form", "intro:2 end", "-o", "x/")
    assert result.code == 0, result.err
    assert asked(model) == [
        (None, "verse:4"), (8, "verse:4"), (None, "intro:2 end:1"), (3, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--form", "verse"], "'verse' has no number of bars"),
        (["--form", "verse:0"], "'verse' has 0 bars"),
        (["--form", "verse:10000"], "10,000 bars; give 1 to 512"),
        (["--form", "verse:8[Am F"], "no section"),
        (["--form", "verse:8[Am X]"], "'X' is no chord"),
        (["--form", "verse:8", "--loop"], "--form and a loop"),
        (["--form", "verse:8", "--composer", "none"], "--form and --composer none"),
        (["--form", "verse:8", "--composer", "learned"], "--form and --composer learned"),
        (["--form", "verse:8", "-s", "0"], "0 is no length"),
    ],
)
def test_what_is_no_form_gets_one_line(refused, options, words):
    assert words in refused("generate", "pop", *options).err


def test_a_score_has_its_own_form(refused, model):
    Path("tune.mid").write_bytes(band())
    result = refused("generate", "pop", "--score", "tune.mid", "--form", "verse:8")
    assert "--form and a score" in result.err


def test_a_line_with_a_wrong_form_is_named(refused):
    Path("p.jsonl").write_text('{"prompt": "a"}\n{"prompt": "b", "form": "verse:x"}')
    assert "line 2" in refused("generate", "--from", "p.jsonl").err
