"""The page as an instrument: pads, hits heard in the song, zoom, strips, kind of the reference, taking sounds away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from soundalike.synth.truth import SongTruth, read_truth
from tests.web.pages import choose, drop, heard, mark, names, settled, sounds, until


@pytest.fixture(scope="module")
def snare_song(music: Path) -> SongTruth:
    """A song whose kit's snare is one of the one-shots, and is struck often."""
    truth = read_truth(music)
    known = {one.kit for one in truth.one_shots if one.voice == "snare"}
    return max((one for one in truth.songs if one.kit in known), key=lambda one: len(one.hits.get("snare", ())))


@pytest.fixture(scope="module")
def played(browser: Any, served: str, music: Path, snare_song: SongTruth) -> Iterator[Any]:
    """One page for all tests of this module, with that song dropped and its pads shown."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(60_000)
    page.goto(served)
    page.wait_for_selector(".hit")
    drop(page, music / snare_song.file)
    until(page, "document.querySelectorAll('.pad').length > 0")
    yield page
    context.close()
    assert faults == []


def onsets(page: Any) -> list[dict[str, Any]]:
    found = page.evaluate(
        """async () => {
          const url = (await import("./app.js")).player.sources.reference.url.replace("/audio", "/onsets?part=drums");
          return (await fetch(url)).json();
        }"""
    )
    return list(found["groups"])


def pad_of(page: Any, times: list[float]) -> int:
    """The number of the pad that holds most of these onsets."""
    close = lambda one: any(abs(one - time) < 0.03 for time in times)  # noqa: E731
    counts = [sum(map(close, group["starts"])) for group in onsets(page)]
    return counts.index(max(counts))


def test_a_true_snare_of_a_song_is_heard_in_it_after_three_actions(played: Any, snare_song: SongTruth) -> None:
    """A drop, a click on a pad, a key; choosing another hit is one key more."""
    pad = pad_of(played, list(snare_song.hits["snare"]))
    with played.expect_response("**/api/search") as answer:
        played.locator(".pad").nth(pad).click()  # the second
    assert answer.value.request.post_data_json["onsets"] == {"part": "drums", "group": pad}
    settled(played)
    assert played.is_checked("#kind [value=one-shot]")
    best = [Path(name).stem for name in names(played)[:5]]
    assert f"{snare_song.kit}_snare" in best
    played.keyboard.press("a")  # the third: the best hit is chosen already
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    assert sounds(played)["source"]["name"].startswith(best[0])
    assert played.text_content("#now-playing").startswith("playing the hit in the song")
    for _ in range(best.index(f"{snare_song.kit}_snare")):
        played.keyboard.press("ArrowDown")
    name = json.dumps(f"{snare_song.kit}_snare")
    until(
        played,
        "import('./app.js').then(({ player }) => player.playing && player.side === 'both' "
        f"&& player.source.name.startsWith({name}))",
    )
    played.keyboard.press(" ")
    assert not heard(played)["playing"]
    assert played.locator(".pad[aria-pressed=true]").count() == 1  # space pressed no button


@pytest.fixture
def strokes(played: Any) -> Iterator[Callable[[int], float]]:
    """Presses a pad and waits until its stroke is heard, which stays at its start until `thaw`; the second of its start."""
    played.evaluate(
        """async () => {
          const { player } = await import("./app.js");
          const { play } = HTMLMediaElement.prototype;
          HTMLMediaElement.prototype.play = function () {
            return player.playbacks.stroke?.audio === this ? Promise.resolve() : play.call(this);
          };
          window.thaw = () => { HTMLMediaElement.prototype.play = play; };
        }"""
    )

    def press(pad: int) -> float:
        played.locator(".pad").nth(pad).click()
        until(played, "import('./app.js').then(({ player }) => player.hears('stroke'))")
        return float(played.evaluate("import('./app.js').then(({ player }) => player.sources.stroke.start)"))

    yield press
    played.evaluate("window.thaw()")


def in_a_row(page: Any, *scripts: str) -> list[Any]:
    """What expressions about the player are, one after the other."""
    return [page.evaluate(f"import('./app.js').then(({{ player }}) => {script})") for script in scripts]


def test_a_hit_is_heard_in_the_song_though_a_stroke_ends_before_it_has_loaded(
    played: Any, strokes: Callable[[int], float]
) -> None:
    pressed = played.locator(".pad[aria-pressed=true]")
    pad = int(pressed.get_attribute("data-group"))
    pressed.click()
    settled(played)
    played.evaluate("import('./app.js').then(({ player }) => player.engine.decodedSounds.clear())")
    waiting: list[Any] = []
    played.route("**/excerpt?**", lambda route: waiting.append(route))
    strokes(pad)
    settled(played)  # the best hit is chosen
    played.click("#side-both")
    assert in_a_row(played, "player.heard.voice", "player.loading") == ["stroke", True]
    assert played.get_attribute("#side-both", "aria-busy") == "true"
    played.keyboard.press("Escape")
    played.evaluate("window.thaw()")
    played.evaluate("import('./app.js').then(({ player }) => player.heard.playback.audio.play())")
    until(played, "import('./app.js').then(({ player }) => !player.heard)")
    assert in_a_row(played, "player.side", "player.loading") == ["both", True]
    for route in waiting:
        route.continue_()
    played.unroute("**/excerpt?**")
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    assert sounds(played)["side"] == "both"
    assert played.get_attribute("#side-both", "aria-busy") == "false"


def test_controls_act_as_if_a_stroke_were_not_heard(played: Any, strokes: Callable[[int], float]) -> None:
    """Another pad, A, play and pause while a stroke is heard, after A+B was."""
    pads = played.locator(".pad").count()
    pad = int(played.get_attribute(".pad[aria-pressed=true]", "data-group"))
    first = strokes((pad + 1) % pads)
    second = strokes(pad)
    assert first != second
    assert in_a_row(played, "player.heard.playback.position - player.sources.stroke.start < 1") == [True]
    settled(played)
    assert played.text_content("#toggle") == "▶"
    assert played.text_content("#play-reference") == "▶ play"
    played.click("#play-reference")
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'reference')")
    assert sounds(played)["side"] == "reference"
    strokes((pad + 1) % pads)
    strokes(pad)
    settled(played)
    played.keyboard.press("a")
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    strokes((pad + 1) % pads)
    settled(played)
    played.locator("#list").focus()
    played.keyboard.press("ArrowDown")  # A+B is still chosen
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    played.keyboard.press(" ")
    assert not heard(played)["playing"]
    strokes(pad)
    settled(played)


def test_marked_seconds_of_a_hit_are_played_and_taken_away(played: Any, tmp_path: Path) -> None:
    played.locator("#hit-0").click()
    box = played.locator("#now-wave").bounding_box()
    with played.expect_response("**/excerpt?**"):
        played.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
        played.mouse.down()
        played.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=4)
        played.mouse.up()
    until(played, "document.querySelector('#now-facts').textContent.includes('marked 0:')")
    start, end = played.evaluate("import('./app.js').then(({ list }) => list.hit.marked)")
    duration = played.evaluate("import('./app.js').then(({ list }) => list.hit.item.duration)")
    assert (start / duration, end / duration) == pytest.approx((0.25, 0.75), abs=0.02)
    with played.expect_download() as saved:
        played.click("#download")
    saved.value.save_as(tmp_path / "seconds.wav")
    assert soundfile.info(tmp_path / "seconds.wav").duration == pytest.approx(end - start, abs=0.01)
    played.click("#clear-marked")
    assert played.is_hidden("#clear-marked")
    assert heard(played)["source"]["end"] == pytest.approx(duration)
    played.select_option("#taken", "file")


def test_selected_hits_become_a_collection_that_filters_the_list(played: Any) -> None:
    wanted = names(played)[1:3]
    played.locator("#hit-1").click(modifiers=["Control"])
    played.locator("#list").focus()
    played.locator("#hit-2").click(modifiers=["Control"])
    played.keyboard.press("k")
    assert played.evaluate("document.activeElement.id") == "collection-name"
    played.fill("#collection-name", "kit of the album")
    played.keyboard.press("Enter")
    until(played, "document.querySelector('#status').textContent.startsWith('2 sounds added to kit of the album')")
    played.click("#selection-clear")
    played.select_option("#collection", "kit of the album")
    settled(played)
    assert sorted(names(played)) == sorted(wanted)
    played.locator("#hit-0").click(modifiers=["Control"])
    played.click("#uncollect")
    until(played, "document.querySelectorAll('.hit').length === 1")
    played.locator("#hit-0").click(modifiers=["Control"])
    played.click("#uncollect")
    gone = "!document.querySelector('#collection-names option[value=\"kit of the album\"]')"
    until(played, gone)  # without sounds it has ended
    settled(played)
    assert len(names(played)) > 5
    if played.is_visible("#selection-clear"):
        played.click("#selection-clear")


def test_a_pad_is_released(played: Any) -> None:
    pressed = played.locator(".pad[aria-pressed=true]")
    assert pressed.count() == 1
    pressed.click()
    settled(played)
    assert pressed.count() == 0
    assert played.text_content("#part-note").startswith("The mix of the reference")


def test_a_loop_is_stretched_into_the_song(played: Any) -> None:
    choose(played, "loop")
    played.click(".strip[data-part=drums] .compare")
    settled(played)
    position = played.evaluate(
        "import('./app.js').then(({ list }) => list.hits.findIndex(({ item }) => item.tempo && item.key))"
    )
    played.locator("#list").focus()
    played.keyboard.press("Home")
    for _ in range(max(0, position)):
        played.keyboard.press("ArrowDown")
    played.keyboard.press("a")
    until(played, "import('./app.js').then(({ player }) => player.playing && player.side === 'both')")
    before = sounds(played)["source"]
    assert before["end"] - before["start"] > 2
    if position >= 0 and played.is_visible("#to-key"):
        played.click("#to-key")
        until(
            played,
            f"import('./app.js').then(({{ player }}) => player.playing && player.source.url !== {json.dumps(before['url'])})",
        )
    played.keyboard.press(" ")
    played.click(".strip[data-part=drums] .compare")
    choose(played, "song")


def test_the_waveform_is_enlarged_and_walked_through_by_keys(played: Any) -> None:
    played.focus("#wave-box")
    cursor = lambda: float(played.get_attribute("#wave-box", "aria-valuenow"))  # noqa: E731
    played.keyboard.press("Home")
    assert cursor() == 0
    played.keyboard.press(".")
    played.keyboard.press(".")
    starts = sorted(start for group in onsets(played) for start in group["starts"])
    assert min(abs(cursor() - start) for start in starts) < 1e-3
    width = (
        "new Promise((done) => done(document.querySelector('#wave > div').shadowRoot"
        ".querySelector('.wrapper').clientWidth))"
    )
    narrow = played.evaluate(width)
    for _ in range(3):
        played.keyboard.press("+")
    until(played, f"({width}).then((now) => now > {4 * narrow})")
    with played.expect_response("**/api/search") as answer:
        played.keyboard.press("[")
    assert answer.value.request.post_data_json["region"][0] == pytest.approx(cursor(), abs=1e-3)
    settled(played)
    played.keyboard.press("0")
    until(played, f"({width}).then((now) => now < {1.1 * narrow})")
    start = played.input_value("#region-start")
    played.focus("#region-end")
    played.keyboard.press("Tab")
    assert played.input_value("#region-start") == start  # touching a field changes nothing
    played.click("#clear-region")
    settled(played)


def test_a_drawn_region_snaps_to_onsets(played: Any) -> None:
    starts = sorted(start for group in onsets(played) for start in group["starts"])
    duration = float(played.get_attribute("#wave-box", "aria-valuemax"))
    inside = next(start for start in starts if start > 0.3 * duration)
    with played.expect_response("**/api/search") as answer:
        mark(played, (inside + 0.02) / duration, 0.9)
    region = answer.value.request.post_data_json["region"]
    assert min(abs(region[0] - start) for start in starts) < 1e-3
    settled(played)
    played.click("#clear-region")
    settled(played)


def test_the_kind_of_the_reference_is_a_menu(played: Any) -> None:
    with played.expect_response("**/api/search") as answer:
        played.select_option("#reference-kind", "loop")
    assert answer.value.request.post_data_json["kind"] == "loop"
    settled(played)
    assert played.is_checked("#kind [value=loop]")
    assert played.is_hidden("#pads-box")
    with played.expect_response("**/api/search") as answer:
        played.select_option("#reference-kind", "song")
    assert "kind" not in answer.value.request.post_data_json
    settled(played)
    assert played.is_visible("#pads-box")


def test_facts_of_the_reference_become_filters(played: Any, snare_song: SongTruth) -> None:
    assert "bpm" in played.text_content("#reference-facts")
    assert "LUFS" in played.text_content("#reference-facts")
    with played.expect_response("**/api/search") as answer:
        played.click("#chip-tempo")
    low, high = answer.value.request.post_data_json["filters"]["tempo"]
    assert low < float(played.input_value("#tempo")) < high
    settled(played)
    played.click("#chip-tempo")
    settled(played)
    assert played.input_value("#tempo") == ""


def test_the_seconds_of_the_reference_that_matched_are_shown(played: Any) -> None:
    with played.expect_response("**/api/search/matched") as answer:
        played.locator("#hit-0").click()
    match = answer.value.json()
    until(played, "document.querySelector('#now-facts').textContent.includes('of the reference')")
    assert heard(played)["side"] == "hit"
    start = played.evaluate("import('./app.js').then(({ player }) => player.sources.reference.start)")
    assert start == pytest.approx(match["start"])
    played.keyboard.press(" ")


MARKED = """(() => {
  const canvas = document.querySelector("#ticks");
  const { data } = canvas.getContext("2d").getImageData(0, 1, canvas.width, 1);
  let [run, longest] = [0, 0];
  for (let at = 3; at < data.length; at += 4) longest = Math.max(longest, (run = data[at] ? run + 1 : 0));
  return longest > 5;
})()"""
"""Whether seconds are marked at the upper edge of the reference's waveform."""


