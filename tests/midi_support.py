"""Standard MIDI files from bytes, so that no writer stands between a test and what it reads."""

import struct

ON, OFF, PROGRAM, CONTROL = 0x90, 0x80, 0xC0, 0xB0


def number(value: int) -> bytes:
    """A variable-length number."""
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | value & 0x7F]) + out
    return out


def meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + number(len(data)) + data


def name(text: str) -> bytes:
    return meta(3, text.encode("latin1"))


def tempo(bpm: float) -> bytes:
    return meta(0x51, round(60e6 / bpm).to_bytes(3, "big"))


def signature(upper: int, lower: int) -> bytes:
    return meta(0x58, bytes([upper, lower.bit_length() - 1, 24, 8]))


def track(*events, end: int = 0) -> bytes:
    """A track of (tick, bytes), in order, with its end at a tick or with the last event."""
    data, before = b"", 0
    for tick, content in sorted(events, key=lambda event: event[0]):
        data += number(tick - before) + content
        before = tick
    data += number(max(0, end - before)) + meta(0x2F, b"")
    return b"MTrk" + struct.pack(">I", len(data)) + data


def song(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division) + b"".join(tracks)


def notes(pitches, *, channel=0, start=0, length=480, gap=0, velocity=80):
    """Events of notes one after the other; None is a rest, a tuple a chord."""
    events = []
    for index, pitch in enumerate(pitches):
        at = start + index * length
        for one in pitch if isinstance(pitch, tuple) else (pitch,):
            if one is not None:
                events.append((at, bytes([ON | channel, one, velocity])))
                events.append((at + length - gap, bytes([OFF | channel, one, 0])))
    return sorted(events, key=lambda event: (event[0], event[1][0] & 0xF0 == ON))


def program(value: int, *, channel: int = 0) -> tuple[int, bytes]:
    return 0, bytes([PROGRAM | channel, value])


LAMB = [64, 62, 60, 62, 64, 64, 64, None, 62, 62, 62, None, 64, 67, 67, None]
CHORDS = [(48, 52, 55), (48, 52, 55), (43, 47, 50), (48, 52, 55)]
BASS = [36, 36, 31, 36]


def band(division: int = 480) -> bytes:
    """Four bars for flute, piano, bass and drums at 96 bpm in C major."""
    quarter, bar = division, 4 * division
    drums = [
        (beat * quarter, bytes([ON | 9, 36 if beat % 2 == 0 else 38, 100])) for beat in range(16)
    ]
    drums += [(tick + quarter // 4, bytes([OFF | 9, content[1], 0])) for tick, content in drums]
    return song(
        track((0, tempo(96)), (0, signature(4, 4)), (0, meta(0x59, b"\0\0"))),
        track((0, name("Tune")), program(73), *notes(LAMB, length=quarter)),
        track((0, name("Keys")), program(0, channel=1), *notes(CHORDS, channel=1, length=bar)),
        track((0, name("Low")), program(33, channel=2), *notes(BASS, channel=2, length=bar)),
        track((0, name("Kit")), *drums),
        division=division,
    )
