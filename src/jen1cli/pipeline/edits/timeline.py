"""A recording with unknown intervals, on the frame grid of the model.

Times are in samples of the file (at its own rate), samples of the model (48 kHz) or latent frames,
all from the start of the *edited* recording. Cuts are possible only at instants that both sample
rates share: every `file_step` samples of the file and `model_step` samples of the model.

Audio inside an unknown interval is never read. Linear prediction from both sides extends the
recording into it, as context for the encoder and for the cross-fade at the seam.
"""

import copy
import math
from collections.abc import Mapping, Sequence

import numpy as np

from jen1cli import audio
from jen1cli.audio import AudioInfo, Signal, Source
from jen1cli.pipeline.windows import Span

_FILL_SECONDS = 0.1  # linear prediction on each side of an interval
_PAST = 8192  # samples from which the predictor is estimated
_RESAMPLER_REACH = 1024  # samples of the file; soxr's filter is shorter


class Timeline:
    """The edited recording before generation: its known and unknown intervals.

    Attributes:
        samples: length, in samples of the file.
        offset: samples of new music in front of the recording.
        unknown: intervals to generate, in samples of the file, disjoint and increasing.
        frames: length in latent frames, rounded up.
    """

    def __init__(
        self,
        source: Source,
        info: AudioInfo,
        unknown: Sequence[Span],
        *,
        samples: int,
        offset: int,
        model_rate: int,
        hop_length: int,
    ) -> None:
        self.source, self.info = source, info
        self.unknown = tuple(unknown)
        self.samples, self.offset = samples, offset
        self.rate, self.model_rate, self.hop_length = info.sample_rate, model_rate, hop_length
        common = math.gcd(self.rate, model_rate)
        self.file_step, self.model_step = self.rate // common, model_rate // common
        self.model_samples = audio.resampled_length(samples, self.rate, model_rate)
        self.frames = -(-self.model_samples // hop_length)
        self._guesses: Mapping[Span, Signal] = {}
        self._predicted: dict[Span, tuple[Signal | None, Signal | None]] = {}

    def filled(self, guesses: Mapping[Span, Signal]) -> "Timeline":
        """Return a timeline that has samples in unknown intervals, in place of predictions.

        Args:
            guesses: [channels, samples] of whole intervals.
        """
        other = copy.copy(self)
        other._guesses = dict(guesses)
        return other

    def frame_span(self, span: Span) -> Span:
        """Round an interval of file samples outward to frames."""
        numerator, denominator = self.model_rate, self.rate * self.hop_length
        start = span[0] * numerator // denominator
        stop = -(-span[1] * numerator // denominator)
        return start, min(stop, self.frames)

    def is_outside(self, span: Span) -> bool:
        """Whether an interval lies before or after the recording."""
        return span[1] <= self.offset or span[0] >= self.offset + self.info.samples

    def unknown_frames(self) -> list[Span]:
        """Return the unknown intervals in frames; those that touch after rounding are merged."""
        joined: list[Span] = []
        for start, stop in map(self.frame_span, self.unknown):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
            else:
                joined.append((start, stop))
        return joined

    def waveform(self, start_frame: int, stop_frame: int, channels: int) -> Signal:
        """Return frames [start, stop) of the recording at the model's rate and layout.

        The result has (stop - start) · hop_length samples, zero after the end of the recording.
        """
        first = start_frame * self.hop_length
        last = min(stop_frame * self.hop_length, self.model_samples)
        begin = max(0, first * self.rate // self.model_rate - _RESAMPLER_REACH)
        begin = begin // self.file_step * self.file_step
        end = min(self.samples, -(-last * self.rate // self.model_rate) + _RESAMPLER_REACH)
        signal = audio.to_channels(self.read(begin, end), channels)
        signal = audio.resample(signal, self.rate, self.model_rate)
        skipped = first - begin // self.file_step * self.model_step
        signal = signal[:, skipped : skipped + last - first]
        missing = (stop_frame - start_frame) * self.hop_length - signal.shape[1]
        return np.pad(signal, ((0, 0), (0, missing)))

    def read(self, start: int, stop: int) -> Signal:
        """Read file samples [start, stop) of the timeline, with prediction in unknown intervals."""
        result = np.zeros((self.info.channels, stop - start), np.float32)
        begin = max(start, self.offset)
        end = min(stop, self.offset + self.info.samples)
        if begin < end:
            result[:, begin - start : end - start] = self._recorded(begin, end)
        for span in self.unknown:
            lo, hi = max(span[0], start), min(span[1], stop)
            if lo < hi and span in self._guesses:
                known = self._guesses[span][:, lo - span[0] : hi - span[0]]
                result[:, lo - start : hi - start] = known
            elif lo < hi:
                result[:, lo - start : hi - start] = self._filled(span, lo, hi)
        return result

    def edges(self, span: Span, samples: int) -> tuple[Signal | None, Signal | None]:
        """Return the linear prediction of the recording inside an unknown interval.

        Args:
            span: one of `unknown`.
            samples: number of samples on each side.

        Returns:
            the first samples of the interval, predicted from its left, and its last samples,
            predicted from its right; None without a recording on that side.
        """
        left, right = self._predictions(span)
        return (
            None if left is None else left[:, :samples],
            None if right is None else right[:, right.shape[1] - samples :],
        )

    def known_around(self, span: Span, seconds: float) -> tuple[Signal, Signal]:
        """Return at most `seconds` of the recording on both sides of an interval."""
        wanted = round(seconds * self.rate)
        left_limit, right_limit = self._limits(span)
        left = self._recorded(max(left_limit, span[0] - wanted), span[0])
        right = self._recorded(span[1], min(right_limit, span[1] + wanted))
        return left, right

    def _recorded(self, start: int, stop: int) -> Signal:
        if start >= stop:
            return np.zeros((self.info.channels, 0), np.float32)
        return audio.read(self.source, start - self.offset, stop - self.offset)

    def _limits(self, span: Span) -> Span:
        """Return the limits of the known recording to the left and right of an interval."""
        index = self.unknown.index(span)
        left = self.unknown[index - 1][1] if index > 0 else self.offset
        last = index + 1 == len(self.unknown)
        right = self.offset + self.info.samples if last else self.unknown[index + 1][0]
        return min(left, span[0]), max(right, span[1])

    def _predictions(self, span: Span) -> tuple[Signal | None, Signal | None]:
        if span not in self._predicted:
            self._predicted[span] = self._predict(span)
        return self._predicted[span]

    def _predict(self, span: Span) -> tuple[Signal | None, Signal | None]:
        length = min(round(_FILL_SECONDS * self.rate), span[1] - span[0])
        left_limit, right_limit = self._limits(span)
        left = self._recorded(max(left_limit, span[0] - _PAST), span[0])
        right = self._recorded(span[1], min(right_limit, span[1] + _PAST))
        return (
            audio.extrapolate(left, length) if left.shape[1] else None,
            audio.extrapolate(right[:, ::-1], length)[:, ::-1] if right.shape[1] else None,
        )

    def _filled(self, span: Span, start: int, stop: int) -> Signal:
        left, right = self._predictions(span)
        result = np.zeros((self.info.channels, stop - start), np.float32)
        for piece, at in ((left, span[0]), (right, span[1])):
            if piece is None:
                continue
            length = piece.shape[1]
            begin = at if piece is left else at - length
            fade = np.linspace(1.0, 0.0, length, dtype=np.float32)
            faded = piece * (fade if piece is left else fade[::-1])
            lo, hi = max(begin, start), min(begin + length, stop)
            if lo < hi:
                result[:, lo - start : hi - start] += faded[:, lo - begin : hi - begin]
        return result
