"""Search against a plain NumPy oracle, in memory and past the memory budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from soundalike.search.index.matching import Match, best_matches, diversify
from soundalike.search.index.vectors import Indices, Term, Vectors

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError
from soundalike.library.storage.schema import vector_array
from soundalike.library.storage.store import Library
from soundalike.search.index import rabitq_segments
from soundalike.similarity.cosine import unit
from tests.made_up_library import LibraryFolder

PARTS = ("bass", "drums", "mix")
DIMENSION = 8


@dataclass
class StoredVectors:
    """What `Vectors` reads of a library, from arrays; counts which columns were read."""

    contents: list[str]
    starts: list[float]
    columns: dict[str, NDArray[np.float16]]
    read: list[str] = field(default_factory=list)
    folder: Path | None = None

    @property
    def recipe(self) -> Recipe:
        dimension = next(iter(self.columns.values())).shape[1]
        return Recipe("made-up", "1", "made-up", "1", tuple(self.columns), dimension)

    def derived_path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name

    def take(self, table: str, positions: Indices, parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        return {part: self.columns[part][positions] for part in parts}

    def stream(self, table: str, columns: Sequence[str]) -> Any:
        pieces = pa.table({part: vector_array(self.columns[part]) for part in columns})
        return pa.RecordBatchReader.from_batches(pieces.schema, pieces.to_batches(max_chunksize=1_000))

    def windows(self, columns: list[str]) -> pa.Table:
        ends = [start + 10 for start in self.starts]
        return pa.table({"content": self.contents, "start": self.starts, "end": ends}).select(columns)

    def vectors(self, table: str, part: str) -> NDArray[np.float16]:
        self.read.append(part)
        return self.columns[part]


def stored(rng: np.random.Generator, rows: int, contents: int, absent: float = 0.2) -> StoredVectors:
    columns = {}
    for part in PARTS:
        values = unit(rng.normal(size=(rows, DIMENSION)))
        values[rng.random(rows) < absent] = 0
        columns[part] = values.astype(np.float16)
    names = [f"c{rng.integers(contents):03}" for _ in range(rows)]
    return StoredVectors(names, [float(10 * row) for row in range(rows)], columns)


def vectors_of(library: StoredVectors, budget: int | None = None) -> Vectors:
    return Vectors(cast(Library, library), budget=budget)


def ranks_of(vectors: Vectors, ids: Mapping[str, str]) -> Indices:
    """Ranks from ids: contents without one may not be returned."""
    order = sorted(ids.values())
    contents = vectors.rows("windows").contents.to_pylist()
    return np.array([order.index(ids[content]) if content in ids else -1 for content in contents], dtype=np.int64)


def best_of(vectors: Vectors, terms: list[Term], count: int, ids: Mapping[str, str], **more: Any) -> list[Match]:
    return best_matches(vectors, "windows", terms, count, ranks_of(vectors, ids), **more)


def terms_of(query: NDArray[Any], weights: dict[str, float]) -> list[Term]:
    """Terms of a query (N, K, D)."""
    mean = query.astype(np.float64).mean(axis=0)
    return [Term(part, part, mean[PARTS.index(part)], weight) for part, weight in weights.items()]


def oracle(
    library: StoredVectors, query: NDArray[Any], weights: dict[str, float], ids: dict[str, str]
) -> list[tuple[str, float, float]]:
    """(content, start, score) by the definition: mean over the query's windows of sum_k w_k cos_k, best window a content."""
    best: dict[str, tuple[float, float]] = {}
    for row, content in enumerate(library.contents):
        if content not in ids:
            continue
        score = 0.0
        for part, weight in weights.items():
            stored_row = library.columns[part][row].astype(np.float64)
            score += weight * float(
                np.mean([window[PARTS.index(part)].astype(np.float64) @ stored_row for window in query])
            )
        start = library.starts[row]
        if content not in best or (-score, start) < (-best[content][0], best[content][1]):
            best[content] = (score, start)
    ranked = sorted(best.items(), key=lambda pair: (-pair[1][0], ids[pair[0]], pair[1][1]))
    return [(content, start, score) for content, (score, start) in ranked]


