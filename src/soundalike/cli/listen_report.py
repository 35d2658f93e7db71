"""`soundalike listen report`: one HTML page about a listening test."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import library_option, library_path


@click.command(
    "report",
    short_help="Write a report of a test as one HTML page.",
    epilog="""\b
Examples:
  soundalike listen report mine
  soundalike listen report mine --out results.html

The page loads nothing else. Needs the extra `report`.""",
)
@click.argument("name")
@library_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write.  [default: report.html in the test's folder]"
)
@click.option(
    "--cut-off",
    type=float,
    default=0.8,
    show_default=True,
    help="Evaluate only triplets on which at least this share of listeners agrees.",
)
def command(name: str, library: str | None, out: Path | None, cut_off: float) -> None:
    """Write weights, agreement and listeners of the test NAME as one HTML page with plots."""
    from soundalike.cli.listen_fit import fit_all
    from soundalike.config import replace_file, require_extra
    from soundalike.errors import InputError
    from soundalike.listening.fit_report import make_report
    from soundalike.listening.open_test import OpenTest

    require_extra("report", "the HTML report")
    from soundalike.research.reproduce.report_html import to_html

    test = OpenTest.open(library_path(library), name)
    place = out or test.folder / "report.html"
    if place.is_dir():
        raise InputError(f"{place} is a folder; --out must be a file")
    report = make_report(test, fit_all(test, cut_off))
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_file(place, to_html(report))
    print(place)
