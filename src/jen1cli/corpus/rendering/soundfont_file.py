"""Reads SoundFont files (.sf2, .sf3) as presets of regions: samples with their parameters.

Follows the SoundFont 2.04 specification. Generator numbers are those of its section 8.1.2;
modulators are first converted to generators (`jen1cli.corpus.rendering.modulators`).
"""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from jen1cli.corpus.rendering.modulators import chunks, find_list, freeze_modulators
from jen1cli.corpus.rendering.stereo import Mono
from jen1cli.errors import DataError

Generators = Mapping[int, int]
Zone = dict[int, int]

_INSTRUMENT, _KEYS, _VELOCITIES, _SAMPLE, _LOOP_MODE, _ROOT = 41, 43, 44, 53, 54, 58
_DEFAULTS = {8: 13_500, _ROOT: -1, 56: 100} | dict.fromkeys(
    (21, 23, 25, 26, 27, 28, 30, 33, 34, 35, 36, 38), -12_000
)
_RANGES = {  # smallest and largest sum of the instrument's and the preset's amount
    5: (-12_000, 12_000), 6: (-12_000, 12_000), 7: (-12_000, 12_000), 8: (1500, 13_500),
    9: (0, 960), 10: (-12_000, 12_000), 11: (-12_000, 12_000), 13: (-960, 960), 17: (-500, 500),
    21: (-12_000, 5000), 22: (-16_000, 4500), 23: (-12_000, 5000), 24: (-16_000, 4500),
    25: (-12_000, 5000), 26: (-12_000, 8000), 27: (-12_000, 5000), 28: (-12_000, 8000),
    29: (0, 1000), 30: (-12_000, 8000), 31: (-1200, 1200), 32: (-1200, 1200),
    33: (-12_000, 5000), 34: (-12_000, 8000), 35: (-12_000, 5000), 36: (-12_000, 8000),
    37: (0, 1440), 38: (-12_000, 8000), 39: (-1200, 1200), 40: (-1200, 1200), 48: (0, 1440),
    51: (-120, 120), 52: (-99, 99), 56: (0, 1200),
}  # fmt: skip
_SHORTEST = -11_950  # timecents; shorter times are zero
_COMPRESSED = 0x10  # bit of a sample's type: Ogg Vorbis, used by .sf3
_FULL_SCALE = 32_768.0


@dataclass(frozen=True)
class VolumeEnvelope:
    """Delay, attack, hold, decay, sustain and release of a note on one key, in seconds."""

    delay: float
    attack: float
    hold: float
    decay: float  # time to the floor of the envelope, not to the sustain level
    sustain: float  # amplitude (volume envelope) or level (modulation envelope)
    release: float


@dataclass(frozen=True)
class Oscillator:
    """A low-frequency oscillator: a triangle wave that starts at 0 and rises."""

    delay: float  # seconds
    hertz: float


@dataclass(frozen=True)
class Sample:
    """Position of a sample in the file, its loop and its pitch."""

    start: int  # offset in the sample pool: 16-bit words, or bytes if compressed
    end: int
    loop_start: int  # samples from the start of this sample
    loop_end: int
    rate: int  # Hz
    root: int  # MIDI number
    correction: int  # cents
    is_compressed: bool


