"""Writing: whole or not at all, nothing replaced unasked, through links, into pipes."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from jen1cli import files
from jen1cli.errors import ConfigError, OutputError
from jen1cli.files import remove_leftovers, writing, writing_folder, writing_together

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


def names(folder):
    return sorted(os.listdir(folder))


def write(path, data=b"new", **options):
    with writing(path, **options) as temporary:
        temporary.write_bytes(data)


def write_half(path, error):
    with writing(path) as temporary:
        temporary.write_bytes(b"half")
        raise error


def fail(*_, **__):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    for error in (RuntimeError("bug"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write_half(path, error)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("I/O error: No space left on device (os error 28)"),  # safetensors
        OSError([("a", "b", "[Errno 28] No space left on device: 'b'")]),  # shutil.copytree
    ],
)
def test_a_full_disk_is_one_line_whichever_library_met_it(tmp_path, error):
    with pytest.raises(OutputError) as caught, writing(tmp_path / "a.txt"):
        raise error
    assert str(caught.value) == (
        f"cannot write {tmp_path / 'a.txt'}: No space left on device; free some space"
    )
    assert names(tmp_path) == []


@pytest.mark.heavy
@posix
def test_a_limit_met_inside_a_library_leaves_nothing(tmp_path):
    """In one process of their own, since it cannot raise its limit again."""
    scripts = {
        "safetensors": "writing(Path('a')) as p: save_file({'a': torch.zeros(9000)}, p)",
        "state": "nullcontext(): save_state(Path('a'), {'a': torch.zeros(9000)}, {})",
        "reserve": "writing(Path('a')) as p, p.open('r+b') as f: reserve(f.fileno(), 40_000)",
    }
    code = (
        "import os, resource, torch; from contextlib import nullcontext; from pathlib import Path\n"
        "from jen1cli.errors import OutputError; from jen1cli.files import reserve, writing\n"
        "from jen1cli.training.engine.state import save_state\n"
        "from safetensors.torch import save_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    ) + "".join(
        f"try:\n    with {script}\nexcept OutputError as error: print(error, os.listdir())\n"
        for script in scripts.values()
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    for what, line in zip(scripts, done.stdout.splitlines(), strict=True):
        assert f"cannot write {tmp_path if what == 'state' else ''}" in line, done.stderr
        assert "File too large; free some space" in line
        assert "partial" not in line
        assert line.endswith("[]"), "a file is left"


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_a_file_that_appears_meanwhile_stays(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", fail)
    path = tmp_path / "a.txt"
    write(path, overwrite=False)
    assert path.read_bytes() == b"new"
    path.unlink()
    late = writing(path, overwrite=False)
    late.__enter__().write_bytes(b"late")
    path.write_bytes(b"early")
    with pytest.raises(OutputError, match="exists; use --force"):
        late.__exit__(None, None, None)
    assert path.read_bytes() == b"early"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_of_many_writers_exactly_one_wins(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", fail)
    path, ready = tmp_path / "a.txt", threading.Barrier(8)
    lost, won = [], []

    def run(number):
        try:
            with writing(path, overwrite=False) as temporary:
                temporary.write_text(str(number))
                ready.wait()
        except OutputError:
            lost.append(number)
        else:
            won.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(lost) == 7
    assert path.read_text() == str(won[0])
    assert names(tmp_path) == ["a.txt"]


def test_a_placeholder_goes_where_the_rename_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="Operation not permitted"):
        write(tmp_path / "a.txt", overwrite=False)
    assert names(tmp_path) == []


@posix
def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path):
    old, new, usual = tmp_path / "old", tmp_path / "new", tmp_path / "usual"
    usual.touch()
    old.touch()
    old.chmod(0o640)
    for path in (old, new):
        with writing(path) as temporary:
            save_file({"a": torch.zeros(3)}, temporary)  # makes files that only we may read
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == usual.stat().st_mode


@posix
def test_links_are_written_through_or_refused(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real/a.txt")
    (tmp_path / "dangling").symlink_to("real/b.txt")
    write(tmp_path / "link")
    write(tmp_path / "dangling", overwrite=False)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_bytes() == b"new"
    assert (tmp_path / "real" / "b.txt").read_bytes() == b"new"
    with pytest.raises(OutputError, match="exists"):
        write(tmp_path / "link", b"newer", overwrite=False)
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "out").symlink_to("nowhere/a.txt")
    (tmp_path / "folder").symlink_to("real")
    for name, words in (("one", "circle"), ("out", "does not exist"), ("folder", "is a folder")):
        with pytest.raises(OutputError, match=words):
            write(tmp_path / name)
    assert names(tmp_path / "real") == ["a.txt", "b.txt"]


@posix
def test_a_fifo_gets_the_bytes_of_the_finished_file(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    read = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    write(fifo, b"x" * 100_000, overwrite=False)
    reader.join()
    assert read == [b"x" * 100_000]
    assert fifo.is_fifo()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_devices_are_written_to_and_stay(tmp_path):
    write(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link").symlink_to("/dev/full")
    for path in (Path("/dev/full"), tmp_path / "link"):
        with pytest.raises(OutputError, match="No space left on device"):
            write(path)
    assert Path("/dev/full").is_char_device()


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "a", "none does not exist"),
        (tmp_path / "file" / "a", "file is a file"),
        (tmp_path / ("a" * 300), "File name too long"),
    ):
        with pytest.raises(OutputError, match=words):
            write(path)
    assert names(tmp_path) == ["file"]


def test_names_of_bytes_that_are_no_text_come_back_from_json(tmp_path):
    value = {"audio": "b\udce9 \u2028 \u00e9.wav"}
    path = files.write_text(tmp_path / "a.json", json.dumps(value, ensure_ascii=False))
    assert json.loads(path.read_text(encoding="utf-8")) == value


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "set"
    with writing_folder(folder) as new:
        (new / "a").write_bytes(b"1")
    half = writing_folder(folder)
    (half.__enter__() / "a").write_bytes(b"2")
    assert not half.__exit__(RuntimeError, RuntimeError("bug"), None)
    assert (folder / "a").read_bytes() == b"1"
    with writing_folder(folder) as new:
        (new / "b").write_bytes(b"3")
    assert names(folder) == ["b"]
    assert names(tmp_path) == ["set"]


def test_a_folder_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder, rename = tmp_path / "set", os.rename
    folder.mkdir()
    (folder / "a").touch()

    def rename_but_new(source, target):
        if str(source).endswith(".partial"):
            fail()
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_but_new)
    with pytest.raises(OutputError), writing_folder(folder):
        pass
    assert names(folder) == ["a"]
    assert names(tmp_path) == ["set"]


@posix
def test_a_folder_behind_a_link_is_replaced_there(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with writing_folder(tmp_path / "link") as new:
        (new / "a").touch()
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "real") == ["a"]


def test_the_home_of_nobody_is_one_line():
    with pytest.raises(ConfigError, match="~nosuchuser/x names a user that is not on this machine"):
        files.expand_user("~nosuchuser/x")
    assert files.expand_user("~") == Path.home()


@pytest.mark.heavy
@posix
def test_a_disk_too_full_for_long_audio_is_an_error_and_not_a_crash():
    """A memory map with holes would end the process by SIGBUS at the first block without space."""
    code = (
        "import resource\n"
        "from jen1cli.errors import OutputError\n"
        "from jen1cli.audio.on_disk import LARGEST_IN_MEMORY, allocate\n"
        "samples = LARGEST_IN_MEMORY // 8 + 1\n"
        "array = allocate(2, samples)\n"
        "assert not array.any(); array[:] = 1.0; assert array.all()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: allocate(2, samples)\n"
        "except OutputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "File too large; free some space" in done.stdout


def test_leftovers_of_killed_writes_are_those_of_this_name(tmp_path):
    path = tmp_path / f"{'x' * 38}[1].json"
    with writing(path) as temporary:
        assert files.leftovers(path) == [temporary]
        assert files.leftovers(tmp_path / "y.json") == []
    assert files.leftovers(path) == []


def write_pair(first, second, while_written=lambda: None, **options):
    with writing_together(first, second, **options) as temporaries:
        for temporary in temporaries:
            temporary.write_bytes(b"new")
        while_written()


def test_files_that_belong_together_appear_together(tmp_path):
    pair = (tmp_path / "a.html", tmp_path / "a.json")
    write_pair(*pair, overwrite=False)
    assert [path.read_bytes() for path in pair] == [b"new", b"new"]
    pair[0].write_bytes(b"old")
    write_pair(*pair)
    assert pair[0].read_bytes() == b"new"
    assert names(tmp_path) == ["a.html", "a.json"]


def test_a_file_whose_partner_cannot_be_placed_is_removed(tmp_path):
    pair = (tmp_path / "a.html", tmp_path / "a.json")
    with pytest.raises(OutputError, match=r"a\.html exists; use --force"):
        write_pair(*pair, lambda: pair[0].write_bytes(b"theirs"), overwrite=False)
    assert pair[0].read_bytes() == b"theirs"
    assert names(tmp_path) == ["a.html"]


@posix
@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_was_replaced_comes_back_when_its_partner_cannot_be_placed(
    tmp_path, monkeypatch, has_links
):
    if not has_links:
        monkeypatch.setattr(os, "link", fail)
    pair = (tmp_path / "a.html", tmp_path / "a.json")
    pair[1].write_bytes(b"old")
    replace, contents = os.replace, []

    def refuse_page(source, target):
        if target == pair[0]:
            contents.append(pair[1].read_bytes())
            fail()
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_page)
    with pytest.raises(OutputError, match=r"cannot write .*a\.html: Operation not permitted"):
        write_pair(*pair)
    assert contents == [b"new"]
    assert pair[1].read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    left = [".a-0123abcd.wav", ".a-89abcdef", ".b.x-01234567.tar.gz"]
    kept = ["a.wav", ".a.wav", ".a-0123abc.wav", ".c-0123abcd.wav", ".a-0123abcx.wav"]
    for name in (*left, *kept):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, {"a", "b.x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    remove_leftovers(tmp_path / "none", {"a"})  # a folder that is not there has none


def test_what_writing_leaves_when_it_is_killed_is_known(tmp_path):
    with writing(tmp_path / ("n" * 60 + ".flac")) as temporary:
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / temporary.name).touch()
    remove_leftovers(copy, {"n" * 60})
    assert list(copy.iterdir()) == []
