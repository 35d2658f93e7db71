"""Ray against one process: the same rows and results, the cost of a task, and search in shards.

    python -m benchmarks.ray_overhead index --songs 12 --nodes 2 4
    python -m benchmarks.ray_overhead tasks
    python -m benchmarks.ray_overhead search --rows 100000 --shards 1 2 4

Nodes are processes on this machine (`ray.cluster_utils.Cluster`) that offer one processor each. Four nodes on a machine
with two cores share these, so the figures show what Ray costs, not what a cluster gains. Every library is compared with
that of one process, row by row.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.markdown import print_table
from benchmarks.shared.random_library import WINDOWS, write_random_library
from soundalike.jobs.ray import connected
from soundalike.jobs.ray.ray_pool import RayPool, Stage
from soundalike.jobs.worker_pool import TaskPool, WorkerPool
from soundalike.library import Progress
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.ray_backend import RayBackend, one_per_core
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.store import Library
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.sharded import ShardedIndexes
from soundalike.search.index.vector_index import Match, Matches, Term, VectorIndex
from soundalike.synth.music_library import MusicOptions, write_library
from tests.library.compare import Rows, rows_of
from tests.made_up_rows import ready_made

STORE_BYTES = 150 << 20
HITS = 100
WARM_TASKS = 40
RECOVERY_SECONDS = 600
CLAP_MS, CLAP_FEW_WINDOWS_MS = 72_900, 12_200  # per track, from benchmarks.models_speed

warnings.filterwarnings("ignore", message="lancedb fork support")  # nodes are started as separate programs

Search = Callable[[list[Term]], Matches]


@contextmanager
def local_cluster(count: int) -> Iterator[Any]:
    """A cluster of `count` nodes on this machine, one processor each."""
    from ray.cluster_utils import Cluster

    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), RAY_USAGE_STATS_ENABLED="0")
    head = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        yield cluster
    finally:
        cluster.shutdown()


class Indexing:
    """Indexes the same music in different ways; every library must equal that of one process."""

    def __init__(self, folder: Path, songs: int) -> None:
        self.folder, self.music = folder, folder / "music"
        write_library(self.music, MusicOptions(seed=11, songs=songs, loops=songs, one_shots=4 * songs, length=40.0))
        index(folder / "warm", [self.music / "one-shots"])  # compiled code is cached on disk
        self.seconds: dict[str, float] = {}
        self.same: dict[str, bool] = {}
        self.audio_seconds = 0.0
        self._expected: Rows | None = None

    def run(self, name: str, **options: Any) -> None:
        """Index, and compare the library with that of the first run."""
        place = self.folder / name
        report = index(place, [self.music], **options)
        library = Library.open(place)
        problems = audit(library).problems
        assert problems == (), problems
        self.seconds[name], self.audio_seconds = report.seconds, report.audio_seconds
        rows = rows_of(library)
        self._expected = self._expected or rows
        self.same[name] = rows == self._expected


def benchmark_index(folder: Path, songs: int, counts: list[int]) -> None:
    """Indexing rate, and equality with one process."""
    indexing = Indexing(folder, songs)
    indexing.run("one process", jobs=1)
    indexing.run("worker processes")
    for count in counts:
        with local_cluster(count) as cluster, connected(cluster.address) as machines:
            indexing.run(f"Ray, {count} nodes", backend=RayBackend(machines))
            indexing.run(f"Ray, {count} nodes, again", backend=RayBackend(machines))  # by new actors
    with local_cluster(max(counts)) as cluster, connected(cluster.address) as machines:
        killed = threading.Event()

        def kill_node(progress: Progress) -> None:
            if progress.done >= progress.total // 3 and not killed.is_set():
                killed.set()
                cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

        indexing.run(f"Ray, {max(counts)} nodes, one killed", backend=RayBackend(machines), on_progress=kill_node)
        assert killed.is_set()
    first = indexing.seconds["one process"]
    audio = indexing.audio_seconds
    print(f"\n{6 * songs} files, {audio:.0f} s of audio, built-in models, {os.cpu_count()} cores\n")
    print_table(
        ("", "seconds", "times real time", "times one process", "same rows"),
        [
            (name, f"{seconds:.1f}", f"{audio / seconds:.0f}", f"{first / seconds:.2f}", indexing.same[name])
            for name, seconds in indexing.seconds.items()
        ],
    )
    if not all(indexing.same.values()):
        sys.exit("a library differs from that of one process")


def benchmark_tasks(folder: Path, tasks: int) -> None:
    """Cost of a task beyond its work, in ms per file and as a share of the time that models take."""
    (folder / "a.wav").write_bytes(b"")
    costs = {}
    with WorkerPool(ready_made, 2) as workers:
        costs["worker processes, 2"] = ms_per_task(workers, folder, tasks)
    for count in (1, 2):
        with (
            local_cluster(count) as cluster,
            connected(cluster.address) as machines,
            RayPool(machines, [Stage(lambda _: ready_made, one_per_core)]) as pool,
        ):
            costs[f"Ray, nodes: {count}"] = ms_per_task(pool, folder, tasks)
    print_table(
        ("empty task, result of 172 kB", "ms per file", "share of 72.9 s (clap)", "of 12.2 s (clap, --max-windows 4)"),
        [(name, f"{ms:.2f}", f"{ms / CLAP_MS:.4%}", f"{ms / CLAP_FEW_WINDOWS_MS:.4%}") for name, ms in costs.items()],
    )


def ms_per_task(pool: TaskPool, folder: Path, tasks: int) -> float:
    """Milliseconds per task; the first tasks, while processes start, are not counted."""
    path = str(folder / "a.wav")
    pending: set[Future[Any]] = set()
    done, submitted, start, counted = 0, 0, 0.0, 0
    while done < WARM_TASKS + tasks:
        while len(pending) < pool.capacity and submitted < WARM_TASKS + tasks:
            pending.add(pool.submit((path, None), 60.0))
            submitted += 1
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        before = done
        done += len(finished)
        if before < WARM_TASKS <= done:
            start, counted = time.perf_counter(), done
    return 1e3 * (time.perf_counter() - start) / (done - counted)


@dataclass(frozen=True)
class Queries:
    """Queries with random signed weights, and the matches of one process."""

    tie_order: NDArray[np.int64]
    terms: list[list[Term]]
    expected: list[list[Match]]

    def in_index(self, index: VectorIndex) -> Search:
        return lambda terms: index.search(terms, HITS, self.tie_order)


def timed(search: Search, terms: list[Term]) -> tuple[list[Match], float, float]:
    """Matches, share of the rows searched, and milliseconds."""
    start = time.perf_counter()
    matches = search(terms)
    return matches.best, matches.share, 1e3 * (time.perf_counter() - start)


def benchmark_search(folder: Path, rows: int, counts: list[int], queries: int) -> None:
    """Latency of shards and of one process, equality of their results, and a shard killed under load."""
    library = write_random_library(folder / "library", rows // WINDOWS, np.random.default_rng(5))
    asked, single = one_process(library, queries)
    table = {"one process": single}
    columns: list[tuple[Any, str]] = [("windows", part) for part in library.recipe.parts]
    with local_cluster(max(counts)) as cluster, connected(cluster.address) as machines:
        for count in counts:
            start = time.perf_counter()
            shards = ShardedIndexes(machines, library, count, columns=columns)
            label = f"shards: {count} (loaded in {time.perf_counter() - start:.1f} s)"
            search = asked.in_index(shards["windows"])
            search(asked.terms[0])
            table[label] = []
            for terms, expected in zip(asked.terms, asked.expected, strict=True):
                matches, share, ms = timed(search, terms)
                assert (matches, share) == (expected, 1.0), "the result of the shards is not that of one process"
                table[label].append(ms)
            if count == max(counts) and count > 1:
                killed = kill_shard(shards, search, asked)
            shards.pool.close()
    print(f"\n{rows} rows of {len(columns)} x {library.recipe.dimension}, all parts, signed weights, {HITS} hits\n")
    print_table(
        ("", "p50 ms", "p99 ms", "same results"),
        [
            (name, f"{np.percentile(times, 50):.1f}", f"{np.percentile(times, 99):.1f}", f"all of {queries}")
            for name, times in table.items()
        ],
    )
    if max(counts) > 1:
        print(f"one of {max(counts)} shards killed under load: {killed}")


def one_process(library: Library, count: int) -> tuple[Queries, list[float]]:
    """Random queries with the matches of one process, and the times of those searches in ms."""
    index = FlatIndex(library, "windows")
    tie_order = np.arange(len(index.rows.contents), dtype=np.int64)
    parts = library.recipe.parts
    rng = np.random.default_rng(7)
    chosen = rng.integers(0, len(index.rows), count)
    weights = rng.normal(size=(count, len(parts)))

    def terms(number: int) -> list[Term]:
        row = int(chosen[number])
        return [
            Term(part, part, index.column(part)[row].astype(np.float64), float(weight))
            for part, weight in zip(parts, weights[number], strict=True)
        ]

    def search(asked: list[Term]) -> Matches:
        return index.search(asked, HITS, tie_order)

    every = [terms(number) for number in range(count)]
    search(every[0])
    results = [timed(search, asked) for asked in every]
    expected = [matches for matches, _, _ in results]
    return Queries(tie_order, every, expected), [ms for _, _, ms in results]


def kill_shard(shards: ShardedIndexes, search: Search, asked: Queries) -> str:
    """Kill one shard and search until all rows are searched again."""
    import ray

    ray.kill(shards.pool.actors()[0])
    start = time.perf_counter()
    times, shares = [], []
    while not shares or shares[-1] < 1.0:
        number = len(times) % len(asked.terms)
        matches, share, ms = timed(search, asked.terms[number])
        times.append(ms)
        shares.append(share)
        if share == 1.0:
            assert matches == asked.expected[number]
        if time.perf_counter() - start > RECOVERY_SECONDS:
            sys.exit(f"the shard did not come back within {RECOVERY_SECONDS} s")
    partial = sum(share < 1.0 for share in shares)
    return (
        f"{partial} results from {min(shares):.1%} of the rows, each saying so, p50 {np.percentile(times, 50):.1f} "
        f"ms, p99 {np.percentile(times, 99):.1f} ms; complete again after {time.perf_counter() - start:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    indexing = commands.add_parser("index")
    indexing.add_argument("--songs", type=int, default=12)
    indexing.add_argument("--nodes", type=int, nargs="+", default=[2, 4])
    tasks = commands.add_parser("tasks")
    tasks.add_argument("--tasks", type=int, default=400)
    search = commands.add_parser("search")
    search.add_argument("--rows", type=int, default=100_000)
    search.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4])
    search.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.command == "index":
            benchmark_index(folder, arguments.songs, arguments.nodes)
        elif arguments.command == "tasks":
            benchmark_tasks(folder, arguments.tasks)
        else:
            benchmark_search(folder, arguments.rows, arguments.shards, arguments.queries)


if __name__ == "__main__":
    main()
