"""Take the pictures of the search page that the documentation shows.

    python -m benchmarks.page_pictures docs/pictures

Writes page.png, page-loops.png and page-map.png, 1440 x 900, of a library of generated music and, where
SOUNDALIKE_TEST_DATA is set, of its songs and samples. Paths are shown below /home/me/Music. Needs Chromium, and Pillow
to reduce the colours. Look at the pictures before you commit them.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.page_opening import FLAGS, Example, in_the_song, pad_of
from benchmarks.shared.audio_data import audio_folder
from soundalike.library.indexing.library_update import index
from soundalike.synth.music_library import MusicOptions, write_library
from tests.web.conftest import CHROMIUM, Running
from tests.web.pages import choose, drop, settled, until

SHOWN_FOLDER = "/home/me/Music"
FREQUENT, SPREAD = 96, 160
"""Colours of a picture: the most frequent ones, so that areas keep theirs exactly, and others that cover the rest."""

DRAWN = """import("./app.js").then(({ list }) =>
  [...list.visible.values()].every((row) => list.waveforms.cached.has(row.hit.item.id)))"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", type=int, help="worker processes of indexing")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        truth = write_library(folder / "made", MusicOptions(songs=6))
        real = [audio_folder(one) for one in ("songs", "samples")] if "SOUNDALIKE_TEST_DATA" in os.environ else []
        index(folder / "music", [folder / "made", *real], jobs=arguments.jobs)
        snares = {one.kit for one in truth.one_shots if one.voice == "snare"}
        song = max((one for one in truth.songs if one.kit in snares), key=lambda one: len(one.hits.get("snare", ())))
        example = Example(folder / "made" / song.file, f"{song.kit}_snare.wav", np.array(song.hits["snare"]))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        folders = [str(folder / "made"), *(str(one.parent) for one in real)]
        with Running(folder / "music", preload=True) as running:
            for take, file in ((one_shots, "page.png"), (loops, "page-loops.png"), (the_map, "page-map.png")):
                page = visit(browser, running.address, folders, example.song)
                take(page, example)
                until(page, DRAWN)
                save(page.screenshot(), arguments.out / file)
                page.close()
        browser.close()


def visit(browser: Any, address: str, folders: list[str], song: Path) -> Any:
    """The page with the song dropped and its pads shown."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.set_default_timeout(120_000)

    def rename(route: Any) -> None:
        response = route.fetch()
        body = response.text()
        for folder in folders:
            body = body.replace(folder, SHOWN_FOLDER)
        route.fulfill(response=response, body=body)

    page.route("**/api/search", rename)
    page.goto(address)
    page.wait_for_selector(".hit")
    drop(page, song)
    until(page, "document.querySelectorAll('.pad').length > 0")
    settled(page)
    return page


def one_shots(page: Any, example: Example) -> None:
    """The pad of the snare is pressed, the best one-shot is heard in the song."""
    page.locator(".pad").nth(pad_of(page, example)).click()
    settled(page)
    page.keyboard.press("a")
    in_the_song(page, page.evaluate("import('./app.js').then(({ list }) => list.hits[0].item.name.split('/').pop())"))


def loops(page: Any, _: Example) -> None:
    """The drums are compared with loops, and which of two is closer is asked."""
    choose(page, "loop")
    page.click(".strip[data-part=drums] .compare")
    settled(page)
    page.focus("#list")
    for key in ("ArrowDown", "x", "ArrowDown", "ArrowDown", " "):
        page.keyboard.press(key)
    page.wait_for_selector("#closer:not([hidden])")


def the_map(page: Any, example: Example) -> None:
    """The map beside the one-shots, coloured by class."""
    page.locator(".pad").nth(pad_of(page, example)).click()
    settled(page)
    page.keyboard.press("m")
    until(page, "document.querySelectorAll('#map-neighbours button').length > 0")
    page.select_option("#map-colour", "class")
    page.focus("#map-canvas")
    page.wait_for_timeout(300)


def save(png: bytes, path: Path) -> None:
    """Write a picture with 256 colours, each pixel in the nearest one: less than half of the bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    pixels = np.asarray(picture, dtype=np.int64).reshape(-1, 3)
    colours, of_pixel, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    spread = picture.quantize(SPREAD, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette()
    palette = np.concatenate([colours[np.argsort(-counts)[:FREQUENT]], np.reshape(spread, (-1, 3))[:SPREAD]])
    nearest = np.array([np.argmin(((palette - colour) ** 2).sum(axis=1)) for colour in colours], dtype=np.uint8)
    few = Image.fromarray(nearest[of_pixel].reshape(picture.height, picture.width), "P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    few.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, true colours {len(png) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
