"""`soundalike timbre`: compare encoders with human judgments of timbre."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import device_option

if TYPE_CHECKING:
    from rich.table import Table

    from soundalike.preferences.dissimilarity import TimbreCheck


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

    Reports the share of triplets that encoder and listeners order in the same way, and the rank correlation of all pairs.
    """
    import json
    from dataclasses import asdict

    from soundalike.cli.result_formats import stdout_console
    from soundalike.config import Runtime, check_precision
    from soundalike.research.reproduce.conditions import check_encoders
    from soundalike.research.timbre_check import timbre

    runtime = Runtime(device, check_precision(precision))
    checks = {name: timbre(sounds, matrix, name, runtime) for name in check_encoders(encoders or ("builtin",))}
    if form == "json":
        print(json.dumps({name: asdict(check) for name, check in checks.items()}, indent=2))
    else:
        stdout_console().print(_table(checks))


def _table(checks: dict[str, TimbreCheck]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("encoder", "triplets alike", "of", "Spearman", "95 %", "Kendall", "pairs"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "encoder" else "right")
    for name, check in checks.items():
        table.add_row(
            name,
            f"{check.triplet_agreement:.1%}",
            f"{check.triplets}",
            f"{check.spearman:+.3f}",
            f"{check.interval.low:+.3f} to {check.interval.high:+.3f}",
            f"{check.kendall:+.3f}",
            f"{check.pairs}",
        )
    return table
