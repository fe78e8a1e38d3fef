"""Folders of music: manifests, users' folders with sidecars, tags and names, WebDataset shards."""

import dataclasses
import io
import json
import logging
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpus_support import write_audio
from jen1cli import audio
from jen1cli.descriptions import caption_from_name
from jen1cli.errors import DataError
from jen1cli.manifest import Clip, read_folder, write_manifest


@pytest.fixture
def skipped():
    return []


@pytest.fixture
def read(skipped):
    return lambda folder: read_folder(folder, on_skip=lambda path, why: skipped.append((path, why)))


def names(clips, folder):
    return [clip.path.relative_to(folder).as_posix() for clip in clips]


def test_mixed_folder_is_read_in_a_stable_order(tmp_path, read, skipped):
    files = ["b/two.wav", "a.flac", "b/one.ogg", "c.mp3", "B.aiff", "ä.wav"]
    for name in files:
        write_audio(tmp_path / name, 0.25)
    (tmp_path / "notes.pdf").write_bytes(b"no music")
    write_audio(tmp_path / ".hidden.wav")
    write_audio(tmp_path / ".cache" / "also.wav")
    clips = read(tmp_path)
    assert names(clips, tmp_path) == [
        "B.aiff",
        "a.flac",
        "b/one.ogg",
        "b/two.wav",
        "c.mp3",
        "ä.wav",
    ]
    assert clips == read(tmp_path)
    assert all(clip.path.is_absolute() for clip in clips)
    assert all(clip.seconds == pytest.approx(0.25, abs=0.08) for clip in clips)
    assert not skipped


def test_captions_come_from_the_sidecar_first(tmp_path, read):
    write_audio(tmp_path / "song.wav", title="a title")
    (tmp_path / "song.txt").write_text("slow blues\n\n  a sad   guitar \n", encoding="utf-8-sig")
    write_audio(tmp_path / "other.wav")
    (tmp_path / "other.json").write_text(
        json.dumps({"captions": ["one", "two"], "split": "test", "attributes": {"bpm": 90}})
    )
    write_audio(tmp_path / "third.wav")
    (tmp_path / "third.wav.json").write_text(json.dumps({"description": "a third one"}))
    other, song, third = read(tmp_path)
    assert song.captions == ("slow blues", "a sad guitar")
    assert other.captions == ("one", "two")
    assert (other.split, other.attributes) == ("test", {"bpm": 90})
    assert third.captions == ("a third one",)


def test_captions_come_from_tags_next(tmp_path, read):
    tags = {"title": "Rain", "artist": "Ana", "genre": "Ambient", "comment": "soft and slow"}
    write_audio(tmp_path / "x.flac", **tags)
    recipe = json.dumps({"prompt": "lofi piano", "seed": 7})
    write_audio(tmp_path / "y.flac", title="lofi piano", comment=recipe)
    write_audio(tmp_path / "z.flac", artist="nobody", comment="{broken")
    x, y, z = read(tmp_path)
    assert x.captions == ("Ambient, Rain by Ana", "soft and slow")
    assert y.captions == ("lofi piano",)
    assert z.captions == ("z",)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg", "opus", "mp3"])
@pytest.mark.parametrize("length", [pytest.param(1, marks=pytest.mark.heavy), 5_000])
def test_files_of_our_own_are_captioned_by_their_prompt(tmp_path, read, tone, suffix, length):
    """In every format, however long the recipe, and for edits without a prompt of their own."""
    prompt = "lofi piano " * length
    made = {"generator": "jen1cli", "prompt": prompt}
    recipes = {
        "made": made,
        "mended": {"generator": "jen1cli", "prompt": "", "input": {"recipe": made}},
        "drawn": {"generator": "jen1cli", "prompt": "", "input": None},
    }
    for name, recipe in recipes.items():
        path = tmp_path / f"{name}.{suffix}"
        note = json.dumps(recipe)
        audio.write(path, tone(0.3), 48_000, recipe=note, tags=audio.GENERATED_TAGS)
    captions = {clip.path.stem: clip.captions for clip in read(tmp_path)}
    expected = prompt.strip()
    assert captions == {"made": (expected,), "mended": (expected,), "drawn": ("drawn",)}


def test_files_of_our_own_in_shards_are_captioned_by_their_prompt(tmp_path, read, tone):
    audio.write(tmp_path / "a.wav", tone(0.3), 48_000, recipe='{"prompt":"slow blues"}')
    with tarfile.open(tmp_path / "train-0.tar", "w") as tar:
        tar.add(tmp_path / "a.wav", "song1.wav")
    (tmp_path / "a.wav").unlink()
    assert [clip.captions for clip in read(tmp_path)] == [("slow blues",)]


