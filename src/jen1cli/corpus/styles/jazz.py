# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Jazz trio, swing, bossa nova, blues and lounge."""

from jen1cli.corpus.style import Drums, Style, Voice

JAZZ_TRIO = Style(
    name="jazz trio",
    tempo=(84, 210),
    modes="major:3 minor:2 dorian",
    harmony={"major": "jazz_major", "minor": "jazz_minor", "dorian": "modal_dorian jazz_minor"},
    voices=(
        Voice("chords", "grand_piano:4 jazz_guitar rhodes vibraphone", "charleston:3 freddie", voicing="rootless", low=50, high=72, legato=0.8),
        Voice("bass", "upright_bass", "walk:4 walk_two"),
        Voice("melody", "grand_piano:3 jazz_guitar:2 vibraphone tenor_sax trumpet", "bebop:2 swing:2", gain=1),
    ),
    drums=Drums("kit_jazz:2 kit_brush:2", "jazz:2 brush", "jazz brush none", 0.5, gain=-2, chance=0.85),
    energy=0.45,
    moods={"any": "smoky sophisticated swinging intimate cool", "major": "light-hearted warm", "minor": "noirish moody"},
    meters="4/4:6 3/4:2 5/4:2",
    swing=(0.5, 0.6, 0.68),
    cadence="jazz",
    forms="aba:2 steady",
    variants="full:8 nodrums:1.5 duo solo",
    solos="grand_piano:3 jazz_guitar vibraphone",
    timing=0.012,
    room="room",
    tags="acoustic jazz",
    extra={"solo_comp": "stride:2 charleston"},
)


BOSSA_NOVA = Style(
    name="bossa nova",
    tempo=(112, 146),
    modes="major:3 minor:2",
    harmony={"major": "bossa jazz_major", "minor": "bossa_minor"},
    voices=(
        Voice("chords", "nylon_guitar", "bossa", low=48, high=69, strum=0.006, legato=0.8),
        Voice("bass", "upright_bass:3 fretless_bass", "bossa"),
        Voice("melody", "flute:3 alto_sax:2 grand_piano:2 vibraphone voice_oohs nylon_guitar muted_trumpet", "bossa:3 lyrical"),
        Voice("pad", "slow_strings warm_pad", "held", 0.25),
    ),
    drums=Drums("kit_brush:2 kit_jazz", "bossa", "none:3 soft", 0.2, gain=-3),
    energy=0.35,
    moods={"any": "breezy relaxed elegant gentle sunny", "major": "warm charming", "minor": "bittersweet longing"},
    cadence="jazz",
    forms="aba steady",
    variants="full:8 nodrums:2 duo:1.5 solo",
    solos="nylon_guitar",
    timing=0.009,
    room="room",
    tags="acoustic latin",
)


STYLES = (JAZZ_TRIO, BOSSA_NOVA)
