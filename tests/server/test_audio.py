"""The synchronous routes: the bytes of the library, and errors that name what to mend."""

import base64
import io
import json
import re
from pathlib import Path
from unittest.mock import Mock

import pytest
import soundfile

from jen1cli import Jen1
from jen1cli.recipe import Recipe, read_recipe

SHORT = {"audio_length": 0.2, "seed": 3}


def post(client, task, wav=None, name="in.wav", source=None, **request):
    if wav is None and source is None:
        return client.post(f"/v1/audio/{task}", json=request)
    files = {"file": (name, wav)} if wav is not None else {}
    if source is not None:
        files["source"] = ("source", source)
    return client.post(f"/v1/audio/{task}", data={"request": json.dumps(request)}, files=files)


def fault(response):
    """Return status, code and field of an error, whose message is one line."""
    error = response.json()["error"]
    assert error.keys() == {"code", "message", "param"}
    assert error["message"]
    assert "\n" not in error["message"]
    assert "Traceback" not in response.text
    return response.status_code, error["code"], error["param"]


def recipe_of(response):
    return Recipe.from_json(base64.urlsafe_b64decode(response.headers["x-jen1-recipe"]).decode())


@pytest.mark.heavy
def test_generated_bytes_are_those_of_the_library(shared, tiny, tmp_path):
    response = post(shared, "generate", input="lofi piano", **SHORT)
    assert response.status_code == 200
    tiny.generate("lofi piano", seconds=0.2, seed=3).save(tmp_path / "own.wav")
    assert response.content == (tmp_path / "own.wav").read_bytes()
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["x-jen1-seed"] == "3"
    assert recipe_of(response) == read_recipe(io.BytesIO(response.content))
    assert 'filename="jen1-generate-3.wav"' in response.headers["content-disposition"]


@pytest.mark.parametrize(
    ("format_", "expected"),
    [("flac", "FLAC"), ("mp3", "MP3"), ("ogg", "OGG"), ("opus", "OGG"), ("aiff", "AIFF")],
)
def test_formats(shared, format_, expected):
    response = post(shared, "generate", response_format=format_, **SHORT)
    assert response.status_code == 200, response.text
    assert soundfile.info(io.BytesIO(response.content)).format.startswith(expected)


def test_bit_depth(shared):
    response = post(shared, "generate", bit_depth=24, **SHORT)
    assert soundfile.info(io.BytesIO(response.content)).subtype == "PCM_24"
    assert fault(post(shared, "generate", bit_depth=24, response_format="mp3", **SHORT))[0] == 422


def test_controls_reach_the_model(shared):
    written = {"bpm": 92, "metre": "3/4", "key": "D minor", "melody": "D5 - F5"}
    rows = {"kick": [1, 0, 0, 0] * 3, "snare": "..x"}
    response = post(shared, "generate", drums=rows, **written, **SHORT)
    controls = recipe_of(response).controls
    assert (controls.bpm, controls.meter, controls.key, controls.mode) == (92, "3/4", "D", "minor")
    assert controls.drums == "kick x...x...x... snare ..x"
    assert controls.melody == "D5 - F5"
    assert recipe_of(response).seconds == 0.2


@pytest.mark.heavy
def test_edits_keep_all_other_samples(shared, wav):
    inpainted = post(shared, "inpaint", wav, masks=["0.2-0.4s"], seed=1)
    assert inpainted.status_code == 200, inpainted.text
    assert json.loads(inpainted.headers["x-jen1-edited"]) == [[9600, 9600, False]]
    before, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    after, _ = soundfile.read(io.BytesIO(inpainted.content), dtype="int16")
    assert (before[:9600] == after[:9600]).all()
    assert (before[19200:] == after[19200:]).all()
    assert (before[9600:19200] != after[9600:19200]).any()
    assert recipe_of(inpainted).input.name == "in.wav"
    longer = post(shared, "continue", wav, side="left", audio_length=0.3, seed=1)
    after, _ = soundfile.read(io.BytesIO(longer.content), dtype="int16")
    assert (after[-len(before) :] == before).all()
    assert len(after) == len(before) + 14_400


@pytest.mark.heavy
def test_variations_of_a_file_and_of_a_recipe(shared, tiny, tmp_path):
    made = post(shared, "generate", **SHORT)
    varied = post(shared, "vary", made.content, seed=5, amount=0.5)
    assert varied.status_code == 200, varied.text
    recipe = read_recipe(io.BytesIO(made.content))
    tiny.vary(recipe, amount=0.5, seed=5).save(tmp_path / "own.wav")
    assert varied.content == (tmp_path / "own.wav").read_bytes()
    again = post(shared, "vary", recipe=recipe.to_dict(), seed=5, amount=0.5)
    assert again.content == varied.content


