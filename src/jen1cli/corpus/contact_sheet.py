"""Contact sheet: one self-contained HTML page to inspect a folder of music."""

from collections.abc import Sequence
from pathlib import Path

from jen1cli import audio
from jen1cli.corpus.inspect import Statistics
from jen1cli.errors import AudioError
from jen1cli.files import write_text
from jen1cli.folders import Skip
from jen1cli.manifest import Clip
from jen1cli.pages.html import data_uri, render, sound_uri
from jen1cli.pages.spectrogram import spectrogram, spectrogram_png
from jen1cli.progress import Progress


def write(
    path: Path,
    title: str,
    statistics: Statistics,
    clips: Sequence[Clip],
    seconds: float,
    progress: Progress = lambda done, total: None,
    *,
    on_skip: Skip,
    overwrite: bool = True,
) -> None:
    """Write the page: statistics, and for each clip a spectrogram, an audio player and captions.

    Args:
        path: HTML file to write.
        title: heading.
        statistics: statistics of the whole folder.
        clips: clips to show.
        seconds: length of the excerpts, taken from the middle of each clip.
        progress: called after every clip.
        on_skip: called for every clip whose sound cannot be read; the page leaves it out.
        overwrite: whether a file of this name is replaced.
    """
    shown = []
    for number, clip in enumerate(clips, 1):
        try:
            shown.append(_shown(clip, seconds))
        except (AudioError, OSError) as error:
            on_skip(clip.path, f"not on the sheet ({str(error).removeprefix(f'{clip.path} ')})")
        progress(number, len(clips))
    facts = (
        f"{statistics.clips} clips, {statistics.hours:.2f} hours, {statistics.vocabulary} "
        f"different words in {statistics.captions} captions"
    )
    page = render(
        "contact_sheet.html", title=title, facts=facts, tables=statistics.tables, clips=shown
    )
    write_text(path, page, overwrite=overwrite)


def _shown(clip: Clip, seconds: float) -> dict[str, object]:
    """Return the template values of a clip.

    Raises:
        AudioError: the clip's sound cannot be read.
    """
    rate = audio.probe(clip.source).sample_rate
    signal = audio.read(clip.source)
    wanted = int(seconds * rate)
    start = max(0, (signal.shape[1] - wanted) // 2)
    facts = clip.attributes
    words = [facts.get("style"), f"{facts['bpm']:g} bpm" if facts.get("bpm") else "",
             f"{facts.get('key') or ''} {facts.get('mode') or ''}".strip(), facts.get("meter"),
             f"{clip.seconds:.1f} s", clip.split, clip.name]  # fmt: skip
    return {
        "title": " · ".join(str(word) for word in words if word),
        "image": data_uri(spectrogram_png(spectrogram(signal, rate)), "image/png"),
        "sound": sound_uri(signal[:, start : start + wanted], rate),
        "captions": clip.captions,
    }
