"""The evaluations of models from end to end, on the tiny model and a random tagger."""

import dataclasses
import json
import shutil
from importlib.resources import files

import numpy as np
import pytest
import torch

from jen1cli import audio
from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec
from jen1cli.config import SpectralConfig, WhiteningConfig
from jen1cli.errors import CheckpointError, DataError
from jen1cli.evaluation.page import write_report
from jen1cli.evaluation.prompt_spec import read_prompt_spec
from jen1cli.evaluation.seams import measure_seam
from jen1cli.evaluation.studies.codec import CodecJob
from jen1cli.evaluation.studies.codec_under_test import CodecUnderTest
from jen1cli.evaluation.studies.edits import EditsJob, _likeness
from jen1cli.evaluation.studies.prompts import PromptsJob
from jen1cli.manifest import read_folder
from jen1cli.presets import MINI

WISHES = [
    read_prompt_spec(p, {"style": "house", "energy": e})
    for p, e in (("house piano with drums at 120 bpm", 0.5), ("calm ambient", 0.1), ("house", 0.7))
]


@pytest.mark.heavy
def test_prompts_are_made_scored_and_reported(tiny, tagger_installed, music_folder, tmp_path):
    done = []
    job = PromptsJob(WISHES, tmp_path / "out" / "audio", music_folder(), seconds=1.5, diverse=1,
                     takes=2, seed=3)  # fmt: skip
    report = job.run(tiny, lambda i, n: done.append((i, n)))
    tables = {table.name: table for table in report.tables}
    assert list(tables) == ["adherence", "sound", "heard", "notes", "distances", "diversity"]
    notes = {row[0]: row[1:] for row in tables["notes"].rows}
    assert notes["notes per second"][0].value == pytest.approx(
        np.mean([clip["notes"]["notes per second"] for clip in report.clips])
    )
    assert tables["heard"].columns == ("", "music", "real music")
    heard = {row[0]: row[1:] for row in tables["heard"].rows}
    assert [found.count for found in heard["flatness 14-18 kHz"]] == [3, 3]
    assert heard["flatness 14-18 kHz"][0].value == pytest.approx(
        np.mean([clip["sound"]["flatness 14-18 kHz"] for clip in report.clips])
    )
    line = f"line at {tiny.config.frame_rate:.1f} Hz, 3-6 kHz, dB"
    assert heard[line] == (None, None)  # of clips below three seconds
    assert dict(row[:2] for row in tables["diversity"].rows)["same seed repeats"] == "yes"
    assert [clip["prompt"] for clip in report.clips] == [spec.prompt for spec in WISHES]
    assert done[-1][0] == done[-1][1]
    follows_schema(report.facts())
    music = tiny.generate(WISHES[1].prompt, seconds=1.5, seed=4)
    np.testing.assert_allclose(
        audio.read(job.folder / "0001.flac"), music.waveform.numpy(), atol=2e-5
    )
    _, page = write_report(tmp_path / "out", report)
    assert page.read_text().count("data:audio/ogg") == 3


@pytest.fixture(scope="module")
def made(tiny, tagger_folder, tmp_path_factory):
    """The music and the facts of a run of `PromptsJob`."""
    folder = tmp_path_factory.mktemp("made") / "audio"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEN1_WEIGHTS", str(tagger_folder))
        PromptsJob(WISHES, folder, seconds=1.0, diverse=0).run(tiny)
    return folder


@pytest.mark.heavy
def test_an_interrupted_run_goes_on(tiny, tagger_installed, tmp_path, made):
    folder = shutil.copytree(made, tmp_path / "audio")
    job = PromptsJob(WISHES, folder, seconds=1.0, diverse=0)
    stamps = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.flac")}
    (folder / "0002.flac").unlink()
    report = job.run(tiny)
    assert len(report.clips) == 3
    assert (folder / "0000.flac").stat().st_mtime_ns == stamps["0000.flac"]
    with pytest.raises(DataError, match="made with another seed"):
        PromptsJob(WISHES, folder, seconds=1.0, seed=9, diverse=0).run(tiny)


