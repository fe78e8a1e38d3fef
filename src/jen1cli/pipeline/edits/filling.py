"""What fills the unknown intervals of a recording: copies, music of the network, or both.

An interval is filled by samples of the recording itself where the music around it is repeated
elsewhere, and by the network where it is not, or where something new is asked for. In between, the
network starts from the latent of the copy with some noise (SDEdit, arXiv 2108.01073): how much is
`Sampling.novelty`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from jen1cli.audio import Patch, Signal
from jen1cli.config import DirectionName
from jen1cli.diffusion import Noise, Start
from jen1cli.errors import ConfigError
from jen1cli.midi import Passage
from jen1cli.pipeline.composing import played_by
from jen1cli.pipeline.denoising import Canvas, Prompts, encode_prompts, fill
from jen1cli.pipeline.edits.patches import copied_patch, decoded_patches
from jen1cli.pipeline.edits.repetition import LONGEST_SECONDS, Guess, guess
from jen1cli.pipeline.edits.sections import EditSection, plan_sections
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.edits.transcribing import transcribe_controls
from jen1cli.pipeline.networks import Networks
from jen1cli.pipeline.played import timed_near
from jen1cli.pipeline.windows import Span
from jen1cli.progress import Progress
from jen1cli.recipe import Copy
from jen1cli.sampling import Sampling

# chosen on recordings by people, by chroma, onsets and mel distance to what was there
_COPIED_FIT = 0.35
_CHANGED_FIT = 0.2
_CHANGED_NOVELTY = 0.6

Plan = Mapping[Span, tuple[Guess, float]]
"""Guesses for unknown intervals, with the novelty of what is made of them."""


@dataclass(frozen=True)
class Filled:
    """What fills the unknown intervals of a recording.

    Attributes:
        patches: samples, in the order of time.
        passages: the controls that were played, where the network played.
        copies: what was copied, or changed from a copy.
    """

    patches: tuple[Patch, ...]
    passages: tuple[Passage, ...]
    copies: tuple[Copy, ...]


Begun = Callable[[Filled], None]
"""Receives what is known before the network makes samples: passages and copies, no patches."""


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
    played: Sequence[Passage] = (),
    begun: Begun | None = None,
) -> Filled:
    """Fill the unknown intervals of a recording.

    Args:
        networks: the model's networks.
        timeline: the recording.
        prompt: description of the new music.
        sampling: settings.
        noise: the piece's noise; its generator serves the transcription too.
        window: most frames in one sampling.
        context: known frames in front of each window of a long stretch.
        reach: most known frames that condition the windows, on both sides of a section.
        direction: direction of continuation.
        progress: called with (steps done, steps in all).
        played: in the recording, on the clock of the result.
        begun: called before the network makes the samples of the last section.
    """
    if sampling.composer == "rules":
        raise ConfigError(
            "the composer 'rules' writes whole pieces; a recording is transcribed, and what the"
            " transcription leaves open 'learned' writes, while 'none' leaves it to the text"
        )
    plan = _plan(timeline, prompt, sampling, played)
    copied = {span: found for span, (found, novelty) in plan.items() if novelty == 0.0}
    copies = [copy for found in copied.values() for copy in found.copies]
    by_copy = {span: copied_patch(timeline, span, found.signal) for span, found in copied.items()}
    if len(copied) == len(timeline.unknown):
        return Filled(tuple(by_copy.values()), (), tuple(copies))
    sections = plan_sections(
        timeline,
        window=window,
        context=context,
        reach=reach,
        decoder_reach=networks.autoencoder.reach_frames,
        causal_continuation=direction == "unidirectional",
    )
    sections = [one for one in sections if not copied.keys() >= set(one.spans)]
    for section in sections:
        novelty = _novelty(section, plan)
        if novelty < 1.0:
            changed = (plan[span][0].copies for span in section.spans if span not in copied)
            copies += [dataclasses.replace(c, novelty=novelty) for found in changed for c in found]
    copies.sort(key=lambda copy: copy.start)
    prompts = encode_prompts(
        networks,
        [prompt],
        sampling.negative_prompt,
        sampling.controls,
        sampling.effective_composer,
    )
    patches, passages = make_patches(
        networks, timeline, sections, prompts, sampling, noise, progress, plan, played,
        lambda played: begun(Filled((), tuple(played), tuple(copies))) if begun else None,
    )  # fmt: skip
    spans = (span for section in sections for span in section.spans)
    by_span = dict(zip(spans, patches, strict=True)) | by_copy
    chosen = tuple(by_span[span] for span in sorted(timeline.unknown))
    return Filled(chosen, tuple(passages), tuple(copies))


def _plan(timeline: Timeline, prompt: str, sampling: Sampling, played: Sequence[Passage]) -> Plan:
    """Return what is guessed for the unknown intervals, and how new they become.

    Music that was made here keeps strict time: it is copied by whole bars.

    Raises:
        ConfigError: the novelty needs a guess, and there is none.
    """
    novelty = sampling.novelty
    if novelty == 1.0 or (novelty is None and sampling.asks_for_more(prompt)):
        return {}
    plan: dict[Span, tuple[Guess, float]] = {}
    for span in timeline.unknown:
        found = guess(
            timeline, span, timed_near(played, span[0] / timeline.rate, sampling.controls)
        )
        if found is not None:
            plan[span] = found, usual_novelty(found.fit) if novelty is None else novelty
        elif novelty is not None:
            start, stop = (at / timeline.rate for at in span)
            raise ConfigError(
                f"nothing in the recording can fill {start:.2f}-{stop:.2f}s, which novelty"
                f" {novelty:g} starts from: too little is known, or it is longer than"
                f" {LONGEST_SECONDS:g} s; leave the novelty out, or give 1"
            )
    return plan


def usual_novelty(fit: float) -> float:
    """Return how new music is made for a guess of that fit (`Guess.fit`)."""
    if fit >= _COPIED_FIT:
        return 0.0
    return _CHANGED_NOVELTY if fit >= _CHANGED_FIT else 1.0


def make_patches(
    networks: Networks,
    timeline: Timeline,
    sections: Sequence[EditSection],
    prompts: Prompts,
    sampling: Sampling,
    noise: Noise,
    progress: Progress | None,
    plan: Plan | None = None,
    played: Sequence[Passage] = (),
    begun: Callable[[list[Passage]], None] | None = None,
) -> tuple[list[Patch], list[Passage]]:
    """Generate the samples of all unknown intervals, at the file's rate and layout; see `edit`.

    Args:
        networks: the model's networks.
        timeline: the recording.
        sections: result of `plan_sections`.
        prompts: one encoded prompt.
        sampling: settings.
        noise: the piece's noise; its generator serves the transcription too.
        progress: called with (steps done, steps in all).
        plan: guesses from which sampling starts; without one it starts from noise.
        played: in the recording, on the clock of the result.
        begun: called with all passages before the samples of the last section are made.
    """
    patches: list[Patch] = []
    passages: list[Passage] = []
    done, total = 0, sum(len(section.windows) for section in sections) * sampling.steps
    plan = plan or {}
    for section in sections:
        novelty = _novelty(section, plan)
        guesses = {span: plan[span][0].signal for span in section.spans} if novelty < 1.0 else {}
        canvas, raw = _known_canvas(networks, timeline, section)
        count = len(section.windows) * sampling.steps
        found = transcribe_controls(
            networks, prompts, timeline, section, canvas, noise.generator,
            sampling.effective_composer, played,
        )  # fmt: skip
        rate = networks.frame_rate
        begin, end = section.unknown[0][0] / rate, section.unknown[-1][1] / rate
        (controls,) = found.controls
        controls = played_by(networks, controls, sampling.instruments, begin, end - begin)
        clock = section.start / rate
        passages += [
            Passage(controls.shifted(clock), clock + first / rate, clock + last / rate)
            for first, last in section.unknown
        ]
        if begun is not None and section is sections[-1]:
            begun(passages)
        filled = fill(
            networks,
            canvas,
            section.windows,
            dataclasses.replace(found, controls=(controls,)),
            sampling,
            [noise],
            _after(progress, done, total),
            start=_start(networks, timeline, section, guesses, novelty),
        )
        done += count
        made = networks.whitening.unwhiten(filled)
        for start, stop in section.unknown:
            raw[..., start:stop] = made[..., start:stop]
        patches += decoded_patches(networks, timeline, section, raw, guesses)
    return patches, passages


def _after(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Return the callback of a section; sections differ in length, so steps are added."""
    if progress is None:
        return None
    return lambda step, _: progress(done + step, total)


