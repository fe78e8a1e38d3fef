"""The score of any recording with confidences, and covers, which play it in another style."""

import dataclasses
import logging
import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import Source, mono_blocks
from jen1cli.conditioning.controls.beats import Beats, Onsets, bar_confidence, find_bars, find_beats
from jen1cli.conditioning.controls.predictor import KEYS
from jen1cli.conditioning.controls.tracker import ControlTracker, TrackerOutput
from jen1cli.conditioning.controls.transcription import TranscribedBar, read_bars
from jen1cli.errors import AudioError, ConfigError
from jen1cli.music.controls import BEATS, NO_CONTROLS, SIXTEENTHS, Controls
from jen1cli.music.heard import Heard, HeardBar, HeardChord, is_tempo
from jen1cli.pipeline.coding import encode_source
from jen1cli.pipeline.edits.inpainting import describe_input
from jen1cli.pipeline.generating import Order, generate_orders
from jen1cli.pipeline.music import Music
from jen1cli.pipeline.onsets import RATE, onset_strength
from jen1cli.pipeline.replay import joined
from jen1cli.pipeline.sources import Input, as_source
from jen1cli.progress import Progress
from jen1cli.recipe import RecipeInput
from jen1cli.sampling import SamplingOptions, draw_seed
from jen1cli.shapes import Latent

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

logger = logging.getLogger(__name__)

_PART_OF_BEAT = 0.25  # beats; a shorter part of a bar at the beginning or end is no bar
_TRACKED_SECONDS = 104.0  # longest part that the tracker reads at once: bounds the memory
_MARGIN_SECONDS = 8.0  # on each side of these, more than its frames depend on
_KEY_FIT = (-0.85, 0.69)
"""Constant and slope of a logistic regression on the logit of the likeliest key's probability.

Fitted to whether the key is right in the 74 validation clips of the corpus.
"""
_SILENT = 1e-3  # highest sample of a recording without music


