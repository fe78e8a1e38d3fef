# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Music for pictures and games: cinematic, epic, chiptune; and plain sounds."""

from jen1cli.corpus.style import Drums, Style, Voice

CINEMATIC = Style(
    name="cinematic",
    tempo=(66, 112),
    modes="minor:4 major:2 harmonic_minor dorian",
    harmony={"minor": "cinematic", "major": "cinematic_major"},
    voices=(
        Voice("pad", "strings:4 slow_strings:2", "held", gain=6, voicing="open", reverb=0.4),
        Voice("arpeggio", "strings pizzicato harp cello", "ostinato arp_minimal", 0.6, 0.4, size=3),
        Voice("bass", "contrabass:3 cello tuba", "whole halves sixeight", 0.9, gain=-1),
        Voice("melody", "french_horn:3 violin:2 cello oboe flute trumpet choir", "drama:3 lyrical", 0.85, gain=1, reverb=0.4),
        Voice("counter", "french_horn viola clarinet", "guide", 0.5, 0.5),
        Voice("percussion", "kit_orchestra", "cinema", 0.4, 0.5),
    ),
    drums=None,
    energy=0.5,
    moods={"any": "emotional sweeping dramatic majestic", "major": "hopeful heroic noble", "minor": "tragic mysterious solemn"},
    meters="4/4:5 3/4:2 6/8:2",
    forms="crescendo:3 lift aba",
    variants="full:7 nodrums:2 duo:0.5",
    timing=0.012,
    room="hall",
    tags="orchestral",
)


CHIPTUNE = Style(
    name="chiptune",
    tempo=(112, 172),
    modes="major:3 minor:3 dorian mixolydian",
    harmony={"major": "chip_major", "minor": "chip_minor", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("melody", "chip_square", "chip:3 hook", gain=0, reverb=0.0, low=64, high=90, pan=0.15),
        Voice("arpeggio", "chip_arp", "chip_arp", gain=-1, reverb=0.0, pan=-0.25, size=3),
        Voice("bass", "chip_triangle", "chip", gain=0, reverb=0.0, low=36, high=64),
        Voice("counter", "chip_square", "thirds answer", 0.35, 0.5, reverb=0.0, pan=-0.3),
    ),
    drums=Drums("kit_chip", "chip", "snare cut none", 0.2, gain=-2, reverb=0.0),
    energy=0.68,
    moods={"any": "playful retro energetic pixelated", "major": "cheerful bouncy happy", "minor": "adventurous tense heroic"},
    meters="4/4:7 3/4",
    forms="verse steady aba",
    variants="full:9 nodrums",
    timing=0.0,
    room="dry",
    master="bitcrush:0.15",
    tags="electronic game",
)


SOUNDS = Style(
    name="sounds",
    tempo=(60, 60),
    modes="major",
    harmony={},
    voices=(),
    drums=None,
    energy=0.3,
    moods={},
    kind="sounds",
    extra={"share": "0.6"},
)


STYLES = (CINEMATIC, CHIPTUNE, SOUNDS)