@pytest.mark.heavy
def test_a_folder_begun_under_a_former_digest_of_the_model_goes_on(
    tiny, tagger_installed, tmp_path, made
):
    folder = shutil.copytree(made, tmp_path / "audio")
    job = PromptsJob(WISHES, folder, seconds=1.0, diverse=0)
    facts = json.loads((folder / "evaluation.json").read_text())

    def begun_by(sha256):
        (folder / "evaluation.json").write_text(json.dumps({**facts, "model": sha256}))
        return job.run(tiny)

    assert len(begun_by(next(iter(tiny.former_sha256))).clips) == 3
    with pytest.raises(DataError, match="made with another model"):
        begun_by("e" * 64)


@pytest.mark.heavy
def test_music_that_is_there_is_scored_without_a_model(tagger_installed, music_folder):
    report = PromptsJob([], music_folder(count=4, seconds=5.0), seconds=5.0, limit=3).run(None)
    (row,) = [row for row in report.tables[0].rows if row[0] == "tempo (signal)"]
    assert len(report.clips) == 3
    assert row[1].count == 3
    assert row[1].value == 1.0  # the clicks are found


@pytest.mark.heavy
def test_a_reference_that_is_too_small_is_named(tagger_installed, music_folder):
    job = PromptsJob([], music_folder("a"), music_folder("b", count=2), seconds=1.0, limit=9)
    report = job.run(None)
    assert "distances" not in [table.name for table in report.tables]
    assert any("no KAD and FAD" in line and "4 and 2" in line for line in report.warnings)


def test_no_music_and_no_model_is_an_error(tagger_installed, tmp_path, beat_maker):
    audio.write(tmp_path / "x.wav", beat_maker(2.0, 100), 48_000)
    with pytest.raises(DataError, match="without caption"):
        PromptsJob([], tmp_path).run(None)


@pytest.fixture
def one_sine(monkeypatch):
    """One steady sine in place of twelve goes through the codec."""
    monkeypatch.setattr("jen1cli.evaluation.studies.codec_tables.SINES", {"high": (1000.0,)})


@pytest.mark.heavy
def test_codec_is_measured_beside_the_linear_one(tiny_folder, music_folder, tmp_path, one_sine):
    music = music_folder(count=6)
    report = CodecJob(music, seconds=1.0).run(CodecUnderTest.load(tiny_folder), tmp_path / "audio")
    tables = {table.name: table for table in report.tables}
    assert list(tables) == [
        "codec", "heard", "sines", "families", "styles", "robustness", "losses", "speed",
    ]  # fmt: skip
    assert [row[0] for row in tables["robustness"].rows] == ["0", "0.05", "0.1", "0.2", "0.4"]
    assert tables["robustness"].rows[0][1:] == tables["losses"].rows[0][1:]
    assert len(report.judges["autoencoder"]) == 64
    follows_schema(report.facts())
    learned, linear = tables["codec"].rows[0][1:]
    assert linear.value > learned.value  # random weights against principal components
    assert [row[0] for row in tables["styles"].rows] == ["ambient", "house", "jazz trio"]
    assert len(report.samples) == 12
    assert report.clips[0]["linear, encode and decode"]["SI-SDR, dB"] > 0
    assert tables["heard"].columns == ("", "original", "encode and decode")
    heard = {row[0]: row[1:] for row in tables["heard"].rows}
    assert heard["attack correlation 1.5-6 kHz"][0].value == pytest.approx(1.0)
    assert heard["attack correlation 1.5-6 kHz"][1].value < 0.9
    assert report.clips[0]["heard"]["original"]["flatness 14-18 kHz"] < 0.7
    assert "No references with the true phase" in tables["heard"].note
    assert [row[0] for row in tables["sines"].rows] == [
        "high, at 150.0 Hz", "high, at 300.0 Hz",
    ]  # fmt: skip


