from collections import Counter
from functools import lru_cache
from itertools import pairwise

import pytest

from jen1cli.composition.composer import compose, make_plan
from jen1cli.composition.harmony.chord_loops import is_minor
from jen1cli.composition.harmony.theory import KEYS, MODES
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.mix import balanced_gain, estimate_level
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import EFFECTS, ROOMS, Note, Score
from jen1cli.composition.styles import FAMILIES, STYLES

MUSIC = [name for name, style in STYLES.items() if style.kind == "music"]


@lru_cache(maxsize=1)
def scores() -> tuple[Score, ...]:
    """A clip of every style."""
    return tuple(compose(style, seed) for style in STYLES for seed in (11,))


def test_no_style_hides_another_of_its_name() -> None:
    assert sum(len(styles) for styles in FAMILIES.values()) == len(STYLES)


def test_the_same_seed_gives_the_same_score() -> None:
    for style in ("lofi", "jazz trio", "sounds", "celtic"):
        assert compose(style, 5) == compose(style, 5)
        assert compose(style, 5) != compose(style, 6)


def test_a_score_does_not_depend_on_what_came_before() -> None:
    alone = compose("house", 1)
    compose("rock", 2)
    assert compose("house", 1) == alone


def test_unknown_style_is_refused() -> None:
    with pytest.raises(KeyError):
        compose("polyphonic silence", 1)


@pytest.mark.heavy
def test_clips_have_the_wanted_length() -> None:
    for score in scores():
        assert 12.0 <= score.seconds <= 30.0, (score.style, score.seed)
    assert compose("techno", 1, seconds=13.0).seconds < compose("techno", 1, seconds=28.0).seconds


@pytest.mark.heavy
def test_notes_are_playable_and_inside_the_clip() -> None:
    for score in scores():
        for part in score.parts:
            instrument = INSTRUMENTS[part.instrument]
            assert part.notes, (score.style, score.seed, part.role)
            for note in part.notes:
                where = (score.style, score.seed, part.instrument, note)
                assert instrument.low <= note.pitch <= instrument.high, where
                assert 0.0 <= note.beat < score.length_beats, where
                assert note.duration > 0.0, where
                assert note.beat + note.duration <= score.length_beats + 1e-3, where
                assert 0.0 < note.velocity <= 1.0, where


@pytest.mark.heavy
def test_parts_ask_only_for_effects_and_rooms_that_exist() -> None:
    for score in scores():
        assert score.room in ROOMS
        for effect in (*score.master, *(e for part in score.parts for e in part.effects)):
            assert effect.name in EFFECTS
            assert 0.0 <= effect.amount <= 1.0
        for part in score.parts:
            assert -1.0 <= part.pan <= 1.0
            assert 0.0 <= part.reverb <= 1.0
            assert 0.0 <= part.delay <= 1.0
            assert -30.0 <= part.gain_db <= 16.0


@pytest.mark.heavy
def test_keys_and_modes_are_named() -> None:
    for score in scores():
        tonal = any(part.stem != "drums" for part in score.parts)
        if score.style == "sounds" or not tonal:
            assert score.key == score.mode == ""
        else:
            assert score.key in KEYS
            assert score.mode in MODES


@pytest.mark.heavy
def test_sections_cover_the_clip() -> None:
    for score in scores():
        assert score.sections[0].start_beat == 0.0
        assert sum(s.length_beats for s in score.sections) == pytest.approx(score.length_beats)


@pytest.mark.heavy
def test_music_starts_at_once_and_has_no_long_gaps() -> None:
    for score in scores():
        if score.style == "sounds":
            continue
        sounding = sorted((n.beat, n.beat + n.duration) for p in score.parts for n in p.notes)
        assert sounding[0][0] * 60 / score.bpm < 1.5, (score.style, score.seed)
        end = sounding[0][1]
        for start, stop in sounding:
            gap = (start - end) * 60 / score.bpm
            assert gap < 3.0, (score.style, score.seed, gap)
            end = max(end, stop)


