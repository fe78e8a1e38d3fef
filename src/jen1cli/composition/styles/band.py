# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Rock, punk, metal, pop, surf and post-rock."""

from jen1cli.composition.styles.style import Drums, Style, Voice

ROCK = Style(
    name="rock",
    tempo=(100.0, 150.0),
    modes="major:2 mixolydian:2 minor:3",
    harmony={"major": "rock_major", "mixolydian": "modal_mixolydian rock_major", "minor": "rock_minor"},
    voices=(
        Voice("riff", "overdriven_guitar:2 distorted_guitar:2", "power_riff:2 riff", 0.45, pan=0.5, low=40, high=64),
        Voice("chords", "overdriven_guitar:2 distorted_guitar:2", "power", pan=-0.5, size=3, low=43, high=64, legato=0.9, effects="distortion:0.1"),
        Voice("bass", "pick_bass:2 finger_bass:2", "rock five", gain=1.0),
        Voice("melody", "distorted_guitar:2 rock_organ overdriven_guitar", "solo vocal", 0.55, 0.5, delay=0.15),
        Voice("pad", "rock_organ", "held", 0.3, gain=2.0),
    ),
    drums=Drums("kit_power:2 kit_room:2 kit_standard", "rock:4 halftime", "toms:2 snare", 0.3, gain=2.0),
    energy=0.78,
    moods={"any": "driving powerful gritty loud confident", "major": "triumphant feel-good", "minor": "angry brooding"},
    meters="4/4:9 5/4 6/8",
    scale="pentatonic",
    forms="verse:2 steady lift",
    variants="full:9 nodrums:0.5 drums:0.5",
    timing=0.007,
    room="studio",
    master="compress:0.4",
    tags="band",
)

INDIE_ROCK = Style(
    name="indie rock",
    tempo=(108.0, 156.0),
    modes="major:4 minor:2 mixolydian",
    harmony={"major": "pop_major rock_major", "minor": "pop_minor", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("chords", "clean_guitar:3 overdriven_guitar steel_guitar", "eighth strum pop", pan=-0.5, chorus=0.3, strum=0.008, low=50, high=74),
        Voice("arpeggio", "clean_guitar:3 muted_guitar", "arp_sync pick arp_updown", 0.7, pan=0.5, delay=0.25, reverb=0.3),
        Voice("bass", "pick_bass:3 finger_bass", "eighths pop rock", gain=1.0),
        Voice("melody", "clean_guitar overdriven_guitar glockenspiel square_lead rock_organ", "vocal hook anthem", 0.7, 0.4, delay=0.25, reverb=0.3),
        Voice("pad", "warm_pad rock_organ", "held", 0.3),
    ),
    drums=Drums("kit_room:3 kit_standard", "rock:2 pop", "toms snare soft", 0.35, gain=1.5),
    energy=0.66,
    moods={"any": "jangly youthful bittersweet restless heartfelt", "major": "sunny hopeful", "minor": "wistful"},
    meters="4/4:7 3/4:1 6/8:1",
    forms="verse lift aba",
    variants="full:9 nodrums",
    timing=0.009,
    room="studio",
    tags="band",
)

PUNK = Style(
    name="punk rock",
    tempo=(160.0, 208.0),
    modes="major:4 mixolydian minor:2",
    harmony={"major": "rock_major pop_major", "mixolydian": "rock_major", "minor": "rock_minor"},
    voices=(
        Voice("chords", "distorted_guitar:3 overdriven_guitar", "punk power", pan=-0.6, size=3, low=40, high=62, effects="distortion:0.12"),
        Voice("strum", "overdriven_guitar distorted_guitar", "punk", 0.7, pan=0.6, size=3, low=45, high=67, gain=-1.0),
        Voice("bass", "pick_bass", "punk", gain=1.5, effects="distortion:0.1"),
        Voice("melody", "overdriven_guitar distorted_guitar", "hook vocal", 0.5, 0.5),
    ),
    drums=Drums("kit_power:2 kit_room:2", "punk", "snare toms", 0.3, gain=2.5),
    energy=0.93,
    moods={"any": "fast raw rebellious aggressive snotty loud energetic"},
    forms="verse steady",
    variants="full",
    timing=0.008,
    room="room",
    master="compress:0.5 saturation:0.3",
    tags="band",
)

