"""C2PA manifests and digital source types of what commands write, and what `jen1 info` says."""

import dataclasses
import datetime
import http.server
import io
import json
import os
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import jen1cli
from faults import forked
from jen1cli import audio, provenance
from jen1cli.audio.metadata import Metadata
from jen1cli.errors import Jen1Error
from jen1cli.provenance import certificates, signing
from jen1cli.recipe import read_recipe
from metadata_support import TEXTS, edit, metadata_of, picture, tagged

c2pa = pytest.importorskip("c2pa")

SIGNED = ("wav", "flac", "mp3")
UNSIGNED = ("ogg", "opus", "aiff")
GENERATED = "trainedAlgorithmicMedia"
PARTLY = "compositeWithTrainedAlgorithmicMedia"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The user's folder of settings, empty; signing is on, as for a user who gives no option."""
    folder = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.delenv("JEN1_PROVENANCE")
    monkeypatch.delenv("JEN1_CERTIFICATE", raising=False)
    return folder / "jen1"


@pytest.fixture
def facts(jen1):
    """What `jen1 info --json` says of a file."""

    def read(path):
        result = jen1("info", path, "--json")
        assert result.code == 0, result.err
        return json.loads(result.out)

    return read


def samples(path):
    return soundfile.read(path, dtype="int32", always_2d=True)[0]


def with_manifest(name, *problems):
    """The facts of an ingredient that has a manifest."""
    state = "invalid" if problems else "valid"
    return {"name": name, "has_manifest": True, "state": state, "problems": list(problems)}


def make(jen1, name, *more, code=0):
    result = jen1("generate", "lofi piano", "-s", "0.5", "--seed", "3", "-o", name, *more)
    assert result.code == code, result.err
    return result


@pytest.mark.parametrize("kind", SIGNED)
def test_new_music_is_signed_and_its_samples_stay(jen1, model, facts, kind):
    make(jen1, f"a.{kind}")
    make(jen1, f"plain.{kind}", "--no-provenance")
    assert np.array_equal(samples(f"a.{kind}"), samples(f"plain.{kind}"))
    found = facts(f"a.{kind}")
    assert found["digital_source_type"].endswith(f"/{GENERATED}")
    assert found["recipe"]["signature"] == "c2pa"
    manifest = found["c2pa"]
    assert (manifest["state"], manifest["problems"], manifest["self_made"]) == ("valid", [], True)
    assert manifest["actions"] == ["c2pa.created"]
    assert manifest["digital_source_types"] == [GENERATED]
    assert manifest["program"].startswith("jen1cli ")
    shown = jen1("info", f"a.{kind}").out
    assert "valid: the file is as it was signed" in shown
    assert "integrity, not identity" in shown


def test_no_provenance_is_recorded(jen1, model, facts):
    result = make(jen1, "a.wav", "--no-provenance", "--json")
    assert json.loads(result.out)["settings"]["signature"] == "off"
    found = facts("a.wav")
    assert found["c2pa"] is None
    assert found["recipe"]["signature"] == "off"
    assert found["recipe"]["ai_generated"] is True
    assert found["digital_source_type"].endswith(f"/{GENERATED}")


def test_a_wrong_value_in_the_environment_is_named(jen1, monkeypatch):
    monkeypatch.setenv("JEN1_PROVENANCE", "banana")
    result = jen1("generate", "lofi", "-o", "a.wav")
    assert result.code == 1
    assert "the environment has JEN1_PROVENANCE=banana: invalid value" in result.err


@pytest.mark.parametrize("turned", [1, -1])
def test_a_certificate_and_no_signature_are_a_contradiction(jen1, model, monkeypatch, turned):
    options = [["--no-provenance"], ["--certificate", "no.pem"]][::turned]
    result = jen1("generate", "lofi", "-o", "a.wav", *options[0], *options[1])
    assert result.code == 1
    assert "--no-provenance signs nothing, so leave it or --certificate out" in result.err
    monkeypatch.setenv("JEN1_CERTIFICATE", "no.pem")
    make(jen1, "a.wav", "--no-provenance")


@pytest.mark.parametrize("kind", UNSIGNED)
def test_formats_that_cannot_be_signed_have_the_tag(jen1, model, facts, kind):
    result = make(jen1, f"a.{kind}", "--provenance")
    assert f"warning: the {kind} file is marked by its tags, but not signed" in result.err
    found = facts(f"a.{kind}")
    assert found["c2pa"] is None
    assert "signature" not in found["recipe"]
    assert found["digital_source_type"].endswith(f"/{GENERATED}")