def test_a_hit_of_a_former_search_is_not_said_to_be_like_seconds_of_the_reference(played: Any) -> None:
    asked: list[str] = []
    played.on("request", lambda request: asked.append(request.url))
    played.locator("#hit-0").click()
    until(played, "document.querySelector('#now-facts').textContent.includes('of the reference')")
    until(played, MARKED)
    name = played.text_content("#now-name")
    kind = played.evaluate("document.querySelector('#kind input:checked').value")
    asked.clear()
    choose(played, "loop")
    until(played, f"!{MARKED}")
    played.wait_for_timeout(400)  # longer than the page waits before it asks for a match
    assert played.text_content("#now-name") == name  # it stays to be heard
    assert "of the reference" not in played.text_content("#now-facts")
    assert any(url.endswith("/api/search") for url in asked)
    assert not any(url.endswith("/api/search/matched") for url in asked)
    assert not played.evaluate(MARKED)
    choose(played, kind)  # it is a hit again
    played.locator("#hit-0").click()
    until(played, "document.querySelector('#now-facts').textContent.includes('of the reference')")
    played.keyboard.press(" ")


def test_the_score_means_something(played: Any) -> None:
    played.locator("#hit-0").hover()
    assert "more than the mean of this list" in played.get_attribute("#hit-0 .bars", "title")


