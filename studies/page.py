"""How fast the page is, in a real Chromium: frames while a slider moves, while the list scrolls, first paint, first hits.

    PYTHONPATH=. python studies/page.py LIBRARY SONG

LIBRARY: an indexed library; SONG: a file to drop (four minutes, say). Frames are those of the page's own code over 2,000
made-up candidates of 7 parts, 8 windows each: every frame sets other weights, orders all candidates and draws the list.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from tests.web.conftest import CHROMIUM, Running

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

DRAG = """async () => {
  const { packed, ranked, effective } = await import("./rank.js");
  const { List } = await import("./list.js");
  const parts = ["bass", "drums", "guitar", "piano", "vocals", "residuals", "mix"];
  const items = Array.from({ length: 2000 }, (_, n) => ({
    id: String(n).padStart(6, "0"), name: `song ${n}.flac`, path: `/music/song ${n}.flac`, kind: "song", duration: 200,
    tempo: 120, tempo_source: "estimate", key: "A minor", key_source: "estimate", title: `Song ${n}`, artist: "Nobody",
  }));
  const row = (n, w) => [n, 10 * w, 10 * w + 10, parts.map(() => Math.random())];
  const rows = items.flatMap((_, n) => Array.from({ length: 8 }, (_, w) => row(n, w)));
  const packing = packed({ parts, items, rows });
  const spread = Object.fromEntries(parts.map((part) => [part, 0.1 + Math.random() / 10]));
  const list = new List(document.getElementById("list"), document.getElementById("canvas"), () => {});
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const work = [];
  const frames = [];
  let last = await frame();
  for (let step = 0; step < 240; step++) {
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
  const sorted = (values) => [...values].sort((a, b) => a - b);
  const at = (values, share) => sorted(values)[Math.floor(values.length * share)];
  const told = (values) => ({ median: at(values, 0.5), p99: at(values, 0.99), worst: Math.max(...values) });
  return { work: told(work.slice(10)), frames: told(frames.slice(10)), scrolled: told(scrolled.slice(10)) };
}"""

PAINT = (
    """() => performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint")?.startTime"""
)
WEIGHT = """() => [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
  .filter((one) => !one.name.includes("/api/")).reduce((sum, one) => sum + one.transferSize, 0)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("song", type=Path)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with Running(arguments.library) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found: dict[str, Any] = {"paint_ms": [], "first_hits_s": [], "whole_s": []}
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(running.address)
            page.wait_for_selector("#weight-drums")
            found["paint_ms"].append(page.evaluate(PAINT))
            found["page_bytes"] = page.evaluate(WEIGHT)
            began = time.perf_counter()
            page.set_input_files("#file", arguments.song)
            page.wait_for_selector(".hit")
            found["first_hits_s"].append(time.perf_counter() - began)
            while "rest" in page.text_content("#status"):
                page.wait_for_timeout(20)
            found["whole_s"].append(time.perf_counter() - began)
            page.close()
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(running.address)
        page.wait_for_selector("#weight-drums")
        found |= page.evaluate(DRAG)
        browser.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
