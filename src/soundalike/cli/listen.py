"""`soundalike listen`: listening tests on one's own library, and weights from their answers.

One file per subcommand. To add one: write a module with a click command and add it to `SUBCOMMANDS`.
"""

from __future__ import annotations

import click

from soundalike.cli.lazy_group import LazyGroup

SUBCOMMANDS: dict[str, str] = {
    "new": "soundalike.cli.listen_new",
    "run": "soundalike.cli.listen_run",
    "invite": "soundalike.cli.listen_listeners:invite_command",
    "listeners": "soundalike.cli.listen_listeners:listeners_command",
    "delete-listener": "soundalike.cli.listen_listeners:delete_command",
    "status": "soundalike.cli.listen_status",
    "more": "soundalike.cli.listen_more",
    "fit": "soundalike.cli.listen_fit",
    "report": "soundalike.cli.listen_report",
    "export": "soundalike.cli.listen_export",
    "import": "soundalike.cli.listen_import",
}


@click.group(
    "listen",
    cls=LazyGroup,
    commands_at=SUBCOMMANDS,
    short_help="Make a listening test of your library and learn weights from the answers.",
    epilog="""\b
Examples:
  soundalike listen new mine                  make a test of your library
  soundalike listen run mine                  answer it in the browser
  soundalike listen fit mine                  fit weights to the answers
  soundalike similar song.ogg --profile mine  search with them

See docs/listening-tests.md: your own test in an hour, and what the numbers mean.""",
)
def command() -> None:
    """Make a listening test of your library ("which is closer to X, A or B?"), and learn weights from the answers."""
