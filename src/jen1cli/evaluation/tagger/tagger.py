"""The trained tagger: loading, saving and prediction."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.checkpoint import load_into
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.evaluation.tagger.features import SAMPLE_RATE, describe, tempi
from jen1cli.evaluation.tagger.labels import Labels
from jen1cli.evaluation.tagger.network import Answers, TaggerNet
from jen1cli.files import encoded, make_folder, writing_together
from jen1cli.jsonfiles import read_object
from jen1cli.music.chords import TONICS
from jen1cli.typed_json import from_dict
from jen1cli.weightsets import search_places

FOLDER_NAME = "tagger"
DESCRIPTION_NAME = "tagger.json"
TENSORS_NAME = "tagger.safetensors"
FORMAT_VERSION = 1
WINDOW_SECONDS = 10.0  # length of an input window
_SHORTEST_SECONDS = 2.0

Vector = Float[np.ndarray, " features"]
Rows = Float[np.ndarray, "batch embedding"]


@dataclass(frozen=True)
class Tags:
    """Predictions of the tagger for one sound."""

    styles: dict[str, float]  # probability of each
    instruments: dict[str, float]  # independent probability of each family
    drums: float  # probability
    key: str  # most likely tonic
    mode: str
    bpm: float  # most likely tempo
    energy: float  # 0 to 1
    embedding: Vector  # embedding of length 1, comparable with `Tagger.embed_text`

    def best_styles(self, count: int = 3) -> list[str]:
        """Return the most likely styles, in descending order."""
        return sorted(self.styles, key=lambda name: -self.styles[name])[:count]


@dataclass(frozen=True)
class TaggerConfig:
    """Content of `tagger.json`."""

    labels: Labels
    sha256: str  # sha256 of the tensors
    provenance: dict[str, Any] = field(default_factory=dict)
    accuracies: dict[str, float] = field(default_factory=dict)  # on held-out synthetic music
    format_version: int = FORMAT_VERSION


class Tagger:
    """A trained tagger; in-domain: it was trained on the music of `jen1 corpus`.

    Attributes:
        labels: labels that it can predict.
        description: provenance and accuracies.
    """

    def __init__(self, net: TaggerNet, description: TaggerConfig) -> None:
        self.net = net.eval().requires_grad_(False)
        self.description = description
        self.labels = description.labels

    @classmethod
    def load(cls, folder: Path | None = None) -> "Tagger":
        """Load a tagger from its folder; None is the one of the package.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        folder = folder or find_tagger()
        try:
            values = read_object(folder / DESCRIPTION_NAME)
            tensors = load_file(folder / TENSORS_NAME)
            digest = audio.digest(folder / TENSORS_NAME)
            description = from_dict(TaggerConfig, values, DESCRIPTION_NAME, complete=False)
        except (OSError, ValueError, ConfigError, SafetensorError) as error:
            raise CheckpointError(
                f"the tagger in {folder} cannot be read ({error}); train it again with"
                " 'jen1 evaluate train-tagger'"
            ) from error
        if description.format_version != FORMAT_VERSION or description.sha256 != digest:
            raise CheckpointError(
                f"the tagger in {folder} does not match its {DESCRIPTION_NAME}; install it again"
            )
        labels = description.labels
        net = TaggerNet(len(labels.styles), len(labels.instruments), len(labels.modes))
        whole = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
        load_into(net, whole, str(folder / TENSORS_NAME))
        return cls(net, description)

    def predict(self, signal: Signal, sample_rate: int) -> Tags:
        """Predict the tags of a sound of any length: the mean over windows of ten seconds."""
        answers = self._answers(signal, sample_rate)
        joint = answers.key.flatten(1).softmax(-1).mean(0).unflatten(0, (12, -1))
        place = int(joint.argmax())
        style = answers.style.softmax(-1).mean(0)
        heard = answers.instruments.sigmoid().mean(0)
        tempo = answers.tempo.softmax(-1).mean(0)
        return Tags(
            styles=dict(zip(self.labels.styles, style.tolist(), strict=True)),
            instruments=dict(zip(self.labels.instruments, heard.tolist(), strict=True)),
            drums=float(answers.drums.sigmoid().mean()),
            key=TONICS[place // len(self.labels.modes)],
            mode=self.labels.modes[place % len(self.labels.modes)],
            bpm=_peak_bpm(tempo),
            energy=float(answers.energy.mean()),
            embedding=functional.normalize(answers.embedding.mean(0), dim=0).numpy(),
        )

    def embed(self, windows: Float[np.ndarray, "batch samples"]) -> Rows:
        """Embed mono windows of equal length at 24 kHz for set distances, without normalisation."""
        with torch.inference_mode():
            return self.net(describe(torch.from_numpy(windows))).embedding.numpy()

    def embed_text(self, captions: Sequence[str]) -> Rows:
        """Embed captions as vectors of length 1."""
        with torch.inference_mode():
            return functional.normalize(self.net.text(captions), dim=1).numpy()

    def _answers(self, signal: Signal, sample_rate: int) -> Answers:
        mono = audio.resample(audio.to_channels(signal, 1), sample_rate, SAMPLE_RATE)[0]
        window = round(WINDOW_SECONDS * SAMPLE_RATE)
        shortest = round(_SHORTEST_SECONDS * SAMPLE_RATE)
        if len(mono) < shortest:
            mono = np.pad(mono, (0, shortest - len(mono)))
        starts = window_starts(len(mono), window)
        size = min(window, len(mono))
        windows = torch.stack([torch.from_numpy(mono[s : s + size].copy()) for s in starts])
        with torch.inference_mode():
            return self.net(describe(windows))


def window_starts(samples: int, window: int) -> list[int]:
    """Return the starts of evenly spaced windows that cover all samples."""
    if samples <= window:
        return [0]
    count = -(-samples // window)
    return [round(i * (samples - window) / (count - 1)) for i in range(count)]


def save_tagger(
    folder: Path,
    net: TaggerNet,
    labels: Labels,
    provenance: dict[str, Any],
    accuracies: dict[str, float],
) -> None:
    """Write the two files of a tagger, with weights in half precision."""
    make_folder(folder)
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in net.state_dict().items()
    }
    places = (folder / DESCRIPTION_NAME, folder / TENSORS_NAME)
    with writing_together(*places) as (description_file, tensors_file):
        save_file(tensors, tensors_file)
        description = TaggerConfig(labels, audio.digest(tensors_file), provenance, accuracies)
        description_file.write_bytes(encoded(json.dumps(asdict(description), indent=1) + "\n"))


def find_tagger() -> Path:
    """Return the folder of the tagger in the checkout or the package.

    Raises:
        CheckpointError: there is none.
    """
    for _, place in search_places():
        if (place / FOLDER_NAME / DESCRIPTION_NAME).is_file():
            return place / FOLDER_NAME
    raise CheckpointError(
        "no tagger is installed; train one with 'jen1 evaluate train-tagger' into weights/tagger"
    )


def _peak_bpm(tempo: Tensor) -> float:
    """Return the tempo of the highest peak, interpolated between columns."""
    place = int(tempo.argmax())
    first, last = max(0, place - 2), min(len(tempo), place + 3)
    weights = tempo[first:last]
    return float((tempi()[first:last].log() * weights).sum().div(weights.sum()).exp())
