"""Seams: a signal continued by linear prediction, and cross-fades that keep the power."""

import math

import numpy as np
from jaxtyping import Float

from jen1cli.audio.files import Signal

_ORDER = 256  # of the linear predictor
_PAST = 8192  # samples that it learns from; fewer blur its pitch


def extrapolate(signal: Signal, samples: int) -> Signal:
    """Continue `[channels, samples]` by linear prediction (Burg's method).

    The predictor is stable by construction, so the continuation keeps the pitch and dies away.
    It fills the few milliseconds in which an edit is faded in, so that nothing of what the user
    asked to replace is heard, and no click where there is nothing to fade from.
    """
    result = np.zeros((signal.shape[0], samples), np.float32)
    order = min(_ORDER, signal.shape[1] // 4)
    if order < 2:
        return result
    for channel, past in enumerate(signal.astype(np.float64)):
        result[channel] = _predict(past, order, samples)
    return result


def crossfade(
    outgoing: Float[np.ndarray, "channels samples"], incoming: Float[np.ndarray, "channels samples"]
) -> Float[np.ndarray, "channels samples"]:
    """Fade from one signal into another of the same length.

    The raised-cosine weights w and 1 - w are divided by sqrt(w² + (1 - w)² + 2 r w (1 - w)) with
    the measured correlation r, so that power stays level for equal and for unlike signals.
    """
    samples = outgoing.shape[1]
    w = 0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / max(samples, 1))
    power = math.sqrt(float((outgoing**2).sum()) * float((incoming**2).sum()))
    r = max(0.0, float((outgoing * incoming).sum()) / power) if power > 0 else 1.0
    scale = np.sqrt(w**2 + (1 - w) ** 2 + 2 * r * w * (1 - w))
    return (outgoing * (1 - w) + incoming * w) / scale


def _predict(past: np.ndarray, order: int, samples: int) -> np.ndarray:
    weights = _burg(past[-_PAST:], order)
    line = np.concatenate([past[-order:], np.zeros(samples)])
    for at in range(order, order + samples):
        line[at] = weights @ line[at - order : at]
    return line[order:]


def _burg(values: np.ndarray, order: int) -> np.ndarray:
    """Fit a linear predictor by Burg's method; returns weights of the past, oldest first."""
    forward, backward = values[1:].copy(), values[:-1].copy()
    weights = np.zeros(0)
    for _ in range(order):
        power = float(forward @ forward + backward @ backward)
        if power < 1e-12 * len(values):
            break
        reflection = 2.0 * float(forward @ backward) / power
        weights = np.append(weights - reflection * weights[::-1], reflection)
        forward, backward = (
            forward[1:] - reflection * backward[1:],
            backward[:-1] - reflection * forward[:-1],
        )
    return np.pad(weights, (0, order - len(weights)))[::-1].copy()
