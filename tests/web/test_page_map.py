"""The map of the library: pointer, keyboard, zoom, legend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.web.pages import choose, drop, heard, names, settled, sounds, struck_on, until


def opened(page: Any) -> None:
    struck_on(page)
    page.locator("#list").focus()
    page.keyboard.press("m")
    drawn(page)


def drawn(page: Any) -> None:
    until(page, "document.querySelectorAll('#map-neighbours button').length > 0")


def places(page: Any, kind: str) -> dict[str, tuple[float, float]]:
    """Where the points are on the screen, by name, as the server places them."""
    found = page.evaluate(
        """async (kind) => {
          const { toScreen, WHOLE } = await import("/map/view.js");
          const map = await (await fetch(`/api/map?part=mix&kind=${kind}`)).json();
          const canvas = document.querySelector("#map-canvas");
          const box = canvas.getBoundingClientRect();
          const size = { width: canvas.clientWidth, height: canvas.clientHeight };
          return map.names.map((name, n) => {
            const [left, top] = toScreen(WHOLE, size, map.x[n], map.y[n]);
            return [name, [box.left + left, box.top + top]];
          });
        }""",
        kind,
    )
    return dict(found)


def test_a_click_plays_a_point_that_can_become_the_reference(page: Any) -> None:
    opened(page)
    page.select_option("#map-kind", "one-shot")
    page.wait_for_timeout(50)
    drawn(page)
    assert page.input_value("#map-colour") == "tempo"
    assert page.is_disabled("#map-part")
    assert page.text_content("#map-status").startswith("20 sounds;")
    points = places(page, "one-shot")
    assert len(points) == 20
    far = lambda name: min(  # noqa: E731
        (abs(points[name][0] - x) + abs(points[name][1] - y)) for other, (x, y) in points.items() if other != name
    )
    name = max(points, key=far)
    page.mouse.move(*points[name])  # resting on it is enough
    assert sounds(page)["source"]["name"] == name
    page.click("#map-pause")
    until(page, "import('./app.js').then(({ player }) => !player.playing)")
    page.mouse.click(*points[name])
    assert sounds(page)["source"]["name"] == name
    assert page.text_content("#map-current") == name
    assert page.text_content("#map-neighbours [aria-current]") == name
    with page.expect_response("**/api/search"):
        page.click("#map-reference")
    settled(page)
    assert page.is_visible("#map")  # beside the list
    assert page.text_content("#reference-name").endswith(name)


def test_a_lasso_lists_what_is_in_it(page: Any) -> None:
    opened(page)
    page.select_option("#map-kind", "one-shot")
    page.wait_for_timeout(50)
    drawn(page)
    points = places(page, "one-shot")
    name = max(points, key=lambda one: points[one][0])
    others = sorted(x for other, (x, _) in points.items() if other != name)
    box = page.locator("#map-canvas").bounding_box()
    left = (others[-1] + points[name][0]) / 2
    page.keyboard.down("Shift")
    page.mouse.move(left, box["y"] + 1)
    page.mouse.down()
    for x, y in ((box["width"] - 1, 1), (box["width"] - 1, box["height"] - 1)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.mouse.move(left, box["y"] + box["height"] - 1, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    until(page, "document.querySelector('#status').textContent === '1 sound in the lasso on the map'")
    assert [one.split("/")[-1] for one in names(page)] == [name]


def test_kinds_differ_in_colour_shape_and_name(page: Any) -> None:
    opened(page)
    assert (page.input_value("#map-kind"), page.input_value("#map-colour")) == ("all", "kind")
    assert page.text_content("#map-status").startswith("32 sounds (● songs, ■ loops, ▲ one-shots)")
    legend = page.eval_on_selector_all(
        "#map-legend button", "all => all.map((one) => [one.textContent, one.firstChild.className])"
    )
    assert legend == [["songs", "dot circle"], ["loops", "dot square"], ["one-shots", "dot triangle"]]
    for name in ("loops", "one-shots"):
        page.get_by_role("button", name=name, exact=True).click()
    near = page.eval_on_selector_all("#map-neighbours button", "all => all.map((one) => one.title)")
    assert len(near) == 4
    assert all(title.startswith("song: ") for title in near)
    page.select_option("#map-colour", "tempo")
    assert page.text_content("#map-legend button") == "under 80"
    near = page.eval_on_selector_all(
        "#map-neighbours button", "all => all.map((one) => [one.title, one.firstChild.className])"
    )
    shapes = {"song": "circle", "loop": "square", "one-shot": "triangle"}
    assert len(near) == 12
    assert all(shape == f"dot {shapes[title.split(': ')[0]]}" for title, shape in near)


def test_the_map_is_used_by_keyboard_alone(page: Any, song: Path) -> None:
    drop(page, song)
    choose(page, "one-shot")
    opened(page)
    assert page.evaluate("document.activeElement.id") == "map-canvas"
    seen = {page.text_content("#map-current")}
    page.select_option("#map-kind", "one-shot")
    page.wait_for_timeout(50)
    drawn(page)
    assert "rings mark the first hits" in page.text_content("#map-status")
    page.focus("#map-canvas")
    seen = {page.text_content("#map-current")}
    first = page.evaluate("document.querySelector('#hit-0').hit.item.name.split('/').pop()")
    assert seen == {first}  # the best hit is where the look begins
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.add(page.text_content("#map-current"))
    assert len(seen) > 2
    sounds(page)
    for _ in range(4):
        page.keyboard.press("+")
    page.keyboard.press("0")
    page.keyboard.press("Tab")
    page.locator("#map-neighbours button").nth(3).focus()
    name = page.locator("#map-neighbours button").nth(3).text_content()
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('#map-current').textContent === {name!r}")
    page.focus("#map-canvas")
    with page.expect_response("**/api/search"):
        page.keyboard.press("r")
    settled(page)
    assert page.text_content("#reference-name").endswith(name)


def test_zoom_pan_and_legend(page: Any) -> None:
    choose(page, "one-shot")
    opened(page)
    page.click("#map-hear")
    page.select_option("#map-colour", "folder")
    assert page.locator("#map-legend button").count() >= 1
    picture = lambda: page.evaluate("document.querySelector('#map-canvas').toDataURL()")  # noqa: E731
    whole = picture()
    box = page.locator("#map-canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -500)
    page.wait_for_timeout(100)
    near = picture()
    assert near != whole
    page.mouse.down()
    page.mouse.move(middle[0] + 80, middle[1] + 30, steps=4)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert picture() != near
    assert not heard(page)["playing"]  # a drag is not a click
    page.locator("#map-legend button").first.click()
    assert page.get_attribute("#map-legend button", "aria-pressed") == "false"
    page.select_option("#map-kind", "song")
    page.wait_for_timeout(50)
    drawn(page)
    page.select_option("#map-part", "drums")
    page.wait_for_timeout(50)
    drawn(page)
    assert page.text_content("#map-status").startswith("4 sounds")
    page.keyboard.press("m")
    assert page.is_hidden("#map")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (600, 900), (700, 900), (390, 500), (720, 450)])
def test_in_a_narrow_or_low_window_the_map_and_its_buttons_are_in_sight(page: Any, width: int, height: int) -> None:
    opened(page)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(100)
    assert page.locator("#map-canvas").bounding_box()["height"] >= min(200, height / 3)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    outside = page.eval_on_selector_all(
        "#map .bar :is(button, select), #map-reference",
        """all => all.filter((one) => one.checkVisibility()).map((one) => [one.id, one.getBoundingClientRect()])
          .filter(([, { left, right }]) => left < 0 || right > innerWidth).map(([id]) => id)""",
    )
    assert outside == []
    if height > 800:  # without scrolling
        bottom = "(one) => one.getBoundingClientRect().bottom"
        assert page.locator("#map-status").evaluate(bottom) <= page.locator("#map").evaluate(bottom)


def test_in_a_narrow_window_the_map_gives_way_to_what_it_lists(page: Any) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    page.keyboard.press("m")
    drawn(page)
    assert page.is_visible("#map-canvas")
    page.keyboard.press("m")  # closed: the hits are there again, not nothing
    assert page.is_visible("#list")
    page.click("#views [data-view=map]")
    page.click("#views [data-view=results]")
    page.keyboard.press("m")  # it is open, but not in sight
    assert page.is_visible("#map-canvas")
    page.select_option("#map-kind", "all")
    page.wait_for_timeout(50)
    drawn(page)
    box = page.locator("#map-canvas").bounding_box()
    corners = [(box["x"] + 2 + x * (box["width"] - 4), box["y"] + 2 + y * (box["height"] - 4)) for x, y in SQUARE]
    page.keyboard.down("Shift")
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    until(page, "document.querySelector('#status').textContent === '32 sounds in the lasso on the map'")
    assert page.is_visible("#list")


SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))


def test_two_fingers_zoom_the_map(page: Any) -> None:
    opened(page)
    page.select_option("#map-kind", "one-shot")
    page.wait_for_timeout(50)
    drawn(page)
    points = places(page, "one-shot")
    source = heard(page)["source"]
    box = page.locator("#map-canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *distances: float) -> None:
        fingers = [{"x": middle[0] + d, "y": middle[1], "id": n} for n, d in enumerate(distances)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", -40.0)
    touch("touchStart", -40.0, 40.0)
    for distance in (60.0, 90.0, 120.0):
        touch("touchMove", -distance, distance)
    touch("touchEnd")
    devtools.detach()
    assert heard(page)["source"] == source  # no finger chose a point
    name = min(points, key=lambda one: max(abs(points[one][axis] - middle[axis]) for axis in (0, 1)))
    there = [middle[axis] + 3 * (points[name][axis] - middle[axis]) for axis in (0, 1)]
    assert abs(there[0] - points[name][0]) + abs(there[1] - points[name][1]) > 20  # it is elsewhere now
    page.wait_for_timeout(100)
    page.mouse.click(*there)
    until(page, f"import('./app.js').then(({{ player }}) => player.sources.hit?.name === {json.dumps(name)})")
