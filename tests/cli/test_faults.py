"""Faults of the machine: kill -9 at any moment, no permission, no memory, many at once.

A command ends with code 0, or with code 1 and one line; no file with a final name is half-written;
the command works again afterwards.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import soundfile

from corpus_support import make_soundfont
from faults import (
    changes_of,
    ended,
    forked,
    load_commands,
    moments,
    tree,
    without_privileges,
)
from jen1cli import audio, provenance
from jen1cli.recipe import read_recipe

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and /proc")
TINY = ("-m", "tiny", "--random-weights", "--device", "cpu")
TRAIN = ("--recipe", "tiny", "--device", "cpu", "--crop-seconds", "0.2", "-q")


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    load_commands()


@pytest.fixture
def music(tmp_path):
    """A folder of three captioned clips."""
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, (48_000, 2))
        soundfile.write(folder / f"{number}.wav", noise, 48_000)
        (folder / f"{number}.txt").write_text(f"noise number {number}")
    return folder


def one_line(done, *words):
    """Check that a command said one line for its user, and return it."""
    assert done.code == 1, (done.code, done.err)
    lines = [line for line in done.err.splitlines() if not line.startswith("jen1: warning: ")]
    assert len(lines) == 1, done.err
    assert lines[0].startswith("jen1: error: "), done.err
    for word in words:
        assert word in lines[0]
    return lines[0].removeprefix("jen1: error: ")


# --- kill -9 ---

KILLED = {
    "generate": ["generate", "lofi", *TINY, "-s", "0.5", "-n", "2", "-o", "out/", "--seed", "1"],
    "inpaint": ["inpaint", "music/0.wav", "--mask", "0.2-0.4s", *TINY, "-o", "music/0.wav", "-f",
                "--seed", "1"],
    "continue": ["continue", "music/0.wav", "-s", "0.3", *TINY, "-o", "out.flac", "--seed", "1"],
    "encode": ["encode", "music", *TINY, "-o", "latents/"],
    "corpus inspect": ["corpus", "inspect", "music", "-o", "sheet.html", "-q"],
    "corpus make": ["corpus", "make", "out", "--hours", "0.004", "--style", "chiptune",
                    "--clip-seconds", "12", "-w", "1", "-q"],
    "evaluate stats": ["evaluate", "stats", "music", "-e", "handcrafted", "-o", "out.npz", "-q"],
    "evaluate audio": ["evaluate", "audio", "music", "-r", "music", "-e", "handcrafted", "-o",
                       "out", "-q"],
    "train autoencoder": ["train", "autoencoder", "music", "--preset", "tiny", "--steps", "2",
                          *TRAIN, "-o", "out"],
}  # fmt: skip


def is_whole(path, content, whole):
    """Whether a file with a final name is what an undisturbed run writes, or can be read."""
    if content == whole.get(path):
        return True
    if path.endswith((".jsonl", ".json")):
        parts = content.splitlines() if path.endswith(".jsonl") else [content]
        return all(json.loads(part) is not None for part in parts)
    if path.endswith(".html"):
        return content.rstrip().endswith(b"</html>")
    if path.endswith(".png"):
        return content.endswith(b"IEND\xaeB`\x82")
    return "tensorboard" in path or "metrics" in path


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("name", KILLED)
def test_kill_9_at_any_moment(tmp_path, music, name, signed, fault, monkeypatch):
    if signed and name not in ("generate", "inpaint"):
        pytest.skip("writes nothing that is signed")
    monkeypatch.setenv("JEN1_PROVENANCE", str(int(signed)))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JEN1_SOUNDFONT", str(tmp_path / "font.sf2"))
    (tmp_path / "font.sf2").write_bytes(make_soundfont())
    if signed:  # the certificate is made once, and is no change of this command
        provenance.own_credentials()
    arguments = KILLED[name]
    before = tree(tmp_path)
    places = tmp_path / "undisturbed"
    shutil.copytree(music, places / "music")
    count = changes_of(places, *arguments)
    whole = tree(places)
    assert count > 2
    for moment in moments(count):
        folder = tmp_path / f"killed-{moment}"
        shutil.copytree(music, folder / "music")
        done = forked(folder, *arguments, kill_at=moment)
        assert done.code == -signal.SIGKILL, f"moment {moment} of {count}: {done}"
        for path, content in tree(folder).items():
            old = before.get(path)
            if not signed:
                assert content == old or is_whole(path, content, whole), f"{path} at {moment}"
            elif path.endswith(".wav") and content != old:
                assert read_recipe(folder / path).signature == "c2pa"
        again = forked(folder, *arguments, *([] if "-f" in arguments else _goes_on(name)))
        if "train" in name and "continue it with --resume" in again.err:
            again = forked(folder, *arguments, "--resume")
        assert again.code == 0, f"after moment {moment}: {again.err}"
        missing = whole.keys() - tree(folder).keys()
        assert not {path for path in missing if "tensorboard" not in path}  # named by the time
        if not signed and "train" not in name and "evaluate audio" not in name:
            found = {path: data for path, data in tree(folder).items() if path in whole}
            assert {path for path in whole if found.get(path) != whole[path]} <= _random(name)
    fault(
        f"kill -9 of {name}{', signing' if signed else ''} before {len(moments(count))} of its"
        f" {count} changes of files",
        "every file is absent, the old one or whole; the same command then succeeds",
    )


def _goes_on(name):
    return ["--force"] if name in ("generate", "continue", "encode", "corpus inspect") else []


def _random(name):
    """Files that differ from run to run."""
    return {"music/0.wav"} if name == "inpaint" else set()


# --- no permission ---


@pytest.fixture
def unprivileged():
    """Skip where root's rights cannot be given up."""
    process = os.fork()
    if process == 0:
        try:
            without_privileges()
            os._exit(0)
        except BaseException:
            os._exit(1)
    if os.waitpid(process, 0)[1]:
        pytest.skip("this process cannot give up its rights")


