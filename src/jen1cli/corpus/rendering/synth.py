"""Synthesised voices by name, all equally loud at equal velocity.

`model` selects one of a few variants of a voice, so that clips differ and yet cached sounds are
reused. A sound does not depend on earlier ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from jen1cli.audio.loudness import db_to_amplitude
from jen1cli.corpus.rendering.oscillators import CACHE
from jen1cli.corpus.rendering.patches import PATCHES, Patch, play_patch, vary
from jen1cli.corpus.rendering.plucked import PLUCKED, build_plucked
from jen1cli.corpus.rendering.soundfont import REFERENCE_LEVEL, loudest_level
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Cut, Stereo, TimedNote, mix_in
from jen1cli.corpus.rendering.textures import TEXTURES

MODELS = 6
_BRIGHTNESS_STEPS = 6
_VELOCITY_EXPONENT = 1.2
_TILT_DB = 0.06  # attenuation per semitone, as for the sampled instruments

VOICES = frozenset(PATCHES) | frozenset(PLUCKED) | frozenset(TEXTURES)


def play(
    voice: str,
    notes: Sequence[TimedNote],
    samples: int,
    *,
    bpm: float,
    model: int,
    seed: int,
    glide: float | None = None,
) -> Stereo:
    """Play notes on a synthesised voice.

    Args:
        voice: a name in `VOICES`.
        notes: in any order.
        samples: length of the result.
        bpm: tempo, for voices with tempo-synchronised modulation.
        model: index of the variant, modulo `MODELS`.
        seed: seed of phases and noise.
        glide: seconds of portamento between notes without a gap; None for the voice's own.
    """
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch))
    model %= MODELS
    if voice in PATCHES:
        gains = {note.pitch: _patch_gain(voice, model, note.pitch) for note in ordered}
        patch = patch_of(voice, model)
        if glide is not None:
            patch = replace(patch, glide=glide)
        rng = np.random.default_rng(seed)
        return play_patch(patch, ordered, samples, bpm=bpm, rng=rng, gains=gains)
    if voice in PLUCKED:
        return _play_struck(voice, ordered, samples, model)
    if voice in TEXTURES:
        return _play_texture(voice, ordered, samples, seed)
    raise ValueError(f"unknown voice '{voice}'; known: {', '.join(sorted(VOICES))}")


@lru_cache(maxsize=512)
def patch_of(voice: str, model: int) -> Patch:
    """Return a variant of a patch; model 0 is the patch itself."""
    if model == 0:
        return PATCHES[voice]
    return vary(PATCHES[voice], np.random.default_rng((*voice.encode(), model)))


@cache
def _patch_gain(voice: str, model: int, pitch: int) -> float:
    """Return the gain factor that sets a note of a patch to the reference level."""
    note = TimedNote(0, int(0.8 * SAMPLE_RATE), pitch, 0.8)
    rng = np.random.default_rng(0)
    sound = play_patch(patch_of(voice, model), [note], note.length, bpm=120.0, rng=rng)
    return _reference(pitch) / max(loudest_level(sound), 1e-6)


def _reference(pitch: int) -> float:
    return REFERENCE_LEVEL * db_to_amplitude(_TILT_DB * (60 - pitch))


def _play_struck(voice: str, notes: Sequence[TimedNote], samples: int, model: int) -> Stereo:
    sound = np.zeros((2, samples), np.float32)
    struck = PLUCKED[voice]
    for note in notes:
        step = round(min(note.velocity, 1.0) * _BRIGHTNESS_STEPS)
        hit = _struck_sound(voice, note.pitch, step, model)
        gain = np.float32((note.velocity / 0.8) ** _VELOCITY_EXPONENT)
        if not struck.rings:
            hit = _let_go(hit, note.length, struck.release)
        mix_in(sound, hit * gain, note.start)
    return sound


def _struck_sound(voice: str, pitch: int, step: int, model: int) -> Stereo:
    def make() -> Stereo:
        sound = build_plucked(voice, pitch, step / _BRIGHTNESS_STEPS, model)
        return sound * np.float32(_reference(pitch) / max(loudest_level(sound), 1e-6))

    return CACHE.get(("struck", voice, pitch, step, model), make)


def _let_go(sound: Stereo, length: int, release: float) -> Cut:
    """Fade a sound out after `length` samples, within `release` seconds."""
    fade = int(release * SAMPLE_RATE)
    if length + fade >= sound.shape[1]:
        return sound
    cut = sound[:, : length + fade].copy()
    cut[:, length:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32) ** 2
    return cut


def _play_texture(voice: str, notes: Sequence[TimedNote], samples: int, seed: int) -> Stereo:
    sound = np.zeros((2, samples), np.float32)
    for number, note in enumerate(notes):
        rng = np.random.default_rng((seed, number))
        count = min(note.length, samples - note.start)
        if count < SAMPLE_RATE // 100:
            continue
        made = TEXTURES[voice](note, count, rng)
        level = REFERENCE_LEVEL / max(loudest_level(made), 1e-6)
        mix_in(sound, made * np.float32(level * note.velocity / 0.8), note.start)
    return sound