def test_without_the_extra_there_are_tags(jen1, model, facts, monkeypatch):
    make(jen1, "signed.wav")
    monkeypatch.setattr(provenance, "is_installed", lambda: False)
    make(jen1, "a.wav")
    found = facts("a.wav")
    assert found["c2pa"] is None
    assert found["digital_source_type"].endswith(f"/{GENERATED}")
    result = make(jen1, "b.wav", "--provenance", code=1)
    assert "pip install 'jen1cli[provenance]'" in result.err
    manifest = facts("signed.wav")["c2pa"]
    assert manifest["state"] == "unverified"
    assert "pip install" in manifest["problems"][0]


@pytest.mark.parametrize("kind", SIGNED)
def test_an_edit_keeps_the_manifest_of_its_input_as_an_ingredient(jen1, model, facts, kind):
    make(jen1, f"a.{kind}")
    assert jen1("continue", f"a.{kind}", "-s", "0.5", "-o", f"b.{kind}").code == 0
    manifest = facts(f"b.{kind}")["c2pa"]
    assert (manifest["state"], manifest["problems"]) == ("valid", [])
    assert manifest["actions"] == ["c2pa.opened", "c2pa.edited"]
    assert manifest["ingredients"] == [with_manifest(f"a.{kind}")]
    assert manifest["digital_source_types"] == [GENERATED]


@pytest.mark.parametrize("kind", [*SIGNED, "ogg"])
def test_an_edit_of_a_recording_is_partly_generated(jen1, model, facts, tone, kind):
    audio.write(Path(f"take.{kind}"), tone(0.5), 48_000)
    result = jen1("continue", f"take.{kind}", "-s", "0.5", "-o", "b.wav")
    assert result.code == 0, result.err
    found = facts("b.wav")
    assert found["digital_source_type"].endswith(f"/{PARTLY}")
    assert found["c2pa"]["digital_source_types"] == [PARTLY]
    (ingredient,) = found["c2pa"]["ingredients"]
    assert (ingredient["name"], ingredient["has_manifest"]) == (f"take.{kind}", False)
    assert found["c2pa"]["state"] == "valid"


def test_a_decoded_latent_may_be_a_recording(model, facts):
    latent = model.generate_batch(["lofi"], seconds=0.5, seed=3)[0]
    recipe = dataclasses.replace(latent.recipe, task="decode")
    music = dataclasses.replace(latent, recipe=recipe)
    music.save("a.wav", signer=provenance.Signer(provenance.own_credentials()))
    found = facts("a.wav")
    assert found["digital_source_type"].endswith(f"/{PARTLY}")
    assert found["c2pa"]["digital_source_types"] == [PARTLY]
    assert ("TITLE", "AI-generated music") not in metadata_of(Path("a.wav")).texts


@pytest.mark.parametrize("kind", SIGNED)
def test_an_unsigned_edit_says_that_the_manifest_is_lost(jen1, model, facts, kind):
    make(jen1, f"a.{kind}")
    result = jen1("continue", f"a.{kind}", "-s", "0.5", "-o", f"b.{kind}", "--no-provenance")
    assert f"the edit does not keep of a.{kind}: the C2PA manifest\n" in result.err
    assert facts(f"b.{kind}")["c2pa"] is None


@pytest.mark.parametrize("kind", SIGNED)
def test_a_change_after_signing_is_found(jen1, model, facts, kind):
    make(jen1, f"a.{kind}")
    data = bytearray(Path(f"a.{kind}").read_bytes())
    at = data.index(b"JEN1_RECIPE" if kind != "wav" else b"lofi piano")
    data[at + 20] ^= 1
    Path(f"a.{kind}").write_bytes(data)
    manifest = audio.read_marks(f"a.{kind}")
    assert manifest.signed
    found = provenance.describe_manifest(Path(f"a.{kind}"), manifest.format)
    assert found["state"] == "invalid"
    assert found["problems"] == ["assertion.dataHash.mismatch"]


def test_a_changed_sample_is_shown(jen1, model):
    make(jen1, "a.wav")
    data = bytearray(Path("a.wav").read_bytes())
    data[1000] ^= 1
    Path("a.wav").write_bytes(data)
    shown = jen1("info", "a.wav").out
    assert "INVALID: the file or the manifest was changed" in shown
    assert "assertion.dataHash.mismatch" in shown


