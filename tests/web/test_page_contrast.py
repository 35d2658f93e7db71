"""The page in the high contrast of the system, where it has few colours: what is pressed, chosen or set can be seen."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.pages import drop, mark, settled, until

COLOURS = """async (png) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  pen.drawImage(bitmap, 0, 0);
  const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
  const shares = {};
  for (let n = 0; n < data.length; n += 4) {
    const name = `rgb(${data[n]}, ${data[n + 1]}, ${data[n + 2]})`;
    shares[name] = (shares[name] ?? 0) + 4 / data.length;
  }
  return shares;
}"""
"""The colours of a picture, with their shares of its area."""

PROBE = """() => {
  const probe = document.createElement("div");
  probe.id = "probe";
  probe.style.cssText = "position: fixed; inset: 0 auto auto 0; width: 9px; height: 9px; z-index: 99; background: Highlight";
  document.body.append(probe);
}"""
"""The system's colour for what is chosen, which may be translucent, over that of the page."""


@pytest.fixture(params=["light", "dark"])
def contrast(request: Any, page: Any) -> Iterator[Any]:
    page.emulate_media(forced_colors="active", color_scheme=request.param)
    yield page
    page.emulate_media(forced_colors="none")


def test_what_is_pressed_chosen_or_set_can_be_seen_in_high_contrast(contrast: Any, modules: Any, song: Path) -> None:
    def shares(place: str | dict[str, float]) -> dict[str, float]:
        """The colours of an element, or of a rectangle of the page."""
        shot = contrast.locator(place).screenshot() if isinstance(place, str) else contrast.screenshot(clip=place)
        return dict(modules.evaluate(COLOURS, base64.b64encode(shot).decode()))

    contrast.evaluate(PROBE)
    (highlight,) = shares("#probe")
    contrast.evaluate("document.querySelector('#probe').remove()")

    def highlighted(selector: str) -> float:
        return shares(selector).get(highlight, 0.0)

    drop(contrast, song)
    until(contrast, "document.querySelectorAll('.pad').length > 0")
    until(contrast, "document.querySelectorAll('.hit').length > 2")
    contrast.click(".strip[data-part=bass] .mute")
    contrast.click(".strip[data-part=mix] .lock")
    settled(contrast)
    for pressed, other in (
        (".strip[data-part=bass] .mute", ".strip[data-part=drums] .mute"),
        (".strip[data-part=mix] .lock", ".strip[data-part=drums] .lock"),
        ("#snap", "#zoom-in"),
        ("#side-hit", "#side-reference"),
        ("#kind label:has(:checked)", "#kind label:not(:has(:checked)) >> nth=0"),
    ):
        assert highlighted(pressed) > 0.3, pressed
        assert highlighted(other) < 0.05, other  # they may overlap by a border
    assert highlighted("#weight-drums") > 0.02  # its value
    contrast.dblclick("#weight-drums")
    settled(contrast)
    contrast.locator("#list").focus()
    assert highlighted("#weight-drums") < 0.005

    contrast.locator("#hit-1").click(modifiers=["Control"])
    contrast.locator("#hit-0").click(position={"x": 4, "y": 4})
    contrast.mouse.move(0, 0)
    plain = highlighted("#hit-2")  # its matched seconds
    assert highlighted("#hit-0") > plain + 0.05
    assert highlighted("#hit-1 .rank") > 0.3
    assert highlighted("#hit-2 .rank") == 0

    mark(contrast, 0.25, 0.5)
    settled(contrast)
    box = contrast.locator("#wave").bounding_box()
    inside, outside = (
        shares({"x": box["x"] + box["width"] * at, "y": box["y"] + 8, "width": 200, "height": 60}) for at in (0.3, 0.6)
    )
    grounds = [max(one, key=lambda name: one[name]) for one in (inside, outside)]
    assert grounds[0] != grounds[1]
    assert 0.01 < 1 - inside[grounds[0]] < 0.9  # the waveform shows through