class Hearing:
    """What a model does with the scores of recordings; a part of `Jen1`."""

    @torch.inference_mode()
    def hear(
        self: "Jen1",  # type: ignore[misc]
        source: Input,
        *,
        sample_rate: int | None = None,
        progress: Progress | None = None,
    ) -> Heard:
        """Transcribe a recording: tempo, beats, bars, key, chords, drums and melody.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            sample_rate: sample rate of a waveform, in Hz.
            progress: called with (seconds encoded, seconds in all).

        Raises:
            AudioError: the source cannot be used.
            ConfigError: the model transcribes nothing.
        """
        return hear(self, as_source(source, sample_rate), progress)

    def cover(
        self: "Jen1",  # type: ignore[misc]
        source: Input,
        prompt: str,
        *,
        keep: Collection[str] | None = None,
        heard: Heard | None = None,
        seconds: float | None = None,
        sample_rate: int | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Music:
        """Play the score of a recording in the style of the words.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            prompt: description of the new sound.
            keep: some of `music.heard.KEPT`; None: all that is sure.
            heard: result of `hear`, to save its time; None: the recording is transcribed.
            seconds: length; None: that of the recording.
            sample_rate: sample rate of a waveform, in Hz.
            seed: the noise's seed; None draws one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`; its controls go before those that were heard.

        Raises:
            AudioError: the source cannot be used, or nothing in it is sure.
            ConfigError: a setting makes no sense.
        """
        given = as_source(source, sample_rate)
        heard = self.hear(given) if heard is None else heard
        return _cover(
            self,
            describe_input(given),
            heard.seconds if seconds is None else seconds,
            prompt,
            draw_seed() if seed is None else seed,
            kept_controls(heard, keep, audio.name_of(given)),
            sampling,
            progress=progress,
        )


def kept_controls(heard: Heard, keep: Collection[str] | None, name: str) -> Controls:
    """Return what a cover keeps; warns of guesses that are kept because they are asked for.

    Args:
        heard: the score of a recording.
        keep: some of `KEPT`; None: all that is sure.
        name: the recording's name, for messages.

    Raises:
        AudioError: nothing is sure.
        ConfigError: see `Heard.controls`.
    """
    controls = heard.controls(keep)
    if controls == NO_CONTROLS:
        raise AudioError(
            f"nothing in {name} is sure enough to be played again (heard:"
            f" {'; '.join(heard.describe())}); name what to keep all the same, such as --keep"
            " tempo, or give a recording with a clear beat"
        )
    if guesses := [part for part in keep or () if part not in heard.sure]:
        logger.warning("%s: kept as asked, though unsure: %s", name, ", ".join(guesses))
    if controls.bpm and not heard.is_steady:
        logger.warning(
            "the tempo of %s varies from %.0f to %.0f bpm; the cover keeps to %.1f bpm",
            name, *heard.bpm_range, heard.bpm,
        )  # fmt: skip
    return controls


def _cover(
    model: "Jen1",
    source: RecipeInput,
    seconds: float,
    prompt: str,
    seed: int,
    heard: Controls,
    options: SamplingOptions,
    *,
    progress: Progress | None,
) -> Music:
    """Play a score that was heard; given controls replace it as in `replay.varied`."""
    controls = joined(options.get("controls") or NO_CONTROLS, heard)
    order = Order.over(model, prompt, seed, {**options, "controls": controls})
    with torch.inference_mode():
        (music,) = generate_orders(model, [order], seconds, progress=progress)
    return music.as_cover(source)


def hear(model: "Jen1", source: Source, progress: Progress | None = None) -> Heard:
    """Transcribe a recording; see `Jen1.hear`."""
    networks = model.networks
    tracker = networks.tracker
    if tracker is None or tracker.parts is None:
        raise ConfigError(
            f"the model '{model.config.name}' transcribes no recordings; use jen1-mini"
        )
    info = audio.check(source)
    onsets, peak = onset_strength(mono_blocks(source, RATE))
    if peak < _SILENT:
        return Heard(info.seconds, {}, is_silent=True)
    encoded = encode_source(networks, source, info, progress)
    latent = networks.whitening.whiten(encoded.to(networks.device))
    output = _tracked(tracker, latent, networks.frame_rate)
    return _written(output, networks.frame_rate, onsets, info.seconds)


def _tracked(tracker: ControlTracker, latent: Latent, frame_rate: float) -> TrackerOutput:
    """Run the tracker on a whole recording; a long one is read in overlapping windows.

    The key of a long recording has the mean of its logarithmic probabilities in the windows.
    """
    frames = latent.shape[-1]
    size, margin = (round(x * frame_rate) for x in (_TRACKED_SECONDS, _MARGIN_SECONDS))
    if frames <= size + 2 * margin:
        return tracker(latent, torch.ones_like(latent[:, :1], dtype=torch.bool))
    found: list[TrackerOutput] = []
    for start in range(0, frames, size):
        stop = min(start + size, frames)
        first = max(0, start - margin)
        part = latent[..., first : stop + margin]
        output = tracker(part, torch.ones_like(part[:, :1], dtype=torch.bool))
        inside = slice(start - first, stop - first)
        found.append(
            TrackerOutput(
                output.beat[:, inside],
                output.bar[:, inside],
                output.key.log_softmax(-1) * ((stop - start) / frames),
                None if output.parts is None else output.parts[..., inside],
            )
        )
    parts = [output.parts for output in found if output.parts is not None]
    return TrackerOutput(
        torch.cat([output.beat for output in found], dim=1),
        torch.cat([output.bar for output in found], dim=1),
        torch.stack([output.key for output in found]).sum(0),
        torch.cat(parts, dim=2) if parts else None,
    )


def _written(
    output: TrackerOutput,
    frame_rate: float,
    onsets: Onsets,
    seconds: float,
) -> Heard:
    """Write down what the tracker and the onsets of one recording say."""
    probability, index = output.key[0].softmax(-1).max(-1)
    tonic, mode = KEYS[int(index)]
    confidence = {"key": key_confidence(float(probability)) if tonic else 0.0}
    heard = Heard(seconds, confidence, key=tonic, mode=mode)
    beats = find_beats(_complex(output.beat), frame_rate, onsets)
    if beats is None or not is_tempo(beats.bpm) or output.parts is None:
        return heard
    meter, first, fit = find_bars(_complex(output.bar), frame_rate, beats)
    confidence["tempo"] = beats.confidence
    confidence["meter"] = min(beats.confidence, bar_confidence(fit))
    length = BEATS[meter]
    start, stop = beats.number_at(0.0) + _PART_OF_BEAT, beats.number_at(seconds) - _PART_OF_BEAT
    number = first + length * math.floor((start - first) / length)
    count = max(1, math.ceil((stop - number) / length))
    edges = [beats.time_of(number + i * length) for i in range(count + 1)]
    read = read_bars(output.parts[0], edges, SIXTEENTHS[meter], frame_rate)
    bars = tuple(
        HeardBar(
            round(start, 4),
            round(stop, 4),
            tuple(HeardChord("N.C." if c is None else str(c), round(p, 3)) for c, p in bar.chords),
            bar.drums,
            round(bar.drums_confidence, 3),
            bar.melody,
            round(bar.melody_confidence, 3),
        )
        for bar, start, stop in zip(read, edges, edges[1:], strict=False)
    )
    confidence.update(_means(read))
    bar_seconds = 60.0 * length / beats.bpm
    downbeat = beats.origin + number * 60.0 / beats.bpm
    late = _PART_OF_BEAT * 60.0 / beats.bpm
    downbeat -= bar_seconds * math.ceil((downbeat - late) / bar_seconds)
    return dataclasses.replace(
        heard,
        bpm=beats.bpm,
        bpm_range=beats.bpm_range,
        is_steady=beats.is_steady,
        meter=meter,
        downbeat=round(downbeat, 6),
        beats=tuple(_inside(beats, seconds)),
        bars=bars,
    )


def _means(bars: Sequence[TranscribedBar]) -> dict[str, float]:
    """Return the mean confidence of each part."""
    return {
        "chords": float(np.mean([chance for bar in bars for _, chance in bar.chords])),
        "drums": float(np.mean([bar.drums_confidence for bar in bars])),
        "melody": float(np.mean([bar.melody_confidence for bar in bars])),
    }


def _inside(beats: Beats, seconds: float) -> Iterator[float]:
    """Yield the times of all beats within a recording."""
    for number in range(math.ceil(beats.number_at(0.0)), math.floor(beats.number_at(seconds)) + 1):
        yield round(max(0.0, beats.time_of(number)), 4)


def _complex(phases: torch.Tensor) -> np.ndarray:
    return phases[0].to(torch.complex64).cpu().numpy()


def key_confidence(probability: float) -> float:
    """Return how likely a key is right, from its probability as the tracker gives it."""
    inside = min(max(probability, 1e-9), 1.0 - 1e-9)
    constant, slope = _KEY_FIT
    return 1.0 / (1.0 + math.exp(-constant - slope * math.log(inside / (1.0 - inside))))
