"""Controls of new pieces: composed by rule, sampled by the learned predictors, or none but given.

Every given control is kept. The composer by rule chooses a style that the words name or that the
text encoder's classifier finds, composes a score of the piece's length, and passes on what the
network's channels take of it. It is imported where it is used: the other composers need none of it.
"""

import dataclasses
import logging
from collections.abc import Sequence

from jen1cli.config import ComposerName
from jen1cli.errors import ConfigError
from jen1cli.music.controls import (
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_PARTS,
    NO_CONTROLS,
    PLAYED_CHANNELS,
    Controls,
)
from jen1cli.music.forms import Form, parse_form
from jen1cli.music.instruments import DRUM_FAMILIES, families_alone, with_families
from jen1cli.music.patterns import NONE
from jen1cli.pipeline.denoising import Prompts, seeded
from jen1cli.pipeline.networks import Networks
from jen1cli.sampling import Sampling, SamplingOptions

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class ComposedPrompts:
    """Prompts with complete controls, and what wrote them."""

    prompts: Prompts
    composer: ComposerName
    styles: tuple[str, ...]  # one per piece; "" if no style was chosen


def check_composer(networks: Networks, options: SamplingOptions) -> None:
    """Refuse a learned composer that is asked for by name where there is none.

    As a default it leaves the controls open there.
    """
    if options.get("composer") == "learned" and networks.predictor is None:
        raise ConfigError(
            "this model has no learned composer; choose the composer 'rules' or 'none'"
        )


def warn_unplayed(networks: Networks, options: SamplingOptions) -> None:
    """Warn of a given score or given instruments that only the text can tell the network.

    Recipes are followed without this warning: it came when the piece was first made.
    """
    if networks.unet.config.control_channels >= PLAYED_CHANNELS:
        return
    if (options.get("controls") or NO_CONTROLS).score is not None:
        logger.warning(
            "this model plays tempo, key, chords, drums and melody of a score; its other parts and"
            " its instruments it takes from the words alone"
        )
    if options.get("instruments"):
        logger.warning(
            "this model takes instruments from the words alone, so name them in the prompt too;"
            " only the written score follows --instruments"
        )


def write_controls(
    networks: Networks,
    prompts: Prompts,
    texts: Sequence[str],
    seeds: Sequence[int],
    seconds: float,
    sampling: Sampling,
    *,
    loops: bool = False,
) -> ComposedPrompts:
    """Write the controls that are not given, for pieces of a given length.

    Args:
        networks: the model's networks.
        prompts: encoded, with the given controls.
        texts: the same prompts as text, in English.
        seeds: one per piece.
        seconds: length of the pieces.
        sampling: which composer, and its style.
        loops: whether the end of a piece leads to its beginning.

    Raises:
        ConfigError: the composer by rule has no style to choose, or the network takes no controls.
    """
    form = parse_form(sampling.form) if sampling.form else None
    styles = ("",) * len(texts)
    composer = sampling.effective_composer
    found = list(prompts.controls)
    if composer == "rules":
        _check_rules(networks, sampling.style)
        styles = tuple(
            sampling.style or choose_style(networks, prompts, texts, i, seeds[i])
            for i in range(len(texts))
        )
        found = [
            _composed(networks, *piece, seconds, sampling.instruments, loops=loops, form=form)
            for piece in zip(found, styles, texts, seeds, strict=True)
        ]
    elif composer == "learned" and networks.predictor is not None:
        found = [
            networks.predictor.complete(
                one, prompts.text[i : i + 1], prompts.mask[i : i + 1], seeded(seed), seconds
            )
            for i, (one, seed) in enumerate(zip(found, seeds, strict=True))
        ]
    else:
        composer = "none"
    controls = tuple(
        played_by(networks, one.begun(), sampling.instruments, 0.0, seconds).until(seconds)
        for one in found
    )
    return ComposedPrompts(dataclasses.replace(prompts, controls=controls), composer, styles)


