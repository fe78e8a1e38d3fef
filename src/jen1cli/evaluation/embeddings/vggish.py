"""VGGish, the usual embedding of FAD in papers; the user supplies the weights.

Hershey et al., ICASSP 2017. A small VGG maps the log-mel spectrum of 0.96 s at 16 kHz to 128
features, without the quantising post-processor, as usual for FAD. Weights: a safetensors file in a
folder, with torchvggish's names (`features.0.weight` ... `embeddings.4.bias`).
"""

from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from jen1cli.audio import Signal, resample, to_channels
from jen1cli.errors import CheckpointError
from jen1cli.evaluation.embeddings.embedding import Embedding, Rows
from jen1cli.evaluation.embeddings.hub_models import fetch, weights_hash
from jen1cli.pipeline.networks import choose_device

RATE = 16_000  # Hz
FRAMES = 96  # frames of 10 ms in one window
_WINDOW, _HOP, _FFT = 400, 160, 512
_MELS, _LOW_HZ, _HIGH_HZ = 64, 125.0, 7500.0
_CHANNELS = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M")


class Vggish(nn.Module):
    """Log-mel [batch, 1, 96, 64] → [batch, 128]."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for item in _CHANNELS:
            if isinstance(item, str):
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(channels, item, 3, padding=1), nn.ReLU()]
                channels = item
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, 128), nn.ReLU(),
        )  # fmt: skip

    def forward(self, mel: Float[Tensor, "batch one frames mels"]) -> Float[Tensor, "batch width"]:
        """Embed windows [batch, 1, 96, 64]; return [batch, 128]."""
        x = self.features(mel)
        return self.embeddings(rearrange(x, "b c f m -> b (f m c)"))  # axis order of TensorFlow


class VggishEmbedding(Embedding):
    """128 features for every 0.96 s."""

    name = "vggish"
    sample_rate = RATE

    def __init__(self, source: str) -> None:
        if not source:
            raise CheckpointError(
                "VGGish is not shipped; give a folder (or hub id) with its weights as safetensors,"
                " as in vggish=FOLDER"
            )
        folder = fetch(source)
        self._net = Vggish()
        files = sorted(Path(folder).glob("*.safetensors"))
        try:
            tensors = load_file(files[0])
            self._net.load_state_dict(tensors, strict=True)
        except (IndexError, OSError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(
                f"{folder} holds no VGGish weights with torchvggish's names; give a folder with"
                " features.* and embeddings.* in one safetensors file"
            ) from error
        self._device = choose_device("auto")
        self._net.eval().requires_grad_(False).to(self._device)
        self.version = weights_hash(folder)
        self.note = f"{source}, without post-processing"

    def embed(self, signal: Signal, sample_rate: int) -> Rows:
        """Embed a sound; return one row per 0.96 s."""
        mono = resample(to_channels(signal, 1), sample_rate, RATE)[0]
        mel = log_mel(torch.from_numpy(mono))
        count = max(1, len(mel) // FRAMES)
        if len(mel) < FRAMES:
            mel = mel.repeat(-(-FRAMES // max(1, len(mel))), 1)
        windows = mel[: count * FRAMES].reshape(count, 1, FRAMES, _MELS)
        with torch.inference_mode():
            return self._net(windows.to(self._device)).cpu().numpy()


def log_mel(mono: Float[Tensor, " samples"]) -> Float[Tensor, "frames mels"]:
    """Return log(mel magnitude + 0.01) every 10 ms, from samples at 16 kHz."""
    if len(mono) < _WINDOW:
        mono = torch.nn.functional.pad(mono, (0, _WINDOW - len(mono)))
    frames = mono.unfold(0, _WINDOW, _HOP) * torch.hann_window(_WINDOW, periodic=True)
    magnitude = torch.fft.rfft(frames, n=_FFT).abs()
    return (magnitude @ _mel_filters().T + 0.01).log()


def _mel_filters() -> Float[Tensor, "mels bins"]:
    """Return triangular filters on the HTK scale, linear in mel, with which VGGish was trained."""
    bins = 1127.0 * np.log1p(np.linspace(0.0, RATE / 2, _FFT // 2 + 1) / 700.0)
    low_mel, high_mel = 1127.0 * np.log1p(np.array([_LOW_HZ, _HIGH_HZ]) / 700.0)
    edges = np.linspace(low_mel, high_mel, _MELS + 2)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    filters = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(min=0)
    filters[:, 0] = 0.0
    return torch.from_numpy(filters).float()