@pytest.mark.heavy
def test_an_expired_certificate_is_no_change(tmp_path, tone, jen1, monkeypatch):
    audio.write(tmp_path / "a.wav", tone(0.2), 48_000)
    with monkeypatch.context() as patch:  # c2pa signs with no certificate that has expired
        patch.setattr(certificates, "_DAYS", 2 / 86_400)
        credentials = provenance.own_credentials()
    provenance.Signer(credentials).sign(tmp_path / "a.wav", "audio/wav", "")
    time.sleep(3.1)
    shown = jen1("info", tmp_path / "a.wav").out
    assert "INVALID: the certificate has expired" in shown
    assert "changed" not in shown
    found = provenance.describe_manifest(tmp_path / "a.wav", "WAV")
    assert (found["state"], found["problems"]) == ("invalid", ["signingCredential.expired"])


def test_an_ingredient_with_an_invalid_manifest_is_shown_as_such(jen1, model, facts):
    make(jen1, "a.wav")
    data = bytearray(Path("a.wav").read_bytes())
    data[1000] ^= 1
    Path("a.wav").write_bytes(data)
    assert jen1("continue", "a.wav", "-s", "0.5", "-o", "b.wav").code == 0
    manifest = facts("b.wav")["c2pa"]
    assert manifest["state"] == "valid"
    assert manifest["ingredients"] == [with_manifest("a.wav", "assertion.dataHash.mismatch")]
    assert "a.wav (its manifest is INVALID)" in jen1("info", "b.wav").out


def test_an_edit_of_a_file_with_a_damaged_manifest_is_signed(jen1, model, facts):
    make(jen1, "a.wav")
    data = bytearray(Path("a.wav").read_bytes())
    at = data.index(b"C2PA") + 16
    data[at : at + 8] = b"\xff" * 8
    Path("a.wav").write_bytes(data)
    result = jen1("continue", "a.wav", "-s", "0.5", "-o", "b.wav")
    assert "warning: C2PA cannot read a.wav, so the manifest names it without" in result.err
    found = facts("b.wav")
    assert found["recipe"]["signature"] == "c2pa"
    assert (found["c2pa"]["state"], found["c2pa"]["problems"]) == ("valid", [])
    (ingredient,) = found["c2pa"]["ingredients"]
    assert (ingredient["name"], ingredient["has_manifest"]) == ("a.wav", False)
    assert ingredient["problems"][0].startswith("C2PA could not read it: ")


def test_the_size_of_an_input_that_is_not_read_does_not_matter(tone, tmp_path, monkeypatch):
    audio.write(tmp_path / "a.wav", tone(0.2), 48_000)
    size = (tmp_path / "a.wav").stat().st_size
    monkeypatch.setattr(signing, "MOST_BYTES", size)
    signer = provenance.Signer(provenance.own_credentials())
    large = io.BytesIO(bytes(size + 1))
    signer.sign(tmp_path / "a.wav", "audio/wav", "", provenance.Ingredient("a.ogg", large, None))
    assert audio.read_marks(tmp_path / "a.wav").signed
    read = provenance.Ingredient("a.wav", large, "audio/wav")
    with pytest.raises(provenance.SigningError, match="up to"):
        signer.sign(io.BytesIO(b""), "audio/wav", "", read)


def test_an_edit_reads_the_format_of_its_input_once(jen1, model, monkeypatch, tone):
    audio.write(Path("a.wav"), tone(0.2), 48_000)
    changed = model.inpaint("a.wav", [(0.05, 0.1)], seed=1)
    monkeypatch.setattr("jen1cli.pipeline.signing.audio", None, raising=False)  # no probing there
    changed.save("b.wav", signer=provenance.Signer(provenance.own_credentials()))
    found = provenance.describe_manifest(Path("b.wav"), "WAV")
    assert found["ingredients"][0]["name"] == "a.wav"
    assert found["program"] == f"jen1cli {jen1cli.__version__}"


@pytest.mark.parametrize("kind", SIGNED)
def test_tags_and_pictures_are_signed_and_stay(tmp_path, noise, kind):
    path = tmp_path / f"a.{kind}"
    tagged(path, noise(0.1), Metadata(texts=TEXTS, pictures=(picture(),)), "{}")
    before, sound = metadata_of(path), samples(path)
    signer = provenance.Signer(provenance.own_credentials())
    signer.sign(path, signing.MEDIA_TYPES[before.family.replace("RIFF", "WAV")], "")
    after = metadata_of(path)
    assert (after.texts, after.pictures) == (before.texts, before.pictures)
    assert after.recipe == before.recipe
    assert after.signed
    assert not before.signed
    assert np.array_equal(samples(path), sound)
    assert edit(path, tmp_path / f"b.{kind}", tail=10) == (
        f"the edit does not keep of {path}: the C2PA manifest"
    )


