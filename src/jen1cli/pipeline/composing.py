"""Controls of new pieces: composed by rule, sampled by the learned predictors, or none but given.

Every given control is kept. The composer by rule chooses a style that the words name or that the
text encoder's classifier finds, composes a score of the piece's length, and passes on what the
network's channels take of it.
"""

import dataclasses
from collections.abc import Sequence

from jen1cli.composition.pieces.piece import compose_piece
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.styles import check_style
from jen1cli.composition.transcription import score_controls
from jen1cli.composition.words import read_wishes, style_weights
from jen1cli.config import ComposerName
from jen1cli.errors import ConfigError
from jen1cli.music.controls import CHANNELS_WITH_CHORDS, CHANNELS_WITH_PARTS, Controls
from jen1cli.pipeline.denoising import Prompts, seeded
from jen1cli.pipeline.networks import Networks
from jen1cli.sampling import Sampling


@dataclasses.dataclass(frozen=True)
class Written:
    """Prompts with complete controls, and what wrote them."""

    prompts: Prompts
    composer: ComposerName
    styles: tuple[str, ...]  # one per piece; "" if no style was chosen


def write_controls(
    networks: Networks,
    prompts: Prompts,
    texts: Sequence[str],
    seeds: Sequence[int],
    seconds: float,
    sampling: Sampling,
    *,
    loops: bool = False,
) -> Written:
    """Write the controls that are not given, for pieces of a given length.

    Args:
        networks: of the model.
        prompts: encoded, with the given controls.
        texts: the same prompts as text.
        seeds: one per piece.
        seconds: length of the pieces.
        sampling: which composer, and its style.
        loops: whether the end of a piece leads to its beginning.

    Raises:
        ConfigError: the composer by rule has no style to choose, or the network takes no controls.
    """
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
            _composed(networks, *piece, seconds, loops=loops)
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
    controls = tuple(one.with_bar_at(0.0) for one in found)
    return Written(dataclasses.replace(prompts, controls=controls), composer, styles)


def _check_rules(networks: Networks, style: str) -> None:
    if style:
        check_style(style)
    if not networks.unet.config.control_channels:
        raise ConfigError("this model takes no score that a composer could write; use 'none'")


def choose_style(
    networks: Networks, prompts: Prompts, texts: Sequence[str], index: int, seed: int
) -> str:
    """Choose the style of one piece: a named one, or one that the seed draws from the likeliest.

    Raises:
        ConfigError: the words name no style, and the text encoder has no classifier.
    """
    classifier = networks.text_encoder.styles
    shares = None
    if classifier is not None:
        one = slice(index, index + 1)
        shares = classifier.probabilities(prompts.text[one], prompts.mask[one])
    weights = style_weights(texts[index], shares)
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
    *,
    loops: bool,
) -> Controls:
    score = compose_piece(style, seed, seconds, given, read_wishes(text), loops=loops)
    written = score_controls(score)
    channels = networks.unet.config.control_channels
    if channels < CHANNELS_WITH_PARTS:
        written = dataclasses.replace(written, drums="", melody="")
    if channels < CHANNELS_WITH_CHORDS:
        written = dataclasses.replace(written, chords="")
    return given.over(written)
