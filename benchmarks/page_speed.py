"""Speed of the page in Chromium, and how close its provisional order is to the order of the server.

    python -m benchmarks.page_speed LIBRARY SONG

LIBRARY: an indexed library with songs; SONG: a file to drop (of about four minutes). Prints JSON:

- paint_ms, list_s, page_bytes, first_hits_s, all_windows_s: first paint; seconds from the request of the page to the
  list of the library; size of the page; seconds from a drop to the first hits, and to the hits for all windows. Three
  visits each, the first one right after the server has started. The server loads its models at start, as
  `soundalike serve` does.
- wave: ms between frames while the waveform of SONG, with its onsets, is enlarged and reduced step by step (zoom), and
  scrolled while it is enlarged 64 times (scroll).
- map_s: seconds until the map of LIBRARY is drawn, computed for the first time.
- work, frames: ms of computation per frame, and ms between frames, while every frame sets new weights, orders 2,000
  synthetic candidates of 7 parts and 8 windows each, and draws the list. scroll: ms between frames while the list
  scrolls.
- overlap: share of the page's first 20 hits after a slider jumps that are in the server's first 20, in a library of
  20,000 songs mixed from the vectors of LIBRARY. From equal weights, and from each part alone, to each part alone, each
  part against the others, and equal weights.
- slider: ms between frames while a slider of that page moves.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.web.conftest import CHROMIUM, Running
from tests.web.many import many_songs
from tests.web.pages import settled, until

MANY = 20_000
FIRST = 20
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

STATISTICS = """
  const at = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];
  const summary = (values) => ({ median: at(values, 0.5), p99: at(values, 0.99), max: Math.max(...values) });
  const frame = () => new Promise((done) => requestAnimationFrame(done));
