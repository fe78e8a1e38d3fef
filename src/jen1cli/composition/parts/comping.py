# ruff: noqa: E501 - one pattern per row
"""Accompaniment of chord instruments: step patterns over voicings.

Letters: `X` accented chord, `x` chord, `o` soft chord, `N` the next chord (anticipated), `d` down-strum,
`u` up-strum (upper voices), `m` muted scratch, `h` the voices above the lowest, `1`…`8` one voice of the
chord from below (beyond the top, an octave higher), `b` low root, `f` low fifth, `B` root and chord.
"""

from dataclasses import dataclass

from jen1cli.composition.harmony.theory import PlacedChord, voice_chord
from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import StepPattern, fitting_lines, read_pattern
from jen1cli.composition.score import Note

COMPS: dict[str, tuple[str, ...]] = {
    "held": ("4/4 x---------------",),
    "half": ("4/4 x-------x-------", "4/4 x-------o-------"),
    "quarter": ("4/4 x-x-x-x-", "4/4 X-o-x-o-"),
    "eighth": ("4/4 X-o-x-o-X-o-x-o-",),
    "lofi": (
        "4/4 x-----o-....x---",
        "4/4 x----------o-...",
        "4/4 x--o--....x---..",
        "4/4 x-----..o-----o-",
        "4/4 x---....N-------",
    ),
    "lofi_roll": ("4/4 1-3-4---2---3---", "4/4 1---3-4-5---4-3-", "4/4 b---3-4---5-4---"),
    "charleston": (
        "4/4 x--..xo-....",
        "4/4 X--..x......",
        "4/4 ...x-....x.N",
        "4/4 ..x.....x-..",
        "4/4 x-.....x-..x",
        "4/4 .....x-....N",
    ),
    "jazz_waltz": ("3/4 ...x--o--", "3/4 x--..x...", "3/4 x--...x.."),
    "freddie": ("4/4 o-.x-.o-.x-.", "4/4 x-.X-.x-.X-."),
    "five": ("5/4 x--..x...x--x--", "5/4 B--..x...B--x.."),
    "stride": ("4/4 b-h-f-h-", "4/4 b---h---f---h---", "4/4 b-h.f-h."),
    "rag": ("4/4 b-h-f-h-", "4/4 b-h-b-h-"),
    "boogie": ("4/4 x.ox.xx.ox.o", "4/4 X....xX....x"),
    "waltz": ("3/4 b-h-h-", "3/4 b---h---h---", "3/4 b-..h-..o-.."),
    "guitar_waltz": ("3/4 b-d-d-", "3/4 b-d-du"),
    "alberti": ("4/4 1323132313231323", "4/4 13231323", "3/4 132323", "6/8 132323"),
    "broken": (
        "4/4 1-2-3-4-3-2-3-2-",
        "4/4 b-1-2-3-4-3-2-3-",
        "4/4 b---2-3-4---3-2-",
        "3/4 b-1-2-3-2-1-",
        "6/8 b-1-2-3-2-1-",
        "5/4 b-1-2-3-4-3-2-3-2-1-",
    ),
    "nocturne": (
        "4/4 b-13431b2343",
        "4/4 b-2-4-5-4-2-b-2-",
        "6/8 b-2-3-4-3-2-",
        "3/4 b-2-3-4-3-2-",
        "4/4 b-2-4-5-6-5-4-2-",
    ),
    "arp_up": (
        "4/4 1234123412341234",
        "4/4 1-2-3-4-1-2-3-4-",
        "3/4 123412341234",
        "6/8 1-2-3-4-5-4-",
    ),
    "arp_updown": (
        "4/4 1234543212345432",
        "4/4 1-2-3-4-5-4-3-2-",
        "6/8 123454321234",
        "3/4 1-2-3-4-3-2-",
    ),
    "arp_wide": ("4/4 1357642313576423", "4/4 1-3-5-7-6-4-5-3-", "4/4 1353135313531353"),
    "arp_sync": ("4/4 1..2..3..4..5.3.", "4/4 4.3.14.3.14.3.1.", "4/4 1.31.31.31.31.51"),
    "arp_trance": ("4/4 1351451351351451", "4/4 .234.234.234.235", "4/4 1234234534564321"),
    "arp_minimal": (
        "4/4 123123123123123123123123",
        "4/4 1-3-2-3-1-3-2-4-",
        "4/4 12341234",
        "6/8 121312131214",
        "3/4 123212",
        "5/4 1-2-3-1-2-3-1-2-1-2-",
    ),
    "pulse": ("4/4 XoxoXoxoXoxoXoxo", "4/4 xxxxxxxx", "4/4 XooXooXoXooXooXo"),
    "house_stab": (
        "4/4 X..x..x...x..x..",
        "4/4 ..x...x...x...x.",
        "4/4 x..x..x..x..x.x.",
        "4/4 X.....x..x......",
        "4/4 .x..x..x...x..x.",
    ),
    "piano_house": ("4/4 X..X..X...X..X..", "4/4 X..X.XX..X..X.X.", "4/4 B..X..X.B..X..X."),
    "rave": ("4/4 X..X..X.........", "4/4 X...X..X..X.....", "4/4 X..X....X..X..X."),
    "trance_chord": ("4/4 ..X...X...X...X.", "4/4 X..X..X..X..X.X.", "4/4 .XX..XX..XX..XX."),
    "future": ("4/4 X-----X---X-----", "4/4 X--X--X-..X-X---", "4/4 X---..X-X-..X---"),
    "sidechain": ("4/4 X---X---X---X---", "4/4 X-------X-------"),
    "skank": ("4/4 ....x.......x...", "4/4 ....X.o.....X.o.", "4/4 ....x.......xo.."),
    "bubble": ("4/4 ..o.xo..o...xo..", "4/4 .o.xo.o..o.xo.o."),
    "ska": ("4/4 .x.x.x.x", "4/4 .X.X.X.X"),
    "soul": (
        "4/4 x-----..o---x---",
        "4/4 x---..o-x---....",
        "4/4 B---h-h-f---h---",
        "4/4 x-----o-x-----N-",
    ),
    "gospel": (
        "4/4 B---x-o-x---xoN-",
        "4/4 B-----x-f-x-x-N-",
        "6/8 B---x-x---o-",
        "6/8 B-x-x-f-x-x-",
    ),
    "ballad": ("4/4 B---h---h---h---", "4/4 b-h-h-h-f-h-h-h-", "4/4 B-----h-h---h-h-"),
    "pop": ("4/4 X-x-x-x-", "4/4 X-----x-x---x---", "4/4 X--x--x-X--x--x-", "4/4 B-h-h-h-f-h-h-h-"),
    "funk_clav": ("4/4 x..x.mx..mx.x.m.", "4/4 X.mx.xm..x.mx.x.", "4/4 ..xm.x..x.xm.x.x"),
    "funk_guitar": (
        "4/4 m.xmm.xmm.xmm.xm",
        "4/4 xmmxmmxmmxmmxmxm",
        "4/4 ..X...mm..X.mmX.",
        "4/4 ....X.......X.mm",
    ),
    "disco_guitar": ("4/4 ..x...x...x...xm", "4/4 m.xxm.xxm.xxm.xx", "4/4 ..xm..xm..xm.xxm"),
    "disco_strings": ("4/4 x---------------", "4/4 X-x-x---........", "4/4 ....x-x-x-------"),
    "strum": (
        "4/4 d-d-dud-d-d-dudu",
        "4/4 d---d-u-.-u-d-u-",
        "4/4 d---d-du.ud-d-du",
        "4/4 D---d-u-d-d-d-u-",
    ),
    "strum_slow": ("4/4 d---------d---u-", "4/4 d-------d---d-u-"),
    "strum_68": ("6/8 d---d-d---d-", "6/8 d-d-d-d-d-d-", "6/8 d---u-d---u-"),
    "boom_chick": ("4/4 b-d-f-d-", "4/4 b-dufudu", "4/4 b---d-u-f---d-u-"),
    "travis": ("4/4 b-2-f-2-b-3-f-2-", "4/4 b-3-f-2-b-4-f-3-", "4/4 b-3-f-4-b-5-f43-"),
    "pick": (
        "4/4 b-2-3-4-b-3-2-4-",
        "4/4 b-3-2-4-f-3-2-3-",
        "6/8 b-2-3-4-3-2-",
        "3/4 b-2-3-4-3-2-",
        "5/4 b-2-3-4-3-2-f-2-3-2-",
    ),
    "banjo": ("4/4 3152315231523152", "4/4 2513251325135153"),
    "bossa": (
        "4/4 x..x..x...x..x..",
        "4/4 ..x..x..x..x..x.",
        "4/4 x--x--x---x--x--",
        "4/4 B-.h..h.f.h..h..",
    ),
    "samba": ("4/4 x.x..x.x.xx.x.x.", "4/4 ..x.x..x.x.x..x."),
    "montuno": ("4/4 X.15.351.X15.35N", "4/4 h.hb.hbh.hbh.hbN", "4/4 4.3245.3.24.35.N"),
    "tango": ("4/4 X-..x-..x-..x-..", "4/4 X--xx-..x-..x-.."),
    "power": ("4/4 XXXXXXXX", "4/4 X-----x-X-x-x---", "4/4 X-x-..x-X-x-..x-"),
    "chug": (
        "4/4 X-xxX-xxX-xxX-xx",
        "4/4 xxX.xxX.xxX.X-X-",
        "4/4 X..X..X.X..X..X.",
        "4/4 XxxXxxXxXxxXxxX-",
    ),
    "punk": ("4/4 XxxxXxxxXxxxXxxx", "4/4 XxXxXxXx"),
    "stabs": (
        "4/4 X.....X.........",
        "4/4 ......X.......X.",
        "4/4 X..X........X...",
        "4/4 ..........X.X...",
    ),
    "hits": ("4/4 X...............", "4/4 X.......X.......", "4/4 X......X........"),
    "brass": (
        "4/4 X..X..X---......",
        "4/4 ....X.X...X-----",
        "4/4 X-----..X.X.X---",
        "4/4 ..X.X-....X.X-..",
    ),
    "big_brass": ("4/4 X..X........", "4/4 .....X......", "4/4 X--..X.....N", "4/4 ...X.X...X.."),
    "ostinato": (
        "4/4 XoxoXoxoXoxoXoxo",
        "4/4 X-xxX-xxX-xxX-xx",
        "4/4 XoooxoooXoooxooo",
        "6/8 XoxoXoxoXoxo",
    ),
    "march": ("4/4 .-x-.-x-", "4/4 b-h-f-h-"),
    "polka": ("2/4 b-h-f-h-", "2/4 b-hhf-hh"),
    "chip_arp": ("4/4 1231231231231231", "4/4 1234123412341234", "4/4 1357135713571357"),
    "music_box": ("4/4 1-3-2-4-1-3-2-4-", "3/4 1-3-2-4-2-3-", "6/8 1-3-2-4-2-3-"),
    "afro": ("4/4 x.x..xx.x..x.x..", "4/4 ..x.x..x..x.x.x."),
    "slow_swell": ("4/4 x---------------",),
    "sixeight": ("6/8 B-h-h-h-h-h-", "6/8 x-o-o-x-o-o-", "6/8 b-1-2-3-2-1-"),
    "sixeight_held": ("6/8 x-----------",),
    "rasgueado": (
        "4/4 d--dududd---d-d-",
        "3/4 d-dudud-dudu",
        "4/4 X---d-dududud-d-",
        "3/4 d---d-d-dudu",
    ),
    "tanpura": ("4/4 3---5---5---1---",),
    "sparse_pluck": ("4/4 1...3.......2-..", "4/4 3-..1-......5...", "4/4 ....1.2.3-......"),
    "tremolo_pick": ("4/4 XxxxXxxxXxxxXxxx",),
}


