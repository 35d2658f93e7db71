"""`soundalike fit`: fit weights to your own listening test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import counted, device_option, echo, echo_licence_notices

if TYPE_CHECKING:
    from soundalike.research.reproduce.fit_listening_test import FitOptions, ListeningTestFit

MAX_PROBLEMS = 10
"""Number of unusable clips that are printed; the report lists all."""


@click.command(
    "fit",
    short_help="Fit weights to your own listening test.",
    epilog="""\b
Examples:
  soundalike fit answers.csv --audio clips/
  soundalike fit answers.csv --audio clips/ --encoder clap --stems htdemucs --out mine.json
  soundalike similar song.ogg --profile mine.json

ANSWERS is a CSV file with the columns reference, sample_a, sample_b (paths relative to --audio) and
answer_total: A+ or B+ (clearly more similar), A- or B- (rather), or plain A or B. Optional columns are
subject_id, choice_time (ms), answer_timbre, answer_rhythm and answer_melody (NA: no answer), as in
Inst-Sim-ABX, and reference_track, sample_a_track, sample_b_track: the music that each clip is cut from.

Needs the extra `report`.""",
)
@click.argument("answers", type=click.Path(path_type=Path))
@click.option(
    "--audio",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the clips; paths in ANSWERS are relative to it.",
)
@click.option(
    "--encoder", metavar="NAME", default="builtin", show_default=True, help="Encoder (see `soundalike models`)."
)
@click.option(
    "--stems",
    default="builtin",
    show_default=True,
    help="Source of the stems: a separator, or the stem files next to each clip (true-4, true-6).",
)
@click.option(
    "--track-pattern",
    metavar="REGEX",
    help="Regular expression that finds the track in the path of a clip; its first group, or the whole match.",
)
@click.option(
    "--screen",
    "screening",
    metavar="RULE",
    multiple=True,
    help="Leave out listeners who break a rule, such as 'checks>=0.9'; repeatable. Measures: answers, agreement, checks, "
    "first, seconds.",
)
@click.option("--method", default="ordinal-cv", show_default=True, help="Fitting method (see docs/judging.md).")
@click.option(
    "--cut-off",
    type=float,
    default=0.8,
    show_default=True,
    help="Evaluate only triplets on which at least this share of listeners agrees.",
)
@click.option(
    "--perspective", default="total", show_default=True, help="Answers to fit to: total, timbre, rhythm or melody."
)
@click.option(
    "--gate",
    type=float,
    default=-40.0,
    show_default=True,
    help="Level in dB relative to the mix below which a part counts as silent.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("profile.json"),
    show_default=True,
    help="File for the profile.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Folder for a full report, with an HTML page.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="File that caches the vectors of the clips.  [default: next to --out]",
)
@click.option(
    "--precision",
    metavar="NAME",
    default="exact",
    show_default=True,
    help="Precision of neural models: exact, or fast (bfloat16).",
)
@device_option
def command(out: Path, report: Path | None, cache: Path | None, device: str, precision: str, **arguments: Any) -> None:
    """Fit the weights of the parts to the listeners' ANSWERS, and write a profile for `similar --profile`."""
    from soundalike.cli.clip_progress import ClipProgress
    from soundalike.config import replace_file, require_extra
    from soundalike.errors import InputError
    from soundalike.research.reproduce.conditions import runtime_for
    from soundalike.research.reproduce.fit_listening_test import fit_listening_test
    from soundalike.research.reproduce.report_files import check_output, write_report

    require_extra("report", "`soundalike fit`")  # scikit-learn splits the answers: said before the clips are embedded
    options = _options(**arguments)
    if out.is_dir():
        raise InputError(f"{out} is a folder; --out must be a file")
    runtime = runtime_for([options.encoder], [options.stems], device, precision)
    if report is not None:
        check_output(report, html=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    echo_licence_notices(options.encoder, options.stems.separator)
    with ClipProgress() as progress:
        fitted = fit_listening_test(
            options,
            cache or out.with_suffix(".vectors.sqlite"),
            out.stem,
            runtime=runtime,
            callbacks=progress.callbacks,
        )
    replace_file(out, json.dumps(fitted.profile.to_json(), indent=2) + "\n")
    _show(fitted)
    print(out)
    if report is not None:
        for path in write_report(fitted.report, report, html=True).values():
            print(path)


def _options(
    *, encoder: str, stems: str, method: str, perspective: str, screening: tuple[str, ...], **rest: Any
) -> FitOptions:
    """The options from the command's arguments."""
    from soundalike.errors import InputError
    from soundalike.preferences.estimators import get_method
    from soundalike.preferences.listeners import parse_rule
    from soundalike.preferences.triplets import PERSPECTIVES
    from soundalike.research.reproduce.conditions import check_encoders, get_stems
    from soundalike.research.reproduce.fit_listening_test import FitOptions

    (encoder,) = check_encoders([encoder])
    known = next((name for name in PERSPECTIVES if name == perspective), None)
    if known is None:
        raise InputError(f"unknown perspective {perspective!r}; choose from {', '.join(PERSPECTIVES)}")
    return FitOptions(
        encoder=encoder,
        stems=get_stems(stems),
        method=get_method(method),
        perspective=known,
        screening=tuple(map(parse_rule, screening)),
        **rest,
    )


def _show(fitted: ListeningTestFit) -> None:
    """Print problems, weights and agreement."""
    from soundalike.research.reproduce.fit_listening_test import headlines

    report, profile = fitted.report, fitted.profile
    for name, reason in list(report.problems.items())[:MAX_PROBLEMS]:
        echo(f"could not be used: {name}: {reason}")
    if report.problems:
        echo(f"{counted(len(report.problems), 'clip')} could not be used; {report.provenance['triplets']}")
    for part, weight in profile.weights.items():
        low, high = profile.intervals.get(part, (None, None))
        interval = "" if low is None else f"   [{low:+.2f}, {high:+.2f}]"
        echo(f"{part:10} {weight:+.2f}{interval}")
    for line in headlines(fitted):
        echo(line)
