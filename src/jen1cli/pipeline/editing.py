"""Inpainting and continuation: generates the unknown intervals of a recording."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import Patch, Resampler, Signal
from jen1cli.diffusion import Noise
from jen1cli.errors import ConfigError
from jen1cli.midi import Passage
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.coding import allocate, decoded_blocks
from jen1cli.pipeline.composing import played_by
from jen1cli.pipeline.denoising import (
    Canvas,
    Prompts,
    encode_prompts,
    fill,
    shifted,
    transcribe_controls,
)
from jen1cli.pipeline.gain_matching import Offset
from jen1cli.pipeline.matching_eq import apply_filters, matching_filters
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.timeline import Timeline
from jen1cli.pipeline.windows import Span, Window, plan_windows
from jen1cli.progress import Progress
from jen1cli.recipe import DirectionName
from jen1cli.sampling import Sampling

_FADE_SECONDS = 0.03  # cross-fade at each seam, inside the new music
_TAIL = 64  # model samples appended at the end, to flush the resampler
_LEVEL_SECONDS = 3.0  # known music on each side for the measurement of loudness
_TRANSCRIBED_SECONDS = 16.0  # known music on each side for transcription: eight bars


@torch.inference_mode()
def edit(
    networks: Networks,
    timeline: Timeline,
    prompt: str,
    sampling: Sampling,
    noise: Noise,
    *,
    window: int,
    context: int,
    reach: int,
    direction: DirectionName,
    progress: Progress | None,
) -> tuple[list[Patch], list[Passage]]:
    """Generate the unknown intervals of a recording; returns also what was played in them.

    Args:
        networks: of the model.
        timeline: the recording.
        prompt: description of the new music.
        sampling: settings.
        noise: of the piece; its generator serves the transcription too.
        window: most frames in one sampling.
        context: known frames in front of each window of a long stretch.
        reach: most known frames that condition the windows, on both sides of a section.
        direction: direction of continuation.
        progress: called with (steps done, steps in all).
    """
    if sampling.composer == "rules":
        raise ConfigError(
            "the composer 'rules' writes whole pieces; a recording is transcribed, and what the"
            " transcription leaves open 'learned' writes, while 'none' leaves it to the text"
        )
    sections = plan_sections(
        timeline,
        window=window,
        context=context,
        reach=reach,
        decoder_reach=networks.autoencoder.context_frames,
        causal_continuation=direction == "unidirectional",
    )
    prompts = encode_prompts(
        networks,
        [prompt],
        sampling.negative_prompt,
        sampling.controls,
        sampling.effective_composer,
    )
    return make_patches(networks, timeline, sections, prompts, sampling, noise, progress)


@dataclass(frozen=True)
class Section:
    """A part of the timeline that is sampled together: unknown intervals and their context."""

    start: int  # frames of the timeline
    stop: int
    windows: tuple[Window, ...]  # frames of the section
    unknown: tuple[Span, ...]  # frames of the section
    spans: tuple[Span, ...]  # file samples of the timeline


def plan_sections(
    timeline: Timeline,
    *,
    window: int,
    context: int,
    reach: int,
    decoder_reach: int,
    causal_continuation: bool = True,
) -> list[Section]:
    """Divide the unknown intervals into independent sections.

    Args:
        timeline: the recording.
        window: most frames in one sampling.
        context: known frames in front of each window of a long stretch.
        reach: most known frames that condition the windows, on both sides of a section.
        decoder_reach: known frames that one decoded frame depends on, on each side.
        causal_continuation: see `plan_windows`.
    """
    frame_rate = timeline.model_rate / timeline.hop_length
    margin = max(
        decoder_reach + round(_LEVEL_SECONDS * frame_rate), round(_TRANSCRIBED_SECONDS * frame_rate)
    )
    groups: list[list[Span]] = []
    for span in timeline.unknown_frames():
        if groups and span[0] - groups[-1][-1][1] < 2 * reach:
            groups[-1].append(span)
        else:
            groups.append([span])
    sections = []
    for index, group in enumerate(groups):
        left_limit = groups[index - 1][-1][1] if index else 0
        right_limit = groups[index + 1][0][0] if index + 1 < len(groups) else timeline.frames
        start = max(left_limit, group[0][0] - reach)
        stop = min(right_limit, group[-1][1] + reach)
        unknown = [(a - start, b - start) for a, b in group]
        plan = plan_windows(
            stop - start,
            unknown,
            window=window,
            context=context,
            causal_continuation=causal_continuation,
        )
        first = min(*(start + w.start for w in plan), group[0][0] - margin)
        last = max(*(start + w.stop for w in plan), group[-1][1] + margin)
        first, last = max(left_limit, first), min(right_limit, last)
        sections.append(
            Section(
                first,
                last,
                tuple(window.shifted(start - first) for window in plan),
                tuple((a - first, b - first) for a, b in group),
                tuple(s for s in timeline.unknown if first <= timeline.frame_span(s)[0] < last),
            )
        )
    return sections


def make_patches(
    networks: Networks,
    timeline: Timeline,
    sections: Sequence[Section],
    prompts: Prompts,
    sampling: Sampling,
    noise: Noise,
    progress: Progress | None,
) -> tuple[list[Patch], list[Passage]]:
    """Generate the samples of all unknown intervals, at the file's rate and layout; see `edit`.

    Args:
        networks: of the model.
        timeline: the recording.
        sections: result of `plan_sections`.
        prompts: one encoded prompt.
        sampling: settings.
        noise: of the piece; its generator serves the transcription too.
        progress: called with (steps done, steps in all).
    """
    patches: list[Patch] = []
    passages: list[Passage] = []
    done, total = 0, sum(len(section.windows) for section in sections) * sampling.steps
    for section in sections:
        canvas, raw = _known_canvas(networks, timeline, section)
        count = len(section.windows) * sampling.steps
        found = transcribe_controls(
            networks, prompts, canvas, section.start, noise.generator, sampling.effective_composer
        )
        rate = networks.frame_rate
        begin, end = section.unknown[0][0] / rate, section.unknown[-1][1] / rate
        (controls,) = found.controls
        controls = played_by(networks, controls, sampling.instruments, begin, end - begin)
        clock = section.start / rate
        passages += [
            Passage(controls.shifted(clock), clock + first / rate, clock + last / rate)
            for first, last in section.unknown
        ]
        filled = fill(
            networks,
            canvas,
            section.windows,
            dataclasses.replace(found, controls=(controls,)),
            sampling,
            [noise],
            shifted(progress, done, total),
        )
        done += count
        made = networks.whitening.unwhiten(filled)
        for start, stop in section.unknown:
            raw[..., start:stop] = made[..., start:stop]
        patches += _decoded_patches(networks, timeline, section, raw)
    return patches, passages


def _known_canvas(
    networks: Networks, timeline: Timeline, section: Section
) -> tuple[Canvas, torch.Tensor]:
    """Encode the known frames of a section; returns whitened canvas and unwhitened latent."""
    autoencoder = networks.autoencoder
    canvas = Canvas.empty(networks, section.stop - section.start)
    raw = torch.zeros(
        1, autoencoder.latent_channels, section.stop - section.start, device=networks.device
    )
    edges = [
        0,
        *(frame for span in section.unknown for frame in span),
        section.stop - section.start,
    ]
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if start < stop:
            raw[..., start:stop] = _encoded(
                networks, timeline, section.start + start, section.start + stop
            )
            canvas.known[..., start:stop] = True
    canvas.latent.copy_(networks.whitening.whiten(raw))
    return canvas, raw


def _encoded(networks: Networks, timeline: Timeline, start: int, stop: int) -> torch.Tensor:
    """Return frames [start, stop) of the latent of the whole recording."""
    autoencoder = networks.autoencoder
    reach = autoencoder.context_frames
    first, last = max(0, start - reach), min(timeline.frames, stop + reach)
    waveform = timeline.waveform(first, last, autoencoder.audio_channels)
    latent = autoencoder.encode(torch.from_numpy(waveform)[None].to(networks.device))
    return latent[..., start - first : stop - first]


def _decoded_patches(
    networks: Networks, timeline: Timeline, section: Section, latent: torch.Tensor
) -> list[Patch]:
    margin = round(_LEVEL_SECONDS * timeline.rate)
    start = max(0, section.spans[0][0] - margin)
    stop = min(timeline.samples, section.spans[-1][1] + margin)
    start, decoded = _decoded(networks, timeline, section.start, latent, start, stop)
    silent = gain_matching.silent_channels(
        [
            part
            for span in section.spans
            for part in timeline.known_around(span, _TRANSCRIBED_SECONDS)
        ]
    )
    decoded[silent] = 0.0
    around = [_around(timeline, span, start, decoded) for span in section.spans]
    filters = matching_filters(
        [part for known, _ in around for part in known],
        [part for _, coded in around for part in coded],
        timeline.rate,
    )
    if filters is not None:
        apply_filters(decoded, filters)
        decoded[silent] = 0.0
    cuts = [_file_sample(timeline, section.start + w.unknown[0][0]) for w in section.windows]
    patches = []
    for span, (known, coded) in zip(section.spans, around, strict=True):
        signal = decoded[:, span[0] - start : span[1] - start]
        inside = sorted(cut - span[0] for cut in cuts if span[0] < cut < span[1])
        offsets = gain_matching.offsets_around(known, timeline.rate)
        if offsets is not None:
            signal -= gain_matching.offset(signal)[:, None]
        _match_level(timeline.rate, signal, known, coded, inside, offsets)
        _fade_edges(timeline, span, signal, offsets)
        if offsets is not None:
            gain_matching.add_offset(signal, offsets)
        patches.append(Patch(span[0], signal, insert=timeline.is_outside(span)))
    return patches


def _around(
    timeline: Timeline, span: Span, start: int, decoded: Signal
) -> tuple[tuple[Signal, Signal], tuple[Signal, Signal]]:
    """Return the music on both sides of an interval, recorded and decoded, from `start` on."""
    known = timeline.known_around(span, _LEVEL_SECONDS)
    first, last = span[0] - start, span[1] - start
    left = decoded[:, max(0, first - known[0].shape[1]) : first]
    return known, (left, decoded[:, last : last + known[1].shape[1]])


def _file_sample(timeline: Timeline, frame: int) -> int:
    return frame * timeline.hop_length * timeline.rate // timeline.model_rate


def _decoded(
    networks: Networks,
    timeline: Timeline,
    frame: int,
    latent: torch.Tensor,
    start: int,
    stop: int,
) -> tuple[int, Signal]:
    """Decode the file samples [start, stop) of a latent that begins at frame `frame`.

    Returns:
        the first file sample that can be computed, `start` or a little later, and the samples from
        there to `stop`.
    """
    reach = networks.autoencoder.context_frames
    low = max(0, timeline.frame_span((start, stop))[0] - reach - frame)
    high = timeline.frame_span((start, stop))[1] + reach - frame
    latent = latent[..., low:high]
    first = (frame + low) * timeline.hop_length  # model samples
    ticks = -(-first // timeline.model_step)
    skip = ticks * timeline.model_step - first  # to the next sample that both rates share
    at = ticks * timeline.file_step
    start = max(start, at)
    result = allocate(timeline.info.channels, stop - start)
    resampler = Resampler(timeline.model_rate, timeline.rate, timeline.info.channels)
    tail = np.zeros((timeline.info.channels, 1), np.float32)
    for block in decoded_blocks(networks, latent):
        cut = min(skip, block.shape[1])
        skip -= cut
        piece = audio.to_channels(block[:, cut:], timeline.info.channels)
        at = _place(resampler.feed(piece), at, start, result)
        tail = block[:, -1:].repeat(_TAIL, axis=1)
    piece = audio.to_channels(tail, timeline.info.channels)
    _place(resampler.feed(piece, last=True), at, start, result)
    return start, result


def _place(signal: Signal, at: int, start: int, result: Signal) -> int:
    """Copy samples that begin at `at` into a result that begins at `start`."""
    lo, hi = max(at, start), min(at + signal.shape[1], start + result.shape[1])
    if lo < hi:
        result[:, lo - start : hi - start] = signal[:, lo - at : hi - at]
    return at + signal.shape[1]


def _match_level(
    rate: int,
    signal: Signal,
    known: tuple[Signal, Signal],
    decoded: tuple[Signal, Signal],
    cuts: Sequence[int],
    offsets: tuple[Offset, Offset] | None,
) -> None:
    """Compensate the autoencoder's gain, then match the loudness of the surrounding music.

    Args:
        rate: Hz.
        signal: the new music, changed in place.
        known: the recording on both sides.
        decoded: the same music after encoding and decoding.
        cuts: boundaries between windows, in samples.
        offsets: DC offsets on both sides, added later, for which headroom is kept; or None.
    """
    target = gain_matching.measured_together(known, rate)
    decoded_level = gain_matching.measured_together(decoded, rate)
    gain = gain_matching.matching_gain(decoded_level, target, tolerance=0.0)
    signal *= np.float32(10 ** (gain / 20))
    gain_matching.level_segments(signal, rate, cuts, target)
    peak = max(gain_matching.CEILING, *(float(np.abs(part).max(initial=0.0)) for part in known))
    ceiling = min(peak, 1.0)
    if offsets is not None:
        ceiling = max(ceiling - float(np.abs(offsets).max()), 0.1 * ceiling)
    gain_matching.limit(signal, rate, ceiling)


def _fade_edges(
    timeline: Timeline, span: Span, signal: Signal, offsets: tuple[Offset, Offset] | None
) -> None:
    """Cross-fade at both ends between the recording's linear prediction and the new music.

    DC offsets are subtracted before the fade: a power-preserving fade would raise a constant by up
    to 3 dB.
    """
    samples = signal.shape[1]
    length = min(round(_FADE_SECONDS * timeline.rate), samples // 4)
    if length < 1:
        return
    left, right = timeline.edges(span, length)
    if offsets is not None:
        left = None if left is None else left - offsets[0][:, None]
        right = None if right is None else right - offsets[1][:, None]
    if left is not None:
        signal[:, :length] = audio.crossfade(left, signal[:, :length])
    if right is not None:
        signal[:, samples - length :] = audio.crossfade(signal[:, samples - length :], right)