def test_stdout_and_buffers_are_signed(jen1, model, tmp_path):
    result = make(jen1, "a.wav")
    signer = provenance.Signer(provenance.own_credentials())
    music = model.generate_batch(["lofi"], seconds=0.5, seed=3)[0]
    buffer = io.BytesIO()
    music.save(buffer, signer=signer)
    assert provenance.describe_manifest(buffer, "WAV")["state"] == "valid"
    changed = model.inpaint(buffer, [(0.1, 0.2)], seed=1)
    edited = io.BytesIO()
    assert changed.save(edited, signer=signer)
    found = provenance.describe_manifest(edited, "WAV")
    assert found["state"] == "valid"
    assert found["ingredients"] == [with_manifest("the piped audio")]
    assert result.out == "a.wav\n"


def test_a_file_too_large_to_sign_is_marked_by_its_tags(jen1, model, facts, monkeypatch):
    monkeypatch.setattr(signing, "MOST_BYTES", 1000)
    result = make(jen1, "a.wav")
    assert "marked by its tags, but not signed: C2PA manifests are made for files and" in result.err
    assert result.err.count("not signed") == 1
    found = facts("a.wav")
    assert found["c2pa"] is None
    assert "signature" not in found["recipe"]


@pytest.mark.parametrize("asked", ["--provenance", "--certificate"])
@pytest.mark.parametrize("task", ["generate", "continue"])
def test_a_signature_that_is_asked_for_and_fails_is_an_error(
    jen1, model, monkeypatch, tone, pem, asked, task
):
    audio.write(Path("take.wav"), tone(0.5), 48_000)
    options = [asked] if asked == "--provenance" else [asked, pem("key", "signer", "issuer")]
    provenance.own_credentials()
    before = set(Path().iterdir())
    monkeypatch.setattr(signing, "MOST_BYTES", 1000)
    arguments = ["generate", "lofi"] if task == "generate" else ["continue", "take.wav"]
    result = jen1(*arguments, "-s", "0.5", "-o", "a.wav", *options)
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("jen1: error: the file cannot be signed, so it")
    assert set(Path().iterdir()) == before


def test_a_signer_given_in_python_must_sign(model, monkeypatch, tmp_path):
    path = tmp_path / "a.wav"
    music = model.generate_batch(["lofi"], seconds=0.5, seed=3)[0]
    credentials = provenance.own_credentials()
    monkeypatch.setattr(signing, "MOST_BYTES", 1000)
    with pytest.raises(provenance.SigningError, match="not written"):
        music.save(path, signer=provenance.Signer(credentials))
    assert not path.exists()
    music.save(path, signer=provenance.Signer(credentials, is_required=False))
    assert read_recipe(path).signature == ""


@pytest.mark.skipif(os.name == "nt", reason="needs limits of a POSIX system")
@pytest.mark.parametrize("asked", [[], ["--provenance"]])
def test_a_disk_that_fills_up_while_signing_is_an_error(jen1, model, tmp_path, asked):
    import resource

    provenance.own_credentials()
    make(jen1, "plain.wav", "--no-provenance")
    limit = Path("plain.wav").stat().st_size + 1000  # a manifest takes more
    place = tmp_path / "full"
    place.mkdir()
    command = ("generate", "lofi piano", "-s", "0.5", "--seed", "3", "-o", "a.wav", *asked)
    done = forked(
        place,
        *command,
        prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.code, done.err) == (
        1, "jen1: error: cannot write a.wav: File too large; free some space\n"
    )  # fmt: skip
    assert list(place.iterdir()) == []


def test_a_lost_manifest_is_said(jen1, model, facts):
    make(jen1, "a.wav")
    data = Path("a.wav").read_bytes()
    Path("a.wav").write_bytes(data.replace(b"C2PA", b"junk", 1))
    assert facts("a.wav")["c2pa"] == {"state": "missing", "problems": []}
    assert "MISSING: the recipe says that the file was signed" in jen1("info", "a.wav").out


