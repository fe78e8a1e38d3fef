"""The SoundFont player, on a font built here; finding a font; freezing modulators."""

import os

import numpy as np
import pytest

from corpus_support import make_soundfont
from jen1cli.corpus.rendering import soundfont
from jen1cli.corpus.rendering.modulators import freeze_modulators
from jen1cli.corpus.rendering.soundfont import SoundFontPlayer, find_soundfont, loudest_level
from jen1cli.corpus.rendering.stereo import TimedNote
from jen1cli.errors import ConfigError, DataError


@pytest.fixture
def make_player(tmp_path):
    def make(**options):
        path = tmp_path / "font.sf2"
        path.write_bytes(make_soundfont(**options))
        return SoundFontPlayer(path)

    return make


def note(start=0, pitch=69, velocity=0.8, length=12_000):
    return TimedNote(start, length, pitch, velocity)


def brightness(sound):
    power = np.abs(np.fft.rfft(sound[0])) ** 2
    return power[len(power) // 12 :].sum() / power.sum()


def test_notes_start_at_their_sample(make_player):
    sound = make_player().play(0, [note(start) for start in (7, 20_011, 30_000)], 48_000)
    assert not sound[:, :7].any()
    assert sound[:, 7].all()
    assert not sound[:, 18_000:20_011].any()
    assert sound[:, 20_011].all()


def test_pitch_is_in_tune(make_player):
    sound = make_player().play(0, [note(pitch=69, length=48_000)], 48_000)[0]
    power = np.abs(np.fft.rfft(sound * np.hanning(48_000)))
    assert np.argmax(power) == 440


def test_playing_leaves_no_trace(make_player):
    player = make_player()
    notes = [note(0), note(3000, 64), note(9000, 72, 0.3)]
    first = player.play(0, notes, 20_000)
    player.play(0, [note(0, 50, 1.0, 100_000)], 5_000, kit=True)
    assert np.array_equal(player.play(0, notes, 20_000), first)


def test_equal_velocities_are_equally_loud(make_player):
    plain, quiet = make_player(), make_player(attenuation=400)
    levels = [loudest_level(p.play(0, [note(pitch=60)], 24_000)) for p in (plain, quiet)]
    assert levels[0] == pytest.approx(0.1, rel=0.08)
    assert levels[1] == pytest.approx(0.1, rel=0.08)
    soft = loudest_level(plain.play(0, [note(pitch=60, velocity=0.4)], 24_000))
    assert 20 * np.log10(levels[0] / soft) == pytest.approx(7.2, abs=1.2)


def test_velocity_opens_a_modulated_filter(make_player):
    player = make_player(modulator=6000)
    values = [brightness(player.play(0, [note(velocity=v)], 12_000)) for v in (0.2, 0.5, 1.0)]
    assert values[0] < 0.1 * values[1] < 0.1 * values[2]
    open_font = make_player()
    assert brightness(open_font.play(0, [note(velocity=0.2)], 12_000)) == pytest.approx(
        brightness(open_font.play(0, [note(velocity=1.0)], 12_000)), rel=1e-3
    )


def test_names_of_programs(make_player):
    player = make_player()
    assert player.name(0) == "Saw"
    assert player.name(0, kit=True) == "Kit"
    assert player.name(77) is None


def test_missing_program_is_named(make_player):
    with pytest.raises(DataError, match="no program 77 in bank 0"):
        make_player().play(77, [note()], 4800)


def test_font_without_modulators_keeps_its_zones():
    font = make_soundfont()
    assert freeze_modulators(font) == font


@pytest.mark.parametrize("broken", [b"", b"RIFFxxxx", make_soundfont()[:-200], b"RIFF1234WAVEabc"])
def test_broken_fonts_are_refused(tmp_path, broken):
    path = tmp_path / "broken.sf2"
    path.write_bytes(broken)
    with pytest.raises(DataError, match=r"broken\.sf2' cannot be read as a SoundFont"):
        SoundFontPlayer(path)


def test_font_is_found_in_order(tmp_path, monkeypatch):
    given, named, installed = (tmp_path / name for name in ("given.sf2", "named.sf2", "there.sf3"))
    for path in (given, named, installed):
        path.write_bytes(b"")
    monkeypatch.setattr(soundfont, "_PLACES", (tmp_path / "absent.sf3", installed))
    monkeypatch.delenv("JEN1_SOUNDFONT", raising=False)
    assert find_soundfont() == installed
    monkeypatch.setenv("JEN1_SOUNDFONT", str(named))
    assert find_soundfont() == named
    assert find_soundfont(given) == given


def test_missing_font_names_package_and_option(tmp_path, monkeypatch):
    monkeypatch.setattr(soundfont, "_PLACES", ())
    monkeypatch.delenv("JEN1_SOUNDFONT", raising=False)
    with pytest.raises(DataError, match="musescore-general-soundfont-small") as found:
        find_soundfont()
    assert "--soundfont" in str(found.value)
    assert "\n" not in str(found.value)
    with pytest.raises(DataError, match="no SoundFont at"):
        find_soundfont(tmp_path / "nothing.sf2")


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_a_font_from_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"the SoundFont .*pipe is a pipe or a device"):
        find_soundfont(tmp_path / "pipe")
