"""`soundalike listen import`: answers to a listening test from a CSV file."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import counted, echo, library_option, library_path


@click.command(
    "import",
    short_help="Add answers from a CSV file to a test.",
    epilog="""\b
Examples:
  soundalike listen import mine answers.csv

FILE has the columns of Inst-Sim-ABX, as `listen export` writes them: reference, sample_a, sample_b (clips
of this test), answer_total, and optionally subject_id, choice_time, answer_timbre, answer_rhythm,
answer_melody. Its listeners get pseudonyms. Importing a file again adds nothing.
For answers about other clips use `soundalike fit FILE --audio FOLDER`.""",
)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@library_option
def command(name: str, file: Path, library: str | None) -> None:
    """Add the answers in FILE to the listening test NAME."""
    from soundalike.errors import InputError
    from soundalike.listening.answer_import import import_answers
    from soundalike.listening.design import folder_of_design, read_design

    if not file.is_file():
        raise InputError(f"there is no file {file}")
    folder = folder_of_design(library_path(library), name)
    imported = import_answers(folder, read_design(folder), file)
    for theirs, ours in imported.listeners.items():
        print(f"{ours}\t{theirs}")
    echo(f"{counted(imported.stored, 'answer')} added, {imported.known} were there already")
