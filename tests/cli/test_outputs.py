"""Where results go, under which names, and what they say of themselves."""

import io
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from jen1cli import audio
from jen1cli.cli import outputs
from jen1cli.cli.outputs import Result, plan_outputs, slugify
from jen1cli.errors import ConfigError
from jen1cli.folders import AUDIO_SUFFIXES

TWO = [Result("lofi-piano", 7, 1), Result("lofi-piano", 8, 2)]


def plan(output, results=TWO, **more):
    targets = plan_outputs(
        output, results, default_name="{slug}-{seed}.{ext}", extension="wav", **more
    )
    return [str(target.path) for target in targets]


def heavy(*case):
    return pytest.param(*case, marks=pytest.mark.heavy)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    (tmp_path / "takes").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, ["lofi-piano-7.wav", "lofi-piano-8.wav"]),
        ("takes", ["takes/lofi-piano-7.wav", "takes/lofi-piano-8.wav"]),
        ("takes/", ["takes/lofi-piano-7.wav", "takes/lofi-piano-8.wav"]),
        ("out.flac", ["out-1.flac", "out-2.flac"]),
        ("takes/{slug}_{index:02d}.{ext}", ["takes/lofi-piano_01.wav", "takes/lofi-piano_02.wav"]),
        ("{seed}.mp3", ["7.mp3", "8.mp3"]),
        ("a.b.{ext}", ["a.b-1.wav", "a.b-2.wav"]),
        ("brace{{s}}.wav", ["brace{s}-1.wav", "brace{s}-2.wav"]),
    ],
)
def test_names(output, expected):
    assert plan(output) == expected


def test_format_decides_where_the_name_does_not():
    assert plan(None, format_name="flac")[0] == "lofi-piano-7.flac"
    assert plan("takes", format_name="OPUS")[0] == "takes/lofi-piano-7.opus"
    assert plan("song", TWO[:1], format_name="ogg") == ["song"]
    assert plan("song.AIF", TWO[:1], format_name="aiff") == ["song.AIF"]


