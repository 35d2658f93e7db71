"""The page in a real browser: references, regions, weights, playback, hits."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.web.pages import choose, drop, heard, mark, names, settled, sounds, status, struck_on, until, view

PARTS = ("bass", "drums", "vocals", "residuals", "mix")


def asked(response: Any) -> dict[str, Any]:
    return dict(json.loads(response.value.request.post_data))


def scores(page: Any) -> list[str]:
    return list(page.eval_on_selector_all(".hit .score", "all => all.map((one) => one.textContent)"))


def copied(page: Any) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_without_a_reference_the_library_is_shown(page: Any) -> None:
    assert "4 songs, 8 loops, 20 one-shots" in page.text_content("#library")
    assert page.text_content("#hits-heading") == "Library"
    assert len(names(page)) == 4
    assert page.is_hidden("#columns .score")
    choose(page, "one-shot")
    assert page.is_hidden("#versions")
    struck_on(page)
    assert "20 one-shots; drop a song" in status(page)
    page.locator(".hit").first.click()
    assert sounds(page)["source"]["kind"] == "one-shot"


def test_a_dropped_song_gives_hits(page: Any, song: Path) -> None:
    drop(page, song)
    assert song.name in page.text_content("#reference-name")
    assert "the reference itself is left out" in status(page)
    assert len(names(page)) == 3
    with page.expect_response("**/api/search") as answer:
        page.select_option("#versions", "strict")
    assert asked(answer)["version_share"] == 0.9
    settled(page)
    first = page.locator(".hit").first
    assert first.locator(".bars i").count() == 4
    assert first.locator(".score").text_content().count(".") == 1
    spoken = first.get_attribute("aria-label")
    assert "score 0." in spoken
    assert "drums +" in spoken
    assert "matched 0:" in spoken
    until(
        page, "!!document.querySelector('.hit canvas').getContext('2d').getImageData(0, 0, 120, 36).data.some((v) => v)"
    )


def test_a_slider_ranks_again_at_once_and_searches_when_released(page: Any, song: Path) -> None:
    drop(page, song)
    before = scores(page)
    with page.expect_response("**/api/search") as answer:
        page.locator("#weight-drums").focus()
        page.keyboard.press("Home")  # less like these drums
        assert "provisional" in page.get_attribute("#status", "class")
        provisional = names(page)
        assert scores(page) != before
    assert asked(answer)["weights"] == pytest.approx(
        {"drums": -1 / 3, **dict.fromkeys(("bass", "vocals", "residuals", "mix"), 1 / 6)}
    )
    settled(page)
    assert names(page) == provisional
    assert page.locator(".hit .bars .negative i[data-part=drums]").count() > 0  # some hits have no drums


def test_locks_mutes_and_solos(page: Any, song: Path) -> None:
    drop(page, song)
    share = lambda part: page.text_content(f".strip[data-part={part}] output")  # noqa: E731
    page.click(".strip[data-part=drums] .lock")
    assert page.is_visible("#lock-note")
    page.locator("#weight-bass").focus()
    page.keyboard.press("End")
    assert share("vocals") == "silent"  # nobody sings in generated songs: the others have all of the score
    assert (share("drums"), share("bass"), share("mix")) == ("25 %", "38 %", "19 %")
    assert page.is_disabled("#weight-drums")
    page.click(".strip[data-part=bass] .mute")
    assert (share("drums"), share("bass"), share("mix")) == ("25 %", "0 %", "38 %")
    assert page.input_value("#weight-bass") == "1"
    settled(page)
    with page.expect_response("**/api/search") as answer:
        page.click(".strip[data-part=mix] .solo")
    assert asked(answer)["weights"] == {"mix": 1}
    page.click(".strip[data-part=mix] .solo")
    page.click(".strip[data-part=bass] .mute")
    assert share("bass") == "38 %"
    page.click(".strip[data-part=drums] .lock")
    assert share("drums") == "25 %"
    page.click("#reset-weights")
    assert {share(part) for part in PARTS} == {"25 %", "silent"}
    for part in PARTS:
        page.click(f".strip[data-part={part}] .mute")
    until(page, "document.querySelector('#status').textContent.startsWith('all parts are at zero or muted')")


def test_a_selected_region_is_searched_with(page: Any, song: Path) -> None:
    drop(page, song)
    with page.expect_response("**/api/search") as answer:
        mark(page, 0.25, 0.5)
    start, end = asked(answer)["region"]
    duration = soundfile.info(song).duration
    assert start == pytest.approx(0.25 * duration, abs=1.0)
    assert end == pytest.approx(0.5 * duration, abs=1.0)
    assert answer.value.ok
    settled(page)
    page.fill("#region-start", "0:02")
    page.press("#region-start", "Tab")
    settled(page)
    with page.expect_response("**/api/search") as answer:
        page.fill("#region-end", "0:05.5")
        page.press("#region-end", "Tab")
    assert asked(answer)["region"] == [2, 5.5]
    page.fill("#region-end", "0:01")
    page.press("#region-end", "Tab")
    assert "has a start and a later end" in page.text_content("#region-note")
    page.fill("#region-end", "0:02.02")
    page.press("#region-end", "Tab")
    assert page.text_content("#region-note") == "a region lasts 50 ms or more"
    with page.expect_response("**/api/search") as answer:
        page.click("#clear-region")
    assert "region" not in asked(answer)


def test_hits_are_played_at_the_matched_seconds(page: Any, song: Path) -> None:
    drop(page, song)
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    now = sounds(page)
    assert now["side"] == "hit"
    assert now["source"]["start"] <= now["position"] < now["source"]["end"]
    assert page.get_attribute("#hit-0", "aria-selected") == "true"
    assert page.get_attribute("#list", "aria-activedescendant") == "hit-0"
    page.keyboard.press(" ")
    assert not heard(page)["playing"]
    page.keyboard.press(" ")
    assert sounds(page)["position"] >= now["position"]
    page.keyboard.press("b")
    until(page, "document.querySelector('#now-playing').textContent.startsWith('playing the reference')")
    assert sounds(page)["side"] == "reference"
    page.keyboard.press("b")
    until(page, "document.querySelector('#now-playing').textContent.startsWith('playing the hit')")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#hit-1", "aria-selected") == "true"
    until(page, "document.querySelector('#now-name').textContent.length > 0")
    page.keyboard.press(" ")


def test_matched_seconds_of_a_song_repeat(page: Any, song: Path) -> None:
    drop(page, song)
    mark(page, 0.4, 0.43)
    settled(page)
    page.click("#play-reference")
    start = sounds(page)["source"]["start"]
    page.locator("#list").focus()
    page.keyboard.press("l")
    assert page.get_attribute("#loop", "aria-pressed") == "true"
    end = heard(page)["source"]["end"]
    assert end - start < 1.5
    for _ in range(12):
        page.wait_for_timeout(200)
        assert start - 0.1 <= heard(page)["position"] < end + 0.4
    assert heard(page)["playing"]


def test_loops_repeat_and_one_shots_play_once(page: Any, song: Path) -> None:
    drop(page, song)
    choose(page, "one-shot")
    page.evaluate(
        """() => {
          window.messages = [];
          const line = document.querySelector("#now-playing");
          new MutationObserver(() => window.messages.push(line.textContent)).observe(line, { childList: true });
        }"""
    )
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    until(page, "window.messages.some((text) => text.startsWith('playing the hit'))")
    assert heard(page)["source"]["short"]
    assert not heard(page)["repeat"]
    until(page, "document.querySelector('#toggle').getAttribute('aria-label') === 'play'")  # it has ended by itself
    choose(page, "loop")
    page.locator("#list").focus()
    page.keyboard.press("Home")
    now = sounds(page)
    assert now["repeat"]
    page.wait_for_timeout(int(1000 * (now["source"]["end"] - now["position"])) + 300)
    again = heard(page)
    assert again["playing"]
    assert again["position"] < now["source"]["end"]
    page.keyboard.press("l")
    assert page.get_attribute("#loop", "aria-pressed") == "false"


def test_a_loop_repeats_without_a_gap(page: Any) -> None:
    """The same node as the player's, rendered: a sine of whole periods must go on through its ends."""
    jump = page.evaluate(
        """async () => {
          const rate = 44100;
          const context = new OfflineAudioContext(1, 2 * rate, rate);
          const buffer = new AudioBuffer({ length: 441 * 50, sampleRate: rate });
          buffer.getChannelData(0).forEach((_, n, all) => { all[n] = Math.sin((2 * Math.PI * n) / 441); });
          const node = new AudioBufferSourceNode(context, { buffer, loop: true });
          node.connect(context.destination);
          node.start(0, 0.1);
          const out = (await context.startRendering()).getChannelData(0);
          let most = 0;
          for (let n = 1; n < out.length; n++) most = Math.max(most, Math.abs(out[n] - out[n - 1]));
          return most;
        }"""
    )
    assert jump < 1.01 * 2 * np.pi / 441


