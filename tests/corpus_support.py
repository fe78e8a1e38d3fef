"""Small scores, a small SoundFont and folders of music for the tests of the corpus."""

import struct

import numpy as np
import soundfile

from jen1cli.composition.score import Effect, Note, Part, Score

CHORDS = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))


def make_score(
    parts: str = "drums bass chords",
    *,
    seed: int = 1,
    bars: int = 2,
    bpm: float = 120.0,
    instruments: dict[str, str] | None = None,
    effects: tuple[Effect, ...] = (),
    master: tuple[Effect, ...] = (),
    room: str = "hall",
) -> Score:
    """A loop of synthesised instruments; `effects` are those of the chords."""
    names = {"drums": "kit_909", "bass": "analog_bass", "chords": "pluck", **(instruments or {})}
    made = []
    beats = np.arange(0, 4 * bars, 0.5)
    for part in parts.split():
        if part == "drums":
            notes = [Note(float(b), 0.2, 42, 0.6) for b in beats]
            notes += [Note(float(b), 0.2, 36 if b % 2 == 0 else 38, 0.9) for b in range(4 * bars)]
            made.append(Part("drums", "drums", names[part], tuple(notes), reverb=0.0))
        elif part == "bass":
            notes = [Note(float(b), 0.4, CHORDS[int(b // 4) % 4][0] - 24, 0.8) for b in beats]
            made.append(Part("bass", "bass", names[part], tuple(notes), gain_db=-2.0, reverb=0.0))
        else:
            notes = [
                Note(float(b), 0.9, p, 0.7) for b in range(4 * bars) for p in CHORDS[b // 4 % 4]
            ]
            made.append(
                Part("chords", "harmony", names[part], tuple(notes), gain_db=-4.0, effects=effects)
            )
    return Score(
        seed, "test", bpm, "4/4", "C", "major", 4.0 * bars, tuple(made), master=master, room=room
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def make_soundfont(
    *, modulator: int = 0, attenuation: int = 0, amounts: tuple[tuple[int, int], ...] = ()
) -> bytes:
    """A SoundFont with one saw-like sample: General MIDI program 0 and drum kit 0 play it.

    Args:
        modulator: cents by which velocity opens the low-pass of program 0 (which stands at 300 Hz
            then); 0 leaves it open.
        attenuation: of program 0, in tenths of a decibel.
        amounts: generators of the instrument and their amounts.
    """
    rate, period = 48_000, 100  # 480 Hz
    cycle = np.linspace(0.9, -0.9, period)
    sample = np.concatenate([np.tile(cycle, 40), np.zeros(46)])
    pcm = (sample * 30_000).astype("<i2").tobytes()
    low, linear_velocity = 6237, 0x0002

    def bags(*counts: tuple[int, int]) -> bytes:
        return b"".join(struct.pack("<HH", *count) for count in counts)

    def generators(*pairs: tuple[int, int]) -> bytes:
        return b"".join(struct.pack("<Hh", *pair) for pair in pairs)

    presets = b"".join(
        struct.pack("<20sHHHIII", name, program, bank, bag, 0, 0, 0)
        for name, program, bank, bag in ((b"Saw", 0, 0, 0), (b"Kit", 0, 128, 1), (b"EOP", 0, 0, 2))
    )
    zone = [(8, low - 13_500)] if modulator else []
    zone += [(48, attenuation)] if attenuation else []
    modulators = struct.pack("<HHhHH", linear_velocity, 8, modulator, 0, 0) if modulator else b""
    count = 1 if modulator else 0
    instrument = [*({54: 1} | dict(amounts)).items(), (53, 0)]
    tables = (
        _chunk(b"phdr", presets)
        + _chunk(b"pbag", bags((0, 0), (len(zone) + 1, count), (len(zone) + 2, count)))
        + _chunk(b"pmod", modulators + bytes(10))
        + _chunk(b"pgen", generators(*zone, (41, 0), (41, 0), (0, 0)))
        + _chunk(b"inst", struct.pack("<20sH20sH", b"Saw", 0, b"EOI", 1))
        + _chunk(b"ibag", bags((0, 0), (len(instrument), 0)))
        + _chunk(b"imod", bytes(10))
        + _chunk(b"igen", generators(*instrument, (0, 0)))
        + _chunk(
            b"shdr",
            struct.pack(
                "<20sIIIIIBbHH", b"Saw", 0, 40 * period, period, 39 * period, rate, 71, 49, 0, 1
            )
            + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
        )
    )
    information = _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"INAM", b"tests\0")
    body = (
        b"sfbk"
        + _chunk(b"LIST", b"INFO" + information)
        + _chunk(b"LIST", b"sdta" + _chunk(b"smpl", pcm))
        + _chunk(b"LIST", b"pdta" + tables)
    )
    return _chunk(b"RIFF", body)


def write_audio(path, seconds=0.25, rate=16_000, channels=1, **tags):
    """Write a short tone with tags; the format comes from the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * t)
    subtype = "PCM_16" if path.suffix in (".wav", ".flac", ".aiff") else None
    with soundfile.SoundFile(path, "w", rate, channels, subtype=subtype) as file:
        for name, value in tags.items():
            setattr(file, name, value)
        file.write(np.repeat(tone[:, None], channels, axis=1))
    return path
