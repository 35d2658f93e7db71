"""`soundalike timbre`: does an encoder order sounds as people do?"""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import device_option


@click.command(
    "timbre",
    short_help="An encoder beside people's judgments of timbre.",
    epilog="""\b
Examples:
  soundalike timbre sounds/ dissimilarities.csv
  soundalike timbre sounds/ dissimilarities.csv --encoder clap --format json

MATRIX is a CSV file with the sounds' file names in its first row and first column; higher is less
alike, an empty cell is a pair that nobody judged.""",
)
@click.argument("sounds", type=click.Path(path_type=Path))
@click.argument("matrix", type=click.Path(path_type=Path))
@click.option("--encoder", "encoders", multiple=True, help="Which; again for more  [default: builtin].")
@click.option("--precision", default="exact", show_default=True, help="exact or fast (bfloat16; neural models).")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@device_option
def command(sounds: Path, matrix: Path, encoders: tuple[str, ...], precision: str, form: str, device: str) -> None:
    """Set encoders beside people: SOUNDS is a folder, MATRIX how unlike its sounds are to people. How often is the order of
    two sounds beside a third the same, and how do the ranks of all pairs correlate?"""
    import json
    from dataclasses import asdict

    from rich import box
    from rich.table import Table

    from soundalike.cli.result_formats import stdout_console
    from soundalike.config import Runtime, check_precision
    from soundalike.research.reproduce.conditions import check_encoders
    from soundalike.research.timbre_check import timbre

    runtime = Runtime(device, check_precision(precision))
    found = {name: timbre(sounds, matrix, name, runtime) for name in check_encoders(encoders or ("builtin",))}
    if form == "json":
        print(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("encoder", "triplets alike", "of", "Spearman", "95 %", "Kendall", "pairs"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "encoder" else "right")
    for name, one in found.items():
        table.add_row(
            name,
            f"{one.triplet_agreement:.1%}",
            f"{one.triplets}",
            f"{one.spearman:+.3f}",
            f"{one.interval.low:+.3f} to {one.interval.high:+.3f}",
            f"{one.kendall:+.3f}",
            f"{one.pairs}",
        )
    stdout_console().print(table)