def test_lengths_that_no_header_tells_are_found_and_joined_files_skipped(
    tmp_path, read, skipped, tone
):
    audio.write(tmp_path / "piped.flac", tone(0.5), 48_000)
    data = bytearray((tmp_path / "piped.flac").read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    (tmp_path / "piped.flac").write_bytes(data)
    audio.write(tmp_path / "joined.ogg", tone(0.5), 48_000)
    (tmp_path / "joined.ogg").write_bytes(2 * (tmp_path / "joined.ogg").read_bytes())
    assert [(clip.path.name, clip.seconds) for clip in read(tmp_path)] == [("piped.flac", 0.5)]
    assert [path.name for path, _ in skipped] == ["joined.ogg"]
    assert "more than one recording" in skipped[0][1]


@pytest.mark.parametrize(
    ("stem", "words"),
    [
        ("03_Slow-Blues (take 2)", "Slow Blues take 2"),
        ("lofi.piano", "lofi piano"),
        ("808 beat", "808 beat"),
        ("1999", "1999"),
        ("___", "___"),
    ],
)
def test_names_become_words(stem, words):
    assert caption_from_name(stem) == words


def test_broken_files_are_named_and_the_rest_is_used(tmp_path, read, skipped):
    write_audio(tmp_path / "good.wav")
    (tmp_path / "text.wav").write_text("this is no audio")
    (tmp_path / "empty.flac").write_bytes(b"")
    cut = write_audio(tmp_path / "cut.flac", 3.0, 48_000)
    cut.write_bytes(cut.read_bytes()[:3000])
    soundfile.write(tmp_path / "nothing.wav", np.zeros((0, 1)), 8000)
    (tmp_path / "good.json").write_text("{not json")
    clips = read(tmp_path)
    assert names(clips, tmp_path) == ["good.wav"]
    reasons = {path.name: why for path, why in skipped}
    assert set(reasons) == {"text.wav", "empty.flac", "cut.flac", "nothing.wav", "good.json"}
    assert reasons["nothing.wav"] == "no samples in it"
    assert reasons["empty.flac"] == "empty (0 bytes)"
    assert "is cut short: its header promises" in reasons["cut.flac"]
    assert reasons["text.wav"].startswith("is not audio")


def test_skipping_is_never_silent(tmp_path, caplog):
    write_audio(tmp_path / "good.wav")
    (tmp_path / "bad.wav").write_text("x")
    with caplog.at_level(logging.WARNING, "jen1cli"):
        assert len(read_folder(tmp_path)) == 1
    assert "bad.wav" in caplog.text


def test_folders_without_music_are_refused(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no audio in"):
        read_folder(tmp_path)
    (tmp_path / "bad.wav").write_text("x")
    with pytest.raises(DataError, match=r"1 skipped, first 'bad\.wav'"):
        read_folder(tmp_path, on_skip=lambda path, why: None)


def test_split_depends_on_the_name_alone(tmp_path, read):
    for number in range(120):
        write_audio(tmp_path / f"{number}.wav", 0.01, 8000)
    first = {clip.path.name: clip.split for clip in read(tmp_path)}
    assert set(first.values()) == {"train", "validation", "test"}
    assert 0.8 < list(first.values()).count("train") / 120 < 0.97
    for number in range(60):
        (tmp_path / f"{number}.wav").unlink()
    assert {clip.path.name: clip.split for clip in read(tmp_path)}.items() <= first.items()


def test_folders_may_name_the_split(tmp_path, read):
    for folder in ("train", "valid", "Test/deep"):
        write_audio(tmp_path / folder / "x.wav")
    assert [clip.split for clip in read(tmp_path)] == ["test", "train", "validation"]


def test_manifest_round_trip(tmp_path):
    write_audio(tmp_path / "a" / "x.wav", 0.5)
    write_audio(tmp_path / "y.wav", 0.5)
    clips = [
        Clip(tmp_path / "y.wav", ("é", "two"), 0.5, "test", {"style": "lofi", "bpm": 90.0}),
        Clip(tmp_path / "a" / "x.wav", ("x",), 0.5),
    ]
    path = write_manifest(tmp_path, clips)
    assert read_folder(tmp_path) == clips
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[1])["audio"] == "a/x.wav"
    assert not list(tmp_path.glob(".*"))


def test_a_manifest_is_written_of_clips_by_relative_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "set" / "x.wav", 0.5)
    clip = Clip(Path("set") / "x.wav", ("x",), 0.5)
    for folder in (Path("set"), tmp_path / "set"):
        path = write_manifest(folder, [clip])
        assert json.loads(path.read_text(encoding="utf-8"))["audio"] == "x.wav"


