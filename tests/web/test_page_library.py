"""The page with a large, an empty, a growing and an unreachable library."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.roots import remove
from soundalike.similarity.profiles import Profile
from soundalike.web.services import served_library
from tests.web.conftest import Running
from tests.web.many import many_songs
from tests.web.pages import choose, drop, names, settled, status, until

MANY = 20_000


@pytest.fixture(scope="module")
def many(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of twenty thousand songs."""
    with Running(many_songs(tmp_path_factory.mktemp("many") / "many", library, MANY)) as running:
        yield running.address


def opened(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_selector("#weight-drums", state="attached")
    until(page, "document.querySelector('#status').textContent !== ''")
    return page


def test_twenty_thousand_songs(browser: Any, many: str, song: Path) -> None:
    page = opened(browser, many)
    assert "20,000 songs" in page.text_content("#library")
    assert status(page).startswith("the first 500 of 20,000 songs")
    drop(page, song)
    hits = "import('./app.js').then(() => Number(document.querySelector('.hit').getAttribute('aria-setsize')))"
    assert 1_000 < page.evaluate(hits) <= 2_200
    assert page.locator(".hit").count() < 60  # only those in sight are in the page
    page.locator("#list").focus()
    page.keyboard.press("End")
    assert page.get_attribute("#list", "aria-activedescendant") == f"hit-{page.evaluate(hits) - 1}"
    assert page.locator(".hit").count() < 60
    page.wait_for_selector("#status.problem")  # made-up songs have no files
    assert "is missing" in status(page)
    page.keyboard.press("Home")
    page.locator("#weight-bass").focus()
    page.keyboard.press("End")
    provisional = names(page)[:10]
    settled(page)
    assert len(set(provisional) & set(names(page)[:10])) >= 9
    page.fill("#tempo", "100-101")
    page.wait_for_timeout(400)
    settled(page)
    tempi = page.eval_on_selector_all(".hit .tempo", "all => all.map((one) => Number(one.textContent))")
    assert set(tempi) <= {100, 101, 50, 51, 202, 200}
    page.close()


def test_an_empty_library_is_filled_from_the_page(
    browser: Any, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_library, "REFRESH_SECONDS", 3_600.0)  # only what is known to have changed is looked at
    (tmp_path / "music").mkdir()
    index(tmp_path / "library", [tmp_path / "music"])
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        assert page.text_content("#library").endswith("empty")
        assert status(page) == "the library is empty; add music: soundalike index FOLDER"
        assert page.is_hidden("#first-run-close")  # there is nothing else to do
        assert not any(page.is_visible(other) for other in ("#reference", "#weighting", "#filters", "#transport"))
        page.fill("#folder", str(tmp_path / "nowhere"))
        page.press("#folder", "Enter")
        page.wait_for_selector("#indexing.problem")
        assert "there is no folder" in page.text_content("#indexing")
        page.fill("#folder", str(tmp_path / "music"))
        page.press("#folder", "Enter")
        until(page, "document.querySelector('#indexing').textContent.startsWith('no audio files were found in ')")
        for path in sorted((music / "one-shots").iterdir())[:2]:
            shutil.copy(path, tmp_path / "music")
        (tmp_path / "music" / "notes.wav").write_text("no audio")
        page.fill("#folder", str(tmp_path / "music"))
        page.press("#folder", "Enter")
        until(page, "document.querySelector('#library').textContent.endsWith('2 one-shots')")
        assert page.is_hidden("#first-run")
        assert page.is_visible("#drop")
        until(page, "document.querySelectorAll('.hit').length === 2")  # of the kind that there is
        assert page.is_checked("#kind [value='one-shot']")
        until(
            page,
            "document.querySelector('#status').textContent.startsWith('2 files indexed; 1 file could not be used')",
        )
        for leave in (lambda: page.click("#first-run-close"), lambda: page.press("#folder", "Escape")):
            page.click("#add-folder")
            assert page.is_visible("#first-run")
            leave()
            assert page.is_hidden("#first-run")
        assert page.evaluate("document.activeElement.id") == "add-folder"  # whence the keys led
        page.close()


@pytest.mark.parametrize("reference", [False, True])
def test_a_library_that_was_emptied_can_be_filled_again(
    browser: Any,
    library: Path,
    music: Path,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reference: bool,
) -> None:
    monkeypatch.setattr(served_library, "REFRESH_SECONDS", 0.0)
    own = tmp_path / "library"
    shutil.copytree(library, own)
    with Running(own) as running:
        page = opened(browser, running.address)
        page.wait_for_selector(".hit")
        if reference:
            drop(page, song)
        remove(own, [music])
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.click("#notice-reload")
        until(page, "document.querySelector('#library').textContent.endsWith('empty')")
        until(page, "document.querySelectorAll('.hit').length === 0")
        settled(page)
        assert page.is_visible("#add-folder") == reference  # without one, the card of an empty library is there already
        if reference:
            page.click("#add-folder")
        assert page.is_visible("#first-run")
        page.fill("#folder", str(music / "loops"))
        page.press("#folder", "Enter")
        until(page, "document.querySelector('#library').textContent.endsWith('8 loops')")
        assert page.is_visible("#add-folder")
        assert page.is_hidden("#first-run")
        page.close()


def test_a_late_answer_about_nothing_does_not_end_the_watch(browser: Any, music: Path, tmp_path: Path) -> None:
    index(tmp_path / "library", [sorted((music / "one-shots").iterdir())[0]])
    page = browser.new_page()
    late: list[Any] = []

    def keep_the_first(route: Any) -> None:
        if late or route.request.method != "GET":
            route.continue_()
        else:
            late.append(route)

    page.route("**/api/indexing", keep_the_first)
    with Running(tmp_path / "library") as running:
        page.goto(running.address)
        until(page, "document.querySelector('#library').textContent.endsWith('1 one-shot')")
        until(page, "document.querySelector('#hits-heading').textContent === 'Library'")
        settled(page)
        page.click("#add-folder")
        page.fill("#folder", str(music / "loops"))
        with page.expect_response(lambda response: response.request.method == "POST"):
            page.press("#folder", "Enter")
        late[0].fulfill(json={"state": "idle", "folder": None, "done": 0, "total": 0, "current": None, "added": 0})
        until(page, "document.querySelector('#library').textContent.includes('loops')")
        page.close()


def test_a_library_of_one_shots_opens_on_them_and_finds_them_by_name(browser: Any, music: Path, tmp_path: Path) -> None:
    sounds = sorted((music / "one-shots").iterdir())[:2]
    index(tmp_path / "library", sounds, jobs=1)
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        assert page.is_checked("#kind [value='one-shot']")
        assert len(names(page)) == 2
        page.fill("#library-search", "no such name")
        page.press("#library-search", "Enter")  # before anything is suggested
        until(page, "document.querySelector('#status.problem') !== null")
        assert status(page) == "no sound of the library has “no such name” in its name"
        page.fill("#library-search", sounds[1].name)
        page.press("#library-search", "Enter")
        until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
        assert sounds[1].name in page.text_content("#reference-name")
        page.close()


def test_with_a_collection_at_1280_pixels_filters_and_actions_take_one_line(
    browser: Any, library: Path, song: Path, tmp_path: Path
) -> None:
    shutil.copytree(library, tmp_path / "library")
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        _check_lines(page, song)
        page.close()


def _check_lines(page: Any, song: Path) -> None:
    drop(page, song)
    page.locator("#hit-0").click()
    page.keyboard.press("s")
    page.fill("#collection-name", "drums for the next song")
    page.click("#collect button")
    settled(page)
    page.click("#alike")
    page.wait_for_selector("#undo:visible")
    settled(page)
    for width in (1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        for box, selector in (
            (page.locator("#filters"), "input, select"),
            (page.locator("#actions"), "button, select"),
        ):
            tops = [one.bounding_box()["y"] for one in box.locator(selector).all() if one.is_visible()]
            assert max(tops) - min(tops) < 20, (width, selector, tops)
        cut = "(id) => { const box = document.getElementById(id); return box.scrollWidth > box.clientWidth; }"
        assert [name for name in ("now-name", "now-facts", "now-score") if page.evaluate(cut, name)] == []
        assert page.is_visible("#export")


def test_at_1280_pixels_filters_take_one_line_and_part_names_are_whole(browser: Any, many: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(many)
    page.wait_for_selector(".hit")
    tops = page.eval_on_selector_all(
        "#filters > :is(fieldset, label, button, select)",
        "all => all.filter((one) => one.offsetParent).map((one) => one.offsetTop + one.offsetHeight / 2)",
    )
    assert len(tops) == 7
    assert max(tops) - min(tops) < 8
    assert (
        page.eval_on_selector_all(
            ".strip label", "all => all.filter((one) => one.scrollWidth > one.clientWidth).length"
        )
        == 0
    )
    page.close()


def test_no_items_of_a_kind(browser: Any, many: str, song: Path) -> None:
    page = opened(browser, many)
    drop(page, song)
    choose(page, "loop")
    assert status(page) == "this library has no loops; index a folder that has some: soundalike index FOLDER"
    page.close()


def test_new_files_are_offered(browser: Any, library: Path, music: Path, tmp_path: Path) -> None:
    shutil.copytree(library, tmp_path / "library")
    folder = tmp_path / "more"
    folder.mkdir()
    sound = sorted((music / "one-shots").iterdir())[0]
    (folder / f"new{sound.suffix}").write_bytes(sound.read_bytes())
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        index(tmp_path / "library", [folder], jobs=1)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_selector("#notice:not([hidden])")
        assert page.text_content("#notice-text") == "1 new file indexed."
        page.click("#notice-reload")
        until(page, "document.querySelector('#library').textContent.includes('21 one-shots')")
        assert page.is_hidden("#notice")
        # The new file is a copy of one that was there: both are one hit, which says so.
        choose(page, "one-shot")
        like = page.locator(".hit").filter(has_text=sound.stem.split("_")[-1])  # so that it is among the first hits
        like.filter(has_not_text=sound.name).filter(has_not_text="new").first.click()
        page.click("#as-reference")
        until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
        settled(page)
        page.locator(".hit").filter(has_text="+1 copy").click()
        page.click("#now-copies")
        shown = {page.text_content("#now-path"), page.text_content("#copies-list li")}
        assert {Path(path).name for path in shown} == {sound.name, f"new{sound.suffix}"}
        page.close()


def test_what_the_page_adds_is_no_news_and_names_the_pads(
    browser: Any, music: Path, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_library, "REFRESH_SECONDS", 0.0)
    index(tmp_path / "library", [song], window=5.0, jobs=1)
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        drop(page, song)
        page.wait_for_selector(".pad")
        before = page.locator(".pad").all_text_contents()
        assert all(re.fullmatch(r"\d+ ×(like an? \w+)?", pad) for pad in before)  # by their sound alone
        assert page.locator(".pad:not(:has(span))").count() > 0
        page.click("#add-folder")
        page.fill("#folder", str(music / "one-shots"))
        page.press("#folder", "Enter")
        until(page, "document.querySelector('#library').textContent.endsWith('20 one-shots')")
        until(page, "!document.querySelector('.pad:not(:has(span))')")
        named = page.locator(".pad").all_text_contents()
        assert all(re.fullmatch(r"\d+ ×(like an? \w+|near \w+_\w+)", pad) for pad in named)
        with page.expect_response("**/api/library/state") as checked:
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        checked.value.finished()
        page.wait_for_timeout(200)
        assert page.is_hidden("#notice")
        page.close()


def test_an_unreachable_server_is_reported_until_it_answers_again(browser: Any, many: str) -> None:
    page = opened(browser, many)
    page.route("**/api/library/state", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#notice:not([hidden])")
    assert "is `soundalike serve` still running? Trying again" in page.text_content("#notice-text")
    page.unroute("**/api/library/state")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(page, "document.querySelector('#notice').hidden")
    page.close()


def test_learnt_weights_are_set_on_the_sliders(browser: Any, library: Path, song: Path, tmp_path: Path) -> None:
    shutil.copytree(library, tmp_path / "library")
    folder = tmp_path / "library" / "listening" / "profiles"
    folder.mkdir(parents=True)
    learnt = {"bass": 0.25, "drums": 0.78, "residuals": -0.4, "mix": 1.94}
    profile = Profile("by-somebody", "builtin", "builtin", learnt, "Ridge", "a test", "made up", 5.0)
    (folder / "by-somebody.json").write_text(json.dumps(profile.to_json()))
    with Running(tmp_path / "library") as running:
        page = opened(browser, running.address)
        drop(page, song)
        with page.expect_response("**/api/search") as answer:
            page.select_option("#profile", "by-somebody")
        sent = answer.value.request.post_data_json
        assert sent["profile"] == "by-somebody"
        assert "weights" not in sent
        settled(page)
        spread = page.request.get(running.address + "api/library").json()["spread"]
        wanted = {part: weight * spread[part] for part, weight in learnt.items()}
        for part, value in wanted.items():
            assert float(page.input_value(f"#weight-{part}")) == pytest.approx(value / max(wanted.values()), abs=0.006)
        assert page.text_content("#weighting-note").startswith("profile by-somebody")
        order = names(page)
        page.locator("#weight-mix").focus()
        with page.expect_response("**/api/search") as answer:
            page.keyboard.press("ArrowLeft")
        assert set(answer.value.request.post_data_json["weights"]) == set(learnt)
        settled(page)
        assert names(page) == order
        assert page.input_value("#profile") == ""
        page.close()
