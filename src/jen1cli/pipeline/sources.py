"""Source recordings of edits, converted to a file or a buffer."""

import io
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.errors import AudioError, ConfigError
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.windows import Span

Channels = Float[Tensor, "audio_channels samples"]
Input = Source | bytes | Music | Edit | Channels


def as_source(given: Input, sample_rate: int | None) -> Source:
    """Convert an input to a file or a buffer; waveforms become float WAV, pipes are read.

    Raises:
        AudioError: a waveform without a sample rate, or of the wrong shape.
    """
    if isinstance(given, Music):
        return io.BytesIO(given.to_bytes(subtype="FLOAT"))
    if isinstance(given, Edit):
        return io.BytesIO(given.to_bytes())
    if isinstance(given, bytes):
        return io.BytesIO(given)
    if isinstance(given, Tensor):
        if sample_rate is None:
            raise AudioError("a waveform needs its sample_rate, in Hz")
        if given.ndim != 2 or given.shape[0] not in (1, 2) or not given.shape[1]:
            raise AudioError(
                f"a waveform of shape {list(given.shape)} was given; give [1 or 2, samples]"
            )
        signal = given.detach().cpu().to(torch.float32).numpy()
        return io.BytesIO(
            audio.to_bytes(np.ascontiguousarray(signal), sample_rate, subtype="FLOAT")
        )
    if isinstance(given, io.BytesIO):
        return given
    path = Path(given)
    return io.BytesIO(path.read_bytes()) if path.is_fifo() else path


def mask_spans(masks: list[tuple[float, float]], info: audio.AudioInfo, name: str) -> list[Span]:
    """Convert masks in seconds to sorted intervals of samples; adjacent ones are merged.

    Raises:
        ConfigError: no mask, an empty or reversed mask, a mask outside the recording, or masks that
            overlap.
    """
    if not masks:
        raise ConfigError("no mask was given; name at least one stretch to make anew")
    spans: list[Span] = []
    for start, stop in sorted(masks):
        label = f"mask {start:g}-{stop:g}s"
        if not (np.isfinite(start) and np.isfinite(stop)) or start >= stop:
            raise ConfigError(f"{label} is empty or reversed; give its start before its end")
        first = audio.seconds_to_samples(start, info.sample_rate)
        last = audio.seconds_to_samples(stop, info.sample_rate)
        if first < 0 or last > info.samples + 1:
            raise ConfigError(
                f"{label} lies outside {name} ({info.seconds:.2f} s); give a range inside it"
            )
        last = min(last, info.samples)
        if first >= last:
            raise ConfigError(f"{label} is shorter than one sample; give a longer one")
        if spans and first < spans[-1][1]:
            raise ConfigError(f"{label} overlaps the mask before it; join them")
        if spans and first == spans[-1][1]:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans
