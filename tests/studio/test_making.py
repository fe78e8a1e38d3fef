"""The page in a browser: making music, cancelling, hostile words, reload, a server that goes."""

import pytest

from studio_support import (
    current,
    drawn,
    fetched,
    make,
    take_ids,
    wait_for_take,
)

pytestmark = pytest.mark.heavy

HOSTILE = '<img src=x onerror="hacked=1"><script>hacked=1</script>&amp;\u202e"\''


def test_words_become_music_with_progress(page, gate):
    page.fill("#prompt", "lofi piano")
    page.fill("#seconds", "2")
    page.fill("#seed", "11")
    page.click("#make")
    page.wait_for_selector('.job[data-state="running"] progress[value]')
    assert " of 1000" in page.locator(".job .state").text_content()
    assert page.locator("#server").get_attribute("data-state") == "busy"
    gate.opened.set()
    take = wait_for_take(page, [])
    assert page.locator("#take-name").text_content() == "lofi piano"
    facts = fetched(page, f"/v1/takes/{take}")
    assert facts["seconds"] == 2.0
    assert facts["seed"] == 11
    assert page.locator(".job").count() == 0
    assert "lofi piano: done" in page.locator("#live").text_content()


def test_the_controls_of_the_form_are_played(page):
    page.select_option("#tonic", "D")
    page.select_option("#mode", "minor")
    page.locator("#drums-part label", has_text="My own").click()
    page.locator('#drums-part [data-name="kick"][data-step="0"]').click()
    page.locator('#drums-part [data-name="snare"][data-step="4"]').click()
    page.locator("#melody-part label", has_text="My own").click()
    page.locator('#melody-part [data-pitch="62"][data-step="0"]').click()
    take = make(page, chords="Dm Gm")
    guide = fetched(page, f"/v1/takes/{take}/recipe")["guide"]
    assert (guide["bpm"], guide["key"], guide["mode"]) == (120.0, "D", "minor")
    assert guide["chords"] == "Dm | Gm"
    assert guide["drums"] == "kick x............... snare ....x..........."
    assert guide["melody"].split()[:2] == ["D4", "."]
    assert page.locator("#chord-track button").first.text_content() == "Dm"


def test_several_takes_are_asked_for_at_once(page):
    page.select_option("#count", "2")
    make(page, seconds=1)
    page.wait_for_function("() => document.querySelectorAll('#takes li').length === 2")
    assert {fetched(page, f"/v1/takes/{take}")["seed"] for take in take_ids(page)} == {7, 8}


def test_what_the_server_refuses_is_said_and_its_field_marked(opened):
    page = opened(expected=["422"])
    page.fill("#prompt", "lofi piano")
    page.fill("#chords", "Am Hx")
    page.click("#make")
    page.wait_for_selector("#problem:not([hidden])")
    assert "'Hx' is no chord" in page.locator("#problem p").text_content()
    page.fill("#chords", "")
    page.fill("#bpm", "9")
    page.click("#make")
    assert "Tempo" in page.locator("#problem p").text_content()
    assert page.locator("#bpm").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "bpm"
    assert take_ids(page) == []


def test_a_job_is_cancelled(page, gate):
    page.fill("#prompt", "techno")
    page.click("#make")
    page.wait_for_selector('.job[data-state="running"]')
    page.get_by_role("button", name="Cancel techno").click()
    page.wait_for_selector(".job", state="detached")
    assert page.locator("#live").text_content() == "techno: cancelled"
    assert take_ids(page) == []
    assert fetched(page, "/health")["queue"]["running"] == 0


def test_hostile_words_are_shown_as_text(page):
    take = make(page, HOSTILE, seconds=1)
    name = HOSTILE.replace("\u202e", "")  # it would turn the words around the name
    assert page.locator("#take-name").text_content() == name
    assert page.locator("#takes .name").first.text_content() == name
    page.click("#take-menu summary")
    page.click("#take-rename")
    page.fill("#ask-input", HOSTILE[::-1])
    page.click("#ask-yes")
    page.wait_for_function("(name) => document.title.startsWith(name)", arg=name[::-1])
    page.evaluate(
        """async (message) => {
            (await import('/studio/js/state.js')).emit('problem', { message });
        }""",
        HOSTILE,
    )
    assert page.locator("#problem p").text_content() == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0
    assert current(page) == take


def test_a_reload_keeps_the_take_and_follows_the_job(page, gate):
    gate.opened.set()
    first = make(page, seconds=1)
    make(page, "techno", seconds=1)
    page.locator("#takes .name", has_text="lofi piano").click()
    gate.opened.clear()
    page.fill("#prompt", "celtic folk")
    page.click("#make")
    page.wait_for_selector('.job[data-state="running"]')
    page.select_option("#tonic", "E")
    page.fill("#chords", "Em Am")
    page.reload()
    assert drawn(page) == first
    form = [page.locator(f"#{name}").input_value() for name in ("prompt", "tonic", "chords")]
    assert form == ["celtic folk", "E", "Em Am"]
    assert page.locator("#mode").is_enabled()
    page.wait_for_selector('.job[data-state="running"]')
    assert page.locator(".job .name").text_content() == "celtic folk"
    before = take_ids(page)
    gate.opened.set()
    wait_for_take(page, before)
    assert page.locator("#take-name").text_content() == "celtic folk"


def test_a_server_that_goes_and_comes_back(opened, studio, gate):
    page = opened(expected=["net::ERR_", "404"])
    gate.opened.set()
    take = make(page, seconds=1)
    gate.opened.clear()
    page.fill("#prompt", "techno")
    page.click("#make")
    page.wait_for_selector('.job[data-state="running"]')
    studio.stop()
    page.wait_for_selector("#offline:not([hidden])")
    assert "does not answer" in page.locator("#offline p").text_content()
    assert page.locator("#make").is_disabled()
    assert current(page) == take
    studio.start()
    page.wait_for_selector("#offline", state="hidden")
    page.wait_for_selector('.job[data-state="failed"]')
    assert "started again" in page.locator(".job .state").text_content()
    gate.opened.set()
    before = take_ids(page)
    assert before == [take]
    page.get_by_role("button", name="Try again").click()
    wait_for_take(page, before)
    assert page.locator("#take-name").text_content() == "techno"


def test_an_answer_that_never_came_is_said(opened):
    page = opened(expected=["net::ERR_"])
    page.route("**/v1/takes", lambda route: route.abort())
    page.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"RIFF"})
    page.wait_for_selector("#problem:not([hidden])")
    assert "broke off" in page.locator("#problem p").text_content()
    assert page.locator("#offline").is_hidden()


def test_what_another_tab_made_is_seen_when_one_comes_back(opened):
    page, other = opened(), opened()
    take = make(other, seconds=1)
    assert page.locator("#takes li").count() == 0
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#takes li")
    assert drawn(page) == take
