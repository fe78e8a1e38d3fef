"""What is heard is what is said: tempo, key and style of composed and rendered clips (slow)."""

import librosa
import numpy as np
import pytest
import soxr

from jen1cli.composition.styles import STYLES
from jen1cli.corpus.dataset import DatasetPlan, make_clip
from jen1cli.corpus.rendering.renderer import Renderer
from jen1cli.corpus.rendering.soundfont import find_soundfont
from jen1cli.errors import DataError

pytestmark = pytest.mark.slow

RATE = 22_050
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# how well the notes fit a key, after Krumhansl and Kessler
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
METRICAL_LEVELS = (0.5, 1.0, 2.0)  # a listener may tap halves or doubles
STEADY = (
    "house", "techno", "trance", "lofi", "disco", "rock", "synthwave", "boom bap", "pop", "funk",
)  # fmt: skip
SEPARABLE = (
    "chiptune", "string quartet", "trance", "romantic piano", "metal", "reggae", "lofi", "ambient",
    "drum and bass", "church organ",
)  # fmt: skip


@pytest.fixture(scope="module")
def make():
    try:
        soundfont = find_soundfont()
    except DataError:
        pytest.skip("no SoundFont is installed (docs/install.md)")
    renderer = Renderer(soundfont)

    def run(seed, styles, count):
        plan = DatasetPlan(seed, tuple(style for style in styles if style in STYLES), soundfont)
        for index in range(count):
            yield make_clip(plan, index, renderer)

    return run


def resampled(clip):
    mono = (clip.pcm / 32_768.0).mean(axis=0).astype(np.float32)
    return soxr.resample(mono, 48_000, RATE)


def heard_tempo(waveform):
    strength = librosa.onset.onset_strength(y=waveform, sr=RATE)
    _, beats = librosa.beat.beat_track(onset_envelope=strength, sr=RATE)
    times = librosa.frames_to_time(beats, sr=RATE)
    return 60.0 * (len(times) - 1) / (times[-1] - times[0])


def test_tempo_is_heard_by_beat_tracking(make):
    told, right = 0, 0
    for clip in make(11, STEADY, 24):
        if not clip.attributes["drums"]:
            continue
        told += 1
        tempo = heard_tempo(resampled(clip))
        ratios = [tempo / (clip.attributes["bpm"] * level) for level in METRICAL_LEVELS]
        right += min(abs(ratio - 1.0) for ratio in ratios) < 0.04
    assert told >= 12
    assert right / told >= 0.85


def test_key_is_heard_in_the_chroma(make):
    told, exact, near = 0, 0, 0
    for clip in make(12, STYLES, 40):
        key, mode = clip.attributes["key"], clip.attributes["mode"]
        if not key or mode not in ("major", "minor"):
            continue
        wave = resampled(clip)
        chroma = librosa.feature.chroma_cqt(
            y=wave, sr=RATE, fmin=librosa.note_to_hz("C2"), n_octaves=5
        ).mean(axis=1)
        scores = {
            (tonic, name): np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
            for tonic in range(12)
            for profile, name in ((MAJOR, "major"), (MINOR, "minor"))
        }
        heard, heard_mode = max(scores, key=lambda item: scores[item])
        tonic = NOTES.index(key)
        relative = (tonic + (9 if mode == "major" else 3)) % 12
        told += 1
        exact += (heard, heard_mode) == (tonic, mode)
        near += heard in (tonic, relative, (tonic + 5) % 12, (tonic + 7) % 12)
    assert told >= 15
    assert exact / told >= 0.4  # measured 0.54; chance: 1 in 24
    assert near / told >= 0.85  # the relative key or a fifth away; measured 0.92, chance: 1 in 3


def mel_statistics(waveform):
    mel = librosa.feature.melspectrogram(y=waveform, sr=RATE, n_mels=48, hop_length=1024)
    level = np.log(mel + 1e-6)
    rise = np.maximum(np.diff(level, axis=1), 0.0)
    return np.concatenate([level.mean(axis=1), level.std(axis=1), rise.mean(axis=1)])


def test_styles_are_told_apart_by_mel_statistics(make):
    from sklearn.ensemble import RandomForestClassifier

    features, styles, is_held_out = [], [], []
    for clip in make(13, SEPARABLE, 120):
        features.append(mel_statistics(resampled(clip)))
        styles.append(clip.attributes["style"])
        is_held_out.append(clip.index >= 80)
    held_out = np.array(is_held_out)
    features, styles = np.array(features), np.array(styles)
    model = RandomForestClassifier(300, random_state=0).fit(features[~held_out], styles[~held_out])
    right = float(np.mean(model.predict(features[held_out]) == styles[held_out]))
    assert right >= 0.7  # chance: 1 in 10