def test_the_recording_of_a_varied_edit_is_never_opened_by_its_name(shared, tiny, wav, tmp_path):
    """The recipe in an upload names a file that is there: it must not be read."""
    path = tmp_path / "secret.wav"
    path.write_bytes(wav)
    edit = tiny.inpaint(path, [(0.2, 0.4)], seed=1)
    response = post(shared, "vary", edit.to_bytes(), seed=2)
    assert fault(response) == (422, "invalid_audio", "file")
    assert "send it as 'source'" in response.json()["error"]["message"]
    assert str(tmp_path) not in response.text


@pytest.mark.heavy
def test_the_recording_of_a_varied_edit_can_be_sent(shared, tiny, wav, tmp_path):
    path = tmp_path / "in.wav"
    path.write_bytes(wav)
    edit = tiny.inpaint(path, [(0.2, 0.4)], seed=1)
    response = post(shared, "vary", edit.to_bytes(), source=wav, seed=2)
    assert response.status_code == 200, response.text
    assert response.content == tiny.vary(edit, seed=2).to_bytes()
    assert fault(post(shared, "vary", edit.to_bytes(), source=edit.to_bytes(), seed=2)) == (
        422, "wrong_file", "source",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"audio_length": -1}, (422, "invalid_value", "audio_length")),
        ({"audio_length": 1e9}, (422, "invalid_value", "audio_length")),
        ({"audio_length": "3"}, (422, "invalid_value", "audio_length")),
        ({"seed": -1}, (422, "invalid_value", "seed")),
        ({"seed": 2**63}, (422, "invalid_value", "seed")),
        ({"seconds": 3}, (422, "unknown_field", "seconds")),
        ({"response_format": "exe"}, (422, "invalid_value", "response_format")),
        ({"num_inference_steps": 0}, (422, "invalid_value", "num_inference_steps")),
        ({"sampler": "euler"}, (422, "invalid_value", "sampler")),
        ({"model": "other"}, (404, "model_not_found", "model")),
        ({"provenance": True}, (422, "cannot_sign", "provenance")),
        ({"chords": "Am H7"}, (422, "invalid_request", None)),
        ({"style": "unheard of"}, (422, "invalid_request", None)),
        ({"instruments": "kazoo"}, (422, "invalid_request", None)),
        ({"drums": {"gong": "x"}}, (422, "invalid_request", None)),
        ({"drums": {"kick": [2]}}, (422, "invalid_request", None)),
        ({"drums": {"kick": []}}, (422, "invalid_request", None)),
        ({"bpm": 1}, (422, "invalid_request", None)),
        ({"keep": ["chords"]}, (422, "invalid_request", None)),
        ({"keep": ["all"]}, (422, "invalid_value", "keep.0")),
        ({"score": "no base 64!"}, (422, "invalid_value", "score")),
        ({"score": base64.b64encode(b"no MIDI").decode()}, (422, "invalid_score", "score")),
        ({"controls": {"tempo": 3}}, (422, "invalid_request", None)),
        ({"controls": {"bpm": 92.0}, "bpm": 92}, (422, "invalid_request", None)),
        ({"loop": True, "audio_length": 3}, (422, "invalid_request", None)),
        ({"bars": 3}, (422, "invalid_request", None)),
        ({"input": "\x00"}, (422, "invalid_request", None)),
        ({"input": "x" * 5_000}, (422, "invalid_value", "input")),
    ],
)  # fmt: skip
def test_values_that_are_refused(shared, request_, expected):
    assert fault(shared.post("/v1/audio/generate", json=request_)) == expected


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"{", "application/json", (400, "invalid_json", None)),
        (b"[" * 100_000, "application/json", (400, "invalid_json", None)),
        (b'{"seed": 1, "seed": 2}', "application/json", (400, "invalid_json", None)),
        (b"\xff", "application/json", (400, "invalid_json", None)),
        (b"[]", "application/json", (422, "invalid_value", None)),
        (b"{}", "text/plain", (415, "wrong_type", None)),
        (b"{}", "", (415, "wrong_type", None)),
        (b"x", "multipart/form-data; boundary=a", (415, "wrong_type", None)),
    ],
)
def test_bodies_that_are_refused(shared, content, kind, expected):
    headers = {"content-type": kind} if kind else {}
    response = shared.post("/v1/audio/generate", content=content, headers=headers)
    assert fault(response) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (422, "invalid_audio", "file")),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", (422, "invalid_audio", "file")),
        (b"hello" * 100, (422, "invalid_audio", "file")),
        (None, (422, "missing_file", "file")),
    ],
)
def test_recordings_that_are_refused(client, content, expected, takes_folder):
    if content is None:
        response = client.post("/v1/audio/inpaint", json={"masks": ["0-1s"]})
    else:
        response = post(client, "inpaint", content, 'hören "x".wav', masks=["0-1s"])
        assert str(takes_folder) not in response.text
    assert fault(response) == expected
    assert list((takes_folder / ".work").iterdir()) == []