def test_verify_fails_unless_the_manifest_is_valid(jen1, model, monkeypatch):
    make(jen1, "good.wav")
    make(jen1, "off.wav", "--no-provenance")
    data = Path("good.wav").read_bytes()
    Path("lost.wav").write_bytes(data.replace(b"C2PA", b"junk", 1))
    Path("bad.wav").write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    assert jen1("info", "good.wav", "--verify").code == 0
    for name, words in (
        ("off.wav", "off.wav has no C2PA manifest"),
        ("lost.wav", "is MISSING: the recipe says"),
        ("bad.wav", "is INVALID: the file or the manifest was changed"),
    ):
        result = jen1("info", name, "--verify")
        assert result.code == 1
        assert words in result.err
        assert "sample rate" in result.out  # the facts are shown nevertheless
        assert jen1("info", name).code == 0
    result = jen1("info", "good.wav", "bad.wav", "off.wav", "--verify")
    assert result.code == 1
    assert result.err.count("jen1: error: ") == 2
    monkeypatch.setattr(provenance, "is_installed", lambda: False)
    result = jen1("info", "good.wav", "--verify")
    assert result.code == 1
    assert "is not verified: " in result.err
    assert "pip install" in result.err


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("task", ["inpaint", "continue", "vary", "again"])
def test_an_input_that_was_changed_after_it_was_signed_is_named(jen1, model, task, signed):
    make(jen1, "a.wav")
    data = bytearray(Path("a.wav").read_bytes())
    data[1000] ^= 1
    Path("a.wav").write_bytes(data)
    options = {"inpaint": ["--mask", "0.1-0.2"], "continue": ["-s", "0.5"]}.get(task, [])
    off = [] if signed else ["--no-provenance"]
    result = jen1(task, "a.wav", *options, "-o", "b.wav", *off)
    assert result.code == 0, result.err
    line = "jen1: warning: the C2PA manifest of a.wav is invalid: the file or the manifest was"
    assert result.err.count(line) == 1


def test_a_file_too_large_to_verify_is_not_read(jen1, model, facts, monkeypatch):
    make(jen1, "a.wav")
    monkeypatch.setattr("jen1cli.provenance.reading.MOST_BYTES", 1000)
    assert facts("a.wav")["c2pa"]["state"] == "unverified"


def test_again_repeats_samples_and_recipe(jen1, model):
    make(jen1, "a.flac")
    assert jen1("again", "a.flac", "-o", "b.flac").code == 0
    assert read_recipe("a.flac") == read_recipe("b.flac")
    assert np.array_equal(samples("a.flac"), samples("b.flac"))


def test_again_of_unsigned_files_makes_the_same_bytes(jen1, model, monkeypatch):
    make(jen1, "off.wav", "--no-provenance")
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "is_installed", lambda: False)
        make(jen1, "none.wav")
    for name in ("off.wav", "none.wav"):
        assert jen1("again", name, "-o", f"again-{name}").code == 0
        assert Path(name).read_bytes() == Path(f"again-{name}").read_bytes()


@pytest.mark.parametrize("variable", ["JEN1_PROVENANCE", "JEN1_CERTIFICATE"])
def test_the_environment_does_not_decide_whether_again_signs(
    jen1, model, facts, monkeypatch, pem, variable
):
    path = pem("key", "signer", "issuer")
    make(jen1, "off.wav", "--no-provenance")
    monkeypatch.setenv(variable, "1" if variable == "JEN1_PROVENANCE" else str(path))
    assert jen1("again", "off.wav", "-o", "again.wav").code == 0
    assert Path("off.wav").read_bytes() == Path("again.wav").read_bytes()
    assert jen1("again", "off.wav", "-o", "signed.wav", "--provenance").code == 0
    assert facts("signed.wav")["c2pa"]["state"] == "valid"


def test_again_signs_what_was_signed(jen1, model, facts, monkeypatch, pem):
    make(jen1, "a.wav")
    monkeypatch.setenv("JEN1_PROVENANCE", "0")
    assert jen1("again", "a.wav", "-o", "b.wav").code == 0
    assert facts("b.wav")["c2pa"]["state"] == "valid"
    assert jen1("again", "a.wav", "-o", "c.wav", "--no-provenance").code == 0
    assert facts("c.wav")["recipe"]["signature"] == "off"
    path = pem("key", "signer", "issuer")
    assert jen1("again", "c.wav", "-o", "d.wav", "--certificate", path).code == 0
    assert facts("d.wav")["c2pa"]["state"] == "valid"


def test_again_warns_where_it_cannot_sign_what_was_signed(jen1, model, facts, monkeypatch):
    make(jen1, "a.wav")
    monkeypatch.setattr(provenance, "is_installed", lambda: False)
    result = jen1("again", "a.wav", "-o", "b.wav")
    assert result.code == 0
    assert "warning: the file was signed with a C2PA manifest, its copy is not" in result.err
    assert "signature" not in facts("b.wav")["recipe"]


@pytest.mark.heavy
def test_a_chain_of_signed_files_is_made_again(jen1, model, facts):
    make(jen1, "1.flac")
    jen1("continue", "1.flac", "-s", "0.5", "-o", "2.wav", "--seed", "2")
    jen1("inpaint", "2.wav", "--mask", "0.2-0.4", "-o", "3.flac", "--seed", "3")
    Path("1.flac").unlink()
    Path("2.wav").unlink()
    result = jen1("again", "3.flac", "-o", "same.flac")
    assert result.code == 0, result.err
    assert np.array_equal(samples("3.flac"), samples("same.flac"))
    assert read_recipe("3.flac") == read_recipe("same.flac")
    assert facts("same.flac")["c2pa"]["ingredients"] == [with_manifest("2.wav")]


