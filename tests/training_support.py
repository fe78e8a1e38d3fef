"""Tones whose caption is their pitch: data of the training tests."""

import dataclasses

import numpy as np

RATE = 48_000
PITCHES = (220, 277, 330, 392, 494, 587)
SECONDS = (1.5, 0.7, 2.0, 1.5, 1.2, 1.5)  # the second is shorter than a window


def make_tone(pitch, seconds):
    """Return a pulsing tone, [2, samples]."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * pitch * t) * np.exp(-3 * (t * 4 % 1))
    return np.stack([tone, 0.7 * tone]).astype(np.float32)


def with_optimisation(recipe, **changed):
    """Return a recipe with some of its optimisation changed."""
    optimisation = dataclasses.replace(recipe.optimisation, **changed)
    return dataclasses.replace(recipe, optimisation=optimisation)
