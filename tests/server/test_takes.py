"""Takes: kept in a folder, whole or not at all, and shown as sound, pictures and scores."""

import io
import os

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.errors import ConfigError
from jen1cli.midi import Passage
from jen1cli.music.controls import Controls
from jen1cli.music.heard import Heard, HeardBar, HeardChord
from jen1cli.pipeline.played import played_passages
from jen1cli.recipe import read_recipe
from jen1cli.server.scores import heard_facts, score_facts
from jen1cli.server.takes import Takes


def upload(client, data, name="my song.wav"):
    response = client.post("/v1/takes", files={"file": (name, data)})
    assert response.status_code == 201, response.text
    return response.json()


def make(client, **fields):
    body = {"task": "generate", "seed": 1, **fields}
    if body["task"] == "generate":
        body["audio_length"] = 0.2
    job = client.post("/v1/jobs", json=body).json()["id"]
    with client.stream("GET", f"/v1/jobs/{job}/events") as response:
        response.read()
    facts = client.get(f"/v1/jobs/{job}").json()
    assert facts["state"] == "done", facts
    return facts["take"]


def code(response):
    return response.status_code, response.json()["error"]["code"]


def test_a_file_of_ones_own(client, wav):
    take = upload(client, wav)
    assert take["name"] == "my song"
    assert (take["task"], take["seconds"], take["sample_rate"]) == ("upload", 0.6, 48_000)
    assert (take["seed"], take["parent"], take["format"]) == (None, None, "wav")
    assert client.get(f"/v1/takes/{take['id']}/audio").content == wav
    assert client.get("/v1/takes").json() == [take]
    assert code(client.get(f"/v1/takes/{take['id']}/recipe")) == (404, "no_recipe")
    assert code(client.get(f"/v1/takes/{take['id']}/midi")) == (404, "no_recipe")


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", "invalid_audio"), (b"RIFF", "invalid_audio"), (b"<script>", "invalid_audio")],
)
def test_files_that_are_refused(client, data, expected, takes_folder):
    response = client.post("/v1/takes", files={"file": ("x.wav", data)})
    assert code(response) == (422, expected)
    assert str(takes_folder) not in response.text
    assert client.get("/v1/takes").json() == []
    assert sorted(path.name for path in takes_folder.iterdir()) == [".lock", ".work"]


def test_bodies_without_a_file(shared):
    assert code(shared.post("/v1/takes", json={}))[1] == "missing_file"
    empty = shared.post("/v1/takes", files={"other": ("x.wav", b"x")})
    assert code(empty) == (422, "unknown_field")


def test_takes_survive_a_restart_and_leftovers_do_not(serving, wav, takes_folder):
    client = serving()
    first, second = upload(client, wav, "one.wav"), upload(client, wav, "two.wav")
    client.patch(f"/v1/takes/{first['id']}", json={"name": "renamed"})
    serving.stop()
    (takes_folder / ".work" / "job-1").mkdir(parents=True)
    (takes_folder / f".{'a' * 16}").mkdir()
    (takes_folder / f".{'a' * 16}" / "audio.wav").write_bytes(wav)
    (takes_folder / second["id"] / ".take-0123abcd.json").write_text("{")
    half = takes_folder / ("b" * 16)  # copied in part by somebody
    half.mkdir()
    (half / "take.json").write_text('{"id": "')
    client = serving()
    assert [take["name"] for take in client.get("/v1/takes").json()] == ["two", "renamed"]
    assert [path.name for path in takes_folder.iterdir() if path.name.startswith(".a")] == []
    assert list((takes_folder / ".work").iterdir()) == []


def test_one_server_for_a_folder(client, takes_folder):
    with pytest.raises(ConfigError, match="another jen1 server keeps its takes"):
        Takes(takes_folder)


@pytest.mark.parametrize("path", ["audio", "peaks", "spectrogram", "midi", "recipe", "score", ""])
@pytest.mark.parametrize("name", ["0" * 16, "..", "%2e%2e%2f%2e%2e", ".work"])
def test_takes_that_do_not_exist(shared, path, name):
    response = shared.get(f"/v1/takes/{name}/{path}".rstrip("/"), follow_redirects=False)
    assert response.status_code in (404, 200)
    if response.status_code == 200:  # the shared has resolved the dots
        assert response.url.path in ("/v1/takes", "/v1/")
    else:
        assert response.json()["error"]["code"] in ("take_not_found", "not_found")


def test_rename_and_delete(client, wav, takes_folder):
    take = upload(client, wav)
    place = f"/v1/takes/{take['id']}"
    assert client.patch(place, json={"name": "<b>x</b>"}).json()["name"] == "<b>x</b>"
    for body in ({"name": ""}, {"name": "x" * 1_000}, {"id": "x"}, {}):
        assert client.patch(place, json=body).status_code == 422
    assert client.delete(place).status_code == 204
    assert code(client.get(place)) == (404, "take_not_found")
    assert code(client.delete(place)) == (404, "take_not_found")
    assert not (takes_folder / take["id"]).exists()


