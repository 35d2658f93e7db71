"""`soundalike status`."""

from __future__ import annotations

from tests.cli.command_line import run
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE

TITLE = "cosine between random windows of different files:"


def test_the_spread_of_songs_is_shown_where_there_are_enough(library_folder: LibraryFolder) -> None:
    library_folder.write(a="loop 2", b="one-shot 3")
    library_folder.index()
    shown = run("status", library=library_folder.path)
    assert shown.code == 0, shown.stderr
    assert TITLE not in shown.stdout
    assert "too few songs" not in shown.stdout

    library_folder.write(c="song 3 1")
    library_folder.index()
    assert run("status", library=library_folder.path).stdout.count("too few songs to measure") == 1

    library_folder.write(**{f"song{seed}": f"song 3 {seed}" for seed in range(10, 30)})
    library_folder.index()
    lines = run("status", library=library_folder.path).stdout.splitlines()
    shown_parts = [line.split()[0] for line in lines[lines.index(TITLE) + 1 :]]
    assert shown_parts == list(RECIPE.parts)
