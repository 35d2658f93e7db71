"""What `soundalike demo` does: make music whose truth is known, index it, ask three questions, check the answers.

The reference is a song that is not in the library: it is mixed down like any other file, and the separator has to
take it apart. The generated truth (who plays what) is only used to mark the answers, never to find them.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.search.finder import Finder, Found
    from soundalike.synth.truth import SongTruth, Truth

SEED = 1
HITS = 5
REFERENCE_STYLE = "rock"
"""The reference is the first song of this style: all its parts are well filled, and others share its kit and bass."""


@dataclass(frozen=True)
class Question:
    """One query of the demonstration: in words, as options of `soundalike similar`, and the files that are right."""

    words: str
    options: tuple[str, ...]
    right: Collection[str]
    right_means: str


def demonstrate(folder: Path, say: Callable[[str], None]) -> None:
    """Make, index and query a small library in `folder`; `say` receives the words, stdout the hits.

    Raises InputError where `folder` exists and holds something else.
    """
    truth = _music(folder, folder / "music", say)
    # From here on all names are short: hits are shown relative to the current folder, and commands can be typed as printed.
    with contextlib.chdir(folder):
        _ask_all(truth, say)
    _next_steps(folder, say)


def _ask_all(truth: Truth, say: Callable[[str], None]) -> None:
    """Index `music` into `library`, both in the current folder, and ask the questions."""
    from soundalike.cli.index_progress import IndexProgress, summary
    from soundalike.cli.result_formats import print_found
    from soundalike.library.indexing.index_options import index
    from soundalike.search.finder import Finder

    music, library = Path("music"), Path("library")
    song = _reference(truth)
    reference = Path(Path(song.file).name)
    with IndexProgress(show=True) as progress:
        report = index(library, [music], on_progress=progress.update)
    say(f"indexed: {summary(report)}")
    finder = Finder.open(library)
    say(f"\nThe reference, a mixed song that is not in the library: {reference}")
    say(f"  {song.style}, {song.tempo} BPM, {song.key}; drums: the kit '{song.kit}', " + _players(song))
    for question in _questions(truth, song):
        arguments = [str(reference), *question.options, "-n", str(HITS)]
        say(f"\n{question.words}")
        say(f"$ soundalike similar {shlex.join(arguments)} --library {library}")
        found = _ask(finder, reference, question)
        print_found(found, "table")
        _mark(found, music, question, say)


def _reference(truth: Truth) -> SongTruth:
    return next(song for song in truth.songs if song.style == REFERENCE_STYLE)


def _music(folder: Path, music: Path, say: Callable[[str], None]) -> Truth:
    """The truth of the music under `music`, which is made unless it is there; the reference is moved out of it."""
    from soundalike.synth.music_library import write_library
    from soundalike.synth.truth import TRUTH_FILE, read_truth

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name another place with --folder")
    if folder.exists() and any(folder.iterdir()) and not music.exists():
        raise InputError(f"{folder} holds other things; name another place with --folder")
    if not (music / TRUTH_FILE).exists():
        began = time.perf_counter()
        truth = write_library(music, seed=SEED)
        say(
            f"made {len(truth.songs)} songs, {len(truth.loops)} loops, {len(truth.one_shots)} one-shots in {music} "
            f"({time.perf_counter() - began:.1f} s)"
        )
    truth = read_truth(music)
    song = _reference(truth)
    if (music / song.file).exists():
        (music / song.file).replace(folder / Path(song.file).name)
    return truth


def _players(song: SongTruth) -> str:
    return ", ".join(f"{part}: '{patch}'" for part, patch in song.patches.items())


def _questions(truth: Truth, song: SongTruth) -> Sequence[Question]:
    return (
        Question(
            "1. Drums like these; the rest does not matter.",
            ("--weights", "drums=1"),
            truth.songs_like(song.file, "drums"),
            "played on the same kit",
        ),
        Question(
            "2. The same question, asked of the bass: other songs win.",
            ("--weights", "bass=1,drums=.1"),
            truth.songs_like(song.file, "bass"),
            "with the same bass",
        ),
        Question(
            "3. The drums of this finished song against whole drum loops: something to build on.",
            ("--part", "drums", "--kind", "loop"),
            truth.loops_like(song.file, "drums"),
            "of the same kit",
        ),
    )


def _ask(finder: Finder, reference: Path, question: Question) -> Found:
    from soundalike.search.filters import make_filters
    from soundalike.similarity.weights import parse_weights

    options = dict(zip(question.options[::2], question.options[1::2], strict=True))
    weights = options.get("--weights")
    kinds = (options["--kind"],) if "--kind" in options else ()
    return finder.similar(
        reference,
        weights=parse_weights(weights) if weights else None,
        part=options.get("--part"),
        filters=make_filters(kinds=kinds),
        n=HITS,
    )


def _mark(found: Found, music: Path, question: Question, say: Callable[[str], None]) -> None:
    """Say which hits are right by the generated truth, and what chance would give."""
    right = {str((music / file).resolve()) for file in question.right}
    ranks = [str(hit.rank) for hit in found.hits if str(Path(hit.path).resolve()) in right]
    chance = len(right) * min(1.0, len(found.hits) / max(found.searched, 1))
    which = f"hit {', '.join(ranks)}" if ranks else "none"
    say(
        f"known truth: {which} of these {len(found.hits)} {question.right_means} "
        f"({len(right)} of {found.searched} are; chance would bring {chance:.1f})"
    )


def _next_steps(folder: Path, say: Callable[[str], None]) -> None:
    say(f"\nTo type these commands yourself: cd {shlex.quote(str(folder))}")
    say("Then your own music:")
    say("$ soundalike index ~/Music ~/Samples")
    say("$ soundalike similar SONG --weights drums=1,bass=.3")
    say("$ soundalike similar SONG --region 1:02-1:12 --part drums --kind loop")
    say("$ soundalike similar SONG --hits")