@pytest.mark.heavy
def test_a_spectral_codec_is_measured_beside_better_phases(music_folder, beat_maker, one_sine):
    """Untrained, but started at the principal components of music like that of the test."""
    config = SpectralConfig(
        latent_channels=48, trunk_channels=8, num_encoder_blocks=1, num_decoder_blocks=1,
        refinements=1,
    )  # fmt: skip
    torch.manual_seed(0)
    own = build_autoencoder(config)
    wave = torch.from_numpy(beat_maker(8.0, 110.0))[None, :, : 187 * 2048]
    with torch.no_grad():
        features = own.features(wave)[0].T
        own.fit_basis(features, features.mean(0) / own.feature_weight)
    whitening = Whitening(WhiteningConfig(48, 48))
    codec = CodecUnderTest(Codec(MINI, own.eval(), whitening), "0" * 64)
    report = CodecJob(music_folder(count=2), seconds=2.5, linear=False).run(codec, None)
    tables = {table.name: table for table in report.tables}
    ways = ("encode and decode", "true phase", "16 rounds")
    assert tables["heard"].columns == ("", "original", *ways)
    assert tables["codec"].columns == ("", *ways)
    assert tables["sines"].columns == ("", *ways)
    assert [row[0] for row in tables["speed"].rows] == list(ways)
    assert "16 rounds of phase refinement in place of 1" in tables["heard"].note
    heard = {row[0]: row[1:] for row in tables["heard"].rows}
    for band in ("1.5-6 kHz", "6-16 kHz"):
        original, back, true, _ = (one.value for one in heard[f"attack correlation {band}"])
        assert original == pytest.approx(1.0)
        assert true > back + 0.2
    follows_schema(report.facts())


@pytest.mark.heavy
def test_dropped_components_have_a_column_of_their_own(tiny_folder, music_folder, one_sine):
    whole = CodecUnderTest.load(tiny_folder)
    whitening = Whitening(WhiteningConfig(8, 2))
    few = dataclasses.replace(whole, codec=dataclasses.replace(whole.codec, whitening=whitening))
    report = CodecJob(music_folder(count=2), seconds=1.0, linear=False).run(few, None)
    table = report.tables[0]
    assert table.columns == ("", "encode and decode", "as diffusion sees it")
    assert "encode and decode: 8 channels, as diffusion sees it: 2 channels" in table.note
    _, all_channels, two_channels = table.rows[1]
    assert all_channels.value != two_channels.value
    assert few.sizes != whole.sizes == {"encode and decode": 8}


def test_a_folder_without_an_autoencoder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds no autoencoder"):
        CodecUnderTest.load(tmp_path)


@pytest.mark.heavy
def test_edits_keep_the_rest_and_are_judged(tiny, tagger_installed, music_folder, tmp_path):
    job = EditsJob(music_folder(count=2, seconds=3.5), seconds=3.0)
    report = job.run(tiny, tmp_path / "audio")
    for table in report.tables:
        kept = {row[0]: row[1] for row in table.rows}["kept samples equal"]
        assert (kept.value, kept.count) == (1.0, 2)
    assert {clip["verb"] for clip in report.clips} == {"inpaint", "continue"}
    assert len(report.clips[0]["seams"]) == 2
    assert report.samples[0].marks == (1.0, 2.0)
    assert report.tables[0].columns[1:] == ("edited", "loop-fill", "original, coded", "untouched")
    rows = {row[0]: row[1:] for row in report.tables[0].rows}
    jumps = rows["level jump, rank"]
    assert jumps[2] is None  # the coded original is not joined to anything
    assert 0.0 <= jumps[1].value <= 1.0
    untouched = jumps[-1]
    near = [cell.value for cell in rows["mel distance to the original"][:3]]
    assert min(near) > 0.0
    assert len(set(near)) == 3
    assert 0.0 < untouched.value < 1.0
    assert untouched.count == 2
    assert len(report.samples) == 4
    follows_schema(report.facts())
    listened = {name: read_folder(tmp_path / "audio" / name) for name in ("edited", "original")}
    captions = [[clip.captions for clip in clips] for clips in listened.values()]
    assert captions[0] == captions[1]
    assert len(captions[0]) == 4
    edited, original = (audio.read(clips[1].path) for clips in listened.values())
    assert (edited[:, :48_000] == original[:, :48_000]).all()
    assert (edited[:, 48_000:96_000] != original[:, 48_000:96_000]).any()
    with pytest.raises(DataError, match="has the 20 s"):
        EditsJob(music_folder("short", count=1), seconds=20.0).run(tiny, None)


