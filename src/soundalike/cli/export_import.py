"""`soundalike export` and `soundalike import`: vectors to and from Parquet."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import echo, library_option, library_path


@click.command(
    "export",
    short_help="Export all vectors and metadata to a Parquet file.",
    epilog="""\b
Examples:
  soundalike export --parquet vectors.parquet

Each row is a window: item, path, kind, start, end, one float16 vector per part (null if absent), tempo, key, tags.""",
)
@library_option
@click.option("--parquet", "out", required=True, type=click.Path(path_type=Path), help="File to write.")
def export_command(library: str | None, out: Path) -> None:
    """Export all vectors and metadata of the library to a Parquet file."""
    from soundalike.library import Library
    from soundalike.library.maintenance.parquet import export_parquet

    rows = export_parquet(Library.open(library_path(library)), out)
    echo(f"wrote {rows} rows to {out}")


@click.command(
    "import",
    short_help="Import your own vectors from a Parquet file.",
    epilog="""\b
Examples:
  soundalike import vectors.parquet --library other
  soundalike import mine.parquet --encoder my-model --library mine

Columns: `id` (any string), `start` and `end` in seconds, and one list column per part (drums, bass, ..., mix);
docs/library.md lists the optional ones. Rows with the same id are the windows of one item. An id that is already
in the library is replaced.""",
)
@click.argument("parquet", type=click.Path(path_type=Path))
@library_option
@click.option("--encoder", metavar="NAME", help="Encoder that computed the vectors; required unless the file names it.")
def import_command(parquet: Path, library: str | None, encoder: str | None) -> None:
    """Import vectors from the file PARQUET. Their ids can then be used as references in `soundalike similar`."""
    from soundalike.library.maintenance.parquet import import_parquet

    count = import_parquet(library_path(library), parquet, encoder=encoder)
    echo(f"imported {count} items into {library_path(library)}")
