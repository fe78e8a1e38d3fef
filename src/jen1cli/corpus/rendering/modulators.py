"""Converts SoundFont modulators to generators in the zones of the font.

The sampler does not support modulators. In fonts that use them a piano would be played through a
low-pass of 300 Hz at every velocity. So each preset zone whose filter depends on velocity or key is
split into bands of both, and the values of its modulators at the centre of a band become plain
generators. Attenuations are scaled by 0.4, as in the players that fonts are designed for.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log10
from typing import Any

from jen1cli.errors import DataError

_FILTER, _ENVELOPE_TO_FILTER = 8, 11  # generators: cutoff, envelope to cutoff; in cents
_INSTRUMENT, _KEYS, _VELOCITIES, _ATTENUATION = 41, 43, 44, 48
_FROZEN = (_FILTER, _ENVELOPE_TO_FILTER)
_VELOCITY, _KEY = 2, 3  # modulator sources
_ATTENUATION_SCALE = 0.4
_VELOCITY_BANDS, _KEY_BANDS = 8, 6
_LIMIT = 12_000  # largest amount of a resulting generator, cents

Range = tuple[int, int]


@dataclass(frozen=True)
class _Modulator:
    source: int
    target: int
    amount: int
    second: int

    def value(self, key: int, velocity: int) -> float | None:
        """Return the value at a key and velocity; None if it depends on another source."""
        first = _read_source(self.source, key, velocity)
        second = 1.0 if self.second == 0 else _read_source(self.second, key, velocity)
        return None if first is None or second is None else self.amount * first * second


def _read_source(bits: int, key: int, velocity: int) -> float | None:
    """Return the value of a modulator's source (SoundFont 2.04, section 8.2)."""
    inputs = {_VELOCITY: velocity, _KEY: key}
    if bits & 0x80 or (bits & 0x7F) not in inputs:
        return None
    x = inputs[bits & 0x7F] / 127.0
    x = 1.0 - x if bits & 0x100 else x
    is_bipolar, kind = bool(bits & 0x200), bits >> 10
    if kind == 0:
        return 2.0 * x - 1.0 if is_bipolar else x
    if is_bipolar:
        sign = 1.0 if x >= 0.5 else -1.0
        return sign * _curve(kind, abs(2.0 * x - 1.0))
    return _curve(kind, x)


def _curve(kind: int, x: float) -> float:
    """Map a value of 0 to 1 by a curve: kind 1 concave, 2 convex, 3 switch."""
    if kind == 1:
        return 1.0 - _curve(2, 1.0 - x)
    if kind == 2:
        return _convex(x)
    return 1.0 if x >= 0.5 else 0.0


def _convex(x: float) -> float:
    """Return the convex curve of the standard: a square law in decibels."""
    return min(1.0, 1.0 + 40.0 / 96.0 * log10(x)) if x > 0.004 else 0.0


def freeze_modulators(font: bytes) -> bytes:
    """Return a font (.sf2 or .sf3) in which generators replace the modulators of the filter.

    Raises:
        DataError: the file is not a SoundFont.
    """
    if font[:4] != b"RIFF" or font[8:12] != b"sfbk":
        raise DataError("not a SoundFont: it does not start with RIFF and sfbk")
    start, size = find_list(font, 12, len(font), b"pdta")
    tables = {name: font[at : at + n] for name, at, n in chunks(font, start + 12, start + 8 + size)}
    missing = [n for n in (b"phdr", b"pbag", b"pmod", b"pgen", b"igen") if n not in tables]
    if missing:
        raise DataError(f"not a whole SoundFont: it lacks the table {missing[0].decode()}")
    _freeze_presets(tables)
    tables[b"igen"] = _pack("<Hh", _scale(tables[b"igen"]))
    body = b"pdta" + b"".join(
        name + struct.pack("<I", len(data)) + data for name, data in tables.items()
    )
    rest = font[start + 8 + size :]
    made = font[:start] + b"LIST" + struct.pack("<I", len(body)) + body + rest
    return b"RIFF" + struct.pack("<I", len(made) - 8) + made[8:]


