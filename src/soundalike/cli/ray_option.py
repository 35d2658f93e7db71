"""The option `--ray`, and the cluster that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from soundalike.cli.common import echo

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

F = TypeVar("F", bound=Callable[..., Any])


def ray_option(purpose: str) -> Callable[[F], F]:
    """Add the option `--ray ADDRESS`; the function receives `ray: str | None`. purpose: such as "Index on a Ray cluster"."""
    return click.option(
        "--ray", metavar="ADDRESS", help=f"{purpose}: HOST:PORT, auto (this machine's) or local (start one)."
    )


@contextmanager
def ray_cluster(address: str | None) -> Iterator[Machines | None]:
    """The Ray cluster at `address`, None where there is no address. Raises as `jobs.ray.connected`."""
    if address is None:
        yield None
        return
    from soundalike.jobs.ray import connected

    with connected(address) as cluster:
        echo(cluster.describe())
        yield cluster
