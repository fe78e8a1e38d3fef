# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""House, techno, trance, drum and bass, synthwave, ambient and their kin."""

from jen1cli.corpus.style import Drums, Style, Voice

_DUCK = "sidechain:0.6"


HOUSE = Style(
    name="house",
    tempo=(118, 128),
    modes="minor:4 dorian:2 major:2",
    harmony={"minor": "house disco", "dorian": "modal_dorian house", "major": "house_major"},
    voices=(
        Voice("bass", "analog_bass:3 fm_bass sub_bass", "house:3 eighths_octave", effects=_DUCK),
        Voice("chords", "organ_house:2 stab:2 grand_piano:2 rhodes pluck bright_piano", "house_stab:3 piano_house:2", effects=_DUCK, legato=0.7, delay=0.12),
        Voice("pad", "warm_pad saw_pad synth_strings", "held", 0.5, effects=_DUCK, voicing="open"),
        Voice("melody", "soft_lead pluck vibraphone saw_lead flute", "hook sparse", 0.55, 0.5, delay=0.25),
        Voice("percussion", "kit_standard", "tribal samba", 0.2),
    ),
    drums=Drums("kit_909:5 kit_electronic kit_808", "house", "cut:2 soft none", 0.2),
    energy=0.68,
    moods={"any": "groovy upbeat danceable stylish", "major": "sunny uplifting happy", "minor": "deep hypnotic sultry cool"},
    swing=(0.25, 0.5, 0.57),
    forms="steady:2 break build:2 lift",
    variants="full:9 nodrums drums:0.5",
    timing=0.002,
    room="club",
    master="compress:0.4",
    tags="electronic dance",
)


DEEP_HOUSE = Style(
    name="deep house",
    tempo=(116, 123),
    modes="minor:3 dorian:3 major",
    harmony={"minor": "house jazz_minor", "dorian": "modal_dorian", "major": "house_major lofi"},
    voices=(
        Voice("bass", "sub_bass:3 analog_bass finger_bass", "house rnb", effects="sidechain:0.5"),
        Voice("chords", "rhodes:4 organ_house fm_piano warm_pad", "house_stab lofi", effects="sidechain:0.4 lowpass:0.4(cutoff=2600)", delay=0.2, reverb=0.3),
        Voice("pad", "warm_pad slow_strings", "held", 0.7, effects=_DUCK, voicing="open"),
        Voice("melody", "alto_sax soft_lead vibraphone muted_trumpet rhodes", "sparse bluesy", 0.45, 0.5, reverb=0.35, delay=0.2),
    ),
    drums=Drums("kit_909:3 kit_minimal:2 kit_808", "house:2 minimal:2", "none:2 soft", 0.2, gain=-1.0),
    energy=0.5,
    moods={"any": "smooth warm late-night mellow", "minor": "moody deep sensual", "major": "soothing breezy"},
    swing=(0.25, 0.52, 0.58),
    forms="steady:3 lift",
    variants="full:9 nodrums",
    timing=0.003,
    room="club",
    tags="electronic dance",
)


TECHNO = Style(
    name="techno",
    tempo=(126, 140),
    modes="minor:3 phrygian:3",
    harmony={"minor": "static_minor", "phrygian": "modal_phrygian"},
    voices=(
        Voice("bass", "analog_bass:2 sub_bass:2 reese_bass", "techno", effects=_DUCK, legato=0.7),
        Voice("riff", "acid_bass:2 pluck saw_lead fm_bass", "acid:2 sequence", 0.75, gain=-2, low=40, high=64, delay=0.25, effects="lowpass:0.5(cutoff=1800)"),
        Voice("stabs", "stab supersaw", "rave stabs house_stab", 0.5, 0.5, effects=_DUCK, size=3, legato=0.5, delay=0.3, reverb=0.35),
        Voice("pad", "dark_drone warm_pad", "held", 0.5, low=40, high=62, size=3, effects=_DUCK),
        Voice("texture", "noise_texture", "steady", 0.3, gain=-4, effects="sidechain:0.8"),
    ),
    drums=Drums("kit_909:4 kit_electronic kit_minimal", "techno:4 industrial", "none:2 cut roll", 0.15, gain=1.0),
    energy=0.82,
    moods={"any": "driving hypnotic dark relentless mechanical cold"},
    cell=2.0,
    invent=0.0,
    forms="steady:2 break build",
    variants="full:9 drums rhythm",
    timing=0.0,
    room="club",
    master="saturation:0.3 compress:0.5",
    tags="electronic dance",
)