@pytest.mark.heavy
@pytest.mark.parametrize("arguments", [
    ["generate", "lofi", *TINY, "-s", "0.2", "-o", "shut/out.wav"],
    ["inpaint", "music/0.wav", "--mask", "0.2-0.4s", *TINY, "-o", "shut/out.wav"],
    ["encode", "music", *TINY, "-o", "shut/"],
    ["corpus", "inspect", "music", "-o", "shut/sheet.html"],
    ["evaluate", "stats", "music", "-e", "handcrafted", "-o", "shut/out.npz"],
    ["train", "autoencoder", "music", "--preset", "tiny", "--steps", "1", *TRAIN, "-o", "shut/o"],
], ids=lambda arguments: "-".join(arguments[:2]))  # fmt: skip
def test_a_folder_that_must_not_be_written(tmp_path, music, unprivileged, fault, arguments):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    done = forked(tmp_path, *arguments, prepare=without_privileges)
    line = one_line(done, "shut", "ermission denied")
    assert list(shut.iterdir()) == []
    fault(f"{' '.join(arguments[:2])}: a folder without permission to write", line)


@pytest.mark.parametrize("arguments", [
    ["info", "music/0.wav"],
    ["continue", "music/0.wav", "-s", "0.2", *TINY],
    ["generate", "--from", "music/0.wav", *TINY],
    ["decode", "music/0.wav", *TINY],
], ids=lambda arguments: arguments[0])  # fmt: skip
def test_an_input_that_must_not_be_read(tmp_path, music, unprivileged, fault, arguments):
    (music / "0.wav").chmod(0)
    line = one_line(forked(tmp_path, *arguments, prepare=without_privileges))
    assert "0.wav" in line
    assert "ermission denied" in line
    fault(f"{arguments[0]}: an input without permission to read", line)


def test_weights_that_must_not_be_read(tmp_path, unprivileged, tiny_folder, fault):
    folder = shutil.copytree(tiny_folder, tmp_path / "weights")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0)
    done = forked(tmp_path, "generate", "a", "-m", folder, "-s", "0.2", prepare=without_privileges)
    line = one_line(done)
    assert "weights" in line
    fault("weights without permission to read", line)


@pytest.mark.heavy
def test_weights_home_and_caches_that_must_not_be_written(
    tmp_path, music, unprivileged, tiny_folder, fault, monkeypatch
):
    folder = shutil.copytree(tiny_folder, tmp_path / "weights")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("JEN1_PROVENANCE", "1")
    for path in [*folder.rglob("*"), folder, *music.rglob("*"), home]:
        path.chmod(0o555)
    out = ("-m", folder, "-s", "0.2", "-o", "out.wav")
    done = forked(tmp_path, "generate", "a", *out, prepare=without_privileges)
    assert done.code == 0, done.err
    assert "the self-made certificate serves this run alone" in done.err
    assert audio.read_marks(tmp_path / "out.wav").signed
    done = forked(tmp_path, "encode", "music", "-m", folder, "-o", "l/", prepare=without_privileges)
    assert done.code == 0, done.err
    fault("weights, music, home and caches are read-only", "works; the certificate is not kept")