"""

DRAG = (
    """async () => {
  const { packed, ranked, effective } = await import("/rank.js");
  const { List } = await import("/hits/list.js");"""
    + STATISTICS
    + """
  const parts = ["bass", "drums", "guitar", "piano", "vocals", "residuals", "mix"];
  const items = Array.from({ length: 2000 }, (_, n) => ({
    id: String(n).padStart(6, "0"), name: `music/song ${n}.flac`, path: `/music/song ${n}.flac`, folder: "music", kind: "song",
    duration: 200, tempo: 120, tempo_source: "estimate", key: "A minor", key_source: "estimate", title: `Song ${n}`,
    artist: "Artist", favourite: n % 9 === 0,
  }));
  const row = (n, w) => [n, 10 * w, 10 * w + 10, parts.map(() => Math.random())];
  const rows = items.flatMap((_, n) => Array.from({ length: 8 }, (_, w) => row(n, w)));
  const packing = packed({ parts, items, rows });
  const spread = Object.fromEntries(parts.map((part) => [part, 0.1 + Math.random() / 10]));
  const list = new List(document.getElementById("list"), document.getElementById("canvas"), { onChoose: () => {} });
  const work = [];
  const frames = [];
  let last = await frame();
  for (let step = 0; step < 300; step++) {
    const start = performance.now();
    const weights = Object.fromEntries(parts.map((part, k) => [part, Math.sin(step / 20 + k)]));
    list.show(ranked(packing, effective(weights, spread)));
    document.body.offsetHeight;
    work.push(performance.now() - start);
    const now = await frame();
    frames.push(now - last);
    last = now;
  }
  const scroll = [];
  last = await frame();
  for (let step = 0; step < 240; step++) {
    document.getElementById("list").scrollTop += 400;
    const now = await frame();
    scroll.push(now - last);
    last = now;
  }
  return { work: summary(work.slice(60)), frames: summary(frames.slice(60)), scroll: summary(scroll) };
}"""
)

MOVE = (
    """async (part) => {"""
    + STATISTICS
    + """
  const slider = document.getElementById(`weight-${part}`);
  const frames = [];
  let last = await frame();
  for (let step = 0; step < 200; step++) {
    slider.value = Math.sin(step / 15);
    slider.dispatchEvent(new Event("input"));
    const now = await frame();
    frames.push(now - last);
    last = now;
  }
  return summary(frames.slice(10));
}"""
)

WAVE = (
    """async () => {"""
    + STATISTICS
    + """
  const box = document.getElementById("wave-box");
  const scroller = document.querySelector("#wave > div").shadowRoot.querySelector(".scroll");
  const press = (key) => box.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const timed = async (count, step) => {
    const frames = [];
    let last = await frame();
    for (let n = 0; n < count; n++) {
      step(n);
      const now = await frame();
      frames.push(now - last);
      last = now;
    }
    return summary(frames.slice(5));
  };
  const zoom = await timed(60, (n) => press(n % 12 < 6 ? "+" : "-"));
  for (let n = 0; n < 6; n++) press("+");
  await frame();
  const scroll = await timed(240, () => { scroller.scrollLeft += 60; });
  return { zoom, scroll };
}"""
)

# Sets sliders and returns the first hits of the page before it has asked the server.
SET = """async ([values, first]) => {
  const { list } = await import("/app.js");
  for (const [part, value] of Object.entries(values)) {
    const slider = document.getElementById(`weight-${part}`);
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
  }
  return list.hits.slice(0, first).map((hit) => hit.item.id);
}"""
SEARCH = """() => document.getElementById("weight-mix").dispatchEvent(new Event("change"))"""
FIRST_HITS = """async (first) => (await import("/app.js")).list.hits.slice(0, first).map((hit) => hit.item.id)"""

PAINT = """() => performance.getEntriesByType("paint").find((entry) => entry.name === "first-contentful-paint")?.startTime"""
PAGE_BYTES = """() => [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
  .filter((entry) => !entry.name.includes("/api/")).reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""

WAVEFORM = {
    "duration": 200.0,
    "low": [-(n * 7) % 90 - 9 for n in range(120)],
    "high": [n * 11 % 90 + 9 for n in range(120)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("song", type=Path)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    figures: dict[str, Any] = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with Running(arguments.library, preload=True) as running:
            figures |= drops(browser, running.address, arguments.song)
            page = visit(browser, running.address)
            page.set_input_files("#file", arguments.song)
            until(page, "document.querySelectorAll('.pad').length > 0")
            settled(page)
            figures["wave"] = page.evaluate(WAVE)
            figures["map_s"] = map_seconds(page)
            page.close()
            page = visit(browser, running.address)
            page.route("**/api/peaks?**", fake_waveforms)
            figures |= page.evaluate(DRAG)
            page.close()
        many = many_songs(Path(folder) / "many", arguments.library, MANY, windows=2)
        with Running(many) as running:
            page = visit(browser, running.address)
            page.set_input_files("#file", arguments.song)
            page.wait_for_selector("#region-controls:not([hidden])")
            settled(page)
            figures["overlap"] = overlaps(page)
            figures["slider"] = page.evaluate(MOVE, "drums")
        browser.close()
    print(json.dumps(figures, indent=2))


def visit(browser: Any, address: str) -> Any:
    """Open the page and wait until it lists the library."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector("#weight-drums")
    page.wait_for_selector(".hit")
    return page


def fake_waveforms(route: Any) -> None:
    """Respond to requests for waveform overviews of synthetic items."""
    from urllib.parse import parse_qs, urlsplit

    ids = parse_qs(urlsplit(route.request.url).query)["item"]
    route.fulfill(json={"peaks": dict.fromkeys(ids, WAVEFORM)})


def drops(browser: Any, address: str, song: Path) -> dict[str, Any]:
    """Times of three visits, each with a drop of the song."""
    figures: dict[str, Any] = {"paint_ms": [], "list_s": [], "first_hits_s": [], "all_windows_s": []}
    for _ in range(3):
        start = time.perf_counter()
        page = visit(browser, address)
        figures["list_s"].append(round(time.perf_counter() - start, 2))
        figures["paint_ms"].append(round(page.evaluate(PAINT)))
        figures["page_bytes"] = page.evaluate(PAGE_BYTES)
        start = time.perf_counter()
        page.set_input_files("#file", song)
        while page.text_content("#hits-heading") != "Hits":
            page.wait_for_timeout(5)
        figures["first_hits_s"].append(round(time.perf_counter() - start, 2))
        while page.get_attribute("#results", "aria-busy") == "true":
            page.wait_for_timeout(20)
        figures["all_windows_s"].append(round(time.perf_counter() - start, 2))
        page.close()
    return figures


def map_seconds(page: Any) -> float:
    """Seconds until the map is drawn."""
    start = time.perf_counter()
    page.click("#map-open")
    until(page, "document.querySelectorAll('#map-neighbours button').length > 0")
    return round(time.perf_counter() - start, 2)


def overlaps(page: Any) -> dict[str, Any]:
    """Overlap of the provisional and the exact first hits, over all pairs of slider settings of parts that the reference has."""
    silent = re.search(r"silent in the reference: ([\w, ]+)", page.text_content("#status"))
    absent = silent[1].strip().split(", ") if silent else []
    strips = (row.get_attribute("data-part") for row in page.locator(".strip").all())
    parts = [part for part in strips if part not in absent]
    equal = dict.fromkeys(parts, 0.5)
    alone = {part: {other: float(other == part) for other in parts} for part in parts}
    against = {part: {other: -1.0 if other == part else 0.5 for other in parts} for part in parts}
    targets = {
        "equal": equal,
        **{f"{part} alone": values for part, values in alone.items()},
        **{f"against {part}": values for part, values in against.items()},
    }
    shares: dict[str, float] = {}
    for start in ("equal", *(f"{part} alone" for part in parts)):
        for target, values in targets.items():
            if target == start:
                continue
            page.evaluate(SET, [targets[start], FIRST])
            page.evaluate(SEARCH)
            settled(page)
            provisional = page.evaluate(SET, [values, FIRST])
            page.evaluate(SEARCH)
            settled(page)
            exact = page.evaluate(FIRST_HITS, FIRST)
            shares[f"{start} -> {target}"] = len(set(provisional) & set(exact)) / FIRST
    worst = min(shares, key=lambda name: shares[name])
    return {
        "median": statistics.median(shares.values()),
        "worst": shares[worst],
        "worst_at": worst,
        "all_20": sum(share == 1 for share in shares.values()),
        "of": len(shares),
    }


if __name__ == "__main__":
    main()
