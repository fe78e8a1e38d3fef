# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Synthwave, vaporwave, trip hop, ambient and other electronic music for listening."""

from jen1cli.composition.styles.style import Drums, Style, Voice

SYNTHWAVE = Style(
    name="synthwave",
    tempo=(80.0, 120.0),
    modes="minor:4 dorian major:2",
    harmony={"minor": "pop_minor trance", "dorian": "pop_minor", "major": "pop_major"},
    voices=(
        Voice("bass", "analog_bass:3 fm_bass", "synthwave", effects="sidechain:0.3", low=28, high=56, legato=0.8),
        Voice("pad", "saw_pad:2 synth_strings warm_pad supersaw", "held", gain=3.0, chorus=0.5, voicing="open"),
        Voice("arpeggio", "arp_saw pluck", "arp_up arp_updown arp_wide", 0.6, 0.5, delay=0.25),
        Voice("melody", "saw_lead:3 square_lead synth_brass fm_bell", "anthem lead vocal", 0.8, 0.4, delay=0.35, reverb=0.4),
    ),
    drums=Drums("kit_eighties", "synthwave", "toms:2 snare none", 0.2, reverb=0.25),
    energy=0.62,
    moods={"any": "nostalgic neon retro cool cinematic", "minor": "moody wistful", "major": "hopeful dreamy"},
    forms="lift verse steady",
    variants="full:8 nodrums:1.5",
    timing=0.001,
    room="hall",
    master="saturation:0.2",
    tags="electronic",
)

SYNTH_POP = Style(
    name="synth pop",
    tempo=(104.0, 132.0),
    modes="major:3 minor:3 mixolydian",
    harmony={"major": "pop_major", "minor": "pop_minor", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("bass", "analog_bass:2 fm_bass:2", "synthwave disco pop", legato=0.75),
        Voice("chords", "saw_pad synth_strings synth_brass pluck fm_piano", "pop eighth held", chorus=0.4),
        Voice("arpeggio", "arp_saw pluck chip_square", "arp_up arp_sync", 0.6, 0.4, delay=0.2),
        Voice("melody", "square_lead saw_lead synth_brass fm_bell soft_lead", "vocal:2 hook", 0.9, 0.4, delay=0.2),
    ),
    drums=Drums("kit_eighties:3 kit_electronic:2", "synthwave pop disco", "toms snare cut", 0.2, reverb=0.15),
    energy=0.68,
    moods={"any": "catchy bright retro shiny danceable", "major": "cheerful playful", "minor": "icy wistful"},
    forms="verse:2 lift steady",
    variants="full:9 nodrums",
    timing=0.001,
    room="plate",
    tags="electronic",
)

VAPORWAVE = Style(
    name="vaporwave",
    tempo=(60.0, 84.0),
    modes="major:3 minor:2 lydian",
    harmony={"major": "soul lofi jazz_major", "minor": "soul_minor lofi_minor", "lydian": "modal_lydian"},
    voices=(
        Voice("chords", "fm_piano:3 rhodes saw_pad", "soul lofi held", chorus=0.6, effects="tape:0.6", reverb=0.4),
        Voice("bass", "fm_bass slap_bass fretless_bass", "soul rnb", effects="tape:0.5"),
        Voice("pad", "synth_strings glass_pad choir warm_pad", "held", 0.7, reverb=0.5, effects="tape:0.6"),
        Voice("melody", "alto_sax:2 soprano_sax fm_bell pan_flute soft_lead", "sparse vocal", 0.8, 0.3, delay=0.35, reverb=0.5, effects="tape:0.5"),
    ),
    drums=Drums("kit_eighties:3 kit_electronic", "rnb soul synthwave", "none toms", 0.15, gain=-1.0, reverb=0.3, effects="tape:0.4 lowpass:0.3(cutoff=5000)"),
    energy=0.28,
    moods={"any": "dreamy surreal hazy nostalgic slowed woozy"},
    forms="steady calm",
    variants="full:7 nodrums:2",
    timing=0.004,
    room="church",
    master="tape:0.5 hiss:0.2",
    tags="electronic chill",
)