# --- places that are gone ---


def _no_temporary_folder():
    tempfile.tempdir = None
    tempfile._candidate_tempdir_list = lambda: ["/nowhere"]


@pytest.mark.parametrize("arguments", [
    ["generate", "lofi", *TINY, "-s", "0.2", "-o", "-"],
    pytest.param(
        ["inpaint", "music/0.wav", "--mask", "0.2-0.4s", *TINY, "-o", "-"], marks=pytest.mark.heavy
    ),
], ids=lambda arguments: arguments[0])  # fmt: skip
def test_no_folder_for_temporary_files(tmp_path, music, fault, arguments):
    done = forked(tmp_path, *arguments, prepare=_no_temporary_folder)
    line = one_line(done)
    assert "temporary" in line
    fault(f"{arguments[0]}: TMPDIR and all folders for temporary files are gone", line)


def test_a_tmpdir_that_is_gone_is_passed_over(tmp_path, fault, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")

    def forget():
        tempfile.tempdir = None

    done = forked(tmp_path, "generate", "a", *TINY, "-s", "0.2", "-o", "a.wav", prepare=forget)
    assert done.code == 0, done.err
    fault("TMPDIR is gone", "the system's own folder for temporary files is taken")


@pytest.mark.parametrize("arguments", [
    ["generate", "lofi", *TINY, "-s", "0.2"],
    ["info", "a.wav"],
], ids=lambda arguments: arguments[0])  # fmt: skip
def test_a_working_folder_that_is_gone(tmp_path, fault, arguments):
    gone = tmp_path / "gone"
    gone.mkdir()

    def leave():
        os.chdir(gone)
        gone.rmdir()

    done = forked(tmp_path, *arguments, prepare=leave)
    line = one_line(done)
    assert not gone.exists()
    fault(f"{arguments[0]}: the working folder is gone", line)


def test_an_output_folder_that_vanishes(tmp_path, fault):
    out = tmp_path / "out"
    out.mkdir()

    def vanish():
        from jen1cli.pipeline import Music

        plain = Music.save

        def save(self, *arguments, **options):
            shutil.rmtree(out)
            return plain(self, *arguments, **options)

        Music.save = save

    done = forked(tmp_path, "generate", "a", *TINY, "-s", "0.2", "-o", "out/a.wav", prepare=vanish)
    line = one_line(done)
    assert "out" in line
    assert not out.exists()
    fault("the output folder vanishes while the music is made", line)


def test_an_input_that_is_cut_while_it_is_read(tmp_path, music, fault):
    def cut():
        from jen1cli.pipeline import Jen1

        plain = Jen1.continue_

        def continue_(self, *arguments, **options):
            os.truncate("music/0.wav", 1_000)
            return plain(self, *arguments, **options)

        Jen1.continue_ = continue_

    arguments = ("continue", "music/0.wav", "-s", "0.2", *TINY, "-o", "out.wav")
    done = forked(tmp_path, *arguments, prepare=cut)
    fault("an input is cut while it is read", one_line(done, "0.wav"))
    assert not (tmp_path / "out.wav").exists()


# --- limits ---


def _most_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def test_too_few_open_files(tmp_path, fault):
    done = forked(tmp_path, "generate", "a", *TINY, "-s", "0.2", prepare=_most_files)
    assert done.code == 1, done
    said = one_line(done, "oo many open files")
    assert ".py" not in said  # the file that was to be opened may be one of Python's own
    fault("no further file may be opened (ulimit -n)", said)


@pytest.mark.slow  # where memory ends depends on what the process has mapped before
@pytest.mark.parametrize("more", [2**24, 3 * 2**23, 2**25], ids=["16 MiB", "24 MiB", "32 MiB"])
@pytest.mark.parametrize("verb", ["generate", "continue", "encode"])
def test_memory_that_ends_in_the_middle(tmp_path, music, fault, monkeypatch, more, verb):
    """The check of the limit before the start is tested below; here memory ends later."""
    from jen1cli.cli import limits

    monkeypatch.setattr(limits, "NEEDED_BYTES", 0)

    def limit():
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.RLIM_INFINITY))

    arguments = {
        "generate": ["generate", "lofi", "-s", "120", "--steps", "1"],
        "continue": ["continue", "music/0.wav", "-s", "60", "--steps", "1"],
        "encode": ["encode", "music"],
    }[verb]
    done = forked(tmp_path, *arguments, *TINY, "-o", "out/", "-q", prepare=limit)
    if done.code == -signal.SIGSEGV:  # in convolutions of oneDNN, which miss their buffer
        fault(f"{verb}: memory ends after {more >> 20} MiB more", "a crash inside torch")
    elif done.code != 0:
        line = one_line(done)
        assert "memory" in line, line
        fault(f"{verb}: memory ends after {more >> 20} MiB more", line)
    else:
        fault(f"{verb}: memory for {more >> 20} MiB more", "works")
    assert not [path for path in tmp_path.rglob("*.wav") if "out" in path.parts and done.code]


