"""Full scores of a corpus: composed again, equal to what was played, refused where they differ."""

import dataclasses
import json
import shutil

import pytest

from corpus_support import make_score, make_soundfont
from jen1cli.composition.composer import compose
from jen1cli.composition.full_score import family_of, full_score
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.score import Effect
from jen1cli.composition.styles import STYLES
from jen1cli.composition.transcription import _DRUM_OF
from jen1cli.corpus import writing
from jen1cli.corpus.scores import add_scores
from jen1cli.errors import ConfigError, DataError
from jen1cli.manifest import read_folder
from jen1cli.music.full_score import FAMILIES, STYLE_NAMES, drum_of_key, family_of_program
from jen1cli.music.score_files import SCORES_NAME, read_scores


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores") / "music"
    font = folder.parent / "font.sf2"
    font.write_bytes(make_soundfont())
    writing.make(
        folder, 0.006, 3, styles=("chiptune", "ambient"), soundfont=font, clip_seconds=12.0
    )
    return folder


def scored(**options):
    """The full score of a small loop."""
    return full_score(dataclasses.replace(make_score(**options), style="house"))


def test_every_style_and_instrument_has_a_channel():
    assert set(STYLE_NAMES) == set(STYLES)
    assert {family_of(name) for name in INSTRUMENTS} == set(FAMILIES)


def test_programs_have_the_families_of_the_sampled_instruments():
    sampled = {n: i.program for n, i in INSTRUMENTS.items() if i.program >= 0}
    pitched = {name: program for name, program in sampled.items() if family_of(name) != "drums"}
    assert len(pitched) > 50
    for name, program in pitched.items():
        assert family_of_program(program) == family_of(name)
    assert {family_of_program(program) for program in range(128)} < set(FAMILIES)


@pytest.mark.parametrize("program", [-1, 128])
def test_no_such_program_is_refused(program):
    with pytest.raises(ConfigError, match=f"{program} is no General MIDI program"):
        family_of_program(program)


def test_drums_have_the_classes_of_drum_patterns():
    for key in range(128):
        assert drum_of_key(key, "drums") == _DRUM_OF.get(key, "perc") or key in (35, 59, 82)
        assert drum_of_key(key, "percussion") == "perc"


def test_full_score_has_every_note_in_seconds():
    score = scored(bpm=90.0, instruments={"chords": "rhodes"})
    assert [(part.role, part.family) for part in score.parts] == [
        ("drums", "drums"), ("bass", "synth bass"), ("comping", "electric piano")
    ]  # fmt: skip
    assert score.seconds == pytest.approx(8 * 60 / 90, abs=1e-3)
    assert [len(part.notes) for part in score.parts] == [24, 16, 24]
    onset, duration, pitch, level = score.parts[1].notes[3]
    assert (onset, duration) == pytest.approx((1.5 * 60 / 90, 0.4 * 60 / 90), abs=1e-3)
    assert pitch == 36
    assert level == pytest.approx(0.8 * 10 ** (-2 / 20), abs=1e-3)


def test_mix_tells_dark_from_bright_and_dry_from_wet():
    plain = scored().mix
    dark = scored(master=(Effect("lowpass", 0.5, {"cutoff": 800}),)).mix
    dry, cave = (scored(room=room).mix for room in ("dry", "cave"))
    assert dark[1] < plain[1] - 0.2
    assert dry[2] == 0.0 < plain[2] < cave[2]


@pytest.mark.heavy
def test_corpus_has_the_scores_of_its_clips(corpus):
    scores = dict(read_scores(corpus / SCORES_NAME))
    clips = read_folder(corpus)
    assert list(scores) == [(f"{clip.split}/{clip.path.name}", 0) for clip in clips]
    lines = map(json.loads, (corpus / "manifest.jsonl").read_text().splitlines())
    for clip, line, score in zip(clips, lines, scores.values(), strict=True):
        assert score == full_score(compose(clip.attributes["style"], line["seed"], 12.0))
        assert score.seconds == pytest.approx(clip.seconds, abs=1e-3)


def make_again(folder, corpus, **options):
    options = {"styles": ("chiptune", "ambient"), "clip_seconds": 12.0, **options}
    return writing.make(folder, 0.006, 3, soundfont=corpus.parent / "font.sf2", **options)


