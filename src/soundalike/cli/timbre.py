"""`soundalike timbre`: compare encoders with human judgments of timbre."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import device_option


@click.command(
    "timbre",
    short_help="Compare encoders with human judgments of timbre.",
    epilog="""\b
Examples:
  soundalike timbre sounds/ dissimilarities.csv
  soundalike timbre sounds/ dissimilarities.csv --encoder clap --format json

MATRIX is a CSV file of dissimilarities (higher is less similar), with the file names of the sounds in the
first row and the first column. An empty cell is a pair without a judgment.""",
)
@click.argument("sounds", type=click.Path(path_type=Path))
@click.argument("matrix", type=click.Path(path_type=Path))
@click.option(
    "--encoder", "encoders", metavar="NAME", multiple=True, help="Encoder to compare; repeatable.  [default: builtin]"
)
@click.option(
    "--precision",
    metavar="NAME",
    default="exact",
    show_default=True,
    help="Precision of neural models: exact, or fast (bfloat16).",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format."
)
@device_option
def command(sounds: Path, matrix: Path, encoders: tuple[str, ...], precision: str, form: str, device: str) -> None:
    """Compare encoders with human judgments of timbre: the dissimilarities in MATRIX of the sounds in the folder SOUNDS.

    Reports the share of triplets that encoder and listeners order alike, and the rank correlation of all pairs.
    """
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