@dataclass(frozen=True)
class Hand:
    """Voicing of the chords (size, range in MIDI numbers, manner) and length of their notes."""

    size: int = 4
    low: int = 50
    high: int = 74
    manner: str = "close"
    legato: float = 0.95
    bass_low: int = 36  # lowest MIDI number of `b` and `f`


def write_comp(plan: Plan, name: str, hand: Hand, touch: Touch, role: str) -> tuple[Note, ...]:
    """Write a chord part for the whole clip.

    Args:
        plan: Plan of the clip.
        name: Key of `COMPS`.
        hand: Voicing.
        touch: Humanisation.
        role: Name of the random stream.
    """
    random = plan.random.substream("comp", role)
    fitting = fitting_lines(COMPS[name], plan.meter.name)
    main = random.pick(fitting)
    other = random.pick(fitting) if random.chance(0.4) else main
    voicings = voice_all(plan, hand)
    notes: list[Note] = []
    for bar in range(plan.bars):
        meter, text = other if (bar + 1) % plan.phrase == 0 else main
        pattern = read_pattern(text.replace("D", "d"), plan.meter.name, meter)
        notes += _bar(plan, pattern, bar, voicings, hand, touch)
    if name in ("held", "slow_swell", "sixeight_held"):
        notes = _held(plan, voicings)
    return perform(plan, notes, touch, random)


