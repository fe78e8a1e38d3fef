"""Identifies files that libsndfile cannot read by their first bytes, for error messages."""

import struct

from jen1cli.audio.chunks import ByteFile, read_chunks

_MAGIC = (
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"0&\xb2u\x8ef\xcf\x11", "Windows Media (ASF, WMA)"),
    (b"MAC ", "Monkey's Audio (APE)"),
    (b"wvpk", "WavPack"),
    (b"TTA1", "True Audio (TTA)"),
    (b"tBaK", "TAK"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"OFR ", "OptimFROG"),
    (b"DSD ", "DSD (DSF)"),
    (b"FRM8", "DSD (DSDIFF)"),
    (b"#!AMR", "AMR"),
    (b".RMF", "RealMedia"),
    (b"MThd", "MIDI"),
    (b"FLV", "Flash video"),
    (b"\x0bw", "AC-3"),
    (b"caff", "CAF with a header or an encoding of another kind"),
    (b"riff", "W64 with a header or an encoding of another kind"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
_WAVE_CODECS = {
    0x0050: "MP2", 0x0055: "MP3", 0x0092: "AC-3 over S/PDIF", 0x00FF: "AAC", 0x0161: "WMA",
    0x0162: "WMA", 0x0163: "WMA", 0x0270: "ATRAC3", 0x1610: "AAC", 0x2000: "AC-3", 0x2001: "DTS",
    0x566F: "Vorbis", 0x674F: "Vorbis", 0x6750: "Vorbis", 0x6751: "Vorbis", 0xF1AC: "FLAC",
}  # fmt: skip
_EXTENSIBLE = 0xFFFE
_OGG_CODECS = (
    (b"\x7fFLAC", "FLAC"), (b"Speex   ", "Speex"), (b"\x80theora", "video (Theora)"),
    (b"fishead", "several streams (Skeleton)"), (b"PCM     ", "PCM"), (b"\x01video", "video"),
    (b"CELT    ", "CELT"),
)  # fmt: skip


def describe(file: ByteFile) -> str | None:
    """Name the format of an unreadable file, such as "a WAV file with MP3 inside"."""
    file.seek(0)
    start = file.read(4096)
    if start[4:8] == b"ftyp":
        return "Apple Lossless (ALAC) in MP4" if _has_alac(file) else "MP4 (M4A, AAC)"
    if start[:4] == b"OggS" and len(start) > 27:
        body = start[27 + start[26] :]
        for magic, name in _OGG_CODECS:
            if body.startswith(magic):
                return f"an OGG file with {name} inside"
    layout = read_chunks(file)
    if layout is not None and start[8:12] == b"WAVE":
        codec = wave_codec(file)
        return f"a WAV file with {codec} inside" if codec else None
    if layout is not None and start[8:12] not in (b"AIFF", b"AIFC", b"WAVE"):
        return f"{start[8:12].decode('latin-1').strip()} data in a RIFF or IFF file"
    if start[:4] == b"caff" and b"alac" in start:
        return "Apple Lossless (ALAC) in CAF"
    if len(start) > 6 and start[0] == 0xFF and start[1] & 0xF6 == 0xF0:
        return "AAC (ADTS)"
    if start[:1] == b"G" and start[188:189] == b"G":
        return "an MPEG transport stream"
    return next((name for magic, name in _MAGIC if start.startswith(magic)), None)


def wave_codec(file: ByteFile) -> str | None:
    """Name the codec of a WAV file if libsndfile lacks it; None if supported or unknown."""
    layout = read_chunks(file)
    form = next((c for c in layout.chunks if c.tag == b"fmt "), None) if layout else None
    if layout is None or form is None:
        return None
    file.seek(form.at)
    data = file.read(min(form.size, 40))
    if len(data) < 16:
        return None
    (code,) = struct.unpack_from(f"{layout.order}H", data)
    if code == _EXTENSIBLE and len(data) >= 26:
        (code,) = struct.unpack_from(f"{layout.order}H", data, 24)
    return _WAVE_CODECS.get(code)


def _has_alac(file: ByteFile) -> bool:
    """Whether an MP4 file names ALAC in its first or last MiB, where the sample description is."""
    end = file.seek(0, 2)
    for at in (0, max(0, end - (1 << 20))):
        file.seek(at)
        if b"alac" in file.read(1 << 20):
            return True
    return False
