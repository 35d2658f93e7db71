"""One question at a time: references that follow each other quickly, fail, or are forgotten by the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.web.pages import choose, drop, drop_paths, heard, names, settled, sounds, status, struck_on, until

REFERENCE = "document.querySelector('#reference-name').textContent"


@pytest.fixture(scope="module")
def shared(browser: Any, served: str) -> Iterator[Any]:
    """One page for all tests of this module, which begin from nothing with `fresh`."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(served)
    page.wait_for_selector(".hit")
    yield page
    context.close()


@pytest.fixture
def fresh(shared: Any, served: str) -> Iterator[Any]:
    faults: list[str] = []
    shared.on("pageerror", lambda error: faults.append(str(error)))
    shared.evaluate("sessionStorage.clear()")
    shared.goto("about:blank")
    shared.goto(served)
    shared.wait_for_selector(".hit")
    yield shared
    shared.unroute_all()
    assert faults == []


@pytest.fixture(scope="module")
def songs(music: Path) -> list[Path]:
    return sorted((music / "songs").iterdir())


def held(page: Any, pattern: str) -> list[Any]:
    """The requests that match, which wait from now on."""
    waiting: list[Any] = []
    page.route(pattern, lambda route: waiting.append(route))
    return waiting


def arrived(page: Any, waiting: list[Any], count: int = 1) -> None:
    for _ in range(2_000):
        if len(waiting) >= count:
            return
        page.wait_for_timeout(20)
    raise AssertionError("the request was never sent")


def test_a_damaged_file_leaves_the_question_before_it_whole(fresh: Any, songs: list[Path], tmp_path: Path) -> None:
    drop(fresh, songs[0])
    searches = held(fresh, "**/api/search")
    fresh.set_input_files("#file", songs[1])
    until(fresh, f"{REFERENCE} === {json.dumps(songs[1].name)}")
    arrived(fresh, searches)
    assert "opening" in fresh.get_attribute("#results", "class")  # the rows are those of the first song
    assert status(fresh) == "comparing with 4 songs …"
    (tmp_path / "damaged.wav").write_bytes(b"this is no audio")
    fresh.set_input_files("#file", tmp_path / "damaged.wav")
    fresh.wait_for_selector("#status.problem")
    for one in searches:
        one.continue_()
    fresh.unroute("**/api/search")
    until(fresh, "document.querySelector('#status').textContent.includes('songs searched')")
    settled(fresh)
    assert fresh.evaluate(REFERENCE) == songs[1].name
    assert "opening" not in fresh.get_attribute("#results", "class")
    shown = names(fresh)
    assert len(shown) == 3
    assert not any(name.endswith(songs[1].name) for name in shown)
    assert any(name.endswith(songs[0].name) for name in shown)


def test_what_has_no_answer_leaves_no_hits_of_a_former_reference(fresh: Any, songs: list[Path], tmp_path: Path) -> None:
    samples, rate = soundfile.read(songs[0])
    samples[8 * rate : 14 * rate] = 0
    soundfile.write(tmp_path / "gap.wav", samples, rate)
    soundfile.write(tmp_path / "silent.wav", np.zeros(10 * rate), rate)
    drop(fresh, songs[0])
    assert names(fresh)
    fresh.set_input_files("#file", tmp_path / "silent.wav")
    until(fresh, "document.querySelector('#status').textContent.startsWith('silent.wav is silent')")
    assert fresh.evaluate(REFERENCE) == "silent.wav"
    assert names(fresh) == []
    fresh.locator("#weight-drums").focus()
    fresh.keyboard.press("End")  # there is nothing that a slider could rank
    assert names(fresh) == []
    drop(fresh, tmp_path / "gap.wav")
    assert names(fresh)
    for field, text in (("start", "0:09"), ("end", "0:13")):
        fresh.fill(f"#region-{field}", text)
        fresh.press(f"#region-{field}", "Tab")
    until(fresh, "document.querySelector('#status').textContent.startsWith('gap.wav is silent from 9 s')")
    assert names(fresh) == []
    fresh.click("#clear-region")
    until(fresh, "document.querySelectorAll('.hit').length > 0")
    settled(fresh)
    fresh.fill("#tempo", "fast")
    fresh.wait_for_selector("#status.problem")
    assert "opening" in fresh.get_attribute("#results", "class")  # the rows of the former filter are dimmed
    fresh.fill("#tempo", "")
    until(fresh, "!document.querySelector('#results').classList.contains('opening')")


