# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Country, folk, celtic and other music of unplugged strings."""

from jen1cli.corpus.style import Drums, Style, Voice

FOLK = Style(
    name="folk",
    tempo=(78, 124),
    modes="major:4 mixolydian minor:2 dorian",
    harmony={"major": "folk_major", "mixolydian": "modal_mixolydian", "minor": "folk_minor"},
    voices=(
        Voice("chords", "steel_guitar:4 nylon_guitar", "pick:2 travis:2 strum:2 strum_68 strum_slow", strum=0.012, low=45, high=69, size=4),
        Voice("bass", "upright_bass:2 finger_bass", "country halves sixeight", 0.6),
        Voice("melody", "fiddle flute harmonica steel_guitar recorder clarinet accordion", "folk:3 pentatonic", 0.85, 0.4),
        Voice("counter", "cello viola", "guide", 0.35, 0.5),
    ),
    drums=Drums("kit_brush kit_room", "soft:2 country slow_68", "none:2 soft", 0.2, gain=-5, chance=0.35),
    energy=0.32,
    moods={"any": "earthy honest gentle rustic heartfelt", "major": "sunny hopeful", "minor": "wistful lonely"},
    meters="4/4:4 3/4:2 6/8:3",
    cadence="plain",
    forms="aba verse",
    variants="full:6 nodrums:3 duo:2 solo:2",
    solos="steel_guitar:3 nylon_guitar:2 fiddle banjo dulcimer",
    timing=0.011,
    room="room",
    tags="acoustic",
)


STYLES = (FOLK,)