@pytest.mark.heavy
@pytest.mark.parametrize("verb", ["generate", "train", "evaluate"])
def test_an_address_space_too_small_for_torch_is_said_at_once(tmp_path, fault, verb):
    command = f"ulimit -v 3000000; {sys.executable} -m jen1cli {verb} audio x"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "the memory does not suffice: this process may address 2.9 GiB" in done.stderr
    fault(f"{verb}: ulimit -v 3000000", done.stderr.removeprefix("jen1: error: "))


@pytest.mark.heavy
def test_a_small_address_space_is_enough_for_info_and_help(tmp_path, music, fault):
    for arguments in ("info music/0.wav", "generate --help", "models list"):
        command = f"ulimit -v 3000000; {sys.executable} -m jen1cli {arguments}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    fault("info, models and --help: ulimit -v 3000000", "work")


# --- many at once, and streams ---


@pytest.mark.heavy
def test_ten_processes_at_once_write_one_name_once(tmp_path, fault, monkeypatch):
    monkeypatch.setenv("JEN1_PROVENANCE", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    running = [
        forked(tmp_path, "generate", f"take {i}", *TINY, "-s", "0.2", "-o", "a.wav", wait=False)
        for i in range(10)
    ]
    done = [ended(one) for one in running]
    assert sorted(one.code for one in done) == [0] + [1] * 9, done
    refused = [one_line(one, "a.wav exists; use --force") for one in done if one.code]
    assert len(refused) == 9
    assert read_recipe(tmp_path / "a.wav").prompt.startswith("take ")
    assert [path.name for path in tmp_path.iterdir()] in (["a.wav", "config"], ["config", "a.wav"])
    assert [path.name for path in (tmp_path / "config" / "jen1").iterdir()] == ["provenance.pem"]
    fault("ten processes at once write the same name", f"one file is written; nine: {refused[0]}")


@pytest.mark.heavy
def test_ten_processes_at_once_write_ten_names(tmp_path, music, fault):
    running = [
        forked(tmp_path, "continue", "music/0.wav", "-s", "0.2", *TINY, "-o", f"{i}.wav",
               "--seed", "1", wait=False)
        for i in range(10)
    ]  # fmt: skip
    done = [ended(one) for one in running]
    assert [one.code for one in done] == [0] * 10, done
    assert len({(tmp_path / f"{i}.wav").read_bytes() for i in range(10)}) == 1
    fault("ten processes at once edit one recording", "ten files of the same bytes")


@pytest.mark.heavy
def test_trainings_at_once_in_one_folder(tmp_path, music, fault):
    arguments = ("train", "autoencoder", "music", "--preset", "tiny", "--steps", "1", *TRAIN)
    running = [forked(tmp_path, *arguments, "-o", "out", wait=False) for _ in range(4)]
    done = [ended(one) for one in running]
    assert 0 in [one.code for one in done], done
    for one in done:
        if one.code:  # it began while or after another trained
            line = one_line(one)
            assert "another training writes to" in line or "holds a training already" in line
    assert (tmp_path / "out" / "weights" / "config.json").is_file()
    fault("four trainings at once in one folder", "one trains; the others say that it does")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_in_the_middle_leave_nothing(tmp_path, fault, name):
    command = [sys.executable, "-m", "jen1cli", "generate", "a", *TINY, "-s", "600", "-o", "a.wav"]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    assert "random weights" in run.stderr.readline()  # the model is loaded
    run.send_signal(getattr(signal, name))
    _, err = run.communicate(timeout=100)
    assert run.returncode == 130, err
    assert err == ""
    assert list(tmp_path.iterdir()) == []
    fault(f"{name} in the middle", "exit code 130, nothing is left")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("redirection", "code"),
    [(">/dev/full", 1), (">&-", 0), ("<&-", 0), ("2>&-", 0), ("2>/dev/full", 0)],
)
def test_streams_that_are_shut_or_full(tmp_path, music, fault, redirection, code):
    command = f"{sys.executable} -m jen1cli info music/0.wav {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 1
    fault(f"info {redirection}", done.stderr.removeprefix("jen1: error: ").strip() or "works")