def test_stems_are_soloed(page: Any, song: Path) -> None:
    drop(page, song)
    mark(page, 0.2, 0.4)
    settled(page)
    with page.expect_response("**/stems/drums?**") as answer:
        page.click(".strip[data-part=drums] .hear")
    assert answer.value.ok
    now = sounds(page)
    assert now["side"] == "reference"
    assert now["source"]["name"].startswith("drums of ")
    assert now["source"]["start"] <= now["position"] <= now["source"]["end"]
    page.locator("#list").focus()
    page.keyboard.press("r")  # nothing is chosen: nothing happens
    page.keyboard.press("ArrowDown")
    sounds(page)
    with page.expect_response("**/api/items/*/peaks"):
        page.keyboard.press("r")
    settled(page)
    with page.expect_response("**/api/items/*/stems/bass?**") as answer:
        page.click(".strip[data-part=bass] .hear")
    assert answer.value.ok


def test_one_part_is_compared_with_loops(page: Any, song: Path) -> None:
    drop(page, song)
    with page.expect_response("**/api/search") as answer:
        choose(page, "loop")
    assert asked(answer)["part"] == "mix"  # all parts count alike
    assert "mix of the reference (its weight is the greatest)" in page.text_content("#part-note")
    page.locator("#weight-drums").focus()
    with page.expect_response("**/api/search") as answer:
        page.keyboard.press("End")
    assert asked(answer)["part"] == "drums"
    with page.expect_response("**/api/search") as answer:
        page.click(".strip[data-part=bass] .compare")
    assert asked(answer)["part"] == "bass"
    assert page.text_content("#part-note").startswith("The bass of the reference is compared with the mix of loops")
    settled(page)
    assert len(names(page)) == 8


