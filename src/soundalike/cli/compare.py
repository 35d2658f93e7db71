"""`soundalike compare`: compare two files part by part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import ListOption, clock, device_option, echo, parse_region

if TYPE_CHECKING:
    from rich.table import Table

    from soundalike.search.comparison import Comparison


@click.command(
    "compare",
    short_help="Compare two files part by part.",
    epilog="""\b
Examples:
  soundalike compare a.ogg b.ogg
  soundalike compare a.ogg b.ogg --region-a 0:10-0:20 --weights drums=1,bass=.5

No library is needed. Weights multiply raw cosines here, since the spread of a part is only known within a
library. Loops and one-shots are embedded whole, so with one of them only `mix` is compared.""",
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--region-a", metavar="START-END", help="Use only this region of A, such as 1:02-1:12.")
@click.option("--region-b", metavar="START-END", help="Use only this region of B.")
@click.option(
    "--weights",
    "-w",
    cls=ListOption,
    metavar="PART=N,...",
    help="Weight of each part, such as drums=1,bass=.3.  [default: equal]",
)
@click.option(
    "--encoder", metavar="NAME", default="builtin", show_default=True, help="Encoder (see `soundalike models`)."
)
@click.option(
    "--separator", metavar="NAME", default="builtin", show_default=True, help="Separator (see `soundalike models`)."
)
@click.option(
    "--precision",
    metavar="NAME",
    default="exact",
    show_default=True,
    help="Precision of neural models: exact, or fast (bfloat16).",
)
@device_option
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format."
)
def command(
    a: Path,
    b: Path,
    region_a: str | None,
    region_b: str | None,
    weights: str | None,
    encoder: str,
    separator: str,
    precision: str,
    device: str,
    form: str,
) -> None:
    """Compare the files A and B part by part, and show which windows are most similar."""
    import json
    from dataclasses import asdict

    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import make_recipe
    from soundalike.cli.result_formats import print_widest
    from soundalike.config import Runtime
    from soundalike.search.comparison import compare
    from soundalike.similarity.weights import parse_weights

    part_weights = parse_weights(weights) if weights is not None else None
    result = compare(
        Analyser(make_recipe(encoder, separator, precision=precision), Runtime(device)),
        a,
        b,
        region_a=parse_region(region_a) if region_a is not None else None,
        region_b=parse_region(region_b) if region_b is not None else None,
        weights=part_weights,
    )
    if form == "json":
        print(json.dumps(asdict(result), indent=2))
        return
    echo(f"score {result.score:.3f}, at the most similar pair of windows:")
    echo(f"  A {_span(result.seconds_a)}  {a.name}")
    echo(f"  B {_span(result.seconds_b)}  {b.name}")
    if [part.part for part in result.parts] == ["mix"]:
        echo("only mix is compared: loops and one-shots are embedded whole, without separation into parts")
    print_widest([_table(result, columns) for columns in (8, 6, 4)])


def _table(result: Comparison, columns: int) -> Table:
    """The first `columns` of the table: what the score is made of comes first."""
    from rich import box
    from rich.table import Table

    from soundalike.cli.result_formats import bar

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    headings = ("part", "weight", "contribution", "cosine", "mean cosine", "best cosine", "best in A", "best in B")
    for heading in headings[:columns]:
        table.add_column(heading, no_wrap=True)
    scale = max(1.0, abs(result.score))
    for part in result.parts:
        cells = [part.part, f"{part.weight:g}"]
        if part.best is None or part.mean is None or part.best_a is None or part.best_b is None:
            cells += ["silent"]
        else:
            cells += [
                f"{part.contribution:+.3f} {bar(part.contribution, scale)}",
                "silent" if part.cosine is None else f"{part.cosine:+.3f}",
                f"{part.mean:+.3f}",
                f"{part.best:+.3f}",
                _span(part.best_a),
                _span(part.best_b),
            ]
        table.add_row(*cells[:columns])
    return table


def _span(seconds: tuple[float, float]) -> str:
    return f"{clock(seconds[0])}-{clock(seconds[1])}"
