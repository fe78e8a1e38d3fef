"""Controls as they are written in options and requests: tempo, key, chords, drums, melody."""

from jen1cli.errors import ConfigError
from jen1cli.music.chords import chart_text, parse_chart
from jen1cli.music.controls import MAX_BPM, MIN_BPM, Controls
from jen1cli.music.prompt import parse_key


def spelled_controls(
    bpm: float | None = None,
    key: str | None = None,
    chords: str | None = None,
    drums: str | None = None,
    melody: str | None = None,
    *,
    meter: str | None = None,
) -> Controls:
    """Return controls from their texts; None leaves one open.

    Args:
        bpm: beats per minute.
        key: such as "D minor".
        chords: a chart (`music.chords`).
        drums: as in `music.patterns`.
        melody: likewise.
        meter: a key of `music.controls.BEATS`.

    Raises:
        ConfigError: a value is not in its grammar, or out of range.
    """
    if bpm is not None and not MIN_BPM <= bpm <= MAX_BPM:
        raise ConfigError(
            f"--bpm {bpm:g} is no tempo; give {MIN_BPM:g} to {MAX_BPM:g} beats per minute"
        )
    tonic, mode = ("", "") if key is None else parse_key(key)
    return Controls(
        bpm=bpm or 0.0,
        meter=meter or "",
        key=tonic,
        mode=mode,
        chords="" if chords is None else chart_text(parse_chart(chords)),
        drums=drums or "",
        melody=melody or "",
    )