@dataclass(frozen=True, eq=False)  # hashed by identity, as a cache key
class Region:
    """One sample over a range of keys and velocities, with its generator amounts."""

    sample: Sample
    amounts: Mapping[int, int]

    def plays(self, key: int, velocity: int) -> bool:
        """Whether the region sounds for a key at a MIDI velocity."""
        return _inside(self.amounts.get(_KEYS), key) and _inside(
            self.amounts.get(_VELOCITIES), velocity
        )

    def amount(self, generator: int) -> int:
        """Return the amount of a generator, 0 if it is not set."""
        return self.amounts.get(generator, 0)

    @property
    def group(self) -> int:
        """Exclusive class: a new note ends the other notes of its class; 0 is none."""
        return self.amount(57)

    @property
    def bounds(self) -> tuple[int, int]:
        """Offsets of the sample's start and end in sample points."""
        return self.amount(0) + (self.amount(4) << 15), self.amount(1) + (self.amount(12) << 15)

    @property
    def loop(self) -> tuple[int, int] | None:
        """First sample of the loop and the one after its last; None without a loop."""
        if self.amount(_LOOP_MODE) & 3 not in (1, 3):
            return None
        start = self.sample.loop_start + self.amount(2) + (self.amount(45) << 15)
        end = self.sample.loop_end + self.amount(3) + (self.amount(50) << 15)
        return (start, end) if 0 <= start < end else None

    @property
    def leaves_loop(self) -> bool:
        """Whether the sample leaves its loop and plays to its end after the key is released."""
        return self.amount(_LOOP_MODE) & 3 == 3

    def cents(self, key: int) -> int:
        """Return the transposition of the sample for a key, in cents."""
        root = self.amount(_ROOT)
        root = self.sample.root if root < 0 else root
        tuning = 100 * self.amount(51) + self.amount(52) + self.sample.correction
        return (key - root) * self.amount(56) + tuning

    def volume_envelope(self, key: int) -> VolumeEnvelope:
        """Return the volume envelope for a key."""
        sustain = 10.0 ** (-self.amount(37) / 200.0)
        return self._envelope(33, key, sustain if self.amount(37) < 1000 else 0.0)

    def modulation_envelope(self, key: int) -> VolumeEnvelope:
        """Return the modulation envelope (of pitch and filter) for a key."""
        return self._envelope(25, key, 1.0 - self.amount(29) / 1000.0)

    def _envelope(self, first: int, key: int, sustain: float) -> VolumeEnvelope:
        hold, decay = (
            self.amount(first + i) + self.amount(first + i + 4) * (60 - key) for i in (2, 3)
        )
        return VolumeEnvelope(
            _seconds(self.amount(first)),
            _seconds(self.amount(first + 1)),
            _seconds(hold),
            _seconds(decay),
            sustain,
            _seconds(self.amount(first + 5)),
        )

    def oscillator(self, first: int) -> Oscillator:
        """Return the modulation LFO (`first` = 21) or the vibrato LFO (23)."""
        hertz = 8.176 * 2.0 ** (self.amount(first + 1) / 1200.0)
        return Oscillator(_seconds(self.amount(first)), hertz)


def _seconds(timecents: int) -> float:
    return 0.0 if timecents < _SHORTEST else 2.0 ** (timecents / 1200.0)


def _inside(span: int | None, value: int) -> bool:
    return span is None or span & 0xFF <= value <= span >> 8 & 0xFF