weights_strategy = st.dictionaries(
    st.sampled_from(PARTS), st.floats(-3, 3).filter(lambda value: abs(value) > 0.01), min_size=1
)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 120),
    contents=st.integers(1, 40),
    windows=st.integers(1, 4),
    count=st.integers(1, 15),
    weights=weights_strategy,
    near=st.booleans(),
)
def test_the_search_is_the_oracle(
    seed: int, rows: int, contents: int, windows: int, count: int, weights: dict[str, float], near: bool
) -> None:
    budget = None if near else 0  # past the budget, but too few rows for a sketch: all are scanned exactly
    rng = np.random.default_rng(seed)
    library = stored(rng, rows, contents)
    library.folder = Path("nowhere")
    query = unit(rng.normal(size=(windows, len(PARTS), DIMENSION)))
    ids = {content: f"id{(7 * number) % 100:03}" for number, content in enumerate(sorted(set(library.contents)))}
    ids = {content: name for content, name in ids.items() if rng.random() < 0.8}
    found = best_of(vectors_of(library, budget), terms_of(query, weights), count, ids)
    expected = oracle(library, query, weights, ids)[:count]
    assert [match.score for match in found] == pytest.approx([score for _, _, score in expected], abs=1e-9)
    # Scores that differ by rounding alone (the two sums run in another order) may change places.
    clear = [
        all(abs(score - other) > 1e-9 for _, _, other in expected if other is not score) for _, _, score in expected
    ]
    for match, (content, start, _), sure in zip(found, expected, clear, strict=True):
        if sure:
            assert (match.content, match.start) == (content, start)
        assert match.score == pytest.approx(sum(match.contributions), abs=1e-5)
        for contribution, cosine, weight in zip(match.contributions, match.cosines, weights.values(), strict=True):
            assert contribution == pytest.approx(weight * cosine, abs=1e-12)


def test_parts_of_zero_weight_are_not_read() -> None:
    library = stored(np.random.default_rng(1), 30, 10)
    query = unit(np.random.default_rng(2).normal(size=(1, len(PARTS), DIMENSION)))
    best_of(vectors_of(library), terms_of(query, {"drums": 1.0}), 3, dict.fromkeys(library.contents, "x"))
    assert library.read == ["drums"]


def test_equal_scores_are_ordered_by_id_then_start() -> None:
    one = np.zeros((4, DIMENSION), dtype=np.float16)
    one[:, 0] = 1
    library = StoredVectors(["b", "a", "a", "c"], [0.0, 20.0, 10.0, 0.0], dict.fromkeys(PARTS, one))
    query = np.eye(DIMENSION, dtype=np.float32)[np.newaxis, [0, 0, 0]]
    ids = {"a": "2", "b": "3", "c": "1"}
    found = best_of(vectors_of(library), terms_of(query, {"mix": 1.0}), 3, ids)
    assert [(match.content, match.start) for match in found] == [("c", 0.0), ("a", 10.0), ("b", 0.0)]


def test_absent_parts_contribute_exactly_nothing_and_are_told() -> None:
    library = stored(np.random.default_rng(3), 5, 5, absent=1.0)
    query = unit(np.random.default_rng(4).normal(size=(1, len(PARTS), DIMENSION)))
    found = best_of(vectors_of(library), terms_of(query, {"bass": 1.0}), 1, dict.fromkeys(library.contents, "x"))
    assert found[0].score == 0
    assert found[0].present == (False,)


def test_the_same_question_gets_the_same_answer_from_rows_in_another_order() -> None:
    rng = np.random.default_rng(5)
    library = stored(rng, 200, 50)
    order = rng.permutation(200)
    shuffled = StoredVectors(
        [library.contents[row] for row in order],
        [library.starts[row] for row in order],
        {part: column[order] for part, column in library.columns.items()},
    )
    query = unit(rng.normal(size=(2, len(PARTS), DIMENSION)))
    ids = {content: content for content in library.contents}
    terms = terms_of(query, {"bass": 0.5, "drums": 1.0, "mix": -0.3})

    def ask(stored_vectors: StoredVectors) -> list[tuple[str, float, float]]:
        found = best_of(vectors_of(stored_vectors), terms, 20, ids)
        return [(match.content, match.start, match.score) for match in found]

    assert ask(library) == ask(shuffled)


