# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Rock, punk, metal, pop and ska."""

from jen1cli.corpus.style import Drums, Style, Voice

ROCK = Style(
    name="rock",
    tempo=(104, 148),
    modes="major:2 mixolydian:2 minor:3",
    harmony={"major": "rock_major", "mixolydian": "modal_mixolydian rock_major", "minor": "rock_minor"},
    voices=(
        Voice("riff", "overdriven_guitar:2 distorted_guitar:2", "power_riff:2 riff", 0.45, pan=0.5, low=40, high=64),
        Voice("chords", "overdriven_guitar:2 distorted_guitar:2", "power", pan=-0.5, size=3, low=43, high=64, legato=0.9, effects="distortion:0.2"),
        Voice("bass", "pick_bass:2 finger_bass:2", "rock", gain=1),
        Voice("melody", "distorted_guitar:2 rock_organ overdriven_guitar", "solo vocal", 0.55, 0.5, delay=0.15),
        Voice("pad", "rock_organ", "held", 0.3, gain=2),
    ),
    drums=Drums("kit_power:2 kit_room:2 kit_standard", "rock:4 halftime", "toms:2 snare", 0.3, gain=2),
    energy=0.78,
    moods={"any": "driving powerful gritty loud confident", "major": "triumphant feel-good", "minor": "angry brooding"},
    scale="pentatonic",
    forms="verse:2 steady lift",
    variants="full:9 nodrums:0.5 drums:0.5",
    timing=0.007,
    room="studio",
    master="compress:0.4",
    tags="band",
)


STYLES = (ROCK,)
