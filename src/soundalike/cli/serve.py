"""`soundalike serve`: the library's page and API."""

from __future__ import annotations

import click

from soundalike.cli.common import device_option, library_option, library_path, say


@click.command(
    "serve",
    short_help="A page in your browser: drop a song, pull sliders, hear hits.",
    epilog="""\b
Examples:
  soundalike serve                          opens on this machine alone
  soundalike serve --port 9000 --no-browser
  soundalike serve --host 0.0.0.0           for others too, who need the token that is printed

The API is described at /api/openapi.json.""",
)
@library_option
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; beyond loopback with a token."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any that is free.")
@click.option(
    "--token",
    envvar="SOUNDALIKE_TOKEN",
    help="The token needed beyond loopback  [default: $SOUNDALIKE_TOKEN, else a new one].",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@device_option
def command(library: str | None, host: str, port: int, token: str | None, no_browser: bool, device: str) -> None:
    """Serve the library's page and its API until Ctrl-C."""
    from soundalike.config import require_extra

    require_extra("web", "`soundalike serve`")
    from soundalike.config import Runtime
    from soundalike.web.server import serve

    serve(library_path(library), host, port, token=token, runtime=Runtime(device), browser=not no_browser, say=say)
