"""A group of commands that are imported on first use, so that `--help` appears at once."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A click group that imports a command when it is used and suggests the nearest name for a misspelled one.

    commands_at: command name -> `module` or `module:attribute` (by default `command`), in the order of the help page.
    """

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_at:
            return None
        module, _, attribute = self.commands_at[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute or "command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.commands_at[cmd_name]} is not a command")
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            command = next((word for word in given if word in self.commands_at), "COMMAND")
            ctx.fail(
                f"no option {error.option_name!r} before the command; options come after it: "
                f"{ctx.command_path} {command} {error.option_name}"
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.commands_at and not name.startswith("-") and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name.lower(), self.commands_at, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(self.commands_at)}."
            ctx.fail(f"no such command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one whose output is no longer read (by `head`, for example) ends quietly with code 0."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit cannot fail
            raise click.exceptions.Exit(0) from None
        return result
