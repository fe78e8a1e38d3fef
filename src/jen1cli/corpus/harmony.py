"""Chord progressions: pools of loops, a small functional grammar, cadences."""

from jen1cli.corpus.dice import Dice
from jen1cli.corpus.theory import Chord, parse_chord

# Loops of Roman numerals; "|" parts equal stretches of time, blanks share one of them.
POOLS: dict[str, tuple[str, ...]] = {
    "pop_major": (
        "I | V | vi | IV",
        "I | vi | IV | V",
        "vi | IV | I | V",
        "IV | I | V | vi",
        "I | IV | vi | V",
        "I | V/vii | vi | IV",
        "I | iii | IV | V",
        "Iadd9 | Vsus4 V | vi7 | IVadd9",
        "IV | V | iii | vi | IV | V | I | I",
        "I | ii | IV | V",
        "I | I/iii | IV | iv",
    ),
    "pop_minor": (
        "i | bVI | bIII | bVII",
        "i | bVII | bVI | bVII",
        "i | iv | bVI | v",
        "bVI | bVII | i | i",
        "i | bIII | bVII | iv",
        "i | v | bVI | bVII",
        "i | bVI | iv | V",
        "iv | i | bVI | bVII",
        "i | bVII/ii | bIII | bVI",
        "i7 | bVImaj7 | bIII | bVIIsus4 bVII",
    ),
    "jazz_major": (
        "Imaj7 vi7 | ii7 V7",
        "ii7 | V7 | Imaj7 | vi7",
        "Imaj9 | vi9 | ii9 | V13",
        "Imaj7 | VI7 | ii7 | V7",
        "iii7 VI7b9 | ii7 V13 | Imaj9 | vi7",
        "IVmaj7 | iv6 | iii7 | VI7 | ii7 | V7 | Imaj7 | V7sus4",
        "Imaj7 | I7 | IVmaj7 | iv6",
        "ii9 | bII7#9 | Imaj9 | I69",
        "Imaj7 bIIIdim7 | ii7 V7",
        "Imaj9 | iim7b5 V7b9 | Imaj9 | IVmaj9",
    ),
    "jazz_minor": (
        "i7 | iv7 | iim7b5 V7b9 | i7",
        "iim7b5 | V7#9 | i9 | i9",
        "i9 | bVImaj7 | iim7b5 | V7b9",
        "i7 | bVII7 | bVImaj7 | V7#5",
        "iv9 | bVII13 | bIIImaj9 | bVImaj9 | iim7b5 | V7b9 | i9 | i9",
        "i6 | iv7 | V7b9 | i6",
        "i9 | IV13 | i9 | V7#9",
    ),
    "lofi": (
        "ii9 | V13 | Imaj9 | vi7",
        "Imaj9 | iii7 | vi9 | IVmaj9",
        "IVmaj9 | iii7 | ii9 | Imaj9",
        "IVmaj7 | V7sus4 | iii7 | vi7",
        "Imaj7 | iv6 | Imaj9 | VI7#5",
        "vi9 | ii9 | IVmaj9 | V9sus4",
        "ii7 iii7 | IVmaj7 V7sus4",
    ),
    "lofi_minor": (
        "i9 | iv9 | bVImaj7 | v7",
        "bVImaj7 | V7#5 | i9 | bIIImaj7",
        "iv9 | bVII13 | bIIImaj9 | bVImaj7",
        "i9 | bVImaj9 | iim7b5 | V7b9",
        "i9 | v7 | iv9 | bVImaj7",
        "i7 bVIImaj7 | bVImaj7 v7",
    ),
    "modal_dorian": (
        "i7 | IV7",
        "i9 | IV9 | i9 | IV13",
        "i7 | i7 | ii7 | i7",
        "i7 | bVII | IV | i7",
        "i11 | i11 | IV9sus4 | IV9",
        "i7 ii7 | bIIImaj7 ii7",
    ),
    "modal_mixolydian": (
        "I | bVII | IV | I",
        "I7 | v7 | I7 | bVII",
        "I | I | bVII | IV",
        "I9 | IV/i | I9 | bVII",
    ),
    "modal_lydian": (
        "Imaj7 | II/i | Imaj7 | II/i",
        "Imaj7#11 | vii7 | Imaj7#11 | V6",
        "Imaj9 | IIadd9 | vii7 | Imaj9",
    ),
    "modal_phrygian": (
        "i | bII | i | bII",
        "i | bII | bIII | bII",
        "i | bvii | bII | i",
        "i5 | i5 | bII | bIII bII",
    ),
    "andalusian": (
        "i | bVII | bVI | V",
        "I | bII | I | bII",
        "iv | bIII | bII | I",
        "I | bII | bIII | bII",
        "i | iv | V7b9 | i",
    ),
    "rock_major": (
        "I | bVII | IV | I",
        "I | IV | V | IV",
        "I5 | bVII5 | IV5 | I5",
        "I | bIII | IV | I",
        "I | V | bVII | IV",
        "vi | IV | I | V",
        "I IV | I V",
    ),
    "rock_minor": (
        "i5 | bVI5 | bIII5 | bVII5",
        "i5 | bVII5 | bVI5 | bVII5",
        "i5 | bIII5 | iv5 | bVI5 bVII5",
        "i5 | i5 | bVI5 | V5",
        "i5 | iv5 | bVII5 | i5",
    ),
    "metal": (
        "i5 | i5 | bVI5 | bVII5",
        "i5 | bII5 | i5 | bvii5",
        "i5 | bVI5 bVII5 | i5 | bII5",
        "i5 | i5 bIII5 | iv5 | bvi5 v5",
        "i5 | iv5 | bVI5 | V5",
    ),
    "blues": (
        "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
        "I7 | I7 | IV7 | I7",
        "IV7 | I7 | V7 IV7 | I7 V7",
        "I7 | VI7 | II7 | V7",
    ),
    "blues_minor": (
        "i7 | iv7 | i7 | V7#9",
        "i7 | iv7 | bVI7 V7#9 | i7",
        "iv7 | iv7 | i7 | i7 | bVI7 | V7#9 | i7 | V7#9",
    ),
    "gospel": (
        "I | I7/iii | IV | iv6",
        "I V/vii | vi7 | ii7 V9sus4 | I",
        "IVmaj9 V/iv | iii7 vi9 | ii9 V13 | Imaj9",
        "I | III7 | vi7 | I9",
        "Imaj9 III7#5 | vi9 v9 I13 | IVmaj9 iv6 | iii7 VI7b9 ii9 V9sus4",
        "vi7 | II7 | IV/v | I",
    ),
    "soul": (
        "Imaj7 | vi7 | IVmaj7 | V9sus4",
        "Imaj7 | iii7 | IVmaj7 | ii7 V9sus4",
        "I | vi | ii7 | V7",
        "IVmaj7 | iii7 | ii7 | Imaj7",
        "Imaj7 | I7 | IVmaj7 | iv6",
        "vi7 | iii7 | IVmaj7 | V9sus4",
    ),
    "soul_minor": (
        "i9 | iv9 | i9 | V7#9",
        "i7 | bVImaj7 | iv7 | V7sus4 V7",
        "iv9 | i9 | bVImaj7 | bVII9sus4",
        "i9 | bIIImaj7 | iv9 | v7",
    ),
    "funk": (
        "I9 | I9 | IV9 | I9",
        "I7#9 | I7#9 | I7#9 | IV9",
        "I9 | I9 bVII9 | I9 | IV9",
    ),
    "funk_minor": (
        "i9 | IV13 | i9 | IV13",
        "i9 | i9 | i9 | bVII13 V7#9",
        "i7 | i7 | iv9 | i7",
        "i7 bIII6 | iv7 bVII9",
    ),
    "disco": (
        "i7 | iv7 | bVII9 | bIIImaj7",
        "i7 | bVII | bVImaj7 | v7",
        "iv7 | bVII9 | i7 | i7",
        "i9 | i9 | bVImaj7 | V7sus4 V7",
    ),
    "disco_major": (
        "Imaj7 | vi7 | ii7 | V9sus4",
        "IVmaj7 | iii7 | ii7 | V9sus4",
        "ii7 | V9 | Imaj7 | IVmaj7",
    ),
    "house": (
        "i7 | bVImaj7 | iv7 | v7",
        "i9 | i9 | iv9 | iv9",
        "bVImaj7 | bVII | i7 | v7",
        "iv9 | v7 | i9 | bVImaj7",
        "i7 | bIIImaj7 | bVII | iv7",
    ),
    "house_major": (
        "IVmaj9 | V | vi7 | iii7",
        "ii9 | IVmaj7 | vi7 | V9sus4",
        "vi9 | IVmaj9 | I | V9sus4",
        "IVmaj9 | IVmaj9 | iii7 | vi7",
    ),
    "static_minor": (
        "i7 | i7 | i7 | i7",
        "i | i | bVII | i",
        "i | i | bVI | bVI",
        "i9 | i9 | iv9 | i9",
        "i | i | i | bII",
    ),
    "trance": (
        "i | bVI | bIII | bVII",
        "bVI | bVII | i | bIII",
        "i | bIII | bVII | iv",
        "iv | bVI | i | bVII",
        "bVI | i | bVII | bVII",
        "i | v/bvii | bVI | bVII",
    ),
    "trance_major": (
        "vi | IV | I | V",
        "IV | V | vi | I",
        "I | V/vii | vi | IV",
    ),
    "cinematic": (
        "i | bVI | bIII | bVII",
        "i | bVI | iv | V",
        "i | bIII | bVI | bII",
        "i | #iv | i | bvi",
        "i | bVI | bIII/v | bVII",
        "i | v/bvii | bVI | iv | i/bIII | iv | Vsus4 | V",
    ),
    "cinematic_major": (
        "I | bVI | bIII | bVII",
        "I | V/vii | vi | IV | I/iii | IV | Vsus4 | V",
        "I | bVI bVII | I | bVI bVII",
        "IV | I/iii | ii7 | V",
        "I | II/i | IV/i | I",
        "I | v | bVII | IV",
    ),
    "classical_major": (
        "I | V7/vii | I | V",
        "I | IV | V7 | I",
        "I vi | ii V7 | I IV | V7 I",
        "I | ii/iv | V7 | I",
        "I | V7/ii | V7 | I",
        "I V/vii | vi iii/v | IV I/iii | ii7/iv V7",
        "I | I | V7 | V7 | V7 | V7 | I | I",
        "I | vi | ii/iv | V7",
    ),
    "classical_minor": (
        "i | V7/vii | i | V",
        "i | iv | V7 | i",
        "i V/vii | i/bIII iv | V7 | i",
        "i bVII | bIII bVI | iim7b5 V7 | i",
        "i | bVI | iim7b5/iv | V7",
        "i | iv/i | V7/i | i",
        "i | i/bIII | iv | V7",
    ),
    "baroque_major": (
        "I V | vi iii | IV I | IV V",
        "I IV | viidim iii | vi ii | V I",
        "I | V/vii | vi | V | IV | I/iii | ii7 | V",
        "I vi | IV V7 | I/iii IV | V7 I",
    ),
    "baroque_minor": (
        "i iv | bVII bIII | bVI iim7b5 | V i",
        "i V/vii | bVII IV/vi | bVI i/v | iv V",
        "i | v/bvii | bVI | V",
        "i V7 | i iv | bVII bIII | iim7b5 V7",
    ),
    "folk_major": (
        "I | IV | I | V",
        "I | V | IV | I",
        "I | I | IV | V",
        "I IV | I V | I IV | V I",
        "I | vi | IV | V",
        "IV | I | V | vi",
    ),
    "folk_minor": (
        "i | bVII | i | bVII",
        "i | bIII | bVII | i",
        "i | iv | bVII | i",
        "i bVII | i v | bVI bVII | i",
        "i | bVII | bVI | bVII",
    ),
    "reggae_major": ("I | IV", "I | V | IV | IV", "I | ii | IV | V", "I | vi | ii | V"),
    "reggae_minor": ("i | iv", "i | bVII", "i7 | iv7 | i7 | v7", "i | bVI | bVII | i"),
    "latin_minor": (
        "i | iv | V7 | i",
        "i | bVII | bVI | V7",
        "i iv | V7 iv",
        "i7 | iv7 bVII9 | bIIImaj7 bVImaj7 | iim7b5 V7b9",
    ),
    "latin_major": (
        "I | IV | V7 | IV",
        "I IV | V7 IV",
        "I | vi | ii7 | V7",
        "ii7 | V7 | I | VI7",
    ),
    "bossa": (
        "Imaj9 | II7 | ii7 | V13",
        "Imaj7 | bIIImaj7 | bVImaj7 | bII7",
        "Imaj9 | Imaj9 | ii9 | V13",
        "ii9 | V13 | Imaj9 | VI7b9",
        "Imaj9 | iim7b5 V7b9 | iii7 bIIIdim7 | ii7 V13",
    ),
    "bossa_minor": (
        "i9 | i9 | iim7b5 | V7b9",
        "i7 | bVII13 | bVImaj7 | V7b9",
        "iv9 | bVII13 | bIIImaj7 | V7b9",
    ),
    "ambient_major": (
        "Iadd9 | IVmaj7 | Iadd9 | V6",
        "Imaj7 | iii7 | IVmaj7 | IVmaj7",
        "Iadd9 | vi7 | IVadd9 | Iadd9",
        "Isus2 | Isus2 | IVmaj9 | IVmaj9",
    ),
    "ambient_minor": (
        "iadd9 | bVImaj7 | iadd9 | iv7",
        "i7 | bIIImaj7 | bVImaj7 | bVImaj7",
        "iadd9 | v7 | bVImaj9 | bVImaj9",
    ),
    "minimal_major": ("I | vi | I | vi", "Iadd9 | iii7 | vi7 | IVadd9", "I | I6 | IV/i | I"),
    "minimal_minor": ("i | bVI | i | bVI", "iadd9 | bVImaj7 | bIII | v7", "i | v | bVI | bVI"),
    "drone": ("I5 | I5", "Isus2 | I5"),
    "drone_minor": ("i5 | i5", "iadd9 | i5"),
    "chip_major": (
        "I | V | vi | IV",
        "IV | V | iii | vi",
        "I | bVI bVII | I | bVI bVII",
        "I | IV | V | V",
        "I I/iii | IV V | I vi | IV V",
    ),
    "chip_minor": (
        "i | bVI | bVII | i",
        "i | bVII | bVI | V",
        "iv | bVII | bIII | bVI",
        "i | i | bVI | bVII",
    ),
    "east": ("i5 | i5 | bVII5 | i5", "i | bVI | i | bVII", "isus4 | i5 | bIII5 | isus4"),
    "doowop": ("I | vi | IV | V7", "I vi | ii7 V7", "I | III7 | IV | V7"),
    "rag": (
        "I | VI7 | II7 | V7 I",
        "III7 | VI7 | II7 | V7",
        "I I/iii | IV #ivdim7 | I/v VI7 | II7 V7",
        "I | I | V7 | I",
    ),
    "march": ("I | I | V7 | I", "I | IV | I/v V7 | I", "I | II7 | V7 | I", "I | vi | II7 | V7"),
    "horror": (
        "i | #iv | i | bvi",
        "i | bII | i | idim7",
        "i | bvi | iv | bII",
        "idim7 | i | bIIaug | i",
    ),
    "spy": ("i | i | bVI | V7", "i bVI | i bVI", "i7 | IV7 | i7 | bVI7 V7#9", "i | iv | i | V7"),
    "flamenco": (
        "I | bII | I | bII",
        "I | I | bII | I",
        "iv | bIII | bII | I",
        "I | bII bIII | bII | I",
        "I | bvii | bII | I",
    ),
    "trap": ("i | i | bVI | v", "i | bVI | i | V", "i | bII | i | bII", "i | iv | bVI | v"),
}

