"""The page in a browser: drag, replace, the score, undo, downloads, compare, files of one's own."""

import itertools
import json

import numpy as np
import pytest
import soundfile

from studio_support import (
    current,
    drag,
    drawn,
    fetched,
    make,
    selection,
    take_ids,
    until,
    wait_for_take,
)

pytestmark = pytest.mark.heavy
expect = pytest.importorskip("playwright.sync_api").expect  # waits for what the page shows


def recipe_of(page, take):
    return fetched(page, f"/v1/takes/{take}/recipe")


def sound_of(studio, take):
    return soundfile.read(next((studio.takes / take).glob("audio.*")), always_2d=True)[0]


def test_a_dragged_range_is_replaced_in_its_own_words(page, studio):
    first = make(page)
    drag(page, 0.26, 0.49)
    chosen = selection(page)
    assert chosen == {"start": 1.0, "end": 2.0}, "to the beats at 120 bpm"
    assert (page.input_value("#from"), page.input_value("#to")) == ("1", "2")
    page.fill("#repair-prompt", "soft drums")
    page.locator("#repair").get_by_role("button", name="Replace").click()
    second = wait_for_take(page, [first])
    recipe = recipe_of(page, second)
    assert recipe["task"] == "inpaint"
    assert recipe["prompt"] == "soft drums"
    assert recipe["masks"] == [[1.0, 2.0]]
    assert recipe["guide"]["bpm"] == 120.0
    assert recipe["guide"]["chords"] == "F", "the chord of the bar nearest to 1 s"
    assert fetched(page, f"/v1/takes/{second}")["parent"] == first
    before, after = sound_of(studio, first), sound_of(studio, second)
    rate = 48_000
    np.testing.assert_array_equal(before[:rate], after[:rate])
    np.testing.assert_array_equal(before[2 * rate :], after[2 * rate :])
    assert (before[rate : 2 * rate] != after[rate : 2 * rate]).any()
    expect(page.locator("#take-name")).to_have_text("lofi piano")


def test_a_range_is_chosen_with_the_keyboard_alone(page):
    make(page)
    page.locator("#waveform").focus()
    for key in ("ArrowRight", "ArrowRight", "[", "ArrowRight", "]"):
        page.keyboard.press(key)
    assert selection(page) == {"start": 1.0, "end": 1.5}
    page.fill("#to", "3.25")
    assert selection(page) == {"start": 1.0, "end": 3.25}
    page.locator("#waveform").focus()
    page.keyboard.press("Escape")
    assert selection(page) is None


def test_times_that_are_typed_are_not_moved_to_beats(page):
    make(page, seconds=2)
    page.fill("#from", "0.3")
    page.fill("#to", "0.77")
    page.keyboard.press("Tab")
    assert selection(page) == {"start": 0.3, "end": 0.77}
    assert (page.input_value("#from"), page.input_value("#to")) == ("0.3", "0.77")


