# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Lo-fi, hip-hop, trap, soul, funk, disco, gospel and rhythm and blues."""

from jen1cli.corpus.style import Drums, Style, Voice

LOFI = Style(
    name="lofi",
    tempo=(68, 92),
    modes="major:3 minor:3 dorian",
    harmony={"major": "lofi jazz_major", "minor": "lofi_minor", "dorian": "modal_dorian lofi_minor"},
    voices=(
        Voice("chords", "rhodes:4 grand_piano:4 nylon_guitar:2 fm_piano jazz_guitar:2", "lofi:4 lofi_roll:2 held", effects="lowpass:0.4(cutoff=3200) tape:0.4", voicing="rootless", strum=0.015, push=0.008),
        Voice("bass", "upright_bass:2 finger_bass:2 sub_bass:2", "lofi", effects="lowpass:0.5(cutoff=900)", push=0.008),
        Voice("melody", "vibraphone:2 jazz_guitar:2 flute grand_piano alto_sax rhodes music_box muted_trumpet nylon_guitar", "sparse:3 bluesy pentatonic", 0.7, 0.5, gain=-2, effects="lowpass:0.3(cutoff=4000)", delay=0.2, reverb=0.3),
        Voice("pad", "warm_pad slow_strings", "held", 0.3, voicing="open"),
        Voice("texture", "rain_noise", "steady", 0.12),
    ),
    drums=Drums("kit_lofi:5 kit_room", "lofi", "none:3 soft", 0.3, gain=-1, push=0.012, effects="lowpass:0.3(cutoff=6000) saturation:0.3"),
    energy=0.3,
    moods={"any": "chill relaxed mellow cozy nostalgic laid-back", "major": "warm", "minor": "wistful rainy"},
    swing=(0.25, 0.55, 0.64),
    forms="steady:3 lift",
    variants="full:8 nodrums:2 duo:1.5 solo",
    solos="grand_piano:3 rhodes:2 nylon_guitar jazz_guitar",
    timing=0.012,
    room="room",
    master="vinyl:0.4 tape:0.4 saturation:0.2",
    tags="chill",
)


BOOM_BAP = Style(
    name="boom bap",
    tempo=(84, 98),
    modes="minor:4 dorian:2 major",
    harmony={"minor": "lofi_minor soul_minor static_minor", "dorian": "modal_dorian", "major": "soul lofi"},
    voices=(
        Voice("bass", "upright_bass:2 finger_bass:2 sub_bass", "hiphop"),
        Voice("chords", "grand_piano:3 rhodes:2 strings clean_guitar vibraphone", "stabs lofi lofi_roll arp_sync", effects="lowpass:0.3(cutoff=4000) saturation:0.3"),
        Voice("melody", "muted_trumpet flute alto_sax clean_guitar strings", "sparse bluesy", 0.5, 0.5, effects="lowpass:0.3(cutoff=3800)"),
        Voice("stabs", "brass_section strings", "stabs hits", 0.35, 0.5, gain=-2),
    ),
    drums=Drums("kit_lofi:3 kit_room:2 kit_break:2", "boom_bap", "soft:2 none:2", 0.35, gain=1.5, push=0.006),
    energy=0.5,
    moods={"any": "gritty confident head-nodding streetwise cool", "minor": "moody dark", "major": "soulful feel-good"},
    swing=(0.25, 0.54, 0.62),
    cell=0.5,
    forms="steady:3 break",
    variants="full:9 nodrums rhythm",
    timing=0.009,
    master="vinyl:0.25 saturation:0.3",
    tags="beat",
)


TRAP = Style(
    name="trap",
    tempo=(130, 150),
    modes="minor:3 harmonic_minor:2 phrygian:2",
    harmony={"minor": "trap", "phrygian": "modal_phrygian trap"},
    voices=(
        Voice("bass", "bass_808", "trap", gain=2, legato=1.0),
        Voice("melody", "fm_bell:2 grand_piano:2 pluck flute choir square_lead music_box string_pluck", "trap sparse", gain=-1, delay=0.2, reverb=0.3),
        Voice("pad", "choir warm_pad strings dark_drone", "held", 0.7, gain=1, size=3),
        Voice("arpeggio", "pluck grand_piano crystal harp", "arp_sync broken", 0.4, 0.5, gain=-2),
    ),
    drums=Drums("kit_808", "trap:4 drill", "trap:2 none", 0.25, gain=1),
    energy=0.66,
    moods={"any": "dark menacing heavy confident cold brooding"},
    forms="steady:2 drop lift",
    variants="full:9 nodrums rhythm",
    timing=0.002,
    room="plate",
    master="saturation:0.3",
    tags="beat electronic",
)


FUNK = Style(
    name="funk",
    tempo=(94, 118),
    modes="dorian:3 mixolydian:3 minor",
    harmony={"dorian": "funk_minor modal_dorian", "mixolydian": "funk", "minor": "funk_minor"},
    voices=(
        Voice("bass", "slap_bass:3 finger_bass:3", "funk", gain=1, legato=0.75),
        Voice("chords", "clavinet:3 rhodes hammond", "funk_clav", effects="wah:0.5", legato=0.6, low=52, high=74),
        Voice("strum", "clean_guitar:2 muted_guitar", "funk_guitar", 0.85, pan=-0.5, size=3, low=57, high=78, legato=0.5, strum=0.004),
        Voice("stabs", "brass_section:3 synth_brass", "brass hits", 0.6, 0.5, low=55, high=78),
        Voice("melody", "alto_sax trumpet hammond tenor_sax", "bluesy brassy", 0.45, 0.6),
    ),
    drums=Drums("kit_standard kit_room", "funk", "snare soft toms", 0.5),
    energy=0.7,
    moods={"any": "funky groovy playful tight danceable sassy"},
    swing=(0.25, 0.5, 0.57),
    scale="pentatonic",
    forms="steady:2 break lift",
    variants="full:9 nodrums:0.5 rhythm",
    timing=0.006,
    room="studio",
    tags="band",
)


STYLES = (LOFI, BOOM_BAP, TRAP, FUNK)