@pytest.mark.parametrize(("terms", "count"), [([], 5), ([Term("mix", "mix", np.zeros(DIMENSION), 1.0)], 0)])
def test_senseless_searches_are_refused(terms: list[Term], count: int) -> None:
    library = stored(np.random.default_rng(6), 5, 5)
    with pytest.raises(InputError):
        best_of(vectors_of(library), terms, count, dict.fromkeys(library.contents, "x"))


def test_diverse_hits_are_less_alike_than_the_best_ones() -> None:
    rng = np.random.default_rng(7)
    centre = rng.normal(size=DIMENSION)
    copies = np.repeat(unit(centre + 0.3 * rng.normal(size=(1, DIMENSION))), 10, axis=0)
    others = unit(centre + 0.4 * rng.normal(size=(30, DIMENSION)))
    column = np.concatenate([copies, others]).astype(np.float16)
    library = StoredVectors([f"c{row:02}" for row in range(40)], [0.0] * 40, dict.fromkeys(PARTS, column))
    vectors = vectors_of(library)
    query = unit(centre[np.newaxis, np.newaxis].repeat(len(PARTS), axis=1))
    terms = terms_of(query, {"mix": 1.0})
    matches = best_of(vectors, terms, 40, {content: content for content in library.contents})

    def likeness(chosen: list[Match]) -> float:
        block = column[[int(match.content[1:]) for match in chosen]].astype(float)
        return float((block @ block.T)[np.triu_indices(len(chosen), 1)].mean())

    diverse = diversify(vectors, matches, terms, 5)
    assert diverse[0] == matches[0]
    assert len({match.content for match in diverse}) == 5
    assert likeness(matches[:5]) > 0.999  # the best five are copies of one
    assert likeness(diverse) < 0.98


@pytest.mark.parametrize(
    "weights", [{"mix": 1.0}, {"bass": 1.0, "drums": 1.0, "mix": 1.0}, {"drums": 1.0, "mix": -0.5}]
)
def test_past_the_budget_hits_are_found_by_their_sketches(
    weights: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores are exact, order and windows are the oracle's, and hardly a hit is missed."""
    monkeypatch.setattr(rabitq_segments, "LOOSE", 100)
    rng = np.random.default_rng(8)
    library = stored(rng, 3_000, 900)
    library.folder = tmp_path
    vectors = vectors_of(library, budget=0)
    ids = {content: content for content in library.contents if rng.random() < 0.7}
    query = unit(rng.normal(size=(2, len(PARTS), DIMENSION)))
    found = best_of(vectors, terms_of(query, weights), 50, ids)
    assert vectors.sketches("windows").segments
    expected = oracle(library, query, weights, ids)
    places = {(content, start): score for content, start, score in expected}
    assert [places[match.content, match.start] for match in found] == pytest.approx([m.score for m in found], abs=1e-9)
    assert len({match.content for match in found} & {content for content, _, _ in expected[:50]}) >= 48
    assert best_of(vectors, terms_of(query, weights), 50, ids) == found
    assert (
        best_of(vectors, terms_of(query, weights), 2_000, ids)[:50] == found
    )  # and all are returned where all are asked for
    assert len(best_of(vectors, terms_of(query, weights), 2_000, ids)) == len(ids)


def test_kept_cosines_change_nothing_but_the_time(library_folder: LibraryFolder) -> None:
    library_folder.write(**{f"s{seed}": f"song 3 {seed}" for seed in range(12)})
    library_folder.index()
    library = Library.open(library_folder.path)
    plain, keeping = Vectors(library), Vectors(library)
    rng = np.random.default_rng(3)
    queries = {part: rng.normal(size=8) for part in ("bass", "drums", "mix")}
    for bound, expected in ((10**6, 3), (2 * 4 * 36, 2), (10, 0)):
        keeping.kept_bytes = bound
        keeping._cosines.clear()
        for _ in range(4):
            terms = [Term(part, part, query, float(rng.normal())) for part, query in queries.items()]
            one, other = plain.scan("windows", terms), keeping.scan("windows", terms)
            np.testing.assert_allclose(one.scores, other.scores, atol=one.margin)
            found = [best_matches(vectors, "windows", terms, 5, np.arange(12)) for vectors in (plain, keeping)]
            assert found[0] == found[1]
        assert len(keeping._cosines) == expected
    assert not plain._cosines
