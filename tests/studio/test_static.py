"""The files of the page, read as text: what may not stand in them, and what has to."""

import hashlib
import re
import runpy
from pathlib import Path

import pytest

from jen1cli.studio import page

OWN = sorted((page.STATIC / "js").glob("*.js"))
INDEX = (page.STATIC / "index.html").read_text(encoding="utf-8")
STYLES = "".join(path.read_text() for path in sorted((page.STATIC / "css").glob("*.css")))
VENDOR = page.STATIC / "vendor"
ROOT = Path(__file__).parents[2]
_UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
    r"|setAttribute\(.(?:style|on)|https?://(?!www\.w3\.org/2000/svg)"
)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_module_sets_text_only_as_text_and_is_small(path):
    source = path.read_text(encoding="utf-8")
    assert _UNSAFE.findall(source) == []
    assert len(source.splitlines()) < 250
    assert source.startswith("/**"), "it says what it is for"


def test_the_html_has_no_script_style_or_foreign_address_of_its_own():
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:|//", INDEX) == []
    assert INDEX.count("{{nonce}}") == 1


def test_every_element_that_a_module_names_is_in_the_html():
    ids = re.findall(r'\bid="([\w-]+)"', INDEX)
    assert len(ids) == len(set(ids))
    for path in OWN:
        named = re.findall(r'\$\("([\w-]+)"\)', path.read_text(encoding="utf-8"))
        assert set(named) <= set(ids), path.name
    for kind in ("aria-controls", "aria-labelledby", "for"):
        assert set(re.findall(rf'\b{kind}="([\w-]+)"', INDEX)) <= set(ids)


def test_every_import_and_file_of_the_html_exists():
    for path in OWN:
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8")):
            assert (path.parent / name).resolve().is_file(), f"{path.name}: {name}"
    for name in re.findall(r'(?:href|src)="/studio/([^"]+)"', INDEX):
        assert (page.STATIC / name).is_file(), name


def test_all_modules_are_asked_for_at_once():
    found = {path.relative_to(page.STATIC).as_posix() for path in page.STATIC.rglob("*.js")}
    preloaded = re.findall(r'rel="modulepreload" href="/studio/([^"]+)"', INDEX)
    assert sorted([*preloaded, "js/main.js"]) == sorted(found)


def test_the_library_of_others_is_as_it_came_and_in_the_bill_of_materials():
    bill = runpy.run_path(str(ROOT / ".ci" / "vendored.py"))["with_vendored"]({"components": [1]})
    first, library, network = bill["components"]
    assert first == 1
    assert network["purl"] == "pkg:pypi/basic-pitch@0.4.0"
    assert library["purl"] == "pkg:npm/wavesurfer.js@8.0.1"
    assert library["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert "BSD 3-Clause" in (VENDOR / "wavesurfer" / "LICENSE").read_text(encoding="utf-8")
    hashes = {item["name"]: item["hashes"][0]["content"] for item in library["components"]}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*.js")
    }
    assert found == hashes


def _colours(theme: str) -> dict[str, str]:
    block = re.search(rf":root{re.escape(theme)} {{(.*?)}}", STYLES, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block[1]))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["", '[data-theme="light"]'])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *((front, back, 4.5) for front in ("text", "quiet", "bad") for back in ("bg", "panel")),
        ("quiet", "raised", 4.5),
        ("quiet", "field", 4.5),
        ("accent", "panel", 4.5),
        ("on-accent", "accent-fill", 4.5),
        ("text", "chord", 4.5),
        # what is no text: WCAG 2.2, success criterion 1.4.11
        *((front, "panel", 3.0) for front in ("wave", "note", "stroke", "select", "played")),
    ],
)
def test_colours_have_the_contrast_that_wcag_asks_for(theme, front, back, least):
    colours = _colours(theme)
    light, dark = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_wheel_and_the_folder_hold_nothing_else():
    kinds = {path.suffix or path.name for path in page.STATIC.rglob("*") if path.is_file()}
    assert kinds == {".html", ".css", ".js", ".json", ".svg", "LICENSE"}
