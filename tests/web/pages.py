"""Steps that many tests of the page share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds until what never comes true fails a test."""


def drop(page: Any, path: Path) -> None:
    """Give the page a file and wait until all of it is answered."""
    page.set_input_files("#file", path)
    until(page, "document.querySelector('#hits-heading').textContent === 'Hits'")
    settled(page)


def settled(page: Any) -> None:
    """Wait until the server is asked nothing more and the order is the server's."""
    page.wait_for_timeout(300)  # longer than the page waits before it asks
    until(page, "document.querySelector('#results').getAttribute('aria-busy') === 'false'")
    until(page, "!document.querySelector('#status').classList.contains('provisional')")


def until(page: Any, true: str) -> None:
    """Wait until an expression is true. (Playwright's own way evaluates strings, which the page's policy forbids.)"""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(true):
        assert time.monotonic() < end, f"never true: {true}"
        page.wait_for_timeout(30)


def names(page: Any) -> list[str]:
    """Of the rows in the page, from the top."""
    rows = page.eval_on_selector_all(".hit", "rows => rows.map((row) => [Number(row.dataset.index), row.title])")
    return [name for _, name in sorted(rows)]


def status(page: Any) -> str:
    return str(page.text_content("#status"))


def drop_paths(page: Any, *paths: Path, on: str = "#list") -> None:
    """Drop files and folders from the desktop, as the browser itself delivers them."""
    box = page.locator(on).bounding_box()
    devtools = page.context.new_cdp_session(page)
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
    devtools.detach()


def choose(page: Any, kind: str) -> None:
    """Look for songs, loops or one-shots."""
    page.locator(f"#kind input[value={kind}]").check(force=True)
    settled(page)


def mark(page: Any, start: float, end: float) -> None:
    """Drag over a share of the reference's waveform."""
    box = page.locator("#wave").bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 40, steps=8)
    page.mouse.up()


def heard(page: Any) -> dict[str, Any]:
    """What the player does now; level is the root mean square of what goes to the loudspeakers."""
    found = page.evaluate(
        """async () => {
          const { player } = await import("./app.js");
          return { playing: player.playing, position: player.position, level: player.level(), side: player.side,
                   repeat: player.repeat, source: player.source };
        }"""
    )
    return dict(found)


def struck_on(page: Any) -> None:
    """Let one-shots repeat: they are over sooner than a busy machine can look."""
    page.evaluate("import('./app.js').then(({ player }) => { player.repeats['one-shot'] = true; })")


def sounds(page: Any) -> dict[str, Any]:
    """Wait until something is heard and time goes on; how it stands then."""
    end = time.monotonic() + PATIENCE
    first: float | None = None
    while True:
        now = heard(page)
        if now["playing"] and now["level"] > 1e-4:
            if first is not None and now["position"] != first:
                return now
            first = now["position"]
        assert time.monotonic() < end, f"nothing is heard: {now}"
        page.wait_for_timeout(40)


def view(page: Any, name: str) -> None:
    """Show a view (reference, weighting, results, map) where a narrow page has one at a time."""
    if page.is_visible("#views"):
        page.click(f"#views [data-view={name}]")
