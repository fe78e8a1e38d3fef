"""One self-contained HTML page to look and listen through a folder of music."""

import base64
import html
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import UInt8

from jen1cli.corpus.dsp import rfft
from jen1cli.corpus.inspect import Statistics
from jen1cli.errors import DataError
from jen1cli.files import byte_name, write_text
from jen1cli.manifest import Clip

_WIDTH, _HEIGHT = 420, 128  # pixels of a spectrogram
_FLOOR_DB = -75.0
_LOW_HZ, _HIGH_HZ = 40.0, 18_000.0
# black, violet, red, orange, white: dark to loud
_COLOURS = np.array(
    [[8, 6, 20], [66, 18, 92], [160, 40, 80], [235, 110, 40], [252, 250, 200]], np.float64
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem; background: #14131a; color: #e8e6ef }}
h1 {{ font-weight: 600 }} .facts {{ color: #a9a4b8 }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 1.4rem }}
figure {{ margin: 0; background: #1f1d28; padding: .8rem; border-radius: .5rem }}
img {{ width: 100%; image-rendering: auto; border-radius: .25rem }}
audio {{ width: 100%; height: 2rem; margin: .3rem 0 }}
h2 {{ font-size: 1rem; margin: .3rem 0 }} li {{ margin: .1rem 0 }} ul {{ padding-left: 1.1rem }}
table {{ border-collapse: collapse; display: inline-table; margin: 0 2rem 1rem 0; font-size: 13px;
 vertical-align: top }} td {{ padding: 0 .5rem 0 0 }} td + td {{ text-align: right }}
caption {{ text-align: left; color: #a9a4b8 }} summary {{ cursor: pointer; margin-bottom: 1rem }}
</style></head><body>
<h1>{title}</h1><p class="facts">{facts}</p>
<details><summary>Counts</summary>{tables}</details>
<main>
{figures}
</main></body></html>
"""


def write(
    path: Path,
    title: str,
    statistics: Statistics,
    clips: Sequence[Clip],
    seconds: float,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    overwrite: bool = True,
) -> None:
    """Write the page: counts, and for each clip a spectrogram, a player and the captions.

    Args:
        path: of the HTML file.
        title: heading.
        statistics: of the whole folder.
        clips: to show.
        seconds: length of the players, from the middle of each clip.
        progress: told after every clip (done, total).
        overwrite: whether a file of this name is replaced.
    """
    figures = []
    for number, clip in enumerate(clips, 1):
        figures.append(_figure(clip, seconds))
        progress(number, len(clips))
    facts = (
        f"{statistics.clips} clips, {statistics.hours:.2f} hours, {statistics.vocabulary} "
        f"different words in {statistics.captions} captions"
    )
    page = _PAGE.format(
        title=html.escape(title),
        facts=facts,
        tables="".join(_table(name, counts) for name, counts in statistics.tables.items()),
        figures="\n".join(figures),
    )
    write_text(path, page, overwrite=overwrite)


def _table(name: str, counts: dict[str, int]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(key)}</td><td>{count}</td></tr>" for key, count in counts.items()
    )
    return f"<table><caption>{html.escape(name)}</caption>{rows}</table>"


def _figure(clip: Clip, seconds: float) -> str:
    sound, rate = _read(clip)
    image = base64.b64encode(png(spectrogram(sound, rate))).decode()
    start = max(0, (len(sound) - int(seconds * rate)) // 2)
    player = base64.b64encode(_ogg(sound[start : start + int(seconds * rate)], rate)).decode()
    facts = clip.attributes
    words = [facts.get("style"), f"{facts['bpm']:g} bpm" if facts.get("bpm") else "",
             f"{facts.get('key') or ''} {facts.get('mode') or ''}".strip(), facts.get("meter"),
             f"{clip.seconds:.1f} s", clip.split, clip.path.name]  # fmt: skip
    captions = "".join(f"<li>{html.escape(caption)}</li>" for caption in clip.captions)
    return (
        f"<figure><h2>{html.escape(' · '.join(str(word) for word in words if word))}</h2>"
        f'<img alt="spectrogram" src="data:image/png;base64,{image}">'
        f'<audio controls preload="none" src="data:audio/ogg;base64,{player}"></audio>'
        f"<ul>{captions}</ul></figure>"
    )


def _read(clip: Clip) -> tuple[np.ndarray, int]:
    try:
        source = clip.source
        name = byte_name(source) if isinstance(source, Path) else source
        return soundfile.read(name, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise DataError(
            f"'{clip.path}' cannot be read ({error}); remove it and run again"
        ) from error


def _ogg(sound: np.ndarray, rate: int) -> bytes:
    target = io.BytesIO()
    with soundfile.SoundFile(
        target, "w", rate, sound.shape[1], format="OGG", subtype="VORBIS", compression_level=0.7
    ) as file:
        for start in range(0, len(sound), rate):  # long blocks overflow the encoder's stack
            file.write(sound[start : start + rate])
    return target.getvalue()


def spectrogram(sound: np.ndarray, rate: int) -> UInt8[np.ndarray, "height width 3"]:
    """Draw a sound [samples, channels]: logarithmic pitch upwards, 75 dB of colour."""
    mono = sound.mean(axis=1)
    size = 2048
    padded = np.pad(mono, size // 2)
    centres = np.linspace(0, max(0, len(padded) - size), _WIDTH).astype(int)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, size)[centres] * np.hanning(size)
    power = np.square(np.abs(rfft(blocks.astype(np.float32))))
    hertz = np.geomspace(_LOW_HZ, min(_HIGH_HZ, rate / 2.1), _HEIGHT + 1)
    edges = hertz * size / rate
    total = np.concatenate([np.zeros((_WIDTH, 1)), np.cumsum(power, axis=1)], axis=1)
    bins = np.arange(total.shape[1])
    lifted = np.stack([np.interp(edges, bins, row) for row in total])
    level = 10.0 * np.log10(np.diff(lifted, axis=1) + 1e-12)
    shade = (
        np.clip((level - level.max()) / -_FLOOR_DB + 1.0, 0.0, 1.0) if power.any() else level * 0
    )
    steps = np.linspace(0.0, 1.0, len(_COLOURS))
    image = np.stack([np.interp(shade, steps, _COLOURS[:, c]) for c in range(3)], axis=-1)
    return image.transpose(1, 0, 2)[::-1].round().astype(np.uint8)


def png(image: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Encode an image as PNG: eight bits a colour, no filter."""
    height, width, _ = image.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
