"""Controls of an edit: transcribed from the recording, and completed by the learned predictors."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from jen1cli import audio
from jen1cli.conditioning.controls.beats import Onsets
from jen1cli.conditioning.controls.transcription import TranscribedLoop
from jen1cli.config import ComposerName
from jen1cli.midi import Passage
from jen1cli.pipeline.denoising import Canvas, Prompts
from jen1cli.pipeline.edits.sections import EditSection
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.onsets import ONSET_RATE, RATE, onset_strength
from jen1cli.pipeline.played import bars_near, key_near


def transcribe_controls(
    networks: Networks,
    prompts: Prompts,
    timeline: Timeline,
    section: EditSection,
    canvas: Canvas,
    generator: torch.Generator,
    composer: ComposerName,
    played: Sequence[Passage] = (),
) -> Prompts:
    """Transcribe the missing controls of one piece from the known music.

    If tempo and bars are known then, chords, drums and melody continue their transcription. With a
    tracker that does not transcribe them, the predictor samples chords in the key. Bars that were
    played are kept, and not estimated.

    Args:
        networks: the model's networks.
        prompts: prompts of one piece; time 0 of the controls is the start of the piece.
        timeline: the recording.
        section: a part of it, whose start is time 0 of the returned controls.
        canvas: latent of the section.
        generator: for the predictor's sampling, on the CPU.
        composer: "none" transcribes and predicts nothing.
        played: in the recording, on its clock.
    """
    clock = section.start / networks.frame_rate
    controls = prompts.controls[0].shifted(-clock)
    # given controls begin where the generated music begins
    hole = int(canvas.known[0, 0].int().argmin()) / networks.frame_rate
    if composer == "none":
        return dataclasses.replace(prompts, controls=(controls.with_bar_at(hole),))
    transcribed: TranscribedLoop | None = None
    if networks.tracker is not None:
        music = (canvas.latent, canvas.known, networks.frame_rate)
        bars = bars_near(played, clock + hole, controls).shifted(-clock)
        if not controls.key:
            known = key_near(played, clock + hole)
            controls = dataclasses.replace(controls, key=known.key, mode=known.mode)
        # a tempo that is given or known needs none
        onsets = None if controls.bpm or bars.bpm else _find_onsets(timeline, section)
        tracked = networks.tracker.track(*music, controls, onsets)
        if bars.bpm:
            tracked = dataclasses.replace(
                tracked, bpm=bars.bpm, meter=bars.meter, downbeat=bars.downbeat
            )
        moved = tracked.downbeat - controls.downbeat
        controls = dataclasses.replace(
            tracked, score=tracked.score and tracked.score.shifted(moved)
        )
        transcribed = networks.tracker.loop(*music, controls)
    controls = controls.with_bar_at(hole)
    text = (prompts.text[:1], prompts.mask[:1], generator)
    if networks.predictor is not None and transcribed is not None:
        controls = networks.predictor.continue_loop(controls, transcribed, *text)
    elif networks.predictor is not None:
        controls = networks.predictor.with_chords(controls, *text).with_bar_at(hole)
    return dataclasses.replace(prompts, controls=(controls,))


def _find_onsets(timeline: Timeline, section: EditSection) -> Onsets:
    """Return the strength of onsets in the known frames of a section, 0 in the others."""
    steps = timeline.hop_length / timeline.model_rate * ONSET_RATE  # per frame
    result = np.zeros(round((section.stop - section.start) * steps))
    for start, stop in section.known:
        waveform = timeline.waveform(section.start + start, section.start + stop, 1)
        mono = audio.resample(waveform, timeline.model_rate, RATE)[0]
        strength = onset_strength([mono])[0].strength
        first = round(start * steps)
        result[first : first + len(strength)] = strength[: len(result) - first]
    return Onsets(result, ONSET_RATE)
