"""The page in a real browser: drop, mark, pull, hear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def page(browser: Any, served: str) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            message.type == "error" and "Failed to load resource" not in message.text and faults.append(message.text)
        ),
    )
    opened.set_default_timeout(120_000)
    opened.goto(served)
    opened.wait_for_selector("#weight-drums")
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture(scope="module")
def song(music: Path) -> Path:
    return sorted((music / "songs").iterdir())[0]


def drop(page: Any, path: Path) -> None:
    page.set_input_files("#file", path)
    page.wait_for_selector(".hit")


def until(page: Any, true: str) -> None:
    """Wait until an expression is true. (Playwright's own way evaluates strings, which the page's policy forbids.)"""
    end = time.monotonic() + 60
    while not page.evaluate(true):
        assert time.monotonic() < end, f"never true: {true}"
        page.wait_for_timeout(30)


def names(page: Any) -> list[str]:
    return list(page.eval_on_selector_all(".hit", "rows => rows.map((row) => row.title)"))


def test_a_dropped_song_is_answered(page: Any, song: Path) -> None:
    assert "4 songs, 8 loops, 20 one-shots" in page.text_content("#library")
    drop(page, song)
    assert song.name in page.text_content("#reference-name")
    assert "the reference itself is left out" in page.text_content("#status")
    assert len(names(page)) == 3
    assert page.text_content(".hit .score").count(".") == 1
    assert page.locator(".hit").first.locator(".bars i").count() == 4


def test_a_slider_orders_anew_at_once_and_letting_go_asks(page: Any, song: Path) -> None:
    drop(page, song)
    page.wait_for_timeout(100)
    scores = page.eval_on_selector_all(".hit .score", "all => all.map((one) => one.textContent)")
    with page.expect_response("**/api/search") as asked:
        page.locator("#weight-drums").focus()
        page.keyboard.press("Home")  # less like these drums
        assert "provisional" in page.get_attribute("#status", "class")
        provisional = names(page)
        assert page.eval_on_selector_all(".hit .score", "all => all.map((one) => one.textContent)") != scores
    weights = json.loads(asked.value.request.post_data)["weights"]
    assert weights["drums"] == -1
    until(page, "!document.querySelector('#status').classList.contains('provisional')")
    assert names(page) == provisional


def test_marked_seconds_are_asked_for(page: Any, song: Path) -> None:
    drop(page, song)
    page.wait_for_selector("#region-controls:not([hidden])")
    box = page.locator("#wave").bounding_box()
    with page.expect_response("**/api/search") as asked:
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=8)
        page.mouse.up()
    start, end = json.loads(asked.value.request.post_data)["region"]
    duration = 25.3
    assert start == pytest.approx(0.25 * duration, abs=1.0)
    assert end == pytest.approx(0.5 * duration, abs=1.0)
    assert asked.value.ok
    assert page.is_visible("#clear-region")


def test_hits_are_heard_at_the_matched_seconds(page: Any, song: Path) -> None:
    drop(page, song)
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    until(page, "document.querySelector('#audio').currentTime > 0 && !document.querySelector('#audio').paused")
    start = page.evaluate("document.querySelector('#audio').currentTime")
    until(page, f"document.querySelector('#audio').currentTime > {start} + 0.2")
    page.keyboard.press(" ")
    assert page.evaluate("document.querySelector('#audio').paused")
    page.keyboard.press("b")
    until(page, "document.querySelector('#now').textContent.startsWith('reference')")
    page.keyboard.press("l")
    assert page.get_attribute("#loop", "aria-pressed") == "true"
    assert page.get_attribute("#hit-0", "aria-selected") == "true"


def test_loops_for_one_part_and_filters(page: Any, song: Path) -> None:
    drop(page, song)
    with page.expect_response("**/api/search"):
        page.check("#find input[value=loop]")
    until(page, "document.querySelectorAll('.hit').length === 8")
    with page.expect_response("**/api/search"):
        page.fill("#path", "no such folder")
    until(page, "document.querySelectorAll('.hit').length === 0")
    page.fill("#tempo", "fast")
    page.wait_for_selector("#status.problem")
    assert "fast is not a range of tempo" in page.text_content("#status")


def test_hits_are_exported(page: Any, song: Path, tmp_path: Path) -> None:
    drop(page, song)
    for form, start in (("m3u8", "#EXTM3U\n#EXTINF:"), ("csv", "rank,score,path,"), ("json", "[\n  {")):
        with page.expect_download() as saved:
            page.select_option("#export", form)
        saved.value.save_as(tmp_path / form)
        assert (tmp_path / form).read_text().startswith(start)


def test_a_link_restores_the_question(page: Any, browser: Any, song: Path) -> None:
    page.fill("#library-search", song.stem[-8:])
    until(page, "document.querySelectorAll('#library-items option').length === 1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hit")
    with page.expect_response("**/api/search"):
        page.locator("#weight-bass").focus()
        page.keyboard.press("End")
    until(page, "!document.querySelector('#status').classList.contains('provisional')")
    until(page, "location.hash.includes('item')")
    again = browser.new_page()
    again.goto(page.url)
    again.wait_for_selector(".hit")
    assert names(again) == names(page)
    assert again.input_value("#weight-bass") == "1"
    again.close()


def test_what_cannot_be_used_is_said_in_words(page: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"this is no audio")
    page.set_input_files("#file", tmp_path / "broken.wav")
    page.wait_for_selector("#status.problem")
    assert "broken.wav" in page.text_content("#status")
    (tmp_path / "notes.txt").write_text("words")
    page.set_input_files("#file", tmp_path / "notes.txt")
    until(page, "document.querySelector('#status').textContent.includes('not called like an audio file')")


def test_help_and_narrow_screens(page: Any, song: Path) -> None:
    page.locator("#list").focus()
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 400, "height": 800})
    drop(page, song)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
