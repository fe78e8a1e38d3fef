"""Files with chunks and tags, and what an edit of them keeps."""

import contextlib
import logging
import struct

import numpy as np
import soundfile

from jen1cli import audio
from jen1cli.audio import Patch
from jen1cli.audio.chunks import read_chunks
from jen1cli.audio.metadata import read_metadata

RATE = 48_000
LEAD = 24_000  # samples inserted on the left
RECIPE = '{"generator":"jen1cli","prompt":"lofi"}'
TITLE = "Žluťoučký kůň 日本"
TEXTS = (
    ("TITLE", TITLE), ("ARTIST", "Björk"), ("ARTIST", "Ana"), ("COMPOSER", "Me"),
    ("LYRICS", "la\nla"), ("COMMENT", "mine"), ("DATE", "2024"), ("TRACKNUMBER", "3/9"),
    ("REPLAYGAIN_TRACK_GAIN", "-6.50 dB"), ("MY FIELD", "x=y"),
)  # fmt: skip


def picture(image=b"\x89PNG\r\n\x1a\nnot really", mime=b"image/png"):
    head = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">I", 5) + b"Cover"
    return head + struct.pack(">5I", 0, 0, 0, 0, len(image)) + image


def chunk(tag, data, order="<"):
    return struct.pack(f"{order}4sI", tag, len(data)) + data + b"\0" * (len(data) % 2)


def with_chunks(path, signal, early=b"", late=b""):
    """Write a WAV or AIFF file with chunks in front of its sound and behind it."""
    soundfile.write(path, signal.T, RATE, subtype="PCM_16")
    data = path.read_bytes()
    order, tag = (">", b"SSND") if data[:4] == b"FORM" else ("<", b"data")
    at = data.index(tag)
    data = data[:at] + early + data[at:] + late
    path.write_bytes(data[:4] + struct.pack(f"{order}I", len(data) - 8) + data[8:])
    return path


def chunks_of(path):
    with path.open("rb") as file:
        layout = read_chunks(file)
        found = {}
        for part in layout.chunks:
            file.seek(part.at)
            data = file.read(part.size)
            found[part.tag + (data[:4] if part.tag == b"LIST" else b"")] = data
        return found


def metadata_of(path):
    with path.open("rb") as file:
        return read_metadata(file, audio.probe(path).format)


def tagged(path, signal, metadata, recipe=None):
    """Write a file with this metadata."""
    format_, subtype = audio.choose_format(path)
    kind = audio.FileFormat(format_, subtype, recipe, metadata)
    frames = [audio.writing.encoded(signal, subtype)]
    audio.write_blocks(path, frames, RATE, len(signal), kind)
    return path


def edit(source, target, lead=0, tail=0, recipe=RECIPE):
    """Insert silence on the left, or append some, and return what was said to be lost."""
    channels, length = audio.probe(source).channels, audio.probe(source).samples
    patches = []
    if lead:
        patches.append(Patch(0, np.zeros((channels, lead), np.float32), insert=True))
    if tail:
        silence = np.zeros((channels, tail), np.float32)
        patches.append(Patch(length + lead, silence, insert=True))
    with recorded() as said:
        audio.write_spliced(target, source, patches, recipe=recipe)
    return " ".join(said)


@contextlib.contextmanager
def recorded():
    """Yield the lines that the library logs."""
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("jen1cli")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
