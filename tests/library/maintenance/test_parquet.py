"""Vectors out and in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library import Library, index
from soundalike.library.maintenance.parquet import export_parquet, import_parquet
from soundalike.search.finder import Finder


def own_vectors(path: Path, **changes: Any) -> Path:
    """A Parquet file as a researcher might write it: 3 items, 2 windows each, parts drums and mix."""
    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {
        "id": ["a", "a", "b", "b", "c", "c"],
        "start": [0.0, 10.0] * 3,
        "end": [10.0, 20.0] * 3,
        "mix": (5 * rng.normal(size=(6, 4))).tolist(),
        "drums": [*rng.normal(size=(5, 4)).tolist(), None],
        **changes,
    }
    pq.write_table(pa.table({name: values for name, values in columns.items() if values is not None}), path)
    return path


def test_what_goes_out_comes_in_again(library: Path, tmp_path: Path) -> None:
    source = Library.open(library)
    out = tmp_path / "out.parquet"
    rows = export_parquet(source, out)
    assert rows == source.windows(["start"]).num_rows + source.clips(["start"]).num_rows
    count = import_parquet(tmp_path / "other", out)
    taken = Library.open(tmp_path / "other")
    assert count == source.items().num_rows == taken.items().num_rows
    assert taken.recipe == source.recipe
    for part in source.recipe.parts:
        mine, theirs = (one.vectors("windows", part).astype(np.float64) for one in (source, taken))
        # Stored as float16 and normalised again by the import: equal up to half-precision rounding.
        np.testing.assert_allclose(np.sort(mine.ravel()), np.sort(theirs.ravel()), atol=2e-3)


def test_vectors_of_ones_own_are_searched_by_ones_own_ids(tmp_path: Path) -> None:
    import_parquet(tmp_path / "library", own_vectors(tmp_path / "mine.parquet"), encoder="mine")
    finder = Finder.open(tmp_path / "library")
    found = finder.similar("a", weights={"mix": 1.0}, raw=True)
    assert {hit.id for hit in found.hits} == {"b", "c"}
    assert [hit.status for hit in found.hits] == ["present", "present"]
    table = pq.read_table(tmp_path / "mine.parquet").to_pylist()
    unit = {row: np.array(table[row]["mix"]) / np.linalg.norm(table[row]["mix"]) for row in range(6)}
    best = max(float(np.mean([unit[0] @ unit[row], unit[1] @ unit[row]])) for row in (2, 3))
    assert {hit.id: hit.score for hit in found.hits}["b"] == pytest.approx(best, abs=2e-3)


def test_an_id_that_is_there_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "library"
    import_parquet(place, own_vectors(tmp_path / "mine.parquet"), encoder="mine")
    changed = own_vectors(tmp_path / "again.parquet", mix=np.eye(6, 4).tolist())
    import_parquet(place, changed, encoder="mine")
    library = Library.open(place)
    assert library.items().num_rows == 3
    assert library.windows(["start"]).num_rows == 6


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"start": None}, "start"),
        ({"mix": None}, "mix"),
        ({"mix": [[1.0, 2.0, 3.0, 4.0]] * 5 + [[1.0]]}, "row 5.*1 numbers"),
        ({"mix": [[1.0, 2.0, 3.0, float("nan")]] + [[1.0, 2.0, 3.0, 4.0]] * 5}, "row 0.*NaN"),
        ({"id": ["a", "a", "b", "b", "c", None]}, "row 5.*None"),
        ({"id": ["a/audio"] * 6}, "a/audio.*is an address of"),
        ({"id": [".."] * 6}, "is an address of"),
        ({"id": ["a", "a", "b", "b", "c", "x/stems/drums"]}, "row 5.*x/stems/drums"),
        ({"kind": ["album"] * 6}, "album"),
    ],
)
def test_invalid_files_are_refused_and_nothing_is_created(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        import_parquet(tmp_path / "library", own_vectors(tmp_path / "bad.parquet", **changes), encoder="mine")
    assert not (tmp_path / "library").exists()


def test_what_was_estimated_stays_an_estimate_and_indexed_files_stay_files(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    export_parquet(Library.open(library), out)
    import_parquet(tmp_path / "other", out)
    sources = [
        sorted((row["id"], row["tempo_source"], row["key_source"]) for row in Library.open(place).items().to_pylist())
        for place in (library, tmp_path / "other")
    ]
    assert sources[0] == sources[1]
    with pytest.raises(InputError, match="another --library"):
        import_parquet(library, out)


def test_files_that_were_imported_and_are_then_indexed_are_there_once(
    library: Path, music: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out.parquet", tmp_path / "other"
    export_parquet(Library.open(library), out)
    count = import_parquet(other, out)
    imported = {row["id"]: row["path"] for row in Library.open(other).items().to_pylist()}
    report = index(other, [music / "one-shots"], jobs=1)
    rows = Library.open(other).items().to_pylist()
    inside = [path for path in imported.values() if path.startswith(str(music / "one-shots"))]
    assert report.replaced == report.indexed == len(inside) > 0
    assert len(rows) == count
    assert sorted(row["path"] for row in rows if not row["root"]) == sorted(set(imported.values()) - set(inside))


def test_the_maker_of_vectors_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--encoder"):
        import_parquet(tmp_path / "library", own_vectors(tmp_path / "mine.parquet"))


def test_other_vectors_do_not_mix_with_a_library(tmp_path: Path) -> None:
    import_parquet(tmp_path / "library", own_vectors(tmp_path / "mine.parquet"), encoder="mine")
    with pytest.raises(LibraryError, match="encoder mine, not other"):
        import_parquet(tmp_path / "library", own_vectors(tmp_path / "mine.parquet"), encoder="other")


def test_a_place_that_cannot_be_written_is_named(library: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        export_parquet(Library.open(library), tmp_path / "nowhere" / "out.parquet")