def voice_all(plan: Plan, hand: Hand) -> dict[PlacedChord, tuple[int, ...]]:
    """Voice every chord of the clip, each with least movement from the one before it."""
    voicings: dict[PlacedChord, tuple[int, ...]] = {}
    previous: tuple[int, ...] | None = None
    for chord in plan.chords:
        previous = voice_chord(
            chord, previous, size=hand.size, low=hand.low, high=hand.high, manner=hand.manner
        )
        voicings[chord] = previous
    return voicings


def _held(plan: Plan, voicings: dict[PlacedChord, tuple[int, ...]]) -> list[Note]:
    notes: list[Note] = []
    for chord in plan.chords:
        level = 0.55 + 0.25 * plan.energy(chord.start)
        notes += [Note(chord.start, chord.length * 0.99, p, level) for p in voicings[chord]]
    return notes


def _bar(
    plan: Plan,
    pattern: StepPattern,
    bar: int,
    voicings: dict[PlacedChord, tuple[int, ...]],
    hand: Hand,
    touch: Touch,
) -> list[Note]:
    notes: list[Note] = []
    for step, place in pattern.in_bar(bar, plan.meter.beats):
        beat = bar * plan.meter.beats + place
        chord = plan.chord(beat + 1e-4)
        if step.symbol == "N":
            chord = plan.next_chord(beat + 1e-4)
        length = step.length * hand.legato
        if step.symbol != "N":
            length = min(length, chord.end - beat)
        notes += _event(plan, step.symbol, beat, length, chord, voicings[chord], hand, touch)
    return notes