def test_kind_and_tempo_of_an_upload_are_used_for_playback(page: Any, music: Path) -> None:
    reference = "import('./app.js').then(({ player }) => player.sources.reference)"
    items = page.evaluate("fetch('/api/items?limit=100').then((found) => found.json())")["items"]
    for folder, kind in (("loops", "loop"), ("one-shots", "one-shot")):
        path = sorted((music / folder).iterdir())[0]
        (tempo,) = [item["tempo"] for item in items if item["name"].endswith(path.name)]
        page.set_input_files("#file", path)
        until(page, f"document.querySelector('#reference-name').textContent === '{path.name}'")
        settled(page)
        assert page.input_value("#reference-kind") == kind
        now = page.evaluate(reference)
        assert (now["kind"], now["tempo"], now["short"]) == (kind, tempo, True)
        assert (tempo is None) == (kind == "one-shot")


def test_a_loop_as_reference_is_compared_as_a_whole(page: Any, music: Path) -> None:
    loop = next(one for one in sorted((music / "loops").iterdir()) if soundfile.info(one).duration < 15)
    page.set_input_files("#file", loop)
    with page.expect_response("**/api/search") as answer:
        pass
    assert asked(answer)["part"] == "mix"
    settled(page)
    assert page.is_disabled(".strip[data-part=drums] .hear")
    assert page.is_hidden("#pads-box")
    assert (
        page.text_content("#part-note") == "The mix is compared with the mix of loops."
    )  # the tab follows the reference
    with page.expect_response("**/api/search") as answer:
        choose(page, "song")
    assert asked(answer)["part"] == "mix"
    assert page.text_content("#part-note").endswith("is compared with the mix of songs.")


