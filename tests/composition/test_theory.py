import itertools

import pytest

from jen1cli.composition.harmony.chord_loops import choose_loop, invent_loop, lay_chords
from jen1cli.composition.harmony.progressions import CADENCES, POOLS
from jen1cli.composition.harmony.theory import MODES, SCALES, movement, parse_chord, voice_chord
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS, Swing, read_pattern


@pytest.mark.parametrize(
    ("symbol", "root", "intervals", "bass"),
    [
        ("I", 0, (0, 4, 7), 0),
        ("ii7", 2, (0, 3, 7, 10), 2),
        ("bVImaj7", 8, (0, 4, 7, 11), 8),
        ("V/vii", 7, (0, 4, 7), 11),
        ("iim7b5", 2, (0, 3, 6, 10), 2),
        ("i5", 0, (0, 7), 0),
    ],
)
def test_chord_symbols_mean_what_they_say(
    symbol: str, root: int, intervals: tuple[int, ...], bass: int
) -> None:
    shape = parse_chord(symbol)
    assert (shape.root, shape.intervals, shape.bass) == (root, intervals, bass)


def test_wrong_chord_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="H7"):
        parse_chord("H7")


def test_every_progression_can_be_read() -> None:
    symbols = {s for pool in (*POOLS.values(), *CADENCES.values()) for p in pool for s in p.split()}
    assert len([parse_chord(s) for s in symbols - {"|"}]) > 60


def test_scales_lie_within_an_octave() -> None:
    assert all(scale[0] == 0 and scale[-1] < 12 for scale in SCALES.values())
    assert all(len(mode) == 7 for mode in MODES.values())


@pytest.mark.parametrize("manner", ["close", "open", "drop2", "rootless"])
def test_voices_move_little_between_chords(manner: str) -> None:
    for pool in ("jazz_major", "pop_minor"):
        for loop in POOLS[pool]:
            chords = lay_chords(loop, 5, 4.0, 8, 1.0)
            previous = None
            for chord in chords:
                voicing = voice_chord(chord, previous, size=4, low=48, high=76, manner=manner)
                assert all(48 <= pitch <= 83 for pitch in voicing)
                assert {p % 12 for p in voicing} <= set(chord.classes)
                if previous is not None:
                    assert movement(previous, voicing) <= 6.5
                previous = voicing


def test_chords_fill_the_clip_without_gaps() -> None:
    chords = lay_chords("I | IV V | vi", 2, 3.0, 7, 1.0, "V | I")
    assert chords[0].start == 0.0
    assert chords[-1].end == pytest.approx(21.0)
    for first, second in itertools.pairwise(chords):
        assert first.end == pytest.approx(second.start)
    assert chords[-1].root == 2


def test_invented_progressions_visit_the_tonic() -> None:
    for seed in range(40):
        for flavour, home in (("major", "I"), ("jazz minor", "i9")):
            loop = invent_loop(RandomStream(seed, "test"), flavour)
            assert home in loop.replace("|", " ").split()
    assert choose_loop(RandomStream(1, "x"), "folk_major", "major", 0.0) in POOLS["folk_major"]


@pytest.mark.parametrize("meter", ["3/4", "4/4", "5/4", "6/8"])
def test_patterns_fill_a_bar_of_any_meter(meter: str) -> None:
    pattern = read_pattern("xxxxxxxxxxxxxxxx", meter)
    assert pattern.bars == 1
    assert sum(step.length for step in pattern.steps) == pytest.approx(METERS[meter].beats)


def test_holds_lengthen_the_step_before() -> None:
    pattern = read_pattern("x---x-..x.......")
    assert [(s.beat, s.length) for s in pattern.steps] == [(0.0, 1.0), (1.0, 0.5), (2.0, 0.25)]


def test_swing_delays_only_the_off_steps() -> None:
    swing = Swing(0.5, 2 / 3)
    assert swing.apply(1.0) == pytest.approx(1.0)
    assert swing.apply(1.5) == pytest.approx(1 + 2 / 3)
    assert Swing().apply(0.75) == 0.75


def test_streams_are_independent_and_repeat() -> None:
    first, again, other = RandomStream(7, "a"), RandomStream(7, "a"), RandomStream(7, "b")
    draws = [first.random() for _ in range(100)]
    assert draws == [again.random() for _ in range(100)]
    assert draws != [other.random() for _ in range(100)]
    parent = RandomStream(7)
    child = parent.substream("a").random()
    parent.random()
    assert parent.substream("a").random() == child == draws[0]


def test_dice_keep_to_their_ranges() -> None:
    random = RandomStream(3)
    assert {random.integer(1, 3) for _ in range(200)} == {1, 2, 3}
    assert all(abs(random.gauss(1.0)) <= 3.5 for _ in range(500))
    counts = [random.weighted({"a": 3.0, "b": 1.0}) for _ in range(2000)].count("a")
    assert 1350 < counts < 1650
