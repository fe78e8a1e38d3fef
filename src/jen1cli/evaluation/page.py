"""One self-contained HTML page of a report: tables, bars, players and spectrograms.

Everything is inside the file: sound as OGG, pictures as PNG, no script, nothing from the net.
"""

import base64
import html
import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from jen1cli import audio
from jen1cli.audio import FileFormat, Signal
from jen1cli.errors import AudioError
from jen1cli.evaluation.plots import plot
from jen1cli.files import write_text

if TYPE_CHECKING:
    from jen1cli.evaluation.report import Report, Sample, Table

SAMPLE_SECONDS = 12.0
_HEIGHT, _WIDTH = 128, 480
_FLOOR_DB = -80.0
_LOW_HZ, _HIGH_HZ = 40.0, 18_000.0
_COLOURS = np.array(
    [[5, 8, 18], [18, 52, 86], [22, 120, 128], [146, 190, 98], [252, 244, 190]], np.float64
)
STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-weight: 600 } h2 { font-weight: 600; margin-top: 2.2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top }
th { font-weight: 600; border-bottom: 1px solid #8886 } td { border-bottom: 1px solid #8882 }
.note, .facts { opacity: .75 } .warn { border-left: .3rem solid #c70; padding-left: .7rem }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: 1.2rem }
figure { margin: 0 } figure img { width: 100%; border-radius: .3rem } audio { width: 100% }
figcaption { font-weight: 600 } ul { padding-left: 1.1rem; margin: .2rem 0 } svg { margin: .6rem 0 }
.plot { overflow-x: auto } .seen { position: relative } .seen img { display: block }
.seen i { position: absolute; top: 0; bottom: 0; border-left: 2px dashed #fff }
"""


def write_page(path: Path, report: "Report") -> Path:
    """Write the page of a report."""
    parts = [f"<h1>jen1 evaluate {html.escape(report.kind)}</h1>"]
    settings = ", ".join(
        f"{key} {' '.join(value) if isinstance(value, tuple) else value}"
        for key, value in report.settings.items()
        if value not in ({}, None)
    )
    listeners = ", ".join(f"{name} {text[:12]}" for name, text in report.listeners.items())
    parts.append(f'<p class="facts">{html.escape(settings)}</p>')
    if listeners:
        parts.append(f'<p class="facts">heard by: {html.escape(listeners)}</p>')
    if report.warnings:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in report.warnings)
        parts.append(f'<ul class="warn">{lines}</ul>')
    parts += [_table(table) for table in report.tables]
    parts += [_left_out(audit) for audit in report.audits if audit["problems"]]
    figures = [figure for sample in report.samples if (figure := _figure(sample))]
    if figures:
        parts.append(f"<h2>Listen</h2><main>{''.join(figures)}</main>")
    return write_text(path, document(f"jen1 evaluate {report.kind}", "\n".join(parts)))


def document(title: str, body: str, extra_style: str = "", script: str = "") -> str:
    """Wrap a body as a whole HTML document."""
    code = f"<script>{script}</script>" if script else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}{extra_style}</style></head><body>\n{body}\n{code}</body></html>\n"
    )


def _table(table: "Table") -> str:
    from jen1cli.evaluation.report import shown

    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(shown(c, table.unit))}</td>" for c in row) + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{html.escape(table.note)}</p>' if table.note else ""
    title = html.escape(table.title)
    drawn = f'<div class="plot">{plot(table)}</div>'
    return f"<h2>{title}</h2>{drawn}<table><tr>{head}</tr>{rows}</table>{note}"


def _left_out(audit: dict[str, Any]) -> str:
    """Name every clip that something was wrong with."""
    lines = "".join(
        f"<li>{html.escape(problem)} ({len(names)}): {html.escape(', '.join(names))}</li>"
        for problem, names in audit["problems"].items()
    )
    title = f"{audit['folder']}: {audit['used']} of {audit['clips']} clips count"
    return f"<h2>{html.escape(title)}</h2><ul>{lines}</ul>"


def _figure(sample: "Sample") -> str:
    try:
        rate = audio.probe(sample.path).sample_rate
        stop = min(audio.probe(sample.path).samples, round(SAMPLE_SECONDS * rate))
        signal = audio.read(sample.path, 0, stop)
    except AudioError:
        return ""
    remarks = "".join(f"<li>{html.escape(line)}</li>" for line in sample.remarks)
    shares = [mark * rate / max(1, signal.shape[1]) for mark in sample.marks]
    marks = "".join(f'<i style="left:{100 * share:.2f}%"></i>' for share in shares if share < 1)
    return (
        f"<figure><figcaption>{html.escape(sample.title)}</figcaption>"
        f'<div class="seen"><img alt="spectrogram" '
        f'src="{data_uri(spectrogram(signal, rate), "image/png")}">{marks}</div>'
        f'<audio controls preload="none" src="{data_uri(as_ogg(signal, rate), "audio/ogg")}">'
        f"</audio><ul>{remarks}</ul></figure>"
    )


def data_uri(content: bytes, kind: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def as_ogg(signal: Signal, sample_rate: int) -> bytes:
    """Encode a signal as OGG Vorbis, faded out over 20 ms."""
    fade = min(signal.shape[1], sample_rate // 50)
    shaped = signal.copy()
    shaped[:, signal.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    target = io.BytesIO()
    frames = np.clip(shaped.T, -1, 1).astype(np.float32)
    blocks = (frames[at : at + 65_536] for at in range(0, len(frames), 65_536))
    audio.write_blocks(target, blocks, sample_rate, len(signal), FileFormat("OGG", "VORBIS"))
    return target.getvalue()


def spectrogram(signal: Signal, sample_rate: int) -> bytes:
    """Return a PNG of a signal's spectrogram, frequency on a logarithmic axis."""
    mono = signal.mean(axis=0)
    window = 2048
    if len(mono) < 2 * window:
        mono = np.pad(mono, (0, 2 * window - len(mono)))
    starts = np.linspace(0, len(mono) - window, _WIDTH).astype(int)
    frames = np.stack([mono[start : start + window] for start in starts]) * np.hanning(window)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1))) / np.square(np.hanning(window).sum() / 2)
    top = min(_HIGH_HZ, 0.98 * sample_rate / 2)
    edges = np.geomspace(_LOW_HZ, top, _HEIGHT + 1) * window / sample_rate
    cumulative = np.concatenate((np.zeros((_WIDTH, 1)), np.cumsum(power, axis=1)), axis=1)
    places = np.arange(cumulative.shape[1], dtype=np.float64)
    sums = np.stack([np.interp(edges, places, row) for row in cumulative])
    mean = np.diff(sums, axis=1) / np.diff(edges)
    decibels = 10 * np.log10(mean + 1e-12)
    share = ((decibels - _FLOOR_DB) / -_FLOOR_DB).clip(0, 1).T[::-1]
    return png(_coloured(share))


def _coloured(share: Float[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width rgb"]:
    stops = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(share, stops, _COLOURS[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def png(pixels: UInt8[np.ndarray, "height width rgb"]) -> bytes:
    """Encode pixels as PNG."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