CADENCES: dict[str, tuple[str, ...]] = {
    "major": ("V | I", "IV | I", "ii V | I", "IV V | I", "V7 | I"),
    "minor": ("V | i", "iv | i", "bVII | i", "bVI bVII | i", "iv V | i"),
    "jazz major": ("ii9 V13 | Imaj9", "ii7 V7 | I69", "iv6 bVII13 | Imaj9", "ii7 bII7 | Imaj7"),
    "jazz minor": ("iim7b5 V7b9 | i9", "bVI7 V7#9 | i6", "iv7 bVII7 | i9"),
    "blues major": ("V7 IV7 | I7", "V7 | I7"),
    "blues minor": ("V7#9 | i7", "bVI7 V7#9 | i7"),
}

# Functional grammar for progressions that no pool has: tonic, subdominant and dominant chords.
_FUNCTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "major": {
        "T": ("I", "vi", "I/iii", "iii"),
        "S": ("IV", "ii", "ii7/iv", "IVadd9"),
        "D": ("V", "Vsus4 V", "V/vii", "V7"),
    },
    "minor": {
        "T": ("i", "bVI", "bIII", "i/bIII"),
        "S": ("iv", "bVI", "iv7", "iim7b5"),
        "D": ("V", "bVII", "v", "Vsus4 V"),
    },
    "jazz major": {
        "T": ("Imaj9", "vi9", "iii7", "I69"),
        "S": ("ii9", "IVmaj9", "iv6", "ii7"),
        "D": ("V13", "V9sus4", "bII7", "V7b9"),
    },
    "jazz minor": {
        "T": ("i9", "bVImaj7", "bIIImaj9", "i6"),
        "S": ("iv9", "iim7b5", "bVImaj7", "iv7"),
        "D": ("V7b9", "bVII13", "V7#9", "v7"),
    },
}
_ROUTES = ("T S D T", "T T S D", "T S T D", "S D T T", "T D T S", "T S S D", "T T T S", "S T S D")