def chunks(font: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset, size) of the chunks in [start, end); padding bytes may be missing."""
    while start + 8 <= end:
        name, size = font[start : start + 4], struct.unpack_from("<I", font, start + 4)[0]
        yield name, start + 8, size
        start += 8 + size
        if size % 2 and font[start : start + 1] == b"\0":
            start += 1


def find_list(font: bytes, start: int, end: int, kind: bytes) -> tuple[int, int]:
    """Return the offset and size of the list of a kind."""
    for name, at, size in chunks(font, start, end):
        if name == b"LIST" and font[at : at + 4] == kind:
            return at - 8, size
    raise DataError(f"not a whole SoundFont: it lacks the list {kind.decode()}")


def _pack(layout: str, records: Iterable[tuple[Any, ...]]) -> bytes:
    return b"".join(struct.pack(layout, *record) for record in records)


def _scale(table: bytes) -> list[tuple[int, int]]:
    """Read generators (kind, amount) and scale the attenuations."""
    return [
        (kind, round(amount * _ATTENUATION_SCALE) if kind == _ATTENUATION else amount)
        for kind, amount in struct.iter_unpack("<Hh", table)
    ]


def _freeze_presets(tables: dict[bytes, bytes]) -> None:
    """Rewrite presets, their zones and generators in place."""
    headers = list(struct.iter_unpack("<20sHHHIII", tables[b"phdr"]))
    bags = list(struct.iter_unpack("<HH", tables[b"pbag"]))
    generators = _scale(tables[b"pgen"])
    modulators = list(struct.iter_unpack("<HHhHH", tables[b"pmod"]))
    new_headers, new_bags, new_generators = [], [], []
    for number, header in enumerate(headers):
        new_headers.append((*header[:3], len(new_bags), *header[4:]))
        if number + 1 == len(headers):
            break
        shared: tuple[dict[int, int], list[_Modulator]] = ({}, [])
        for bag in range(header[3], headers[number + 1][3]):
            zone = dict(generators[bags[bag][0] : bags[bag + 1][0]])
            found = [_Modulator(*m[:4]) for m in modulators[bags[bag][1] : bags[bag + 1][1]]]
            if _INSTRUMENT not in zone:
                shared = (zone, found)
            for part in _split(zone, _override(shared[1], found), shared[0]):
                new_bags.append((len(new_generators), 0))
                new_generators += part
    new_bags.append((len(new_generators), 0))
    new_generators.append((0, 0))
    tables[b"phdr"] = _pack("<20sHHHIII", new_headers)
    tables[b"pbag"] = _pack("<HH", new_bags)
    tables[b"pgen"] = _pack("<Hh", new_generators)


def _override(shared: list[_Modulator], own: list[_Modulator]) -> list[_Modulator]:
    """Return a zone's own modulators, and the shared ones that they do not override.

    Only modulators of the filter that depend on key and velocity alone are returned.
    """
    alike = {(m.source, m.target, m.second) for m in own}
    rest = [m for m in shared if (m.source, m.target, m.second) not in alike]
    return [m for m in own + rest if m.target in _FROZEN and m.value(60, 64) is not None]


def _split(
    zone: Mapping[int, int], modulators: list[_Modulator], shared: Mapping[int, int]
) -> Iterator[list[tuple[int, int]]]:
    """Yield the generators of each zone that replaces a zone."""
    if _INSTRUMENT not in zone or not modulators:
        yield _ordered(zone)
        return
    sources = {bits & 0x7F for m in modulators for bits in (m.source, m.second) if bits}
    keys, velocities = _range(zone.get(_KEYS)), _range(zone.get(_VELOCITIES))
    for low_key, high_key in _bands(keys, _KEY_BANDS if _KEY in sources else 1):
        for low, high in _bands(velocities, _VELOCITY_BANDS if _VELOCITY in sources else 1):
            made = dict(zone)
            made[_KEYS], made[_VELOCITIES] = _signed(low_key, high_key), _signed(low, high)
            for target in _FROZEN:
                values = [
                    m.value((low_key + high_key) // 2, (low + high) // 2) or 0.0
                    for m in modulators
                    if m.target == target
                ]
                if values:
                    base = zone.get(target, shared.get(target, 0))
                    made[target] = max(-_LIMIT, min(_LIMIT, round(base + sum(values))))
            yield _ordered(made)


def _range(amount: int | None) -> Range:
    if amount is None:
        return 0, 127
    return amount & 0xFF, (amount >> 8) & 0xFF


def _signed(low: int, high: int) -> int:
    return low | high << 8  # both are at most 127, so it fits a signed 16-bit integer


def _bands(limits: Range, count: int) -> Iterator[Range]:
    """Divide a range at the borders of `count` equal bands of 0 to 127."""
    for band in range(count):
        low = max(limits[0], 128 * band // count)
        high = min(limits[1], 128 * (band + 1) // count - 1)
        if low <= high:
            yield low, high


def _ordered(zone: Mapping[int, int]) -> list[tuple[int, int]]:
    """Put ranges first and the instrument last, as the standard requires."""
    order = {_KEYS: -2, _VELOCITIES: -1, _INSTRUMENT: 1000}
    return sorted(zone.items(), key=lambda item: order.get(item[0], item[0]))