class SoundFontFile:
    """The presets of a file; samples are decoded on first use."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            DataError: the file is not a complete SoundFont.
        """
        try:
            font = freeze_modulators(path.read_bytes())
            places = _places(font, b"pdta")
            tables = {name: font[at : at + size] for name, (at, size) in places.items()}
            at, size = _places(font, b"sdta")[b"smpl"]
            samples = [
                Sample(*_read_sample(row)) for row in _rows("<20sIIIIIBbHH", tables[b"shdr"])
            ]
            self.presets = _read_presets(tables, _read_instruments(tables), samples)
        except (KeyError, IndexError, struct.error) as error:
            raise DataError(f"not a whole SoundFont: {type(error).__name__} {error}") from error
        self._path = path
        self._pool = memoryview(font)[at : at + size]
        self.decode = lru_cache(maxsize=None)(self._decode)

    def _decode(self, sample: Sample) -> Mono:
        """Return the samples at their own rate, with full scale 1.

        Raises:
            DataError: the compressed samples are damaged.
        """
        if sample.is_compressed:
            data = self._pool[sample.start : sample.end]
            try:
                sound, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise DataError(
                    f"a sample of '{self._path}' cannot be decoded; "
                    "give --soundfont another .sf2 or .sf3 file"
                ) from error
            return sound[:, 0].copy()
        data = self._pool[2 * sample.start : 2 * sample.end]
        whole = data[: len(data) // 2 * 2]
        return np.frombuffer(whole, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)


@dataclass(frozen=True, eq=False)  # hashed by identity, as a cache key
class Preset:
    """A preset (program): its name and its regions."""

    name: str
    regions: tuple[Region, ...]

    @lru_cache(maxsize=2048)  # noqa: B019 - a font lives as long as its process
    def sounding(self, key: int, velocity: int) -> tuple[Region, ...]:
        """Return the regions that sound for a key at a MIDI velocity."""
        return tuple(region for region in self.regions if region.plays(key, velocity))


def _places(font: bytes, kind: bytes) -> dict[bytes, tuple[int, int]]:
    """Return (offset, size) of the chunks of a list, by name."""
    start, size = find_list(font, 12, len(font), kind)
    return {name: (at, n) for name, at, n in chunks(font, start + 12, start + 8 + size)}


def _rows(layout: str, table: bytes) -> list[tuple]:
    return list(struct.iter_unpack(layout, table))


def _read_sample(row: tuple) -> tuple:
    _, start, end, loop_start, loop_end, rate, root, correction, _, kind = row
    is_compressed = bool(kind & _COMPRESSED)
    shift = 0 if is_compressed else start
    root = root if root <= 127 else 60
    return start, end, loop_start - shift, loop_end - shift, rate, root, correction, is_compressed


def _read_zones(
    bags: Sequence[tuple], generators: Sequence[tuple], first: int, end: int, last: int
) -> Iterator[Zone]:
    """Yield the zones, each with the values of the global zone as defaults.

    The global zone is the first one if it lacks the generator `last`.
    """
    shared: Zone = {}
    for bag in range(first, end):
        zone = dict(generators[bags[bag][0] : bags[bag + 1][0]])
        if last in zone:
            yield shared | zone
        elif bag == first:
            shared = zone


def _read_instruments(tables: Mapping[bytes, bytes]) -> list[list[Zone]]:
    headers = _rows("<20sH", tables[b"inst"])
    bags, generators = _rows("<HH", tables[b"ibag"]), _rows("<Hh", tables[b"igen"])
    return [
        list(_read_zones(bags, generators, header[1], headers[i + 1][1], _SAMPLE))
        for i, header in enumerate(headers[:-1])
    ]


def _read_presets(
    tables: Mapping[bytes, bytes], instruments: list[list[Zone]], samples: list[Sample]
) -> dict[tuple[int, int], Preset]:
    """Return the presets by (bank, program)."""
    headers = _rows("<20sHHHIII", tables[b"phdr"])
    bags, generators = _rows("<HH", tables[b"pbag"]), _rows("<Hh", tables[b"pgen"])
    presets: dict[tuple[int, int], Preset] = {}
    for i, (name, program, bank, first, *_) in enumerate(headers[:-1]):
        regions = [
            Region(samples[inner[_SAMPLE] & 0xFFFF], _complete(merged))
            for outer in _read_zones(bags, generators, first, headers[i + 1][3], _INSTRUMENT)
            for inner in instruments[outer[_INSTRUMENT] & 0xFFFF]
            if (merged := _merge(inner, outer)) is not None
        ]
        title = name.partition(b"\0")[0].decode("latin-1").strip()
        presets.setdefault((bank, program), Preset(title, tuple(regions)))
    return presets


def _merge(inner: Zone, outer: Zone) -> Zone | None:
    """Add the amounts of a preset zone to an instrument zone; None if their ranges are disjoint."""
    merged = dict(inner)
    for generator, amount in outer.items():
        if generator in (_KEYS, _VELOCITIES):
            span = _meet(inner.get(generator), amount)
            if span is None:
                return None
            merged[generator] = span
        elif generator not in (_INSTRUMENT, _SAMPLE, _LOOP_MODE, _ROOT, 57):
            merged[generator] = merged.get(generator, _DEFAULTS.get(generator, 0)) + amount
    return merged


def _complete(zone: Zone) -> Zone:
    """Fill in default amounts, and clip every amount to its valid range."""
    made = _DEFAULTS | zone
    for generator, (low, high) in _RANGES.items():
        if generator in made:
            made[generator] = max(low, min(high, made[generator]))
    return made


def _meet(inner: int | None, outer: int) -> int | None:
    if inner is None:
        return outer
    low, high = max(inner & 0xFF, outer & 0xFF), min(inner >> 8 & 0xFF, outer >> 8 & 0xFF)
    return low | high << 8 if low <= high else None
