"""A listening test without audio: random vectors, and triplets drawn from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from soundalike.listening.answer_store import AnswerStore
from soundalike.listening.design import ANSWERS_FILE, Design, Excerpt, folder_of_design, write_design
from soundalike.listening.excerpt_vectors import ExcerptVectors, write_vectors
from soundalike.listening.open_test import OpenTest
from soundalike.listening.triplet_drawing import DrawOptions, draw_triplets
from tests.listening.simulated_answers import answer_trials

PARTS = ("bass", "drums", "mix")
WEIGHTS = {"bass": 1.0, "drums": 12.0, "mix": 5.0}


def made_up_excerpts(songs: int = 24, parts: tuple[str, ...] = ("mix",)) -> tuple[Excerpt, ...]:
    """Two excerpts of each song, of each part."""
    return tuple(
        Excerpt(
            f"{part}{n}",
            f"song{n // 2}",
            f"/music/song{n // 2}.wav",
            part,
            10.0 * (n % 2),
            10.0,
            f"{part}/{part}{n}.flac",
        )
        for part in parts
        for n in range(2 * songs)
    )


def made_up_vectors(excerpts: tuple[Excerpt, ...], seed: int = 0) -> ExcerptVectors:
    """Unit vectors of each part; excerpts of one song are alike."""
    rng = np.random.default_rng(seed)
    songs = {name: rng.standard_normal((len(PARTS), 40)) for name in dict.fromkeys(one.item for one in excerpts)}
    vectors = np.stack([songs[one.item] + 0.7 * rng.standard_normal((len(PARTS), 40)) for one in excerpts])
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return ExcerptVectors(
        tuple(one.id for one in excerpts),
        PARTS,
        vectors.astype(np.float16),
        np.ones((len(excerpts), len(PARTS)), dtype=bool),
    )


def audible_everywhere(excerpts: tuple[Excerpt, ...]) -> dict[str, frozenset[str]]:
    """All parts can be heard in each excerpt."""
    return {one.id: frozenset(PARTS) for one in excerpts}


def made_up_design(count: int = 60, songs: int = 24, **changes: Any) -> Design:
    """A test of mixes."""
    excerpts = made_up_excerpts(songs)
    drawn = draw_triplets(excerpts, audible_everywhere(excerpts), DrawOptions(count), np.random.default_rng(1))
    fields: dict[str, Any] = {
        "name": "made-up",
        "seed": 5,
        "questions": ("overall",),
        "presentation": "mix",
        "encoder": "builtin",
        "separator": "builtin",
        "weighted_parts": PARTS,
        "loudness": -20.0,
        "excerpts": excerpts,
        "triplets": drawn,
        "created": "2026-01-01T00:00:00+00:00",
    }
    return Design(**{**fields, **changes})


def written_test(library: Path, design: Design) -> OpenTest:
    """The test in a library's folder, without clips and answers."""
    folder = folder_of_design(library, design.name)
    folder.mkdir(parents=True)
    write_design(folder, design)
    write_vectors(folder, made_up_vectors(design.excerpts))
    return OpenTest.open(library, design.name)


def answered(library: Path, test: OpenTest, listeners: int, **options: Any) -> OpenTest:
    """The test after each of some new listeners has answered all trials; the last one guesses if `guesser`."""
    guesser = options.pop("guesser", False)
    store = AnswerStore(test.folder / ANSWERS_FILE)
    names = [one.name for one in store.invite(listeners)]
    store.close()
    for name in names:
        _answer(test, name, attentive=not (guesser and name == names[-1]), **options)
    return OpenTest.open(library, test.design.name)


def answered_again(library: Path, name: str) -> OpenTest:
    """The test after all its listeners have answered the trials that they had not."""
    test = OpenTest.open(library, name)
    for listener in dict.fromkeys(record.listener for record in test.records):
        _answer(test, listener)
    return OpenTest.open(library, name)


def _answer(test: OpenTest, name: str, **options: Any) -> None:
    store = AnswerStore(test.folder / ANSWERS_FILE)
    index, done = store.by_name(name).index, tuple(store.answered(name))
    store.import_records(answer_trials(test.design, test.vectors, index, WEIGHTS, name=name, done=done, **options))
    store.close()