def test_a_part_that_is_silent_in_the_reference_is_refused_until_another_sounds(fresh: Any, songs: list[Path]) -> None:
    """Nobody sings in generated songs."""
    drop(fresh, songs[0])
    assert names(fresh)
    fresh.click(".strip[data-part=vocals] .solo")
    until(fresh, "document.querySelector('#status').textContent.startsWith('no vocals found in')")
    assert names(fresh) == []
    fresh.click(".strip[data-part=drums] .solo")
    until(fresh, "document.querySelectorAll('.hit').length > 0")
    settled(fresh)
    assert "silent in the reference: vocals" in status(fresh)


def test_the_strip_of_a_silent_part_says_so_and_has_no_share(fresh: Any, songs: list[Path]) -> None:
    """Nobody sings in generated songs."""
    shown = (
        "Object.fromEntries([...document.querySelectorAll('.strip')].map("
        "(strip) => [strip.dataset.part, strip.querySelector('output').textContent]))"
    )
    before = dict.fromkeys(("bass", "drums", "vocals", "residuals", "mix"), "20 %")
    assert fresh.evaluate(shown) == before
    drop(fresh, songs[0])
    silent = dict.fromkeys(before, "25 %") | {"vocals": "silent"}
    assert fresh.evaluate(shown) == silent
    strip = fresh.locator(".strip[data-part=vocals]")
    assert strip.get_attribute("title").startswith("nothing in the reference was recognised as vocals")
    assert strip.locator(".hear").get_attribute("title").endswith("too quiet to count")
    assert strip.locator("input").get_attribute("aria-valuetext") == "silent in the reference, no effect"
    assert strip.locator("input").is_enabled()
    fresh.click(".strip[data-part=vocals] .mute")  # the answer is not about it, but it is as silent as before
    settled(fresh)
    assert fresh.evaluate(shown) == silent
    fresh.click(".strip[data-part=vocals] .mute")
    settled(fresh)
    searches = held(fresh, "**/api/search")
    fresh.set_input_files("#file", songs[1])
    arrived(fresh, searches)
    assert fresh.evaluate(shown) == before  # what sounds in this song is not known yet
    assert strip.get_attribute("title") == ""
    for one in searches:
        one.continue_()
    fresh.unroute("**/api/search")
    settled(fresh)
    assert fresh.evaluate(shown) == silent


def test_hits_are_graded_under_the_weights_that_the_scale_is_of(fresh: Any, songs: list[Path]) -> None:
    """Not while a slider moves; and where what is unlike comes first, no hit is called strong."""

    def with_scale(route: Any) -> None:
        answer = route.fetch()
        scale = {
            "scale": {"song": [n / 200 - 1 for n in range(101)]},
            "usual": {"song": {"mean": 0, "deviation": 0.01}},
        }
        route.fulfill(response=answer, json=answer.json() | scale)  # of a library of more than four songs

    grades = "[...document.querySelectorAll('.hit .grade')].map((grade) => grade.textContent)"
    fresh.route("**/api/search", with_scale)
    drop(fresh, songs[0])
    assert fresh.evaluate(grades) == ["strong · top 1 %"] * 3
    title = fresh.get_attribute(".hit .grade", "title")
    assert title == "top 1 % of the songs of this library; a usual score is 0.00, fair begins at 0.01, strong at 0.02"
    searches = held(fresh, "**/api/search")
    for part in ("bass", "drums", "vocals", "residuals", "mix"):
        fresh.locator(f"#weight-{part}").focus()
        fresh.keyboard.press("Home")
    until(fresh, "document.querySelector('#status').classList.contains('provisional')")
    assert fresh.evaluate(grades) == [""] * 3
    arrived(fresh, searches)
    for one in searches:
        with_scale(one)
    settled(fresh)
    assert len(names(fresh)) == 3
    assert all(grade.startswith("top ") for grade in fresh.evaluate(grades))


def test_a_file_that_cannot_be_used_leaves_the_reference_and_says_so(
    fresh: Any, songs: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "damaged.wav").write_bytes(b"this is no audio")
    fresh.set_input_files("#file", [songs[0], tmp_path / "damaged.wav"])
    until(fresh, f"{REFERENCE} === {json.dumps(songs[0].name)}")
    settled(fresh)
    fresh.locator("#dropped button").nth(1).click()
    fresh.wait_for_selector("#status.problem")
    assert status(fresh).startswith("damaged.wav: not audio")
    assert status(fresh).endswith(f"; the reference is still {songs[0].name}")
    pressed = fresh.eval_on_selector_all("#dropped button", "all => all.map((one) => one.ariaPressed)")
    assert pressed == ["true", "false"]


