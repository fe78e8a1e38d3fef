"""Implements the effects of parts and of the mix that a score may use.

Every effect has an amount (0 off, 1 extreme) and optional settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jen1cli.composition.score import Effect
from jen1cli.corpus.rendering.dsp import butterworth, irfft, rfft
from jen1cli.corpus.rendering.dynamics import compress
from jen1cli.corpus.rendering.stereo import (
    CONTROL_SAMPLES,
    SAMPLE_RATE,
    Curve,
    Stereo,
    control_points,
    delayed,
    spread,
)

FRAME = 2048
HOP = FRAME // 2
_CLICK_SAMPLES = 240


@dataclass(frozen=True)
class Scene:
    """Properties of the clip that effects use."""

    bpm: float
    samples: int
    rng: np.random.Generator
    kicks: tuple[int, ...] = ()  # onsets of the kick drum in samples

    def beats(self, beats: float) -> float:
        """Convert a duration in beats to samples."""
        return beats * 60.0 / self.bpm * SAMPLE_RATE


Process = Callable[[Stereo, Effect, Scene], Stereo]


def apply(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    """Apply one effect to a sound."""
    process = EFFECTS.get(effect.name)
    if process is None:
        raise ValueError(f"unknown effect '{effect.name}'; known: {', '.join(sorted(EFFECTS))}")
    if effect.amount <= 0:
        return sound
    return process(sound, effect, scene)


# --- filters ---


def _lowpass(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    hertz = float(effect.settings.get("cutoff", 18_000.0 * 2.0 ** (-6.0 * effect.amount)))
    return butterworth(sound, "lowpass", min(hertz, 23_000.0))


def _highpass(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    hertz = float(effect.settings.get("cutoff", 25.0 * 2.0 ** (6.0 * effect.amount)))
    return butterworth(sound, "highpass", hertz)


def _telephone(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    wet = butterworth(sound, "bandpass", [420.0, 3200.0], 2)
    return sound + np.float32(effect.amount) * (wet - sound)


def moving_filter(sound: Stereo, hertz: Curve, *, highpass: bool = False) -> Stereo:
    """Filter with a moving cutoff (24 dB per octave); `hertz` has one value per 1024 samples."""
    samples = sound.shape[1]
    frames = -(-samples // HOP) + 1
    padded = np.zeros((2, (frames + 1) * HOP), np.float32)
    padded[:, HOP : HOP + samples] = sound
    window = np.sin(np.pi * (np.arange(FRAME, dtype=np.float32) + 0.5) / FRAME)
    bins = np.maximum(np.fft.rfftfreq(FRAME, 1.0 / SAMPLE_RATE), 1.0)
    corner = np.interp(np.arange(frames), np.arange(len(hertz)), hertz)
    ratio = bins[None, :] / corner[:, None]
    gain = 1.0 / (1.0 + (1.0 / ratio if highpass else ratio) ** 4)
    output = np.zeros_like(padded)
    for channel in range(2):
        blocks = np.lib.stride_tricks.sliding_window_view(padded[channel], FRAME)[::HOP] * window
        spectrum = rfft(blocks) * gain.astype(np.float32)
        made = irfft(spectrum, FRAME) * window
        output[channel, : frames * HOP] += made[:, :HOP].reshape(-1)
        output[channel, HOP:] += made[:, HOP:].reshape(-1)
    return output[:, HOP : HOP + samples]


def _sweep(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    """Sweep a low-pass from `low` to `high` Hz between two beats."""
    settings = effect.settings
    start_hz = float(settings.get("low", 8000.0 * 2.0 ** (-5.5 * effect.amount)))
    end_hz = float(settings.get("high", 18_000.0))
    first = scene.beats(float(settings.get("start_beat", 0.0)))
    last = settings.get("end_beat")
    last = scene.samples if last is None else scene.beats(float(last))
    where = np.arange(0, scene.samples + HOP, HOP)
    way = np.clip((where - first) / max(last - first, 1.0), 0.0, 1.0)
    return moving_filter(sound, start_hz * (end_hz / start_hz) ** way)


def _wobble(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    period = scene.beats(float(effect.settings.get("beats", 2.0)))
    high = 9000.0
    low = high * 2.0 ** (-5.5 * effect.amount)
    where = np.arange(0, scene.samples + HOP, HOP)
    way = 0.5 - 0.5 * np.cos(2 * np.pi * where / period)
    return moving_filter(sound, low * (high / low) ** way)


# --- level over time ---


def _sidechain(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    """Duck at every kick; the level recovers within a beat, or before the next kick."""
    onsets = _ducking_onsets(effect, scene)
    recovery = 0.85 * scene.beats(min(1.0, float(effect.settings.get("beats", 1.0))))
    where = np.arange(control_points(scene.samples)) * CONTROL_SAMPLES
    last = np.searchsorted(onsets, where, side="right") - 1
    since = np.where(last >= 0, where - onsets[np.maximum(last, 0)], 1e9)
    gain = 1.0 - 0.92 * min(1.0, effect.amount) * (1.0 - np.clip(since / recovery, 0.0, 1.0)) ** 2
    return sound * spread(gain, scene.samples)


def _ducking_onsets(effect: Effect, scene: Scene) -> np.ndarray:
    """Return the onsets of ducking in samples: given, periodic, or the kicks."""
    if "onsets" in effect.settings:
        return np.array([scene.beats(float(beat)) for beat in effect.settings["onsets"]])
    if scene.kicks and "beats" not in effect.settings:
        return np.array(scene.kicks, float)
    period = scene.beats(float(effect.settings.get("beats", 1.0)))
    return np.arange(0.0, scene.samples + period, period)


def _gate(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    pattern = str(effect.settings.get("pattern", "10111010"))
    step = scene.beats(float(effect.settings.get("beats", 0.25)))
    where = np.arange(control_points(scene.samples)) * CONTROL_SAMPLES / step
    is_open = np.array([mark == "1" for mark in pattern])[where.astype(int) % len(pattern)]
    gain = np.where(is_open & (where % 1.0 < 0.85), 1.0, 1.0 - min(1.0, effect.amount))
    smooth = np.convolve(np.pad(gain, 4, mode="edge"), np.full(9, 1 / 9), "valid")
    return sound * spread(smooth, scene.samples)


def _compress(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    return compress(sound, min(1.0, effect.amount))


def _lfo(effect: Effect, scene: Scene, hertz: float, points: int) -> Curve:
    """Return a sine at control rate, with the period `beats` or the rate `hz` of the settings."""
    if "beats" in effect.settings:
        hertz = SAMPLE_RATE / scene.beats(float(effect.settings["beats"]))
    hertz = float(effect.settings.get("hz", hertz))
    t = np.arange(points) * (CONTROL_SAMPLES / SAMPLE_RATE)
    return np.sin(2 * np.pi * hertz * t)


def _tremolo(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    wave = _lfo(effect, scene, 5.5, control_points(scene.samples))
    return sound * spread(1.0 - 0.5 * min(1.0, effect.amount) * (1.0 + wave), scene.samples)


def _fade_in(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    length = scene.beats(float(effect.settings.get("beats", 4.0 + 12.0 * effect.amount)))
    where = np.arange(control_points(scene.samples)) * CONTROL_SAMPLES
    return sound * spread(np.clip(where / length, 0.0, 1.0), scene.samples)


def _fade_out(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    length = scene.beats(float(effect.settings.get("beats", 4.0 + 12.0 * effect.amount)))
    where = np.arange(control_points(scene.samples)) * CONTROL_SAMPLES
    return sound * spread(np.clip((scene.samples - where) / length, 0.0, 1.0), scene.samples)


# --- modulated delays ---


def _warp(sound: Stereo, delay: Curve, samples: int) -> Stereo:
    """Delay a sound by a varying time (in samples, at control rate)."""
    return delayed(sound, spread(delay, samples))


def _vibrato(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    hertz = float(effect.settings.get("hz", 5.2))
    # a delay d·sin(2π·hertz·t) changes the speed by 2π·hertz·d/rate; 1731 cents are a factor of e
    depth = 60.0 * effect.amount / 1731.0 / (2 * np.pi * hertz) * SAMPLE_RATE
    wave = _lfo(effect, scene, hertz, control_points(scene.samples))
    return _warp(sound, depth * (1.0 + wave), scene.samples)


def chorus(sound: Stereo, amount: float, hertz: float = 0.7) -> Stereo:
    """Add a copy with modulated delay to each side."""
    samples = sound.shape[1]
    t = np.arange(control_points(samples)) * (CONTROL_SAMPLES / SAMPLE_RATE)
    copies = []
    for channel, turn in zip(sound, (0.0, 0.4), strict=True):
        sway = np.sin(2 * np.pi * (hertz * t + turn)) + 0.4 * np.sin(2 * np.pi * (2.1 * hertz * t))
        delay = SAMPLE_RATE * (0.013 + 0.0022 * (0.4 + amount) * sway)
        copies.append(delayed(channel[None], spread(delay, samples))[0])
    wet = np.float32(0.75 * min(1.0, amount))
    return (sound + wet * np.stack(copies)[::-1]) / np.float32(np.sqrt(1.0 + wet**2))


def _chorus(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    return chorus(sound, effect.amount, float(effect.settings.get("hz", 0.7)))


def _flanger(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    wave = _lfo(effect, scene, 0.18, control_points(scene.samples))
    copy = _warp(sound, SAMPLE_RATE * (0.0032 + 0.0026 * wave), scene.samples)
    wet = np.float32(0.9 * min(1.0, effect.amount))
    return (sound + wet * copy) / np.float32(np.sqrt(1.0 + wet**2))


def _phaser(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    """Attenuate the highs by a modulated amount: a low-pass moving between 0.37 and 2.2 kHz.

    With its gain G, the effect has the gain 1 - a (1 - G) for an amount a of at most 1.
    """
    wave = _lfo(effect, scene, 0.25, control_points(scene.samples))[:: HOP // CONTROL_SAMPLES]
    centre = 900.0 * np.exp2(1.3 * wave)
    low = moving_filter(sound, centre)
    wet = 2.0 * low - sound
    amount = np.float32(0.5 * min(1.0, effect.amount))
    return (1.0 - amount) * sound + amount * wet


def _tape(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    amount = min(1.0, effect.amount)
    t = np.arange(control_points(scene.samples)) * (CONTROL_SAMPLES / SAMPLE_RATE)
    turns = scene.rng.uniform(size=3)
    wow = np.sin(2 * np.pi * (0.55 * t + turns[0])) + 0.6 * np.sin(
        2 * np.pi * (0.93 * t + turns[1])
    )
    flutter = np.sin(2 * np.pi * (6.7 * t + turns[2]))
    delay = amount * SAMPLE_RATE * (0.0016 * (wow + 1.6) + 0.00006 * (flutter + 1.0))
    worn = _saturate(_warp(sound, delay, scene.samples), 0.5 * amount)
    return butterworth(worn, "lowpass", 17_000.0 * 2.0 ** (-1.6 * amount), 1)


# --- distortion and noise ---


def _saturate(sound: Stereo, amount: float) -> Stereo:
    level = float(np.sqrt(np.mean(np.square(sound))))
    if level < 1e-7:
        return sound
    drive = np.float32((0.25 + 2.2 * amount) / (3.0 * level))
    made = np.tanh(sound * drive)
    return made * np.float32(level / max(float(np.sqrt(np.mean(np.square(made)))), 1e-9))


def _saturation(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    return _saturate(sound, min(1.0, effect.amount))


def _distortion(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    driven = _saturate(butterworth(sound, "highpass", 90.0, 1), 1.0 + 6.0 * effect.amount)
    return butterworth(driven, "lowpass", 6500.0)


def _bitcrush(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    bits = float(effect.settings.get("bits", 12.0 - 8.0 * min(1.0, effect.amount)))
    hold = int(effect.settings.get("hold", 1 + round(5.0 * min(1.0, effect.amount))))
    peak = float(np.abs(sound).max()) or 1.0
    steps = np.float32(2.0 ** (bits - 1) / peak)
    crushed = np.round(sound * steps) / steps
    if hold > 1:
        crushed = np.repeat(crushed[:, ::hold], hold, axis=1)[:, : sound.shape[1]]
    return crushed.astype(np.float32)


def _vinyl(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    level = _music_level(sound)
    samples = sound.shape[1]
    crackle = np.zeros((2, samples + _CLICK_SAMPLES), np.float32)
    count = int(samples / SAMPLE_RATE * (4.0 + 26.0 * effect.amount))
    where = scene.rng.integers(0, samples, count)
    sizes = scene.rng.exponential(1.0, count) ** 1.7 * scene.rng.choice([-1.0, 1.0], count)
    places = scene.rng.uniform(0.3, 0.7, count)
    click = _click()
    for start, size, place in zip(where, sizes, places, strict=True):
        sides = np.array([[np.sqrt(1.0 - place)], [np.sqrt(place)]]) * size
        crackle[:, start : start + _CLICK_SAMPLES] += sides * click
    noise = crackle[:, :samples] + np.float32(0.02) * _surface(scene, samples)
    return sound + noise * np.float32(level * (0.15 + 0.55 * effect.amount))


def _hiss(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    noise = _surface(scene, sound.shape[1])
    return sound + noise * np.float32(_music_level(sound) * 0.045 * effect.amount)


@lru_cache(maxsize=1)
def _click() -> np.ndarray:
    """Return the click of a scratch on a record."""
    impulse = np.zeros(_CLICK_SAMPLES, np.float32)
    impulse[0] = 4.0
    return butterworth(impulse, "bandpass", [900.0, 7000.0], 1)


@lru_cache(maxsize=1)
def _surface_loop() -> Stereo:
    """Return a seamless loop of noise of level 1, attenuated below 500 Hz and above 10 kHz."""
    size = 1 << 18
    rng = np.random.default_rng(7)
    hertz = np.maximum(np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE), 1.0)
    gain = 1.0 / np.sqrt((1.0 + (500.0 / hertz) ** 2) * (1.0 + (hertz / 10_000.0) ** 2))
    turns = np.exp(2j * np.pi * rng.uniform(size=(2, len(hertz))))
    noise = irfft((gain * turns).astype(np.complex64), size)
    return noise / np.float32(np.sqrt(np.mean(np.square(noise))))


def _surface(scene: Scene, samples: int) -> Stereo:
    """Return noise of a tape or record, from a random position of the loop."""
    source = _surface_loop()
    start = int(scene.rng.integers(source.shape[1]))
    places = (start + np.arange(samples)) % source.shape[1]
    return source[:, places]


def _music_level(sound: Stereo) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def _widen(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    """Amplify the side signal, and add a delayed copy of mid to it."""
    middle, side = sound.mean(axis=0), 0.5 * (sound[0] - sound[1])
    late = np.zeros_like(middle)
    late[620:] = middle[:-620] if len(middle) > 620 else 0.0
    late = np.asarray(butterworth(np.stack([late, late]), "highpass", 300.0, 1)[0])
    side = side * np.float32(1.0 + 0.6 * effect.amount) + np.float32(0.28 * effect.amount) * late
    return np.stack([middle + side, middle - side]).astype(np.float32)


def _mono(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    amount = np.float32(min(1.0, effect.amount))
    return (1.0 - amount) * sound + amount * sound.mean(axis=0, keepdims=True)


def _nothing(sound: Stereo, effect: Effect, scene: Scene) -> Stereo:
    return sound


EFFECTS: dict[str, Process] = {
    "lowpass": _lowpass,
    "highpass": _highpass,
    "sweep": _sweep,
    "wobble": _wobble,
    "sidechain": _sidechain,
    "gate": _gate,
    "tremolo": _tremolo,
    "vibrato": _vibrato,
    "phaser": _phaser,
    "flanger": _flanger,
    "chorus": _chorus,
    "saturation": _saturation,
    "distortion": _distortion,
    "bitcrush": _bitcrush,
    "tape": _tape,
    "vinyl": _vinyl,
    "hiss": _hiss,
    "telephone": _telephone,
    "compress": _compress,
    "widen": _widen,
    "mono": _mono,
    "fade_in": _fade_in,
    "fade_out": _fade_out,
    # handled by the renderer: loudness of the mix, portamento of the voice
    "quiet": _nothing,
    "loud": _nothing,
    "glide": _nothing,
}
