"""Synthesised voices that sustain: detuned oscillators, a swept low-pass and two envelopes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from jen1cli.corpus.rendering.oscillators import Wave, WavetableSpec, wavetable
from jen1cli.corpus.rendering.stereo import (
    CONTROL_SAMPLES,
    SAMPLE_RATE,
    Curve,
    Mono,
    Stereo,
    TimedNote,
    control_points,
    spread,
)


@dataclass(frozen=True)
class Patch:
    """A sustaining voice. Times are in seconds, cutoff in Hz, filter modulation in octaves."""

    wave: Wave = "saw"
    detune: tuple[float, ...] = (0.0,)  # cents
    width: float = 0.0
    loop_samples: int = 1 << 14
    cutoff: float = 4000.0
    resonance: float = 0.1
    tracking: float = 0.5
    attack: float = 0.003
    decay: float = 0.3
    sustain: float = 0.7
    release: float = 0.1
    filter_octaves: float = 0.0  # peak of the filter envelope
    filter_attack: float = 0.0
    filter_decay: float = 0.2
    velocity_octaves: float = 1.0
    lfo_octaves: float = 0.0
    lfo_beats: float = 0.0  # period; 0: `lfo_seconds` is the period
    lfo_seconds: float = 6.0
    spacing: float = 0.75  # octaves of cutoff between the wavetables of a filter sweep
    glide: float = 0.0  # seconds of portamento between notes without a gap
    vibrato_cents: float = 0.0
    vibrato_hertz: float = 5.4
    vibrato_delay: float = 0.25
    retrigger: bool = False  # whether every note starts at the same phase
    layers: tuple["Patch", ...] = ()  # patches mixed to this one
    transpose: float = 0.0  # semitones
    gain: float = 1.0

    @property
    def bends(self) -> bool:
        """Whether the pitch moves within a note."""
        return self.glide > 0 or self.vibrato_cents > 0


_WIDE = 1 << 17
_SEVEN = (-19.0, -11.0, -5.0, 0.0, 4.6, 10.4, 18.2)

PATCHES: dict[str, Patch] = {
    "analog_bass": Patch(
        detune=(-4.0, 4.0), loop_samples=1 << 15, cutoff=260.0, resonance=0.35, filter_octaves=2.6,
        filter_decay=0.16, sustain=0.75, release=0.06, retrigger=True,
        layers=(Patch(wave="square", transpose=-12.0, cutoff=300.0, gain=0.5, release=0.06,
                      retrigger=True),),
    ),
    "sub_bass": Patch(
        wave="triangle", cutoff=160.0, resonance=0.0, tracking=1.0, sustain=0.95, attack=0.008,
        release=0.08, velocity_octaves=0.3, retrigger=True,
    ),
    "reese_bass": Patch(
        detune=(-16.0, -5.0, 6.0, 15.0), width=0.35, loop_samples=1 << 16, cutoff=520.0,
        resonance=0.25, lfo_octaves=0.9, lfo_seconds=2.7, sustain=0.95, release=0.09,
        layers=(Patch(wave="sine", gain=0.7, cutoff=400.0, sustain=0.95, retrigger=True),),
    ),
    "acid_bass": Patch(
        cutoff=240.0, resonance=0.86, filter_octaves=3.2, filter_decay=0.17, spacing=0.25,
        velocity_octaves=2.4, sustain=0.6, decay=0.4, release=0.03, glide=0.05, retrigger=True,
        loop_samples=1 << 12,
    ),
    "wobble_bass": Patch(
        detune=(-9.0, 0.0, 8.0), loop_samples=1 << 16, cutoff=420.0, resonance=0.5, lfo_octaves=2.0,
        lfo_beats=0.5, spacing=0.5, sustain=1.0, release=0.05,
        layers=(Patch(wave="sine", gain=0.8, cutoff=300.0, sustain=1.0, retrigger=True),),
    ),
    "saw_lead": Patch(
        detune=(-6.0, 6.0), loop_samples=1 << 16, cutoff=3200.0, resonance=0.2, filter_octaves=1.0,
        sustain=0.8, release=0.12, glide=0.05, vibrato_cents=16.0,
    ),
    "square_lead": Patch(
        wave="square", cutoff=2600.0, resonance=0.15, filter_octaves=0.8, sustain=0.8, release=0.1,
        glide=0.04, vibrato_cents=14.0,
    ),
    "soft_lead": Patch(
        wave="triangle", detune=(-3.0, 3.0), loop_samples=1 << 16, cutoff=2200.0, attack=0.03,
        sustain=0.85, release=0.2, glide=0.07, vibrato_cents=18.0,
    ),
    "theremin": Patch(
        wave="hollow", cutoff=1800.0, attack=0.09, sustain=1.0, release=0.15, glide=0.16,
        vibrato_cents=38.0, vibrato_hertz=6.1, vibrato_delay=0.05,
    ),
    "supersaw": Patch(
        detune=_SEVEN, width=0.95, loop_samples=1 << 16, cutoff=6500.0, filter_octaves=0.8,
        attack=0.006, sustain=0.85, release=0.22,
    ),
    "saw_pad": Patch(
        detune=(-12.0, -5.0, 0.0, 5.5, 11.0), width=0.9, loop_samples=_WIDE, cutoff=1900.0,
        lfo_octaves=0.5, attack=0.35, decay=1.5, sustain=0.85, release=0.7,
    ),
    "warm_pad": Patch(
        detune=(-9.0, -3.0, 3.5, 8.0), width=0.8, loop_samples=_WIDE, cutoff=720.0,
        lfo_octaves=0.6, lfo_seconds=9.0, attack=0.5, decay=2.0, sustain=0.9, release=0.9,
    ),
    "glass_pad": Patch(
        wave="hollow", detune=(-7.0, 0.0, 6.0), width=1.0, loop_samples=_WIDE, cutoff=3800.0,
        lfo_octaves=0.8, lfo_seconds=5.0, attack=0.4, sustain=0.85, release=1.1,
        layers=(Patch(wave="hollow", transpose=12.0, detune=(-5.0, 5.0), width=1.0, gain=0.4,
                      loop_samples=_WIDE, attack=0.9, sustain=0.8, release=1.1, cutoff=6000.0),),
    ),
    "dark_drone": Patch(
        detune=(-14.0, -6.0, 0.0, 7.0, 13.0), width=0.8, loop_samples=_WIDE, cutoff=420.0,
        resonance=0.35, lfo_octaves=1.2, lfo_seconds=11.0, attack=1.2, sustain=1.0, release=1.5,
        layers=(Patch(wave="hollow", transpose=7.0, detune=(-4.0, 4.0), width=1.0, gain=0.25,
                      loop_samples=_WIDE, cutoff=900.0, lfo_octaves=1.0, lfo_seconds=7.0,
                      attack=2.0, sustain=1.0, release=1.5),),
    ),
    "pluck": Patch(
        detune=(-7.0, 0.0, 6.0), width=0.6, loop_samples=1 << 16, cutoff=480.0, resonance=0.25,
        filter_octaves=3.6, filter_decay=0.13, decay=0.28, sustain=0.0, release=0.16,
    ),
    "stab": Patch(
        detune=(-13.0, -5.0, 5.0, 12.0), width=0.8, loop_samples=1 << 16, cutoff=1100.0,
        resonance=0.3, filter_octaves=2.4, filter_decay=0.16, decay=0.32, sustain=0.1, release=0.12,
    ),
    "organ_house": Patch(
        wave="organ", cutoff=5000.0, decay=0.22, sustain=0.35, release=0.06, retrigger=True,
    ),
    "arp_saw": Patch(
        detune=(-6.0, 5.0), width=0.5, loop_samples=1 << 16, cutoff=900.0, resonance=0.3,
        filter_octaves=2.6, filter_decay=0.15, decay=0.25, sustain=0.3, release=0.1,
    ),
    "chip_square": Patch(
        wave="square", cutoff=18000.0, sustain=0.75, decay=0.2, release=0.01, velocity_octaves=0.0,
        vibrato_cents=20.0, vibrato_hertz=6.5, vibrato_delay=0.2, retrigger=True,
    ),
    "chip_triangle": Patch(
        wave="chip_triangle", cutoff=18000.0, sustain=1.0, release=0.01, velocity_octaves=0.0,
        retrigger=True,
    ),
    "chip_arp": Patch(
        wave="pulse", cutoff=18000.0, decay=0.12, sustain=0.45, release=0.01, velocity_octaves=0.0,
        retrigger=True,
    ),
    "sine_tone": Patch(
        wave="sine", cutoff=20000.0, attack=0.01, sustain=1.0, release=0.02, velocity_octaves=0.0,
        retrigger=True,
    ),
}  # fmt: skip


def vary(patch: Patch, rng: np.random.Generator) -> Patch:
    """Return a slightly varied patch that still deserves its name."""
    if patch.wave in ("chip_triangle", "sine"):
        return patch
    spin = float(np.exp2(rng.uniform(-0.5, 0.4)))
    detune = float(rng.uniform(0.7, 1.35))
    return replace(
        patch,
        cutoff=patch.cutoff * (spin if patch.cutoff < 15000 else 1.0),
        detune=tuple(round(cents * detune, 3) for cents in patch.detune),
        resonance=min(0.92, patch.resonance * float(rng.uniform(0.7, 1.3))),
        decay=patch.decay * float(rng.uniform(0.75, 1.4)),
        attack=patch.attack * float(rng.uniform(0.7, 1.3)),
        release=patch.release * float(rng.uniform(0.8, 1.3)),
        filter_octaves=patch.filter_octaves * float(rng.uniform(0.8, 1.15)),
        filter_decay=patch.filter_decay * float(rng.uniform(0.7, 1.5)),
        lfo_seconds=patch.lfo_seconds * float(rng.uniform(0.7, 1.5)),
        lfo_beats=patch.lfo_beats * float(rng.choice([0.5, 1.0, 1.0, 2.0])),
        layers=tuple(vary(layer, rng) for layer in patch.layers),
    )


def play_patch(
    patch: Patch,
    notes: Sequence[TimedNote],
    samples: int,
    *,
    bpm: float,
    rng: np.random.Generator,
    gains: Mapping[int, float] | None = None,
) -> Stereo:
    """Play notes on a patch and its layers, with a gain for each pitch."""
    sound = np.zeros((2, samples), np.float32)
    for layer in (patch, *patch.layers):
        previous: TimedNote | None = None
        for note in notes:
            if note.start >= samples:
                continue
            offset = 0.0 if layer.retrigger else float(rng.uniform())
            gain = layer.gain * (gains[note.pitch] if gains else 1.0)
            _play_note(sound, layer, note, previous, bpm, offset, gain)
            previous = note
    return sound


def _play_note(
    sound: Float32[np.ndarray, "2 all"],
    patch: Patch,
    note: TimedNote,
    previous: TimedNote | None,
    bpm: float,
    offset: float,
    gain: float,
) -> None:
    tail = int(3.0 * patch.release * SAMPLE_RATE)
    samples = min(note.length + tail, sound.shape[1] - note.start)
    if samples <= 0:
        return
    seconds = np.arange(control_points(samples)) * (CONTROL_SAMPLES / SAMPLE_RATE)
    loudness = gain * (note.velocity / 0.8) ** 1.2
    envelope = amplitude(patch, seconds, note.length / SAMPLE_RATE) * loudness
    level = np.maximum(_sweep(patch, note, seconds, bpm), 0.0)
    positions = None
    if patch.bends:
        positions = np.cumsum(spread(_bend(patch, note, previous, seconds), samples), dtype=float)
    where = slice(note.start, note.start + samples)
    _scan(sound[:, where], patch, note.pitch + patch.transpose, envelope, level, offset, positions)


def amplitude(patch: Patch, seconds: Curve, length: float) -> Curve:
    """Return the amplitude envelope: linear attack, exponential decay and release."""
    attack = np.minimum(seconds / max(patch.attack, 1e-4), 1.0)
    after = np.maximum(seconds - patch.attack, 0.0)
    body = patch.sustain + (1.0 - patch.sustain) * np.exp(-3.0 * after / patch.decay)
    released = np.maximum(seconds - length, 0.0)
    fade = np.exp(-2.3 * released / max(patch.release, 1e-3))
    # fade the exponential to zero at the end of the rendered note
    fade *= np.clip((length + 3.0 * patch.release - seconds) / max(patch.release, 1e-3), 0.0, 1.0)
    return attack * body * fade


def _sweep(patch: Patch, note: TimedNote, seconds: Curve, bpm: float) -> Curve:
    """Return the cutoff over time, in units of `spacing` octaves above 40 Hz."""
    rise = 1.0
    if patch.filter_attack > 0:
        rise = np.minimum(seconds / patch.filter_attack, 1.0)
    fall = np.exp(-2.5 * np.maximum(seconds - patch.filter_attack, 0.0) / patch.filter_decay)
    octaves = np.log2(patch.cutoff / 40.0) + patch.filter_octaves * rise * fall
    octaves = octaves + patch.velocity_octaves * (note.velocity - 0.7)
    if patch.lfo_octaves:
        period = patch.lfo_beats * 60.0 / bpm if patch.lfo_beats else patch.lfo_seconds
        clock = seconds + note.start / SAMPLE_RATE
        octaves = octaves - patch.lfo_octaves * np.cos(2 * np.pi * clock / period)
    return np.clip(octaves, 0.0, 9.0) / patch.spacing


def _bend(patch: Patch, note: TimedNote, previous: TimedNote | None, seconds: Curve) -> Curve:
    """Return the pitch ratio over time; 1 is the note's own pitch."""
    semitones = np.zeros_like(seconds)
    if patch.glide and previous is not None:
        gap = note.start - previous.start - previous.length
        if gap < SAMPLE_RATE // 50 and note.start > previous.start:
            interval = previous.pitch - note.pitch
            semitones += interval * np.exp(-4.0 * seconds / patch.glide)
    if patch.vibrato_cents:
        grown = np.clip((seconds - patch.vibrato_delay) / 0.3, 0.0, 1.0)
        wave = np.sin(2 * np.pi * patch.vibrato_hertz * (seconds - patch.vibrato_delay))
        semitones += patch.vibrato_cents / 100.0 * grown * wave
    return np.exp2(semitones / 12.0)


