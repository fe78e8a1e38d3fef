"""Accuracy of the control networks on held-out clips."""

import torch
from torch import Tensor

from jen1cli.conditioning.controls.channels import TRANSCRIBED
from jen1cli.conditioning.controls.tracker import ControlTracker
from jen1cli.conditioning.controls.transcription import read_loop
from jen1cli.music.controls import Controls
from jen1cli.training.controls.targets import by_part, transcription_targets

TEMPO_TOLERANCE = 0.04
BEAT_TOLERANCE = 0.07
"""Tolerance in seconds, as in the F-measure of beat tracking (Davies et al. 2009)."""

Accuracies = dict[str, list[float]]
"""The scores of every clip, by the name of the measure."""


def add_accuracies(
    found: Accuracies, true: Controls, transcribed: Controls, guess: float, start: float
) -> None:
    """Add the scores of one clip, for a window that begins at `start` of the clip."""

    def note(name: str, value: object) -> None:
        found.setdefault(name, []).append(float(bool(value)))

    if true.key:
        note("tracker key given", transcribed.key)
        if transcribed.key:
            note("tracker key right", (transcribed.key, transcribed.mode) == (true.key, true.mode))
    if not true.bpm:
        return
    note("predictor tempo", abs(guess / true.bpm - 1.0) <= TEMPO_TOLERANCE)
    note("tracker tempo given", transcribed.bpm)
    if not transcribed.bpm:
        return
    note("tracker tempo right", abs(transcribed.bpm / true.bpm - 1.0) <= TEMPO_TOLERANCE)
    beat = 60.0 / true.bpm
    late = transcribed.downbeat + start - true.downbeat
    note("tracker beat right", abs(late - beat * round(late / beat)) <= BEAT_TOLERANCE)
    if transcribed.meter and true.beats:
        bar = beat * true.beats
        note("tracker bar right", abs(late - bar * round(late / bar)) <= BEAT_TOLERANCE)


def add_loop_accuracies(
    found: Accuracies,
    true: Controls,
    start: float,
    latent: Tensor,
    tracker: ControlTracker,
    frame_rate: float,
) -> None:
    """Add the score of transcribing one masked window, given the clip's tempo and bars."""
    frames = latent.shape[-1]
    known = torch.arange(frames, device=latent.device)[None, None] < 3 * frames // 4
    grid = true.shifted(-start)
    transcribed = tracker.loop(latent, known, frame_rate, grid)
    if transcribed is None:
        return
    played, given = transcription_targets([true], [start], frames, frame_rate)
    truth = read_loop(torch.logit(played, eps=1e-4), known, grid, frame_rate)
    assert truth is not None
    known_parts = [bool(part.any()) for part in by_part(given)]
    for name, is_given, one, other in zip(
        TRANSCRIBED,
        known_parts,
        (transcribed.chords, transcribed.drums, transcribed.melody),
        (truth.chords, truth.drums, truth.melody),
        strict=True,
    ):
        pairs = [p for p in zip(one, other, strict=True) if p[1] is not None]
        if is_given and pairs:
            right = [float(mine == its) for mine, its in pairs]
            found.setdefault(f"tracker {name} right", []).append(sum(right) / len(right))
