"""`soundalike listen run`: serve a listening test to its listeners."""

from __future__ import annotations

import click

from soundalike.cli.common import echo, library_option, library_path


@click.command(
    "run",
    short_help="Serve a listening test; each listener has a personal link.",
    epilog="""\b
Examples:
  soundalike listen run mine                     answer it yourself, on this computer
  soundalike listen run mine --listeners 20 --host 0.0.0.0
                                                 20 people in the same network, each with a link of their own
  soundalike listen run mine --allow-host music.example --base-path /test --no-browser
                                                 behind a proxy that publishes https://music.example/test/

Answers are stored at once, and a link goes on where its listener stopped. Whoever has a link can answer with it, so send each
to one person only.""",
)
@click.argument("name")
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8766,
    show_default=True,
    help="Port to listen on; 0 picks a free one. Links contain it.",
)
@click.option(
    "--listeners",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Invite listeners until there are N.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Accept requests for this host name, such as music.example behind a proxy; links start with it. Repeatable.",
)
@click.option(
    "--base-path",
    default="",
    metavar="PATH",
    help="Path under which a proxy publishes the test, such as /test, whether the proxy strips it or not.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the first link in a browser.")
def command(
    name: str,
    library: str | None,
    host: str,
    port: int,
    listeners: int,
    names: tuple[str, ...],
    base_path: str,
    no_browser: bool,
) -> None:
    """Serve the listening test NAME until Ctrl-C, and print the listeners' personal links."""
    from soundalike.config import require_extra

    require_extra("web", "`soundalike listen run`")
    from soundalike.listening.design import folder_of_design
    from soundalike.web.listening_test.listening_server import run_listening_test
    from soundalike.web.security.proxy import Proxy

    folder = folder_of_design(library_path(library), name)
    run_listening_test(
        folder,
        host,
        port,
        listeners=listeners,
        browser=not no_browser,
        say=echo,
        proxy=Proxy.of(names, base_path),
    )
