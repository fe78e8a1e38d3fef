# ruff: noqa: E501 - the tables read better with one row a line
"""The composer's instruments: sound, pitch range and names used in captions.

Sampled ones are named by their General MIDI program, synthesised ones by the name of a voice of
`jen1cli.corpus.rendering.synth`. Ranges are MIDI numbers (60 = middle C) in which the instrument
sounds natural. The first entry of `words` is the most common name; all are true of the sound.
"""

from dataclasses import dataclass
from typing import Literal

from jen1cli.composition.score import Stem

Kind = Literal["gm", "kit", "synth", "synth_kit"]


@dataclass(frozen=True)
class Instrument:
    """One instrument or drum kit."""

    name: str  # key of `INSTRUMENTS`
    kind: Kind  # sampled, sampled kit, synthesised voice, synthesised kit
    program: int  # General MIDI program 0 to 127; for kits the program in bank 128; -1 for synths
    voice: str  # name of the synthesised voice or kit, "" for sampled ones
    family: str  # piano, strings, guitar, bass, drums, ...
    low: int  # lowest MIDI number it should play
    high: int  # highest MIDI number it should play
    words: tuple[str, ...]  # names for captions, the most common first
    stem: Stem  # default stem


# name | program | family | low | high | stem | words
_SAMPLED = """
grand_piano | 0 | piano | 28 | 100 | harmony | piano, grand piano, acoustic piano, concert piano
bright_piano | 1 | piano | 28 | 100 | harmony | piano, bright piano, pop piano
honky_tonk | 3 | piano | 36 | 96 | harmony | honky-tonk piano, saloon piano, old upright piano
rhodes | 4 | electric piano | 33 | 96 | harmony | electric piano, Rhodes, Rhodes piano, e-piano
fm_piano | 5 | electric piano | 33 | 96 | harmony | FM electric piano, digital electric piano, DX piano
harpsichord | 6 | harpsichord | 36 | 89 | harmony | harpsichord, cembalo
clavinet | 7 | clavinet | 36 | 86 | harmony | clavinet, clav, funky clav
celesta | 8 | mallets | 60 | 103 | melody | celesta, celeste
glockenspiel | 9 | mallets | 67 | 103 | melody | glockenspiel, bells
music_box | 10 | mallets | 60 | 98 | melody | music box, musical box
vibraphone | 11 | mallets | 53 | 91 | melody | vibraphone, vibes
marimba | 12 | mallets | 45 | 93 | melody | marimba
xylophone | 13 | mallets | 60 | 96 | melody | xylophone
tubular_bells | 14 | mallets | 60 | 79 | melody | tubular bells, church bells, chimes
dulcimer | 15 | folk strings | 48 | 88 | melody | dulcimer, hammered dulcimer
hammond | 16 | organ | 36 | 96 | harmony | organ, Hammond organ, drawbar organ, electric organ
rock_organ | 18 | organ | 36 | 96 | harmony | rock organ, organ, overdriven organ
church_organ | 19 | organ | 28 | 96 | harmony | church organ, pipe organ, organ
accordion | 21 | accordion | 48 | 89 | melody | accordion, squeezebox
harmonica | 22 | harmonica | 60 | 89 | melody | harmonica, mouth harp
bandoneon | 23 | accordion | 48 | 89 | melody | bandoneon, tango accordion
nylon_guitar | 24 | guitar | 40 | 84 | harmony | nylon guitar, classical guitar, Spanish guitar, acoustic guitar
steel_guitar | 25 | guitar | 40 | 84 | harmony | acoustic guitar, steel-string guitar, folk guitar
jazz_guitar | 26 | guitar | 40 | 86 | harmony | jazz guitar, mellow electric guitar, hollow-body guitar
clean_guitar | 27 | guitar | 40 | 86 | harmony | clean electric guitar, electric guitar, clean guitar
muted_guitar | 28 | guitar | 40 | 79 | harmony | muted guitar, palm-muted guitar, muted electric guitar
overdriven_guitar | 29 | distorted guitar | 40 | 86 | harmony | overdriven guitar, crunchy guitar, electric guitar
distorted_guitar | 30 | distorted guitar | 38 | 86 | harmony | distorted guitar, heavy guitar, distorted electric guitar
upright_bass | 32 | bass | 28 | 60 | bass | upright bass, double bass, acoustic bass
finger_bass | 33 | bass | 28 | 60 | bass | bass guitar, electric bass, fingered bass
pick_bass | 34 | bass | 28 | 60 | bass | picked bass, bass guitar, electric bass
fretless_bass | 35 | bass | 28 | 60 | bass | fretless bass, smooth bass
slap_bass | 36 | bass | 28 | 60 | bass | slap bass, popping bass
violin | 40 | strings | 55 | 98 | melody | violin
fiddle | 110 | strings | 55 | 93 | melody | fiddle, folk violin
viola | 41 | strings | 48 | 86 | melody | viola
cello | 42 | strings | 36 | 76 | melody | cello, violoncello
contrabass | 43 | strings | 28 | 60 | bass | double bass, contrabass, bowed bass
tremolo_strings | 44 | strings | 40 | 93 | harmony | tremolo strings, shivering strings
pizzicato | 45 | strings | 36 | 93 | harmony | pizzicato strings, plucked strings
harp | 46 | harp | 31 | 98 | harmony | harp, concert harp
timpani | 47 | orchestral percussion | 38 | 57 | drums | timpani, kettledrums
strings | 48 | strings | 36 | 96 | harmony | strings, string section, string ensemble, string orchestra
slow_strings | 49 | strings | 36 | 96 | harmony | slow strings, strings, lush strings
synth_strings | 50 | synth strings | 36 | 96 | harmony | synth strings, string machine, analog strings
choir | 52 | choir | 43 | 84 | harmony | choir, choral voices, wordless choir
voice_oohs | 53 | choir | 43 | 84 | harmony | oohs, soft voices, wordless vocals
orchestra_hit | 55 | orchestra hit | 48 | 84 | harmony | orchestra hits, orchestral stabs
trumpet | 56 | brass | 55 | 86 | melody | trumpet
trombone | 57 | brass | 40 | 74 | melody | trombone
tuba | 58 | brass | 28 | 60 | bass | tuba
muted_trumpet | 59 | brass | 55 | 84 | melody | muted trumpet, harmon-muted trumpet
french_horn | 60 | brass | 41 | 77 | melody | French horn, horn, horns
brass_section | 61 | brass | 40 | 84 | melody | brass section, brass, horn section
synth_brass | 62 | synth brass | 36 | 90 | harmony | synth brass, analog brass
soprano_sax | 64 | saxophone | 56 | 87 | melody | soprano saxophone, soprano sax, sax
alto_sax | 65 | saxophone | 49 | 80 | melody | alto saxophone, alto sax, sax, saxophone
tenor_sax | 66 | saxophone | 44 | 76 | melody | tenor saxophone, tenor sax, sax, saxophone
baritone_sax | 67 | saxophone | 36 | 68 | melody | baritone saxophone, baritone sax, bari sax
oboe | 68 | woodwinds | 58 | 91 | melody | oboe
english_horn | 69 | woodwinds | 52 | 81 | melody | English horn, cor anglais
bassoon | 70 | woodwinds | 34 | 72 | melody | bassoon
clarinet | 71 | woodwinds | 50 | 91 | melody | clarinet
piccolo | 72 | woodwinds | 74 | 103 | melody | piccolo
flute | 73 | woodwinds | 60 | 96 | melody | flute, concert flute
recorder | 74 | woodwinds | 60 | 91 | melody | recorder, block flute
pan_flute | 75 | woodwinds | 60 | 91 | melody | pan flute, panpipes
shakuhachi | 77 | woodwinds | 55 | 86 | melody | shakuhachi, bamboo flute
ocarina | 79 | woodwinds | 60 | 88 | melody | ocarina
sitar | 104 | plucked strings | 48 | 81 | melody | sitar
banjo | 105 | plucked strings | 48 | 86 | melody | banjo
shamisen | 106 | plucked strings | 50 | 79 | melody | shamisen
koto | 107 | plucked strings | 50 | 84 | melody | koto
kalimba | 108 | mallets | 55 | 91 | melody | kalimba, thumb piano, mbira
bagpipes | 109 | bagpipes | 50 | 79 | melody | bagpipes, pipes
shanai | 111 | woodwinds | 55 | 81 | melody | shehnai, reed pipe, oriental oboe
steel_drums | 114 | mallets | 52 | 86 | melody | steel drums, steel pan, steelpan
taiko | 116 | orchestral percussion | 36 | 60 | drums | taiko, taiko drums, big drums
"""

