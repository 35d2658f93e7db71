"""`soundalike reproduce`: the paper's tables beside its own figures."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import device_option, say, say_terms


@click.command(
    "reproduce",
    short_help="The paper's tables from listeners' answers, cell by cell.",
    epilog="""\b
Examples:
  soundalike reproduce --answers Inst-Sim-ABX            what the answers alone say: no audio, no model
  soundalike reproduce --answers Inst-Sim-ABX --slakh slakh2100_flac_redux
  soundalike reproduce ... --encoder builtin --stems true-6 --stems builtin

Needs both datasets for the tables (docs/datasets.md says where to get them). An encoder or separator
of your own is a row like any other. It may be interrupted; run it again to continue.""",
)
@click.option(
    "--answers", required=True, type=click.Path(path_type=Path), help="Folder of Inst-Sim-ABX: answers, configurations."
)
@click.option("--slakh", type=click.Path(path_type=Path), help="Folder of Slakh2100 (its test part is enough).")
@click.option("--encoder", "encoders", multiple=True, help="A row's encoder; again for more  [default: the paper's].")
@click.option(
    "--stems",
    "stems",
    multiple=True,
    help="Where stems come from: true-4, true-6 or a separator; again for more  [default: the paper's].",
)
@click.option("--method", "methods", multiple=True, help="How weights are fitted; again for more  [default: all].")
@click.option(
    "--cut-off", "cut_offs", type=float, multiple=True, help="Of Table 1; again for more  [default: .75, .8]."
)
@click.option("--splits", type=click.IntRange(min=2), default=100, show_default=True, help="Shuffled splits.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the splits.")
@click.option("--gate", type=float, default=-40.0, show_default=True, help="dB under the mix, for the gated rows.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("reproduction"),
    show_default=True,
    help="Folder of the report.",
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="File that keeps the clips' vectors  [default: in --out]."
)
@click.option("--precision", default="exact", show_default=True, help="exact or fast (bfloat16; neural models).")
@click.option("--no-html", is_flag=True, help="No HTML page (it needs the extra `report`).")
@device_option
def command(
    answers: Path,
    slakh: Path | None,
    encoders: tuple[str, ...],
    stems: tuple[str, ...],
    methods: tuple[str, ...],
    cut_offs: tuple[float, ...],
    splits: int,
    seed: int,
    gate: float,
    out: Path,
    cache: Path | None,
    precision: str,
    no_html: bool,
    device: str,
) -> None:
    """Judge encoders, stems and weights on Inst-Sim-ABX: Tables 1 to 4 of the paper beside its figures, and what it leaves
    out, as Markdown, JSON, CSV and one HTML page."""
    from soundalike.cli.clip_progress import ClipProgress
    from soundalike.errors import InputError
    from soundalike.preferences.estimators import METHODS, method_named
    from soundalike.research.datasets.slakh import Slakh
    from soundalike.research.reproduce.conditions import (
        PAPER_ENCODERS,
        PAPER_STEMS,
        check_encoders,
        runtime_for,
        stems_named,
    )
    from soundalike.research.reproduce.paper_tables import Plan, Tell, reproduce
    from soundalike.research.reproduce.report_files import check_output, write_report

    if slakh is None and (encoders or stems or methods):
        raise InputError(
            "--encoder, --stems and --method need audio: name the folder of Slakh2100 by --slakh, or leave them out"
        )
    plan = Plan(
        answers,
        slakh,
        check_encoders(encoders or PAPER_ENCODERS),
        tuple(stems_named(name) for name in dict.fromkeys(stems or PAPER_STEMS)),
        tuple(method_named(name) for name in dict.fromkeys(methods or METHODS)),
        splits,
        seed,
        gate,
        cut_offs or (0.75, 0.80),
    )
    runtime = runtime_for(plan.encoders, plan.stems, device, precision)
    if slakh is not None:
        _ = Slakh(slakh).tracks  # a folder without tracks is said before anything is made or loaded
    check_output(out, html=not no_html)
    if slakh is not None:
        say_terms(*plan.encoders, *(one.separator for one in plan.stems))
    with ClipProgress() as progress:
        report = reproduce(
            plan, cache or out / "vectors.sqlite", runtime=runtime, tell=Tell(progress.say, progress.update)
        )
    for name, reason in list(report.problems.items())[:10]:
        say(f"could not be used: {name}: {reason}")
    if len(report.problems) > 10:
        say(
            f"... and {len(report.problems) - 10} more: the report names them, and how many triplets each cell rests on"
        )
    for path in write_report(report, out, html=not no_html).values():
        print(path)