def test_filters_apply_to_the_library_listing_too(page: Any) -> None:
    choose(page, "loop")
    items = page.evaluate("fetch('/api/items?kind=loop&limit=100').then((found) => found.json())")["items"]
    middle = sorted(item["duration"] for item in items)[4]
    tempo = items[0]["tempo"]
    for field, words, true in (
        ("length", f"{middle}-", lambda item: item["duration"] >= middle),
        ("tempo", f"{tempo}", lambda item: any(abs(item["tempo"] * by / tempo - 1) <= 0.04 for by in (0.5, 1, 2))),
    ):
        wanted = sorted(item["name"] for item in items if true(item))
        assert 0 < len(wanted) < len(items)
        with page.expect_response("**/api/items?**"):
            page.fill(f"#{field}", words)
        until(page, f"document.querySelector('#status').textContent.startsWith('{len(wanted)} loop')")
        assert sorted(names(page)) == wanted
        page.fill(f"#{field}", "")
        settled(page)
    page.fill("#key", "nonsense")
    page.wait_for_selector("#status.problem")


def test_one_shots_of_the_class_of_the_reference_come_first_unless_switched_off(page: Any, browser: Any) -> None:
    choose(page, "one-shot")
    assert page.is_hidden("#same-class")  # there is no reference
    page.fill("#library-search", "crate_kick")
    page.press("#library-search", "Enter")
    until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
    settled(page)
    assert page.text_content("#same-class") == "kicks first"
    assert "kicks first, unless others are much closer" in status(page)
    preferring = scores(page)
    assert preferring != sorted(preferring, reverse=True)
    page.locator("#same-class").focus()
    with page.expect_response("**/api/search") as answer:
        page.keyboard.press("Enter")
    assert asked(answer)["same_class"] == "ignore"
    settled(page)
    assert page.evaluate("document.activeElement.id") == "same-class"
    assert page.get_attribute("#same-class", "aria-pressed") == "false"
    assert "first" not in status(page)
    assert scores(page) == sorted(scores(page), reverse=True)
    other = browser.new_page()
    other.goto(page.url)
    until(other, "document.querySelector('#hits-heading').textContent === 'Hits'")
    settled(other)
    assert other.get_attribute("#same-class", "aria-pressed") == "false"
    assert scores(other) == sorted(scores(other), reverse=True)
    other.close()
    page.click("#same-class")
    settled(page)
    assert scores(page) == preferring
    choose(page, "loop")
    assert page.is_hidden("#same-class")  # loops have no classes


def test_filters_apply_to_hits(page: Any, song: Path) -> None:
    drop(page, song)
    choose(page, "loop")
    with page.expect_response("**/api/search") as answer:
        page.fill("#length", "2-4")
    assert asked(answer)["filters"]["duration"] == [2, 4]
    settled(page)
    lengths = page.eval_on_selector_all(".hit .length", "all => all.map((one) => parseFloat(one.textContent))")
    assert all(2 <= value <= 4.05 for value in lengths)
    with page.expect_response("**/api/search") as answer:
        page.fill("#tempo", "120")
    assert asked(answer)["filters"]["tempo"] == pytest.approx([115.2, 124.8])
    page.fill("#tempo", "")
    page.fill("#path", "no such folder")
    until(page, "document.querySelectorAll('.hit').length === 0")
    assert status(page) == "none of 8 loops matches these filters"
    page.fill("#tempo", "fast")
    page.wait_for_selector("#status.problem")
    assert "fast is not a range of tempo" in status(page)
    assert page.get_attribute("#tempo", "aria-invalid") == "true"


