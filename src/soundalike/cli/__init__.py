"""The command line: one file per command. Data goes to stdout, messages to stderr.

To add a command: write a module here with a click command and add it to `COMMANDS`. Import heavy modules inside the
function, so that `--help` appears at once. Raise exceptions; only `main` turns them into exit codes.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import NoReturn

import click

from soundalike import __version__
from soundalike.cli.lazy_group import LazyGroup
from soundalike.errors import SoundalikeError, system_error_text

COMMANDS: dict[str, str] = {
    "index": "soundalike.cli.index",
    "similar": "soundalike.cli.similar",
    "serve": "soundalike.cli.serve",
    "compare": "soundalike.cli.compare",
    "duplicates": "soundalike.cli.duplicates",
    "status": "soundalike.cli.status",
    "doctor": "soundalike.cli.doctor",
    "remove": "soundalike.cli.remove",
    "relocate": "soundalike.cli.relocate",
    "export": "soundalike.cli.export_import:export_command",
    "import": "soundalike.cli.export_import:import_command",
    "models": "soundalike.cli.models",
    "listen": "soundalike.cli.listen",
    "fit": "soundalike.cli.fit",
    "reproduce": "soundalike.cli.reproduce",
    "train": "soundalike.cli.train",
    "timbre": "soundalike.cli.timbre",
    "demo": "soundalike.cli.demo",
}

INTERRUPTED = 130
INTERNAL_ERROR = 70


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  soundalike index ~/Music ~/Samples           build or update your library
  soundalike similar song.ogg                  find songs that sound like it
  soundalike similar song.ogg --weights drums=1,bass=.3
  soundalike similar song.ogg --region 1:02-1:12 --part drums --kind loop
  soundalike similar song.ogg --hits           find one-shots for each drum sound in it
  soundalike serve                             search in the browser
  soundalike models fetch clap htdemucs        download the weights of neural models
\b
Exit codes: 0 success, 2 invalid argument, 3 unusable audio, 4 library error,
            5 model weights missing or damaged, 130 interrupted.""",
)
@click.version_option(__version__, prog_name="soundalike")
def cli() -> None:
    """Find music that sounds alike, instrument by instrument."""


def main() -> NoReturn:
    """Run the command line and exit. Errors print one line; SOUNDALIKE_DEBUG=1 shows the traceback instead."""
    code = None
    _write_unicode()
    try:
        code = cli.main(standalone_mode=False)  # an exit code if a command ends by `ctx.exit`, else None
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        # click turns KeyboardInterrupt into Abort; the interrupted command may have set a message.
        _fail(str(error.__cause__ or error) or "interrupted", INTERRUPTED)
    except Exception as error:
        if os.environ.get("SOUNDALIKE_DEBUG"):
            raise
        _fail(*_message_and_code(error))
    sys.exit(code or 0)


def _write_unicode() -> None:
    """Let what is printed be UTF-8 where it goes to a file or another program, and replace what a terminal cannot show: on
    Windows both have an encoding that lacks the bars of tables and the characters of many file names."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def _message_and_code(error: Exception) -> tuple[str, int]:
    """The line to print for `error`, and the exit code."""
    if isinstance(error, SoundalikeError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return system_error_text(error), 1
    return (
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a bug: run the command again with SOUNDALIKE_DEBUG=1 and report the output.",
        INTERNAL_ERROR,
    )


def _fail(message: str, code: int) -> NoReturn:
    print(f"soundalike: {message}", file=sys.stderr)
    sys.exit(code)
