"""`soundalike listen new`: make a listening test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import counted, device_option, echo, echo_licence_notices, library_option, library_path

if TYPE_CHECKING:
    from soundalike.listening.design import ActiveGoal, Design, Question


@click.command(
    "new",
    short_help="Make a listening test of your library.",
    epilog="""\b
Examples:
  soundalike listen new mine                            60 triplets of whole mixes
  soundalike listen new mine --questions overall,rhythm
  soundalike listen new drums --stems drums             the drums alone
  soundalike listen new mine --active drums-bass        choose the next trials from the answers
  soundalike listen new jazz --path Jazz -n 40 --seed 7

In XAB triplets X, A and B are of three songs; in XYC triplets one candidate is another window of X's
song, which is easy to hear. Clips are windows of the library, at equal loudness (ITU-R BS.1770). Each
listener also gets 10 % catch trials (a candidate is X itself) and 10 % repeats with A and B exchanged.""",
)
@click.argument("name")
@library_option
@click.option(
    "-n", "count", type=click.IntRange(min=1), help="Number of triplets.  [default: 60; with --active 20 to begin]"
)
@click.option(
    "--stems",
    metavar="PARTS",
    is_flag=False,
    flag_value="all",
    help="Play stems instead of mixes: all, or such as drums,bass.",
)
@click.option(
    "--questions",
    default="overall",
    show_default=True,
    help="Questions, asked in separate passes: overall, timbre, rhythm, melody.",
)
@click.option("--xyc", "xyc_share", type=float, default=0.25, show_default=True, help="Share of XYC triplets.")
@click.option("--songs", type=click.IntRange(min=1), default=60, show_default=True, help="Use at most so many songs.")
@click.option("--per-song", type=click.IntRange(min=1), default=2, show_default=True, help="Windows of each song.")
@click.option(
    "--cap", type=click.IntRange(min=1), help="Use a song in at most so many triplets.  [default: as even as possible]"
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    help="Only songs whose path contains this text or matches this pattern; repeatable.",
)
@click.option(
    "--active",
    metavar="PART[-PART]",
    help="Choose trials so that this weight, or this difference of weights, is known soon; such as drums-bass.",
)
@click.option(
    "--width",
    type=float,
    default=1.5,
    show_default=True,
    help="With --active: stop when the 95 % interval is this wide, in units of the mean weight.",
)
@click.option(
    "--screen",
    "screening",
    metavar="RULE",
    multiple=True,
    help="Rule that a listener must pass to be counted, fixed now; repeatable. Measures: answers, agreement, checks, first, "
    "seconds.  [default: checks>=0.75 and seconds>=3]",
)
@click.option("--seed", type=click.IntRange(min=0), help="Draw the same test again.  [default: a new one]")
@device_option
def command(name: str, library: str | None, device: str, active: str | None, width: float, **options: Any) -> None:
    """Make the listening test NAME: draw triplets from your library and cut their clips."""
    from soundalike.cli.progress_bar import LiveBar
    from soundalike.config import Runtime
    from soundalike.library.storage.store import Library
    from soundalike.listening.design import SCREENING
    from soundalike.listening.new_test import NewTest, make_test
    from soundalike.parts import ordered

    stems = options.pop("stems")
    parts = () if stems in (None, "all") else ordered(_names(stems))
    test = NewTest(
        name,
        presentation="mix" if stems is None else "stems",
        questions=_questions(options.pop("questions")),
        goal=None if active is None else _goal(active, width),
        parts=parts,
        screening=options.pop("screening") or SCREENING,
        **options,
    )
    location = library_path(library)
    recipe = Library.open(location).recipe
    echo_licence_notices(recipe.encoder, recipe.separator)
    with LiveBar(*_columns()) as bar:
        folder, design = make_test(
            location,
            test,
            Runtime(device),
            lambda done, total: bar.draw(f"{done} of {total} songs", completed=done, total=total),
        )
    _show(design)
    print(folder)


def _columns() -> tuple[Any, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    return TextColumn("cutting clips"), BarColumn(), MofNCompleteColumn(), TextColumn("songs")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _questions(text: str) -> tuple[Question, ...]:
    """The questions named, in their fixed order. Raises InputError."""
    from soundalike.errors import InputError
    from soundalike.listening.design import QUESTIONS

    wanted = _names(text)
    unknown = [name for name in wanted if name not in QUESTIONS]
    if unknown or not wanted:
        raise InputError(
            f"unknown question {(unknown or [''])[0]!r}; choose from {', '.join(QUESTIONS)}, separated by commas"
        )
    return tuple(question for question in QUESTIONS if question in wanted)


def _goal(text: str, width: float) -> ActiveGoal:
    """The goal of `drums-bass` or `drums`. Raises InputError."""
    from soundalike.errors import InputError
    from soundalike.listening.design import ActiveGoal
    from soundalike.parts import ordered

    names = [name.strip() for name in text.split("-")]
    if len(names) > 2 or len(ordered(names)) < len(names):
        raise InputError(f"--active {text!r} is not a part or a difference of two; write drums-bass, or drums")
    return ActiveGoal(names[0], names[1] if len(names) == 2 else "", width)


def _show(design: Design) -> None:
    """Print what the test contains."""
    from collections import Counter

    from soundalike.listening.schedule import trials

    songs = len({excerpt.item for excerpt in design.excerpts})
    kinds = Counter(triplet.kind for triplet in design.triplets)
    use = Counter(
        item for one in design.triplets for item in {design.by_id[name].item for name in (one.x, one.a, one.b)}
    )
    parts = Counter(triplet.part for triplet in design.triplets)
    seconds = max(excerpt.seconds for excerpt in design.excerpts)
    trials_each = len(trials(design, 0))
    echo(
        f"{counted(len(design.triplets), 'triplet')} ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}) of "
        f"{counted(songs, 'song')}, each in at most {max(use.values())}; parts: "
        f"{', '.join(f'{part} {n}' for part, n in parts.items())}"
    )
    echo(
        f"{counted(trials_each, 'trial')} for each listener, about {max(1, round(trials_each * MINUTES_PER_TRIAL))} minutes; "
        f"clips of {seconds:g} s at {design.loudness:g} LUFS; seed {design.seed}"
    )
    if songs < ENOUGH_SONGS:
        echo(f"{songs} songs say little about other music; {ENOUGH_SONGS} or more give useful intervals")
    echo(f"next: soundalike listen run {design.name}")


MINUTES_PER_TRIAL = 0.55
"""Listeners of Inst-Sim-ABX took a median of half a minute for a trial (four questions on one screen, clips of 5 s)."""

ENOUGH_SONGS = 60
