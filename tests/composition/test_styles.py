import pytest

from jen1cli.composition import form
from jen1cli.composition.harmony import chord_loops, progressions
from jen1cli.composition.harmony.theory import MODES
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.parts import bass, comping, drums, melodic_styles, riffs
from jen1cli.composition.rhythm import grooves
from jen1cli.composition.rhythm.meters import METERS, read_pattern
from jen1cli.composition.score import EFFECTS, ROOMS
from jen1cli.composition.styles import STYLES
from jen1cli.composition.styles.style import Style, Voice, read_effects, read_weights

MUSIC = [style for style in STYLES.values() if style.kind == "music"]
_ANYWHERE = {"guide", "answer", "thirds", "sixths", "octave", "drone", "steady"}


def _known(voice: Voice, manner: str) -> bool:
    if manner in _ANYWHERE or manner in riffs.RIFFS:
        return True
    tables = {
        "percussion": grooves.GROOVES,
        "bass": {**bass.LINES, **dict.fromkeys(bass.ALGORITHMS)},
        "melody": melodic_styles.MELODIC_STYLES,
    }
    return manner in tables.get(voice.role, comping.COMPS)


@pytest.mark.parametrize("style", MUSIC, ids=lambda style: style.name)
def test_styles_name_only_what_exists(style: Style) -> None:
    for voice in style.voices:
        assert set(read_weights(voice.instruments)) <= set(INSTRUMENTS)
        assert all(_known(voice, manner) for manner in read_weights(voice.manner)), voice
        assert all(effect.name in EFFECTS for effect in read_effects(voice.effects))
    assert all(effect.name in EFFECTS for effect in read_effects(style.master))
    assert style.room in ROOMS
    assert set(read_weights(style.forms)) <= set(form.FORMS)
    assert set(read_weights(style.meters)) <= set(METERS)
    assert set(read_weights(style.solos)) <= set(INSTRUMENTS)
    for name in read_weights(style.modes):
        mode = name.replace("_", " ")
        assert mode in MODES
        kind = "minor" if chord_loops.is_minor(mode) else "major"
        pools = style.harmony.get(mode) or style.harmony[kind]
        assert set(pools.split()) <= set(progressions.POOLS)
    if style.drums:
        assert set(read_weights(style.drums.kits)) <= set(INSTRUMENTS)
        assert set(read_weights(style.drums.grooves)) <= set(grooves.GROOVES)
        assert set(read_weights(style.drums.fill)) <= set(grooves.FILLS)
    variants = set(read_weights(style.variants))
    assert style.solos or "solo" not in variants
    assert style.drums or not variants & {"drums", "rhythm"}


@pytest.mark.parametrize("table", [bass.LINES, comping.COMPS], ids=["bass", "comping"])
def test_patterns_fit_their_meters(table: dict[str, tuple[str, ...]]) -> None:
    for name, lines in table.items():
        for line in lines:
            meter, text = line.split()
            pattern = read_pattern(text, meter, meter)
            end = pattern.bars * METERS[meter].beats
            assert pattern.steps[-1].beat + pattern.steps[-1].length <= end + 1e-6, name
            step = min(s.length for s in pattern.steps)
            assert min(abs(step * n - round(step * n)) for n in (1, 3, 4)) < 1e-6, (name, line)


def test_grooves_use_known_drums() -> None:
    for name in grooves.GROOVES:
        meter, blocks = drums.read_groove(name)
        assert meter in METERS
        for sound, line in (row for block in blocks for row in block):
            assert sound in grooves.KEYS, name
            assert set(line.replace("|", "")) <= set("Xxogrt.-"), name
            assert read_pattern(line, meter, meter).bars in (1, 2, 4)


def test_effects_are_read() -> None:
    effect = read_effects("lowpass:0.5(cutoff=900) sidechain")
    assert effect[0].settings == {"cutoff": 900.0}
    assert effect[1].amount == 0.5
    with pytest.raises(ValueError, match="no effect"):
        read_effects("lowpass:")
