"""The page and a recording of one's own: what is unsure in its score, and how new an edit is."""

import json

import numpy as np
import pytest
import soundfile

from studio_support import drawn, make, take_ids, until, wait_for_take

pytestmark = pytest.mark.heavy
HEARD = {
    "bpm": 120.0, "key": "A dorian", "metre": "4/4", "beats": [0.0, 0.5, 1.0, 1.5],
    "bars": [0.0, 2.0], "chords": [{"start": 0.0, "end": 4.0, "name": "Am"}],
    "drums": {"kick": [1, 0, 0, 0]}, "melody": [{"start": 0.0, "end": 0.5, "pitch": 69}],
    "parts": [], "heard": True, "sure": ["tempo", "chords", "meter"],
    "confidence": {"tempo": 0.93, "meter": 0.8, "key": 0.61, "chords": 0.7, "drums": 0.34,
                   "melody": 0.2},
}  # fmt: skip


@pytest.fixture
def own(opened, tmp_path):
    """Return a function that opens a recording which repeats, with the score given, or none."""

    def open_own(score=None):
        page = opened(expected=["404"])
        if score is not None:
            page.route("**/score", lambda route: route.fulfill(json=score))
        rate = 24_000
        beat = np.random.default_rng(1).standard_normal(rate // 2) * np.exp(
            -np.arange(rate // 2) / 2_000
        )
        soundfile.write(tmp_path / "own.wav", 0.2 * np.tile(beat, 16), rate)
        page.set_input_files("#file", tmp_path / "own.wav")
        wait_for_take(page, [])
        return page

    return open_own


def test_what_is_unsure_is_grey_and_said_with_its_percentage(own):
    page = own(HEARD)
    assert page.locator("#heard").text_content() == (
        "Heard in this recording: 120 bpm 93 %, 4/4 80 %, A dorian? unsure, 61 %, chords 70 %,"
        " drums? unsure, 34 %, melody? unsure, 20 %. You can change the score, and play it again"
        " bar by bar."
    )
    assert page.locator("#heard .unsure").count() == 3
    lanes = page.locator(".lane.unsure .doubt").all_text_contents()
    assert lanes == ["drums unsure: ? 34 %", "melody unsure: ? 20 %"]
    assert "drums unsure: ? 34 %" in page.locator("#score").aria_snapshot()
    grey = "(node) => getComputedStyle(node).opacity"
    assert page.locator("#drum-track").evaluate(grey) == "0.5"
    assert page.locator(".lane.chords").get_attribute("class") == "lane chords"


def test_music_that_was_made_here_has_no_marks_of_doubt(page):
    make(page, seconds=2)
    assert page.locator("#heard").is_hidden()
    assert page.locator(".lane.unsure").count() == 0
    assert "".join(page.locator(".doubt").all_text_contents()) == ""


def sent(page, click):
    """Return the body of the job that a click asks for, which is answered with a refusal."""
    refusal = {"error": {"code": "test", "message": "not now"}}

    def refuse(route):
        route.fulfill(status=400, body=json.dumps(refusal), content_type="application/json")

    page.route("**/v1/jobs", refuse)
    with page.expect_request("**/v1/jobs") as request:
        click()
    page.unroute("**/v1/jobs")
    return request.value.post_data_json


@pytest.mark.parametrize("form", ["repair", "extend"])
def test_the_novelty_is_sent_as_it_was_chosen(opened, form):
    page = opened(expected=["400"])
    make(page, seconds=2)
    page.click(f"#tab-{form}")
    if form == "repair":
        page.fill("#from", "0.5")
        page.fill("#to", "1")
    ask = page.locator(f"#{form} button.primary").click
    told = page.locator(f"#{form}-novelty-text")
    assert told.text_content() == "all new music"
    assert "novelty" not in sent(page, ask), "as without the page: words and score lead"
    for value, words in [
        ("0", "the words change nothing"),
        ("0.3", "what repeats, changed"),
        ("1", "nothing is copied"),
    ]:
        page.select_option(f"#{form}-novelty", value)
        assert told.text_content() == words
        assert sent(page, ask)["novelty"] == float(value)


def test_a_recording_is_repaired_from_what_it_repeats_also_the_second_time(own, studio):
    page = own()
    page.click("#tab-repair")
    told = page.locator("#repair-novelty-text")
    assert told.text_content() == "what the recording repeats, else new music"
    page.fill("#repair-prompt", "soft drums")
    assert told.text_content() == "all new music"
    page.fill("#repair-prompt", "")
    for start in (4, 6):
        before = take_ids(page)
        page.fill("#from", str(start))
        page.fill("#to", str(start + 0.5))
        page.locator("#repair").get_by_role("button", name="Replace").click()
        take = wait_for_take(page, before)
        recipe = page.request.get(f"{studio.url}/v1/takes/{take}/recipe").json()
        assert recipe["copies"][0]["start"] == start
        assert recipe["prompt"] == ""
        assert drawn(page) == take


def test_the_panel_of_a_chosen_part_and_of_changes_is_in_sight(opened):
    page = opened(viewport={"width": 1280, "height": 640})
    make(page, seconds=2)
    seen = """(selector) => {
        const box = document.querySelector(selector).getBoundingClientRect();
        const view = document.querySelector('.edit').getBoundingClientRect();
        return box.height > 0 && box.top >= view.top - 1 && box.bottom <= view.bottom + 1;
    }"""
    for tab in ("extend", "vary", "repair"):
        page.locator("#editor").evaluate("(node) => node.scrollTo(0, 0)")
        page.locator(f"#tab-{tab}").dispatch_event("click")
        assert page.evaluate(seen, f"#{tab} button.primary"), tab
    page.locator('#chord-track [data-bar="0"]').click()
    page.fill("#bar-chords", "Em")
    page.locator("#editor").evaluate("(node) => node.scrollTo(0, 0)")
    until(page, f"async () => ({seen})('#again-bars')", seconds=10)


def test_listening_can_be_stopped_and_the_file_is_edited_all_the_same(opened, tmp_path):
    page = opened()
    page.route("**/score", lambda route: None)  # the server listens on
    soundfile.write(tmp_path / "own.wav", np.full(24_000, 0.1), 24_000)
    page.set_input_files("#file", tmp_path / "own.wav")
    page.get_by_role("button", name="Stop").wait_for()
    page.click("#tab-vary")
    assert page.locator("#vary-none").is_visible()
    assert page.locator("#vary button.primary").is_hidden()
    page.click("#tab-repair")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("#heard", state="hidden")
    assert page.locator("#offline").is_hidden(), "the server is there"
    assert page.locator("#problem").is_hidden()
    page.fill("#from", "0.2")
    page.fill("#to", "0.4")
    assert page.locator("#repair button.primary").is_enabled()
