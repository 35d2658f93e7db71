"""`soundalike compare`: two files, part by part."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import clock, device_option, parse_region, say


@click.command(
    "compare",
    short_help="Two files, part by part.",
    epilog="""\b
Examples:
  soundalike compare a.ogg b.ogg
  soundalike compare a.ogg b.ogg --region-a 0:10-0:20 --weights drums=1,bass=.5
Needs no library. Weights act on raw cosines here: a spread is known only inside a library.""",
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--region-a", help="Seconds of A, such as 1:02-1:12.")
@click.option("--region-b", help="Seconds of B.")
@click.option("--weights", "-w", help="How much each part counts, such as drums=1,bass=.3  [default: equal].")
@click.option("--encoder", default="builtin", show_default=True)
@click.option("--separator", default="builtin", show_default=True)
@click.option("--precision", default="exact", show_default=True, help="exact or fast (neural models).")
@device_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
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
    """How alike A and B are, part by part, and in which seconds."""
    import json
    from dataclasses import asdict

    from rich import box
    from rich.table import Table

    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import make_recipe
    from soundalike.cli.result_formats import bar, stdout_console
    from soundalike.config import Runtime
    from soundalike.search.comparison import compare
    from soundalike.similarity.weights import parse_weights

    asked = parse_weights(weights) if weights is not None else None
    found = compare(
        Analyser(make_recipe(encoder, separator, precision=precision), Runtime(device)),
        a,
        b,
        region_a=parse_region(region_a) if region_a is not None else None,
        region_b=parse_region(region_b) if region_b is not None else None,
        weights=asked,
    )
    if form == "json":
        print(json.dumps(asdict(found), indent=2))
        return
    say(
        f"score {found.score:.3f}: {a.name} {_span(found.seconds_a)} beside {b.name} {_span(found.seconds_b)} "
        "(the pair of windows that are most alike)"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (
        "part",
        "weight",
        "contribution",
        "cosine",
        "mean of all windows",
        "best",
        "best in A",
        "best in B",
    ):
        table.add_column(heading, no_wrap=True)
    for part in found.parts:
        if part.best is None or part.mean is None or part.best_a is None or part.best_b is None:
            table.add_row(part.part, f"{part.weight:g}", "silent", "", "", "", "", "")
            continue
        table.add_row(
            part.part,
            f"{part.weight:g}",
            f"{part.contribution:+.3f} {bar(part.contribution, max(1.0, abs(found.score)))}",
            "silent" if part.cosine is None else f"{part.cosine:+.3f}",
            f"{part.mean:+.3f}",
            f"{part.best:+.3f}",
            _span(part.best_a),
            _span(part.best_b),
        )
    stdout_console().print(table)


def _span(seconds: tuple[float, float]) -> str:
    return f"{clock(seconds[0])}-{clock(seconds[1])}"
