"""Every page shows prompts, names and settings as text, whatever they hold."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.corpus import contact_sheet
from jen1cli.corpus.inspect import measure
from jen1cli.evaluation.page import render_page
from jen1cli.evaluation.report import Report, ReportClip, Table
from jen1cli.evaluation.studies.listening import ListenJob, System
from jen1cli.manifest import Clip, write_manifest
from jen1cli.pages.html import render, sound_uri

HOSTILES = {
    "scripts": "</script></style><script>alert('x')</script><img src=x onerror=\"alert(1)\">",
    "attributes": "\" onload=\"alert(1)\" x='y' onerror='alert(1)",
    "comments": "<!--<script>alert(1)//--> ]]> <![CDATA[ <!-- --!>",
    "elements": "</title></head></body></html><svg/onload=alert(1)><iframe srcdoc=x></iframe>",
    "entities": "&lt;script&gt; &amp;quot; &#60; & &;",
    "templates": "{{ 7 * 7 }} {% raw %} ${7*7} {# #} <%= 7 %>",
    "strings": "\\' \\\" \\u003cscript\\u003e \u2028 \u2029 `",
    "links": "javascript:alert(1) http://example.org/x.js data:text/html,<script>",
    "controls": "\x1b[31m\x07\x00\x7f\x9b\u202e\u2066\ufeff ü \U0001f3b5",
}
RATE = 48_000
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Page(HTMLParser):
    """Elements, event handlers and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.handlers, self.words, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self.links += [value for name, value in attributes if name in ("src", "href", "srcdoc")]

    def handle_data(self, data):
        self.words.append(data)


CASES = [("all", " ".join(HOSTILES.values())), *HOSTILES.items()]


@pytest.fixture(
    params=[
        pytest.param(text, id=name, marks=[] if name == "all" else pytest.mark.heavy)
        for name, text in CASES
    ]
)
def hostile(request):
    """A text that tries to be more than text; by default all of them in one."""
    return request.param


@pytest.fixture
def clip(tmp_path, hostile):
    tone = 0.1 * np.sin(np.arange(RATE) / 20)
    path = tmp_path / "music" / "a.wav"
    path.parent.mkdir()
    audio.write(path, np.stack([tone, tone]).astype(np.float32), RATE)
    facts = {"style": hostile, "bpm": 90.0, "key": hostile, "mode": hostile}
    clip = Clip(path, (hostile, hostile), 1.0, "test", facts)
    write_manifest(path.parent, [clip])
    return clip


def report_page(clip, folder, hostile):
    rows = ((hostile, 0.5, hostile), ("b", 1.0, None))
    tables = [
        Table("t", hostile, ("", hostile, "y"), rows, note=hostile, plot=kind)
        for kind in ("together", "apart")
    ]
    report = Report(hostile, {hostile: hostile}, tables, warnings=[hostile])
    report.judges = {hostile: hostile}
    report.audits = [{"folder": hostile, "used": 1, "clips": 2, "problems": {hostile: [hostile]}}]
    report.samples = [ReportClip(hostile, clip.path, (hostile,), (0.5, 3.0))]
    path = folder / "page.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path, 0


def sheet_page(clip, folder, hostile):
    path = folder / "page.html"
    contact_sheet.write(path, hostile, measure([clip]), [clip], 0.5, on_skip=print)
    return path, 0


def listening_page(clip, folder, hostile):
    systems = [System(hostile, clip.path.parent)]
    return ListenJob(systems, clips=1, seconds=0.5).write(folder / "page.html").path, 1


PAGES = {"report.html": report_page, "contact_sheet.html": sheet_page,
         "listening.html": listening_page}  # fmt: skip


def test_every_page_is_tested():
    templates = {path.name for path in (files("jen1cli.pages") / "templates").iterdir()}
    assert {name for name in templates if name.endswith(".html")} == {*PAGES, "base.html"}


@pytest.mark.parametrize("make", PAGES.values(), ids=PAGES.keys())
def test_no_page_runs_what_a_prompt_says(clip, tmp_path, make, hostile):
    path, scripts = make(clip, tmp_path, hostile)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == scripts
    assert "iframe" not in page.tags
    assert page.tags.count("svg") == text.count("<svg xmlns:xlink=")  # plots
    assert page.handlers == []
    assert page.tags.count("html") == page.tags.count("body") == 1
    shown = "".join(page.words)
    if scripts:
        values = shown.split("const STUDY = ")[1].split(";\n")[0]
        assert json.loads(values)["items"][0]["prompt"] == " ".join(hostile.split())
    else:
        assert CONTROLS.sub("\ufffd", hostile) in shown
    assert CONTROLS.search(text) is None
    assert all(link.startswith(("data:", "#")) for link in page.links), page.links


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
