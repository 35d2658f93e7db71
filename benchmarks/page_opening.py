"""From a dropped song to hearing the right snare in it, in the page: actions, seconds, and the rank of that snare.

    python -m benchmarks.page_opening --songs 4 --one-shots 2000
    python -m benchmarks.page_opening --songs 4 --one-shots 2000 --real

The library holds one-shots of known kits, among them the snare of each song, and varied ones of all classes. Somebody
drops a song, clicks the pad of its snare, presses A to hear the best one-shot in the song, and arrow down until the
right one is heard: each of these is an action. Which pad is the snare's is known here; a listener hears it.

--real: snares of samples/ laid over songs/ (SOUNDALIKE_TEST_DATA) twice a second, at +6 dB of the song's level.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.library.indexing.library_update import index
from soundalike.synth.audio_files import write_audio
from soundalike.synth.music_library import MusicOptions, write_library
from soundalike.synth.one_shots import ONE_SHOT_CLASSES, render_one_shot
from tests.web.conftest import CHROMIUM, Running
from tests.web.pages import settled, until

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
KIT_SHOTS = 64  # one-shots that are strokes of a kit as it sounds in the songs
RATE = 44_100
LENGTH = 20.0  # s of a real song
LEVEL = 6.0  # dB of a planted snare above the song
EVERY = 0.5  # s between planted snares
TOLERANCE = 0.03  # s
DEEPEST = 20  # hits that are tried in the song
HEADER = ("song", "actions", "rank", "pads s", "list s", "heard in the song s", "right one heard s")


@dataclass(frozen=True)
class Example:
    """A song in which the one-shot `shot` (its file name) is struck at `times` (s)."""

    song: Path
    shot: str
    times: np.ndarray[Any, np.dtype[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=4)
    parser.add_argument("--one-shots", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--jobs", type=int, help="worker processes of indexing")
    parser.add_argument("--folder", type=Path, help="where music and library are kept for the next run")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = arguments.folder or Path(name)
        examples = prepare(folder, arguments)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with Running(folder / "library", preload=True) as running:
            print_table(HEADER, (row(browser, running.address, example) for example in examples))
        browser.close()


def prepare(folder: Path, arguments: argparse.Namespace) -> list[Example]:
    """Write and index the one-shots (again only what is new), and return the songs."""
    music = folder / "made up"
    truth = write_library(music, MusicOptions(arguments.seed, arguments.songs, 0, KIT_SHOTS, LENGTH))
    write_varied(music / "one-shots", arguments.one_shots - KIT_SHOTS)
    samples = [audio_folder("samples")] if arguments.real else []
    index(folder / "library", [music / "one-shots", *samples], kind="one-shot", jobs=arguments.jobs)
    if arguments.real:
        return list(planted(folder, arguments.songs, arguments.seed))
    return [
        Example(music / song.file, f"{song.kit}_snare.wav", np.array(song.hits["snare"]))
        for song in truth.songs
        if len(song.hits.get("snare", ())) > 2
    ]


def write_varied(folder: Path, count: int) -> None:
    """Write `count` varied one-shots, of all classes in turn."""
    for number in range(count):
        sound_class = ONE_SHOT_CLASSES[number % len(ONE_SHOT_CLASSES)]
        samples = render_one_shot(sound_class, number // len(ONE_SHOT_CLASSES))
        write_audio(folder / f"{sound_class} {number:04d}.wav", samples)


def planted(folder: Path, count: int, seed: int) -> Iterator[Example]:
    """Real songs with a snare of samples/ laid over them."""
    rng = np.random.default_rng(seed)
    snares = [path for path in sorted(audio_folder("samples").iterdir()) if path.stem.startswith(("sn_", "drum_snare"))]
    songs = sorted(audio_folder("songs").glob("*.ogg"))
    for number in range(count):
        path, snare = songs[number * len(songs) // count], snares[int(rng.integers(len(snares)))]
        song = decode.load(path, RATE, 1).samples[0]
        at = max(0, len(song) // 2 - int(LENGTH * RATE / 2))
        mixed = song[at : at + int(LENGTH * RATE)].copy()
        shot = decode.load(snare, RATE, 1).samples[0][: int(EVERY * RATE)]
        gain = 10 ** (LEVEL / 20) * rms(mixed) / max(rms(shot), 1e-6)
        times = np.arange(EVERY, len(mixed) / RATE - 1, EVERY)
        for start in (times * RATE).astype(int):
            mixed[start : start + len(shot)] += gain * shot[: len(mixed) - start]
        out = folder / f"{path.stem} with {snare.stem}.wav"
        soundfile.write(out, mixed / max(1.0, float(np.abs(mixed).max())), RATE)
        yield Example(out, snare.name, times)


def rms(samples: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def row(browser: Any, address: str, example: Example) -> tuple[object, ...]:
    """One visit, with the seconds since the drop."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address)
    until(page, "document.querySelector('#status').textContent !== ''")
    start = time.perf_counter()

    def seconds() -> str:
        return f"{time.perf_counter() - start:.1f}"

    page.set_input_files("#file", example.song)  # the first action
    until(page, "document.querySelectorAll('.pad').length > 0")
    pads = seconds()
    page.locator(".pad").nth(pad_of(page, example)).click()  # the second
    settled(page)
    listed = seconds()
    order = page.evaluate(
        "import('./app.js').then(({ list }) => list.hits.map(({ item }) => item.name.split('/').pop()))"
    )
    rank = order.index(example.shot) + 1 if example.shot in order else None
    page.keyboard.press("a")  # the third
    in_the_song(page, order[0])
    heard = seconds()
    if rank is None or rank > DEEPEST:
        page.close()
        return example.song.stem, "", rank, pads, listed, heard, ""
    for _ in range(rank - 1):
        page.keyboard.press("ArrowDown")
    in_the_song(page, example.shot)
    right = seconds()
    page.close()
    return example.song.stem, 2 + rank, rank, pads, listed, heard, right


def in_the_song(page: Any, shot: str) -> None:
    """Wait until this one-shot is heard in the song."""
    until(
        page,
        "import('./app.js').then(({ player }) => player.playing && player.side === 'both' && "
        f"player.source.name.startsWith({shot!r}) && player.level() > 1e-4)",
    )


def pad_of(page: Any, example: Example) -> int:
    """The pad that holds most of the strokes."""
    groups = page.evaluate(
        """async () => {
          const { player } = await import("./app.js");
          const address = player.sources.reference.url.replace("/audio", "/onsets?part=drums");
          return (await (await fetch(address)).json()).groups.map(({ starts }) => starts);
        }"""
    )
    counts = [sum(np.abs(example.times - start).min() < TOLERANCE for start in starts) for starts in groups]
    return int(np.argmax(counts))


if __name__ == "__main__":
    main()
