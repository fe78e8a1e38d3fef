"""The score of a recording as the model's tracker hears it: loops of eight bars, one by one."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from jen1cli import audio
from jen1cli.conditioning.controls.part_predictor import BARS, RESTS, write_drums, write_melody
from jen1cli.midi import Passage
from jen1cli.music.chords import chart_text
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.pipeline.coding import encode_source
from jen1cli.pipeline.networks import Networks
from jen1cli.shapes import Latent

LONGEST_SECONDS = 600.0  # that are heard, from the beginning
_TRACKED_SECONDS = 60.0  # from which tempo and key are taken


@torch.inference_mode()
def hear(networks: Networks, path: Path, check: Callable[[], None]) -> list[Passage]:
    """Transcribe a recording with one tempo and key.

    Args:
        networks: of the model.
        path: of the recording.
        check: called between parts of the work; may raise an error to end it.

    Returns:
        passages of up to eight bars; one without controls if no tempo is heard.
    """
    info = audio.probe(path)
    seconds = min(info.seconds, LONGEST_SECONDS)
    silent = [Passage(NO_CONTROLS, 0.0, seconds)]
    if networks.tracker is None:
        return silent
    known_samples = audio.seconds_to_samples(seconds, info.sample_rate)
    latent = encode_source(networks, path, dataclasses.replace(info, samples=known_samples))
    check()
    latent = networks.whitening.whiten(latent.to(networks.device))
    rate = networks.frame_rate
    head = latent[..., : round(_TRACKED_SECONDS * rate)]
    controls = networks.tracker.track(head, _known(head), rate)
    if not controls.has_bars:
        return [Passage(controls, 0.0, seconds)]
    return list(_loops(networks, latent, controls, seconds, check))


def _known(latent: Latent) -> torch.Tensor:
    return torch.ones(1, 1, latent.shape[-1], dtype=torch.bool, device=latent.device)


def _loops(
    networks: Networks,
    latent: Latent,
    controls: Controls,
    seconds: float,
    check: Callable[[], None],
) -> Iterator[Passage]:
    """Yield the passages: before the first bar line, then of eight bars each."""
    rate, bar = networks.frame_rate, controls.bar_seconds
    first = controls.downbeat % bar
    if first > 1e-3:
        yield Passage(dataclasses.replace(controls, downbeat=first - bar), 0.0, first)
    start = first
    while start < seconds - 1e-3:
        check()
        stop = min(seconds, start + BARS * bar)
        begin, end = int(start * rate), min(latent.shape[-1], round(stop * rate))
        # one frame that is not known, since a loop is read in front of a gap
        part = torch.nn.functional.pad(latent[..., begin:end], (0, 1))
        known = _known(part)
        known[..., -1] = False
        local = controls.shifted(start - begin / rate - controls.downbeat)
        yield Passage(_written(networks, part, known, local, controls, start), start, stop)
        start = stop


def _written(
    networks: Networks,
    part: Latent,
    known: torch.Tensor,
    local: Controls,
    controls: Controls,
    start: float,
) -> Controls:
    """Return the controls of one loop, on the clock of the recording."""
    assert networks.tracker is not None
    loop = networks.tracker.loop(part, known, networks.frame_rate, local)
    whole = dataclasses.replace(controls, downbeat=start)
    if loop is None:
        return whole
    halves = loop.chords
    bars = tuple((halves[at], halves[at + 1]) for at in range(0, len(halves), 2))
    found = {"chords": chart_text(bars)}
    found["drums"] = write_drums([token or 0 for token in loop.drums], local)
    if controls.key:
        melody = [RESTS if token is None else token for token in loop.melody]
        found["melody"] = write_melody(melody, local)
    return dataclasses.replace(whole, **found)
