"""`soundalike models`: the encoders and separators, what each needs, and whether it is installed and downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.lazy_group import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from soundalike.models.encoders import EncoderRow
    from soundalike.models.separators import SeparatorRow


@click.group(
    "models",
    cls=LazyGroup,
    commands_at={"fetch": "soundalike.cli.models_fetch", "check": "soundalike.cli.models_check"},
    invoke_without_command=True,
    short_help="List encoders, separators and weight profiles; fetch weights.",
    epilog="""\b
Examples:
  soundalike models                       list all models and their status
  soundalike models fetch clap htdemucs   download the weights of two models
  soundalike models check clap            run a model on fixed inputs""",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format."
)
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """List encoders, separators and weight profiles with their licences, requirements and status."""
    if ctx.invoked_subcommand is not None:
        return
    import json

    from soundalike.models.encoders import ENCODERS
    from soundalike.models.separators import SEPARATORS
    from soundalike.similarity.profiles import shipped_profiles

    encoders = {name: {**_model(row), "trained": _trained(name, row)} for name, row in ENCODERS.items()}
    separators = {name: {**_model(row), "parts": list(row.parts)} for name, row in SEPARATORS.items()}
    profiles = [profile.to_json() for profile in shipped_profiles()]
    if form == "json":
        print(json.dumps({"encoders": encoders, "separators": separators, "profiles": profiles}, indent=2))
        return
    from soundalike.cli.result_formats import stdout_console

    console = stdout_console()
    for title, models in (("encoders", encoders), ("separators", separators)):
        console.print(_table(title, {name: list(_lines(values)) for name, values in models.items()}))
    console.print(_table("profiles", {values["name"]: list(_profile_lines(values)) for values in profiles}))


def _model(row: EncoderRow | SeparatorRow) -> dict[str, Any]:
    """The facts about a model, as JSON-ready values."""
    from importlib.util import find_spec

    from soundalike.config import EXTRAS

    return {
        "summary": row.summary,
        "licence": row.licence,
        "precisions": list(row.precisions),
        "extra": row.extra,
        "not_installed": [name for name in EXTRAS.get(row.extra or "", ()) if find_spec(name) is None],
        "checkpoint": None if row.checkpoint is None else _checkpoint(row.checkpoint),
    }


def _trained(name: str, row: EncoderRow) -> dict[str, Any] | None:
    """Where the weights of an encoder that is trained here are, and whether they are there; None for other encoders."""
    from soundalike.models.encoders.trained.trained_path import trained_path

    path = trained_path(name)
    return {"path": str(path), "state": "here" if path.is_file() else "missing"} if row.trained else None


def _checkpoint(name: str) -> dict[str, Any]:
    """A checkpoint and its status, as JSON-ready values; `state` is `here`, `missing`, `incomplete` or `damaged`."""
    from soundalike.config import checkpoint_folder
    from soundalike.models.checkpoints.local_files import file_status
    from soundalike.models.checkpoints.table import checkpoint

    row, folder = checkpoint(name), checkpoint_folder(name)
    statuses = [file_status(file, folder) for file in row.files]
    states = {status.state for status in statuses}
    state = "damaged" if "damaged" in states else states.pop() if len(states) == 1 else "incomplete"
    return {
        "name": row.name,
        "summary": row.summary,
        "state": state,
        "size": row.size,
        "pin": row.pin,
        "folder": str(folder),
        "licence": row.licence,
        "non_commercial": row.non_commercial,
        "terms": row.terms,
        "homepage": row.homepage,
        "files": [
            {
                "name": status.file.name,
                "path": str(status.path),
                "state": status.state,
                "words": status.message,
                "sha256": status.sha256 or None,
                "url": status.file.url,
                "size": status.file.size,
                "pin": status.file.pin,
                "pinned_sha256": status.file.sha256,
                "source": status.file.source,
            }
            for status in statuses
        ],
    }


def _table(title: str, rows: dict[str, list[str]]) -> Table:
    """Names in the left column, their lines in the right one, wrapped if the terminal is narrow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, no_wrap=True)
    table.add_column("", overflow="fold")
    for name, lines in rows.items():
        table.add_row(Text(name), Text("\n".join(lines)))
    return table


def _lines(model: dict[str, Any]) -> Iterator[str]:
    yield model["summary"]
    if "parts" in model:
        yield f"parts: {', '.join(model['parts'])}"
    yield f"licence: {model['licence']}"
    if model["checkpoint"] and model["checkpoint"]["terms"]:
        yield f"terms: {model['checkpoint']['terms']}"
    if model["not_installed"]:
        yield f"not installed: {', '.join(model['not_installed'])} (pip install 'soundalike[{model['extra']}]')"
    if model["checkpoint"]:
        yield from _checkpoint_lines(model["checkpoint"])
    if trained := model.get("trained"):
        here = trained["state"] == "here"
        yield (
            f"weights: in {_short(trained['path'])}"
            if here
            else "weights: not trained: soundalike train (docs/training.md)"
        )


def _checkpoint_lines(values: dict[str, Any]) -> Iterator[str]:
    from soundalike.models.checkpoints.table import format_size

    pin = "" if values["pin"] == "pinned" else f", {values['pin']}"
    weights = f"weights ({format_size(values['size'])}{pin})"
    get = f"soundalike models fetch {values['name']}"
    if values["state"] == "here":
        yield f"{weights}: in {_short(values['folder'])}"
    elif values["state"] == "damaged":
        message = next(file["words"] for file in values["files"] if file["state"] == "damaged")
        yield f"{weights}: DAMAGED: {message}; {get}"
    else:
        missing = [file for file in values["files"] if file["state"] == "missing"]
        rest = ", ".join(file["name"] + (f" ({file['words']})" if file["words"] else "") for file in missing)
        begun = values["state"] == "incomplete" or any(file["words"] for file in missing)
        yield f"{weights}: {f'incomplete, without {rest}' if begun else 'not downloaded'}: {get}"


def _profile_lines(profile: dict[str, Any]) -> Iterator[str]:
    yield f"for {profile['encoder']} + {profile['separator']}, clips of {profile['clip_seconds']:g} s"
    yield ", ".join(f"{part}={weight:g}" for part, weight in profile["weights"].items())


def _short(folder: str) -> str:
    """`folder` with the home folder written as ~."""
    from soundalike.config import expanded

    path = Path(folder)
    home = expanded("~")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else folder