def is_minor(mode: str) -> bool:
    """Whether a mode has a minor third."""
    return mode in ("minor", "dorian", "phrygian", "harmonic minor")


def invent_loop(dice: Dice, flavour: str) -> str:
    """A four-chord loop by functional grammar; the tonic chord comes early."""
    functions = _FUNCTIONS[flavour]
    route = dice.pick(_ROUTES).split()
    chosen: list[str] = []
    home = False
    for function in route:
        options = functions[function]
        if function == "T" and not home:
            symbol, home = options[0], True
        else:
            symbol = dice.pick([o for o in options if not chosen or o != chosen[-1]])
        chosen.append(symbol)
    return " | ".join(chosen)


def choose_loop(dice: Dice, pools: str, mode: str, invent: float) -> str:
    """A loop from the named pools, or (with probability `invent`) a new one."""
    minor = is_minor(mode)
    if dice.chance(invent):
        jazzy = any(p in pools for p in ("jazz", "lofi", "soul", "bossa", "gospel", "house"))
        return invent_loop(dice, f"{'jazz ' if jazzy else ''}{'minor' if minor else 'major'}")
    return dice.pick([loop for pool in pools.split() for loop in POOLS[pool]])


def lay_chords(
    loop: str, tonic: int, bar_beats: float, bars: int, cell_bars: float, cadence: str = ""
) -> tuple[Chord, ...]:
    """Repeats a loop over the bars; a cadence, if given, takes the place of the last two cells.

    Args:
        loop: Roman numerals.
        tonic: Pitch class of the key.
        bar_beats: Quarter notes in a bar.
        bars: Bars to fill.
        cell_bars: Bars (or a part of a bar) between two "|".
        cadence: Roman numerals of the ending, two cells, or "".
    """
    cells = [cell.split() for cell in loop.split("|")]
    total = bars * bar_beats
    width = bar_beats * cell_bars
    count = max(1, round(total / width))
    row = [cells[i % len(cells)] for i in range(count)]
    if cadence:
        ending = [cell.split() for cell in cadence.split("|")]
        if count > len(ending) + 1:
            row[-len(ending) :] = ending
    chords: list[Chord] = []
    for index, cell in enumerate(row):
        for position, symbol in enumerate(cell):
            start = index * width + position * width / len(cell)
            chords.append(_place(symbol, tonic, start, width / len(cell)))
    last = chords[-1]
    chords[-1] = Chord(
        last.symbol, last.root, last.intervals, last.bass, last.start, total - last.start
    )
    return tuple(chords)


def _place(symbol: str, tonic: int, start: float, length: float) -> Chord:
    shape = parse_chord(symbol)
    return Chord(
        symbol,
        (shape.root + tonic) % 12,
        shape.intervals,
        (shape.bass + tonic) % 12,
        start,
        length,
    )
