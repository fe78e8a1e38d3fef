"""Self-contained HTML pages from the jinja2 templates in `pages/templates`.

Sounds and images are embedded as data URIs. Autoescape is on in every template, so that prompts,
file names and settings cannot inject HTML; control characters in them become U+FFFD.
"""

import base64
import io
from functools import lru_cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jen1cli import audio
from jen1cli.audio import FileFormat, Signal

BLOCK = 65_536  # samples; longer blocks overflow the Vorbis encoder's stack

_CONTROLS = {
    *range(0x20), *range(0x7F, 0xA0),
    *range(0x202A, 0x202F), *range(0x2066, 0x206A),  # reverse the order of the text after them
    *range(0xD800, 0xE000),  # halves of surrogate pairs, which UTF-8 cannot hold
} - {ord("\n"), ord("\t")}  # fmt: skip
_SHOWN = dict.fromkeys(_CONTROLS, "\ufffd")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("jen1cli.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: object) -> str:
    """Fill in a template of `pages/templates`; every value is escaped."""
    return _environment().get_template(template).render(values)


def _without_controls(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = str(value).translate(_SHOWN)
    return Markup(shown) if isinstance(value, Markup) else shown


def data_uri(content: bytes, kind: str) -> str:
    """Return content of a media type (`kind`, such as "image/png") as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def sound_uri(signal: Signal, sample_rate: int) -> str:
    """Return a signal [channels, samples] as a data URI: OGG Vorbis, faded out over 20 ms."""
    fade = min(signal.shape[1], sample_rate // 50)
    shaped = signal.copy()
    shaped[:, signal.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    frames = np.clip(shaped.T, -1, 1).astype(np.float32)
    blocks = (frames[at : at + BLOCK] for at in range(0, len(frames), BLOCK))
    target = io.BytesIO()
    audio.write_blocks(target, blocks, sample_rate, len(signal), FileFormat("OGG", "VORBIS"))
    return data_uri(target.getvalue(), "audio/ogg")