# name | voice | family | low | high | stem | words
_SYNTHS = """
analog_bass | analog_bass | synth bass | 28 | 60 | bass | synth bass, analog bass, analogue synth bass
sub_bass | sub_bass | synth bass | 26 | 52 | bass | sub bass, deep sub, sub
bass_808 | bass_808 | synth bass | 24 | 52 | bass | 808 bass, booming 808, 808s
reese_bass | reese_bass | synth bass | 26 | 52 | bass | reese bass, growling synth bass, detuned bass
acid_bass | acid_bass | synth bass | 28 | 60 | bass | acid bass, 303 bass line, squelchy bass
fm_bass | fm_bass | synth bass | 28 | 60 | bass | FM bass, digital bass, synth bass
wobble_bass | wobble_bass | synth bass | 26 | 52 | bass | wobble bass, wobbling bass, dubstep bass
saw_lead | saw_lead | synth lead | 48 | 96 | melody | saw lead, synth lead, sawtooth lead
square_lead | square_lead | synth lead | 48 | 96 | melody | square lead, synth lead, hollow synth lead
soft_lead | soft_lead | synth lead | 48 | 96 | melody | soft synth lead, mellow synth lead, sine lead
supersaw | supersaw | synth lead | 45 | 93 | harmony | supersaw, supersaws, big detuned saws, supersaw chords
saw_pad | saw_pad | synth pad | 40 | 88 | harmony | synth pad, analog pad, bright synth pad
warm_pad | warm_pad | synth pad | 36 | 86 | harmony | warm pad, synth pad, soft pad, pads
glass_pad | glass_pad | synth pad | 48 | 93 | harmony | glassy pad, shimmering pad, synth pad
dark_drone | dark_drone | synth pad | 24 | 60 | harmony | drone, dark drone, low drone
pluck | pluck | synth pluck | 40 | 93 | harmony | synth pluck, plucks, plucked synth
stab | stab | synth stab | 40 | 86 | harmony | synth stabs, chord stabs, rave stabs
organ_house | organ_house | synth organ | 36 | 86 | harmony | house organ, synth organ, digital organ
arp_saw | arp_saw | synth arpeggio | 40 | 93 | harmony | synth arpeggio, arpeggiated synth, sequenced synth
fm_bell | fm_bell | synth bell | 55 | 98 | melody | FM bells, synth bells, digital bells
crystal | crystal | synth bell | 55 | 98 | melody | crystal bells, glass bells, sparkling synth
string_pluck | string_pluck | plucked strings | 40 | 84 | harmony | plucked string, plucked strings, string pluck
chip_square | chip_square | chip | 48 | 98 | melody | chip lead, square wave, 8-bit lead, pulse wave
chip_triangle | chip_triangle | chip bass | 28 | 64 | bass | chip bass, triangle wave bass, 8-bit bass
chip_arp | chip_arp | chip | 48 | 98 | harmony | 8-bit arpeggios, chip arpeggios, pulse-wave arpeggios
theremin | theremin | synth lead | 48 | 91 | melody | theremin, wailing theremin, gliding sine
noise_texture | noise_texture | noise | 0 | 127 | harmony | noise, filtered noise, noise texture
wind_noise | wind_noise | noise | 0 | 127 | harmony | wind, wind noise, howling wind
rain_noise | rain_noise | noise | 0 | 127 | harmony | rain, rain sound, rainfall
sea_noise | sea_noise | noise | 0 | 127 | harmony | waves, sea waves, ocean waves
riser | riser | noise | 0 | 127 | harmony | riser, noise riser, rising sweep
downlifter | downlifter | noise | 0 | 127 | harmony | downlifter, falling sweep, down sweep
impact | impact | impact | 0 | 127 | drums | impacts, cinematic hits, booms
sine_sweep | sine_sweep | test tone | 24 | 108 | melody | sine sweep, gliding tone, swept tone
sine_tone | sine_tone | test tone | 36 | 108 | melody | sine tone, pure tone, test tone
noise_burst | noise_burst | noise | 0 | 127 | harmony | noise bursts, bursts of noise, static
"""