def test_a_signed_input_is_known_by_its_samples(jen1, model):
    make(jen1, "a.wav")
    jen1("continue", "a.wav", "-s", "0.5", "-o", "b.wav", "--seed", "2")
    make(jen1, "a.wav", "--force")  # other bytes, the same samples
    assert jen1("again", "b.wav", "-o", "c.wav").code == 0
    make(jen1, "a.wav", "--force", "--seed", "4")
    assert jen1("again", "b.wav", "-i", "a.wav", "-o", "d.wav").code == 1


# --- certificates ---


def test_the_self_made_certificate_is_private_and_kept(jen1, model, facts, own_folder):
    first = make(jen1, "a.wav")
    assert "unchanged, not who made it" in first.err
    path = own_folder / "provenance.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert own_folder.stat().st_mode & 0o777 == 0o700
    kept = path.read_bytes()
    assert "certificate" not in make(jen1, "b.wav").err
    assert path.read_bytes() == kept
    assert [item.name for item in own_folder.iterdir()] == ["provenance.pem"]


def test_a_certificate_that_cannot_be_kept_serves_the_run(jen1, model, facts, own_folder):
    own_folder.parent.write_text("a file where the folder should be")
    result = make(jen1, "a.wav")
    assert "the self-made certificate serves this run alone: " in result.err
    assert facts("a.wav")["c2pa"]["state"] == "valid"


def test_a_file_in_the_place_of_the_own_certificate_stays(jen1, model, facts, own_folder):
    own_folder.mkdir(parents=True)
    path = own_folder / "provenance.pem"
    path.write_text("perhaps a key")
    result = make(jen1, "a.wav")
    assert result.err.count("warning: ") == 1
    assert "serves this run alone" in result.err
    assert "has no private key" in result.err
    assert path.read_text() == "perhaps a key"
    assert facts("a.wav")["c2pa"]["state"] == "valid"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_place_of_the_own_certificate_is_followed(
    own_folder, tmp_path, there, monkeypatch
):
    own_folder.mkdir(parents=True)
    path, target = own_folder / "provenance.pem", tmp_path / "kept.pem"
    path.symlink_to(target)
    if there:
        target.write_text(expired(monkeypatch))
    chain = provenance.own_credentials().chain
    assert path.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert provenance.read_credentials(target).chain == chain


def test_a_link_into_no_folder_is_kept(own_folder, tmp_path, caplog):
    own_folder.mkdir(parents=True)
    path = own_folder / "provenance.pem"
    path.symlink_to(tmp_path / "gone" / "kept.pem")
    assert "CERTIFICATE" in provenance.own_credentials().chain
    assert path.is_symlink()
    assert "serves this run alone" in caplog.text


def test_another_certificate_cannot_pass_for_the_own_one(jen1, model, facts, pem, own_folder):
    """The same names and the same issuer's name, and yet another key."""
    make(jen1, "mine.wav")
    make(jen1, "theirs.wav", "--certificate", pem("key", "signer", "issuer"))
    mine, theirs = facts("mine.wav")["c2pa"], facts("theirs.wav")["c2pa"]
    assert mine["signer"] == theirs["signer"]
    assert (mine["state"], theirs["state"]) == ("valid", "valid")
    assert (mine["self_made"], theirs["self_made"]) == (True, False)
    assert "the self-made one in your folder" in jen1("info", "mine.wav").out
    shown = jen1("info", "theirs.wav").out
    assert "self-made one" not in shown
    assert "nobody vouches for its name" in shown
    (own_folder / "provenance.pem").unlink()
    assert facts("mine.wav")["c2pa"]["self_made"] is False
    assert not own_folder.joinpath("provenance.pem").exists()  # looking makes none


def test_a_name_in_a_certificate_stays_between_its_quotation_marks(jen1, model, pem, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "SELF_MADE", 'Me"\n  certificate    the self-made one in your')
        path = pem("key", "signer", "issuer")
    make(jen1, "a.wav", "--certificate", path)
    assert '"Me\\" certificate the self-made one in your"\n' in jen1("info", "a.wav").out


def expired(monkeypatch, organisation=certificates.SELF_MADE):
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "SELF_MADE", organisation)
        patch.setattr(certificates, "_DAYS", -1)
        patch.setattr(certificates, "_EARLIER", datetime.timedelta(days=2))
        return certificates._make()