METAL = Style(
    name="metal",
    tempo=(92.0, 190.0),
    modes="minor:3 phrygian:3 harmonic_minor:2",
    harmony={"minor": "metal rock_minor", "phrygian": "metal modal_phrygian"},
    voices=(
        Voice("chords", "distorted_guitar", "chug:3 tremolo_pick", pan=-0.7, size=3, low=38, high=58, legato=0.6, effects="distortion:0.15", gain=1.0),
        Voice("riff", "distorted_guitar", "power_riff riff", 0.8, pan=0.7, low=38, high=62, effects="distortion:0.15"),
        Voice("bass", "pick_bass", "gallop punk sixteenths", gain=1.0, effects="distortion:0.1"),
        Voice("melody", "distorted_guitar overdriven_guitar", "heavy solo", 0.45, 0.5, delay=0.15, gain=-1.0),
        Voice("pad", "choir strings", "held", 0.15),
    ),
    drums=Drums("kit_power", "metal:3 halftime", "toms snare", 0.3, gain=2.5),
    energy=0.96,
    moods={"any": "heavy brutal aggressive dark furious crushing"},
    meters="4/4:8 5/4:2 6/8",
    invent=0.0,
    forms="steady verse drop",
    variants="full",
    timing=0.005,
    room="studio",
    master="compress:0.5 saturation:0.3",
    tags="band",
)

GRUNGE = Style(
    name="grunge",
    tempo=(84.0, 128.0),
    modes="minor:4 mixolydian major phrygian",
    harmony={"minor": "rock_minor", "mixolydian": "rock_major", "major": "rock_major", "phrygian": "metal"},
    voices=(
        Voice("chords", "distorted_guitar", "power strum", pan=-0.5, size=3, low=38, high=60, effects="distortion:0.15", gain=1.0),
        Voice("riff", "overdriven_guitar clean_guitar", "riff power_riff", 0.6, pan=0.5, low=40, high=64, chorus=0.4),
        Voice("bass", "pick_bass:2 finger_bass", "rock eighths", gain=1.0),
        Voice("melody", "overdriven_guitar clean_guitar", "vocal bluesy", 0.5, 0.5),
    ),
    drums=Drums("kit_power kit_room", "rock halftime", "toms snare", 0.3, gain=2.0),
    energy=0.75,
    moods={"any": "sludgy raw moody angsty gloomy heavy"},
    forms="verse:2 lift",
    variants="full",
    timing=0.01,
    room="room",
    master="saturation:0.4",
    tags="band",
)

SURF_ROCK = Style(
    name="surf rock",
    tempo=(132.0, 176.0),
    modes="minor:3 harmonic_minor:2 major:2",
    harmony={"minor": "andalusian rock_minor pop_minor", "major": "doowop rock_major"},
    voices=(
        Voice("melody", "clean_guitar", "lead hook folk", gain=2.0, reverb=0.6, effects="tremolo:0.3(beats=0.25)", low=50, high=76),
        Voice("chords", "clean_guitar", "eighth pop ska", pan=-0.5, reverb=0.4, size=3, legato=0.6),
        Voice("bass", "pick_bass", "rock eighths ska", gain=1.0),
        Voice("pad", "rock_organ", "held", 0.3),
    ),
    drums=Drums("kit_room", "surf", "toms snare", 0.35, gain=2.0),
    energy=0.74,
    moods={"any": "twangy retro beachy fast splashy adventurous"},
    forms="verse aba steady",
    variants="full:9 nodrums:0.5",
    timing=0.008,
    room="plate",
    tags="band",
)

