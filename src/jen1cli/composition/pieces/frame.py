"""Frame of a piece: style's ensemble, metre, tempo, key, and length in bars."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jen1cli.composition.composer import mode_weights, tempo_range
from jen1cli.composition.ensemble import fitting_grooves
from jen1cli.composition.harmony.chord_loops import is_minor
from jen1cli.composition.harmony.theory import KEYS
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS, Meter, Swing
from jen1cli.composition.styles.style import Drums, Style, read_weights
from jen1cli.composition.words import PromptHints
from jen1cli.music.chords import MAX_BARS
from jen1cli.music.controls import MAX_BPM, Controls
from jen1cli.music.keys import accidentals, key_of_chart, key_of_melody
from jen1cli.music.patterns import NONE, Pattern, Sound

ENDS_FROM = 16.0
"""Seconds from which a piece has whole bars, so that it can end in a cadence."""

_ODD_METERS = frozenset(("5/4", "7/8"))  # only where they are asked for
_TYPICAL = 0.5  # weight of an option, relative to the heaviest, from which it is typical
# most relative change of an open tempo that makes an even number of bars fit the length
_STRETCH = 0.03
_LEAST_ENDING = 0.6  # part of the last bar, inside the piece, in which a piece can end
_CERTAIN_DRUMS = 0.7  # chance of drums in a style from which they always play
_CERTAIN_LEAD = 0.5  # chance of a leading voice in a style from which it always plays
# variants that honour "no drums"; "full" and "rhythm" differ from them by drums alone
_WITHOUT_DRUMS = frozenset(("nodrums", "duo", "solo"))


@dataclass(frozen=True)
class Frame:
    """Metre, tempo, key and length of one piece."""

    meter: Meter
    felt_bpm: float
    tonic: int  # pitch class
    mode: str
    swing: Swing
    beats: float  # exact length in quarter notes
    bars: int  # whole bars that contain it
    last_bar: int  # index of the last bar of which enough lies inside the piece to end in

    @property
    def bpm(self) -> float:
        """Quarter notes per minute."""
        return self.felt_bpm * self.meter.pulse

    @property
    def bar_seconds(self) -> float:
        """Length of a bar."""
        return self.meter.beats * 60.0 / self.bpm

    @property
    def seconds(self) -> float:
        """Length of the piece."""
        return self.beats * 60.0 / self.bpm

    def sounds(self, pattern: Pattern, beats: float) -> Iterator[Sound]:
        """Yield the sounds of a pattern, which repeats, in the first beats of the piece.

        Args:
            pattern: with times in bars.
            beats: quarter notes, the unit of the sounds' times.
        """
        clock = Controls(bpm=self.felt_bpm, meter=self.meter.name)
        beat = 60.0 / self.bpm
        for sound in clock.sounding(pattern, 0.0, beats * beat):
            start, stop = round(sound.start / beat, 6), round(sound.stop / beat, 6)
            if start < beats:
                yield Sound(start, min(stop, beats), sound.number)


def choose_frame(
    style: Style, random: RandomStream, seconds: float, given: Controls, hints: PromptHints
) -> Frame:
    """Draw what is not given: metre, tempo, key and swing, within the style's ranges.

    An open tempo is changed to the nearest at which whole bars fit the length, and by up to 3 % so
    that their number is even. Keys with few accidentals are preferred. A piece longer than
    `MAX_BARS` bars ends there, since the patterns of `Controls` do; they repeat.

    Args:
        style: style of the piece.
        random: source of random choices.
        seconds: length of the piece.
        given: controls to keep; given chords or a given melody determine the key.
        hints: further requests of the prompt.
    """
    meter = _meter(style, random.substream("meter"), given)
    felt = given.bpm or _tempo(style, meter, random.substream("tempo"), seconds, hints.pace)
    tonic, mode = _key(style, random.substream("key"), given, hints)
    unit, least, most = style.swing
    beats = seconds * felt * meter.pulse / 60.0
    bars = min(MAX_BARS, max(1, math.ceil(beats / meter.beats - 1e-6)))
    beats = min(beats, bars * meter.beats)
    partial = beats / meter.beats - (bars - 1)
    return Frame(
        meter=meter,
        felt_bpm=felt,
        tonic=tonic,
        mode=mode,
        swing=Swing(unit, round(random.substream("swing").uniform(least, most), 3)),
        beats=beats,
        bars=bars,
        last_bar=bars - 1 if partial >= _LEAST_ENDING or bars == 1 else bars - 2,
    )


def typical(weights: dict[str, float]) -> dict[str, float]:
    """Return the options of at least half the largest weight; empty if there are no options."""
    most = max(weights.values(), default=0.0)
    return {name: weight for name, weight in weights.items() if weight >= _TYPICAL * most}


def _meter(style: Style, random: RandomStream, given: Controls) -> Meter:
    if given.meter:
        return METERS[given.meter]
    weights = read_weights(style.meters)
    even = {name: weight for name, weight in weights.items() if name not in _ODD_METERS}
    meters = typical(even or weights)
    if "4/4" in meters and any(part not in ("", NONE) for part in (given.drums, given.melody)):
        return METERS["4/4"]  # that of patterns whose metre nobody names
    return METERS[random.weighted(meters)]


def _felt_range(style: Style, meter: Meter) -> tuple[float, float]:
    """Return the range of a style's tempo in felt beats, within that of `Controls`.

    Styles give quarter notes per minute where a felt beat is shorter than a quarter, as in 7/8.
    """
    shortened = min(1.0, meter.pulse)
    slowest, fastest = (min(MAX_BPM, tempo / shortened) for tempo in tempo_range(style, meter))
    return slowest, fastest


def _tempo(style: Style, meter: Meter, random: RandomStream, seconds: float, pace: int) -> float:
    slowest, fastest = _felt_range(style, meter)
    third = (fastest - slowest) / 3.0
    low = fastest - third if pace > 0 else slowest
    high = slowest + third if pace < 0 else fastest
    felt = float(round(random.uniform(low, high)))
    if seconds < ENDS_FROM:
        return felt
    bar_beats = meter.beats / meter.pulse
    whole = round(seconds * felt / 60.0 / bar_beats)
    reach = max(1, math.ceil(whole * _STRETCH))
    options = [
        (bars % 2 + (bars % 4 > 0), abs(bars - whole), bars * bar_beats * 60.0 / seconds)
        for bars in range(max(1, whole - reach), whole + reach + 1)
    ]
    options = [option for option in options if low <= option[2] <= high]
    near = [option for option in options if abs(option[2] / felt - 1.0) <= _STRETCH]
    if near:
        return min(near)[2]
    return min((tempo for *_, tempo in options), key=lambda t: abs(t - felt), default=felt)


def _key(
    style: Style, random: RandomStream, given: Controls, hints: PromptHints
) -> tuple[int, str]:
    key, mode = given.key, given.mode
    if not key and given.chords:
        # their mode is plain, whatever mood the words name
        key, mode = key_of_chart(given.chords, hints.tonic)
    if not key and given.melody:
        key, mode = key_of_melody(given.melody, hints.tonic, hints.minor)
    modes = mode_weights(style)
    minor = hints.minor
    if minor is None and hints.tonic:
        minor = False  # by convention "in E" is not E minor; a style of minor modes alone stays so
    if minor is not None:
        modes = {m: w for m, w in modes.items() if is_minor(m) == minor} or modes
    if not key:
        mode = random.weighted(modes)
        key = hints.tonic or random.substream("tonic").weighted(
            {tonic: 1.0 / (2 + accidentals(tonic, mode)) for tonic in KEYS}
        )
    return KEYS.index(key), mode


def choose_variant(style: Style, random: RandomStream, given: Controls, hints: PromptHints) -> str:
    """Choose the ensemble: the full one unless the words or the controls ask for another.

    Args:
        style: style of the piece.
        random: source of random choices.
        given: controls to keep; drums or a melody among them need an ensemble that has them.
        hints: further requests of the prompt.

    Returns:
        a variant of `jen1cli.composition.ensemble.arrange`.
    """
    variants = read_weights(style.variants)
    has_melody = given.melody not in ("", NONE)
    silent = hints.drums is False or given.drums == NONE
    if hints.ensemble == "drums" and not (silent or given.chords or has_melody):
        return "drums"
    if hints.drums:
        return "full"
    if hints.ensemble == "solo" and style.solos:
        return "solo"
    if hints.ensemble in ("solo", "duo"):  # the smallest ensemble of a style without soloists
        return "duo"
    if silent:
        quiet = {name: weight for name, weight in variants.items() if name in _WITHOUT_DRUMS}
        return random.weighted(quiet) if quiet else "nodrums"
    return "full" if "full" in variants else random.weighted(variants)


def fitted_style(style: Style, meter: Meter, given: Controls, hints: PromptHints) -> Style:
    """Return a style with its typical drums and leading voice, or with drums where asked for.

    It has no cadence: that of a piece is laid into its chords.
    """
    drums = style.drums
    if drums is None and hints.drums:
        drums = Drums("kit_standard", "rock pop" if style.energy >= 0.5 else "soft")
    if drums is not None:
        grooves = typical(fitting_grooves(read_weights(drums.grooves), meter.name))
        sure = hints.drums or drums.chance >= _CERTAIN_DRUMS or given.drums not in ("", NONE)
        drums = replace(
            drums,
            grooves=" ".join(f"{name}:{weight:g}" for name, weight in grooves.items()),
            chance=1.0 if sure else drums.chance,
        )
    leads = [voice for voice in style.voices if voice.role in ("melody", "riff")]
    lead = max(leads, key=lambda voice: voice.chance, default=None)
    voices = tuple(
        replace(voice, chance=1.0) if voice is lead and voice.chance >= _CERTAIN_LEAD else voice
        for voice in style.voices
    )
    return replace(style, drums=drums, voices=voices, cadence="")
