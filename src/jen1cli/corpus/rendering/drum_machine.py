"""Drum machines: strokes synthesised from sines and noise, and cached.

Kits imitate well-known machines and sounds: 808, 909, a lo-fi kit, gated drums of the 1980s, a
breakbeat, a games console, and clicks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from jen1cli.audio.loudness import db_to_amplitude
from jen1cli.corpus.rendering.drum_keys import Drum, drum_level, drum_of
from jen1cli.corpus.rendering.dsp import butterworth, convolve
from jen1cli.corpus.rendering.oscillators import CACHE
from jen1cli.corpus.rendering.soundfont import REFERENCE_LEVEL, stroke_level
from jen1cli.corpus.rendering.stereo import (
    SAMPLE_RATE,
    Cut,
    Mono,
    Raw,
    Stereo,
    TimedNote,
    mix_in,
    times,
)

TAKES = 3  # variants of each key's sound, played in turn
MODELS = 6
_VELOCITY_EXPONENT = 1.2


@dataclass(frozen=True)
class Kit:
    """Parameters of a drum machine. Decays are in seconds, cutoffs in Hz."""

    kick_hertz: float = 50.0
    kick_sweep: float = 3.0  # pitch sweep of the kick in octaves
    kick_decay: float = 0.35  # seconds
    kick_click: float = 0.4
    kick_drive: float = 1.5
    snare_hertz: float = 185.0
    snare_noise: float = 0.7  # share of noise
    snare_decay: float = 0.16
    hat_metal: float = 0.6  # share of metallic partials
    hat_decay: float = 0.05
    clap_decay: float = 0.16
    tom_hertz: float = 110.0
    crush_bits: int = 16
    lowpass: float = 20_000.0
    room: float = 0.0  # amount of gated reverberation on snare, clap and toms
    chip: bool = False


KITS: dict[str, Kit] = {
    "808": Kit(kick_hertz=48.0, kick_sweep=1.2, kick_decay=0.75, kick_click=0.2, snare_decay=0.14,
               hat_metal=0.9, hat_decay=0.045, clap_decay=0.18),
    "909": Kit(kick_hertz=52.0, kick_sweep=2.3, kick_decay=0.32, kick_click=0.6, kick_drive=2.4,
               snare_hertz=200.0, snare_noise=0.75, hat_metal=0.5, hat_decay=0.06),
    "lofi": Kit(kick_hertz=62.0, kick_sweep=1.6, kick_decay=0.24, kick_click=0.25,
                snare_hertz=210.0, snare_decay=0.15, hat_metal=0.3, crush_bits=10, lowpass=7000.0),
    "eighties": Kit(kick_hertz=58.0, kick_sweep=1.8, kick_decay=0.26, snare_hertz=175.0,
                    snare_decay=0.24, tom_hertz=95.0, room=0.8),
    "break": Kit(kick_hertz=70.0, kick_sweep=1.2, kick_decay=0.2, kick_click=0.6, snare_hertz=230.0,
                 snare_noise=0.6, snare_decay=0.14, hat_metal=0.25, crush_bits=12, lowpass=12_000.0,
                 room=0.25),
    "chip": Kit(crush_bits=5, kick_hertz=60.0, kick_decay=0.12, snare_decay=0.1, hat_decay=0.03,
                chip=True),
    "minimal": Kit(kick_hertz=55.0, kick_sweep=1.4, kick_decay=0.2, kick_click=0.15,
                   snare_hertz=330.0, snare_noise=0.5, snare_decay=0.05, hat_metal=0.2,
                   hat_decay=0.02, clap_decay=0.07),
}  # fmt: skip


def play(kit: str, notes: Sequence[TimedNote], samples: int, *, model: int) -> Stereo:
    """Play strokes on a kit; a closed hi-hat ends an open one."""
    sound = np.zeros((2, samples), np.float32)
    ordered = sorted(notes, key=lambda note: note.start)
    taken: dict[int, int] = {}
    for number, note in enumerate(ordered):
        take = taken.get(note.pitch, 0)
        taken[note.pitch] = (take + 1) % TAKES
        hit = _stroke(kit, note.pitch, take, model % MODELS)
        if drum_of(note.pitch) == "open_hat":
            hit = _choke(hit, note.start, ordered[number + 1 :])
        gain = np.float32((note.velocity / 0.8) ** _VELOCITY_EXPONENT)
        mix_in(sound, hit * gain, note.start)
    return sound


def _choke(sound: Stereo, start: int, following: Sequence[TimedNote]) -> Cut:
    for note in following:
        if note.start - start >= sound.shape[1]:
            break
        if note.start > start and drum_of(note.pitch) in ("closed_hat", "pedal_hat"):
            cut = sound[:, : note.start - start + 240].copy()
            cut[:, -240:] *= np.linspace(1.0, 0.0, 240, dtype=np.float32)
            return cut
    return sound


@lru_cache(maxsize=256)
def kit_of(name: str, model: int) -> Kit:
    """Return a variant of a kit; model 0 is the kit itself."""
    kit = KITS[name]
    if model == 0:
        return kit
    rng = np.random.default_rng((*name.encode(), model))

    def near(value: float, spread: float) -> float:
        return value * float(np.exp2(rng.uniform(-spread, spread)))

    return replace(
        kit,
        kick_hertz=near(kit.kick_hertz, 0.2),
        kick_sweep=near(kit.kick_sweep, 0.4),
        kick_decay=near(kit.kick_decay, 0.5),
        kick_drive=near(kit.kick_drive, 0.6),
        snare_hertz=near(kit.snare_hertz, 0.25),
        snare_noise=min(0.95, near(kit.snare_noise, 0.3)),
        snare_decay=near(kit.snare_decay, 0.4),
        hat_decay=near(kit.hat_decay, 0.5),
        hat_metal=min(1.0, near(kit.hat_metal, 0.5)),
        clap_decay=near(kit.clap_decay, 0.4),
        tom_hertz=near(kit.tom_hertz, 0.2),
    )


def _stroke(name: str, key: int, take: int, model: int) -> Stereo:
    return CACHE.get(
        ("stroke", name, key, take, model), lambda: build_stroke(name, key, take, model)
    )


def build_stroke(name: str, key: int, take: int, model: int) -> Stereo:
    """Build one stroke at the level of its drum in a kit."""
    kit, drum = kit_of(name, model), drum_of(key)
    rng = np.random.default_rng((*name.encode(), model, key, take))
    mono = _BUILDERS[drum](kit, key, rng)
    mono = _age(mono, kit)
    sound = np.stack([mono, mono])
    if kit.room and drum in ("snare", "clap", "tom", "kick"):
        sound = _gated_room(sound, kit.room * (0.35 if drum == "kick" else 1.0), rng)
    fade = min(480, sound.shape[1])
    sound[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    level = REFERENCE_LEVEL * db_to_amplitude(drum_level(key)) / max(stroke_level(sound), 1e-6)
    return (_place(sound, key) * level).astype(np.float32)


_PLACES: dict[Drum, float] = {
    "closed_hat": 0.2, "pedal_hat": 0.2, "open_hat": 0.2, "ride": -0.3, "crash": -0.25,
    "shaker": 0.35, "tambourine": -0.35, "cowbell": 0.25, "rim": 0.15, "clave": -0.3,
    "triangle": 0.4, "bell": -0.3,
}  # fmt: skip


def _place(sound: Stereo, key: int) -> Stereo:
    place = _PLACES.get(drum_of(key), 0.0)
    if drum_of(key) == "tom":
        place = (45.5 - key) / 12.0
    elif drum_of(key) == "conga":
        place = 0.3 if key % 2 else -0.3
    sides = np.sqrt(np.array([1.0 - place, 1.0 + place], np.float32))
    return sound * sides[:, None]


def _age(sound: Raw, kit: Kit) -> Mono:
    """Apply the bit depth, sample rate and bandwidth of the machine to a sound."""
    peak = float(np.abs(sound).max()) or 1.0
    sound = sound / peak
    if kit.crush_bits < 16:
        steps = 2.0 ** (kit.crush_bits - 1)
        hold = 4 if kit.chip else 2 if kit.crush_bits <= 10 else 1
        if hold > 1:
            sound = np.repeat(sound[::hold], hold)[: len(sound)]
        sound = np.round(sound * steps) / steps
    if kit.lowpass < 20_000:
        sound = butterworth(sound, "lowpass", kit.lowpass)
    return sound.astype(np.float32)


def _gated_room(sound: Stereo, amount: float, rng: np.random.Generator) -> Cut:
    """Add gated reverberation to a stroke, as on records of the 1980s."""
    length = int(0.28 * SAMPLE_RATE)
    t = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    gate = np.exp(-t * 2.5) * np.clip((0.28 - t) / 0.02, 0.0, 1.0)
    room = rng.standard_normal((2, length)).astype(np.float32) * gate * 0.03
    wet = convolve(sound, room)
    wet[:, : sound.shape[1]] += sound / max(amount, 0.05)
    return (wet * amount).astype(np.float32)


def _noise(t: Mono, rng: np.random.Generator) -> Mono:
    return rng.standard_normal(len(t), dtype=np.float32)


def _filtered(sound: Raw, low: float, high: float) -> Mono:
    return butterworth(sound, "bandpass", [low, high])


def _kick(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(min(1.4, 4.0 * kit.kick_decay))
    if kit.chip:
        phase = np.cumsum(220.0 * np.exp(-t * 22) + 45.0) / SAMPLE_RATE
        return np.sign(np.sin(2 * np.pi * phase)) * np.exp(-t / kit.kick_decay * 2)
    fall = 0.028 if kit.kick_sweep > 2 else 0.02
    curve = kit.kick_hertz * np.exp2(kit.kick_sweep * np.exp(-t / fall))
    phase = np.cumsum(curve.astype(np.float64)) / SAMPLE_RATE
    body = np.sin(2 * np.pi * phase).astype(np.float32) * np.exp(-t * 2.2 / kit.kick_decay)
    body = np.tanh(kit.kick_drive * body) / np.tanh(kit.kick_drive)
    click = _filtered(_noise(t, rng), 1500.0, 9000.0) * np.exp(-t * 500) * kit.kick_click
    return (body + click) * np.minimum(t / 0.0006, 1.0)


def _snare(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.5)
    if kit.chip:
        return _held_noise(t, rng, 6) * np.exp(-t / kit.snare_decay * 2.5)
    pitch = kit.snare_hertz * (1.12 if key == 40 else 1.0)
    bend = 1.0 + 0.5 * np.exp(-t * 120)
    phase = np.cumsum(pitch * bend) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * phase) + 0.6 * np.sin(2 * np.pi * 1.78 * phase)
    tone *= np.exp(-t * 2.2 / (0.6 * kit.snare_decay))
    wires = _filtered(_noise(t, rng), 1200.0, 11_000.0) * np.exp(-t * 2.2 / kit.snare_decay)
    snap = _noise(t, rng) * np.exp(-t * 350) * 0.5
    return (1.0 - kit.snare_noise) * tone + kit.snare_noise * (1.6 * wires + snap)


def _held_noise(t: Mono, rng: np.random.Generator, hold: int) -> Mono:
    coarse = rng.choice([-1.0, 1.0], len(t) // hold + 1)
    return np.repeat(coarse, hold)[: len(t)].astype(np.float32)


_METAL = (263.0, 400.0, 421.0, 474.0, 587.0, 845.0)


def _metal(t: Mono, ratio: float = 1.0) -> Raw:
    """Return the sum of six inharmonic square waves, as in cymbals of analog drum machines."""
    sound = np.zeros(len(t), np.float32)
    for hertz in _METAL:
        phase = (hertz * ratio * 1.4) * t
        sound += np.where(phase - np.floor(phase) < 0.5, 1.0, -1.0)
    return sound / 6.0


def _cymbal(kit: Kit, rng: np.random.Generator, decay: float, *, bright: float = 6500.0) -> Raw:
    t = times(min(3.0, 4.5 * decay))
    if kit.chip:
        return _held_noise(t, rng, 2) * np.exp(-t / decay * 2.2)
    source = kit.hat_metal * 2.5 * _metal(t) + (1.0 - kit.hat_metal) * _noise(t, rng)
    return butterworth(source, "highpass", bright, 3) * np.exp(-t * 2.2 / decay)


def _closed_hat(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    return _cymbal(kit, rng, kit.hat_decay)


def _pedal_hat(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    return _cymbal(kit, rng, 0.8 * kit.hat_decay, bright=5000.0)


def _open_hat(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    return _cymbal(kit, rng, 0.3 + 2.0 * kit.hat_decay)


def _crash(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    return _cymbal(kit, rng, 1.1, bright=3000.0)


def _ride(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(1.4)
    ping = np.sin(2 * np.pi * 3150 * t) * np.exp(-t * 9) * 0.25
    wash = _cymbal(kit, rng, 0.7, bright=5000.0)
    count = min(len(ping), len(wash))
    return ping[:count] + wash[:count]


def _clap(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.5)
    envelope = 0.55 * np.exp(-t * 2.2 / kit.clap_decay)
    for start in (0.0, 0.011, 0.022):
        after = t - start
        envelope = np.maximum(envelope, np.where(after >= 0, np.exp(-np.abs(after) * 220), 0.0))
    return _filtered(_noise(t, rng), 700.0, 5500.0) * envelope


def _tom(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.7)
    base = kit.tom_hertz * 2.0 ** ((key - 45) / 12.0)
    phase = np.cumsum(base * (1.0 + 0.6 * np.exp(-t * 35))) / SAMPLE_RATE
    skin = _filtered(_noise(t, rng), 300.0, 3500.0) * np.exp(-t * 60) * 0.35
    return np.sin(2 * np.pi * phase).astype(np.float32) * np.exp(-t * 7) + skin


def _rim(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.08)
    tone = np.sin(2 * np.pi * 1720 * t) + 0.7 * np.sin(2 * np.pi * 480 * t)
    return (tone + 0.3 * _noise(t, rng)) * np.exp(-t * 90)


def _bell(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.7)
    base = {67: 1400.0, 68: 1000.0, 53: 2100.0}.get(key, 2600.0)
    return (np.sin(2 * np.pi * base * t) + 0.5 * np.sin(2 * np.pi * 2.41 * base * t)) * np.exp(
        -t * 9
    )


def _cowbell(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.5)
    tone = sum(np.sign(np.sin(2 * np.pi * hertz * t)) for hertz in (540.0, 800.0))
    return _filtered(np.asarray(tone), 450.0, 3500.0) * (
        0.6 * np.exp(-t * 40) + 0.4 * np.exp(-t * 9)
    )


def _shaker(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.16)
    return (
        _filtered(_noise(t, rng), 4500.0, 15_000.0) * np.minimum(t / 0.018, 1.0) * np.exp(-t * 38)
    )


def _tambourine(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.35)
    jingles = _filtered(_noise(t, rng) + 2.0 * _metal(t, 4.3), 6000.0, 16_000.0)
    return jingles * (np.exp(-t * 60) + 0.5 * np.exp(-t * 14))


def _conga(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.45)
    base = {60: 420.0, 61: 310.0, 62: 300.0, 63: 270.0, 64: 200.0, 65: 330.0, 66: 240.0}.get(
        key, 350.0
    )
    decay = 45.0 if key in (62, 78) else 14.0
    phase = np.cumsum(base * (1.0 + 0.12 * np.exp(-t * 60))) / SAMPLE_RATE
    slap = _filtered(_noise(t, rng), 800.0, 5000.0) * np.exp(-t * 180) * 0.4
    return np.sin(2 * np.pi * phase).astype(np.float32) * np.exp(-t * decay) + slap


def _clave(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.12)
    base = {75: 2450.0, 76: 900.0, 77: 640.0, 85: 1500.0}.get(key, 2000.0)
    return np.sin(2 * np.pi * base * t) * np.exp(-t * 55)


def _triangle(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(1.6 if key == 81 else 0.2)
    tone = sum(
        np.sin(2 * np.pi * hertz * t) / (1 + n) for n, hertz in enumerate((4200, 6810, 9350))
    )
    return np.asarray(tone) * np.exp(-t * (3.0 if key == 81 else 30.0))


def _click(kit: Kit, key: int, rng: np.random.Generator) -> Raw:
    t = times(0.06)
    base = 500.0 * 2.0 ** ((key % 24) / 12.0)
    return (np.sin(2 * np.pi * base * t) + 0.4 * _noise(t, rng)) * np.exp(-t * 120)


_BUILDERS: dict[Drum, Callable[[Kit, int, np.random.Generator], Raw]] = {
    "kick": _kick,
    "snare": _snare,
    "rim": _rim,
    "clap": _clap,
    "closed_hat": _closed_hat,
    "pedal_hat": _pedal_hat,
    "open_hat": _open_hat,
    "tom": _tom,
    "crash": _crash,
    "ride": _ride,
    "bell": _bell,
    "tambourine": _tambourine,
    "cowbell": _cowbell,
    "shaker": _shaker,
    "conga": _conga,
    "clave": _clave,
    "triangle": _triangle,
    "click": _click,
}
