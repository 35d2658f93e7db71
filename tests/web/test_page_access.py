"""Accessibility of the page: axe finds nothing serious in light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.pages import choose, drop, settled, until, view

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def look() -> Any:
    """Runs axe over a page, light and dark; what is serious, in words."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def found(page: Any) -> list[str]:
        faults = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            faults += [
                f"{one['id']} ({scheme}): {node['target']} {node['failureSummary']}"
                for one in axe.run(page).response["violations"]
                if one["impact"] in SERIOUS
                for node in one["nodes"]
            ]
        return faults

    return found


@pytest.fixture(params=[1440, 400])
def shown(request: Any, page: Any) -> Any:
    """The page on a wide and on a narrow screen."""
    page.set_viewport_size({"width": request.param, "height": 900})
    return page


def test_axe_finds_no_serious_violations(shown: Any, song: Path, look: Any) -> None:
    assert look(shown) == []
    drop(shown, song)
    until(shown, "document.querySelectorAll('.pad').length > 0")
    view(shown, "reference")
    assert look(shown) == []
    view(shown, "weighting")
    shown.locator("#weight-drums").focus()
    shown.keyboard.press("Home")
    settled(shown)
    shown.click(".strip[data-part=bass] .mute")
    shown.click(".strip[data-part=mix] .lock")
    assert look(shown) == []
    view(shown, "results")
    shown.locator("#list").focus()
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("x")
    shown.keyboard.press("ArrowDown")
    assert look(shown) == []
    shown.keyboard.press("s")
    assert shown.is_visible("#selection")
    assert look(shown) == []
    shown.keyboard.press("Escape")
    choose(shown, "loop")
    assert look(shown) == []
    view(shown, "weighting")
    shown.click(".strip[data-part=drums] .compare")
    view(shown, "results")
    settled(shown)
    shown.fill("#tempo", "fast")
    shown.wait_for_selector("#status.problem")
    assert look(shown) == []
    shown.click("#help-open")
    assert look(shown) == []
    shown.keyboard.press("Escape")
    shown.keyboard.press("m")
    until(shown, "document.querySelectorAll('#map-neighbours button').length > 0")
    assert look(shown) == []


