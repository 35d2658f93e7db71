"""`soundalike models`: the encoders and separators there are."""

from __future__ import annotations

import click


@click.command("models", short_help="Encoders, separators, weight profiles.", epilog="Example:  soundalike models")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(form: str) -> None:
    """Encoders, separators and weight profiles, with their licences."""
    import json

    from soundalike.encoders import ENCODERS
    from soundalike.separators import SEPARATORS
    from soundalike.weights import shipped_profiles

    if form == "json":
        values = {
            "encoders": {
                name: {"summary": row.summary, "licence": row.licence, "requires": row.requires}
                for name, row in ENCODERS.items()
            },
            "separators": {
                name: {
                    "summary": row.summary,
                    "parts": row.parts,
                    "licence": row.licence,
                    "requires": row.requires,
                }
                for name, row in SEPARATORS.items()
            },
            "profiles": [profile.to_json() for profile in shipped_profiles()],
        }
        print(json.dumps(values, indent=2))
        return
    from rich import box
    from rich.table import Table

    from soundalike.cli.tables import stdout_console

    console = stdout_console()
    for title, rows in (
        ("encoders", [(n, r.summary, r.licence, r.requires) for n, r in ENCODERS.items()]),
        (
            "separators",
            [(n, f"{r.summary}; {', '.join(r.parts)}", r.licence, r.requires) for n, r in SEPARATORS.items()],
        ),
        (
            "profiles",
            [
                (
                    p.name,
                    f"for {p.encoder} + {p.separator}: "
                    + ", ".join(f"{part}={weight:g}" for part, weight in p.weights.items()),
                    "",
                    f"clips of {p.clip_seconds:g} s",
                )
                for p in shipped_profiles()
            ],
        ),
    ):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in (title, "what it does", "licence", "needs"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