@pytest.mark.parametrize(
    ("output", "more", "words"),
    [
        ("{index}/song", {}, "no extension; write {index}/song.wav, or {index}/song/ for a folder"),
        ("song.xyz", {}, "unknown format 'xyz'; known: wav, flac"),
        ("song.wav", {"format_name": "flac"}, "names wav but --format says flac"),
        (None, {"format_name": "m4a"}, "--format asks for the unknown format 'm4a'"),
        ("{sluug}.wav", {}, "unknown field '{sluug}'; known: {slug}"),
        ("{seed.real}.wav", {}, "unknown field '{seed.real}'"),
        ("{seed.wav", {}, "is no template"),
        ("{slug:d}.wav", {}, "cannot be filled in"),
        ("{slug}.wav", {}, "two results would both be lofi-piano.wav"),
        ("-", {}, "-o - takes one result but 2 were asked for"),
        ("", {}, "-o is empty"),
        ("nowhere/out.wav", {}, "output folder nowhere does not exist; create it: mkdir -p"),
        ("nowhere/takes/", {}, "output folder nowhere does not exist"),
        ("{seed:>99999999999}.wav", {}, "cannot be filled in"),
        ("note.txt/out.wav", {}, "note.txt is a file"),
        ("exists-{index}.wav", {}, "exists-2.wav exists; use --force"),
        ("full-{index}.wav", {}, "full-1.wav is a folder"),
        ("/proc/out.wav", {}, "nothing can be written to /proc"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(output, more, words):
    Path("note.txt").touch()
    Path("exists-2.wav").touch()
    Path("full-1.wav").mkdir()
    before = sorted(Path().rglob("*"))
    with pytest.raises(ConfigError) as caught:
        plan(output, **more)
    assert words in str(caught.value)
    assert sorted(Path().rglob("*")) == before


def test_a_folder_that_is_not_there_is_created_with_the_results():
    assert plan("new/") == ["new/lofi-piano-7.wav", "new/lofi-piano-8.wav"]
    assert plan("new") == plan("new/")
    assert plan("new/", TWO[:1]) == ["new/lofi-piano-7.wav"]
    assert plan("take", format_name="wav", results=TWO) == ["take-1", "take-2"]
    with pytest.raises(ConfigError, match=r"no extension; write take.wav, or take/ for a folder"):
        plan("take", TWO[:1])
    assert not Path("new").exists()


def test_a_tree_of_inputs_goes_into_a_folder_alone():
    results = [Result("a", None, 1, Path("x")), Result("b", None, 2, Path("x"))]
    with pytest.raises(ConfigError, match="one file for a tree of inputs"):
        plan_outputs("out.wav", results, default_name="{slug}.{ext}", extension="wav")


def test_force_takes_a_file_that_exists():
    Path("exists.wav").touch()
    assert plan("exists.wav", TWO[:1], force=True) == ["exists.wav"]


def test_the_tree_of_the_inputs_is_kept():
    results = [Result("a", None, 1, Path("x/y")), Result("a", None, 2, Path("x"))]
    targets = plan_outputs("takes", results, default_name="{slug}.{ext}", extension="wav")
    assert [str(target.path) for target in targets] == ["takes/x/y/a.wav", "takes/x/a.wav"]


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("Lofi piano", "lofi-piano"),
        ("  Drum & Bass, 174 BPM!  ", "drum-bass-174-bpm"),
        ("../../etc/passwd", "etc-passwd"),
        ("café del mar", "café-del-mar"),
        ("…", "music"),
        ("a" * 200, "a" * 48),
        ("slow " * 40, "slow-slow-slow-slow-slow-slow-slow-slow-slow"),
    ],
)
def test_slugs(prompt, slug):
    assert slugify(prompt) == slug
    assert len(slugify(prompt).encode()) <= 200


def test_formats_are_those_of_the_library():
    assert {f".{name}" for name in outputs.FORMATS} <= set(audio.OUTPUT_SUFFIXES)
    assert set(audio.OUTPUT_SUFFIXES) <= set(AUDIO_SUFFIXES)


def test_several_results_go_into_a_folder_that_is_made_for_them(jen1, model):
    result = jen1("generate", "lofi", "techno", "-s", "0.1", "--seed", "1", "-o", "new")
    assert result.out.split() == ["new/lofi-1.wav", "new/techno-2.wav"], result.err
    assert soundfile.info("new/techno-2.wav").samplerate == 48_000


def test_default_name_is_printed_and_nothing_else_on_stdout(jen1, model):
    result = jen1("generate", "lofi piano", "-s", "0.1")
    assert result.code == 0
    (name,) = result.out.split()
    seed = model.calls[0][1]["seed"]
    assert name == f"lofi-piano-{seed}.wav"
    assert f"seed {seed}" in result.err
    assert soundfile.info(name).samplerate == 48_000


def test_two_drawn_seeds_differ(jen1, model):
    jen1("generate", "lofi", "-s", "0.1")
    jen1("generate", "lofi", "-s", "0.1")
    assert model.calls[0][1]["seed"] != model.calls[1][1]["seed"]


def test_quiet_says_only_the_result(jen1, model):
    result = jen1("generate", "lofi", "-s", "0.1", "--quiet", "-o", "a.wav", "--random-weights")
    assert (result.out, result.err) == ("a.wav\n", "")


def test_random_weights_are_told(jen1, model):
    result = jen1("generate", "lofi", "-s", "0.1", "--random-weights", "--json")
    assert "jen1: warning: preset 'mini' has random weights" in result.err
    assert "random weights" in json.loads(result.out)["warnings"][0]


def test_json_has_path_seed_seconds_and_settings(jen1, model):
    result = jen1("generate", "lofi", "-s", "0.1", "--seed", "3", "--steps", "4", "--json")
    facts = json.loads(result.out)
    assert facts["path"] == "lofi-3.wav"
    assert facts["seed"] == 3
    assert facts["seconds"] == 0.1
    assert facts["settings"]["steps"] == 4
    assert facts["settings"]["prompt"] == "lofi"
    assert facts["settings"]["model"] == {
        "name": "jen1-mini", "sha256": "f" * 64, "loras": [],
    }  # fmt: skip


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "opus", "mp3", "aiff"])
def test_every_format_is_written_with_its_recipe(jen1, model, extension):
    result = jen1("generate", "lofi piano", "-s", "0.5", "--seed", "3", "-o", f"a.{extension}")
    assert result.code == 0, result.err
    facts = json.loads(jen1("info", f"a.{extension}", "--json").out)
    assert facts["recipe"]["prompt"] == "lofi piano"
    assert facts["recipe"]["seed"] == 3
    assert facts["channels"] == 2


