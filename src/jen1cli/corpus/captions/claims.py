# ruff: noqa: E501 - tables
"""Finds the claims in a text that are not true of a score.

Claims are phrases whose truth can be looked up: instruments, drums, ensembles, tempo, key, meter,
moods of major and minor, energy, level. The longest phrase at a position wins, so "drum and bass"
claims no bass and "electric piano" no grand piano. Imagery is not checked, except audible weather
such as rain.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from jen1cli.composition.harmony.theory import KEYS
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.corpus.captions.facts import Facts

Claim = Callable[[Facts], bool]


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


_FAMILIES: dict[str, str] = {
    "piano": "piano",
    "pianos": "piano",
    "guitar": "guitar,distorted guitar",
    "guitars": "guitar,distorted guitar",
    "string": "strings,plucked strings,folk strings",
    "strings": "strings,synth strings",
    "string section": "strings",
    "bass": "bass,synth bass,chip bass",
    "bass line": "bass,synth bass,chip bass",
    "brass": "brass,synth brass",
    "horns": "brass,saxophone,synth brass",
    "horn": "brass",
    "sax": "saxophone",
    "saxophone": "saxophone",
    "woodwind": "woodwinds,saxophone",
    "woodwinds": "woodwinds,saxophone",
    "flutes": "woodwinds",
    "choir": "choir",
    "choral": "choir",
    "chorus of voices": "choir",
    "voices": "choir",
    "voice": "choir",
    "vocals": "choir",
    "singers": "choir",
    "organ": "organ,synth organ",
    "mallets": "mallets",
    "synth": "synth bass,synth lead,synth pad,synth pluck,synth stab,synth organ,synth arpeggio,synth bell,synth strings,synth brass,chip,chip bass",
    "accordion": "accordion",
    "bells": "mallets,synth bell",
    "pads": "synth pad",
    "pad": "synth pad",
    "electric guitar": "guitar,distorted guitar",
    "acoustic guitars": "guitar",
}
_ALSO = {"synths": "synth", "synthesizer": "synth", "synthesiser": "synth", "synthesizers": "synth"}
_ALSO |= {"saxophones": "saxophone", "bassline": "bass line", "keyboard strings": "strings"}

# Names of instruments that also have other meanings; they are not claims.
_FREE = frozenset(
    _split(
        "static; drone; drones; riser; sub; noise; impacts; booms; clicks; waves; wind; rain; drums; kit; "
        "percussion; beat; uplifter; swoosh; 808s"
    )
)
_NEUTRAL = _split(
    "drum and bass; drum'n'bass; future bass; bass music; bass drop; string band; organic; "
    "half-time bass music; testing the bass; sound bath; bass-heavy; drum circle; wall of sound; "
    "no horns; surf guitar rock; steel and glass; string of lights; guitar hero"
)

_NO_DRUMS = _split(
    "no drums; without drums; drumless; no percussion; without percussion; no beat; "
    "without any drums; drum-free; beatless"
)
_DRUMS = _split("drums; drum; drumming; percussion; beat; beats; breakbeat drums")
_NO_VOCALS = _split(
    "no vocals; without vocals; no singing; no voice; vocal-free; vocal-free trance; instrumental; "
    "purely instrumental"
)
_SOUNDS = {
    "congas": "conga_h conga_l conga_m",
    "conga": "conga_h conga_l conga_m",
    "bongos": "bongo_h bongo_l",
    "timbales": "timb_h timb_l",
    "tambourine": "tamb",
    "sleigh bells": "tamb",
    "shaker": "shaker",
    "shakers": "shaker",
    "cowbell": "cowbell",
    "claves": "claves",
    "claps": "clap",
    "handclaps": "clap",
    "hand claps": "clap",
    "guiro": "guiro",
    "agogo": "agogo_h agogo_l",
    "woodblock": "block_h block_l",
    "woodblocks": "block_h block_l",
    "triangle": "triangle",
    "toms": "tom1 tom2 tom3 tom4",
    "hi-hats": "hat open pedal",
    "ride cymbal": "ride",
    "cymbals": "ride crash open hat china splash",
    "rimshots": "rim",
    "snare": "snare snare2",
    "kick": "kick",
}
_ORCHESTRA = frozenset({"strings", "brass", "woodwinds", "harp", "orchestral percussion", "choir"})

_HAPPY = _split(
    "happy; joyful; cheerful; merry; jolly; sunny; gleeful; glad; jubilant; cheery; joyous; "
    "celebratory; carefree; upbeat and happy; overjoyed; elated; bright-eyed; sunlit; feel-good; "
    "heavenly; blissful; optimistic; happy-go-lucky"
)
_SAD = _split(
    "sad; melancholic; melancholy; mournful; sorrowful; gloomy; tearful; grieving; sombre; forlorn; "
    "downcast; weeping; blue; plaintive; heartbroken; tragic; sobbing; funereal"
)
_CALM = _split(
    "calm; peaceful; serene; tranquil; soothing; relaxing; restful; quiet; meditative; sleepy; "
    "hushed; placid; gentle; calming; whisper-quiet; still"
)
_WILD = _split(
    "energetic; explosive; frantic; relentless; aggressive; brutal; furious; high-energy; frenetic; "
    "ferocious; raging; pumped-up; full-on; extreme; unstoppable; adrenaline-pumping; loud"
)
_TEMPO: dict[str, tuple[float, float]] = {
    "very slow": (0, 68),
    "largo": (0, 70),
    "at a crawl": (0, 70),
    "extremely slow": (0, 70),
    "glacially slow": (0, 70),
    "slow": (0, 94),
    "slow-tempo": (0, 90),
    "adagio": (0, 86),
    "slowed": (0, 90),
    "slowed-down": (0, 90),
    "downtempo": (0, 112),
    "downbeat": (0, 112),
    "ballad": (0, 110),
    "mid-tempo": (80, 118),
    "midtempo": (80, 118),
    "moderate": (74, 124),
    "moderato": (80, 118),
    "andante": (72, 114),
    "walking pace": (80, 116),
    "medium tempo": (80, 118),
    "moderate tempo": (80, 118),
    "medium pace": (80, 118),
    "uptempo": (108, 400),
    "up-tempo": (108, 400),
    "upbeat": (90, 400),
    "upbeat tempo": (108, 400),
    "brisk": (100, 400),
    "allegro": (106, 400),
    "dance tempo": (106, 400),
    "fast": (116, 400),
    "presto": (126, 400),
    "quick": (108, 400),
    "rapid": (116, 400),
    "speedy": (120, 400),
    "breakneck": (126, 400),
    "very fast": (158, 400),
    "extremely fast": (158, 400),
    "lightning-fast": (140, 400),
    "super fast": (150, 400),
    "at full speed": (140, 400),
    "high-velocity": (140, 400),
}
_METER: dict[str, str] = {
    "waltz": "3/4",
    "valse": "3/4",
    "in triple time": "3/4",
    "triple meter": "3/4",
    "three-four": "3/4",
    "in three": "3/4",
    "jig": "6/8",
    "six-eight": "6/8",
    "compound time": "6/8",
    "five-four": "5/4",
    "odd meter": "5/4",
    "odd time signature": "5/4",
    "irregular meter": "5/4",
    "in five": "5/4",
    "common time": "4/4",
    "four-four": "4/4",
    "reel": "4/4",
    "two-four": "2/4",
    "in two": "2/4",
    "in four": "4/4",
}


def _any_of(names: frozenset[str]) -> Claim:
    return lambda facts: bool(facts.prominent & names)


def _instrument_claims() -> dict[str, Claim]:
    by_word: dict[str, set[str]] = {}
    for instrument in INSTRUMENTS.values():
        for word in instrument.words:
            low = word.lower()
            if low not in _FREE and instrument.family not in ("noise", "drums", "test tone"):
                by_word.setdefault(low, set()).add(instrument.name)
    for word, families in _FAMILIES.items():
        wanted = families.split(",")
        found = {i.name for i in INSTRUMENTS.values() if i.family in wanted}
        by_word.setdefault(word, set()).update(found)
    by_word["bass"] |= {"contrabass", "tuba"}
    by_word["strings"] -= {"contrabass"}
    by_word["accordion"] |= {"bandoneon"}
    by_word["violin"] |= {"fiddle"}
    by_word["electric guitar"] -= {"nylon_guitar", "steel_guitar"}
    by_word["acoustic guitars"] -= {"clean_guitar", "jazz_guitar", "muted_guitar"}
    by_word["synth"] |= {"fm_piano", "bass_808"}
    by_word["organ"] |= {"church_organ"}
    by_word["rain"] = by_word["raindrops"] = by_word["rainfall"] = {"rain_noise"}
    by_word["wind"] = {"wind_noise"}
    by_word["waves"] = {"sea_noise"}
    by_word["808"] = {"kit_808", "bass_808"}
    by_word["303"] = {"acid_bass"}
    by_word["brushes"] = by_word["brushed drums"] = {"kit_brush"}
    by_word["taiko"] |= {"taiko"}
    claims = {word: _any_of(frozenset(names)) for word, names in by_word.items()}
    claims |= {word: claims[other] for word, other in _ALSO.items()}
    return claims


def _families(facts: Facts) -> list[str]:
    return [INSTRUMENTS[name].family for name in facts.prominent]


def _ensemble_claims() -> dict[str, Claim]:
    def count(facts: Facts) -> int:
        return len(facts.everything)

    def orchestra(facts: Facts) -> bool:
        return (
            sum(f in _ORCHESTRA for f in _families(facts)) >= 2
            or "kit_orchestra" in facts.prominent
        )

    def brass(facts: Facts) -> bool:
        return any(f in ("brass", "saxophone") for f in _families(facts))

    def bowed(facts: Facts) -> bool:
        return _families(facts).count("strings") >= 3

    band = {"band", "full band", "combo", "ensemble", "full ensemble", "group", "many instruments"}
    claims: dict[str, Claim] = {word: lambda f: count(f) >= 3 for word in band}
    claims |= {
        word: lambda f: count(f) == 1
        for word in ("solo", "unaccompanied", "lone instrument", "nothing but", "soliloquy")
    }
    claims |= {word: lambda f: count(f) == 2 for word in ("duo", "duet", "two instruments")}
    claims |= {word: lambda f: 3 <= count(f) <= 4 for word in ("trio",)}
    claims |= dict.fromkeys(("quartet", "string quartet", "quartet music"), bowed)
    claims |= dict.fromkeys(("orchestra", "orchestral", "symphonic"), orchestra)
    big = ("big band", "brass band", "marching band", "wind band", "brass band march")
    claims |= dict.fromkeys(big, brass)
    claims["steel band"] = _any_of(frozenset({"steel_drums"}))
    return claims


def _plain_claims() -> dict[str, Claim]:
    claims: dict[str, Claim] = {word: lambda f: True for word in _NEUTRAL}
    claims |= {word: lambda f: f.drums_prominent for word in _DRUMS}
    claims |= {word: lambda f: not f.drums for word in _NO_DRUMS}
    choir = frozenset({"choir", "voice_oohs"})
    claims |= {word: lambda f: not (f.everything & choir) for word in _NO_VOCALS}
    struck = {word: frozenset(names.split()) for word, names in _SOUNDS.items()}
    claims |= {
        word: (lambda f, names=names: bool(f.drum_sounds & names)) for word, names in struck.items()
    }
    claims |= {
        word: (lambda f, low=low, high=high: low <= f.bpm <= high)
        for word, (low, high) in _TEMPO.items()
    }
    claims |= {word: (lambda f, meter=meter: f.meter == meter) for word, meter in _METER.items()}
    for word in _HAPPY:
        claims[word] = lambda f, word=word: not f.minor or not f.mode or word in f.own_moods
    for word in _SAD:
        claims[word] = lambda f, word=word: f.minor or not f.mode or word in f.own_moods
    claims |= {word: (lambda f, w=word: f.energy <= 0.5 or w in f.own_moods) for word in _CALM}
    claims |= {word: (lambda f, w=word: f.energy >= 0.45 or w in f.own_moods) for word in _WILD}
    for word in ("four-on-the-floor", "four to the floor", "four-on-the-floor house"):
        claims[word] = lambda f: f.four_floor
    for word in ("backbeat", "strong backbeat", "steady backbeat"):
        claims[word] = lambda f: f.backbeat
    for word in ("drums only", "only drums", "drum solo", "drum loop", "just drums"):
        claims[word] = lambda f: f.drums_only
    kit = frozenset({"kick", "snare", "rim", "clap", "hat", "ride", "snare2"})
    for word in ("drum kit", "drum set", "acoustic drums", "live drums", "rock drums"):
        claims[word] = lambda f: f.drums_prominent and len(f.drum_sounds & kit) >= 2
    claims["drum machine"] = lambda f: any(
        INSTRUMENTS[n].kind == "synth_kit" or n == "kit_electronic" for n in f.prominent
    )
    return claims


@lru_cache(maxsize=1)
def _lexicon() -> dict[tuple[str, ...], Claim]:
    claims = {**_instrument_claims(), **_ensemble_claims(), **_plain_claims()}
    return {tuple(_TOKEN.findall(words)): claim for words, claim in claims.items()}


_TOKEN = re.compile(r"[\w&'-]+(?:/\d)?")
_LONGEST = 4  # largest number of words in a claim


def _claimed(text: str) -> list[tuple[str, Claim]]:
    """Return the (phrase, check) claims of a text, at each position the longest one."""
    lexicon = _lexicon()
    tokens = _TOKEN.findall(text)
    found: list[tuple[str, Claim]] = []
    place = 0
    while place < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
            words = tuple(tokens[place : place + length])
            if words in lexicon:
                found.append((" ".join(words), lexicon[words]))
                place += length
                break
        else:
            place += 1
    return found


_BPM = re.compile(r"(\d{2,3}) ?(?:bpm|beats per minute)")
_SIGNATURE = re.compile(r"(?<![\d/])([2-7]/[48])(?![\d/])")
_TONICS = "[A-Ga-g]"
_SHIFT = {
    "#": 1,
    "♯": 1,
    " sharp": 1,
    "-sharp": 1,
    "b": -1,
    "♭": -1,
    " flat": -1,
    "-flat": -1,
    "": 0,
}
_MODES = (
    "harmonic minor|natural minor|phrygian dominant|major|minor|dorian|phrygian|lydian|mixolydian"
)
_KEY = re.compile(
    rf"(?<![\w#])({_TONICS})(#|♯|b|♭| sharp|-sharp| flat|-flat|)[ -]({_MODES})(?!\w)", re.IGNORECASE
)


def false_claims(text: str, facts: Facts) -> list[str]:
    """Return the claims of a text that are not true of a clip; empty if all are true."""
    low = text.lower()
    wrong = [words for words, claim in _claimed(low) if not claim(facts)]
    wrong += [m[0] for m in _BPM.finditer(low) if abs(int(m[1]) - facts.bpm) > 0.02 * facts.bpm]
    wrong += [m[0] for m in _SIGNATURE.finditer(low) if m[1] != facts.meter]
    wrong += [m[0] for m in _KEY.finditer(text) if not _same_key(m[1], m[2], m[3], facts)]
    return wrong


def _same_key(letter: str, shift: str, mode: str, facts: Facts) -> bool:
    naturals = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    tonic = (naturals[letter.upper()] + _SHIFT[shift.lower()]) % 12
    if not facts.key or tonic != KEYS.index(facts.key):
        return False
    said = mode.lower().replace("natural minor", "minor")
    return said == facts.mode or (said == "minor" and facts.mode == "harmonic minor")


def is_true(text: str, facts: Facts) -> bool:
    """Whether a text has no false claims."""
    return not false_claims(text, facts)