def test_short_manifests_are_completed(tmp_path, read, skipped):
    write_audio(tmp_path / "x.wav", 0.5)
    lines = ['{"audio": "x.wav", "caption": "hello"}', "", '{"audio": "gone.wav"}']
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines))
    (clip,) = read(tmp_path)
    assert clip.captions == ("hello",)
    assert clip.seconds == pytest.approx(0.5)
    assert [path.name for path, _ in skipped] == ["gone.wav"]


@pytest.mark.parametrize(
    ("line", "words"), [("{oops", "line 2 of .* is not JSON"), ('{"x": 1}', 'names no "audio"')]
)
def test_broken_manifests_are_refused_with_their_line(tmp_path, line, words):
    write_audio(tmp_path / "x.wav")
    (tmp_path / "manifest.jsonl").write_text('{"audio": "x.wav", "seconds": 1}\n' + line + "\n")
    with pytest.raises(DataError, match=words):
        read_folder(tmp_path)


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def test_shards_of_others_are_read(tmp_path, read, skipped):
    audio = write_audio(tmp_path / "source" / "x.flac", 0.5).read_bytes()
    with tarfile.open(tmp_path / "val-000.tar", "w") as tar:
        add(tar, "song1.flac", audio)
        add(tar, "song1.json", json.dumps({"caption": "one"}).encode())
        add(tar, "dir/song2.flac", audio)
        add(tar, "dir/song2.txt", b"two\nzwei\n")
        add(tar, "song3.flac", b"broken")
        add(tar, "song4.cls", b"7")
    (tmp_path / "broken.tar").write_bytes(b"x" * 700)
    (tmp_path / "source" / "x.flac").unlink()
    clips = read(tmp_path)
    assert [clip.captions for clip in clips] == [("one",), ("two", "zwei")]
    assert {clip.split for clip in clips} == {"validation"}
    for clip in clips:
        assert clip.source.read() == audio
        sound, rate = soundfile.read(clip.source)
        assert len(sound) / rate == pytest.approx(clip.seconds) == pytest.approx(0.5)
    assert sorted(path.name for path, _ in skipped) == ["broken.tar", "song3.flac"]


@pytest.mark.heavy
def test_torch_is_not_needed():
    import subprocess
    import sys

    code = "import sys, jen1cli.manifest; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def one_line(folder, line, read):
    write_audio(folder / "x.wav", 0.5)
    (folder / "manifest.jsonl").write_bytes(
        b'\xef\xbb\xbf{"audio": "x.wav", "seconds": 1}\n' + line
    )
    return read(folder)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('"attributes": {"bpm": "120"}', r"attributes\.bpm must be a number, not text \('120'\)"),
        ('"attributes": {"drums": "kick"}', r"attributes\.drums must be true or false, not text"),
        ('"attributes": {"moods": "calm"}', r"attributes\.moods must be a list, not text"),
        ('"attributes": [1]', "attributes must be an object, not a list"),
        ('"seconds": "3"', "seconds must be a number, not text"),
        ('"seconds": NaN', "has a number that is not finite in 'seconds'"),
        ('"seconds": 1e400', "has a number that is not finite in 'seconds'"),
        ('"seconds": -1', "seconds is -1.0, which no clip can have"),
        ('"split": "tset"', "split is 'tset', which is unknown; known: train, validation, test"),
        ('"split": ""', "split is '', which is unknown"),
        ('"split": 3', "split must be text, not a number"),
        ('"captions": [1]', "captions must be text or a list of texts, not a list"),
        ('"title": ["a"]', "title must be text, not a list"),
        ('"offset": -1', "offset is -1, which no clip can have"),
        ('"size": 1.5', r"size must be a whole number, not a number \(1\.5\)"),
        ('"audio": "y.wav"', "has the key 'audio' twice"),
    ],
)
def test_a_wrong_field_of_a_manifest_is_named(tmp_path, read, fields, words):
    line = '{"audio": "x.wav", ' + fields + "}\n"
    with pytest.raises(DataError, match=f"line 2 of .*manifest.jsonl:? {words}"):
        one_line(tmp_path, line.encode(), read)


@pytest.mark.parametrize("name", ["x.wav", "./x.wav", "link.wav"])
def test_a_clip_that_a_manifest_puts_into_two_splits_is_refused(tmp_path, read, name):
    folder = tmp_path / "music"
    folder.mkdir()
    for other in ("x.wav", "y.wav"):
        write_audio(folder / other)
    if name == "link.wav":
        (folder / name).symlink_to("x.wav")

    def write(split):
        lines = [{"audio": other, "split": "train"} for other in ("x.wav", "y.wav")]
        lines.append({"audio": name, "split": split})
        (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    write("train")
    assert len(list(read(folder))) == 3
    write("test")
    with pytest.raises(DataError, match=f"line 3 of .*: audio is '{name}', as in line 1 of"):
        read(folder)


def test_a_manifest_that_is_not_utf8_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"line 2 of .*manifest.jsonl is not UTF-8"):
        one_line(tmp_path, b'{"audio": "caf\xe9.wav"}\n', read)


