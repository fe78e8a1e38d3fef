"""From latents to the samples of unknown intervals, matched to the music around them."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool

from jen1cli import audio
from jen1cli.audio import Patch, Resampler, Signal, on_disk
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.edits.matching_eq import apply_filters, matching_filters
from jen1cli.pipeline.edits.repetition import with_detail_of
from jen1cli.pipeline.edits.sections import LEVEL_SECONDS, TRANSCRIBED_SECONDS, EditSection
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.gain_matching import Offset
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.windows import Span

_FADE_SECONDS = 0.03  # cross-fade at each seam, inside the new music
_LEVEL_TOLERANCE = 0.3  # LU between the new music and that around it
_TAIL = 64  # model samples appended at the end, to flush the resampler


def decoded_patches(
    networks: Networks,
    timeline: Timeline,
    section: EditSection,
    latent: torch.Tensor,
    guesses: Mapping[Span, Signal],
) -> list[Patch]:
    """Decode the unknown intervals of a section, and match them to the recording.

    Args:
        networks: the model's networks.
        timeline: the recording.
        section: a part of it.
        latent: the section's latent, not whitened, complete.
        guesses: samples of unknown intervals from which sampling started.
    """
    margin = round(LEVEL_SECONDS * timeline.rate)
    start = max(0, section.spans[0][0] - margin)
    stop = min(timeline.samples, section.spans[-1][1] + margin)
    start, decoded = _decoded(networks, timeline, section.start, latent, start, stop)
    silent = _silent_channels(timeline, section.spans)
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
        _match_level(timeline.rate, signal, known, coded, inside)
        if span in guesses:
            copied = _without_offsets(guesses[span], offsets)
            signal = with_detail_of(signal, copied, timeline.rate)
            _close_level(timeline.rate, signal, known)  # both together may be softer than each
        patches.append(_finished(timeline, span, signal, known, offsets))
    return patches


def copied_patch(timeline: Timeline, span: Span, signal: Signal) -> Patch:
    """Return the patch of an interval that is filled with samples of the recording.

    Args:
        timeline: the recording.
        span: the interval, in file samples.
        signal: the samples, at the level of the music around.
    """
    known = timeline.known_around(span, LEVEL_SECONDS)
    offsets = gain_matching.offsets_around(known, timeline.rate)
    signal = _without_offsets(signal, offsets)
    signal[_silent_channels(timeline, [span])] = 0.0  # where the copy comes from, they may sound
    return _finished(timeline, span, signal, known, offsets)


def _silent_channels(timeline: Timeline, spans: Sequence[Span]) -> Bool[np.ndarray, " channels"]:
    """Return which channels are silent around all these intervals."""
    around = (timeline.known_around(span, TRANSCRIBED_SECONDS) for span in spans)
    return gain_matching.silent_channels([part for pair in around for part in pair])


def _without_offsets(signal: Signal, offsets: tuple[Offset, Offset] | None) -> Signal:
    """Return a copy of a guess without the DC offsets of the music around it."""
    signal = signal.copy()
    if offsets is not None:
        gain_matching.add_offset(signal, (-offsets[0], -offsets[1]))
    return signal


def _finished(
    timeline: Timeline,
    span: Span,
    signal: Signal,
    known: tuple[Signal, Signal],
    offsets: tuple[Offset, Offset] | None,
) -> Patch:
    """Limit the peaks to those of the recording, fade both edges, and add the DC offsets."""
    peak = max(gain_matching.CEILING, *(float(np.abs(part).max(initial=0.0)) for part in known))
    ceiling = min(peak, 1.0)
    if offsets is not None:
        ceiling = max(ceiling - float(np.abs(offsets).max()), 0.1 * ceiling)
    gain_matching.limit(signal, timeline.rate, ceiling)
    _fade_edges(timeline, span, signal, offsets)
    if offsets is not None:
        gain_matching.add_offset(signal, offsets)
    return Patch(span[0], signal, insert=timeline.is_outside(span))


def _around(
    timeline: Timeline, span: Span, start: int, decoded: Signal
) -> tuple[tuple[Signal, Signal], tuple[Signal, Signal]]:
    """Return the music on both sides of an interval, recorded and decoded, from `start` on."""
    known = timeline.known_around(span, LEVEL_SECONDS)
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
    reach = networks.autoencoder.reach_frames
    low = max(0, timeline.frame_span((start, stop))[0] - reach - frame)
    high = timeline.frame_span((start, stop))[1] + reach - frame
    latent = latent[..., low:high]
    first = (frame + low) * timeline.hop_length  # model samples
    ticks = -(-first // timeline.model_step)
    skip = ticks * timeline.model_step - first  # to the next sample that both rates share
    at = ticks * timeline.file_step
    start = max(start, at)
    result = on_disk.allocate(timeline.info.channels, stop - start)
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
        on_disk.release()
    return at + signal.shape[1]


def _match_level(
    rate: int,
    signal: Signal,
    known: tuple[Signal, Signal],
    decoded: tuple[Signal, Signal],
    cuts: Sequence[int],
) -> None:
    """Compensate the autoencoder's gain, then match the loudness of the surrounding music.

    Args:
        rate: Hz.
        signal: the new music, changed in place.
        known: the recording on both sides.
        decoded: the same music after encoding and decoding.
        cuts: boundaries between windows, in samples.
    """
    target = gain_matching.measured_together(known, rate)
    decoded_level = gain_matching.measured_together(decoded, rate)
    gain = gain_matching.matching_gain(decoded_level, target, tolerance=0.0)
    signal *= np.float32(audio.db_to_amplitude(gain))
    gain_matching.level_segments(signal, rate, cuts, target)
    _close_level(rate, signal, known)


def _close_level(rate: int, signal: Signal, known: tuple[Signal, Signal]) -> None:
    """Bring new music to within the tolerance of the level around it, in place."""
    signal *= np.float32(gain_matching.gain_beside(signal, known, rate, _LEVEL_TOLERANCE))


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
