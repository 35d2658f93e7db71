"""Ray against one process: the same library, how fast, what a task costs, and search in shards.

    PYTHONPATH=. python benchmarks/cluster.py index --songs 12 --nodes 2 4
    PYTHONPATH=. python benchmarks/cluster.py overhead
    PYTHONPATH=. python benchmarks/cluster.py search --rows 100000 --shards 1 2 4
    PYTHONPATH=. python benchmarks/cluster.py model SONG        (extra `neural` and its checkpoints)

Nodes are processes of their own on this machine (`ray.cluster_utils.Cluster`), with one processor each as far as Ray is
concerned; on a machine of two cores four nodes share two, so that speed-ups say what Ray costs and not what a cluster
gives. Every library made is compared with that of one process, row for row.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exact_search import make_library
from soundalike.jobs.ray import Machines, connected
from soundalike.jobs.ray.ray_cluster import one_a_core
from soundalike.jobs.ray.ray_pool import RayTeam, Stage
from soundalike.jobs.worker_pool import Workers
from soundalike.library import Progress
from soundalike.library.indexing.index_options import index
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.store import Library
from soundalike.search.index.matching import Match, best_matches
from soundalike.search.index.sharded import Shards
from soundalike.search.index.vectors import Term, Vectors
from soundalike.synth.music_library import write_library
from tests.library.compare import rows_of
from tests.made_up_rows import ready_made

STORE_BYTES = 150 << 20

warnings.filterwarnings("ignore", message="lancedb fork support")  # nodes are started as programs of their own


@contextmanager
def cluster_of(count: int) -> Iterator[Any]:
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


def study_index(folder: Path, songs: int, counts: list[int]) -> None:
    """Throughput and sameness."""
    music = folder / "music"
    write_library(music, seed=11, songs=songs, loops=songs, one_shots=4 * songs, length=40.0)
    index(folder / "warm", [music / "one-shots"])  # compiled code that is cached on disk
    rows: list[tuple[str, float, float]] = []

    def run(name: str, **options: Any) -> Library:
        place = folder / name
        report = index(place, [music], **options)
        rows.append((name, report.seconds, report.audio_seconds))
        found = Library.open(place)
        assert audit(found).problems == (), audit(found).problems
        return found

    expected = rows_of(run("one-process", jobs=1))
    same = {"one-process": True, "worker-processes": rows_of(run("worker-processes")) == expected}
    for count in counts:
        with cluster_of(count) as cluster, connected(cluster.address) as machines:
            name = f"ray-{count}-nodes"
            same[name] = rows_of(run(name, elsewhere=machines)) == expected
            again = f"ray-{count}-nodes-again"  # models are loaded, but by new actors
            same[again] = rows_of(run(again, elsewhere=machines)) == expected
    with cluster_of(max(counts)) as cluster, connected(cluster.address) as machines:
        victim = next(iter(cluster.worker_nodes))
        gone = threading.Event()

        def kill(now: Progress) -> None:
            if now.done >= now.total // 3 and not gone.is_set():
                gone.set()
                cluster.remove_node(victim, allow_graceful=False)

        name = f"ray-{max(counts)}-nodes-one-killed"
        same[name] = rows_of(run(name, elsewhere=machines, on_progress=kill)) == expected
        assert gone.is_set()
    first = rows[0][1]
    print(f"\n{6 * songs} files, {rows[0][2]:.0f} s of audio, built-in models, {os.cpu_count()} cores\n")
    print("| | seconds | x real time | times one process | same rows |\n|---|---|---|---|---|")
    for name, seconds, audio in rows:
        print(f"| {name} | {seconds:.1f} | {audio / seconds:.0f} | {first / seconds:.2f} | {same[name]} |")
    if not all(same.values()):
        sys.exit("a library differs from that of one process")


def study_overhead(folder: Path, tasks: int) -> None:
    """What a task costs beyond its work: milliseconds a file, and as a share of what models take."""
    (folder / "a.wav").write_bytes(b"")
    rows = []
    with Workers(ready_made, 2) as workers:
        rows.append(("worker processes, 2", _spent(workers, folder, tasks)))
    for count in (1, 2):
        with (
            cluster_of(count) as cluster,
            connected(cluster.address) as machines,
            RayTeam(machines, [Stage(lambda _: ready_made, one_a_core)]) as team,
        ):
            rows.append((f"Ray, {count} node{'s' * (count > 1)}", _spent(team, folder, tasks)))
    print(
        "\n| a task of no work, its answer of 172 kB | ms a file | share of 72.9 s (clap) | of 12.2 s (clap, --windows 4) |"
    )
    print("|---|---|---|---|")
    for name, ms in rows:
        print(f"| {name} | {ms:.2f} | {ms / 72_900:.4%} | {ms / 12_200:.4%} |")


def _spent(team: Any, folder: Path, tasks: int) -> float:
    """Milliseconds a task, once all have come up."""
    path = str(folder / "a.wav")
    done, given, begin = 0, 0, 0.0
    warm = 40
    while done < warm + tasks:
        while not team.full and given < warm + tasks:
            team.submit(given, (path, None), 60.0)
            given += 1
        before = done
        done += len(team.wait(0.1))
        if before < warm <= done:
            begin, counted = time.perf_counter(), done
    return 1e3 * (time.perf_counter() - begin) / (done - counted)


def study_search(folder: Path, rows: int, counts: list[int], queries: int) -> None:
    """Latency at 1, 2, 4 shards beside one process, the same answers, a shard killed under load."""
    library = make_library(folder / "library", rows, np.random.default_rng(5))
    vectors = Vectors(library, budget=sys.maxsize)
    ranks = np.arange(len(vectors.rows("windows").contents), dtype=np.int64)
    parts = library.recipe.parts
    rng = np.random.default_rng(7)
    chosen = rng.integers(0, rows, queries)

    def terms(number: int) -> list[Term]:
        row = int(chosen[number])
        weights = rng_weights[number]
        return [
            Term(part, part, vectors.column("windows", part)[row].astype(np.float64), float(weight))
            for part, weight in zip(parts, weights, strict=True)
        ]

    rng_weights = rng.normal(size=(queries, len(parts)))
    asked = [terms(number) for number in range(queries)]
    expected: list[list[Match]] = []
    table: list[tuple[str, list[float]]] = [("one process", [])]
    best_matches(vectors, "windows", asked[0], 100, ranks)
    for one in asked:
        begin = time.perf_counter()
        expected.append(best_matches(vectors, "windows", one, 100, ranks))
        table[0][1].append(1e3 * (time.perf_counter() - begin))
    columns: list[tuple[Any, str]] = [("windows", part) for part in parts]
    with cluster_of(max(counts)) as cluster, connected(cluster.address) as machines:
        for count in counts:
            begin = time.perf_counter()
            shards = Shards(machines, library, count, columns=columns)
            loaded = time.perf_counter() - begin
            shards.best_matches(vectors, "windows", asked[0], 100, ranks)
            times = []
            for one, truth in zip(asked, expected, strict=True):
                begin = time.perf_counter()
                found, share = shards.best_matches(vectors, "windows", one, 100, ranks)
                times.append(1e3 * (time.perf_counter() - begin))
                assert (found, share) == (truth, 1.0), "the shards' answer is not that of one process"
            table.append((f"{count} shard{'s' * (count > 1)} (loaded in {loaded:.1f} s)", times))
            if count == max(counts) and count > 1:
                killed = _kill_one(machines, shards, vectors, asked, ranks, expected)
            shards.close()
    print(f"\n{rows} rows of {len(parts)} x {library.recipe.dimension}, all parts weighted, signed; best 100\n")
    print("| | p50 ms | p99 ms | same answers |\n|---|---|---|---|")
    for name, times in table:
        print(f"| {name} | {np.percentile(times, 50):.1f} | {np.percentile(times, 99):.1f} | all of {queries} |")
    print(f"\na shard of {max(counts)} killed under load: {killed}")


def _kill_one(
    machines: Machines,
    shards: Shards,
    vectors: Vectors,
    asked: list[list[Term]],
    ranks: Any,
    expected: list[list[Match]],
) -> str:
    import ray

    ray.kill(shards.actors()[0])
    begin = time.perf_counter()
    times, shares, number = [], [], 0
    while not shares or shares[-1] < 1.0:
        at = time.perf_counter()
        found, share = shards.best_matches(vectors, "windows", asked[number % len(asked)], 100, ranks)
        times.append(1e3 * (time.perf_counter() - at))
        shares.append(share)
        if share == 1.0:
            assert found == expected[number % len(asked)]
        number += 1
        if time.perf_counter() - begin > 600:
            sys.exit("the shard did not come back within 600 s")
    partial_ones = sum(share < 1.0 for share in shares)
    return (
        f"{partial_ones} answers from {min(shares):.1%} of the rows, said so, p50 {np.percentile(times, 50):.1f} ms, p99 "
        f"{np.percentile(times, 99):.1f} ms; whole again after {time.perf_counter() - begin:.1f} s"
    )


def study_model(folder: Path, song: Path) -> None:
    """One song by clap on htdemucs, here and on Ray: what Ray adds."""
    seconds = {}
    for name in ("here", "here-again"):
        report = index(folder / name, [song], encoder="clap", separator="htdemucs")
        seconds[name] = report.seconds
    with cluster_of(1) as cluster, connected(cluster.address) as machines:
        report = index(folder / "ray", [song], encoder="clap", separator="htdemucs", elsewhere=machines)
        seconds["ray"] = report.seconds
    same = rows_of(Library.open(folder / "here")) == rows_of(Library.open(folder / "ray"))
    for name, value in seconds.items():
        print(f"{name}: {value:.1f} s")
    print(f"same rows: {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    indexing = commands.add_parser("index")
    indexing.add_argument("--songs", type=int, default=12)
    indexing.add_argument("--nodes", type=int, nargs="+", default=[2, 4])
    overhead = commands.add_parser("overhead")
    overhead.add_argument("--tasks", type=int, default=400)
    search = commands.add_parser("search")
    search.add_argument("--rows", type=int, default=100_000)
    search.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4])
    search.add_argument("--queries", type=int, default=200)
    model = commands.add_parser("model")
    model.add_argument("song", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if given.command == "index":
            study_index(place, given.songs, given.nodes)
        elif given.command == "overhead":
            study_overhead(place, given.tasks)
        elif given.command == "search":
            study_search(place, given.rows, given.shards, given.queries)
        else:
            study_model(place, given.song)


if __name__ == "__main__":
    main()