def _novelty(section: EditSection, plan: Plan) -> float:
    """Return how new a section becomes: the most of its intervals, 1 if one has no guess."""
    return max(plan[span][1] if span in plan else 1.0 for span in section.spans)


def _start(
    networks: Networks,
    timeline: Timeline,
    section: EditSection,
    guesses: Mapping[Span, Signal],
    novelty: float,
) -> Start | None:
    """Return the whitened latent of a section with its guesses, and the time to start from."""
    if not guesses:
        return None
    raw = _encoded(networks, timeline.filled(guesses), section.start, section.stop)
    return Start(networks.whitening.whiten(raw), novelty)


def _known_canvas(
    networks: Networks, timeline: Timeline, section: EditSection
) -> tuple[Canvas, torch.Tensor]:
    """Encode the known frames of a section; returns whitened canvas and unwhitened latent."""
    autoencoder = networks.autoencoder
    canvas = Canvas.empty(networks, section.stop - section.start)
    raw = torch.zeros(
        1, autoencoder.latent_channels, section.stop - section.start, device=networks.device
    )
    for start, stop in section.known:
        raw[..., start:stop] = _encoded(
            networks, timeline, section.start + start, section.start + stop
        )
        canvas.known[..., start:stop] = True
    canvas.latent.copy_(networks.whitening.whiten(raw))
    return canvas, raw


def _encoded(networks: Networks, timeline: Timeline, start: int, stop: int) -> torch.Tensor:
    """Return frames [start, stop) of the latent of the whole recording."""
    autoencoder = networks.autoencoder
    reach = autoencoder.reach_frames
    first, last = max(0, start - reach), min(timeline.frames, stop + reach)
    waveform = timeline.waveform(first, last, autoencoder.audio_channels)
    latent = autoencoder.encode(torch.from_numpy(waveform)[None].to(networks.device))
    return latent[..., start - first : stop - first]
