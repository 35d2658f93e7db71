"""How fast the page is in a real Chromium, and how near its provisional order is to the server's.

    PYTHONPATH=. python benchmarks/page.py LIBRARY SONG

LIBRARY: an indexed library with songs; SONG: a file to drop (of four minutes, say). Prints JSON:

- paint_ms, page_bytes, first_hits_s, whole_s: first paint; what the page weighs; seconds from a drop to the first hits, and to
  those of all windows. Three visits each, the first of them to a server that has just begun.
- work, frames: ms of computing a frame, and between frames, while every frame sets other weights, orders 2,000 made-up
  candidates of 7 parts and 8 windows each, and draws the list. scrolled: ms between frames while the list scrolls.
- overlap: of the 20 hits that the page puts first when a slider jumps, the share that the server puts among its first 20;
  in a library of 20,000 songs made up from the vectors of LIBRARY. From equal weights, and from each part alone, to each
  part alone, each part against the others, and equal weights.
- moved: ms between frames while a slider of that page moves.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.web.conftest import CHROMIUM, Running
from tests.web.many import many_songs
from tests.web.pages import settled

MANY = 20_000
FIRST = 20
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

TOLD = """
  const at = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];
  const told = (values) => ({ median: at(values, 0.5), p99: at(values, 0.99), worst: Math.max(...values) });
  const frame = () => new Promise((done) => requestAnimationFrame(done));
"""

DRAG = (
    """async () => {
  const { packed, ranked, effective } = await import("/rank.js");
  const { List } = await import("/hits/list.js");"""
    + TOLD
    + """
  const parts = ["bass", "drums", "guitar", "piano", "vocals", "residuals", "mix"];
  const items = Array.from({ length: 2000 }, (_, n) => ({
    id: String(n).padStart(6, "0"), name: `music/song ${n}.flac`, path: `/music/song ${n}.flac`, folder: "music", kind: "song",
    duration: 200, tempo: 120, tempo_source: "estimate", key: "A minor", key_source: "estimate", title: `Song ${n}`,
    artist: "Nobody", favourite: n % 9 === 0,
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
    const began = performance.now();
    const weights = Object.fromEntries(parts.map((part, k) => [part, Math.sin(step / 20 + k)]));
    list.show(ranked(packing, effective(weights, spread)));
    document.body.offsetHeight;
    work.push(performance.now() - began);
    const now = await frame();
    frames.push(now - last);
    last = now;
  }
  const scrolled = [];
  last = await frame();
  for (let step = 0; step < 240; step++) {
    document.getElementById("list").scrollTop += 400;
    const now = await frame();
    scrolled.push(now - last);
    last = now;
  }
  return { work: told(work.slice(60)), frames: told(frames.slice(60)), scrolled: told(scrolled) };
}"""
)

MOVE = (
    """async (part) => {"""
    + TOLD
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
  return told(frames.slice(10));
}"""
)

# Puts sliders where they are told to be, and says which hits the page puts first before the server has been asked.
SET = """async ([values, first]) => {
  const { list } = await import("/app.js");
  for (const [part, value] of Object.entries(values)) {
    const slider = document.getElementById(`weight-${part}`);
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
  }
  return list.hits.slice(0, first).map((hit) => hit.item.id);
}"""
ASK = """() => document.getElementById("weight-mix").dispatchEvent(new Event("change"))"""
NOW = """async (first) => (await import("/app.js")).list.hits.slice(0, first).map((hit) => hit.item.id)"""

PAINT = (
    """() => performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint")?.startTime"""
)
WEIGHT = """() => [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
  .filter((one) => !one.name.includes("/api/")).reduce((sum, one) => sum + one.encodedBodySize, 0)"""

OUTLINE = {
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

    found: dict[str, Any] = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with Running(arguments.library) as running:
            found |= visits(browser, running.address, arguments.song)
            page = visit(browser, running.address)
            page.route("**/api/peaks?**", outlines)
            found |= page.evaluate(DRAG)
            page.close()
        many = many_songs(Path(folder) / "many", arguments.library, MANY, windows=2)
        with Running(many) as running:
            page = visit(browser, running.address)
            page.set_input_files("#file", arguments.song)
            page.wait_for_selector("#region-controls:not([hidden])")
            settled(page)
            found["overlap"] = overlaps(page)
            found["moved"] = page.evaluate(MOVE, "drums")
        browser.close()
    print(json.dumps(found, indent=2))


def visit(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector("#weight-drums")
    page.wait_for_selector(".hit")
    return page


def outlines(route: Any) -> None:
    """Waveforms of made-up items."""
    from urllib.parse import parse_qs, urlsplit

    ids = parse_qs(urlsplit(route.request.url).query)["item"]
    route.fulfill(json={"peaks": dict.fromkeys(ids, OUTLINE)})


def visits(browser: Any, address: str, song: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"paint_ms": [], "first_hits_s": [], "whole_s": []}
    for _ in range(3):
        page = visit(browser, address)
        found["paint_ms"].append(round(page.evaluate(PAINT)))
        found["page_bytes"] = page.evaluate(WEIGHT)
        began = time.perf_counter()
        page.set_input_files("#file", song)
        while page.text_content("#hits-heading") != "Hits":
            page.wait_for_timeout(5)
        found["first_hits_s"].append(round(time.perf_counter() - began, 2))
        while page.get_attribute("#results", "aria-busy") == "true":
            page.wait_for_timeout(20)
        found["whole_s"].append(round(time.perf_counter() - began, 2))
        page.close()
    return found


def overlaps(page: Any) -> dict[str, Any]:
    parts = [row.get_attribute("data-part") for row in page.locator(".strip").all()]
    equal = dict.fromkeys(parts, 0.5)
    alone = {part: {one: float(one == part) for one in parts} for part in parts}
    against = {part: {one: -1.0 if one == part else 0.5 for one in parts} for part in parts}
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
            page.evaluate(ASK)
            settled(page)
            provisional = page.evaluate(SET, [values, FIRST])
            page.evaluate(ASK)
            settled(page)
            exact = page.evaluate(NOW, FIRST)
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
