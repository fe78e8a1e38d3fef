"""Texts for the bundled text encoder, with the stated attributes as training targets.

Captions are read from a manifest or from JSON lines `{"caption": ..., "attributes": {...}}`,
prompts are synthetic, and general English is read from text files with one text per line.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from jen1cli.descriptions import Description
from jen1cli.errors import ConfigError, DataError
from jen1cli.jsonfiles import parse_object, read_lines
from jen1cli.music.chords import TONICS, tonic_index
from jen1cli.training.text_encoder.prompts import (
    FLATS,
    METER_CLASSES,
    MODE_CLASSES,
    LabelledPrompt,
    spoken_key,
)

LOWEST_BPM, HIGHEST_BPM = 40, 220
_LABELS_PER_FIELD = 160


@dataclass(frozen=True)
class HeadTargets:
    """Classes of the training heads."""

    styles: tuple[str, ...]
    labels: tuple[str, ...]  # "says/..." of synthetic prompts, "field/value" of captions

    @classmethod
    def of(cls, prompts: Iterable[LabelledPrompt]) -> "HeadTargets":
        """Collect every style, and every label with enough examples."""
        styles: Counter[str] = Counter()
        labels: Counter[str] = Counter()
        for prompt in prompts:
            if style := prompt.attributes.get("style"):
                styles[plain_style(style)] += 1
            labels.update(labels_of(prompt))
        common = [label for label, count in labels.most_common() if count >= 8]
        kept: Counter[str] = Counter()
        chosen = []
        for label in common:
            field = label.partition("/")[0]
            kept[field] += 1
            if kept[field] <= _LABELS_PER_FIELD or field == "says":
                chosen.append(label)
        return cls(tuple(sorted(styles)), tuple(sorted(chosen)))


def plain_style(name: str) -> str:
    """Normalise the name of a style: `drum_and_bass` is "drum and bass"."""
    return re.sub(r"[_\s]+", " ", name.lower()).strip()


def plain_mode(mode: str, text: str) -> str:
    """Return the mode as named in the text: "harmonic minor" may be called "minor"."""
    return mode if mode in text else {"harmonic minor": "minor"}.get(mode, mode)


def labels_of(prompt: LabelledPrompt) -> list[str]:
    """Return the labels of a text: its statements, and the attributes of its music."""
    attributes = prompt.attributes
    if "says" in attributes:
        return [f"says/{concept}" for concept in attributes["says"]]
    labels = [f"instrument/{name}" for name in attributes.get("instruments", ())]
    return labels + [f"mood/{name}" for name in attributes.get("moods", ())]


def encode_targets(
    prompts: Sequence[LabelledPrompt], targets: HeadTargets
) -> dict[str, torch.Tensor]:
    """Convert attributes to tensors; attributes that a text does not state are -1 or NaN.

    Returns:
        `style`, `key`, `mode`, `meter`, `drums` [N] int64, `bpm` [N] float, `labels`
        [N, labels] int8 with -1 for labels that only the other kind of text has.
    """
    styles = {name: index for index, name in enumerate(targets.styles)}
    labels = {name: index for index, name in enumerate(targets.labels)}
    said = [name.startswith("says/") for name in targets.labels]
    made_up = torch.tensor(said, dtype=torch.bool)
    whole = {name: torch.full((len(prompts),), -1) for name in ("style", "key", "mode", "meter")}
    whole["drums"] = torch.full((len(prompts),), -1)
    bpm = torch.full((len(prompts),), math.nan)
    table = torch.full((len(prompts), len(labels)), -1, dtype=torch.int8)
    for row, prompt in enumerate(prompts):
        attributes = prompt.attributes
        if not attributes:
            continue
        text = prompt.text.lower()
        whole["style"][row] = styles.get(plain_style(attributes.get("style") or ""), -1)
        if attributes.get("drums") is not None:
            whole["drums"][row] = int(bool(attributes["drums"]))
        if attributes.get("bpm") and states_tempo(text, attributes["bpm"]):
            bpm[row] = attributes["bpm"]
        key, mode = attributes.get("key") or "", plain_mode(attributes.get("mode") or "", text)
        if key and states_key(text, key, mode):
            whole["key"][row] = tonic_index(key)
            whole["mode"][row] = MODE_CLASSES.index(mode) if mode in MODE_CLASSES else -1
        meter = attributes.get("meter") or ""
        if meter in METER_CLASSES and ("says" in attributes or meter in text):
            whole["meter"][row] = METER_CLASSES.index(meter)
        table[row, made_up if "says" in attributes else ~made_up] = 0
        for label in labels_of(prompt):
            if label in labels:
                table[row, labels[label]] = 1
    return {**whole, "bpm": bpm, "labels": table}


def states_tempo(text: str, bpm: float) -> bool:
    """Whether a lower-case text states this tempo in digits."""
    return re.search(rf"(?<!\d){round(bpm)}(?!\d)", text) is not None


def states_key(text: str, key: str, mode: str) -> bool:
    """Whether a lower-case text states this tonic with its mode, in any spelling."""
    index = tonic_index(key)
    if index < 0:
        return False
    names = {TONICS[index], FLATS.get(TONICS[index], TONICS[index])}
    names |= {spoken_key(name) for name in names} | {spoken_key(n).replace(" ", "-") for n in names}
    for name in names:
        name = re.escape(name.lower()).replace(r"\#", "[#♯]").replace("b", "[b♭]")
        if re.search(rf"\b{name} ?(m\b|min\b|maj\b|{re.escape(mode) or 'm'})", text):
            return True
    return False


def read_captions(path: Path, *, training: bool = True) -> list[LabelledPrompt]:
    """Read captions with attributes from JSON lines.

    Args:
        path: a file of `{"caption": ..., "attributes": {...}}`, a manifest with `captions`, or a
            folder that holds `manifest.jsonl`.
        training: the training split; False: all others.

    Raises:
        DataError: the file is missing, or a line is invalid.
    """
    path = path / "manifest.jsonl" if path.is_dir() else path
    prompts = []
    try:
        lines = list(read_lines(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give JSON lines") from error
    for where, text in lines:
        try:
            description = Description.read(parse_object(text, where))
        except ConfigError as error:
            raise DataError(f"{where}: {error}; mend or remove it") from error
        if not description.captions:
            raise DataError(
                f'{where} has no caption; write one JSON object a line with "caption" and'
                ' "attributes"'
            )
        if ((description.named_split or "train") == "train") == training:
            prompts += [
                LabelledPrompt(caption, description.attributes or {})
                for caption in description.captions
            ]
    return prompts


def pick_fillers(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Draw single English words, used in prompts as moods and subjects."""
    single = [text for text in texts if text.isalpha() and text.islower() and len(text) > 2]
    return random.Random(seed).sample(single, min(count, len(single)))
