"""A recording that goes to stdout before its continuation is made."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jen1cli.cli.engine import Engine
from jen1cli.cli.inputs import AudioInput
from jen1cli.cli.outputs import Target

if TYPE_CHECKING:
    from jen1cli.recipe import Recipe


def early_sender(
    engine: Engine, target: Target, recording: AudioInput, seconds: float
) -> "Callable[[Recipe], None] | None":
    """Return what sends a recording once the recipe of its continuation is known.

    The header of a WAV file, the recording's samples in it, and all sizes follow from the recipe
    and the length, so that the bytes are those of the finished file. Float samples are not sent
    early, since their header has the peak.

    Args:
        engine: with the model.
        target: the result's target.
        recording: what is continued, at its end.
        seconds: length of the new music.

    Returns:
        a function, or None where the result can only be sent whole.
    """
    if target.path is not None or target.extension != "wav":
        return None
    if engine.is_remote or engine.signer is not None:
        return None
    return lambda recipe: _send(engine, target, recording, seconds, recipe)


def _send(
    engine: Engine, target: Target, recording: AudioInput, seconds: float, recipe: "Recipe"
) -> None:
    """Write the file with silence in place of the new music, and send all that precedes it."""
    import numpy as np

    from jen1cli import audio
    from jen1cli.audio.chunks import read_chunks
    from jen1cli.audio.writing import BITS
    from jen1cli.pipeline import Edit

    info = recording.info
    shape = info.channels, audio.seconds_to_samples(seconds, info.sample_rate)
    silence = np.broadcast_to(np.zeros((), np.float32), shape)
    patch = audio.Patch(info.samples, silence, insert=True)
    edit = engine.unsigned(Edit(recording.source, (patch,), info.sample_rate, recipe))
    with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
        path = Path(folder) / f"stdout{target.suffix}"
        logging.disable(logging.WARNING)  # what is not kept is said when the music is written
        try:
            edit.save(path)
        finally:
            logging.disable(logging.NOTSET)
        with path.open("rb") as file:
            layout = read_chunks(file)
        written = audio.probe(path)
        if layout is None or layout.sound is None or written.subtype not in BITS:
            return
        frame = layout.sound.size // written.samples
        target.stream.begin(path, layout.sound.at + frame * info.samples)
