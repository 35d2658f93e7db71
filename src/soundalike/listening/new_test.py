"""Making a listening test from a library."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from soundalike.analysis.analyser import Analyser
from soundalike.config import Runtime, replace_file
from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.listening.active_blocks import FIRST_BLOCK
from soundalike.listening.design import (
    CLIPS_FOLDER,
    INSTRUCTIONS_FILE,
    QUESTIONS,
    SCREENING,
    ActiveGoal,
    Design,
    Presentation,
    Question,
    folder_of_design,
    write_design,
)
from soundalike.listening.excerpt_cutting import CutExcerpts, CutOptions, cut_excerpts
from soundalike.listening.excerpt_vectors import write_vectors
from soundalike.listening.instructions import default_text
from soundalike.listening.song_windows import songs_for_test
from soundalike.listening.triplet_drawing import DrawOptions, draw_triplets
from soundalike.parts import MIX, ordered

DEFAULT_TRIPLETS = 60
DEFAULT_SONGS = 60


@dataclass(frozen=True)
class NewTest:
    """What test to make.

    count: triplets, of an active test those of the first block; None: 60, of an active test 20. songs: at most so many;
    per_song: windows of each; paths: only songs whose path contains one of these. cap: triplets that a song may be in.
    parts: stems to hear (presentation `stems`; empty: all of the library). screening: rules that listeners must pass.
    seed: None draws one.
    """

    name: str
    presentation: Presentation = "mix"
    questions: tuple[Question, ...] = ("overall",)
    count: int | None = None
    xyc_share: float = 0.25
    songs: int = DEFAULT_SONGS
    per_song: int = 2
    cap: int | None = None
    paths: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    goal: ActiveGoal | None = None
    screening: tuple[str, ...] = SCREENING
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.per_song < 1 or self.songs < 1:
            raise InputError(
                f"{self.songs} songs with {self.per_song} windows each are not possible; use 1 or more of each"
            )
        if self.xyc_share > 0 and self.per_song < 2:
            raise InputError("XYC triplets need two windows of a song; use --per-song 2, or --xyc 0")
        if self.goal is not None and self.presentation != "mix":
            raise InputError(
                "an active test compares the weights of parts, so listeners must hear whole mixes; leave out --stems or --active"
            )


def make_test(
    location: Location,
    options: NewTest,
    runtime: Runtime | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Path, Design]:
    """Make a test in the library at `location`; returns its folder and its design.

    The folder appears complete or not at all. Raises LibraryError if there is a test of this name, InputError if the library
    does not have what the test needs.
    """
    folder = folder_of_design(location, options.name)
    if folder.exists():
        raise LibraryError(
            f"there is a listening test {options.name!r} already; choose another name, or delete its folder {folder}"
        )
    library = Library.open(location)
    parts = _parts_to_hear(library, options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    rng = np.random.default_rng(seed)
    songs = songs_for_test(library, options.paths, options.songs, rng)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        analyser = Analyser(library.recipe, runtime)
        cut_options = CutOptions(options.presentation, parts, options.per_song)
        (work / CLIPS_FOLDER).mkdir()
        cut = cut_excerpts(songs, analyser, cut_options, work / CLIPS_FOLDER, rng, on_progress)
        design = _design(library, options, cut, seed, rng)
        write_vectors(work, cut.vectors)
        replace_file(work / INSTRUCTIONS_FILE, default_text())
        write_design(work, design)
        work.chmod(0o755)
        os.rename(work, folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return folder, design


def _parts_to_hear(library: Library, options: NewTest) -> tuple[str, ...]:
    """Of a test of stems, the stems. Raises InputError for parts that the library does not have."""
    has = library.recipe.parts
    goal = options.goal
    for part in (*options.parts, *([goal.first, goal.second] if goal else [])):
        if part and part not in has:
            raise InputError(f"this library has no part {part!r}; it has {', '.join(has)}")
    stems = tuple(part for part in ordered(options.parts or has) if part != MIX)
    if options.presentation == "stems" and not stems:
        raise InputError("this library has no stems, only the mix; index it with a separator, or make a test of mixes")
    return stems


def _design(
    library: Library,
    options: NewTest,
    cut: CutExcerpts,
    seed: int,
    rng: np.random.Generator,
) -> Design:
    count = options.count or (FIRST_BLOCK if options.goal else DEFAULT_TRIPLETS)
    drawing = DrawOptions(count, options.xyc_share, options.cap)
    triplets = draw_triplets(cut.excerpts, cut.audible, drawing, rng)
    heard = {part for one in cut.excerpts for part in cut.audible[one.id]}
    weighted = tuple(part for part in library.recipe.parts if part in heard)
    return Design(
        name=options.name,
        seed=seed,
        questions=tuple(question for question in QUESTIONS if question in options.questions),
        presentation=options.presentation,
        encoder=library.recipe.encoder,
        separator=library.recipe.separator,
        weighted_parts=weighted,
        loudness=round(cut.loudness, 2),
        excerpts=cut.excerpts,
        triplets=triplets,
        screening=options.screening,
        goal=options.goal,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