def timed_by_form(
    networks: Networks,
    prompts: Prompts,
    text: str,
    seed: int,
    sampling: Sampling,
    seconds: float | None,
) -> tuple[Sampling, float]:
    """Return settings with style, tempo and metre of a piece that has a form, and its length.

    Args:
        networks: the model's networks.
        prompts: one encoded prompt, with the given controls.
        text: the same prompt as text.
        seed: the piece's seed.
        sampling: settings, with a form.
        seconds: given length, which determines an open tempo; None: that of the bars.

    Raises:
        ConfigError: form, tempo and length contradict each other, or there is no style.
    """
    from jen1cli.composition.pieces.sections import timed
    from jen1cli.composition.words import read_hints

    _check_rules(networks, sampling.style)
    given = prompts.controls[0]
    if given.score is not None and not given.score.style:  # none that the rules have written
        raise ConfigError("a score has the form of its own notes; leave the form or the score out")
    style = sampling.style or choose_style(networks, prompts, [text], 0, seed, is_music=True)
    form = parse_form(sampling.form)
    timed_controls = timed(style, seed, form, given, read_hints(text), seconds)
    return (
        dataclasses.replace(sampling, controls=timed_controls, style=style),
        form.bars * timed_controls.bar_seconds if seconds is None else seconds,
    )


def _check_rules(networks: Networks, style: str) -> None:
    if style:
        from jen1cli.composition.styles import check_style

        check_style(style)
    if not networks.unet.config.control_channels:
        raise ConfigError("this model takes no score that a composer could write; use 'none'")


def choose_style(
    networks: Networks,
    prompts: Prompts,
    texts: Sequence[str],
    index: int,
    seed: int,
    *,
    is_music: bool = False,
) -> str:
    """Choose the style of one piece: a named one, or one that the seed draws from the likeliest.

    It is music, not noises, where any control is given.

    Args:
        networks: the model's networks.
        prompts: encoded, with the given controls.
        texts: the same prompts as text.
        index: which of them.
        seed: the piece's seed.
        is_music: whether it is music, whatever is given.

    Raises:
        ConfigError: the words name no style, and the text encoder has no classifier.
    """
    from jen1cli.composition.random_stream import RandomStream
    from jen1cli.composition.words import style_weights

    classifier = networks.text_encoder.styles
    shares = None
    if classifier is not None:
        one = slice(index, index + 1)
        shares = classifier.probabilities(prompts.text[one], prompts.mask[one])
    given = is_music or prompts.controls[index] != NO_CONTROLS
    weights = style_weights(texts[index], shares, music_only=given)
    if not weights:
        raise ConfigError(
            f"'{texts[index][:60]}' names no style, and this model cannot read one from other"
            " words; name one, such as 'jazz trio', or choose the composer 'learned'"
        )
    return RandomStream(seed, "style").weighted(weights)


def _composed(
    networks: Networks,
    given: Controls,
    style: str,
    text: str,
    seed: int,
    seconds: float,
    instruments: tuple[str, ...],
    *,
    loops: bool,
    form: Form | None,
) -> Controls:
    from jen1cli.composition.full_score import full_score
    from jen1cli.composition.pieces.piece import compose_piece
    from jen1cli.composition.transcription import score_controls
    from jen1cli.composition.words import read_hints

    if instruments and not given.drums and not set(instruments) & set(DRUM_FAMILIES):
        given = dataclasses.replace(given, drums=NONE)
    length = seconds + given.upbeat
    piece = compose_piece(style, seed, length, given, read_hints(text), loops=loops, form=form)
    written = score_controls(piece)
    channels = networks.unet.config.control_channels
    if channels < CHANNELS_WITH_PARTS:
        written = dataclasses.replace(written, drums="", melody="")
    if channels < CHANNELS_WITH_CHORDS:
        written = dataclasses.replace(written, chords="")
    if form is not None:  # the given chords are among those of the sections
        given = dataclasses.replace(given, chords="")
    found = given.over(written).begun()
    whole = full_score(piece).shifted(found.downbeat)
    score = whole if found.score is None else found.score.over(whole)
    return dataclasses.replace(found, score=score)


def played_by(
    networks: Networks,
    controls: Controls,
    instruments: tuple[str, ...],
    start: float,
    seconds: float,
) -> Controls:
    """Return controls whose score has only the given families of instruments.

    Without a score, a network that takes one gets the families alone, and which notes they play is
    left open.

    Args:
        networks: the model's networks.
        controls: controls of one piece.
        instruments: families of `FAMILIES`; empty: any.
        start: beginning of the new music on the controls' clock, in seconds.
        seconds: its length.
    """
    if not instruments:
        return controls
    takes_score = networks.unet.config.control_channels >= PLAYED_CHANNELS
    score = controls.score
    if score is None and not takes_score:
        return controls
    if score is None:
        return dataclasses.replace(controls, score=families_alone(instruments, start, seconds))
    drums = controls.drums if set(instruments) & set(DRUM_FAMILIES) else NONE
    if networks.unet.config.control_channels < CHANNELS_WITH_PARTS:
        drums = controls.drums
    return dataclasses.replace(controls, score=with_families(score, instruments), drums=drums)