def test_an_edited_chord_is_played_again_and_undone(page):
    first = make(page)
    page.locator('#chord-track [data-bar="1"]').click()
    page.fill("#bar-chords", "Dm7 G7")
    page.locator('#bar-drums [data-name="snare"][data-step="4"]').click()
    page.locator('#bar-melody [data-pitch="69"][data-step="0"]').click()
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("#changed p").text_content() == (
        "You changed chords, drums and melody in bar 2."
    )
    page.get_by_role("button", name="Play bar 2 again").click()
    second = wait_for_take(page, [first])
    recipe = recipe_of(page, second)
    assert recipe["masks"] == [[2.0, 4.0]]
    assert recipe["guide"]["chords"] == "Dm7 G7 |"
    assert recipe["guide"]["drums"] == "snare ....x..........."
    assert recipe["guide"]["melody"].split()[:3] == ["A4", "-", "."]
    expect(page.locator('#chord-track [data-bar="1"]')).to_have_text("Dm7 G7")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    assert drawn(page) == first
    expect(page.locator('#chord-track [data-bar="1"]')).to_have_text("F")
    expect(page.locator("#undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    assert drawn(page) == second
    assert page.locator("#trail li").all_text_contents() == ["Made", "Part replaced"]
    page.locator("#trail button").first.click()
    assert current(page) == first


def test_the_whole_piece_is_played_again_with_the_same_noise(page):
    first = make(page)
    page.locator('#chord-track [data-bar="0"]').click()
    page.fill("#bar-chords", "Em")
    page.get_by_role("button", name="Play it all again").click()
    second = wait_for_take(page, [first])
    recipe = recipe_of(page, second)
    assert recipe["guide"]["chords"] == "Em | F"
    assert recipe["seed"] == recipe_of(page, first)["seed"]


def test_a_drum_step_is_changed_on_its_track_and_put_back(page):
    make(page, seconds=2)
    track = page.locator("#drum-track").bounding_box()
    page.mouse.click(track["x"] + 5, track["y"] + 5)
    expect(page.locator("#changed p")).to_have_text("You changed drums in bar 1.")
    page.mouse.click(track["x"] + 5, track["y"] + 5)
    assert page.locator("#changed").is_hidden()


def test_music_is_extended_on_both_sides_and_varied(page):
    takes = [make(page, seconds=2)]
    page.click("#tab-extend")
    page.fill("#extend-seconds", "1.5")
    page.locator("#extend").get_by_role("button", name="Extend").click()
    takes.append(wait_for_take(page, takes))
    page.locator("#extend label", has_text="Before the beginning").click()
    page.locator("#extend").get_by_role("button", name="Extend").click()
    takes.append(wait_for_take(page, takes))
    recipes = [recipe_of(page, take) for take in takes]
    assert [recipe["before"] for recipe in recipes] == [False, False, True]
    assert fetched(page, f"/v1/takes/{takes[2]}")["seconds"] == 5.0
    page.locator("#trail button").first.click()
    drawn(page)
    page.click("#tab-vary")
    page.fill("#amount", "0.3")
    page.fill("#vary-prompt", "techno")
    page.locator("#vary").get_by_role("button", name="Vary").click()
    varied = wait_for_take(page, takes)
    assert recipe_of(page, varied)["prompt"] == "techno"
    assert recipe_of(page, varied)["variations"][0]["amount"] == 0.3


@pytest.mark.parametrize(
    ("label", "ending", "head"),
    [("WAV", ".wav", b"RIFF"), ("FLAC", ".flac", b"fLaC"), ("MP3", ".mp3", b""),
     ("MIDI", ".mid", b"MThd"), ("Recipe", ".json", b"{")],
)  # fmt: skip
def test_everything_can_be_downloaded(page, tmp_path, label, ending, head):
    make(page, seconds=1)
    page.click("#downloads summary")
    with page.expect_download() as started:
        page.get_by_role("link", name=label, exact=True).click()
    download = started.value
    assert download.suggested_filename == f"lofi piano{ending}"
    path = tmp_path / f"file{ending}"
    download.save_as(path)
    assert path.read_bytes().startswith(head)
    if label == "Recipe":
        assert json.loads(path.read_text())["prompt"] == "lofi piano"
    if label in ("WAV", "FLAC", "MP3"):
        assert soundfile.info(path).samplerate == 48_000


def test_changes_of_the_score_are_undone_one_by_one_and_kept_until_they_are_played(page):
    first = make(page, seconds=2)
    second = make(page, "techno", seconds=2)
    changed, chords = page.locator("#changed p"), page.locator('#chord-track [data-bar="0"]')
    chords.click()
    page.keyboard.type("Dm7")  # three letters, one change
    page.locator('#bar-drums [data-name="snare"][data-step="4"]').click()
    assert changed.text_content() == "You changed chords and drums in bar 1."
    page.keyboard.press("Control+z")
    assert changed.text_content() == "You changed chords in bar 1."
    page.locator("#bar-chords").focus()
    page.keyboard.press("Control+z")
    assert (chords.text_content(), page.locator("#bar-chords").input_value()) == ("Am", "Am")
    assert page.locator("#changed").is_hidden()
    assert current(page) == second
    page.keyboard.press("Control+Shift+z")
    assert chords.text_content() == "Dm7"
    page.locator("#takes .name", has_text="lofi piano").click()
    assert drawn(page) == first
    assert page.locator("#changed").is_hidden()
    assert page.locator("#undo").is_disabled()
    page.locator("#takes .name", has_text="techno").click()
    assert drawn(page) == second
    assert chords.text_content() == "Dm7", "what was not played is still there"
    page.click("#again-discard")
    page.click("#undo")
    assert chords.text_content() == "Dm7"


def test_the_words_of_an_edit_belong_to_the_piece_that_they_were_written_for(page):
    make(page, seconds=1)
    page.fill("#repair-prompt", "drum fill")
    make(page, "techno", seconds=1)
    assert page.locator("#repair-prompt").input_value() == ""
    page.locator("#takes .name", has_text="lofi piano").click()
    assert page.locator("#repair-prompt").input_value() == "drum fill"


def test_two_takes_are_compared_at_one_place(page):
    first = make(page)
    second = make(page, "techno")
    page.get_by_role("button", name="Compare with the open take: lofi piano").click()
    page.wait_for_selector("#compared canvas")
    player = "import('/studio/js/player.js').then((m) => [m.heardId(), m.time()])"
    page.locator("#waveform").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => document.querySelector('#now').textContent === '0:02.0'")
    assert page.evaluate(player) == [second, 2.0]
    page.keyboard.press("b")
    assert page.evaluate(player) == [first, 2.0]
    assert page.locator("#ab input:checked").get_attribute("value") == first
    page.keyboard.press("1")
    assert page.evaluate(player) == [second, 2.0]
    page.get_by_role("button", name="Put lofi piano away").click()
    assert page.locator("#ab").is_hidden()


def test_space_plays_and_a_selection_goes_round(page):
    make(page, seconds=2)
    page.fill("#from", "0.5")
    page.fill("#to", "0.9")
    page.locator("#waveform").focus()
    page.keyboard.press(" ")
    page.wait_for_selector('#play[aria-label="Pause"]')
    page.keyboard.press(" ")
    page.wait_for_selector('#play[aria-label="Play"]')
    page.get_by_role("button", name="Loop it").click()
    time = "import('/studio/js/player.js').then((m) => m.time())"
    seen = []
    for _ in range(60):
        seen.append(page.evaluate(time))
        page.wait_for_timeout(25)
    assert min(seen) >= 0.49
    assert max(seen) < 1.2, "it went on behind the selection"
    assert any(later < earlier for earlier, later in itertools.pairwise(seen))


def test_space_plays_after_a_click_and_presses_what_keys_reached(page):
    make(page, seconds=2)
    second = make(page, "techno", seconds=2)
    page.get_by_role("button", name="Compare with the open take: lofi piano").click()
    for place in ("", "#ab label:last-child", "#loop"):
        if place:
            page.click(place)
        page.keyboard.press(" ")
        page.wait_for_selector('#play[aria-label="Pause"]')
        page.keyboard.press(" ")
        page.wait_for_selector('#play[aria-label="Play"]')
    assert current(page) == second
    assert page.locator("#loop").get_attribute("aria-pressed") == "true"
    page.locator("#takes li.open .name").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    assert page.locator("#ab").is_hidden()
    label = "Compare with the open take: lofi piano"
    assert page.evaluate("document.activeElement.ariaLabel") == label, "the focus stays there"
    page.keyboard.press("ArrowUp")
    assert page.locator("#takes li.open .name:focus").count() == 1


def test_a_take_that_another_tab_deleted_leaves_the_list(opened):
    page = opened(expected=("404",))
    take = make(page, seconds=1)
    assert page.request.delete(f"{page.evaluate('location.origin')}/v1/takes/{take}").ok
    page.click("#tab-vary")
    page.locator("#vary").get_by_role("button", name="Vary").click()
    page.wait_for_selector("#takes li", state="detached")
    assert "no such take" in page.locator("#problem").text_content()
    assert page.locator("#empty").is_visible()


def test_a_take_is_renamed_and_deleted(page):
    first = make(page, seconds=1)
    make(page, "techno", seconds=1)
    page.get_by_role("button", name="Rename techno").click()
    page.fill("#ask-input", "Drums, first try")
    page.keyboard.press("Enter")
    page.wait_for_selector("#takes .name:has-text('Drums, first try')")
    names = page.locator("#downloads a").evaluate_all("(all) => all.map((a) => a.download)")
    assert names[-1] == "Drums, first try.json"
    page.get_by_role("button", name="Delete Drums, first try").click()
    page.click("#ask-no")
    assert len(take_ids(page)) == 2
    page.get_by_role("button", name="Delete Drums, first try").click()
    page.click("#ask-yes")
    page.wait_for_function("() => document.querySelectorAll('#takes li').length === 1")
    assert take_ids(page) == [first]
    assert drawn(page) == first


def test_a_file_of_ones_own_is_dropped_heard_and_edited(opened, studio, tmp_path, music):
    page = opened(expected=["404", "415", "422"])
    soundfile.write(tmp_path / "my <b>song.wav", music(2.0).T, 48_000)
    data = (tmp_path / "my <b>song.wav").read_bytes()
    drop = """([name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name));
        for (const type of ['dragover', 'drop'])
            window.dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true }));
    }"""
    page.evaluate(drop, ["my <b>song.wav", list(data)])
    take = wait_for_take(page, [])
    expect(page.locator("#take-name")).to_have_text("my <b>song")
    assert page.locator("#heard").text_content().startswith(("Heard in this", "No steady beat"))
    page.click("#tab-vary")
    assert page.locator("#vary-none").is_visible()
    page.click("#downloads summary")
    assert page.locator("#downloads li").all_text_contents() == ["WAV", "FLAC", "MP3"]
    page.click("#tab-repair")
    page.fill("#from", "0.5")
    page.fill("#to", "1")
    page.fill("#repair-prompt", "soft drums")
    page.locator("#repair").get_by_role("button", name="Replace").click()
    second = wait_for_take(page, [take])
    assert recipe_of(page, second)["masks"] == [[0.5, 1.0]]
    page.evaluate(drop, ["notes.wav", list(b"this is no audio, but a text")])
    page.wait_for_selector("#problem.bad:not([hidden])")
    assert "notes.wav" in page.locator("#problem p").text_content()
    assert len(take_ids(page)) == 2


def test_half_an_hour_does_not_freeze_the_page(opened, studio, tmp_path):
    page = opened(expected=["404"])
    rate, seconds = 8_000, 1_800
    time = np.arange(rate) / rate
    second = 0.3 * np.sin(2 * np.pi * 220 * time) * np.exp(-4 * time)
    soundfile.write(tmp_path / "long.flac", np.tile(second, seconds), rate)
    page.evaluate(
        """() => {
            window.longest = 0;
            new PerformanceObserver((list) => {
                for (const { duration } of list.getEntries())
                    window.longest = Math.max(window.longest, duration);
            }).observe({ type: 'longtask' });
        }"""
    )
    page.set_input_files("#file", tmp_path / "long.flac")
    waveform = (
        "document.querySelector('#waveform > div').shadowRoot.querySelector('canvas') !== null"
    )
    until(page, f"async () => {waveform}", seconds=90)
    page.wait_for_function("() => document.querySelector('#length').textContent === '/ 30:00'")
    for _ in range(8):
        page.click("#zoom-in")
    page.locator("#waveform").focus()
    page.keyboard.press("End")
    assert page.evaluate("window.longest") < 1_500, "milliseconds without an answer"
    assert page.evaluate("performance.memory.usedJSHeapSize") < 60e6
