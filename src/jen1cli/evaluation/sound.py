"""What is heard of attacks, air and tones: the measures of `metrics/` in the bands reported.

`describe` needs one sound; `compare` needs an original beside it. `jen1 evaluate codec` shows both,
`jen1 evaluate prompts` the first, for generated and for real music.
"""

from jen1cli.audio import Signal
from jen1cli.metrics.bands import band_level, spectral_flatness
from jen1cli.metrics.envelopes import band_envelope
from jen1cli.metrics.modulation import line_level
from jen1cli.metrics.partials import pitch_movement
from jen1cli.metrics.signals import log_spectral_distance
from jen1cli.metrics.transients import (
    Places,
    attack_correlation,
    attack_crest,
    attack_time,
    find_attacks,
    pre_echo,
)
from jen1cli.metrics.tuning import partials_in_tune

Band = tuple[float, float]  # Hz

ATTACK_BANDS: tuple[Band, ...] = ((3_000.0, 6_000.0), (6_000.0, 16_000.0))
CORRELATION_BANDS: tuple[Band, ...] = ((1_500.0, 6_000.0), (6_000.0, 16_000.0))
LINE_BANDS: tuple[Band, ...] = ((3_000.0, 6_000.0), (400.0, 2_500.0))  # once, twice the frame rate
TOP_BAND: Band = (14_000.0, 18_000.0)
TUNED_BANDS: tuple[Band, ...] = ((40.0, 180.0), (180.0, 1_400.0))
SHORT_WINDOW = 512  # samples of the spectra that see attacks

NOTE = (
    "Attack time: median of 10 to 90 % of the rise. Pre-echo: level from 25 to 8 ms before the"
    " peak. Crest: peak over root mean square of 100 ms, above 1.5 kHz. Line: the envelope's"
    " spectrum at the frame rate of the latents, over its neighbours. Pitch movement: as the depth"
    " of a vibrato. Flatness: 0.56 is white noise, 0 a tone; levels of a band are against the"
    " whole. In tune: partials of the original that are there within 15 cents."
)


def find_places(signal: Signal, sample_rate: int) -> dict[Band, Places]:
    """Return the attacks of a sound, in seconds, by band."""
    mono = signal.mean(0)
    return {band: find_attacks(band_envelope(mono, sample_rate, band)) for band in ATTACK_BANDS}


def describe(
    signal: Signal,
    sample_rate: int,
    frame_rate: float,
    places: dict[Band, Places] | None = None,
) -> dict[str, float]:
    """Return the measures that need no original, by name; NaN where one cannot be measured.

    Args:
        signal: [channels, samples]; all but the top's figures are of the mean of its channels.
        sample_rate: Hz.
        frame_rate: frame rate of the latents, per second: where a staircase would be.
        places: places of the attacks, from the original; None finds them in the sound.
    """
    mono = signal.mean(0)
    places = find_places(signal, sample_rate) if places is None else places
    envelopes = {
        band: band_envelope(mono, sample_rate, band) for band in {*ATTACK_BANDS, *LINE_BANDS}
    }
    lines = {(i + 1) * frame_rate: band for i, band in enumerate(LINE_BANDS)}
    top = label(TOP_BAND)
    return {
        **{f"attack time {label(band)}, ms": attack_time(envelopes[band], places[band])
           for band in ATTACK_BANDS},
        **{f"pre-echo {label(band)}, dB": pre_echo(envelopes[band], places[band])
           for band in ATTACK_BANDS},
        "crest of attacks, dB": attack_crest(mono, sample_rate, places[ATTACK_BANDS[0]]),
        **{f"line at {hertz:.1f} Hz, {label(band)}, dB": line_level(envelopes[band], hertz)
           for hertz, band in lines.items()},
        "pitch movement 0.5-2 kHz, cents": pitch_movement(mono, sample_rate),
        f"flatness {top}": spectral_flatness(signal, sample_rate, TOP_BAND),
        f"level {top}, dB": band_level(signal, sample_rate, TOP_BAND),
    }  # fmt: skip


def compare(original: Signal, back: Signal, sample_rate: int) -> dict[str, float]:
    """Return the measures that need the original, by name.

    Args:
        original: [channels, samples].
        back: what became of it, in time with it, of the same shape.
        sample_rate: Hz.
    """
    pairs = {
        band: [band_envelope(one.mean(0), sample_rate, band) for one in (original, back)]
        for band in CORRELATION_BANDS
    }
    return {
        **{f"attack correlation {label(band)}": attack_correlation(*pair)
           for band, pair in pairs.items()},
        f"log-spectral distance, {SHORT_WINDOW} samples, dB": log_spectral_distance(
            original, back, SHORT_WINDOW
        ),
        **{f"partials in tune {low:g}-{high:g} Hz, %":
           partials_in_tune(original.mean(0), back.mean(0), sample_rate, (low, high))
           for low, high in TUNED_BANDS},
    }  # fmt: skip


def label(band: Band) -> str:
    """Return a band in words: `3-6 kHz`."""
    return f"{band[0] / 1000:g}-{band[1] / 1000:g} kHz"