def test_a_long_reference_reports_what_is_going_on(fresh: Any, songs: list[Path], tmp_path: Path) -> None:
    parts = [soundfile.read(path) for path in songs]
    long = np.concatenate([samples for samples, _ in parts])
    soundfile.write(tmp_path / "long.flac", long, parts[0][1])
    assert len(long) / parts[0][1] > 60
    uploads, searches, onsets = (held(fresh, f"**/api/{one}") for one in ("uploads?**", "search", "**/onsets?**"))
    fresh.set_input_files("#file", tmp_path / "long.flac")
    arrived(fresh, uploads)
    assert status(fresh) == "uploading long.flac …"
    uploads[0].continue_()
    arrived(fresh, searches)
    assert status(fresh).startswith("analysing long.flac (1:")
    assert "first the few windows" in status(fresh)
    arrived(fresh, onsets)
    for clock in ("#elapsed", "#pads [aria-hidden]"):
        until(fresh, f"/^[3-9] s so far$/.test(document.querySelector('{clock}').textContent)")
        assert fresh.get_attribute(clock, "aria-hidden") == "true"  # it would be read out every second
    searches[0].continue_()
    arrived(fresh, searches, 2)
    until(fresh, "document.querySelector('#status').textContent.includes('first hits, from a few windows')")
    assert fresh.text_content("#elapsed") != ""
    for one in (searches[1], onsets[0]):
        one.continue_()
    until(fresh, "document.querySelectorAll('.pad').length > 0")
    settled(fresh)
    assert fresh.text_content("#elapsed") == ""
    assert "analysing" not in status(fresh)


RULER = "document.querySelector('#wave > div').shadowRoot.querySelector('[part=ruler]')"


