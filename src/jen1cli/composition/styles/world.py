# ruff: noqa: E501 - a voice of a style is one row
# fmt: off
"""Tango, flamenco, klezmer, polka and traditional music of Asia and Africa."""

from jen1cli.composition.styles.style import Drums, Style, Voice

TANGO = Style(
    name="tango",
    tempo=(104.0, 134.0),
    modes="harmonic_minor:4 minor:2 major",
    harmony={"minor": "latin_minor classical_minor", "major": "latin_major"},
    voices=(
        Voice("melody", "bandoneon:4 violin:3 accordion", "tango", gain=1.0),
        Voice("chords", "grand_piano:3 bandoneon", "tango", legato=0.5, gain=1.0),
        Voice("bass", "contrabass upright_bass", "tango", legato=0.5, gain=1.0),
        Voice("counter", "violin cello", "guide answer thirds", 0.7, 0.3),
    ),
    drums=None,
    energy=0.55,
    moods={"any": "passionate dramatic sensual sharp melancholic"},
    invent=0.0,
    cadence="plain",
    forms="aba lift",
    variants="full:8 duo:2 solo:0.5",
    solos="accordion nylon_guitar grand_piano",
    timing=0.01,
    room="studio",
    tags="acoustic latin",
)

FLAMENCO = Style(
    name="flamenco",
    tempo=(88.0, 168.0),
    modes="phrygian_dominant:3 phrygian:2 minor harmonic_minor",
    harmony={"phrygian dominant": "flamenco", "phrygian": "modal_phrygian", "minor": "andalusian", "harmonic minor": "andalusian"},
    voices=(
        Voice("chords", "nylon_guitar", "rasgueado pick strum guitar_waltz", strum=0.012, low=45, high=69, gain=1.0),
        Voice("melody", "nylon_guitar", "running east flamenco", low=57, high=81, pan=0.25, gain=1.0),
        Voice("bass", "upright_bass", "halves waltz", 0.3),
    ),
    drums=Drums("kit_standard", "palmas", "none", 0.2, gain=-2.0, chance=0.7),
    energy=0.56,
    moods={"any": "fiery passionate dramatic intense Spanish"},
    meters="4/4:3 3/4:3",
    invent=0.0,
    forms="aba crescendo",
    variants="full:6 nodrums:3 solo:3",
    solos="nylon_guitar",
    timing=0.009,
    room="room",
    tags="acoustic latin",
    extra={"solo_comp": "pick rasgueado", "solo_melody": "running flamenco"},
)

KLEZMER = Style(
    name="klezmer",
    tempo=(100.0, 156.0),
    modes="phrygian_dominant:3 harmonic_minor:3",
    harmony={"phrygian dominant": "flamenco", "harmonic minor": "latin_minor folk_minor"},
    voices=(
        Voice("melody", "clarinet:4 violin:2 accordion", "klezmer fiddle", gain=1.0),
        Voice("chords", "accordion:2 grand_piano dulcimer", "march ska stride", legato=0.4, size=3),
        Voice("bass", "tuba upright_bass", "oompah country", legato=0.6, gain=1.0),
        Voice("counter", "violin trombone clarinet", "thirds guide octave", 0.6),
    ),
    drums=Drums("kit_standard", "polka ska march", "snare none", 0.2, gain=2.0, chance=0.8),
    energy=0.62,
    moods={"any": "lively wild bittersweet festive laughing-crying"},
    invent=0.0,
    forms="aba lift steady",
    variants="full:8 nodrums:2 duo",
    timing=0.009,
    room="room",
    tags="acoustic traditional",
)

POLKA = Style(
    name="polka",
    tempo=(108.0, 136.0),
    modes="major",
    harmony={"major": "march folk_major classical_major"},
    voices=(
        Voice("melody", "accordion:3 clarinet:2 trumpet", "folk march classical", gain=1.0),
        Voice("chords", "accordion:2 brass_section", "march polka", legato=0.4, size=3),
        Voice("bass", "tuba", "oompah", legato=0.6, gain=1.5),
        Voice("counter", "clarinet trumpet", "thirds answer", 0.6, 0.3),
    ),
    drums=Drums("kit_standard", "polka", "snare none", 0.2, chance=0.9, gain=3.0),
    energy=0.6,
    moods={"any": "cheerful bouncy jolly beer-hall merry"},
    meters="4/4:2 2/4:3",
    invent=0.0,
    cadence="plain",
    forms="aba verse",
    variants="full:9 nodrums",
    timing=0.009,
    room="room",
    tags="acoustic traditional",
)

