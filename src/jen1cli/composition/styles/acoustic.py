# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Country, folk, celtic and other music of unplugged strings."""

from jen1cli.composition.styles.style import Drums, Style, Voice

FOLK = Style(
    name="folk",
    tempo=(76.0, 126.0),
    modes="major:4 mixolydian minor:2 dorian",
    harmony={"major": "folk_major", "mixolydian": "modal_mixolydian", "minor": "folk_minor"},
    voices=(
        Voice("chords", "steel_guitar:4 nylon_guitar", "pick:2 travis:2 strum:2 strum_68 strum_slow guitar_waltz", strum=0.012, low=45, high=69, size=4),
        Voice("bass", "upright_bass:2 finger_bass", "country halves sixeight waltz", 0.6),
        Voice("melody", "fiddle flute harmonica recorder clarinet accordion dulcimer", "folk:3 pentatonic", 0.85, 0.4),
        Voice("counter", "cello viola", "guide", 0.35, 0.5),
    ),
    drums=Drums("kit_brush kit_room", "soft:2 country slow_68 waltz", "none:2 soft", 0.2, gain=-1.0, chance=0.35),
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

ACOUSTIC_GUITAR = Style(
    name="acoustic guitar",
    tempo=(66.0, 120.0),
    modes="major:3 minor:3 dorian mixolydian",
    harmony={"major": "folk_major pop_major", "minor": "folk_minor pop_minor", "dorian": "modal_dorian", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("chords", "steel_guitar:3 nylon_guitar:3", "pick:3 travis:2 strum strum_68", pan=-0.15, strum=0.014, low=45, high=67),
        Voice("melody", "nylon_guitar steel_guitar", "folk lyrical pentatonic", 0.75, pan=0.25, low=60, high=83),
    ),
    drums=None,
    energy=0.25,
    moods={"any": "intimate warm gentle reflective unplugged", "major": "hopeful", "minor": "melancholic"},
    meters="4/4:5 3/4:2 6/8:2 5/4",
    cadence="plain",
    forms="aba calm",
    timing=0.013,
    room="room",
    tags="acoustic",
)

COUNTRY = Style(
    name="country",
    tempo=(88.0, 148.0),
    modes="major:6 mixolydian",
    harmony={"major": "folk_major", "mixolydian": "modal_mixolydian folk_major"},
    voices=(
        Voice("strum", "steel_guitar", "boom_chick:3 strum guitar_waltz", pan=-0.35, strum=0.009, low=45, high=69, gain=1.0),
        Voice("bass", "finger_bass upright_bass pick_bass", "country waltz"),
        Voice("chords", "honky_tonk banjo clean_guitar", "pop banjo boom_chick", 0.5, pan=0.4, gain=-2.0),
        Voice("melody", "fiddle:3 clean_guitar:3 harmonica", "folk:2 major_blues", effects=""),
        Voice("counter", "fiddle harmonica", "guide answer", 0.3, 0.5),
    ),
    drums=Drums("kit_room kit_brush kit_standard", "country:3 train waltz", "snare soft", 0.25, chance=0.85),
    energy=0.52,
    moods={"any": "down-home friendly twangy heartfelt dusty", "major": "cheerful easygoing"},
    meters="4/4:6 3/4:2",
    swing=(0.5, 0.5, 0.62),
    cadence="plain",
    forms="verse aba steady",
    variants="full:8 nodrums:2 duo",
    timing=0.01,
    room="studio",
    tags="acoustic band",
)

BLUEGRASS = Style(
    name="bluegrass",
    tempo=(108.0, 152.0),
    modes="major:5 mixolydian:2",
    harmony={"major": "folk_major", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("arpeggio", "banjo", "banjo", pan=0.35, gain=2.0, low=52, high=74),
        Voice("strum", "steel_guitar", "boom_chick", pan=-0.4, strum=0.006, low=45, high=69),
        Voice("bass", "upright_bass", "bluegrass country", gain=1.0),
        Voice("melody", "fiddle:3 steel_guitar", "fiddle folk", gain=1.0),
        Voice("counter", "fiddle", "thirds", 0.25),
    ),
    drums=None,
    energy=0.62,
    moods={"any": "lively rustic foot-stomping cheerful rolling"},
    cadence="plain",
    forms="aba steady",
    variants="full:9 duo",
    timing=0.008,
    room="room",
    tags="acoustic",
)

CELTIC = Style(
    name="celtic",
    tempo=(96.0, 132.0),
    modes="major:2 mixolydian:2 dorian:3",
    harmony={"major": "folk_major", "mixolydian": "modal_mixolydian", "dorian": "folk_minor modal_dorian"},
    voices=(
        Voice("melody", "fiddle:3 flute:2 bagpipes recorder:2 accordion dulcimer", "jig", gain=2.0, double=""),
        Voice("strum", "steel_guitar harp", "strum_68 strum", 0.85, strum=0.008, pan=-0.35, low=47, high=69),
        Voice("bass", "upright_bass", "jig country", 0.5),
        Voice("drone", "accordion bagpipes cello", "drone", 0.4, gain=-4.0, low=45, high=62),
        Voice("counter", "fiddle flute", "octave thirds", 0.35, 0.5),
    ),
    drums=Drums("kit_standard", "jig reel", "none", 0.2, gain=-3.0, chance=0.6),
    energy=0.6,
    moods={"any": "lively dancing spirited green", "major": "merry cheerful", "minor": "wild windswept"},
    meters="6/8:4 4/4:2",
    invent=0.0,
    cadence="plain",
    forms="aba steady",
    variants="full:7 nodrums:3 duo:2 solo",
    solos="fiddle:2 flute recorder harp bagpipes",
    timing=0.008,
    room="room",
    tags="acoustic traditional",
    extra={"solo_comp": "pick"},
)

CELTIC_BALLAD = Style(
    name="celtic ballad",
    tempo=(58.0, 84.0),
    modes="major:3 dorian:2 minor mixolydian",
    harmony={"major": "folk_major", "dorian": "folk_minor", "minor": "folk_minor", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("arpeggio", "harp:4 nylon_guitar steel_guitar", "broken pick", gain=1.0, low=48, high=72),
        Voice("melody", "recorder:2 flute fiddle:2 cello pan_flute", "folk lyrical", gain=1.0, reverb=0.4),
        Voice("pad", "slow_strings choir voice_oohs", "held", 0.6, gain=2.0),
        Voice("counter", "cello viola", "guide", 0.4, 0.4),
    ),
    drums=None,
    energy=0.22,
    moods={"any": "misty tender longing ancient gentle", "major": "warm", "minor": "sorrowful"},
    meters="4/4:3 3/4:3 6/8:3",
    cadence="plain",
    forms="aba calm crescendo",
    variants="full:7 duo:3 solo",
    solos="harp:3 fiddle recorder",
    timing=0.014,
    room="hall",
    tags="acoustic traditional",
)

SEA_SHANTY = Style(
    name="sea shanty",
    tempo=(78.0, 112.0),
    modes="major:2 dorian:2 minor:2 mixolydian",
    harmony={"major": "folk_major", "dorian": "folk_minor", "minor": "folk_minor", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("melody", "accordion:3 fiddle:2 voice_oohs choir", "folk march", gain=1.0),
        Voice("chords", "accordion steel_guitar:2", "sixeight strum_68 boom_chick", 0.9, legato=0.5, size=3),
        Voice("bass", "upright_bass tuba contrabass", "sixeight jig country"),
        Voice("counter", "choir fiddle", "thirds sixths octave", 0.5, 0.5),
    ),
    drums=Drums("kit_standard kit_room", "sea march", "none", 0.1, gain=-1.0, chance=0.7),
    energy=0.52,
    moods={"any": "salty rollicking hearty seafaring rousing"},
    meters="6/8:5 4/4:2",
    invent=0.0,
    cadence="plain",
    forms="verse aba",
    variants="full:8 nodrums:2",
    timing=0.011,
    room="room",
    tags="acoustic traditional",
)

STYLES = (FOLK, ACOUSTIC_GUITAR, COUNTRY, BLUEGRASS, CELTIC, CELTIC_BALLAD, SEA_SHANTY)