def test_the_ruler_follows_the_zoom(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    drawn = f"{RULER}.toDataURL()"
    place = f"(({{ left, width }}) => [left, width])({RULER}.getBoundingClientRect())"
    whole, where = fresh.evaluate(drawn), fresh.evaluate(place)
    assert where[1] == fresh.evaluate("document.querySelector('#wave').clientWidth")
    seen = {whole}
    for button in ("zoom-in", "zoom-in", "zoom-in"):
        fresh.click(f"#{button}")
        until(fresh, f"!{json.dumps(sorted(seen))}.includes({drawn})")
        seen.add(fresh.evaluate(drawn))
        assert fresh.evaluate(place) == where  # it stays in sight
    fresh.locator("#wave-box").press("End")
    until(fresh, f"!{json.dumps(sorted(seen))}.includes({drawn})")
    assert fresh.evaluate(place) == where
    fresh.click("#zoom-all")
    until(fresh, f"{drawn} === {json.dumps(whole)}")


def test_the_later_of_two_references_counts(fresh: Any) -> None:
    first, second = fresh.evaluate("[0, 1].map((n) => document.querySelector(`#hit-${n}`).hit.item)")
    slow = held(fresh, f"**/api/items/{first['id']}/peaks")
    fresh.locator("#hit-0").click()
    fresh.keyboard.press("r")
    arrived(fresh, slow)
    assert "opening" in fresh.get_attribute("#results", "class")  # the rows of the library are dimmed
    assert fresh.text_content("#drop-hint") == "loading …"
    assert status(fresh) == "loading …"
    fresh.locator("#hit-1").click()
    fresh.keyboard.press("r")
    until(fresh, f"{REFERENCE} === {json.dumps(second['name'])}")
    for one in slow:
        one.abort()
    settled(fresh)
    assert fresh.evaluate(REFERENCE) == second["name"]


def test_the_player_and_the_foot_follow_a_new_order(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    fresh.locator("#hit-0").click()
    sounds(fresh)
    fresh.locator("#weight-drums").focus()
    fresh.keyboard.press("Home")
    settled(fresh)
    state = """import('./app.js').then(({ player, list }) => {
      const { start, end, score } = list.hit;
      return [player.sources.hit.start === start && player.sources.hit.end === end, score];
    })"""
    same, score = fresh.evaluate(state)
    assert same
    assert fresh.text_content("#now-score").startswith(f"{'−' if score < 0 else '+'}{abs(score):.2f}")
    assert heard(fresh)["playing"]


def test_a_stem_is_heard_wherever_its_waveform_is_clicked(fresh: Any, music: Path, tmp_path: Path) -> None:
    parts = [soundfile.read(path) for path in sorted((music / "songs").iterdir())[:2]]
    long = np.concatenate([samples for samples, _ in parts])
    soundfile.write(tmp_path / "long.flac", long, parts[0][1])
    duration = len(long) / parts[0][1]
    assert duration > 35
    drop(fresh, tmp_path / "long.flac")
    fresh.click(".strip[data-part=drums] .hear")
    source = sounds(fresh)["source"]
    assert source["end"] - source["start"] <= 30.01
    elsewhere = 0.04 if source["start"] > 0.1 * duration else 0.94
    box = fresh.locator("#wave").bounding_box()
    with fresh.expect_response("**/stems/drums?**"):
        fresh.mouse.click(box["x"] + box["width"] * elsewhere, box["y"] + 30)
    position = f"player.position - {elsewhere * duration}"
    until(fresh, f"import('./app.js').then(({{ player }}) => player.playing && Math.abs({position}) < 4)")


def test_what_failed_while_the_server_was_away_is_tried_again(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    fresh.route("**/api/items/**/audio", lambda route: route.abort())
    fresh.locator("#hit-0").click()
    fresh.wait_for_selector("#status.problem")
    fresh.unroute("**/api/items/**/audio")
    fresh.keyboard.press("Enter")
    sounds(fresh)
    fresh.route("**/api/search", lambda route: route.abort())
    fresh.route("**/api/library/state", lambda route: route.abort())
    fresh.locator("#weight-drums").focus()
    fresh.keyboard.press("Home")
    fresh.wait_for_selector("#status.problem")
    fresh.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    fresh.wait_for_selector("#notice:not([hidden])")
    fresh.unroute_all()
    fresh.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(fresh, "document.querySelector('#status').textContent.includes('songs searched')")
    assert fresh.is_hidden("#notice")


def test_a_forgotten_upload_is_sent_again(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    upload = fresh.evaluate("import('./app.js').then(({ player }) => player.sources.reference.url)").split("/")[2]
    gone: list[str] = []

    def forgotten(route: Any) -> None:
        if upload in (route.request.post_data or "") and not gone:
            gone.append(upload)
            route.fulfill(status=404, json={"detail": "there is no such upload, or no longer; upload the file again"})
        else:
            route.continue_()

    fresh.route("**/api/search", forgotten)
    with fresh.expect_response("**/api/uploads?**"):
        choose(fresh, "loop")
    until(fresh, "document.querySelector('#status').textContent.includes('loops searched')")
    assert gone == [upload]
    fresh.unroute_all()
    until(fresh, "indexedDB.databases().then((all) => all.length > 0)")
    fresh.reload()
    until(fresh, f"{REFERENCE} === {json.dumps(songs[0].name)}")


def test_back_and_the_trail_return_to_earlier_references(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    fresh.locator("#hit-0").click()
    fresh.keyboard.press("r")
    until(fresh, f"{REFERENCE} !== {json.dumps(songs[0].name)}")
    settled(fresh)
    second = fresh.evaluate(REFERENCE)
    assert fresh.eval_on_selector_all("#trail a", "all => all.map((one) => one.textContent)")[-2:] == [
        songs[0].name,
        second,
    ]
    fresh.go_back()
    until(fresh, f"{REFERENCE} === {json.dumps(songs[0].name)}")
    settled(fresh)
    fresh.locator("#trail a").filter(has_text=second).click()
    until(fresh, f"{REFERENCE} === {json.dumps(second)}")


def test_formats_that_browsers_cannot_play_are_heard_as_references(
    fresh: Any, songs: list[Path], tmp_path: Path
) -> None:
    samples, rate = soundfile.read(songs[0])
    soundfile.write(tmp_path / "song.aiff", samples, rate)
    drop(fresh, tmp_path / "song.aiff")
    fresh.click("#toggle")  # no hit is chosen: the reference is played
    assert sounds(fresh)["side"] == "reference"


def test_answers_are_toggled_and_move_the_hits(fresh: Any, songs: list[Path], served: str) -> None:
    drop(fresh, songs[0])
    count = lambda: fresh.request.get(served + "api/answers").json()["count"]  # noqa: E731
    before, order = count(), names(fresh)
    scores = fresh.eval_on_selector_all(".hit .score", "all => all.map((one) => one.textContent)")
    fresh.locator("#hit-2").click()
    with fresh.expect_response("**/api/search") as answer:
        fresh.keyboard.press("+")
        fresh.keyboard.press("+")  # while the first is being saved
    assert len(answer.value.request.post_data_json["alike"]) == 1
    until(fresh, "document.querySelector('#status').textContent.includes('moved by 1 answer')")
    assert count() == before + 1
    assert fresh.eval_on_selector_all(".hit .score", "all => all.map((one) => one.textContent)") != scores
    with fresh.expect_response("**/api/search") as answer:
        fresh.keyboard.press("+")
    assert "alike" not in answer.value.request.post_data_json
    settled(fresh)
    assert count() == before
    assert names(fresh) == order


def test_several_dropped_files_are_listed(fresh: Any, music: Path) -> None:
    files = sorted((music / "one-shots").iterdir())[:3]
    fresh.set_input_files("#file", files)
    until(fresh, f"{REFERENCE} === {json.dumps(files[0].name)}")
    settled(fresh)
    assert fresh.is_checked("#kind [value=one-shot]")  # the tab follows the reference
    fresh.locator("#dropped button").nth(2).click()
    until(fresh, f"{REFERENCE} === {json.dumps(files[2].name)}")


def test_the_audio_files_of_a_dropped_folder_are_taken(fresh: Any, music: Path, tmp_path: Path) -> None:
    files = sorted((music / "one-shots").iterdir())[:2]
    (tmp_path / "pack" / "deep").mkdir(parents=True)
    (tmp_path / "pack" / "deep" / files[0].name).write_bytes(files[0].read_bytes())
    (tmp_path / "pack" / "z.wav").write_bytes(files[1].read_bytes())
    (tmp_path / "pack" / "cover.jpg").write_bytes(b"no audio")
    drop_paths(fresh, tmp_path / "pack")
    until(fresh, f"{REFERENCE} === {json.dumps(files[0].name)}")
    settled(fresh)
    listed = fresh.eval_on_selector_all("#dropped button", "all => all.map((one) => one.textContent)")
    assert listed == [files[0].name, "z.wav"]


def test_one_shots_are_compared_from_their_beginnings(fresh: Any, music: Path) -> None:
    drop(fresh, sorted((music / "one-shots").iterdir())[0])
    struck_on(fresh)
    fresh.locator("#hit-0").click()
    sounds(fresh)
    fresh.evaluate(
        """async () => {
          const { player } = await import("./app.js");
          window.starts = [];
          const play = player.makePlayback.bind(player);
          for (const playback of [...Object.values(player.playbacks).filter(Boolean)]) {
            const start = playback.start.bind(playback);
            playback.start = (at, repeat) => { window.starts.push(at); return start(at, repeat); };
          }
          player.makePlayback = (source) => {
            const playback = play(source);
            const start = playback.start.bind(playback);
            playback.start = (at, repeat) => { window.starts.push(at); return start(at, repeat); };
            return playback;
          };
        }"""
    )
    for side in ("reference", "hit"):
        fresh.keyboard.press("b")
        until(fresh, f"import('./app.js').then(({{ player }}) => player.playing && player.side === '{side}')")
    assert fresh.evaluate("window.starts") == [0, 0]


def test_a_file_dropped_before_the_page_is_ready_is_taken(fresh: Any, served: str, songs: list[Path]) -> None:
    scripts = held(fresh, "**/app.js")
    fresh.goto("about:blank")
    fresh.goto(served, wait_until="commit")
    arrived(fresh, scripts)
    until(fresh, "window.earlyDrops !== undefined")  # early.js has run; app.js is asked for while it is still read
    fresh.evaluate(
        """async (name) => {
          const data = new DataTransfer();
          const bytes = await (await fetch(`api/items?kind=song`)).json();
          const audio = await (await fetch(`api/items/${encodeURIComponent(bytes.items[0].id)}/audio`)).blob();
          data.items.add(new File([audio], name));
          const dropped = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
          document.dispatchEvent(dropped);
          if (!dropped.defaultPrevented) throw new Error("the browser would open the file");
        }""",
        songs[0].name,
    )
    for one in scripts:
        one.continue_()
    until(fresh, f"{REFERENCE} === {json.dumps(songs[0].name)}")


def test_small_numbers_and_filters_mean_what_they_say(fresh: Any, songs: list[Path]) -> None:
    drop(fresh, songs[0])
    with fresh.expect_response("**/api/search") as answer:
        fresh.fill("#length", "0.5")
    assert answer.value.request.post_data_json["filters"]["duration"] == pytest.approx([0.45, 0.55])
    fresh.fill("#length", "")
    fresh.fill("#path", songs[1].name)
    until(fresh, "document.querySelector('#status').textContent.startsWith('1 song searched')")
    fresh.fill("#path", "no such folder")
    until(fresh, "!document.querySelector('#clear-filters').hidden")
    fresh.click("#clear-filters")
    until(fresh, "document.querySelector('#status').textContent.startsWith('3 songs searched')")
    assert "the reference itself" in status(fresh)
