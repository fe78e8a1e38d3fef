"""Division of an edit into sections: unknown intervals that are sampled together."""

from dataclasses import dataclass

from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.windows import Span, Window, plan_windows

LEVEL_SECONDS = 3.0  # known music on each side for the measurement of loudness
TRANSCRIBED_SECONDS = 16.0  # known music on each side for transcription: eight bars


@dataclass(frozen=True)
class EditSection:
    """A part of the timeline that is sampled together: unknown intervals and their context."""

    start: int  # frames of the timeline
    stop: int
    windows: tuple[Window, ...]  # frames of the section
    unknown: tuple[Span, ...]  # frames of the section
    spans: tuple[Span, ...]  # file samples of the timeline

    @property
    def known(self) -> list[Span]:
        """The known intervals, in frames of the section."""
        edges = [0, *(frame for span in self.unknown for frame in span), self.stop - self.start]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [(start, stop) for start, stop in pairs if start < stop]


def plan_sections(
    timeline: Timeline,
    *,
    window: int,
    context: int,
    reach: int,
    decoder_reach: int,
    causal_continuation: bool = True,
) -> list[EditSection]:
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
        decoder_reach + round(LEVEL_SECONDS * frame_rate), round(TRANSCRIBED_SECONDS * frame_rate)
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
            EditSection(
                first,
                last,
                tuple(window.shifted(start - first) for window in plan),
                tuple((a - first, b - first) for a, b in group),
                tuple(s for s in timeline.unknown if first <= timeline.frame_span(s)[0] < last),
            )
        )
    return sections
