"""`soundalike serve`: the web page and API of a library."""

from __future__ import annotations

import click

from soundalike.cli.common import device_option, echo, is_default_library, library_option, library_path
from soundalike.cli.ray_option import ray_cluster, ray_option


@click.command(
    "serve",
    short_help="Search in the browser: drop a song, move sliders, listen to hits.",
    epilog="""\b
Examples:
  soundalike serve                          only you on this computer can connect
  soundalike serve --no-token               every user of this computer can
  soundalike serve --port 9000 --no-browser
  soundalike serve --host 0.0.0.0           others can connect with the token that is printed
  soundalike serve --allow-host music.example --base-path /sound
                                            behind a proxy that publishes https://music.example/sound/
  soundalike serve --ray auto               search a library that is too large for one machine

With neither --library nor $SOUNDALIKE_LIBRARY, an empty library is made where there is none yet: the page asks for
a folder with music.
The API is described at /api/openapi.json.""",
)
@library_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; other machines can reach all but loopback addresses.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--token",
    envvar="SOUNDALIKE_TOKEN",
    help="Token that clients need; 16 characters or more.  [default: $SOUNDALIKE_TOKEN, or a random one]",
)
@click.option(
    "--no-token",
    is_flag=True,
    help="Let every user of this machine connect; only on loopback, and without --allow-host.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Accept requests for this host name, such as music.example behind a proxy; repeatable.",
)
@click.option(
    "--base-path",
    default="",
    metavar="PATH",
    help="Path under which a proxy publishes the server, such as /sound, whether the proxy strips it or not.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
@device_option
@ray_option("Search in the memory of a Ray cluster")
def command(
    library: str | None,
    host: str,
    port: int,
    token: str | None,
    no_token: bool,
    names: tuple[str, ...],
    base_path: str,
    no_browser: bool,
    device: str,
    ray: str | None,
) -> None:
    """Serve the web page and the API of the library until Ctrl-C."""
    from soundalike.config import require_extra

    require_extra("web", "`soundalike serve`")
    from soundalike.config import Runtime
    from soundalike.web.security.proxy import Proxy
    from soundalike.web.server import serve

    place = library_path(library)
    if is_default_library(library) and not (place / "library.json").exists():
        from soundalike.library.indexing.library_update import make_empty_library

        make_empty_library(place)
        echo(f"made an empty library at {place}; choose a folder with music on the page")
    proxy = Proxy.of(names, base_path)
    runtime = Runtime(device)
    with ray_cluster(ray) as cluster:
        serve(
            place,
            host,
            port,
            token=token,
            guarded=not no_token,
            proxy=proxy,
            runtime=runtime,
            browser=not no_browser,
            say=echo,
            cluster=cluster,
        )