@pytest.mark.parametrize("organisation", [certificates.SELF_MADE, "Studio"])
def test_of_expired_certificates_the_self_made_one_is_replaced(
    own_folder, monkeypatch, organisation
):
    own_folder.mkdir(parents=True)
    path = own_folder / "provenance.pem"
    path.write_text(expired(monkeypatch, organisation))
    before = path.read_bytes()
    chain = provenance.own_credentials().chain
    if organisation == certificates.SELF_MADE:
        assert provenance.read_credentials(path).chain == chain
    else:
        assert path.read_bytes() == before
        assert "CERTIFICATE" in chain


def test_a_folder_of_settings_that_must_not_be_searched(own_folder, monkeypatch, caplog):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        patch.setattr(Path, "open", refuse)
        assert "CERTIFICATE" in provenance.own_credentials().chain
    assert "serves this run alone" in caplog.text
    assert not own_folder.exists()


def test_without_a_home_folder_nothing_is_written(tmp_path, monkeypatch, caplog):
    import platformdirs

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda name: Path("~/.config") / name)
    assert "CERTIFICATE" in provenance.own_credentials().chain
    assert "no home folder" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def pem(tmp_path):
    """Write a PEM file of these parts of new credentials: key, signer, issuer."""

    def write(*parts, made=None):
        key, _, rest = (made or certificates._make()).partition("-----BEGIN CERTIFICATE-----")
        leaf, root = rest.split("-----BEGIN CERTIFICATE-----")
        begin = "-----BEGIN CERTIFICATE-----"
        found = {"key": key, "signer": begin + leaf, "issuer": begin + root}
        path = tmp_path / "mine.pem"
        path.write_text("".join(found[part] for part in parts))
        return path

    return write


def test_the_users_certificate_signs(jen1, model, facts, pem, monkeypatch, own_folder):
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "SELF_MADE", "Studio \x1b[31m Example")
        path = pem("signer", "key", "issuer")
    make(jen1, "a.wav", "--certificate", path)
    manifest = facts("a.wav")["c2pa"]
    assert (manifest["signer"], manifest["self_made"]) == ("Studio \x1b[31m Example", False)
    assert "Studio \\x1b[31m Example" in jen1("info", "a.wav").out
    assert not own_folder.exists()
    monkeypatch.setenv("JEN1_CERTIFICATE", str(path))
    make(jen1, "b.wav")
    assert facts("b.wav")["c2pa"]["signer"] == "Studio \x1b[31m Example"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (["key"], "cannot be parsed"),
        (["signer", "issuer"], "has no private key"),
        (["key", "issuer"], "is not that of its first certificate"),
        ([], "has no private key"),
    ],
)
def test_a_certificate_that_is_incomplete(refused, pem, parts, words):
    result = refused("generate", "lofi", "-o", "a.wav", "--certificate", pem(*parts))
    assert words in result.err


def test_a_certificate_that_is_missing(refused):
    command = ("generate", "a", "-o", "a.wav", "--certificate")
    assert "cannot be read: No" in refused(*command, "no.pem").err
    assert "cannot be read: Is a dir" in refused(*command, ".").err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_a_certificate(refused, own_folder):
    os.mkfifo("pipe.pem")
    result = refused("generate", "a", "-o", "a.wav", "--certificate", "pipe.pem")
    assert "pipe.pem is no regular file; give a PEM file" in result.err
    own_folder.mkdir(parents=True)
    os.mkfifo(own_folder / "provenance.pem")
    assert provenance.own_credentials().algorithm == "es256"
    assert certificates.own_issuer() is None


def test_a_certificate_that_has_expired(refused, pem, monkeypatch):
    path = pem("key", "signer", "issuer", made=expired(monkeypatch))
    assert "expired on" in refused("generate", "a", "-o", "a.wav", "--certificate", path).err


def test_an_encrypted_key(pem):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    path = pem("signer")
    path.write_bytes(path.read_bytes() + secret)
    with pytest.raises(Jen1Error, match="is encrypted"):
        provenance.read_credentials(path)


