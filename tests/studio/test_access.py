"""The page in a browser: keyboard, names for screen readers, phone width, themes, policy."""

import pytest

from studio_support import drag, make, selection, until

pytestmark = pytest.mark.heavy

NAMELESS = """() => [...document.querySelectorAll(
        'button, input, select, textarea, a, summary, [tabindex="0"]')]
    .filter((node) => node.checkVisibility())
    .filter((node) => {
        const labels = [...(node.labels ?? [])].map((label) => label.textContent).join('');
        const by = node.getAttribute('aria-labelledby');
        const words = [node.getAttribute('aria-label'), labels, node.textContent,
            by && document.getElementById(by)?.textContent];
        return !words.some((text) => text?.trim());
    })
    .map((node) => node.outerHTML.slice(0, 120))"""
ROLES = """() => [...document.querySelectorAll('canvas')].filter((node) =>
    !node.closest('[aria-hidden]') && node.getAttribute('aria-hidden') !== 'true'
    && !(node.getAttribute('role') === 'img' && node.getAttribute('aria-label'))).length"""


def test_everything_has_a_name_for_screen_readers(page):
    make(page, seconds=2)
    page.locator("#drums-part label", has_text="My own").click()
    page.locator("#melody-part label", has_text="My own").click()
    page.locator("#chord-track button").first.click()
    page.locator("details.more summary").click()
    for tab in ("repair", "extend", "vary"):
        page.click(f"#tab-{tab}")
        assert page.evaluate(NAMELESS) == []
    assert page.evaluate(ROLES) == 0


def test_the_keyboard_reaches_and_writes_everything(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#drums-part input[value=auto]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.locator("#drums-part .cell").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    pressed = page.locator('#drums-part [aria-pressed="true"].cell')
    assert pressed.get_attribute("aria-label") == "snare, step 3 of 16"
    assert page.locator('#drums-part .cell[tabindex="0"]').count() == 1
    page.locator("#theme").focus()
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#shortcuts").is_hidden()
    page.keyboard.press("g")
    page.keyboard.type("techno, ? l")
    assert page.input_value("#prompt") == "techno, ? l", "no shortcut while words are written"
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_a_list_of_takes_is_one_stop_of_the_tab_key(page):
    for _ in range(3):
        make(page, seconds=1)
    reached = '#takes li:has(button[tabindex="0"])'
    assert page.locator(reached).count() == 1
    page.locator("#takes li.open .name").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#takes li:nth-child(2) .name:focus").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert page.locator("#takes li:nth-child(3) button:focus:not(.name)").count() == 1
    assert page.locator(reached).count() == 1
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.locator("#takes :focus").count() == 0


def test_a_phone_shows_it_in_three_parts_without_scrolling_sideways(opened):
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True)
    wide = """[document.scrollingElement, document.querySelector('main')].some(
        (node) => node.scrollWidth > 390)"""
    assert not page.evaluate(wide)
    page.locator("#drums-part label", has_text="My own").click()
    make(page, seconds=2)
    assert page.evaluate("document.body.dataset.view") == "edit", "what was made is shown"
    page.locator("#chord-track button").first.click()
    assert not page.evaluate(wide)
    drag(page, 0.3, 0.7, hold=0.3)  # a short touch would scroll
    assert selection(page) is not None
    page.locator(".views").get_by_role("button", name="Takes").click()
    assert page.locator("#takes li").is_visible()
    assert not page.evaluate(wide)


def test_a_phone_shows_what_is_at_work_in_every_part(opened, gate):
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True)
    page.fill("#prompt", "lofi piano")
    page.click("#make")
    page.wait_for_selector('.job[data-state="running"]')
    for part in ("Edit", "Takes"):
        page.locator(".views").get_by_role("button", name=part).click()
        assert page.locator(".job").is_visible()
        assert page.locator("#compose").is_hidden()
    page.get_by_role("button", name="Cancel lofi piano").click()
    page.wait_for_selector(".job", state="detached")
    assert page.locator(".make").is_hidden()
    page.reload()
    page.wait_for_selector('#server[data-state="up"]')
    assert page.evaluate("document.body.dataset.view") == "takes", "a reload shows the same part"


def test_a_phone_held_sideways_is_a_phone(opened):
    page = opened(viewport={"width": 780, "height": 380}, has_touch=True)
    assert page.locator(".views").is_visible()
    make(page, seconds=1)
    assert page.locator(".takes").is_hidden()


def test_the_theme_is_that_of_the_system_until_one_is_chosen(opened):
    page = opened(color_scheme="light")
    shown = "document.documentElement.dataset.theme"
    assert page.evaluate(shown) == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {shown} === 'dark'")
    page.click("#theme")
    page.click("#theme")
    assert page.evaluate(shown) == "light"
    page.reload()
    page.wait_for_selector('#server[data-state="up"]')
    assert page.evaluate(shown) == "light"


def test_it_is_small_and_its_policy_lets_no_script_in(opened):
    page = opened(expected=["Content Security Policy", "Content-Security-Policy"])
    loaded = "performance.getEntriesByType('resource').map((entry) => entry.encodedBodySize)"
    sizes = page.evaluate(loaded)
    assert len(sizes) < 50
    assert sum(sizes) < 300_000
    page.evaluate(
        """() => {
            document.addEventListener('securitypolicyviolation', (event) => {
                window.refused = event.effectiveDirective;
            });
            const script = document.createElement('script');
            script.textContent = 'window.hacked = 1';
            document.body.append(script);
        }"""
    )
    assert until(page, "async () => window.refused") == "script-src-elem"
    assert page.evaluate("window.hacked") is None
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