def test_null_and_odd_letters_leave_a_manifest_whole(tmp_path, read):
    told = {"bpm": None, "key": "D"}
    write_audio(tmp_path / "y.wav")
    line = {"audio": "y.wav", "caption": "a\u2028b\u0085c\x0cd", "split": None, "attributes": told}
    first, second = one_line(tmp_path, json.dumps(line, ensure_ascii=False).encode(), read)
    assert first.seconds == 1
    assert second.captions == ("a b c d",)
    assert second.attributes == {"key": "D"}


def test_clips_behind_the_end_of_a_file_are_skipped(tmp_path, read, skipped):
    line = b'{"audio": "x.wav", "seconds": 1, "offset": 0, "size": 1000000000000}'
    assert len(one_line(tmp_path, line, read)) == 1
    assert [path.name for path, _ in skipped] == ["x.wav"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"attributes": {"bpm": "120"}}', "attributes.bpm must be a number, not text ('120')"),
        ('{"split": "tset"}', "split is 'tset', which is unknown; known: train, validation, test"),
        ('{"split": 1e400}', "it has a number that is not finite in 'split'"),
        ("[" * 100_000, "it is nested more than 64 deep"),
        ('{"seconds": ' + "1" * 5000 + "}", "it has a number that is not finite in 'seconds'"),
        (
            '{"caption": "' + "a piano " * 20_000 + '"}',
            "caption has 160,000 characters; at most 100,000 are read",
        ),
        ('{"caption": "\\ud800"}', "it has a broken letter (half a surrogate pair) in 'caption'"),
    ],
)
def test_a_wrong_sidecar_is_named_and_its_audio_used(tmp_path, read, skipped, text, words):
    write_audio(tmp_path / "soft rain.wav")
    (tmp_path / "soft rain.json").write_text(text)
    (clip,) = read(tmp_path)
    assert clip.captions == ("soft rain",)
    assert skipped == [
        (tmp_path / "soft rain.json", f"{words}; the audio beside it is used without it")
    ]


def test_a_text_larger_than_any_caption_is_not_read(tmp_path, read, skipped):
    write_audio(tmp_path / "soft rain.wav")
    (tmp_path / "soft rain.txt").write_text("a piano " * 20_000)
    (clip,) = read(tmp_path)
    assert clip.captions == ("soft rain",)
    assert [path.name for path, _ in skipped] == ["soft rain.txt"]


def test_links_count_no_clip_twice(tmp_path, read):
    for name in ("a.wav", "deep/b.wav"):
        write_audio(tmp_path / name)
    for link in ("deep/up", "deep/up2", "here"):
        (tmp_path / link).symlink_to(tmp_path)
    (tmp_path / "again.wav").symlink_to(tmp_path / "a.wav")
    assert names(read(tmp_path), tmp_path) == ["a.wav", "deep/b.wav"]


def test_a_link_in_a_folder_that_names_the_split_stays(tmp_path, read):
    write_audio(tmp_path / "all" / "a.wav")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "a.wav").symlink_to(tmp_path / "all" / "a.wav")
    (clip,) = read(tmp_path)
    assert (clip.path.parent.name, clip.split) == ("test", "test")


def test_names_that_are_not_utf8_make_clips(tmp_path, read):
    import os

    write_audio(tmp_path / "x.wav").rename(tmp_path / os.fsdecode(b"caf\xe9 noir.wav"))
    clips = read(tmp_path)
    assert clips[0].captions == ("caf noir",)
    write_manifest(tmp_path, clips)
    # a manifest names the split, which a hash of the name chose before
    assert read_folder(tmp_path) == [dataclasses.replace(clip, split_named=True) for clip in clips]


def test_compressed_tar_files_are_named(tmp_path, read, skipped):
    write_audio(tmp_path / "a.wav")
    with tarfile.open(tmp_path / "b.tar", "w:gz") as tar:
        tar.add(tmp_path / "a.wav", "b.wav")
    assert names(read(tmp_path), tmp_path) == ["a.wav"]
    assert "uncompressed tar" in skipped[0][1]


def test_clips_of_one_tar_file_are_split_one_by_one(tmp_path):
    (tmp_path / "all.tar").write_bytes(bytes(4_000))
    lines = [
        {
            "audio": "all.tar",
            "captions": [f"clip {n}"],
            "seconds": 1.0,
            "offset": 10 * n,
            "size": 10,
        }
        for n in range(400)
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    splits = [clip.split for clip in read_folder(tmp_path)]
    assert {"train", "validation", "test"} == set(splits)
    assert splits.count("train") > 320
    assert [clip.split for clip in read_folder(tmp_path)] == splits
