"""Published embeddings through transformers: LAION-CLAP and AudioSet taggers.

Weights come from a local folder or the hub; the sha256 of their files is the embedding's version.
This is the only file that imports transformers' audio models.
"""

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jen1cli.audio import Signal
from jen1cli.errors import CheckpointError, needs_extra
from jen1cli.evaluation.embeddings.embedding import Distribution, Embedding, Rows, mono_windows
from jen1cli.files import expand_user
from jen1cli.pipeline.networks import choose_device

CLAP_SECONDS = 10.0
_SHOWN = 60  # characters shown of another library's message


class ClapEmbedding(Embedding):
    """LAION-CLAP: one vector per ten seconds, comparable with text."""

    name = "clap"

    def __init__(self, source: str) -> None:
        with needs_extra("eval", "the embedding 'clap'"):
            from transformers.models.auto.feature_extraction_auto import AutoFeatureExtractor
            from transformers.models.auto.tokenization_auto import AutoTokenizer
            from transformers.models.clap.modeling_clap import ClapModel

        folder = fetch(source)
        self._device = choose_device("auto")
        self._model: Any = _load(ClapModel, folder).eval().to(self._device)
        self._extractor: Any = _load(AutoFeatureExtractor, folder)
        self._tokenizer: Any = _load(AutoTokenizer, folder)
        self.sample_rate = int(self._extractor.sampling_rate)
        self.version = weights_hash(folder)
        self.note = f"{source}; scores of different CLAP models do not compare"

    @torch.inference_mode()
    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound; return one row per ten seconds."""
        windows = mono_windows(signal, sample_rate, self.sample_rate, CLAP_SECONDS)
        inputs = self._extractor(list(windows), sampling_rate=self.sample_rate, return_tensors="pt")
        found = _tensor(self._model.get_audio_features(**inputs.to(self._device)))
        return found.float().cpu().numpy()

    def match(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the mean vector of the sound, normalised to length 1."""
        rows = self.embed(signal, sample_rate)
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.mean(0) / np.linalg.norm(rows.mean(0))

    @torch.inference_mode()
    def embed_text(self, captions: Sequence[str]) -> Rows | None:
        """Return the vectors of captions, normalised to length 1."""
        inputs = self._tokenizer(list(captions), padding=True, truncation=True, return_tensors="pt")
        found = _tensor(self._model.get_text_features(**inputs.to(self._device)))
        rows = found.float().cpu().numpy()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class AudioSetEmbedding(Embedding):
    """An audio classifier in the transformers layout, such as AST: labels and hidden states."""

    name = "audioset"

    def __init__(self, source: str) -> None:
        with needs_extra("eval", "the embedding 'audioset'"):
            from transformers.models.auto.feature_extraction_auto import AutoFeatureExtractor
            from transformers.models.auto.modeling_auto import AutoModelForAudioClassification

        folder = fetch(source)
        self._device = choose_device("auto")
        model = _load(AutoModelForAudioClassification, folder)
        self._model: Any = model.eval().to(self._device)
        with warnings.catch_warnings():
            # AST was trained with 128 mel bands of 257 bins, of which the lowest are empty.
            warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
            self._extractor: Any = _load(AutoFeatureExtractor, folder)
        self.sample_rate = int(self._extractor.sampling_rate)
        self.version = weights_hash(folder)
        self.note = f"{source}, {self._model.config.num_labels} labels"

    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound; return the mean last hidden state per ten seconds."""
        return self._run(signal, sample_rate)[0]

    def classify(self, signal: Signal, sample_rate: int) -> Distribution | None:
        """Return the sigmoid outputs of the labels, normalised to a sum of 1."""
        scores = self._run(signal, sample_rate)[1].mean(0)
        return scores / scores.sum()

    @torch.inference_mode()
    def _run(self, signal: Signal, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        """Return mean hidden states [windows, features] and probabilities [windows, labels]."""
        windows = mono_windows(signal, sample_rate, self.sample_rate, CLAP_SECONDS)
        inputs = self._extractor(list(windows), sampling_rate=self.sample_rate, return_tensors="pt")
        output = self._model(**inputs.to(self._device), output_hidden_states=True)
        rows = output.hidden_states[-1].float().mean(1)
        return rows.cpu().numpy(), output.logits.float().sigmoid().cpu().numpy()


def fetch(source: str) -> Path:
    """Return the folder of a model: a local folder, or the snapshot of a hub model.

    Raises:
        CheckpointError: it is neither local nor available from the hub.
    """
    folder = expand_user(source)
    if folder.is_dir():
        return folder
    with needs_extra("eval", f"'{source}' is no folder; to get it from the hub"):
        from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.txt"]
    try:
        return Path(snapshot_download(source, allow_patterns=patterns))
    except Exception as error:  # errors of hub and network have no common base class
        raise CheckpointError(
            f"the model '{source}' is neither a folder nor to be had from the hub"
            f" ({_short(error)}); download it and give its folder, as in clap=FOLDER"
        ) from error


def _load(kind: Any, folder: Path) -> Any:  # noqa: ANN401 - transformers' own types
    try:
        if hasattr(kind, "config_class") or "Model" in kind.__name__:
            return kind.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        return kind.from_pretrained(folder, local_files_only=True)
    except MemoryError:
        raise
    except Exception as error:  # transformers raises many types of errors
        raise CheckpointError(
            f"the model in {folder} cannot be loaded ({_short(error)});"
            " it must be safetensors in the transformers layout"
        ) from error


def _tensor(output: Any) -> torch.Tensor:  # noqa: ANN401 - a tensor, or an output that holds one
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def weights_hash(folder: Path) -> str:
    """Return the sha256 over all weight files of a folder, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _short(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."