@pytest.mark.heavy
def test_drums_play_throughout_or_not_at_all() -> None:
    for score in scores():
        drums = [part for part in score.parts if part.role == "drums"]
        for part in drums:
            starts = [0.0, *(n.beat for n in part.notes), score.length_beats]
            pause = max(b - a for a, b in pairwise(sorted(starts))) * 60 / score.bpm
            assert pause < 6.0, (score.style, score.seed, pause)


@pytest.mark.heavy
def test_notes_belong_to_the_key() -> None:
    inside = total = 0
    for score in scores():
        if not score.key:
            continue
        scale = {(KEYS.index(score.key) + i) % 12 for i in MODES[score.mode]}
        for part in score.parts:
            if part.stem != "drums":
                inside += sum(note.pitch % 12 in scale for note in part.notes)
                total += len(part.notes)
    assert inside / total > 0.9


@pytest.mark.heavy
def test_melodies_move_by_step_and_return() -> None:
    steps = leaps = 0
    for score in scores():
        for part in score.parts:
            if part.role == "melody" and score.style != "sounds":
                pitches = [note.pitch for note in part.notes]
                for first, second in pairwise(pitches):
                    steps += abs(first - second) <= 4
                    leaps += abs(first - second) > 12
    assert leaps < 0.02 * steps


def test_melodies_repeat_their_rhythm() -> None:
    """Motives return: most melodies use some rhythm of a bar more than once."""
    returning = counted = 0
    for style in ("pop", "folk", "chiptune", "waltz", "trance", "celtic", "march"):
        for seed in range(3):
            score = compose(style, seed)
            beats = {"3/4": 3.0, "4/4": 4.0, "6/8": 3.0}[score.meter]
            for part in score.parts:
                if part.role != "melody":
                    continue
                bars: dict[int, list[float]] = {}
                for note in part.notes:
                    grid = round(note.beat * 4) / 4
                    bars.setdefault(int(grid // beats), []).append(grid % beats)
                rhythms = Counter(tuple(bar) for bar in bars.values())
                counted += 1
                returning += rhythms.most_common(1)[0][1] >= 2
    assert returning > 0.85 * counted


def test_keys_meters_and_tempi_are_spread() -> None:
    drawn = [(STYLES[style], seed) for seed in range(7) for style in MUSIC]
    plans = [make_plan(style, RandomStream(seed, style.name), 20.0) for style, seed in drawn]
    keys = Counter(plan.tonic for plan in plans)
    assert set(keys) == set(range(12))
    assert max(keys.values()) < 2.2 * min(keys.values())
    meters = Counter(plan.meter.name for plan in plans)
    assert meters["3/4"] > 50
    assert meters["6/8"] > 35
    assert meters["5/4"] > 12
    minor = sum(is_minor(plan.mode) for plan in plans)
    assert 0.35 < minor / len(plans) < 0.65
    assert {plan.mode for plan in plans} == set(MODES)
    tempi = Counter(int(plan.bpm / plan.meter.pulse // 20) for plan in plans)
    assert all(tempi[step] > 20 for step in range(3, 8))


@pytest.mark.heavy
def test_instruments_and_ensembles_vary() -> None:
    used = {part.instrument for score in scores() for part in score.parts}
    assert len(used) >= 0.7 * len(INSTRUMENTS)
    sizes = Counter(min(len({p.instrument for p in s.parts}), 7) for s in scores())
    assert all(sizes[size] > 0 for size in range(1, 8))
    drums = sum(score.has_drums for score in scores())
    assert 0.4 * len(scores()) < drums < 0.85 * len(scores())


def test_gains_make_up_for_quiet_playing() -> None:
    def line(velocity: float) -> tuple[Note, ...]:
        return tuple(Note(float(beat), 1.0, 60, velocity) for beat in range(16))

    loud, soft = line(0.9), line(0.4)
    assert estimate_level("strings", loud, 120.0) > estimate_level("strings", soft, 120.0) + 5.0
    assert balanced_gain("pad", "strings", soft, 120.0) > balanced_gain(
        "pad", "strings", loud, 120.0
    )