TRIP_HOP = Style(
    name="trip hop",
    tempo=(70.0, 96.0),
    modes="minor:4 dorian harmonic_minor",
    harmony={"minor": "jazz_minor static_minor lofi_minor", "dorian": "modal_dorian"},
    voices=(
        Voice("bass", "sub_bass upright_bass finger_bass", "hiphop dub", gain=1.0),
        Voice("chords", "rhodes:3 grand_piano vibraphone clean_guitar", "lofi held stabs", effects="tremolo:0.3(beats=0.5)", reverb=0.3),
        Voice("pad", "strings slow_strings warm_pad choir", "held", 0.8, reverb=0.45),
        Voice("melody", "muted_trumpet oboe clean_guitar theremin flute", "sparse", 0.5, 0.4, delay=0.35, reverb=0.4),
        Voice("texture", "noise_texture rain_noise", "steady", 0.15),
    ),
    drums=Drums("kit_break:2 kit_lofi:2 kit_room", "boom_bap breaks lofi", "soft none", 0.4, gain=1.0, push=0.006, effects="saturation:0.4"),
    energy=0.4,
    moods={"any": "smoky moody dark cinematic brooding noir"},
    swing=(0.25, 0.52, 0.6),
    meters="4/4:8 3/4:1",
    forms="steady lift",
    variants="full:9 nodrums rhythm",
    timing=0.007,
    room="hall",
    master="vinyl:0.3 saturation:0.2",
    tags="electronic chill",
)

DOWNTEMPO = Style(
    name="downtempo",
    tempo=(86.0, 110.0),
    modes="dorian:2 minor:3 major:2",
    harmony={"dorian": "modal_dorian", "minor": "house lofi_minor ambient_minor", "major": "lofi ambient_major"},
    voices=(
        Voice("bass", "sub_bass analog_bass fretless_bass finger_bass", "rnb house hiphop"),
        Voice("pad", "warm_pad glass_pad saw_pad", "held", gain=2.0, reverb=0.45, effects="sidechain:0.3"),
        Voice("arpeggio", "kalimba marimba pluck harp vibraphone", "arp_sync arp_minimal pick", 0.75, delay=0.3),
        Voice("melody", "sitar flute shakuhachi soft_lead nylon_guitar cello", "sparse pentatonic", 0.6, 0.4, reverb=0.4, delay=0.3),
        Voice("percussion", "kit_standard", "tribal tabla", 0.4),
    ),
    drums=Drums("kit_electronic kit_808 kit_minimal", "minimal breaks soft amapiano", "none soft", 0.25, gain=-1.0),
    energy=0.42,
    moods={"any": "chilled organic hypnotic earthy atmospheric sunset"},
    swing=(0.25, 0.5, 0.57),
    meters="4/4:8 6/8:1",
    forms="steady lift calm",
    variants="full:8 nodrums:2",
    timing=0.005,
    room="hall",
    tags="electronic chill",
)

AMBIENT = Style(
    name="ambient",
    tempo=(54.0, 84.0),
    modes="major:3 lydian:2 minor:2 dorian",
    harmony={"major": "ambient_major", "lydian": "modal_lydian", "minor": "ambient_minor", "dorian": "ambient_minor modal_dorian"},
    voices=(
        Voice("pad", "warm_pad:3 glass_pad:2 slow_strings choir voice_oohs synth_strings", "held", gain=3.0, voicing="open", reverb=0.6),
        Voice("melody", "grand_piano:2 soft_lead crystal fm_bell flute rhodes cello harp", "ambient:3 sparse", 0.75, reverb=0.6, delay=0.35),
        Voice("arpeggio", "pluck harp rhodes kalimba vibraphone", "pick arp_wide broken", 0.35, gain=-3.0, reverb=0.5, delay=0.3),
        Voice("drone", "sub_bass dark_drone", "drone", 0.5, low=28, high=48),
        Voice("texture", "noise_texture rain_noise wind_noise sea_noise", "steady", 0.3, gain=-2.0),
    ),
    drums=None,
    energy=0.12,
    moods={"any": "calm spacious floating meditative serene peaceful", "minor": "melancholic distant", "major": "hopeful luminous"},
    meters="4/4:4 3/4:2 6/8:2 5/4",
    invent=0.15,
    forms="calm",
    timing=0.02,
    room="cave",
    tags="electronic",
)

