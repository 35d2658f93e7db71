"""How long the map of a library takes, and how well it keeps neighbours together.

    soundalike demo
    python -m benchmarks.map_speed soundalike-demo/library --items 2500

The library that is mapped holds that many songs, made from the vectors of the given one (`tests.web.many`). Seconds are from the
first request of the page's server to the finished map, the start of the worker process included; processor seconds are those of
that process. Trustworthiness (Venna & Kaski 2001) of the 10 nearest neighbours: 1 where none of them is false.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
import urllib.request
from pathlib import Path

from sklearn.manifold import trustworthiness

from benchmarks.shared.markdown import print_table
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.similarity.projection import project
from soundalike.web.services.map_worker import means
from tests.web.conftest import Running
from tests.web.many import many_songs

HEADER = ("songs", "map s", "worker's processor s", "of which projection s", "trustworthiness")
PATIENCE = 600  # s
ENDED = 5.0  # s until the worker process has ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--items", type=int, nargs="+", default=[2_500])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print_table(HEADER, (row(arguments.library, Path(name) / str(count), count) for count in arguments.items))


def row(source: Path, place: Path, count: int) -> tuple[object, ...]:
    """The row of a library of `count` songs at `place`."""
    many_songs(place, source, count)
    with Running(place) as running:
        before, start = children(), time.perf_counter()
        wait_for_map(running.address)
        seconds = time.perf_counter() - start
        time.sleep(ENDED)
        processor = children() - before
    _, vectors = means(Library.open(place), MIX, "song")
    start = time.process_time()
    points = project(vectors)
    alone = time.process_time() - start
    kept = trustworthiness(vectors, points, n_neighbors=10)
    return count, f"{seconds:.2f}", f"{processor:.2f}", f"{alone:.2f}", f"{kept:.3f}"


def children() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_for_map(address: str) -> None:
    """Request the map of the songs until it is there. Raises TimeoutError if it never is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{address}api/map?kind=song&part={MIX}", timeout=60) as answer:
            if json.load(answer)["state"] == "ready":
                return
        time.sleep(0.05)
    raise TimeoutError(f"no map within {PATIENCE} s")


if __name__ == "__main__":
    main()