def _event(
    plan: Plan,
    symbol: str,
    beat: float,
    length: float,
    chord: PlacedChord,
    voicing: tuple[int, ...],
    hand: Hand,
    touch: Touch,
) -> list[Note]:
    level = 0.52 + 0.14 * plan.accent(beat) + 0.2 * plan.energy(beat)
    level += {"X": 0.14, "B": 0.1, "o": -0.12, "u": -0.08, "h": -0.06}.get(symbol, 0.0)
    if symbol.isdigit():
        index = int(symbol) - 1
        octave, place = divmod(index, len(voicing))
        return [Note(beat, max(0.1, length), min(voicing[place] + 12 * octave, 103), level)]
    if symbol in "bf":
        return [Note(beat, length, _low(chord, symbol, hand), level + 0.05)]
    if symbol == "m":
        return [Note(beat, 0.06, p, 0.3) for p in voicing[-2:]]
    tones = voicing[1:] if symbol in "hu" and len(voicing) > 2 else voicing
    delay = plan.seconds(touch.strum)
    order = list(reversed(tones)) if symbol == "u" else list(tones)
    notes = [
        Note(
            beat + i * delay, max(0.08, length - i * delay), p, level - (0.015 * i if delay else 0)
        )
        for i, p in enumerate(order)
    ]
    if symbol == "B":
        notes.append(Note(beat, length, _low(chord, "b", hand), level + 0.05))
    return notes


def _low(chord: PlacedChord, symbol: str, hand: Hand) -> int:
    root = hand.bass_low + (chord.bass - hand.bass_low) % 12
    if symbol == "b":
        return root
    fifth = hand.bass_low + (chord.root + chord.fifth - hand.bass_low) % 12
    return fifth


def write_drone(
    plan: Plan, low: int, high: int, random: RandomStream, touch: Touch
) -> tuple[Note, ...]:
    """Write a drone of tonic and fifth, struck again in each phrase."""
    root = low + (plan.tonic - low) % 12
    pitches = [root, root + 7] + ([root + 12] if root + 12 <= high and random.chance(0.5) else [])
    span = plan.phrase * plan.meter.beats
    notes = [
        Note(start * span, span, pitch, 0.6 + 0.2 * plan.energy(start * span))
        for start in range(int(plan.beats / span + 0.999))
        for pitch in pitches
        if pitch <= high
    ]
    return perform(plan, notes, touch, random)