# name | kind | program or voice | words
_KITS = """
kit_standard | kit | 0 | drums, drum kit, acoustic drums, drum set
kit_room | kit | 8 | drums, roomy drums, acoustic drums, live drums
kit_power | kit | 16 | drums, big drums, rock drums, punchy drums
kit_electronic | kit | 24 | electronic drums, drum machine, electronic beat
kit_jazz | kit | 32 | drums, jazz drums, acoustic drums, drum kit
kit_brush | kit | 40 | brushed drums, brushes, jazz brushes, soft drums
kit_orchestra | kit | 48 | orchestral percussion, concert percussion
kit_808 | synth_kit | 808 | 808 drums, 808 beat, drum machine, electronic drums
kit_909 | synth_kit | 909 | 909 drums, drum machine, electronic drums, 909 beat
kit_lofi | synth_kit | lofi | dusty drums, lofi drums, sampled drums, lo-fi beat
kit_eighties | synth_kit | eighties | gated drums, 80s drums, drum machine, electronic drums
kit_break | synth_kit | break | breakbeat, chopped drums, break drums, jungle drums
kit_chip | synth_kit | chip | 8-bit drums, chip drums, noise drums
kit_minimal | synth_kit | minimal | clicks, minimal drums, clicky drums, electronic drums
"""


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(","))


def _stem(cell: str) -> Stem:
    stems: dict[str, Stem] = {
        "drums": "drums",
        "bass": "bass",
        "harmony": "harmony",
        "melody": "melody",
    }
    return stems[cell]


def _build() -> dict[str, Instrument]:
    table: list[Instrument] = []
    for name, program, family, low, high, stem, words in _rows(_SAMPLED):
        table.append(
            Instrument(
                name,
                "gm",
                int(program),
                "",
                family,
                int(low),
                int(high),
                _words(words),
                _stem(stem),
            )
        )
    for name, voice, family, low, high, stem, words in _rows(_SYNTHS):
        table.append(
            Instrument(
                name, "synth", -1, voice, family, int(low), int(high), _words(words), _stem(stem)
            )
        )
    for name, kind, source, words in _rows(_KITS):
        if kind == "kit":
            kit = Instrument(name, "kit", int(source), "", "drums", 27, 87, _words(words), "drums")
        else:
            kit = Instrument(name, "synth_kit", -1, source, "drums", 27, 87, _words(words), "drums")
        table.append(kit)
    return {instrument.name: instrument for instrument in table}


INSTRUMENTS: dict[str, Instrument] = _build()
