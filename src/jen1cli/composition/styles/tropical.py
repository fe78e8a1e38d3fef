# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Music of the Caribbean, Latin America and Africa: reggae, salsa, samba, afrobeat."""

from jen1cli.composition.styles.style import Drums, Style, Voice

REGGAE = Style(
    name="reggae",
    tempo=(64.0, 86.0),
    modes="major:3 minor:3",
    harmony={"major": "reggae_major", "minor": "reggae_minor"},
    voices=(
        Voice("strum", "clean_guitar:2 muted_guitar", "skank", pan=-0.4, low=55, high=76, size=3, legato=0.4),
        Voice("chords", "hammond:3 grand_piano", "bubble skank", 0.9, pan=0.4, legato=0.5, size=3),
        Voice("bass", "finger_bass:3 sub_bass", "reggae", gain=2.0, effects="lowpass:0.4(cutoff=700)"),
        Voice("melody", "trombone tenor_sax hammond trumpet harmonica clean_guitar", "reggae:2 pentatonic", 0.7, 0.5, delay=0.3),
        Voice("stabs", "brass_section", "stabs", 0.3, 0.5),
    ),
    drums=Drums("kit_standard kit_room", "one_drop", "toms snare soft", 0.3, gain=2.0),
    energy=0.42,
    moods={"any": "laid-back easygoing sunny groovy", "major": "happy carefree", "minor": "deep rebellious"},
    swing=(0.25, 0.5, 0.6),
    forms="steady:2 lift",
    variants="full:9 nodrums",
    timing=0.008,
    room="studio",
    tags="band",
)

DUB = Style(
    name="dub",
    tempo=(66.0, 80.0),
    modes="minor:5 dorian",
    harmony={"minor": "reggae_minor static_minor", "dorian": "modal_dorian"},
    voices=(
        Voice("bass", "sub_bass:2 finger_bass:2", "dub reggae", gain=3.0, effects="lowpass:0.4(cutoff=500)"),
        Voice("strum", "clean_guitar grand_piano", "skank stabs", pan=-0.3, low=55, high=76, size=3, legato=0.35, delay=0.6, reverb=0.4),
        Voice("chords", "hammond", "bubble", 0.5, legato=0.4, size=3),
        Voice("melody", "trombone trumpet accordion tenor_sax", "reggae sparse", 0.6, 0.3, delay=0.6, reverb=0.5),
    ),
    drums=Drums("kit_room kit_standard", "dub", "toms none", 0.35, reverb=0.3, gain=2.0),
    energy=0.36,
    moods={"any": "spacious echoing heavy hypnotic smoky deep"},
    swing=(0.25, 0.5, 0.58),
    cell=2.0,
    forms="steady break",
    variants="full:9 rhythm",
    timing=0.007,
    room="cave",
    master="tape:0.2",
    tags="band",
)

SKA = Style(
    name="ska",
    tempo=(116.0, 160.0),
    modes="major:4 minor:2",
    harmony={"major": "reggae_major doowop rock_major", "minor": "reggae_minor"},
    voices=(
        Voice("strum", "clean_guitar", "ska", pan=-0.5, low=57, high=78, size=3, legato=0.35, gain=1.0),
        Voice("chords", "hammond grand_piano", "ska", 0.7, pan=0.4, legato=0.35, size=3),
        Voice("bass", "finger_bass upright_bass pick_bass", "ska", gain=1.5),
        Voice("melody", "trumpet:2 tenor_sax alto_sax trombone", "brassy hook march", gain=1.0, double="trombone"),
        Voice("stabs", "brass_section", "brass", 0.4, 0.5),
    ),
    drums=Drums("kit_room kit_standard", "ska", "snare toms", 0.3, gain=2.5),
    energy=0.72,
    moods={"any": "bouncy upbeat cheerful cheeky brassy", "minor": "moody"},
    swing=(0.5, 0.5, 0.58),
    forms="verse steady lift",
    variants="full:9 nodrums:0.5",
    timing=0.008,
    room="studio",
    tags="band",
)

SALSA = Style(
    name="salsa",
    tempo=(152.0, 204.0),
    modes="minor:4 major:3",
    harmony={"minor": "latin_minor", "major": "latin_major"},
    voices=(
        Voice("chords", "grand_piano", "montuno", low=52, high=76, gain=2.0, legato=0.7),
        Voice("bass", "upright_bass finger_bass", "tumbao", gain=2.0),
        Voice("melody", "trumpet:3 flute trombone:2 violin", "latin brassy", gain=1.0),
        Voice("stabs", "brass_section", "brass hits", 0.7, 0.4),
    ),
    drums=Drums("kit_standard", "salsa", "latin none", 0.25, gain=4.0),
    energy=0.78,
    moods={"any": "fiery festive passionate danceable hot", "major": "joyful"},
    forms="steady lift verse",
    variants="full:9 nodrums drums:0.5",
    timing=0.007,
    room="studio",
    tags="latin band",
)

SAMBA = Style(
    name="samba",
    tempo=(96.0, 126.0),
    modes="major:4 minor:2",
    harmony={"major": "bossa latin_major", "minor": "bossa_minor latin_minor"},
    voices=(
        Voice("strum", "nylon_guitar:3 steel_guitar", "samba bossa", low=50, high=72, legato=0.5, strum=0.006),
        Voice("bass", "finger_bass upright_bass", "samba", gain=1.0),
        Voice("melody", "flute trumpet trombone voice_oohs clarinet accordion", "latin bossa", gain=1.0),
        Voice("counter", "trombone flute", "answer thirds", 0.3, 0.4),
    ),
    drums=Drums("kit_standard", "samba", "none latin", 0.3, gain=1.0),
    energy=0.72,
    moods={"any": "festive sunny carnival lively joyful", "minor": "bittersweet"},
    forms="steady lift",
    variants="full:9 nodrums drums",
    timing=0.008,
    room="studio",
    tags="latin",
)

