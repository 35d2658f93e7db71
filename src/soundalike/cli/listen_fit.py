"""`soundalike listen fit`: fit weights to the answers of a listening test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from soundalike.cli.common import echo, library_option, library_path

if TYPE_CHECKING:
    from soundalike.library.storage.location import Location
    from soundalike.listening.open_test import OpenTest
    from soundalike.listening.weight_fit import QuestionFit
    from soundalike.similarity.profiles import Profile


@click.command(
    "fit",
    short_help="Fit weights to the answers of a test.",
    epilog="""\b
Examples:
  soundalike listen fit mine
  soundalike listen fit mine --own                   one profile for each listener too
  soundalike similar song.ogg --profile mine

Each question gets weights of its own: the profiles are called NAME, NAME-timbre and so on, with --own
also NAME-L01. The page offers them beside the shipped ones. See docs/listening-tests.md for the numbers.""",
)
@click.argument("name")
@library_option
@click.option(
    "--cut-off",
    type=float,
    default=0.8,
    show_default=True,
    help="Evaluate only triplets on which at least this share of listeners agrees.",
)
@click.option("--own", is_flag=True, help="Also save the own weights of each listener, shrunk towards the group's.")
def command(name: str, library: str | None, cut_off: float, own: bool) -> None:
    """Fit weights of the parts to the answers of the listening test NAME, and save them as profiles of the library."""
    from soundalike.listening.open_test import OpenTest

    location = library_path(library)
    test = OpenTest.open(location, name)
    for fitted in fit_all(test, cut_off):
        show_fit(fitted)
        group = fitted.profile()
        for profile in [group, *(fitted.own_profiles() if own else [])]:
            print(_save(location, profile))
        echo(f"use it: soundalike similar FILE --profile {group.name}, or the menu of profiles in soundalike serve")


def fit_all(test: OpenTest, cut_off: float) -> list[QuestionFit]:
    """The fits of all questions with enough answers; the others are reported. Raises InputError if there is none."""
    from soundalike.errors import InputError
    from soundalike.listening.weight_fit import fit_question

    fits: list[QuestionFit] = []
    problems: list[InputError] = []
    for question in test.design.questions:
        try:
            fits.append(fit_question(test, question, cut_off))
        except InputError as error:
            problems.append(error)
    if not fits:
        raise problems[0]
    for problem in problems:
        echo(str(problem))
    return fits


def show_fit(fitted: QuestionFit) -> None:
    """Print the weights to stdout, and what to know about them to stderr."""
    from soundalike.listening import fit_messages

    echo(f"{fitted.answered.question}:")
    for line in (*fit_messages.screening_lines(fitted), *fit_messages.answer_lines(fitted)):
        echo(line)
    for line in fit_messages.weight_lines(fitted):
        print(line, flush=True)
    for lines in (fit_messages.difference_lines, fit_messages.agreement_lines, fit_messages.caveat_lines):
        for line in lines(fitted):
            echo(line)


def _save(location: Location, profile: Profile) -> str:
    """Save a profile in the library's folder; returns its path."""
    from soundalike.listening.user_profiles import save_profile

    return str(save_profile(location, profile))