def test_on_a_phone_there_are_tabs_and_targets_for_fingers(page: Any, song: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    drop(page, song)
    assert page.is_visible("#results")  # hits come first
    assert page.is_hidden("#wave-box")
    until(page, "document.querySelectorAll('.pad').length > 0")
    page.locator(".pad").first.click()  # above the hits
    settled(page)
    page.click("#side-both")
    until(page, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    page.click("#toggle")
    for name in ("reference", "weighting", "results"):
        view(page, name)
        small = page.eval_on_selector_all(
            "button, select, input:not([type=radio], [type=file]), summary, #trail a",
            """all => all.filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
              .filter(([, { height }]) => height < 44).map(([one, { height }]) => `${one.id || one.className} ${height}`)""",
        )
        assert small == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def focused(page: Any) -> str:
    """The id of the focused element, or of the box that it is in."""
    return str(page.evaluate("document.activeElement.id || document.activeElement.closest('[id]')?.id || 'nothing'"))


def tab_to(page: Any, wanted: str) -> None:
    """Press the tab key until an element that matches has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({wanted!r})"):
            return
    raise AssertionError(f"the tab key does not lead to {wanted}")


def test_the_whole_way_by_keyboard(page: Any, song: Path) -> None:
    """From the file chooser to the map and back; what is pressed and then goes away leaves the focus where it is of use."""
    press = page.keyboard.press
    # From here on: the browser needs a moment until it reports choosers instead of opening them.
    page.on("filechooser", lambda chooser: chooser.set_files(song))
    tab_to(page, "#file")
    press("Enter")
    until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
    until(page, "document.querySelectorAll('.pad').length > 0")
    settled(page)
    tab_to(page, ".pad")
    press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.matches('.pad[aria-pressed=true]')")  # it was replaced
    tab_to(page, "#classes button")
    press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.matches('#classes [aria-pressed=true]')")
    press("Enter")
    settled(page)
    tab_to(page, "#list")
    press("ArrowDown")
    press("a")
    until(page, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    for side in ("hit", "reference"):
        press("b")
        until(page, f"import('./app.js').then(({{ player }}) => player.playing && player.side === '{side}')")
    press(" ")
    press("s")
    tab_to(page, "#selection-clear")
    press("Enter")
    assert focused(page) == "list"
    press("x")
    press("ArrowUp")
    tab_to(page, "#closer-cancel")
    press("Enter")
    assert focused(page) == "list"
    page.focus("#path")
    page.keyboard.type("nowhere")
    until(page, "!document.querySelector('#clear-filters').hidden")
    tab_to(page, "#clear-filters")
    press("Enter")
    assert focused(page) == "list"
    settled(page)
    press("ArrowDown")
    tab_to(page, "#actions button")
    press("End")
    while focused(page) != "as-reference":
        press("ArrowLeft")
    press("Enter")
    until(page, f"document.querySelector('#reference-name').textContent !== {song.name!r}")
    settled(page)
    assert focused(page) == "list"
    tab_to(page, "#trail a")
    press("Enter")
    until(page, f"document.querySelector('#reference-name').textContent === {song.name!r}")
    settled(page)
    assert focused(page) == "trail"
    page.focus("#list")
    press("m")
    until(page, "document.activeElement.id === 'map-canvas'")
    press("m")
    assert focused(page) == "list"


def tabs_to(page: Any, wanted: str) -> int:
    """How often the tab key is pressed until an element that matches has the focus."""
    for count in range(1, 120):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({wanted!r})"):
            return count
    raise AssertionError(f"the tab key does not lead to {wanted}")


def test_few_tabs_lead_from_the_pads_to_the_hits(page: Any, song: Path) -> None:
    """Each group of controls is one tab stop, and a key leads there at once."""
    drop(page, song)
    until(page, "document.querySelectorAll('.pad').length > 1")
    press = page.keyboard.press
    tab_to(page, ".pad")
    press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.matches('.pad[aria-pressed=true]')")
    assert tabs_to(page, "#list") <= 21
    press("p")
    assert page.evaluate("document.activeElement.matches('.pad[aria-pressed=true]')")
    for key in ("h", "ArrowDown"):
        page.locator(".pad[aria-pressed=true]").focus()
        press(key)
        assert focused(page) == "list"
    page.evaluate("document.activeElement.blur()")
    page.focus("#skip")
    address = page.url
    press("Enter")
    assert focused(page) == "list"
    assert page.url == address


def test_arrow_keys_move_inside_a_group(page: Any, song: Path) -> None:
    drop(page, song)
    until(page, "document.querySelectorAll('.pad').length > 1")
    press = page.keyboard.press
    focused_pad = "Number(document.activeElement.dataset.group)"
    last = page.locator(".pad").count() - 1
    press("p")
    for key, pad in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), ("End", last), ("ArrowRight", last)):
        press(key)
        assert page.evaluate(focused_pad) == pad
    assert page.locator(".pad[aria-pressed=true]").count() == 0  # moving presses nothing
    press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused_pad) == last  # where it was left
    # Every arrow key sets a slider; among the buttons of parts up and down lead to the same button of another part.
    parts = page.eval_on_selector_all(".strip", "rows => rows.map((row) => row.dataset.part)")
    press("w")
    assert focused(page) == f"weight-{parts[0]}"
    for key in ("ArrowUp", "ArrowRight", "PageUp", "ArrowDown"):
        value = page.input_value(f"#weight-{parts[0]}")
        press(key)
        assert page.input_value(f"#weight-{parts[0]}") != value
    settled(page)
    press("Shift+Tab")
    strip = "document.activeElement.closest('.strip').dataset.part + ' ' + document.activeElement.className"
    assert page.evaluate(strip) == f"{parts[0]} hear"
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        press(key)
    assert page.evaluate(strip) == f"{parts[1]} solo"
    press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    press("Tab")
    assert focused(page) == f"weight-{parts[1]}"


def test_a_group_whose_tab_stop_is_gone_has_another(page: Any, song: Path) -> None:
    drop(page, song)
    page.keyboard.press("w")
    tab_to(page, "#columns button")
    page.keyboard.press("ArrowRight")
    column = page.evaluate("document.activeElement.dataset.column")
    page.keyboard.press("Tab")
    page.evaluate("(name) => { document.querySelector(`#columns [data-column=${name}]`).hidden = true; }", column)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.dataset.column") == "name"


def test_axe_finds_planted_violations(page: Any, look: Any) -> None:
    """What the findings above are worth: a button without a name, and words that can hardly be read, are found."""
    page.evaluate(
        """() => {
          document.querySelector("#link").textContent = "";
          document.querySelector("#link").title = "";
          document.querySelector("#status").style.color = "#dddddd";
        }"""
    )
    assert {one.split(" ")[0] for one in look(page)} == {"button-name", "color-contrast"}


def test_live_regions_do_not_repeat_themselves(page: Any, song: Path) -> None:
    """Live regions are silent while sliders move and while hits are walked through."""
    drop(page, song)
    page.evaluate(
        """() => {
          window.messages = [];
          for (const region of document.querySelectorAll("[role=status], [aria-live]")) {
            new MutationObserver(() => window.messages.push(region.textContent))
              .observe(region, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )
    page.locator("#weight-drums").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    settled(page)
    page.locator("#list").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert len(page.evaluate("window.messages")) <= 2
    assert page.get_attribute("#list", "aria-activedescendant") == "hit-0"