TRANCE = Style(
    name="trance",
    tempo=(134, 142),
    modes="minor:4 major",
    harmony={"minor": "trance", "major": "trance_major"},
    voices=(
        Voice("bass", "analog_bass:3 reese_bass", "trance", effects="sidechain:0.4", legato=0.7),
        Voice("arpeggio", "arp_saw:2 pluck", "arp_trance arp_up arp_updown", delay=0.3, effects="sidechain:0.4"),
        Voice("chords", "supersaw", "trance_chord sidechain held", 0.8, 0.6, gain=-1, effects="sidechain:0.75", voicing="open", reverb=0.35),
        Voice("melody", "saw_lead supersaw", "lead anthem", 0.75, 0.6, low=64, high=86, delay=0.35, reverb=0.35),
        Voice("pad", "saw_pad choir", "held", 0.5, effects=_DUCK),
    ),
    drums=Drums("kit_909", "trance", "roll:2 cut", 0.1),
    energy=0.86,
    moods={"any": "euphoric soaring energetic hypnotic", "minor": "emotional yearning", "major": "uplifting blissful"},
    forms="build:3 drop:2 lift",
    variants="full:8 nodrums",
    timing=0.0,
    room="hall",
    tags="electronic dance",
)


DRUM_AND_BASS = Style(
    name="drum and bass",
    tempo=(168, 178),
    modes="minor:4 dorian phrygian",
    harmony={"minor": "static_minor pop_minor", "dorian": "modal_dorian", "phrygian": "modal_phrygian"},
    voices=(
        Voice("bass", "reese_bass:4 sub_bass:2 wobble_bass", "dnb", gain=1),
        Voice("pad", "warm_pad saw_pad choir slow_strings", "held", 0.85, gain=2, voicing="open", reverb=0.45),
        Voice("stabs", "rhodes stab grand_piano pluck", "stabs lofi", 0.5, 0.5, delay=0.25),
        Voice("melody", "soft_lead saw_lead pluck alto_sax", "sparse hook", 0.45, 0.5, delay=0.3),
    ),
    drums=Drums("kit_break:4 kit_909 kit_electronic", "dnb:4 jungle:2", "jungle:2 roll none", 0.35, gain=1.5),
    energy=0.9,
    moods={"any": "fast energetic rolling intense futuristic", "minor": "dark urgent", "major": "liquid"},
    cell=2.0,
    forms="drop:2 build:2 break",
    variants="full:9 drums rhythm",
    timing=0.003,
    room="club",
    master="compress:0.5",
    tags="electronic dance",
)


SYNTHWAVE = Style(
    name="synthwave",
    tempo=(84, 118),
    modes="minor:4 dorian major",
    harmony={"minor": "pop_minor trance", "dorian": "pop_minor", "major": "pop_major"},
    voices=(
        Voice("bass", "analog_bass:3 fm_bass", "synthwave", effects="sidechain:0.3", low=28, high=56, legato=0.8),
        Voice("pad", "saw_pad:2 synth_strings warm_pad supersaw", "held", gain=3, chorus=0.5, voicing="open"),
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


AMBIENT = Style(
    name="ambient",
    tempo=(54, 84),
    modes="major:3 lydian:2 minor:2 dorian",
    harmony={"major": "ambient_major", "lydian": "modal_lydian", "minor": "ambient_minor"},
    voices=(
        Voice("pad", "warm_pad:3 glass_pad:2 slow_strings choir voice_oohs synth_strings", "held", gain=6, voicing="open", reverb=0.6),
        Voice("melody", "grand_piano:2 soft_lead crystal fm_bell flute rhodes cello harp", "ambient:3 sparse", 0.75, reverb=0.6, delay=0.35),
        Voice("arpeggio", "pluck harp rhodes kalimba vibraphone", "pick arp_wide broken", 0.35, gain=-3, reverb=0.5, delay=0.3),
        Voice("drone", "sub_bass dark_drone", "drone", 0.5, low=28, high=48),
        Voice("texture", "noise_texture rain_noise wind_noise sea_noise", "steady", 0.3, gain=-2),
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


STYLES = (HOUSE, DEEP_HOUSE, TECHNO, TRANCE, DRUM_AND_BASS, SYNTHWAVE, AMBIENT)
