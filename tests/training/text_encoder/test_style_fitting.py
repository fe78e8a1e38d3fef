"""The style classifier that is fitted to a text encoder."""

import json

import torch

from jen1cli.composition.styles import STYLES
from jen1cli.conditioning import TextEncoder
from jen1cli.config import TextConfig
from jen1cli.training.text_encoder import style_fitting
from jen1cli.training.text_encoder.prompts import Words
from jen1cli.training.text_encoder.style_fitting import fit_styles


def test_a_classifier_is_fitted_to_names_and_captions(tmp_path, monkeypatch):
    config = TextConfig(features=16)
    torch.manual_seed(0)
    TextEncoder.random(config).save(tmp_path / "encoder")
    captions = tmp_path / "captions.jsonl"
    lines = [
        {"caption": "zither zither zither", "attributes": {"style": "celtic"}, "split": "train"},
        {"caption": "no style", "attributes": {"style": "of nobody"}, "split": "train"},
    ]
    captions.write_text("\n".join(map(json.dumps, lines)))
    lists = Words({"style": {"celtic": ("jig", "reel"), "lofi": ("beats",)}}, {"lofi": ("rain",)})
    monkeypatch.setattr(style_fitting, "words", lambda: lists)
    monkeypatch.setattr(style_fitting, "style_words", lambda: {"techno": ("techno",)})
    monkeypatch.setattr(style_fitting, "_CAPTION_WEIGHT", 500.0)
    fitted = fit_styles(tmp_path / "encoder", [captions])
    encoder = TextEncoder.from_folder(tmp_path / "encoder", config)
    assert encoder.styles is not None
    assert encoder.styles.styles == fitted.styles == tuple(STYLES)
    shares = encoder.styles.probabilities(*encoder.encode(["zither zither zither"]))
    assert max(shares, key=shares.__getitem__) == "celtic"
    assert abs(sum(shares.values()) - 1.0) < 1e-4