DRONE = Style(
    name="drone",
    tempo=(50.0, 70.0),
    modes="minor:3 phrygian major lydian dorian",
    harmony={"minor": "drone_minor", "major": "drone"},
    voices=(
        Voice("drone", "dark_drone:3 reese_bass cello contrabass church_organ", "drone", gain=4.0, low=28, high=55, reverb=0.5),
        Voice("pad", "warm_pad choir glass_pad slow_strings tremolo_strings", "held", 0.8, gain=2.0, voicing="open", reverb=0.7),
        Voice("melody", "shakuhachi theremin soft_lead tubular_bells", "ambient", 0.35, gain=-3.0, reverb=0.7, delay=0.4),
        Voice("texture", "noise_texture wind_noise", "steady", 0.5),
    ),
    drums=None,
    energy=0.06,
    moods={"any": "still deep hypnotic slow-moving vast meditative", "minor": "dark ominous", "major": "glowing sacred"},
    cell=4.0,
    invent=0.0,
    forms="calm crescendo",
    timing=0.03,
    room="cave",
    tags="electronic",
)

DARK_AMBIENT = Style(
    name="dark ambient",
    tempo=(50.0, 76.0),
    modes="phrygian:3 minor:3 harmonic_minor",
    harmony={"phrygian": "modal_phrygian", "minor": "horror ambient_minor"},
    voices=(
        Voice("drone", "dark_drone:3 reese_bass", "drone", gain=3.0, low=28, high=52, reverb=0.5),
        Voice("pad", "choir tremolo_strings glass_pad saw_pad", "held", gain=3.0, voicing="open", reverb=0.7, size=3),
        Voice("melody", "tubular_bells grand_piano theremin music_box", "ambient", 0.6, gain=-2.0, reverb=0.7, delay=0.4),
        Voice("percussion", "impact taiko", "boom", 0.5, gain=-3.0),
        Voice("texture", "wind_noise noise_texture", "steady", 0.6, gain=1.0),
    ),
    drums=None,
    energy=0.14,
    moods={"any": "ominous eerie haunting bleak unsettling cavernous"},
    cell=2.0,
    forms="calm",
    timing=0.02,
    room="cave",
    tags="electronic",
)

SPACE_SYNTH = Style(
    name="berlin school",
    tempo=(104.0, 132.0),
    modes="minor:3 dorian:3 phrygian",
    harmony={"minor": "static_minor ambient_minor", "dorian": "modal_dorian", "phrygian": "modal_phrygian"},
    voices=(
        Voice("riff", "arp_saw:3 pluck:2 analog_bass", "sequence", gain=2.0, low=38, high=67, delay=0.35, effects="sweep:0.6"),
        Voice("pad", "saw_pad warm_pad synth_strings choir", "held", gain=2.0, reverb=0.5, effects="phaser:0.4"),
        Voice("melody", "saw_lead soft_lead square_lead theremin", "drama sparse", 0.6, 0.3, reverb=0.5, delay=0.35),
        Voice("bass", "analog_bass sub_bass", "whole eighths", 0.6, low=28, high=50),
    ),
    drums=None,
    energy=0.42,
    moods={"any": "cosmic hypnotic pulsing spacey retro-futuristic"},
    cell=2.0,
    invent=0.0,
    forms="calm lift crescendo",
    timing=0.0,
    room="cave",
    tags="electronic",
)

STYLES = (
    SYNTHWAVE, SYNTH_POP, VAPORWAVE, TRIP_HOP, DOWNTEMPO, AMBIENT, DRONE, DARK_AMBIENT,
    SPACE_SYNTH,
)
