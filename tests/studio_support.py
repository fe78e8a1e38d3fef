"""What a person does on the page of the studio, for its tests."""

import time

PROMPT = "lofi piano"
CHORDS = "Am F C G"


def make(page, prompt=PROMPT, *, seconds=4, bpm=120, chords=CHORDS, **fields):
    """Fill the form, ask for music and wait until it is open; return the id of the take."""
    before = take_ids(page)
    page.fill("#prompt", prompt)
    page.select_option("#metre", "4/4")
    given = {"seconds": seconds, "bpm": bpm, "chords": chords, "seed": 7, **fields}
    for name, value in given.items():
        page.fill(f"#{name}", "" if value is None else str(value))
    page.click("#make")
    return wait_for_take(page, before)


def take_ids(page):
    """Return the ids of all takes, the newest first."""
    return [take["id"] for take in page.request.get(f"{origin(page)}/v1/takes").json()]


def origin(page):
    return page.evaluate("location.origin")


def fetched(page, path):
    """Return the JSON values at a path of the server."""
    return page.request.get(f"{origin(page)}{path}").json()


def until(page, script, given=None, seconds=90):
    """Wait until an asynchronous function of the page returns something true, and return it."""
    end = time.monotonic() + seconds
    while not (found := page.evaluate(script, given)):
        assert time.monotonic() < end, f"never came true: {script}"
        page.wait_for_timeout(20)
    return found


def wait_for_take(page, before):
    """Wait until a take that was not there before is open and drawn; return its id."""
    until(
        page,
        """async (before) => {
            const { state } = await import('/studio/js/state.js');
            return state.current && !before.includes(state.current);
        }""",
        before,
    )
    return drawn(page)


def drawn(page):
    """Wait until the waveform of the open take and its score are there; return its id."""
    return until(
        page,
        """async () => {
            const { state } = await import('/studio/js/state.js');
            const { edit } = await import('/studio/js/sheet.js');
            const { view } = await import('/studio/js/stage.js');
            const root = document.querySelector('#waveform > div').shadowRoot;
            return edit.score && view.width && root.querySelector('canvas') && state.current;
        }""",
    )


def current(page):
    """Return the id of the open take."""
    return page.evaluate("import('/studio/js/state.js').then((m) => m.state.current)")


def selection(page):
    """Return the selection of the page: start and end, or None."""
    return page.evaluate("import('/studio/js/state.js').then((m) => m.state.selection)")


def drag(page, start, end, *, hold=0.0):
    """Drag over the waveform, between two fractions of its width, after seconds of holding."""
    page.locator("#waveform").scroll_into_view_if_needed()
    box = page.locator("#waveform").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.wait_for_timeout(1_000 * hold)
    for part in (0.2, 0.6, 1.0):
        page.mouse.move(box["x"] + (start + part * (end - start)) * box["width"], y)
    page.mouse.up()
