"""`soundalike reproduce`: reproduce the tables of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import device_option, echo, echo_licence_notices

if TYPE_CHECKING:
    from soundalike.config import Runtime
    from soundalike.research.reproduce.pipeline import ReproduceOptions
    from soundalike.research.reproduce.report import Report

MAX_PROBLEMS = 10
"""Number of unusable clips that are printed; the report lists all."""


@click.command(
    "reproduce",
    short_help="Reproduce the tables of the paper.",
    epilog="""\b
Examples:
  soundalike reproduce --answers Inst-Sim-ABX            tables that need only the answers
  soundalike reproduce --answers Inst-Sim-ABX --slakh slakh2100_flac_redux
  soundalike reproduce ... --encoder builtin --stems true-6 --stems builtin

All tables need both datasets (docs/datasets.md explains where to get them). Encoders and separators of
your own can be added as rows. If the command is interrupted, run it again to continue.""",
)
@click.option("--answers", required=True, type=click.Path(path_type=Path), help="Folder of Inst-Sim-ABX.")
@click.option("--slakh", type=click.Path(path_type=Path), help="Folder of Slakh2100; its test split is enough.")
@click.option(
    "--encoder", "encoders", metavar="NAME", multiple=True, help="Encoder; repeatable.  [default: those of the paper]"
)
@click.option(
    "--stems",
    "stems",
    multiple=True,
    metavar="NAME",
    help="Source of the stems: true-4, true-6 or a separator; repeatable.  [default: those of the paper]",
)
@click.option(
    "--method",
    "methods",
    metavar="NAME",
    multiple=True,
    help="Fitting method of the weights; repeatable.  [default: all]",
)
@click.option(
    "--cut-off", "cut_offs", type=float, multiple=True, help="Cut-off of Table 1; repeatable.  [default: 0.75, 0.8]"
)
@click.option(
    "--similarity",
    type=click.Choice(["cosine", "euclidean"]),
    default="cosine",
    show_default=True,
    help="Similarity of a part: the cosine, or minus the Euclidean distance.",
)
@click.option("--splits", type=click.IntRange(min=2), default=100, show_default=True, help="Number of shuffled splits.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed of the splits.")
@click.option(
    "--gate",
    type=float,
    default=-40.0,
    show_default=True,
    help="Level in dB relative to the mix below which a part counts as silent, in the gated rows.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("reproduction"),
    show_default=True,
    help="Folder for the report.",
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="File that caches the vectors of the clips.  [default: in --out]"
)
@click.option(
    "--precision",
    metavar="NAME",
    default="exact",
    show_default=True,
    help="Precision of neural models: exact, or fast (bfloat16).",
)
@click.option("--no-html", is_flag=True, help="Write no HTML page (it needs the extra `report`).")
@device_option
def command(out: Path, cache: Path | None, no_html: bool, **arguments: Any) -> None:
    """Evaluate encoders, stems and weights on Inst-Sim-ABX, and write Tables 1 to 4 next to the figures of the paper.

    The report is written as Markdown, JSON, CSV and one HTML page.
    """
    from soundalike.cli.clip_progress import ClipProgress
    from soundalike.research.datasets.slakh import Slakh
    from soundalike.research.reproduce.pipeline import reproduce
    from soundalike.research.reproduce.report import to_markdown_table
    from soundalike.research.reproduce.report_files import check_output, write_report

    options, runtime = _options(**arguments)
    if options.slakh is not None:
        _ = Slakh(options.slakh).tracks  # a folder without tracks is refused before anything is created or loaded
    check_output(out, html=not no_html)
    if options.slakh is not None:
        echo_licence_notices(*options.encoders, *(source.separator for source in options.stems))
    with ClipProgress() as progress:
        report = reproduce(options, cache or out / "vectors.sqlite", runtime=runtime, callbacks=progress.callbacks)
    _show_problems(report)
    if options.slakh is None:
        print(to_markdown_table(next(table for table in report.tables if table.name == "reconciliation")))
    for path in write_report(report, out, html=not no_html).values():
        print(path)


def _options(
    *, encoders: tuple[str, ...], stems: tuple[str, ...], methods: tuple[str, ...], **rest: Any
) -> tuple[ReproduceOptions, Runtime]:
    """The options and the runtime from the command's arguments."""
    from soundalike.errors import InputError
    from soundalike.preferences.estimators import METHODS, get_method
    from soundalike.research.reproduce.conditions import (
        PAPER_ENCODERS,
        PAPER_STEMS,
        check_encoders,
        get_stems,
        runtime_for,
    )
    from soundalike.research.reproduce.pipeline import ReproduceOptions

    device, precision = rest.pop("device"), rest.pop("precision")
    if rest["slakh"] is None and (encoders or stems or methods):
        raise InputError(
            "--encoder, --stems and --method need audio: give the folder of Slakh2100 with --slakh, or omit them"
        )
    rest["cut_offs"] = rest["cut_offs"] or ReproduceOptions.cut_offs
    options = ReproduceOptions(
        encoders=check_encoders(encoders or PAPER_ENCODERS),
        stems=tuple(get_stems(name) for name in dict.fromkeys(stems or PAPER_STEMS)),
        methods=tuple(get_method(name) for name in dict.fromkeys(methods or METHODS)),
        **rest,
    )
    return options, runtime_for(options.encoders, options.stems, device, precision)


def _show_problems(report: Report) -> None:
    for name, reason in list(report.problems.items())[:MAX_PROBLEMS]:
        echo(f"could not be used: {name}: {reason}")
    if len(report.problems) > MAX_PROBLEMS:
        more = len(report.problems) - MAX_PROBLEMS
        echo(f"... and {more} more: the report lists them, and each cell shows its number of triplets")