def _scan(
    target: Stereo,
    patch: Patch,
    pitch: float,
    envelope: Curve,
    level: Curve,
    offset: float,
    positions: np.ndarray | None,
) -> None:
    """Add a note: a cross-fade of the wavetables of the neighbouring cutoffs."""
    samples = target.shape[1]
    lowest, highest = int(np.floor(level.min())), int(np.ceil(level.max()))
    for number in range(lowest, highest + 1):
        weight = np.clip(1.0 - np.abs(level - number), 0.0, 1.0) * envelope
        sounding = np.flatnonzero(weight > 1e-5)
        if not len(sounding):
            continue
        spec = WavetableSpec(
            patch.wave, pitch, 40.0 * 2.0 ** (number * patch.spacing), patch.resonance,
            patch.detune, patch.width, patch.loop_samples, patch.tracking,
        )  # fmt: skip
        source = wavetable(spec)
        first = max(0, int(sounding[0]) - 1) * CONTROL_SAMPLES
        last = min(samples, (int(sounding[-1]) + 1) * CONTROL_SAMPLES)
        gain = spread(weight[first // CONTROL_SAMPLES :], last - first)
        start = int(offset * source.shape[1])
        if positions is None:
            _add_loop(target[:, first:last], source, start + first, gain)
        else:
            _add_bent(target[:, first:last], source, start + positions[first:last], gain)


def _add_loop(target: Stereo, source: np.ndarray, start: int, gain: Mono) -> None:
    """Add a repeating loop that begins at sample `start` of it."""
    length, here = source.shape[1], 0
    place = start % length
    while here < target.shape[1]:
        count = min(length - place, target.shape[1] - here)
        target[:, here : here + count] += (
            source[:, place : place + count] * gain[here : here + count]
        )
        here += count
        place = 0


def _add_bent(target: Stereo, source: np.ndarray, positions: np.ndarray, gain: Mono) -> None:
    """Add a loop read at fractional positions, by linear interpolation."""
    wrapped = np.mod(positions, source.shape[1])
    index = wrapped.astype(np.intp)
    fraction = (wrapped - index).astype(np.float32)
    index[index >= source.shape[1]] = 0
    following = index + 1
    following[following == source.shape[1]] = 0
    low = source[:, index]
    target += (low + (source[:, following] - low) * fraction) * gain
