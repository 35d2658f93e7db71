"""`soundalike listen export`: the answers of a listening test as CSV and Parquet."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import counted, echo, library_option, library_path


@click.command(
    "export",
    short_help="Write the answers of a test as CSV and Parquet.",
    epilog="""\b
Examples:
  soundalike listen export mine
  soundalike listen export mine --out for-the-paper --clips
  soundalike fit mine-export/answers.csv --audio mine-export/clips

answers.csv has the columns of Inst-Sim-ABX and one row for each listener and triplet: whole answers
with an overall preference. answers.parquet has every trial: repeats, "can't tell", listening times.
Listeners are pseudonyms.""",
)
@click.argument("name")
@library_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files.  [default: NAME-export]")
@click.option("--clips", is_flag=True, help="Also copy the clips into the folder `clips` there.")
def command(name: str, library: str | None, out: Path | None, clips: bool) -> None:
    """Write the answers of the listening test NAME to answers.csv and answers.parquet."""
    import shutil

    from soundalike.config import replace_file
    from soundalike.errors import InputError
    from soundalike.listening.answer_tables import to_csv, write_parquet
    from soundalike.listening.design import CLIPS_FOLDER
    from soundalike.listening.open_test import OpenTest

    test = OpenTest.open(library_path(library), name)
    folder = out or Path(f"{name}-export")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder with --out")
    if not test.records:
        raise InputError(f"{name} has no answers yet")
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / "answers.parquet", test.design, test.records)
    print(folder / "answers.parquet")
    try:
        table = to_csv(test.design, test.records)
    except InputError as error:
        echo(str(error))
    else:
        replace_file(folder / "answers.csv", table.text)
        print(folder / "answers.csv")
        if table.left_out:
            echo(f"{counted(table.left_out, 'row')} without an overall preference left out of answers.csv")
    if clips:
        shutil.copytree(test.folder / CLIPS_FOLDER, folder / CLIPS_FOLDER, dirs_exist_ok=True)
    audio = (folder if clips else test.folder) / CLIPS_FOLDER
    echo(f"fit to the clips themselves: soundalike fit {folder / 'answers.csv'} --audio {audio}")
