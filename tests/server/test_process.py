"""A real server in a process of its own: the commands as its clients, signals, and kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from jen1cli.cli.app import run
from server_support import LONG, Process, wait_until

pytestmark = pytest.mark.heavy


@pytest.fixture
def serve(tiny_folder, tmp_path):
    started = []

    def start(*more, takes="takes"):
        started.append(Process(tiny_folder, tmp_path / takes, *more))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture(scope="module")
def served(tiny_folder, tmp_path_factory):
    process = Process(tiny_folder, tmp_path_factory.mktemp("takes"))
    yield process
    assert process.end(signal.SIGTERM) == (0, "")


COMMANDS = {
    "generate": ["generate", "lofi piano", "-s", "0.7", "--seed", "3", "--bpm", "92", "-n", "2"],
    "inpaint": ["inpaint", "in.wav", "--mask", "0.2-0.333s", "--mask", "0.4s-end", "--seed", "1",
                "--prompt", "soft drums"],
    "continue": ["continue", "in.wav", "-s", "0.5", "--before", "--seed", "1", "--format", "flac"],
    "vary": ["vary", "edit.wav", "--amount", "0.5", "--seed", "4", "--key", "D minor"],
    "score": ["generate", "x", "--score", "tune.mid", "-s", "0.6", "--seed", "2", "--midi", "m/"],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_write_the_same_bytes(
    name, served, tiny, tiny_folder, tmp_path, monkeypatch, capfd, music
):
    from jen1cli import audio
    from jen1cli.midi import Passage, write_midi
    from jen1cli.music.controls import Controls

    monkeypatch.chdir(tmp_path)
    audio.write(tmp_path / "in.wav", music(0.6), 48_000)
    tiny.inpaint("in.wav", [(0.1, 0.3)], seed=1).save("edit.wav")
    tune = Controls(bpm=120.0, meter="4/4", chords="Am F", melody="A4 C5 E5 A5")
    write_midi(tmp_path / "tune.mid", [Passage(tune, 0.0, 4.0)])
    words = [*COMMANDS[name], "--json", "-o"]
    results = []
    for place, more in (
        ("far", ["--server", served.url]),
        ("near", ["--model", str(tiny_folder), "--device", "cpu"]),
    ):
        (tmp_path / place).mkdir()
        assert run([*words, f"{place}/", *more]) == 0, capfd.readouterr().err
        facts = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        for fact in facts:
            del fact["elapsed_seconds"]
            fact["path"] = fact["path"].removeprefix(f"{place}/")
        files = {
            path.name: path.read_bytes()
            for path in [*(tmp_path / place).iterdir(), *(tmp_path / "m").glob("*")]
        }
        results.append((facts, files))
        for path in (tmp_path / "m").glob("*"):
            path.unlink()
    assert results[0] == results[1]
    assert len(results[0][1]) == (2 if name in ("generate", "score") else 1)


def test_a_pipe_through_the_server(served, tiny, tmp_path, capfdbinary):
    words = ["generate", "lofi", "-s", "0.3", "--seed", "1", "-o", "-", "--server", served.url]
    assert run(words) == 0
    tiny.generate("lofi", seconds=0.3, seed=1).save(tmp_path / "own.wav")
    import io

    from jen1cli import audio

    seen = capfdbinary.readouterr().out
    assert audio.sample_digest(io.BytesIO(seen)) == audio.sample_digest(tmp_path / "own.wav")


def test_the_client_loads_no_torch(served, tmp_path):
    code = (
        "import sys\n"
        "from jen1cli.cli.app import run\n"
        "code = run(sys.argv[1:])\n"
        "print(code, 'torch' in sys.modules, file=sys.stderr)\n"
    )
    words = ["generate", "lofi", "-s", "0.3", "--seed", "1", "-q", "-o", str(tmp_path / "a.wav")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True,
        env={**os.environ, "JEN1_SERVER": served.url},
    )  # fmt: skip
    assert done.stderr.split() == ["0", "False"]
    assert (tmp_path / "a.wav").exists()


def test_the_client_loads_next_to_nothing_before_the_server_works(tmp_path):
    code = (
        "import sys\n"
        "from jen1cli.cli.app import run\n"
        "run(['generate', 'lofi', '--server', 'http://127.0.0.1:9', '-o', 'a.wav'])\n"
        "print(*sorted({'numpy', 'soundfile', 'mido', 'jaxtyping'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert "cannot be used" in done.stderr
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--device", "cpu"], "--device is for a model that is loaded here"),
        (["--quality", "best"], "--quality is for a model that is loaded here"),
        (["--model", "some/folder"], "--model some/folder is a folder here"),
        (["--model", "other"], "no model 'other' is loaded; 'tiny' is"),
        (["--resume", "--from", "x.txt"], "a set is made by a model that is loaded here"),
        (["--certificate", "x.pem", "--provenance"], "--certificate cannot sign"),
        (["--provenance"], "this server does not sign"),
    ],
)
def test_what_the_client_refuses(served, more, message, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    prompt = [] if "--from" in more else ["lofi"]
    code = run(["generate", *prompt, "-s", "0.2", "--server", served.url, *more])
    said = capfd.readouterr().err
    assert code == 1
    assert message in said
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_vanishes_cancels_its_request(served):
    connection = served.connection()
    connection.request(
        "POST", "/v1/audio/generate", json.dumps(LONG), {"Content-Type": "application/json"}
    )
    wait_until(lambda: served.json("GET", "/health")["queue"]["running"] == 1)
    connection.close()
    wait_until(lambda: served.json("GET", "/health")["queue"]["running"] == 0)
    assert list((served.takes / ".work").iterdir()) == []


def test_an_upload_that_breaks_off(served):
    connection = served.connection()
    connection.putrequest("POST", "/v1/takes")
    connection.putheader("Content-Type", "multipart/form-data; boundary=edge")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx')
    connection.close()
    wait_until(lambda: list((served.takes / ".work").iterdir()) == [])
    assert served.ask("GET", "/health")[0] == 200


def test_the_first_signal_drops_what_waits_and_ends_in_time(serve):
    server = serve()
    server.begin_long_job()
    waiting = server.json("POST", "/v1/jobs", {"task": "generate"})["id"]
    short = server.connection()
    short.request("GET", f"/v1/jobs/{waiting}/events")
    server.popen.send_signal(signal.SIGTERM)
    events = short.getresponse().read().decode()  # the stream ends with the job
    short.close()
    assert "event: cancelled" in events
    assert "server_stopped" in events
    started = time.monotonic()
    code, said = server.end(signal.SIGINT)  # the second
    assert (code, said) == (130, "")
    assert time.monotonic() - started < 5.0


def test_a_stopped_server_leaves_nothing(serve):
    server = serve()
    job = server.json("POST", "/v1/jobs", {"task": "generate", "audio_length": 0.3})["id"]
    code, said = server.end(signal.SIGINT)
    assert (code, said) == (0, "")
    assert not (server.takes / ".work").exists()
    assert job


def test_a_killed_server_leaves_whole_takes_and_a_clean_start(serve):
    server = serve()
    first = server.json("POST", "/v1/jobs", {"task": "generate", "audio_length": 0.3})["id"]
    wait_until(lambda: server.json("GET", f"/v1/jobs/{first}")["state"] == "done")
    server.begin_long_job()
    server.end(signal.SIGKILL)
    assert list((server.takes / ".work").iterdir()) != []  # there was something to clean
    again = serve()
    (take,) = again.json("GET", "/v1/takes")
    assert again.ask("GET", f"/v1/takes/{take['id']}/audio")[1].startswith(b"RIFF")
    names = sorted(path.name for path in again.takes.iterdir())
    assert names == sorted([".lock", ".work", take["id"]])
    assert list((again.takes / ".work").iterdir()) == []


def test_an_address_that_is_taken(served, tiny_folder, tmp_path, capfd):
    port = str(urlsplit(served.url).port)
    words = ["serve", "--model", str(tiny_folder), "--device", "cpu", "--port", port]
    assert run([*words, "--takes", str(tmp_path / "other")]) == 1
    assert f"nothing can listen on 127.0.0.1:{port}" in capfd.readouterr().err