def test_matched_seconds_and_stems_are_taken_away(played: Any, tmp_path: Path) -> None:
    played.locator("#hit-0").click()
    for what, ending in (("seconds", ".wav"), ("drums", " drums.wav")):
        played.select_option("#taken", what)
        with played.expect_download() as saved:
            played.click("#download")
        assert saved.value.suggested_filename.endswith(ending)
        saved.value.save_as(tmp_path / what)
        assert (tmp_path / what).read_bytes()[:4] == b"RIFF"
    played.select_option("#taken", "file")
    played.locator("#list").focus()
    played.keyboard.press(" ")


def test_hits_are_ordered_by_columns_and_selected(played: Any) -> None:
    best = names(played)
    played.click("#columns [data-column=name]")
    assert names(played) == sorted(best, key=lambda name: played_title(played, name))
    played.click("#columns [data-column=name]")
    played.click("#columns [data-column=name]")
    assert names(played) == best
    played.locator("#hit-0").click(modifiers=["Control"])
    played.locator("#hit-2").click(modifiers=["Shift"])
    assert played.text_content("#selection-count") == "3 hits selected"
    played.click("#selection-clear")
    assert played.is_hidden("#selection")


def played_title(page: Any, name: str) -> str:
    return str(
        page.evaluate(
            """async (name) => {
              const { title } = await import("./format.js");
              const { list } = await import("./app.js");
              return title(list.hits.find((hit) => hit.item.name === name).item).toLowerCase();
            }""",
            name,
        )
    )


def test_a_row_is_dragged_onto_the_reference(played: Any) -> None:
    item = played.evaluate("document.querySelector('#hit-0').hit.item")
    played.evaluate(
        """() => {
          const data = new DataTransfer();
          const event = (name) => new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data });
          document.querySelector("#hit-0").dispatchEvent(event("dragstart"));
          document.querySelector("#wave-box").dispatchEvent(event("drop"));
        }"""
    )
    until(played, f"document.querySelector('#reference-name').textContent === {json.dumps(item['name'])}")
    settled(played)


def test_another_reference_ends_a_stroke(
    played: Any, strokes: Callable[[int], float], music: Path, snare_song: SongTruth
) -> None:
    drop(played, music / snare_song.file)
    until(played, "document.querySelectorAll('.pad').length > 0")
    strokes(0)
    drop(played, sorted((music / "one-shots").iterdir())[0])
    until(played, "document.querySelector('#reference-kind').value === 'one-shot'")
    assert in_a_row(played, "player.heard", "player.sources.stroke", "player.coming") == [None, None, None]
