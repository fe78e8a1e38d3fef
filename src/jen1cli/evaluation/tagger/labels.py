"""Labels of the tagger, and training targets from a clip's attributes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

from jen1cli.evaluation.tagger.features import BPM_STEP, NUM_TEMPI, SLOWEST_BPM
from jen1cli.jsonfiles import parse_json
from jen1cli.music.chords import tonic_index

_RAREST = 12  # least number of clips with an instrument family to be a label
NOT_MUSIC = "sounds"  # style of noises and test tones, without tempo and key


@lru_cache(maxsize=2)
def _table(name: str) -> dict[str, str]:
    return parse_json(files("jen1cli.evaluation").joinpath("data", name).read_bytes(), name)


def style_family(style: str) -> str:
    """Return the family of a style, such as "jazz"; an unknown style is its own family."""
    return _table("style_families.json").get(style, style)


def families(instruments: Iterable[str]) -> tuple[str, ...]:
    """Return the families of instruments, sorted; an unknown instrument is its own family."""
    return tuple(
        sorted({_table("instrument_families.json").get(name, name) for name in instruments})
    )


@dataclass(frozen=True)
class Labels:
    """The labels that a tagger can predict."""

    styles: tuple[str, ...]
    instruments: tuple[str, ...]  # families
    modes: tuple[str, ...]

    @classmethod
    def of(cls, attributes: Iterable[Mapping[str, Any]]) -> "Labels":
        """Collect the labels in the attributes of the training clips."""
        styles: set[str] = set()
        modes: set[str] = set()
        heard: Counter[str] = Counter()
        for facts in attributes:
            styles.add(facts["style"])
            if facts.get("mode"):
                modes.add(facts["mode"])
            heard.update(families(facts.get("instruments", ())))
        common = (name for name, count in heard.items() if count >= _RAREST)
        return cls(tuple(sorted(styles)), tuple(sorted(common)), tuple(sorted(modes)))


@dataclass(frozen=True)
class TaggerTargets:
    """Targets of a batch; -1 or NaN if the clip's attributes do not state them."""

    style: Tensor  # [batch] index
    instruments: Tensor  # [batch, instruments] 0 or 1
    drums: Tensor  # [batch] 0 or 1
    key: Tensor  # [batch] tonic * modes + mode, -1 for none
    tempo: Tensor  # [batch, tempi] distribution, all 0 for none
    energy: Tensor  # [batch] 0 to 1

    def take(self, rows: Tensor, device: torch.device) -> "TaggerTargets":
        """Return the targets of some clips on a device."""
        names = self.__dataclass_fields__
        return TaggerTargets(*(getattr(self, name)[rows].to(device) for name in names))


def make_targets(attributes: Iterable[Mapping[str, Any]], labels: Labels) -> TaggerTargets:
    """Convert the attributes of clips to targets."""
    rows = list(attributes)
    style = [labels.styles.index(r["style"]) if r["style"] in labels.styles else -1 for r in rows]
    heard = [set(families(r.get("instruments", ()))) for r in rows]
    return TaggerTargets(
        style=torch.tensor(style),
        instruments=torch.tensor([[float(n in h) for n in labels.instruments] for h in heard]),
        drums=torch.tensor([float(bool(r.get("drums"))) for r in rows]),
        key=torch.tensor([_key_index(r, labels) for r in rows]),
        tempo=torch.stack([_tempo_curve(r) for r in rows]),
        energy=torch.tensor([float(r.get("energy", 0.5)) for r in rows]),
    )


def _key_index(facts: Mapping[str, Any], labels: Labels) -> int:
    tonic = tonic_index(facts.get("key") or "")
    if tonic < 0 or facts["style"] == NOT_MUSIC or facts.get("mode") not in labels.modes:
        return -1
    return tonic * len(labels.modes) + labels.modes.index(facts["mode"])


def _tempo_curve(facts: Mapping[str, Any]) -> Tensor:
    bpm = facts.get("bpm")
    if not bpm or facts["style"] == NOT_MUSIC:
        return torch.zeros(NUM_TEMPI)
    place = torch.log(torch.tensor(bpm / SLOWEST_BPM)) / BPM_STEP
    if not 0 <= place <= NUM_TEMPI - 1:
        return torch.zeros(NUM_TEMPI)
    curve = torch.exp(-0.5 * (torch.arange(NUM_TEMPI) - place).square())
    return curve / curve.sum()