CUMBIA = Style(
    name="cumbia",
    tempo=(84.0, 108.0),
    modes="minor:4 major:2",
    harmony={"minor": "latin_minor folk_minor", "major": "latin_major folk_major"},
    voices=(
        Voice("melody", "accordion:3 clarinet flute trumpet", "latin folk", gain=1.0),
        Voice("chords", "accordion hammond clean_guitar nylon_guitar", "skank ska", legato=0.4, size=3),
        Voice("bass", "finger_bass upright_bass", "cumbia", gain=1.5),
    ),
    drums=Drums("kit_standard", "cumbia", "latin none", 0.2, gain=3.0),
    energy=0.56,
    moods={"any": "swaying festive earthy tropical danceable"},
    forms="steady verse",
    variants="full:9 nodrums:0.5",
    timing=0.008,
    room="studio",
    tags="latin band",
)

REGGAETON = Style(
    name="reggaeton",
    tempo=(86.0, 104.0),
    modes="minor:5 major harmonic_minor",
    harmony={"minor": "pop_minor latin_minor", "major": "pop_major"},
    voices=(
        Voice("bass", "bass_808:2 sub_bass:2 analog_bass", "reggaeton", gain=1.0),
        Voice("chords", "pluck:2 nylon_guitar grand_piano marimba saw_pad", "afro arp_sync stabs", legato=0.6, delay=0.15),
        Voice("melody", "pluck soft_lead flute square_lead voice_oohs", "hook latin", 0.8, 0.4, delay=0.2),
        Voice("pad", "warm_pad strings", "held", 0.5),
    ),
    drums=Drums("kit_808:2 kit_electronic:2 kit_909", "reggaeton", "snare cut none", 0.15, gain=1.0),
    energy=0.66,
    moods={"any": "sensual danceable hot summery confident", "minor": "moody"},
    forms="steady lift drop",
    variants="full:9 rhythm",
    timing=0.002,
    room="plate",
    master="compress:0.4",
    tags="latin electronic",
)

AFROBEAT = Style(
    name="afrobeat",
    tempo=(98.0, 124.0),
    modes="dorian:3 mixolydian:2 minor:2 major",
    harmony={"dorian": "modal_dorian funk_minor", "mixolydian": "modal_mixolydian funk", "minor": "funk_minor", "major": "latin_major"},
    voices=(
        Voice("bass", "finger_bass", "afrobeat", gain=1.5),
        Voice("strum", "muted_guitar clean_guitar:2", "afro arp_sync", pan=-0.5, size=3, legato=0.4, low=57, high=76),
        Voice("chords", "hammond rhodes", "afro bubble", 0.8, pan=0.4, legato=0.5, size=3),
        Voice("stabs", "brass_section", "brass", 0.8, 0.3, gain=1.0),
        Voice("melody", "tenor_sax trumpet alto_sax clean_guitar", "brassy pentatonic bluesy", 0.7, 0.4),
        Voice("percussion", "kit_standard", "tribal", 0.5),
    ),
    drums=Drums("kit_room kit_standard", "afrobeat", "none snare", 0.4, gain=3.0),
    energy=0.68,
    moods={"any": "hypnotic groovy polyrhythmic hot celebratory"},
    forms="steady lift",
    variants="full:9 nodrums:0.5 drums:0.5",
    timing=0.007,
    room="studio",
    tags="band",
)

AMAPIANO = Style(
    name="amapiano",
    tempo=(108.0, 116.0),
    modes="minor:3 dorian:2 major:2",
    harmony={"minor": "house soul_minor", "dorian": "modal_dorian", "major": "soul house_major"},
    voices=(
        Voice("bass", "fm_bass:2 bass_808 sub_bass", "amapiano", gain=3.0, legato=1.0),
        Voice("chords", "rhodes:2 grand_piano:2 organ_house", "afro house_stab lofi", legato=0.7),
        Voice("pad", "warm_pad voice_oohs", "held", 0.6),
        Voice("melody", "flute alto_sax voice_oohs pluck", "sparse vocal", 0.6, 0.4, delay=0.2),
    ),
    drums=Drums("kit_minimal kit_909 kit_electronic", "amapiano", "none soft", 0.3),
    energy=0.58,
    moods={"any": "soulful groovy jazzy mellow danceable sunset"},
    swing=(0.25, 0.52, 0.58),
    forms="steady lift",
    variants="full:9 rhythm",
    timing=0.003,
    room="club",
    tags="electronic dance",
)

CALYPSO = Style(
    name="calypso",
    tempo=(96.0, 132.0),
    modes="major",
    harmony={"major": "latin_major folk_major reggae_major"},
    voices=(
        Voice("melody", "steel_drums", "latin folk", gain=2.0),
        Voice("strum", "nylon_guitar steel_guitar", "ska samba strum", legato=0.5, pan=-0.4),
        Voice("bass", "finger_bass upright_bass", "samba country cumbia", gain=1.0),
        Voice("counter", "steel_drums marimba flute", "thirds answer", 0.6),
    ),
    drums=Drums("kit_standard", "samba cumbia", "latin none", 0.2, gain=2.0),
    energy=0.6,
    moods={"any": "sunny tropical carefree happy breezy island"},
    forms="verse steady",
    variants="full:8 nodrums:2",
    timing=0.008,
    room="studio",
    tags="band latin",
)

STYLES = (
    REGGAE, DUB, SKA, SALSA, SAMBA, CUMBIA, REGGAETON, AFROBEAT, AMAPIANO, CALYPSO,
)
