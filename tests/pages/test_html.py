"""Every page shows prompts, names and settings as text, whatever they hold."""

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.corpus import contact_sheet
from jen1cli.corpus.inspect import measure
from jen1cli.evaluation.page import render_page
from jen1cli.evaluation.report import Report, Sample, Table
from jen1cli.evaluation.studies.listening import ListenJob, System
from jen1cli.manifest import Clip, write_manifest
from jen1cli.pages.html import render, sound_uri

HOSTILE = (
    "</script></style><script>alert('x')</script><img src=x onerror=\"alert(1)\">{{ 7 * 7 }} & ü"
)
RATE = 48_000


class Page(HTMLParser):
    """Elements, event handlers and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.handlers, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def clip(tmp_path):
    tone = 0.1 * np.sin(np.arange(RATE) / 20)
    path = tmp_path / "music" / "a.wav"
    path.parent.mkdir()
    audio.write(path, np.stack([tone, tone]).astype(np.float32), RATE)
    facts = {"style": HOSTILE, "bpm": 90.0, "key": HOSTILE, "mode": HOSTILE}
    clip = Clip(path, (HOSTILE, HOSTILE), 1.0, "test", facts)
    write_manifest(path.parent, [clip])
    return clip


def report_page(clip, folder):
    rows = ((HOSTILE, 0.5, HOSTILE), ("b", 1.0, None))
    tables = [
        Table("t", HOSTILE, ("", HOSTILE, "y"), rows, note=HOSTILE, plot=kind)
        for kind in ("together", "apart")
    ]
    report = Report(HOSTILE, {HOSTILE: HOSTILE}, tables, warnings=[HOSTILE])
    report.listeners = {HOSTILE: HOSTILE}
    report.audits = [{"folder": HOSTILE, "used": 1, "clips": 2, "problems": {HOSTILE: [HOSTILE]}}]
    report.samples = [Sample(HOSTILE, clip.path, (HOSTILE,), (0.5, 3.0))]
    path = folder / "page.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path, 0


def sheet_page(clip, folder):
    path = folder / "page.html"
    contact_sheet.write(path, HOSTILE, measure([clip]), [clip], 0.5, on_skip=print)
    return path, 0


def listening_page(clip, folder):
    systems = [System(HOSTILE, clip.path.parent)]
    return ListenJob(systems, clips=1, seconds=0.5).write(folder / "page.html").path, 1


@pytest.mark.parametrize("make", [report_page, sheet_page, listening_page])
def test_no_page_runs_what_a_prompt_says(clip, tmp_path, make):
    path, scripts = make(clip, tmp_path)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == scripts
    assert page.handlers == []
    shown = "".join(page.words)
    if scripts:
        values = shown.split("const STUDY = ")[1].split(";\n")[0]
        assert json.loads(values)["items"][0]["prompt"] == HOSTILE
    else:
        assert HOSTILE in shown
    assert 'src="http' not in text


def test_a_value_that_a_template_misses_is_a_mistake():
    with pytest.raises(Exception, match="'facts' is undefined"):
        render("contact_sheet.html", title="x", tables={}, clips=[])


def test_sounds_are_vorbis_that_ends_in_silence():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 200_000)).astype(np.float32)
    head, content = sound_uri(noise, RATE).split(",")
    assert head == "data:audio/ogg;base64"
    read, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    assert (read.shape, rate) == ((200_000, 2), RATE)
    assert np.abs(read[-20:]).max() < 0.05 < np.abs(read[:1000]).max()