def test_hits_are_exported(page: Any, song: Path, tmp_path: Path) -> None:
    drop(page, song)
    for form in ("m3u8", "csv", "json"):
        with page.expect_download() as saved:
            page.select_option("#export", form)
        saved.value.save_as(tmp_path / form)
    wanted = page.evaluate(
        "import('./app.js').then(() => [...document.querySelectorAll('.hit')].map((row) => row.hit.item.path))"
    )
    rows = list(csv.DictReader((tmp_path / "csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == wanted
    assert [row["path"] for row in json.loads((tmp_path / "json").read_text())] == wanted
    assert [line for line in (tmp_path / "m3u8").read_text().splitlines() if not line.startswith("#")] == wanted
    assert float(rows[0]["score"]) == pytest.approx(sum(float(rows[0][part]) for part in PARTS))


def test_a_hit_is_copied_downloaded_and_dragged(page: Any, song: Path, tmp_path: Path, music: Path) -> None:
    drop(page, song)
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    path = page.evaluate("document.querySelector('#hit-0').hit.item.path")
    page.keyboard.press("c")
    until(page, "document.querySelector('#status').textContent.startsWith('copied')")
    assert copied(page) == path
    with page.expect_download() as saved:
        page.keyboard.press("d")
    saved.value.save_as(tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == Path(path).read_bytes()
    dragged = page.evaluate(
        """() => {
          const event = new DragEvent("dragstart", { bubbles: true, dataTransfer: new DataTransfer() });
          document.querySelector("#hit-0 .name").dispatchEvent(event);
          return [event.dataTransfer.getData("DownloadURL"), event.dataTransfer.getData("text/plain")];
        }"""
    )
    kind, name, address = dragged[0].split(":", 2)
    assert (kind, name, dragged[1]) == ("application/octet-stream", Path(path).name, path)
    assert page.request.get(address).body() == Path(path).read_bytes()


def test_a_link_restores_everything(page: Any, browser: Any, song: Path) -> None:
    page.fill("#library-search", song.stem[-8:])
    until(page, "document.querySelectorAll('#library-items option').length === 1")
    page.press("#library-search", "Enter")
    page.wait_for_selector("#region-controls:not([hidden])")
    settled(page)
    mark(page, 0.2, 0.5)
    settled(page)
    page.click(".strip[data-part=mix] .mute")
    page.click(".strip[data-part=drums] .lock")
    page.locator("#weight-bass").focus()
    page.keyboard.press("End")
    page.fill("#path", "songs")
    settled(page)
    page.click("#link")
    until(page, "document.querySelector('#status').textContent.startsWith('copied')")
    context = browser.new_context()
    again = context.new_page()
    again.goto(copied(page))
    until(again, "document.querySelector('#hits-heading').textContent === 'Hits'")
    settled(again)
    assert again.text_content("#region-note") == page.text_content("#region-note")
    assert names(again) == names(page)
    assert scores(again) == scores(page)
    for part in PARTS:
        assert again.text_content(f".strip[data-part={part}] output") == page.text_content(
            f".strip[data-part={part}] output"
        )
    assert again.is_disabled("#weight-drums")
    assert again.input_value("#path") == "songs"
    context.close()


def test_a_link_restores_an_upload_or_asks_for_it(page: Any, browser: Any, song: Path) -> None:
    drop(page, song)
    mark(page, 0.2, 0.5)
    settled(page)
    note = page.text_content("#region-note")
    context = browser.new_context()
    again = context.new_page()
    again.goto(page.url)
    until(again, "document.querySelector('#hits-heading').textContent === 'Hits'")  # the server still has it
    assert again.text_content("#region-note") == note
    again.goto("about:blank")
    again.goto(re.sub(r"(?<=%22)[0-9a-f]{32}", "0" * 32, page.url))  # it has forgotten it
    asked = json.dumps(f"{song.name}, which is not in the library: drop it here")  # not "loading ..." before it
    until(again, f"document.querySelector('#status').textContent.includes({asked})")
    drop(again, song)
    assert again.text_content("#region-note") == note
    assert names(again) == names(page)
    context.close()


def test_unusable_files_are_reported(page: Any, song: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"this is no audio")
    page.set_input_files("#file", tmp_path / "broken.wav")
    page.wait_for_selector("#status.problem")
    assert "broken.wav" in status(page)
    until(page, "document.querySelector('#results').getAttribute('aria-busy') === 'false'")
    (tmp_path / "notes.txt").write_text("words")
    page.set_input_files("#file", tmp_path / "notes.txt")
    until(page, "document.querySelector('#status').textContent.includes('does not have the name of an audio file')")
    (tmp_path / "cut.flac").write_bytes((tmp_path / "broken.wav").read_bytes() + song.read_bytes()[:5000])
    page.set_input_files("#file", tmp_path / "cut.flac")
    until(page, "document.querySelector('#status').textContent.includes('cut.flac')")
    drop(page, song)
    assert len(names(page)) == 3


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page: Any, tmp_path: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda request: "uploads" in request.url and sent.append(request.url))
    page.evaluate(
        """() => {
          const file = new File([new Uint8Array(1)], "endless.wav");
          Object.defineProperty(file, "size", { value: 2 ** 34 });
          const event = new DragEvent("drop", { bubbles: true });
          Object.defineProperty(event, "dataTransfer", { value: { files: [file], types: ["Files"] } });
          document.dispatchEvent(event);
        }"""
    )
    page.wait_for_selector("#status.problem")
    assert "endless.wav has 16384 MB, but uploads may have 300 MB" in status(page)
    assert sent == []


def test_favourites_are_stored(page: Any, browser: Any, song: Path, served: str) -> None:
    drop(page, song)
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    name = names(page)[0]
    with page.expect_response("**/api/favourites/*") as answer:
        page.keyboard.press("f")
    assert answer.value.status == 204
    until(page, "document.querySelector('#hit-0').getAttribute('aria-label').includes('favourite')")
    page.click("#favourites-only")
    until(page, "document.querySelectorAll('.hit').length === 1")
    assert names(page) == [name]
    context = browser.new_context()
    again = context.new_page()
    again.goto(served)
    again.wait_for_selector(".hit.favourite")
    assert again.eval_on_selector_all(".hit.favourite", "rows => rows.map((row) => row.title)") == [name]
    context.close()
    with page.expect_response("**/api/favourites/*"):
        page.locator(".hit .star").click()
    assert "no longer" in status(page)


def current_item(page: Any) -> str:
    """The id of the item of the chosen row."""
    return str(page.evaluate("document.querySelector('.hit[aria-selected=true]').hit.item.id"))


def test_answers_about_hits_are_stored_and_withdrawn(page: Any, song: Path, served: str) -> None:
    drop(page, song)
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    before = page.request.get(served + "api/answers").json()["count"]
    with page.expect_response("**/api/answers") as answer:
        page.keyboard.press("+")
    sent = asked(answer)
    assert answer.value.status == 201
    assert sent["alike"] is True
    assert sent["hit"]["item"] == page.evaluate("document.querySelector('#hit-0').hit.item.id")
    until(page, "document.querySelector('#hit-0').getAttribute('aria-label').endsWith(', alike')")
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/api/answers") as answer:
        page.keyboard.press("-")
    assert asked(answer)["alike"] is False
    until(page, "document.querySelector('#not-alike').getAttribute('aria-pressed') === 'true'")
    settled(page)  # answers move the reference, and with it the hits
    held = current_item(page)
    page.keyboard.press("x")
    assert page.is_visible("#closer")
    assert page.is_disabled("#closer-second")
    page.keyboard.press("ArrowUp")
    other = current_item(page)
    page.check("#closer-unsure")
    with page.expect_response("**/api/answers") as answer:
        page.keyboard.press("2")
    sent = asked(answer)
    assert held != other
    assert (sent["a"]["item"], sent["b"]["item"], sent["closer"], sent["sure"]) == (held, other, "b", False)
    until(page, "document.querySelector('#closer').hidden")
    assert page.text_content("#answers") == f"{before + 3} answers"
    for left in (2, 1, 0):
        page.keyboard.press("u")
        until(page, f"document.querySelector('#undo').hidden === {str(left == 0).lower()}")
        page.wait_for_timeout(200)
    assert page.request.get(served + "api/answers").json()["count"] == before
    assert "alike" not in page.get_attribute("#hit-0", "aria-label")


def test_a_recording_becomes_the_reference(page: Any) -> None:
    page.context.grant_permissions(["microphone"])
    page.click("#record")
    until(
        page, "parseFloat(document.querySelector('#record').style.getPropertyValue('--level')) > 0"
    )  # its level shows
    until(page, "/stop +0:0[2-9]/.test(document.querySelector('#record').textContent)")
    with page.expect_response("**/api/uploads?**") as answer:
        page.click("#record")
    found = answer.value.json()
    assert found["name"].startswith("recording ")
    assert found["duration"] > 1.5
    assert max(high for _, high in found["peaks"]) > 0.05  # the beeps
    settled(page)
    assert page.text_content("#hits-heading") == "Hits"


def test_a_refused_microphone_is_reported(page: Any) -> None:
    page.context.clear_permissions()
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    )
    page.click("#record")
    page.wait_for_selector("#status.problem")
    assert "may not use the microphone" in status(page)
    assert page.get_attribute("#record", "aria-pressed") == "false"


def test_everything_is_reached_by_keyboard_alone(page: Any, song: Path) -> None:
    page.fill("#library-search", song.stem[-8:])
    until(page, "document.querySelectorAll('#library-items option').length === 1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#region-controls:not([hidden])")
    settled(page)
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if reached[-1] == "list":
            break
    assert reached[-1] == "list"
    first = page.locator(".strip input").first.get_attribute("id")  # arrow keys lead to the other parts
    order = [
        reached.index(name) for name in ("play-reference", "region-start", first, "reset-weights", "tempo", "list")
    ]
    assert order == sorted(order)
    page.keyboard.press("ArrowDown")
    sounds(page)
    page.keyboard.press("End")
    assert page.get_attribute("#list", "aria-activedescendant") == "hit-2"
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.focus("#tempo")
    page.keyboard.press("f")  # a letter in a field is a letter
    assert page.input_value("#tempo") == "f"


def test_an_unreachable_server_is_reported(page: Any, song: Path) -> None:
    drop(page, song)
    page.route("**/api/search", lambda route: route.abort())
    page.locator("#weight-drums").focus()
    page.keyboard.press("Home")
    page.wait_for_selector("#status.problem")
    assert "the server does not answer; is `soundalike serve` still running?" in status(page)


def test_the_page_requests_nothing_from_other_servers(page: Any, served: str, song: Path) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.reload()
    drop(page, song)
    assert seen
    assert all(url.startswith((served, "data:", "blob:")) for url in seen)


@pytest.mark.parametrize("late", ["**/app.js", "**/api/library"])
def test_a_file_chosen_before_the_page_is_ready_is_taken(page: Any, song: Path, late: str) -> None:
    waiting: list[Any] = []
    page.route(late, lambda route: waiting.append(route))
    page.reload(wait_until="commit")
    page.wait_for_selector("#file", state="attached")
    page.set_input_files("#file", song)
    while not waiting:
        page.wait_for_timeout(20)
    page.wait_for_timeout(100)
    for route in waiting:
        route.continue_()
    until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
    settled(page)
    assert song.name in page.text_content("#reference-name")
    assert len(names(page)) == 3


@pytest.mark.parametrize("width", [400, 800, 1100])
def test_the_page_fits_narrow_screens(page: Any, song: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    drop(page, song)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".hit .name").first.bounding_box()["width"] > 90


@pytest.mark.parametrize(("width", "height"), [(1366, 650), (1024, 700), (960, 540), (720, 450)])
def test_in_a_low_window_the_list_gets_shorter_and_nothing_else(page: Any, song: Path, width: int, height: int) -> None:
    drop(page, song)
    page.locator(".hit").first.click()
    page.set_viewport_size({"width": width, "height": height})
    view(page, "results")
    for name, least in (("#columns", 14), ("#filters", 26)):
        page.locator(name).scroll_into_view_if_needed()
        assert page.locator(name).bounding_box()["height"] >= least


IN_SIGHT = """() => {
  const [list, pane] = ["#list", "#results"].map((one) => document.querySelector(one).getBoundingClientRect());
  const [first, last] = [Math.max(list.top, pane.top) - 1, Math.min(list.bottom, pane.bottom) + 1];
  const rows = [...document.querySelectorAll(".hit")].map((row) => row.getBoundingClientRect());
  return rows.filter(({ top, bottom }) => top >= first && bottom <= last).length;
}"""
"""How many rows can be seen whole, without scrolling."""


@pytest.mark.parametrize(("width", "height"), [(1366, 650), (1280, 500), (960, 540), (720, 450), (640, 400)])
def test_in_a_low_window_hits_are_in_sight(page: Any, song: Path, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    drop(page, song)
    until(page, "document.querySelectorAll('.pad').length > 0")
    choose(page, "one-shot")  # with a line of classes above them
    page.evaluate("import('./app.js').then(({ list }) => list.choose(0, false))")  # and a hit below
    page.wait_for_timeout(100)
    assert page.evaluate(IN_SIGHT) >= 2
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    view(page, "weighting")
    assert page.is_visible("#weight-drums")
    view(page, "reference")
    assert page.is_visible("#wave")


def test_a_slider_passes_zero_by_keys(page: Any) -> None:
    page.locator("#weight-mix").focus()
    for _ in range(53):
        page.keyboard.press("ArrowLeft")
    assert float(page.input_value("#weight-mix")) == pytest.approx(-0.03)


def with_library(page: Any, **changes: Any) -> None:
    """The page, with changes to what the server says about its library."""
    page.route(
        "**/api/library",
        lambda route: route.fulfill(json={**route.fetch().json(), **changes}),
    )
    page.reload()
    page.wait_for_selector(".hit")


def test_a_hit_is_shown_in_the_file_manager(page: Any) -> None:
    with_library(page, reveal=True)
    page.route("**/reveal", lambda route: route.fulfill(status=204))
    page.locator(".hit").first.click()
    with page.expect_request("**/reveal") as asked_for:
        page.keyboard.press("e")
    assert asked_for.value.method == "POST"
    until(page, "document.querySelector('#status').textContent.startsWith('shown in the file manager')")
    page.unroute("**/reveal")
    page.route("**/reveal", lambda route: route.fulfill(status=422, json={"detail": "there is no file manager"}))
    page.click("#reveal")
    until(page, "document.querySelector('#status').textContent === 'there is no file manager'")


INK = "(selector) => document.querySelector(selector).getContext('2d').getImageData(0, 0, 9999, 99).data.some(Boolean)"
"""Whether anything is drawn on a canvas."""


def test_the_waveform_of_the_chosen_hit_is_drawn_when_it_arrives(browser: Any, served: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    late: list[Any] = []
    page.route("**/api/peaks?**", lambda route: late.append(route))
    page.goto(served)
    page.wait_for_selector(".hit")
    page.evaluate("import('./app.js').then(({ list }) => list.choose(0, false))")
    while not late:
        page.wait_for_timeout(30)
    assert not page.evaluate(INK, "#now-wave")
    for route in late:
        route.continue_()
    until(page, f"({INK})('#now-wave')")
    page.close()


def test_nothing_is_marked_in_waveforms_without_a_reference(modules: Any) -> None:
    """A match of no seconds is not a mark, not even a line."""
    colours = """async (match) => {
      document.documentElement.style.setProperty("--match", "#ff0000");
      const { drawWaveform } = await import("/hits/waveforms.js");
      const canvas = document.createElement("canvas");
      drawWaveform(canvas, { duration: 4, low: [0, -1, -1, -1], high: [0, 1, 1, 1] }, match, null, { width: 40, height: 20 });
      return [...canvas.getContext("2d").getImageData(0, 0, 40, 1).data];
    }"""
    assert not any(modules.evaluate(colours, [0, 0]))
    assert any(modules.evaluate(colours, [0, 1]))
