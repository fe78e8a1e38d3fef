# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Club music: house, techno, trance, drum and bass, dubstep, garage."""

from jen1cli.composition.styles.style import Drums, Style, Voice

_DUCK = "sidechain:0.6"

HOUSE = Style(
    name="house",
    tempo=(118.0, 129.0),
    modes="minor:3 dorian:2 major:3",
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
    tempo=(114.0, 123.0),
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

ACID_HOUSE = Style(
    name="acid house",
    tempo=(120.0, 130.0),
    modes="minor:3 phrygian:1",
    harmony={"minor": "static_minor", "phrygian": "modal_phrygian"},
    voices=(
        Voice("bass", "acid_bass", "acid", gain=1.0, low=33, high=60, delay=0.15, effects="distortion:0.15"),
        Voice("stabs", "stab organ_house", "rave house_stab", 0.5, 0.5, size=3, legato=0.5, delay=0.25, effects=_DUCK),
        Voice("pad", "saw_pad synth_strings", "held", 0.35, effects=_DUCK),
    ),
    drums=Drums("kit_909:3 kit_808:2", "house:3 techno:2", "cut roll none", 0.2, gain=0.5),
    energy=0.78,
    moods={"any": "squelchy hypnotic trippy raw wild underground"},
    cell=2.0,
    invent=0.0,
    forms="steady:2 break build",
    variants="full:9 rhythm",
    timing=0.0,
    room="club",
    master="saturation:0.35 compress:0.4",
    tags="electronic dance",
)

TECHNO = Style(
    name="techno",
    tempo=(124.0, 142.0),
    modes="minor:3 phrygian:3",
    harmony={"minor": "static_minor", "phrygian": "modal_phrygian"},
    voices=(
        Voice("bass", "analog_bass:2 sub_bass:2 reese_bass", "techno", effects=_DUCK, legato=0.7),
        Voice("riff", "pluck:2 saw_lead fm_bass square_lead", "sequence:2 acid", 0.75, gain=-2.0, low=40, high=64, delay=0.25, effects="lowpass:0.5(cutoff=1800)"),
        Voice("stabs", "stab supersaw", "rave stabs house_stab", 0.5, 0.5, effects=_DUCK, size=3, legato=0.5, delay=0.3, reverb=0.35, gain=-1.0),
        Voice("pad", "dark_drone warm_pad", "held", 0.5, low=40, high=62, size=3, effects=_DUCK),
        Voice("texture", "noise_texture", "steady", 0.3, gain=-4.0, effects="sidechain:0.8"),
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
    tempo=(132.0, 144.0),
    modes="minor:4 major:2",
    harmony={"minor": "trance", "major": "trance_major"},
    voices=(
        Voice("bass", "analog_bass:3 reese_bass", "trance", effects="sidechain:0.4", legato=0.7),
        Voice("arpeggio", "arp_saw:2 pluck", "arp_trance arp_up arp_updown", delay=0.3, effects="sidechain:0.4"),
        Voice("chords", "supersaw", "trance_chord sidechain held", 0.8, 0.6, gain=-1.0, effects="sidechain:0.75", voicing="open", reverb=0.35),
        Voice("melody", "saw_lead supersaw", "lead anthem", 0.75, 0.6, low=64, high=86, delay=0.35, reverb=0.35),
        Voice("pad", "saw_pad choir", "held", 0.5, effects="gate:0.7(beats=0.25,pattern=1101101011011010)"),
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

HARDSTYLE = Style(
    name="hardstyle",
    tempo=(148.0, 160.0),
    modes="minor:4 harmonic_minor",
    harmony={"minor": "trance pop_minor"},
    voices=(
        Voice("bass", "reese_bass:2 analog_bass", "trance techno", effects="sidechain:0.6 distortion:0.3", legato=0.6),
        Voice("melody", "supersaw:2 saw_lead:2", "anthem lead", 1.0, low=62, high=84, gain=1.0, reverb=0.3, delay=0.2),
        Voice("chords", "supersaw", "trance_chord sidechain", 0.7, 0.5, effects="sidechain:0.7"),
        Voice("stabs", "stab", "rave", 0.4, 0.5),
    ),
    drums=Drums("kit_909", "hardstyle:2 trance", "roll:2 cut", 0.1, gain=2.0, effects="distortion:0.35"),
    energy=0.97,
    moods={"any": "hard pounding aggressive euphoric intense rave"},
    forms="drop:3 build:2",
    variants="full",
    timing=0.0,
    room="club",
    master="saturation:0.4 compress:0.6",
    tags="electronic dance",
)

DRUM_AND_BASS = Style(
    name="drum and bass",
    tempo=(166.0, 180.0),
    modes="minor:4 dorian major phrygian",
    harmony={"minor": "static_minor pop_minor", "dorian": "modal_dorian", "phrygian": "modal_phrygian", "major": "pop_major"},
    voices=(
        Voice("bass", "reese_bass:4 sub_bass:2 wobble_bass", "dnb", gain=1.0),
        Voice("pad", "warm_pad saw_pad choir slow_strings", "held", 0.85, gain=2.0, voicing="open", reverb=0.45),
        Voice("stabs", "rhodes stab grand_piano pluck", "stabs lofi", 0.5, 0.5, delay=0.25),
        Voice("melody", "soft_lead saw_lead pluck alto_sax", "sparse hook", 0.45, 0.5, delay=0.3),
    ),
    drums=Drums("kit_break:4 kit_909 kit_electronic", "dnb", "jungle:2 roll none", 0.35, gain=1.5),
    energy=0.9,
    moods={"any": "fast energetic rolling intense futuristic", "minor": "dark urgent", "major": "liquid soulful"},
    cell=2.0,
    forms="drop:2 build:2 break",
    variants="full:9 drums rhythm",
    timing=0.003,
    room="club",
    master="compress:0.5",
    tags="electronic dance",
)

JUNGLE = Style(
    name="jungle",
    tempo=(158.0, 172.0),
    modes="minor:3 dorian:2",
    harmony={"minor": "static_minor reggae_minor", "dorian": "modal_dorian"},
    voices=(
        Voice("bass", "sub_bass:3 reese_bass:2", "dnb dub", gain=2.0),
        Voice("pad", "warm_pad choir synth_strings", "held", 0.8, reverb=0.5, voicing="open"),
        Voice("stabs", "stab rhodes orchestra_hit", "stabs rave", 0.5, 0.5, delay=0.35),
    ),
    drums=Drums("kit_break", "jungle", "jungle", 0.55, gain=2.0),
    energy=0.88,
    moods={"any": "frenetic raw fast chopped ravey dubby"},
    cell=2.0,
    forms="drop:2 break steady",
    variants="full:9 drums rhythm",
    timing=0.004,
    room="club",
    master="saturation:0.3",
    tags="electronic dance",
)

BREAKBEAT = Style(
    name="breakbeat",
    tempo=(124.0, 140.0),
    modes="minor:3 dorian:2 mixolydian",
    harmony={"minor": "static_minor house", "dorian": "modal_dorian", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("bass", "analog_bass:2 acid_bass reese_bass fm_bass", "hiphop garage", gain=1.0),
        Voice("riff", "clavinet saw_lead square_lead hammond clean_guitar", "groove_riff sequence", 0.7, effects="phaser:0.3"),
        Voice("stabs", "stab synth_brass brass_section", "stabs rave", 0.5, 0.5, delay=0.2),
        Voice("pad", "saw_pad warm_pad", "held", 0.4),
    ),
    drums=Drums("kit_break:4 kit_room kit_electronic", "breaks", "jungle snare cut", 0.4, gain=1.5),
    energy=0.8,
    moods={"any": "punchy funky gritty energetic block-rocking"},
    cell=2.0,
    forms="steady break drop build",
    variants="full:9 drums rhythm",
    timing=0.003,
    room="studio",
    master="saturation:0.35 compress:0.4",
    tags="electronic dance",
)

DUBSTEP = Style(
    name="dubstep",
    tempo=(138.0, 144.0),
    modes="minor:3 phrygian:2 harmonic_minor",
    harmony={"minor": "static_minor trap", "phrygian": "modal_phrygian"},
    voices=(
        Voice("bass", "wobble_bass:4 reese_bass", "dubstep", gain=3.0, legato=1.0),
        Voice("bass", "sub_bass", "whole", gain=-1.0),
        Voice("stabs", "stab supersaw saw_lead", "stabs rave", 0.5, 0.5, delay=0.2),
        Voice("pad", "choir saw_pad strings", "held", 0.5),
        Voice("melody", "square_lead fm_bell pluck grand_piano", "trap sparse", 0.4, 0.4, delay=0.25),
    ),
    drums=Drums("kit_electronic:2 kit_power kit_909", "dubstep", "roll toms none", 0.25, gain=2.0, reverb=0.15),
    energy=0.9,
    moods={"any": "heavy filthy aggressive dark massive menacing"},
    cell=2.0,
    invent=0.0,
    forms="drop:3 build:2",
    variants="full:9 rhythm",
    timing=0.0,
    room="club",
    master="saturation:0.4 compress:0.5",
    tags="electronic dance",
)

UK_GARAGE = Style(
    name="uk garage",
    tempo=(128.0, 138.0),
    modes="minor:3 dorian:2 major",
    harmony={"minor": "house soul_minor", "dorian": "modal_dorian", "major": "soul house_major"},
    voices=(
        Voice("bass", "sub_bass:3 fm_bass:2 reese_bass", "garage", gain=1.0),
        Voice("chords", "organ_house:3 rhodes:2 grand_piano stab", "house_stab stabs", legato=0.55, delay=0.15),
        Voice("pad", "warm_pad synth_strings", "held", 0.5),
        Voice("melody", "pluck soft_lead vibraphone voice_oohs", "hook sparse", 0.5, 0.5, delay=0.2),
    ),
    drums=Drums("kit_909:2 kit_minimal:2 kit_electronic", "garage", "cut soft none", 0.35),
    energy=0.68,
    moods={"any": "bouncy skippy slick shuffling urban", "minor": "moody cool", "major": "cheeky sunny"},
    swing=(0.25, 0.57, 0.64),
    cell=1.0,
    forms="steady lift break",
    variants="full:9 nodrums",
    timing=0.002,
    room="club",
    tags="electronic dance",
)

FUTURE_BASS = Style(
    name="future bass",
    tempo=(136.0, 156.0),
    modes="major:4 minor:2",
    harmony={"major": "house_major pop_major lofi", "minor": "house pop_minor"},
    voices=(
        Voice("chords", "supersaw", "future", gain=2.0, effects="sidechain:0.6 tremolo:0.3(beats=0.5)", voicing="open", size=5, high=80),
        Voice("bass", "sub_bass:2 bass_808:2", "trap halves", gain=1.0),
        Voice("melody", "pluck fm_bell soft_lead square_lead kalimba", "hook lead", 0.75, 0.4, delay=0.25),
        Voice("arpeggio", "pluck crystal", "arp_sync arp_wide", 0.5, 0.5),
    ),
    drums=Drums("kit_808:2 kit_electronic:2 kit_909", "future:3 trap", "roll trap", 0.25, gain=1.0),
    energy=0.8,
    moods={"any": "bright glittery huge emotional dreamy", "major": "joyful colourful sweet", "minor": "bittersweet"},
    forms="build:3 drop:2 lift",
    variants="full:9 nodrums:0.5",
    timing=0.001,
    room="plate",
    master="compress:0.5 widen:0.4",
    tags="electronic dance",
)

STYLES = (
    HOUSE, DEEP_HOUSE, ACID_HOUSE, TECHNO, TRANCE, HARDSTYLE, DRUM_AND_BASS, JUNGLE, BREAKBEAT,
    DUBSTEP, UK_GARAGE, FUTURE_BASS,
)