def test_an_edit_keeps_the_format_of_its_input(jen1, model, take):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (44_100, 1))
    soundfile.write("mono.flac", noise, 44_100, subtype="PCM_24")
    result = jen1("inpaint", "mono.flac", "--mask", "0.2-0.4", "--seed", "1")
    assert result.out == "mono-inpaint-1.flac\n"
    info = soundfile.info("mono-inpaint-1.flac")
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 1, "PCM_24")
    result = jen1("continue", "mono.flac", "-s", "0.5", "--seed", "1", "-o", "longer.wav")
    info = soundfile.info("longer.wav")
    assert (info.frames, info.subtype) == (44_100 + 22_050, "PCM_24")


@pytest.mark.parametrize("command", [["inpaint", "--mask", "0.5-1s"], ["continue", "-s", "0.5"]])
@pytest.mark.parametrize(
    ("output", "identical"), [("o.wav", True), ("o.flac", True), ("o.mp3", False)]
)
def test_an_edit_proves_that_the_rest_is_unchanged(jen1, model, take, command, output, identical):
    result = jen1(command[0], take, *command[1:], "-o", output, "--json", "--seed", "1")
    assert result.code == 0, result.err
    unchanged = json.loads(result.out)["unchanged"]
    assert unchanged["identical"] is identical
    assert unchanged["samples"] == (72_000 if command[0] == "inpaint" else 96_000)
    assert len(unchanged["sha256"]) == 64


def test_before_is_proved_too(jen1, model, take):
    result = jen1("continue", take, "--before", "-s", "0.5", "-o", "o.flac", "--json")
    assert json.loads(result.out)["unchanged"]["identical"] is True


def test_an_input_can_be_replaced_by_its_edit(jen1, model, take):
    before, _ = soundfile.read(take, dtype="int16")
    result = jen1("inpaint", take, "--mask", "0.5-1s", "-o", take, "--force", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["unchanged"]["identical"] is True
    after, _ = soundfile.read(take, dtype="int16")
    assert (after[:24_000] == before[:24_000]).all()
    assert (after[24_000:48_000] != before[24_000:48_000]).any()


def test_a_lossy_output_of_an_edit_says_so(jen1, model, take):
    result = jen1("inpaint", take, "--mask", "0.5-1s", "-o", "o.mp3")
    assert "the mp3 encoding rounded or changed samples" in result.err


def test_a_latent_file_may_say_what_it_is(jen1, model, take):
    assert jen1("encode", take, "-o", "take.latent").out == "take.latent\n"
    assert json.loads(jen1("info", "take.latent", "--json").out)["frames"] == 20
    assert jen1("decode", "take.latent").out == "take-decoded.wav\n"
    refused = jen1("encode", take, "-o", "take.wav", "--force")
    assert "-o take.wav asks for the unknown format 'wav'; known: safetensors" in refused.err


def test_parts_of_encode_write_the_files_of_one_run(jen1, model, take):
    for name in ("a", "b", "c"):
        Path("album").mkdir(exist_ok=True)
        Path(f"album/{name}.wav").write_bytes(take.read_bytes())
    Path("album/broken.wav").write_bytes(b"RIFF")
    assert jen1("encode", "album", "-o", "whole").code == 1
    results = [jen1("encode", "album", "-o", "parts", "--shard", f"{k}/2") for k in (1, 0)]
    assert sorted(result.code for result in results) == [0, 1]
    written, whole = (sorted(Path(n).rglob("*.safetensors")) for n in ("parts", "whole"))
    assert [path.name for path in written] == ["a.safetensors", "b.safetensors", "c.safetensors"]
    for one, other in zip(written, whole, strict=True):
        assert one.name == other.name
        assert torch.equal(load_file(one)["latent"], load_file(other)["latent"])
    place = next(Path("parts").rglob("b.safetensors"))
    place.unlink()
    again = [jen1("encode", "album", "-o", "parts", "--shard", f"{k}/2").out for k in (0, 1)]
    assert "".join(again).split() == [str(place)], "only what is missing"


def test_encode_and_decode_keep_the_tree(jen1, model, take):
    Path("album/disc one").mkdir(parents=True)
    for name in ("album/a.wav", "album/disc one/b.wav"):
        Path(name).write_bytes(take.read_bytes())
    Path("album/cover.txt").write_text("not audio")
    Path("latents").mkdir()
    result = jen1("encode", "album", "-o", "latents")
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "latents/a.safetensors", "latents/disc one/b.safetensors",
    ]  # fmt: skip
    Path("back").mkdir()
    result = jen1("decode", "latents/", "-o", "back/", "--format", "flac")
    assert result.out.splitlines() == ["back/a.flac", "back/disc one/b.flac"]
    assert soundfile.info("back/disc one/b.flac").frames == 96_000