def test_a_certificate_that_c2pa_refuses_is_found_before_the_model_loads(refused, pem, monkeypatch):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    alone = certificates._certificate(key, key, is_root=True)
    path = pem()
    path.write_bytes(
        alone.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    result = refused("generate", "a", "-o", "a.wav", "--certificate", path)
    assert "C2PA does not take the" in result.err


def signed_by(key, issuer, name="Studio", purposes=None, **usages):
    """Issue a certificate that may break the rules of C2PA; return PEM with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    names = [
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])
        for text in (name, "Authority")
    ]
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    usage |= {"digital_signature": True, **usages}
    now = datetime.datetime.now(datetime.UTC)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    certificate = (
        x509.CertificateBuilder(names[1], names[0], key.public_key(), 7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(authority, critical=False)
        .add_extension(
            x509.ExtendedKeyUsage(purposes or [ExtendedKeyUsageOID.EMAIL_PROTECTION]),
            critical=False,
        )
        .sign(issuer, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def test_why_a_certificate_is_refused_is_said_in_plain_words(refused, tmp_path):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key, issuer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    small = rsa.generate_private_key(65_537, 1024)
    other = ec.generate_private_key(ec.SECP256K1())
    purpose = [ExtendedKeyUsageOID.SERVER_AUTH]
    path = tmp_path / "mine.pem"
    for made, words in (
        (signed_by(key, issuer, purposes=purpose), "extended key usage lacks one that C2PA takes"),
        (signed_by(key, issuer, digital_signature=False), "key usage lacks digital signatures"),
        (signed_by(key, key, "Authority", purposes=purpose), "its extended key usage lacks one"),
        (signed_by(small, issuer), "has 1024 bits; C2PA takes 2048 or more"),
        (signed_by(other, issuer), "a key that C2PA does not take (secp256k1)"),
    ):
        path.write_bytes(made)
        result = refused("generate", "a", "-o", "a.wav", "--certificate", path)
        assert words in result.err
        assert "Signature:" not in result.err


# --- what a file of somebody else does ---


def test_a_file_that_names_a_manifest_elsewhere_starts_no_connection(tmp_path, tone, facts):
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        audio.write(tmp_path / "a.wav", tone(0.2), 48_000)
        info = c2pa.C2paSignerInfo(*(text.encode() for text in _credentials()), None)
        created = {"actions": [{"action": "c2pa.created", "digitalSourceType": ""}]}
        assertions = [{"label": "c2pa.actions.v2", "data": created}]
        with c2pa.Builder(
            {"claim_generator_info": [{"name": "x"}], "assertions": assertions}
        ) as builder:
            builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest.c2pa")
            builder.set_no_embed()
            with (
                c2pa.Signer.from_info(info) as signer,
                (tmp_path / "a.wav").open("rb") as old,
                (tmp_path / "b.wav").open("w+b") as new,
            ):
                builder.sign(signer, "audio/wav", old, new)
        assert b"manifest.c2pa" in (tmp_path / "b.wav").read_bytes()
        found = facts(tmp_path / "b.wav")
        forced = provenance.describe_manifest(tmp_path / "b.wav", "WAV")
        server.shutdown()
    assert found["c2pa"] is None
    assert forced["state"] == "unverified"
    assert asked == []


def _credentials():
    mine = provenance.own_credentials()
    return mine.algorithm, mine.chain, mine.key


EXAMPLE = Path(__file__).parents[2] / "examples" / "generated" / "lofi-piano.ogg"


def test_info_finds_the_watermark_in_the_sound(jen1):
    sound, rate = soundfile.read(EXAMPLE, frames=48_000)
    soundfile.write("second.wav", sound, rate)
    result = jen1("info", "--watermark", "second.wav")
    assert re.search(r"of jen1-mini's decoder, in 0-1 s \(strength [1-9]\d", result.out)
    assert "watermark" not in json.loads(jen1("info", "--json", "second.wav").out)


@pytest.mark.heavy
def test_info_finds_the_watermark_in_a_whole_piece(jen1):
    facts = json.loads(jen1("info", "--json", "--watermark", str(EXAMPLE)).out)["watermark"]
    assert facts["found"]
    assert facts["key"] is None
    assert facts["strength"] > 8
    assert facts["passages"] == [[0, facts["passages"][-1][1]]]
    assert "of jen1-mini's decoder, in 0-" in jen1("info", "--watermark", str(EXAMPLE)).out


def test_info_finds_no_watermark_where_there_is_none(jen1):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (44_100, 2))
    soundfile.write("noise.wav", noise, 44_100)
    facts = json.loads(jen1("info", "--json", "--watermark", "noise.wav").out)["watermark"]
    assert (facts["found"], facts["key"], facts["passages"]) == (False, None, [])
    assert facts["strength"] < 8


def test_a_short_watermark_key_is_one_line(jen1, monkeypatch):
    monkeypatch.setenv("JEN1_WATERMARK_KEY", "short")
    result = jen1("info", "--watermark", str(EXAMPLE))
    assert result.code == 1
    assert "JEN1_WATERMARK_KEY has 5 characters; a key needs 16 or more" in result.err