@pytest.mark.parametrize("mask", ["3-6s", "x", "0.4-0.2s", "bars:1-2"])
def test_masks_that_are_refused(shared, wav, mask):
    assert fault(post(shared, "inpaint", wav, masks=[mask]))[:2] == (422, "invalid_request")


def test_a_broken_multipart_body(shared):
    headers = {"content-type": "multipart/form-data; boundary=edge"}
    response = shared.post("/v1/audio/inpaint", content=b"--edge\r\nbroken", headers=headers)
    assert fault(response)[0] in (400, 422)


def test_a_recording_that_is_too_long(serving, wav):
    client = serving(limits={"audio_seconds": 0.5})
    assert fault(post(client, "inpaint", wav, masks=["0-0.1s"])) == (422, "invalid_length", "file")


def test_a_body_that_is_too_large(serving, wav, takes_folder):
    client = serving(limits={"upload_bytes": 10_000})
    assert fault(post(client, "inpaint", wav, masks=["0-0.1s"])) == (413, "too_large", "file")

    def chunks():  # without a length in front
        for _ in range(20):
            yield b"x" * 1_000

    response = client.post(
        "/v1/audio/generate", content=chunks(), headers={"content-type": "application/json"}
    )
    assert fault(response) == (413, "too_large", "file")
    assert list((takes_folder / ".work").iterdir()) == []


@pytest.mark.parametrize("name", ["seconds", "batch", "threads"])
def test_a_recipe_that_would_take_too_much(shared, tiny, name):
    values = tiny.generate(seconds=0.1, seed=1).recipe.to_dict()
    values[name] = {"seconds": 1e5, "batch": 200, "threads": 1_000}[name]
    assert fault(post(shared, "vary", recipe=values)) == (422, "invalid_request", None)


def test_faults_of_the_library_are_lines(client, monkeypatch, takes_folder):
    def broken(*_, **__):
        raise RuntimeError("secret\nof the inside")

    monkeypatch.setattr(Jen1, "generate", broken)
    response = post(client, "generate", **SHORT)
    assert fault(response) == (500, "internal_error", None)
    assert "secret" not in response.text
    for error, expected in ((MemoryError, "out_of_memory"), (SystemExit, "internal_error")):
        monkeypatch.setattr(Jen1, "generate", Mock(side_effect=error))
        assert fault(post(client, "generate", **SHORT))[1] == expected
    assert list((takes_folder / ".work").iterdir()) == []


def test_nothing_is_left_after_an_answer(client, takes_folder, wav):
    assert post(client, "generate", **SHORT).status_code == 200
    assert list((takes_folder / ".work").iterdir()) == []


def test_warnings_are_in_a_header(shared, monkeypatch):
    import logging

    real = Jen1.generate

    def warning(self, *given, **named):
        logging.getLogger("jen1cli.pipeline").warning("rather\nloud")
        return real(self, *given, **named)

    monkeypatch.setattr(Jen1, "generate", warning)
    response = post(shared, "generate", **SHORT)
    assert json.loads(response.headers["x-jen1-warnings"]) == ["rather loud"]


@pytest.mark.heavy
def test_the_bodies_of_the_docs_are_taken(shared, wav):
    """Each `curl` of docs/serve.md, with short music in place of what it asks for."""
    text = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
    posts = r"^curl [^\n]*?/v1/(audio/\w+|jobs) (.*?)(?=\n(?:curl|```))"
    commands = re.findall(posts, text, re.DOTALL | re.MULTILINE)
    assert len(commands) >= 6
    for route, rest in commands:
        body = json.loads(re.search(r"(?:-d '|request=)(\{.*\})'", rest)[1])
        body |= {"masks": ["0.1-0.2s"]} if "masks" in body else {}
        body |= {"audio_length": 0.1} if "inpaint" not in route and "vary" not in route else {}
        if "file=@" in rest and "vary" in route:
            wav = shared.post("/v1/audio/generate", json={"audio_length": 0.1}).content
        if "file=@" in rest:
            answer = post(shared, route.removeprefix("audio/"), wav, **body)
        else:
            answer = shared.post(f"/v1/{route}", json=body)
        assert answer.status_code in (200, 202), (rest, answer.text)