@pytest.mark.parametrize(
    ("output", "more", "expected"),
    [
        ("take.v2", {"format_name": "wav"}, ("take.v2", "wav")),
        ("take.v2", {"format_name": "mp3", "force": True}, ("take.v2", "mp3")),
        ("{slug}.{index}", {"format_name": "flac"}, ("lofi-piano.1", "flac")),
        ("takes/{seed}", {"format_name": "ogg"}, ("takes/7", "ogg")),
        ("song.FLAC", {}, ("song.FLAC", "flac")),
    ],
)
def test_the_format_is_settled_with_the_name(output, more, expected):
    (target,) = plan_outputs(
        output, TWO[:1], default_name="{slug}.{ext}", extension="wav", **more
    )  # fmt: skip
    assert (str(target.path), target.extension) == expected
    assert target.overwrite is more.get("force", False)


def test_a_dot_in_a_folder_is_no_extension():
    Path("mixes.d").mkdir()
    assert plan("mixes.d/song", format_name="wav") == ["mixes.d/song-1", "mixes.d/song-2"]
    assert plan("take.v2", format_name="wav") == ["take-1.v2", "take-2.v2"]


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("song", "wav"), ("take.v2", "mp3"), heavy("take.v2", "flac"), heavy("{slug}", "ogg"),
        heavy("song", "opus"), ("{slug}", "aiff"),
    ],
)  # fmt: skip
def test_a_name_without_a_known_extension_is_written_in_the_format_asked_for(
    jen1, model, name, extension
):
    jen1("generate", "lofi", "-s", "1", "-o", "take.wav")
    jen1("encode", "take.wav")
    for command in (
        ["generate", "lofi", "-s", "0.5"],
        ["inpaint", "take.wav", "--mask", "0.2-0.4"],
        ["continue", "take.wav", "-s", "0.5"],
        ["decode", "take.safetensors"],
    ):
        result = jen1(*command, "-o", name, "--format", extension, "--json")
        assert result.code == 0, result.err
        path = Path(json.loads(result.out)["path"])
        info = soundfile.info(path)
        kept = outputs.FORMATS[extension]
        assert kept in (info.format.lower(), info.subtype.lower(), info.format.lower()[:3])
        path.unlink()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("song", "no extension"),
        ("take.v2", "unknown format 'v2'"),
        ("{takes}/x.wav", "a brace that belongs to a name is written twice: {{takes}}"),
        ("a" * 300 + ".wav", "File name too long"),
        ("circle", "is a link that leads in a circle"),
        ("out.wav", "nowhere does not exist"),
        ("there.wav", "exists; use --force"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_name_that_cannot_be_is_refused_before_anything_is_made(refused, output, words):
    Path("circle").symlink_to("circle")
    Path("out.wav").symlink_to("nowhere/out.wav")
    Path("real.wav").write_text("mine")
    Path("there.wav").symlink_to("real.wav")
    more = ["--format", "wav"] if output == "circle" else []
    assert words in refused("generate", "lofi", "-o", output, *more).err


@pytest.mark.skipif(os.name == "nt", reason="needs links and modes")
def test_a_replaced_file_keeps_its_link_and_its_mode(jen1, model):
    Path("real.wav").write_text("old")
    Path("real.wav").chmod(0o640)
    Path("link.wav").symlink_to("real.wav")
    assert jen1("generate", "lofi", "-s", "0.1", "-o", "link.wav", "--force").code == 0
    assert Path("link.wav").is_symlink()
    assert soundfile.info("real.wav").samplerate == 48_000
    assert Path("real.wav").stat().st_mode & 0o777 == 0o640


def test_a_file_that_appears_during_the_run_is_kept(jen1, model, monkeypatch):
    def appear(*arguments, **options):
        Path("a.wav").write_text("somebody else's")
        return made(*arguments, **options)

    made = model.generate_batch
    monkeypatch.setattr(model, "generate_batch", appear)
    result = jen1("generate", "lofi", "-s", "0.1", "-o", "a.wav")
    assert result.code == 1
    assert "a.wav exists; use --force" in result.err
    assert result.out == ""
    assert Path("a.wav").read_text() == "somebody else's"
    assert os.listdir() == ["a.wav"]
    assert jen1("generate", "lofi", "-s", "0.1", "-o", "a.wav", "--force").code == 0
    assert soundfile.info("a.wav").samplerate == 48_000


@pytest.mark.skipif(os.name == "nt", reason="needs devices")
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_devices_and_fifos_are_written_to(jen1, model, take, force):
    os.mkfifo("pipe")
    os.mkfifo("pipe.flac")
    for output, format_ in (("pipe", "WAV"), ("pipe.flac", "FLAC")):
        read = []
        reader = threading.Thread(target=lambda o=output, r=read: r.append(Path(o).read_bytes()))
        reader.start()
        result = jen1("inpaint", take.name, "--mask", "1-2s", "-o", output, "--json", *force)
        reader.join()
        assert result.code == 0, result.err
        assert json.loads(result.out)["unchanged"]["identical"]
        assert soundfile.info(io.BytesIO(read[0])).format == format_
        assert Path(output).is_fifo()
    assert jen1("generate", "lofi", "-s", "0.1", "-o", "/dev/null", *force).code == 0
    assert Path("/dev/null").is_char_device()
    if Path("/dev/full").exists():
        result = jen1("generate", "lofi", "-s", "0.1", "-o", "/dev/full", *force)
        assert result.code == 1
        assert "cannot write /dev/full: No space left on device" in result.err
    assert sorted(os.listdir()) == ["pipe", "pipe.flac", "take.wav"]


def test_files_that_differ_in_their_ending_alone_keep_it(jen1, model, tone):
    Path("in/deep").mkdir(parents=True)
    for name in ("a.wav", "a.flac", "b.wav", "deep/a.wav"):
        audio.write(Path("in") / name, tone(0.5), 48_000)
    result = jen1("encode", "in", "-o", "out/")
    assert result.code == 0, result.err
    found = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.*"))
    assert found == [
        "a.flac.safetensors", "a.wav.safetensors", "b.safetensors", "deep/a.safetensors",
    ]  # fmt: skip
    Path("out/b.safetensors").rename("out/a.latent")
    Path("out/a.wav.safetensors").rename("out/a.safetensors")
    Path("back").mkdir()
    result = jen1("decode", "out", "-o", "back/")
    assert result.code == 0, result.err
    found = sorted(path.relative_to("back").as_posix() for path in Path("back").rglob("*.*"))
    assert found == ["a.flac.wav", "a.latent.wav", "a.safetensors.wav", "deep/a.wav"]


def test_two_inputs_of_one_name_are_still_told_apart_by_the_user(jen1, model, tone):
    for name in ("x", "y"):
        Path(name).mkdir()
        audio.write(Path(name) / "a.wav", tone(0.5), 48_000)
    assert "two results would both be a.safetensors" in jen1("encode", "x/a.wav", "y/a.wav").err
    result = jen1("encode", "x/a.wav", "y/a.wav", "-o", "{slug}-{index}.safetensors")
    assert result.out.split() == ["a-1.safetensors", "a-2.safetensors"]