@pytest.mark.heavy
def test_seams_rank_jumps_against_music(noise, tone):
    quiet, loud = noise(seconds=1.0, level=0.02, seed=1), noise(seconds=1.0, level=0.3, seed=2)
    untouched = noise(seconds=2.0, level=0.1, seed=3)
    jump = measure_seam(np.concatenate([quiet, loud], axis=1), 48_000, untouched, 48_000)
    assert jump.level_rank == 1.0
    assert jump.level_db == pytest.approx(20 * np.log10(15), abs=0.5)
    smooth = measure_seam(noise(seconds=2.0, level=0.1, seed=4), 48_000, untouched, 48_000)
    assert 0.02 < smooth.level_rank < 0.98
    clicked = tone(seconds=2.0)
    clicked[:, 48_000] += 0.5
    assert measure_seam(clicked, 48_000, tone(seconds=2.0), 48_000).click_rank == 1.0


def test_notes_are_alike_in_one_key_and_not_a_tritone_away():
    major = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11)).astype(float)
    assert _likeness(major, 3.0 * major + 0.2) == pytest.approx(1.0)
    assert _likeness(major, np.roll(major, 3)) < 0.5  # the relative of the parallel key
    assert _likeness(major, np.roll(major, 6)) < -0.3
    assert _likeness(major, np.ones(12)) == 0.0


@pytest.mark.heavy
def test_the_schema_refuses_what_is_no_report(tagger_installed, music_folder, tmp_path):
    report = PromptsJob([], music_folder(), seconds=2.0).run(None)
    path, _ = write_report(tmp_path / "report", report)
    facts = json.loads(path.read_text())
    follows_schema(facts)
    for wrong in ({"tables": [{"name": 3}]}, {"kind": "poem"}, {"extra": 1}):
        with pytest.raises(AssertionError):
            follows_schema({**facts, **wrong})


def follows_schema(facts):
    text = files("jen1cli.evaluation").joinpath("data/report.schema.json").read_text("utf-8")
    schema = json.loads(text)
    check(json.loads(json.dumps(facts, allow_nan=False)), schema, schema)


def check(value, schema, root):
    """The part of JSON Schema that the report's uses."""
    if "$ref" in schema:
        return check(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            try:
                return check(value, option, root)
            except AssertionError:
                continue
        raise AssertionError(f"{value!r} fits none of {schema['anyOf']}")
    kinds = {
        "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
        "null": type(None), "boolean": bool,
    }  # fmt: skip
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), (value, schema)
    if "const" in schema:
        assert value == schema["const"]
    if "enum" in schema:
        assert value in schema["enum"]
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= value.keys()
        known = schema.get("properties", {})
        for key, item in value.items():
            extra = schema.get("additionalProperties", {})
            assert key in known or extra is not False, key
            check(item, known.get(key, extra if isinstance(extra, dict) else {}), root)
    if isinstance(value, list):
        for item in value:
            check(item, schema.get("items", {}), root)
    return None


def test_the_middle_of_a_clip_keeps_its_chords(tmp_path, tiny):
    """By the recipe where a model made it, by the attributes elsewhere."""
    from jen1cli.evaluation.clips import LoadedClip
    from jen1cli.evaluation.prompt_spec import PromptSpec
    from jen1cli.evaluation.studies.judging import cut_to_middle
    from jen1cli.manifest import Clip
    from jen1cli.music.controls import Controls

    told = Controls(120.0, "4/4", 0.0, "C", "major", "C | F")
    path = tmp_path / "a.flac"
    tiny.generate("x", seconds=1.0, steps=1, seed=0, controls=told).save(path)
    plain = tmp_path / "b.wav"
    audio.write(plain, np.zeros((2, 48_000), np.float32), 48_000)
    signal = np.arange(96_000, dtype=np.float32).reshape(2, 48_000)
    facts = {"bpm": 90.0, "meter": "3/4", "chords": "G"}
    for where, controls in ((path, told), (plain, Controls(90.0, "3/4", chords="G"))):
        heard = LoadedClip(Clip(where, ("x",), 1.0, "test", facts), signal, 48_000)
        cut, spec = cut_to_middle(heard, PromptSpec("x"), 0.5)
        assert cut.signal[0].tolist() == list(range(12_000, 36_000))
        assert spec.controls == controls.shifted(-0.25)
