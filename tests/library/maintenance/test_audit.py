from __future__ import annotations

from soundalike.library.maintenance.audit import audit
from soundalike.library.storage import schema as layout
from soundalike.library.storage.store import Library, Tables
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE, analysis


def test_a_sound_library_has_no_problems(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2", c="song 3 1")
    library_folder.index()
    found = audit(Library.open(library_folder.path))
    assert (found.items, found.contents, found.orphans, found.problems) == (3, 2, 0, ())


def test_every_kind_of_problem_is_seen(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2", c="song 1 9")
    library_folder.index()
    tables = Tables(library_folder.path / "generation-1", RECIPE)
    items = library_folder.items()
    tables.append("windows", layout.vector_rows(analysis("song", 3, 1), items["a"]["content"], RECIPE))
    tables.append("windows", layout.vector_rows(analysis("song", 2, 5), "nobody's", RECIPE))
    tables.delete("clips", "content", [items["b"]["content"]])
    tables.append("items", Library.open(library_folder.path).items().slice(2, 1))
    bad = layout.vector_rows(analysis("loop", 1, 1), "other", RECIPE)
    tables.append("clips", bad.set_column(3, bad.schema.field("mix"), layout.vector_array(0.5 * _mix(bad))))
    found = audit(Library.open(library_folder.path))
    assert found.orphans == 2
    text = "\n".join(found.problems)
    for message in (
        "2 items have the id",
        "has 2 rows at 0.0 s",
        "b.wav has 0 rows of vectors, not 1",
        "1 vectors of mix",
    ):
        assert message in text


def _mix(rows: layout.pa.Table) -> object:
    return layout.vectors_of(rows["mix"])
