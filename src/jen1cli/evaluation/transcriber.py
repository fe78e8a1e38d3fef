"""Notes in music by Basic Pitch (Bittner et al., arXiv 2203.09893), a network from outside.

It was trained on MAESTRO, GuitarSet, MedleyDB, iKala and Slakh, and never met this project's
corpus. The network lies in `data/basic_pitch`, with its licence, Apache-2.0, since its package
needs TensorFlow. Notes are made of onsets with the thresholds of that package, but in a simpler
way: a note needs an onset of its own, and takes nothing from its neighbours in pitch.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from jen1cli.audio import Signal, resample, to_channels
from jen1cli.errors import needs_extra
from jen1cli.music.patterns import Sound

if TYPE_CHECKING:
    import onnxruntime

RATE = 22_050  # Hz
HOP = 256  # samples of a frame
LOWEST = 21  # MIDI number of the first of 88 pitches
ONSET_FROM = 0.5  # least probability of an onset, and of a note that goes on
SOUNDING_FROM = 0.3
LONGEST_DIP = 11  # frames below `SOUNDING_FROM` that do not end a note
SHORTEST = 11  # frames; shorter notes are left out

_WINDOW = 43_844  # samples that the network takes, and the frames that it gives
_FRAMES = 172
_CUT = 15  # frames at both ends of a window, which are taken from its neighbours
_BATCH = 32  # windows at once, so that the memory does not grow with the length
_OUTPUTS = ("StatefulPartitionedCall:1", "StatefulPartitionedCall:2")  # notes, onsets


@dataclass(frozen=True)
class Activity:
    """Probabilities by time and pitch."""

    sounding: Float[np.ndarray, "frames 88"]
    onset: Float[np.ndarray, "frames 88"]


@lru_cache(maxsize=1)
def _network() -> "onnxruntime.InferenceSession":
    with needs_extra("eval", "the transcription of notes"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    network = files("jen1cli.evaluation").joinpath("data/basic_pitch/nmp.onnx").read_bytes()
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def find_activity(signal: Signal, sample_rate: int) -> Activity:
    """Run the network over a sound.

    Args:
        signal: [channels, samples].
        sample_rate: Hz.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    mono = resample(to_channels(signal, 1), sample_rate, RATE)[0]
    frames = len(mono) // HOP
    step = (_FRAMES - 2 * _CUT) * HOP
    count = -(-len(mono) // step)
    padded = np.zeros(count * step + _WINDOW, np.float32)
    padded[_CUT * HOP : _CUT * HOP + len(mono)] = mono
    found: list[list[np.ndarray]] = [[], []]  # by output, of each window
    for first in range(0, count, _BATCH):
        places = range(first, min(first + _BATCH, count))
        windows = np.stack([padded[i * step : i * step + _WINDOW] for i in places])[..., None]
        parts = _network().run(_OUTPUTS, {"serving_default_input_2:0": windows})
        for whole, part in zip(found, parts, strict=True):
            whole.extend(np.asarray(part)[:, _CUT:-_CUT])
    sounding, onset = (np.concatenate(whole)[:frames] for whole in found)
    return Activity(sounding, onset)


def find_notes(activity: Activity) -> list[Sound]:
    """Return the notes, in seconds and MIDI numbers, by their start."""
    found = []
    for pitch in range(activity.onset.shape[1]):
        onset, sounding = activity.onset[:, pitch], activity.sounding[:, pitch] >= SOUNDING_FROM
        rises = np.diff(onset, prepend=0.0, append=0.0)
        starts = np.flatnonzero((onset >= ONSET_FROM) & (rises[:-1] > 0) & (rises[1:] <= 0))
        for start, limit in itertools.pairwise([*starts, len(onset)]):
            length = _sounding_frames(sounding[start:limit])
            if length >= SHORTEST:
                stop = (start + length) * HOP / RATE
                found.append(Sound(float(start * HOP / RATE), float(stop), LOWEST + pitch))
    return sorted(found, key=lambda note: (note.start, note.number))


def _sounding_frames(sounding: Bool[np.ndarray, " frames"]) -> int:
    """Return how long a note goes on: to the last frame before a dip that is too long."""
    loud = np.flatnonzero(sounding)
    dips = np.flatnonzero(np.diff(loud, prepend=-1) > LONGEST_DIP + 1)
    loud = loud[: dips[0]] if len(dips) else loud
    return int(loud[-1]) + 1 if len(loud) else 0