@pytest.mark.heavy
@pytest.mark.parametrize("shards", [False, True])
def test_a_clip_is_composed_once_and_the_manifest_is_written_last(
    corpus, tmp_path, monkeypatch, shards
):
    def stop(*_):
        raise KeyboardInterrupt

    folder = tmp_path / "music"
    monkeypatch.setattr("jen1cli.corpus.scores.compose", stop)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_scores", stop)
        with pytest.raises(KeyboardInterrupt):
            make_again(folder, corpus, shards=shards)
    assert not (folder / "manifest.jsonl").exists()
    make_again(folder, corpus, shards=shards)
    own, other = (list(dict(read_scores(f / SCORES_NAME)).values()) for f in (folder, corpus))
    assert own == other
    assert not list(folder.glob("*.partial.jsonl"))


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_scores_lost_in_a_crash_are_composed_again(corpus, tmp_path, monkeypatch, end):
    folder = shutil.copytree(corpus, tmp_path / "music")
    (folder / "manifest.jsonl").rename(folder / "manifest.partial.jsonl")
    scores = (folder / SCORES_NAME).read_bytes()
    (folder / SCORES_NAME).unlink()
    first, *others = scores.splitlines(keepends=True)
    journal = b"".join([*others, first[: len(first) // 2], end, others[-1]])
    (folder / "scores.partial.jsonl").write_bytes(journal)
    composed = []
    monkeypatch.setattr(
        "jen1cli.corpus.scores.compose", lambda *of: composed.append(of) or compose(*of)
    )
    assert make_again(folder, corpus).reused == len(read_folder(corpus))
    assert len(composed) == 1
    assert (folder / SCORES_NAME).read_bytes() == scores
    assert (folder / "manifest.jsonl").read_bytes() == (corpus / "manifest.jsonl").read_bytes()


def test_scores_are_added_to_an_older_corpus(corpus, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "music")
    (folder / SCORES_NAME).unlink()
    seen = []
    assert add_scores(folder, listener=lambda *numbers: seen.append(numbers)) == len(seen)
    assert (folder / SCORES_NAME).read_bytes() == (corpus / SCORES_NAME).read_bytes()
    assert add_scores(folder, tmp_path / "other.jsonl") == len(seen)
    assert (tmp_path / "other.jsonl").read_bytes() == (corpus / SCORES_NAME).read_bytes()


@pytest.mark.parametrize("name", ["chords", "drum_pattern", "melody", "bpm"])
def test_another_composition_is_refused(corpus, tmp_path, name):
    folder = shutil.copytree(corpus, tmp_path / "music")
    (folder / SCORES_NAME).unlink()
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    lines[-1]["attributes"][name] = "another"
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(DataError, match=r"composes clip \d differently from"):
        add_scores(folder)
    assert not (folder / SCORES_NAME).exists()


def test_a_folder_that_is_no_corpus_is_refused(corpus, tmp_path):
    with pytest.raises(DataError, match="no finished corpus"):
        add_scores(tmp_path)
    folder = shutil.copytree(corpus, tmp_path / "music")
    (folder / "corpus.json").write_text('{"seed": 3, "styles": []}')
    with pytest.raises(DataError, match="lacks the settings"):
        add_scores(folder)
    (folder / "corpus.json").write_bytes((corpus / "corpus.json").read_bytes())
    (folder / "manifest.jsonl").write_text('{"audio": "train/0.flac"}\n')
    with pytest.raises(DataError, match="no index"):
        add_scores(folder)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('{"audio": "a.flac"}', '"audio" and "score"'),
        ('{"audio": "a.flac", "score": {}}', "no valid score"),
        ('{"audio": "a.flac", "score": {"parts": [], "seconds": 0}}', "more than 0"),
        (
            '{"audio": "a.flac", "score": {"seconds": 2, "parts": [{"role": "bass", "family":'
            ' "kazoo", "notes": []}]}}',
            "kazoo",
        ),
        (
            '{"audio": "a.flac", "score": {"seconds": 2, "parts": [{"role": "bass", "family":'
            ' "bass", "notes": [[0, 1, 300, 1]]}]}}',
            "cannot be played",
        ),
        (
            '{"audio": "a.flac", "score": {"seconds": 2, "parts": [{"role": "bass", "family":'
            ' "bass", "notes": [[0, 1]]}]}}',
            "no valid score",
        ),
    ],
)
def test_damaged_scores_are_named(tmp_path, line, match):
    path = tmp_path / "scores.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=match) as caught:
        list(read_scores(path))
    assert "line 1" in str(caught.value)
    assert list(read_scores(tmp_path / "none.jsonl")) == []


def test_plan_of_a_damaged_style_is_refused(corpus, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "music")
    about = json.loads((folder / "corpus.json").read_text())
    (folder / "corpus.json").write_text(json.dumps({**about, "styles": ["kazoo"]}))
    with pytest.raises(DataError, match="kazoo"):
        add_scores(folder)
