"""The command line. One file a command; data goes to stdout, words to stderr; only `main` turns errors into exit codes.

To add a command: write a module here with a click command, name it in `COMMANDS`. Keep its heavy imports inside the
function, so that `--help` appears at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from soundalike import __version__
from soundalike.errors import SoundalikeError

COMMANDS: dict[str, str] = {
    "index": "soundalike.cli.index",
    "similar": "soundalike.cli.similar",
    "serve": "soundalike.cli.serve",
    "compare": "soundalike.cli.compare",
    "duplicates": "soundalike.cli.duplicates",
    "status": "soundalike.cli.status",
    "remove": "soundalike.cli.remove",
    "relocate": "soundalike.cli.relocate",
    "export": "soundalike.cli.export_import:export_command",
    "import": "soundalike.cli.export_import:import_command",
    "models": "soundalike.cli.models",
    "fit": "soundalike.cli.fit",
    "reproduce": "soundalike.cli.reproduce",
    "timbre": "soundalike.cli.timbre",
    "demo": "soundalike.cli.demo",
}

INTERRUPTED = 130
INTERNAL_ERROR = 70


class _Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute or "command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is not a command")
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  soundalike index ~/Music ~/Samples           make or update your library
  soundalike similar song.ogg                  songs that sound like it
  soundalike similar song.ogg --weights drums=1,bass=.3
  soundalike similar song.ogg --region 1:02-1:12 --part drums --kind loop
  soundalike similar song.ogg --hits           one-shots like the hits in its drums
  soundalike models fetch clap htdemucs        the weights of the paper's models
\b
Exit codes: 0 done, 2 wrong argument, 3 unusable audio, 4 library trouble,
            5 weights of a model missing or damaged, 130 interrupted.""",
)
@click.version_option(__version__, prog_name="soundalike")
def cli() -> None:
    """Find music that sounds alike, instrument by instrument."""


def main() -> NoReturn:
    """Run the command line and leave with an exit code. No error leaves a traceback (SOUNDALIKE_DEBUG=1 shows it)."""
    debug = bool(os.environ.get("SOUNDALIKE_DEBUG"))
    try:
        cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as stop:
        # click turns Ctrl-C into Abort; what was interrupted may have words of its own.
        print(f"soundalike: {str(stop.__cause__ or stop) or 'interrupted'}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader (`head`, say) has gone; what Python would still flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SoundalikeError as error:
        if debug:
            raise
        print(f"soundalike: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if debug:
            raise
        where = f" ({error.filename})" if error.filename else ""
        print(f"soundalike: {error.strerror or error}{where}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(
            f"soundalike: internal error: {type(error).__name__}: {error}\n"
            "This is a bug; run again with SOUNDALIKE_DEBUG=1 and report what it prints.",
            file=sys.stderr,
        )
        sys.exit(INTERNAL_ERROR)
    sys.exit(0)
