"""Joins signals: extrapolation by linear prediction, and cross-fades of constant power."""

import math

import numpy as np
from jaxtyping import Float

from jen1cli.audio.files import Signal

_ORDER = 256  # coefficients of the linear predictor
_PAST = 8192  # samples that the predictor is fitted to; fewer make its pitch inaccurate


def extrapolate(signal: Signal, samples: int) -> Signal:
    """Continue `[channels, samples]` by linear prediction (Burg's method).

    The predictor is stable by construction, so the continuation keeps the pitch and decays to the
    signal's DC offset (not to zero). An edit is faded in from it over a few milliseconds: fading
    from the original would leak sound that the user asked to replace, and no fade would click.
    """
    order = min(_ORDER, signal.shape[1] // 4)
    if order < 2:
        return np.zeros((signal.shape[0], samples), np.float32)
    past = signal[:, -_PAST:].astype(np.float64)
    window = np.hanning(past.shape[1] + 2)[1:-1]
    offset = (past @ window / window.sum())[:, None]
    past -= offset
    weights = _burg(past, order)
    line = np.concatenate([past[:, -order:], np.zeros((signal.shape[0], samples))], axis=1)
    for at in range(order, order + samples):
        line[:, at] = np.einsum("ck,ck->c", weights, line[:, at - order : at])
    return (line[:, order:] + offset).astype(np.float32)


def crossfade(
    outgoing: Float[np.ndarray, "channels samples"], incoming: Float[np.ndarray, "channels samples"]
) -> Float[np.ndarray, "channels samples"]:
    """Fade from one signal into another of the same length.

    The raised-cosine weights w and 1 - w are divided by sqrt(w² + (1 - w)² + 2 r w (1 - w)) with
    the measured correlation r, so that the power is constant for any correlation.
    """
    samples = outgoing.shape[1]
    w = 0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / max(samples, 1))
    power = math.sqrt(float((outgoing**2).sum()) * float((incoming**2).sum()))
    r = max(0.0, float((outgoing * incoming).sum()) / power) if power > 0 else 1.0
    scale = np.sqrt(w**2 + (1 - w) ** 2 + 2 * r * w * (1 - w))
    return (outgoing * (1 - w) + incoming * w) / scale


def _burg(
    values: Float[np.ndarray, "channels samples"], order: int
) -> Float[np.ndarray, "channels {order}"]:
    """Fit a linear predictor to each channel (Burg); return coefficients, oldest sample first."""
    forward, backward = values[:, 1:].copy(), values[:, :-1].copy()
    weights = np.zeros((len(values), 0))
    floor = 1e-12 * values.shape[1]
    for _ in range(order):
        power = (forward**2).sum(1) + (backward**2).sum(1)
        product = (forward * backward).sum(1)
        reflection = np.where(power > floor, 2 * product / np.maximum(power, floor), 0.0)[:, None]
        weights = np.concatenate([weights - reflection * weights[:, ::-1], reflection], axis=1)
        forward, backward = (
            forward[:, 1:] - reflection * backward[:, 1:],
            backward[:, :-1] - reflection * forward[:, :-1],
        )
    return weights[:, ::-1].copy()