POST_ROCK = Style(
    name="post-rock",
    tempo=(84.0, 128.0),
    modes="major:3 minor:3 lydian",
    harmony={"major": "ambient_major pop_major", "minor": "pop_minor cinematic", "lydian": "modal_lydian"},
    voices=(
        Voice("arpeggio", "clean_guitar:3", "pick arp_updown arp_minimal", pan=-0.5, delay=0.4, reverb=0.5),
        Voice("chords", "overdriven_guitar distorted_guitar", "tremolo_pick held eighth", 0.8, 0.5, pan=0.5, size=3, reverb=0.4),
        Voice("bass", "pick_bass finger_bass", "eighths pedal five sixeight", gain=1.0),
        Voice("melody", "clean_guitar glockenspiel overdriven_guitar cello", "anthem drama", 0.8, 0.3, delay=0.35, reverb=0.5),
        Voice("pad", "warm_pad strings", "held", 0.6, gain=1.0),
    ),
    drums=Drums("kit_room kit_power", "halftime rock slow_68", "toms snare", 0.3, gain=1.5, reverb=0.2),
    energy=0.6,
    moods={"any": "epic expansive soaring shimmering cathartic", "major": "hopeful", "minor": "melancholic"},
    meters="4/4:5 6/8:2 5/4:2 3/4",
    forms="crescendo:3 lift",
    variants="full:8 nodrums:2",
    timing=0.009,
    room="hall",
    tags="band",
)

POP = Style(
    name="pop",
    tempo=(90.0, 128.0),
    modes="major:5 minor:3",
    harmony={"major": "pop_major", "minor": "pop_minor"},
    voices=(
        Voice("chords", "grand_piano:2 bright_piano clean_guitar steel_guitar:2 saw_pad", "pop:3 strum eighth", strum=0.006),
        Voice("bass", "finger_bass analog_bass:2 pick_bass", "pop:3 eighths", gain=1.0),
        Voice("melody", "pluck saw_lead voice_oohs square_lead glockenspiel clean_guitar marimba", "vocal:2 hook", 0.9, 0.4, delay=0.15),
        Voice("pad", "warm_pad strings saw_pad", "held", 0.6),
        Voice("arpeggio", "pluck muted_guitar", "arp_sync arp_up", 0.4, 0.5, delay=0.2),
    ),
    drums=Drums("kit_electronic:2 kit_standard:2 kit_808 kit_909", "pop:3 house", "snare cut toms", 0.25, gain=1.0),
    energy=0.64,
    moods={"any": "catchy bright polished radio-friendly upbeat", "major": "happy carefree", "minor": "bittersweet"},
    forms="verse:2 lift steady",
    variants="full:9 nodrums",
    timing=0.004,
    room="plate",
    master="compress:0.4",
    tags="band",
)

POWER_BALLAD = Style(
    name="power ballad",
    tempo=(60.0, 84.0),
    modes="major:4 minor:3",
    harmony={"major": "pop_major", "minor": "pop_minor"},
    voices=(
        Voice("chords", "grand_piano:3 fm_piano", "ballad pop", gain=1.0),
        Voice("strum", "distorted_guitar overdriven_guitar", "half power held", 0.8, 0.5, pan=-0.5, size=3, low=43, high=62),
        Voice("bass", "finger_bass pick_bass", "ballad eighths"),
        Voice("pad", "strings synth_strings choir", "held", 0.8, gain=2.0),
        Voice("melody", "overdriven_guitar distorted_guitar strings voice_oohs alto_sax", "vocal anthem", 0.9, 0.3, reverb=0.35, delay=0.2),
    ),
    drums=Drums("kit_power kit_eighties", "halftime soul ballad", "toms", 0.25, gain=1.0, reverb=0.25),
    energy=0.52,
    moods={"any": "emotional soaring dramatic anthemic heartfelt", "minor": "heartbroken"},
    meters="4/4:4 6/8:2",
    forms="lift crescendo verse",
    variants="full:8 nodrums",
    timing=0.008,
    room="hall",
    tags="band",
)

STYLES = (ROCK, INDIE_ROCK, PUNK, METAL, GRUNGE, SURF_ROCK, POST_ROCK, POP, POWER_BALLAD)
