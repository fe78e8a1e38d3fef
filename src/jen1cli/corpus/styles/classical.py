# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Baroque, waltz, romantic piano, minimalism and chamber music."""

from jen1cli.corpus.style import Style, Voice

ROMANTIC_PIANO = Style(
    name="romantic piano",
    tempo=(60, 104),
    modes="major:2 minor:3 harmonic_minor",
    harmony={"major": "classical_major pop_major", "minor": "classical_minor"},
    voices=(
        Voice("chords", "grand_piano", "nocturne:3 broken alberti ballad", pan=0.0, low=48, high=67, gain=-2),
        Voice("melody", "grand_piano", "lyrical:3 classical", pan=0.0, low=65, high=90, gain=0),
    ),
    drums=None,
    energy=0.25,
    moods={"any": "expressive tender intimate lyrical", "major": "warm loving", "minor": "melancholic longing sad"},
    meters="4/4:4 3/4:3 6/8:3",
    cadence="plain",
    forms="aba calm crescendo",
    timing=0.016,
    room="hall",
    tags="acoustic classical",
)


WALTZ = Style(
    name="waltz",
    tempo=(120, 186),
    modes="major:3 minor:2 harmonic_minor",
    harmony={"major": "classical_major", "minor": "classical_minor"},
    voices=(
        Voice("chords", "grand_piano:2 strings accordion:2 pizzicato harp", "waltz", legato=0.6, low=52, high=71, size=3),
        Voice("bass", "contrabass:2 upright_bass", "waltz", 0.8, legato=0.7),
        Voice("melody", "violin:3 clarinet flute accordion:2 strings oboe celesta", "waltz:3 classical"),
        Voice("counter", "cello french_horn clarinet", "guide thirds sixths", 0.5, 0.5),
    ),
    drums=None,
    energy=0.4,
    moods={"any": "elegant graceful dancing old-fashioned", "major": "charming cheerful", "minor": "bittersweet melancholic"},
    meters="3/4",
    cadence="plain",
    forms="aba verse",
    variants="full:6 duo:2 solo",
    solos="grand_piano accordion music_box",
    timing=0.011,
    room="hall",
    tags="acoustic classical",
)


STYLES = (ROMANTIC_PIANO, WALTZ)
