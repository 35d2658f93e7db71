"""`soundalike export` and `soundalike import`: vectors as Parquet."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import library_option, library_path, say


@click.command(
    "export",
    short_help="Write all vectors and facts to Parquet.",
    epilog="""\b
Examples:
  soundalike export --parquet vectors.parquet
One row a window: item, path, kind, start, end, one float16 vector a part (null where absent), tempo, key, tags.""",
)
@library_option
@click.option("--parquet", "out", required=True, type=click.Path(path_type=Path), help="The file to write.")
def export_command(library: str | None, out: Path) -> None:
    """Write all vectors and facts of the library to a Parquet file."""
    from soundalike.library import Library
    from soundalike.library.maintenance.parquet import export_parquet

    rows = export_parquet(Library.open(library_path(library)), out)
    say(f"wrote {rows} rows to {out}")


@click.command(
    "import",
    short_help="Take in vectors with ids of your own.",
    epilog="""\b
Examples:
  soundalike import vectors.parquet --library other
  soundalike import mine.parquet --encoder my-model --library mine
Columns: `id` (yours, any string), `start` and `end` in seconds, one list column a part (drums, bass, ..., mix);
more are optional (see docs/library.md). Rows of one id are the windows of one item; an id that is there already is replaced.""",
)
@click.argument("parquet", type=click.Path(path_type=Path))
@library_option
@click.option("--encoder", help="What made the vectors; needed where the file does not say so itself.")
def import_command(parquet: Path, library: str | None, encoder: str | None) -> None:
    """Take vectors with ids of your own from a Parquet file; items are then searched by these ids."""
    from soundalike.library.maintenance.parquet import import_parquet

    count = import_parquet(library_path(library), parquet, encoder=encoder)
    say(f"took {count} items into {library_path(library)}")
