"""Renders a score to 48 kHz stereo audio.

Each part is played dry by its instrument, processed by its insert effects, panned, sent to the
reverberation and summed; the mix is set to -14 LUFS with a true peak below -1 dBTP. All instruments
are equally loud at equal velocity, so `Part.gain_db` alone determines the mix. The same score gives
the same samples, independently of earlier renderings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jen1cli.audio.loudness import db_to_amplitude
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.score import Part, Score, Stem
from jen1cli.corpus.rendering import drum_machine, synth
from jen1cli.corpus.rendering.drum_keys import drum_of
from jen1cli.corpus.rendering.dynamics import compress, remove_dc
from jen1cli.corpus.rendering.effects import Scene, apply, chorus
from jen1cli.corpus.rendering.mastering import TARGET_LUFS, normalize
from jen1cli.corpus.rendering.rooms import ROOMS, echoes, reverberate
from jen1cli.corpus.rendering.soundfont import SoundFontPlayer, find_soundfont
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Mono, Stereo, TimedNote

STEMS: tuple[Stem, ...] = ("drums", "bass", "harmony", "melody")
_END_FADE = 480  # samples
_GLUE = 0.25  # amount of bus compression


@dataclass
class _Bus:
    """Sums of the parts of one stem: dry, and the reverberation and delay sends."""

    dry: Stereo
    reverb: Mono
    delay: Mono

    @classmethod
    def silent(cls, samples: int) -> "_Bus":
        """Return a silent bus."""
        return cls(
            np.zeros((2, samples), np.float32),
            np.zeros(samples, np.float32),
            np.zeros(samples, np.float32),
        )


class Renderer:
    """Renders scores; loads the SoundFont when a score first needs it."""

    def __init__(self, soundfont: Path | None = None) -> None:
        self._soundfont = soundfont
        self._player: SoundFontPlayer | None = None

    def render(self, score: Score) -> Stereo:
        """Render a clip of exactly `score.seconds`."""
        bus = _Bus.silent(samples_of(score))
        for number, part in enumerate(score.parts):
            self._add(bus, score, number, part)
        return self._master(score, self._wet(score, bus))

    def render_stems(self, score: Score) -> tuple[Stereo, dict[str, Stereo]]:
        """Render a clip and its stems.

        The stems have effects and reverberation, at their level in the mix, but not the processing
        of the mix; so their sum differs from the mix.
        """
        samples = samples_of(score)
        stems: dict[str, Stereo] = {}
        for stem in STEMS:
            bus = _Bus.silent(samples)
            for number, part in enumerate(score.parts):
                if part.stem == stem:
                    self._add(bus, score, number, part)
            stems[stem] = self._wet(score, bus)
        total = np.asarray(np.sum(list(stems.values()), axis=0, dtype=np.float32))
        mix = self._master(score, total)
        power = float(np.mean(np.square(total)))
        gain = np.float32(np.sqrt(float(np.mean(np.square(mix))) / power) if power else 1.0)
        return mix, {name: np.clip(stem * gain, -1.0, 1.0) for name, stem in stems.items()}

    def _add(self, bus: _Bus, score: Score, number: int, part: Part) -> None:
        """Play a part and add it to a bus."""
        if not part.notes:
            return
        samples = bus.dry.shape[1]
        rng = np.random.default_rng((score.seed, 11, number))
        sound = self._play(score, part, samples, int(rng.integers(1 << 31)))
        scene = Scene(score.bpm, samples, rng, kicks_of(score))
        for effect in part.effects:
            sound = apply(sound, effect, scene)
        if part.chorus > 0:
            sound = chorus(sound, part.chorus)
        sound = sound * _place(part)
        bus.dry += sound
        if part.reverb > 0 or part.delay > 0:
            middle = sound[0] + sound[1]
            bus.reverb += np.float32(0.5 * part.reverb) * middle
            if part.delay > 0:
                bus.delay += np.float32(0.5 * part.delay) * middle

    def _play(self, score: Score, part: Part, samples: int, seed: int) -> Stereo:
        instrument = INSTRUMENTS[part.instrument]
        notes = timed_notes(part, score.bpm, samples)
        # one model per clip and instrument, so that parts of the same instrument sound alike
        model = int(
            np.random.default_rng((score.seed, *part.instrument.encode())).integers(1 << 16)
        )
        if instrument.kind == "synth":
            return synth.play(
                instrument.voice,
                notes,
                samples,
                bpm=score.bpm,
                model=model,
                seed=seed,
                glide=_glide(part),
            )
        if instrument.kind == "synth_kit":
            return drum_machine.play(instrument.voice, notes, samples, model=model)
        if self._player is None:
            self._player = SoundFontPlayer(find_soundfont(self._soundfont))
        is_kit = instrument.kind == "kit"
        return self._player.play(instrument.program, notes, samples, kit=is_kit)

    def _wet(self, score: Score, bus: _Bus) -> Stereo:
        """Return the dry sum of a bus with its echoes and reverberation."""
        mix = bus.dry
        if bus.delay.any():
            beats = (0.75, 0.5, 1.0, 2.0 / 3.0)[score.seed % 4]
            wet = echoes(bus.delay, beats * 60.0 / score.bpm)
            mix = mix + wet
            bus.reverb += np.float32(0.2) * wet.mean(axis=0)
        if bus.reverb.any():
            mix = mix + reverberate(bus.reverb, _room(score), score.seed % 4)
        return mix

    def _master(self, score: Score, mix: Stereo) -> Stereo:
        """Apply effects, DC removal, bus compression, loudness normalisation and a final fade."""
        if not mix.any():
            return mix
        rng = np.random.default_rng((score.seed, 13))
        scene = Scene(score.bpm, mix.shape[1], rng, kicks_of(score))
        for effect in score.master:
            mix = apply(mix, effect, scene)
        mix = remove_dc(mix)
        lufs, most = _target(score)
        mix = compress(mix, _GLUE if lufs <= TARGET_LUFS else 1.0)
        mix = normalize(mix.astype(np.float32), lufs, most_limiting_db=most)
        fade = min(_END_FADE, mix.shape[1])
        mix[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        return np.clip(mix, -1.0, 1.0)


def _target(score: Score) -> tuple[float, float]:
    """Return the target loudness in LUFS and the largest limiting in dB."""
    lufs, most = TARGET_LUFS, 9.0
    for effect in score.master:
        if effect.name == "quiet":
            lufs, most = TARGET_LUFS - 31.0 * min(1.0, effect.amount), 0.0
        elif effect.name == "loud":
            lufs, most = TARGET_LUFS + 7.0 * min(1.0, effect.amount), 16.0
    return lufs, most


def samples_of(score: Score) -> int:
    """Return the length of a clip in samples."""
    return max(1, round(score.seconds * SAMPLE_RATE))


def timed_notes(part: Part, bpm: float, samples: int) -> list[TimedNote]:
    """Convert the notes of a part to samples, rounded to the nearest sample."""
    step = 60.0 / bpm * SAMPLE_RATE
    notes = []
    for note in part.notes:
        start = max(0, round(note.beat * step))
        if start >= samples or note.velocity <= 0:
            continue
        length = max(1, round(note.duration * step))
        notes.append(TimedNote(start, length, note.pitch, min(1.0, note.velocity)))
    return notes


def kicks_of(score: Score) -> tuple[int, ...]:
    """Return the onsets of kick drums in samples."""
    step = 60.0 / score.bpm * SAMPLE_RATE
    kicks = {
        round(note.beat * step)
        for part in _kits(score.parts)
        for note in part.notes
        if drum_of(note.pitch) == "kick"
    }
    return tuple(sorted(kicks))


def _kits(parts: Iterable[Part]) -> Iterable[Part]:
    return (part for part in parts if INSTRUMENTS[part.instrument].kind in ("kit", "synth_kit"))


def _room(score: Score) -> str:
    if score.room not in ROOMS:
        raise ValueError(f"unknown room '{score.room}'; known: {', '.join(ROOMS)}")
    return score.room


def _glide(part: Part) -> float | None:
    """Return the portamento of a part in seconds; None for the voice's own."""
    for effect in part.effects:
        if effect.name == "glide":
            return float(effect.settings.get("seconds", 0.2 * effect.amount))
    return None


def _place(part: Part) -> np.ndarray:
    """Return the gains of left and right: constant power, both 1 in the centre."""
    angle = (np.clip(part.pan, -1.0, 1.0) + 1.0) * np.pi / 4.0
    sides = np.array([np.cos(angle), np.sin(angle)]) * np.sqrt(2.0) * db_to_amplitude(part.gain_db)
    return sides.astype(np.float32)[:, None]
