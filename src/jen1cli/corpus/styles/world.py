# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Reggae, salsa, tango and music of further traditions."""

from jen1cli.corpus.style import Drums, Style, Voice

REGGAE = Style(
    name="reggae",
    tempo=(66, 84),
    modes="major:3 minor:3",
    harmony={"major": "reggae_major", "minor": "reggae_minor"},
    voices=(
        Voice("strum", "clean_guitar:2 muted_guitar", "skank", pan=-0.4, low=55, high=76, size=3, legato=0.4),
        Voice("chords", "hammond:3 grand_piano", "bubble skank", 0.9, pan=0.4, legato=0.5, size=3),
        Voice("bass", "finger_bass:3 sub_bass", "reggae", gain=2, effects="lowpass:0.4(cutoff=700)"),
        Voice("melody", "trombone tenor_sax hammond trumpet harmonica clean_guitar", "reggae:2 pentatonic", 0.7, 0.5, delay=0.3),
        Voice("stabs", "brass_section", "stabs", 0.3, 0.5),
    ),
    drums=Drums("kit_standard kit_room", "one_drop", "toms snare soft", 0.3),
    energy=0.42,
    moods={"any": "laid-back easygoing sunny groovy", "major": "happy carefree", "minor": "deep rebellious"},
    swing=(0.25, 0.5, 0.6),
    forms="steady:2 lift",
    variants="full:9 nodrums",
    timing=0.008,
    room="studio",
    tags="band",
)


STYLES = (REGGAE,)