INDIAN = Style(
    name="indian classical",
    tempo=(66.0, 120.0),
    modes="mixolydian:2 dorian phrygian_dominant:2 lydian phrygian",
    harmony={"mixolydian": "drone", "dorian": "drone_minor", "phrygian dominant": "drone", "lydian": "drone", "phrygian": "drone_minor"},
    voices=(
        Voice("melody", "sitar:5 shanai flute violin", "raga", gain=2.0, reverb=0.3),
        Voice("drone", "sitar cello accordion dark_drone", "drone", gain=2.0, low=48, high=62, reverb=0.3),
        Voice("arpeggio", "sitar dulcimer", "tanpura", 0.6, gain=-2.0, low=48, high=62, size=3),
    ),
    drums=Drums("kit_standard", "tabla", "none", 0.5, gain=5.0, chance=0.75),
    energy=0.36,
    moods={"any": "meditative mystical hypnotic devotional exotic"},
    cell=2.0,
    invent=0.0,
    forms="calm crescendo lift",
    variants="full:7 nodrums:3",
    timing=0.012,
    room="hall",
    tags="acoustic traditional",
)

JAPANESE = Style(
    name="japanese traditional",
    tempo=(56.0, 96.0),
    modes="phrygian:3 minor:2",
    harmony={"phrygian": "east", "minor": "east"},
    voices=(
        Voice("melody", "shakuhachi:3 koto:3 shamisen:2", "koto east", gain=1.0, reverb=0.45),
        Voice("arpeggio", "koto:3 shamisen", "sparse_pluck broken", 0.85, reverb=0.35, size=3),
        Voice("drone", "strings dark_drone", "drone", 0.25, gain=-3.0, low=40, high=60),
        Voice("percussion", "taiko", "boom", 0.4),
    ),
    drums=None,
    energy=0.22,
    moods={"any": "serene contemplative ancient sparse meditative zen"},
    invent=0.0,
    forms="calm aba",
    variants="full:7 nodrums:2 duo:2 solo:2",
    solos="koto:3 shakuhachi:3 shamisen",
    timing=0.018,
    room="hall",
    tags="acoustic traditional",
    extra={"solo_comp": "broken", "solo_melody": "koto east"},
)

MIDDLE_EASTERN = Style(
    name="middle eastern",
    tempo=(80.0, 128.0),
    modes="phrygian_dominant:5 harmonic_minor:2",
    harmony={"phrygian dominant": "flamenco drone", "harmonic minor": "folk_minor"},
    voices=(
        Voice("melody", "shanai:2 violin:2 string_pluck clarinet flute", "raga klezmer", gain=1.0, reverb=0.3),
        Voice("strum", "string_pluck:3 dulcimer nylon_guitar", "pick rasgueado arp_sync", strum=0.01, pan=-0.3),
        Voice("bass", "upright_bass finger_bass", "halves country", 0.7),
        Voice("pad", "strings", "held", 0.6, gain=2.0),
        Voice("counter", "strings violin", "octave guide", 0.4),
    ),
    drums=Drums("kit_standard", "darbuka", "none", 0.3, gain=3.0),
    energy=0.5,
    moods={"any": "exotic mysterious swaying desert ornate"},
    invent=0.0,
    forms="steady lift aba",
    variants="full:8 nodrums:2",
    timing=0.009,
    room="hall",
    tags="acoustic traditional",
)

KALIMBA = Style(
    name="african kalimba",
    tempo=(92.0, 132.0),
    modes="major:3 mixolydian:2",
    harmony={"major": "folk_major minimal_major", "mixolydian": "modal_mixolydian"},
    voices=(
        Voice("arpeggio", "kalimba:3 marimba:2", "arp_sync arp_minimal afro", gain=2.0, size=3, low=57, high=79),
        Voice("melody", "kalimba marimba flute pan_flute voice_oohs", "pentatonic folk", gain=1.0),
        Voice("bass", "upright_bass finger_bass", "afrobeat samba sixeight", 0.6),
    ),
    drums=Drums("kit_standard", "tribal slow_68 jig", "none", 0.3, gain=2.0, chance=0.8),
    energy=0.46,
    moods={"any": "earthy joyful gentle organic sunny"},
    meters="4/4:4 6/8:3",
    forms="steady calm lift",
    variants="full:7 nodrums:3 solo",
    solos="kalimba:3 marimba",
    timing=0.009,
    room="room",
    tags="acoustic traditional",
    extra={"solo_comp": "arp_sync arp_minimal"},
)

TRIBAL_DRUMS = Style(
    name="tribal percussion",
    tempo=(90.0, 140.0),
    modes="minor:2 dorian",
    harmony={"minor": "drone_minor", "dorian": "drone_minor"},
    voices=(
        Voice("percussion", "taiko", "boom", 0.6, gain=2.0),
        Voice("drone", "dark_drone", "drone", 0.4, low=30, high=50),
        Voice("melody", "shakuhachi pan_flute ocarina", "pentatonic sparse", 0.4, reverb=0.4),
    ),
    drums=Drums("kit_standard", "tribal:3 taiko afrobeat samba", "epic latin none", 0.5, gain=2.0, reverb=0.2),
    energy=0.7,
    moods={"any": "primal driving ritual earthy powerful trance-like"},
    cell=4.0,
    invent=0.0,
    forms="steady crescendo lift",
    variants="full:6 drums:4",
    timing=0.008,
    room="hall",
    tags="acoustic traditional",
)

STYLES = (
    TANGO, FLAMENCO, KLEZMER, POLKA, INDIAN, JAPANESE, MIDDLE_EASTERN, KALIMBA, TRIBAL_DRUMS,
)