def test_ranges_of_bytes(client, wav):
    take = upload(client, wav)
    place = f"/v1/takes/{take['id']}/audio"
    part = client.get(place, headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == wav[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(wav)}"
    assert client.get(place, headers={"range": "bytes=99999999-"}).status_code == 416


def test_other_formats_have_the_same_samples_and_recipe(client, takes_folder):
    take = make(client, input="lofi piano")
    stored = client.get(f"/v1/takes/{take}/audio").content
    flac = client.get(f"/v1/takes/{take}/audio?format=flac").content
    before, _ = soundfile.read(io.BytesIO(stored), dtype="int16")
    after, _ = soundfile.read(io.BytesIO(flac), dtype="int16")
    assert (before == after).all()
    assert read_recipe(io.BytesIO(flac)) == read_recipe(io.BytesIO(stored))
    assert client.get(f"/v1/takes/{take}/recipe").json()["prompt"] == "lofi piano"
    assert client.get(f"/v1/takes/{take}/audio?format=exe").status_code == 422
    assert list((takes_folder / ".work").iterdir()) == []


def test_rare_formats_are_kept_as_wav(client, tmp_path, music):
    path = tmp_path / "rare.caf"
    soundfile.write(path, music(0.3).T, 44_100, format="CAF")
    take = upload(client, path.read_bytes(), "rare.caf")
    assert (take["format"], take["sample_rate"]) == ("wav", 44_100)


@pytest.mark.heavy
def test_edits_of_takes_know_their_parents(client, wav):
    own = upload(client, wav)
    edit = make(client, task="inpaint", take=own["id"], masks=["0.2-0.4s"])
    facts = client.get(f"/v1/takes/{edit}").json()
    assert (facts["parent"], facts["task"], facts["name"]) == (own["id"], "inpaint", "my song")
    # the recording that the edit began with is found among the takes
    varied = make(client, task="vary", take=edit, seed=4)
    assert client.get(f"/v1/takes/{varied}").json()["parent"] == edit
    recipe = client.get(f"/v1/takes/{varied}/recipe").json()
    assert recipe["variations"] == [{"seed": 4, "amount": 1.0}]


def test_a_grid_played_again_has_a_parent(client):
    first = make(client)
    second = make(client, parent=first, name="again", bpm=92, drums={"kick": [1, 0, 0, 0] * 4})
    facts = client.get(f"/v1/takes/{second}").json()
    assert (facts["parent"], facts["name"], facts["bpm"]) == (first, "again", 92)


def test_peaks(client, tmp_path):
    signal = np.zeros((2, 48_000), np.float32)
    signal[0, 12_345], signal[1, 47_999], signal[1, 0] = 0.5, -0.25, 0.75
    path = tmp_path / "clicks.wav"
    audio.write(path, signal, 48_000, subtype="FLOAT")
    take = upload(client, path.read_bytes())
    for _ in range(2):  # the second comes from a file
        found = client.get(f"/v1/takes/{take['id']}/peaks?width=100").json()
        assert np.argmax(found["max"][0]) == 25
        assert found["max"][0][25] == 0.5
        assert (found["min"][1][99], found["max"][1][0]) == (-0.25, 0.75)
        assert np.count_nonzero(found["max"]) + np.count_nonzero(found["min"]) == 3
    assert len(client.get(f"/v1/takes/{take['id']}/peaks").json()["min"][0]) == 2_000
    for width in (0, -1, 10**9, "x"):
        assert client.get(f"/v1/takes/{take['id']}/peaks?width={width}").status_code == 422


@pytest.mark.heavy
def test_the_spectrogram_is_that_of_the_pages(client, wav, tmp_path):
    from matplotlib.image import imread

    from jen1cli.pages import spectrogram as pages

    take = upload(client, wav)
    image = client.get(
        f"/v1/takes/{take['id']}/spectrogram?width={pages.COLUMNS}&height={pages.ROWS}"
    )
    assert image.headers["content-type"] == "image/png"
    levels = pages.spectrogram(audio.read(io.BytesIO(wav)), 48_000)
    own = imread(io.BytesIO(pages.spectrogram_png(levels)))
    seen = imread(io.BytesIO(image.content))
    assert seen.shape == own.shape
    assert np.abs(seen - own).mean() < 0.02  # the windows begin a few samples apart


PLAYED = Controls(
    bpm=120.0, meter="4/4", key="A", mode="minor", chords="Am | F",
    drums="kick x...x...x...x... snare ....x.......x...", melody="A4 - C5 - | E5 . . .",
)  # fmt: skip


def test_a_score():
    facts = score_facts([Passage(PLAYED, 0.0, 4.0)], heard=False)
    assert (facts["bpm"], facts["key"], facts["metre"]) == (120.0, "A minor", "4/4")
    assert facts["beats"] == [0.5 * beat for beat in range(8)]
    assert facts["bars"] == [0.0, 2.0]
    assert facts["chords"] == [
        {"start": 0.0, "end": 2.0, "name": "Am"}, {"start": 2.0, "end": 4.0, "name": "F"},
    ]  # fmt: skip
    assert facts["drums"]["kick"] == [1, 0, 0, 0] * 8
    assert facts["drums"]["snare"] == ([0] * 4 + [1] + [0] * 7 + [1] + [0] * 3) * 2
    assert [note["pitch"] for note in facts["melody"]] == [69, 72, 76]
    assert facts["melody"][0] == {"start": 0.0, "end": 1.0, "pitch": 69}
    assert {part["name"] for part in facts["parts"]} >= {"drums: drums", "lead: piano"}
    assert facts["heard"] is False


@pytest.mark.parametrize("late", [-0.003, 0.0, 0.003])
def test_an_edit_whose_grid_is_a_little_off_keeps_its_bar(late):
    first, last = Passage(PLAYED, 0.0, 2.0), Passage(PLAYED, 4.0, 6.0)
    edit = Passage(PLAYED.shifted(2.0 + late), 2.0, 4.0)
    facts = score_facts([first, edit, last], heard=False)
    assert facts["bars"] == pytest.approx([0.0, 2.0 + late, 4.0])
    assert len(facts["beats"]) == 12


@pytest.mark.heavy
def test_the_score_of_an_edit_is_that_of_its_recording_around_it(tiny, tmp_path):
    path = tmp_path / "in.wav"
    options = {"controls": Controls(bpm=120.0, meter="4/4", melody="A4 C5 E5 A5")}
    tiny.generate(seconds=1.0, seed=1, **options).save(path)
    edit = tiny.inpaint(path, [(0.4, 0.6)], seed=2)
    spans = [(item.start, item.stop) for item in played_passages(edit.recipe)]
    assert spans == [(0.0, 0.4), (0.4, 0.6), (0.6, 1.0)]
    before = tiny.continue_(path, 0.5, before=True, seed=2)
    spans = [(item.start, item.stop) for item in played_passages(before.recipe)]
    assert spans == [(0.0, 0.5), (0.5, 1.5)]


def test_scores_of_takes(client, wav):
    take = make(client, bpm=120, metre="4/4", chords="Am F")
    facts = client.get(f"/v1/takes/{take}/score").json()
    assert facts["chords"][0]["name"] == "Am"
    assert facts["heard"] is False
    midi = client.get(f"/v1/takes/{take}/midi")
    assert midi.content.startswith(b"MThd")
    own = upload(client, wav)["id"]
    heard = client.get(f"/v1/takes/{own}/score")
    assert heard.status_code == 200, heard.text
    assert heard.json()["heard"] is True
    assert client.get(f"/v1/takes/{own}/score").json() == heard.json()


def test_what_is_heard_has_guesses_and_says_what_is_sure():
    bar = HeardBar(
        0.0, 2.0, (HeardChord("Am", 0.9),) * 2, {"kick": "x..............."}, 0.2, (), 0.1
    )
    heard = Heard(
        seconds=2.0, bpm=120.0, meter="4/4", key="A", mode="minor", bars=(bar,),
        confidence={"tempo": 0.9, "meter": 0.9, "key": 0.9, "chords": 0.9, "drums": 0.2},
    )  # fmt: skip
    facts = heard_facts(heard)
    assert facts["chords"][0]["name"] == "Am"
    assert facts["drums"]["kick"][0] == 1
    assert facts["sure"] == ["tempo", "key", "chords", "meter"]
    assert facts["confidence"]["drums"] == 0.2
    silence = heard_facts(Heard(seconds=1.0, confidence={}, is_silent=True))
    assert (silence["bpm"], silence["sure"]) == (None, [])


@pytest.mark.skipif(os.name == "nt", reason="modes of folders")
def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, client, wav):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jen1cli.server.takes.os.rename", refuse)
    response = client.post("/v1/takes", files={"file": ("x.wav", wav)})
    assert response.status_code == 422
    assert "No space left" in response.json()["error"]["message"]
    assert client.get("/v1/takes").json() == []


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "\x00"])
def test_a_name_that_cannot_be_seen_is_refused(client, wav, name):
    take = upload(client, wav)["id"]
    answer = client.patch(f"/v1/takes/{take}", json={"name": name})
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "name"
    job = client.post("/v1/jobs", json={"task": "vary", "take": take, "name": name})
    assert (job.status_code, job.json()["error"]["param"]) == (422, "name")


def test_a_name_is_one_line_of_text(client, wav):
    take = upload(client, wav)["id"]
    answer = client.patch(f"/v1/takes/{take}", json={"name": " <b>a\x00b\r\nc </b> "})
    assert answer.json()["name"] == "<b>a b c </b>"
    sound = client.get(f"/v1/takes/{take}/audio?format=flac")
    assert "%00" not in sound.headers["content-disposition"]


def test_a_name_does_not_turn_the_words_around_it(client, wav):
    take = upload(client, wav, "so\u202egnp.wav")
    assert take["name"] == "sognp"
    answer = client.patch(f"/v1/takes/{take['id']}", json={"name": "\u2067a\u202eb\u200f שיר"})
    assert answer.json()["name"] == "ab שיר"
