"""What `soundalike demo` does: generate music, index it, run three searches and compare them with the ground truth.

The reference is a song outside the library. It is mixed down like any other file, so the separator has to take it
apart. The ground truth (who plays what) is used only to mark the hits, never to find them.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.cli.common import echo
from soundalike.config import missing_modules
from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.search.finder import Finder
    from soundalike.search.results import SearchResult
    from soundalike.synth.truth import SongTruth, Truth

SEED = 1
HITS = 5
REFERENCE_STYLE = "rock"
"""The reference is the first song of this style: all its parts are clearly audible, and other songs share its kit and
its bass."""


@dataclass(frozen=True)
class DemoSearch:
    """title: what is searched; options: of `soundalike similar`; right: the files that should be found; shared: what
    they have in common with the reference."""

    title: str
    options: tuple[str, ...]
    right: Collection[str]
    shared: str


def run_demo(folder: Path) -> None:
    """Generate, index and search a small library in `folder`; hits go to stdout, messages to stderr.

    Raises InputError if `folder` exists and holds something else.
    """
    truth = _prepare_music(folder, folder / "music")
    # From here on paths are relative to `folder`: hits are short, and the printed commands work as they are.
    with contextlib.chdir(folder):
        _index_and_search(truth)
    print_next_steps(folder)


def _prepare_music(folder: Path, music: Path) -> Truth:
    """The ground truth of the music in `music`, which is generated if missing; the reference is moved to `folder`."""
    from soundalike.synth.music_library import MusicOptions, write_library
    from soundalike.synth.truth import TRUTH_FILE, read_truth

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another folder with --folder")
    if folder.exists() and any(folder.iterdir()) and not music.exists():
        raise InputError(f"{folder} is not empty and holds no earlier demo; choose another folder with --folder")
    if not (music / TRUTH_FILE).exists():
        started = time.perf_counter()
        truth = write_library(music, MusicOptions(seed=SEED))
        echo(
            f"generated {len(truth.songs)} songs, {len(truth.loops)} loops and {len(truth.one_shots)} one-shots in {music} "
            f"({time.perf_counter() - started:.1f} s)"
        )
    truth = read_truth(music)
    song = _reference(truth)
    if (music / song.file).exists():
        (music / song.file).replace(folder / Path(song.file).name)
    return truth


def _reference(truth: Truth) -> SongTruth:
    return next(song for song in truth.songs if song.style == REFERENCE_STYLE)


def _index_and_search(truth: Truth) -> None:
    """Index `music` into `library`, both in the current folder, and run the searches."""
    from soundalike.cli.index_progress import IndexProgress, summary
    from soundalike.cli.result_formats import print_result
    from soundalike.search.after_indexing import index
    from soundalike.search.finder import Finder

    music, library = Path("music"), Path("library")
    song = _reference(truth)
    reference = Path(Path(song.file).name)
    with IndexProgress(show=True) as progress:
        report = index(library, [music], on_progress=progress.update)
    echo(f"indexed: {summary(report)}")
    finder = Finder.open(library)
    echo(f"\nReference (a mixed song that is not in the library): {reference}")
    instruments = ", ".join(f"{part}: {patch}" for part, patch in song.patches.items())
    echo(f"  {song.style}, {song.tempo} BPM, {song.key}; drum kit: {song.kit}, {instruments}")
    for search in _searches(truth, song):
        arguments = [str(reference), *search.options, "-n", str(HITS)]
        echo(f"\n{search.title}")
        echo(f"$ soundalike similar {shlex.join(arguments)} --library {library}")
        result = _search(finder, reference, search)
        print_result(result, "table")
        echo(_compare_with_truth(result, music, search))


def _searches(truth: Truth, song: SongTruth) -> Sequence[DemoSearch]:
    return (
        DemoSearch(
            "1. Songs with similar drums, whatever the rest sounds like",
            ("--weights", "drums=1"),
            truth.songs_like(song.file, "drums"),
            "the same drum kit",
        ),
        DemoSearch(
            "2. Songs with a similar bass: the same reference, other weights, other hits",
            ("--weights", "bass=1,drums=.1"),
            truth.songs_like(song.file, "bass"),
            "the same bass",
        ),
        DemoSearch(
            "3. Drum loops that sound like the drums of the mixed song",
            ("--part", "drums", "--kind", "loop"),
            truth.loops_like(song.file, "drums"),
            "the same drum kit",
        ),
    )


def _search(finder: Finder, reference: Path, search: DemoSearch) -> SearchResult:
    from soundalike.search.filters import make_filters
    from soundalike.similarity.weights import parse_weights

    options = dict(zip(search.options[::2], search.options[1::2], strict=True))
    weights = options.get("--weights")
    kinds = (options["--kind"],) if "--kind" in options else ()
    return finder.similar(
        reference,
        weights=parse_weights(weights) if weights else None,
        part=options.get("--part"),
        filters=make_filters(kinds=kinds),
        n=HITS,
    )


def _compare_with_truth(result: SearchResult, music: Path, search: DemoSearch) -> str:
    """How many hits are right by the ground truth, at which ranks, and how many chance would give."""
    right = {str((music / file).resolve()) for file in search.right}
    ranks = [str(hit.rank) for hit in result.hits if str(Path(hit.path).resolve()) in right]
    chance = len(right) * min(1.0, len(result.hits) / max(result.searched, 1))
    at = f" (rank {', '.join(ranks)})" if ranks else ""
    return (
        f"ground truth: files with {search.shared}: {len(right)} of {result.searched}; in the top {len(result.hits)}: "
        f"{len(ranks)}{at}; expected by chance: {chance:.1f}"
    )


def _activation() -> str:
    """`source .venv/bin/activate; ` where a shell finds `soundalike` only in an activated virtual environment, else nothing."""
    script = Path(sys.prefix) / "bin" / "activate"
    if shutil.which("soundalike") is not None or not script.is_file():
        return ""
    shown = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return f"source {shlex.quote(str(shown))}; "


def print_next_steps(folder: Path) -> None:
    """Print what to type after the demo in `folder`."""
    echo(f"\nTo run these commands yourself, first: {_activation()}cd {shlex.quote(str(folder))}")
    if missing_modules("web"):
        echo("To search in your browser, install the page first: pip install 'soundalike[web]'")
    else:
        echo("To search in your browser:")
    echo("$ soundalike serve --library library")
    echo("To search your own music:")
    echo("$ soundalike index ~/Music ~/Samples")
    echo("$ soundalike similar SONG --weights drums=1,bass=.3")
    echo("$ soundalike similar SONG --region 1:02-1:12 --part drums --kind loop")
    echo("$ soundalike similar SONG --hits")
