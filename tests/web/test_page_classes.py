from __future__ import annotations

from typing import Any

from soundalike.audio.metadata.class_names import class_of_path
from tests.web.pages import choose, names, settled, status


def buttons(page: Any) -> dict[str, int]:
    """The classes that are offered, with their numbers."""
    texts = page.locator("#classes button").all_text_contents()
    return {name: int(number) for name, number in (text.rsplit(" ", 1) for text in texts)}


def test_one_shots_are_filtered_by_class(page: Any) -> None:
    assert page.locator("#classes").is_hidden()  # songs have no class
    choose(page, "one-shot")
    offered = buttons(page)
    assert offered == {"kick": 8, "snare": 8, "clap": 4}

    page.click("#classes [data-class=snare]")
    settled(page)
    assert status(page).startswith("8 one-shots")
    assert {class_of_path(name) for name in names(page)} == {"snare"}
    assert buttons(page) == offered  # the other classes stay in reach
    assert page.get_attribute("#classes [data-class=snare]", "aria-pressed") == "true"
    assert page.evaluate("document.activeElement.dataset.class") == "snare"

    page.click("#classes [data-class=kick]")
    settled(page)
    assert status(page).startswith("16 one-shots")

    page.reload()
    page.wait_for_selector(".hit")
    settled(page)
    assert {class_of_path(name) for name in names(page)} == {"snare", "kick"}

    choose(page, "loop")
    assert page.locator("#classes").is_hidden()
    assert names(page)  # the classes of one-shots do not count here


def test_hits_are_filtered_by_class(page: Any) -> None:
    choose(page, "one-shot")
    page.locator(".hit").first.click()
    page.keyboard.press("r")
    settled(page)
    offered = buttons(page)
    page.click("#classes [data-class=kick]")
    settled(page)
    assert {class_of_path(name) for name in names(page)} == {"kick"}
    assert buttons(page) == offered
