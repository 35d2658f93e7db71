"""One trial of one engine: built in one process, opened and timed in another; one line is printed per variant.

An engine is a class with the methods of `Engine`. A script `trial_*.py` lists its engines and calls `main`:

    python -m benchmarks.vector_search.trial_faiss --rows 100000 [--only WORDS] [--queries 20] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.synthetic_vectors import PARTS, opened

COUNT = 100
CHUNK = 8192
WARM = 11
RESULTS = Path(__file__).parent / "results.jsonl"


class Engine(Protocol):
    """`build` and `open` get the rows (N, 7, D) float16, memory-mapped, and a folder for the engine."""

    variants: Mapping[str, Mapping[str, Any]]
    """Label -> attributes that are set before searching."""

    def build(self, rows: NDArray[np.float16], place: Path) -> None:
        """Write everything that a search needs, besides the file of rows, to `place`."""

    def open(self, rows: NDArray[np.float16], place: Path) -> None:
        """Read what `build` has written."""

    def search(self, query: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.int64]:
        """Indices of the best 100 rows for a query (7, D)."""

    def append(self, rows: NDArray[np.float16]) -> None:
        """Make rows (n, 7, D) searchable, with the next indices."""


def pieces(rows: NDArray[np.float16]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The rows as float32 (n, 7, D), chunk by chunk, each with the index of its first row."""
    for begin in range(0, len(rows), CHUNK):
        yield begin, rows[begin : begin + CHUNK].astype(np.float32)


def megabytes(folder: Path) -> float:
    """What a folder takes on disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6


def memory() -> tuple[float, float]:
    """MB of anonymous and of file-backed memory that this process holds."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["RssAnon"].split()[0]) / 1e3, int(lines["RssFile"].split()[0]) / 1e3


class Peak:
    """The most anonymous memory while it runs, MB."""

    def __enter__(self) -> Peak:
        self.most, self._over = memory()[0], threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, memory()[0])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def build(make: Callable[[], Engine], rows: NDArray[np.float16], place: Path) -> dict[str, float]:
    """Build an engine in `place`; seconds, seconds of processor time, MB on disk, peak MB of private memory."""
    engine = make()
    began, busy = time.perf_counter(), time.process_time()
    with Peak() as peak:
        engine.build(rows, place)
    seconds, worked = time.perf_counter() - began, time.process_time() - busy
    return {
        "build_s": round(seconds, 1),
        "build_cpu_s": round(worked, 1),
        "disk_mb": round(megabytes(place), 1),
        "build_peak_mb": round(peak.most),
    }


def measure(
    make: Callable[[], Engine], rows: NDArray[np.float16], place: Path, folder: Path, queries: int, budget: float
) -> Iterator[dict[str, Any]]:
    """Open the engine and time each of its variants."""
    asked = np.load(folder / "queries.npy")[:queries]
    with np.load(folder / f"truth-{len(rows)}.npz") as stored:
        names, weights, truth = [str(name) for name in stored["names"]], stored["weights"], stored["rows"]
    to_append = np.load(folder / "to-append.npy")
    engine = make()
    began = time.perf_counter()
    engine.open(rows, place)
    opening = time.perf_counter() - began
    for label, attributes in engine.variants.items():
        for name, value in attributes.items():
            setattr(engine, name, value)
        for setting in range(WARM):
            engine.search(asked[-1], weights[setting % len(weights)])
        spent: list[float] = []
        worked: list[float] = []
        recall = np.zeros((len(names), 0))
        started = time.perf_counter()
        for index, query in enumerate(asked):
            found = []
            for setting in weights:
                began, busy = time.perf_counter(), time.process_time()
                found.append(engine.search(query, setting))
                spent.append(time.perf_counter() - began)
                worked.append(time.process_time() - busy)
            hits = [len(np.intersect1d(rows_, truth[w, index])) / COUNT for w, rows_ in enumerate(found)]
            recall = np.column_stack([recall, hits])
            if time.perf_counter() - started > budget:
                break
        anonymous, mapped = memory()
        by_name = dict(zip(names, recall.mean(axis=1), strict=True))
        worst = min(PARTS, key=lambda part: by_name[part])
        per_setting = 1000 * np.array(spent).reshape(-1, len(weights))
        yield {
            "variant": label,
            "open_s": round(opening, 2),
            "anon_mb": round(anonymous),
            "file_mb": round(mapped),
            "searches": len(spent),
            "p50_ms": round(float(np.percentile(spent, 50)) * 1000, 2),
            "p99_ms": round(float(np.percentile(spent, 99)) * 1000, 2),
            "cpu_ms": round(float(np.median(worked)) * 1000, 2),
            "p50_uniform_ms": round(float(np.median(per_setting[:, names.index("uniform")])), 2),
            "p50_drums_ms": round(float(np.median(per_setting[:, names.index("drums")])), 2),
            "recall": {name: round(float(value), 4) for name, value in by_name.items()},
            "uniform": round(float(by_name["uniform"]), 3),
            "learnt": round(float(min(by_name["muq-mulan-6"], by_name["clap-6"])), 3),
            "worst_part": round(float(by_name[worst]), 3),
            "worst_part_name": worst,
            "signed": round(float(by_name["signed"]), 3),
            **(_appended(engine, rows, to_append, weights[0]) if label == list(engine.variants)[-1] else {}),
        }


def _appended(
    engine: Engine, rows: NDArray[np.float16], to_append: NDArray[np.float16], weights: NDArray[np.float32]
) -> dict[str, float]:
    """Milliseconds until 1 and 100 more rows can be retrieved; NaN if they cannot."""
    added = {}
    number = len(rows)
    for count in (1, 100):
        piece = to_append[number - len(rows) :][:count]
        began = time.perf_counter()
        engine.append(piece)
        spent = 1000 * (time.perf_counter() - began)
        first = int(np.argmax(piece.any(axis=2).sum(axis=1)))
        answer = engine.search(piece[first].astype(np.float32), weights)
        added[f"append_{count}_ms"] = round(spent, 2) if number + first in answer else float("nan")
        number += count
    return added


COLUMNS = (  # name, format, key; a missing key is left blank
    ("engine", "34s", "engine"),
    ("parameters", "28s", "variant"),
    ("rows", "8d", "rows"),
    ("build s", "8.1f", "build_s"),
    ("cpu s", "7.1f", "build_cpu_s"),
    ("disk MB", "8.0f", "disk_mb"),
    ("anon MB", "8.0f", "anon_mb"),
    ("file MB", "8.0f", "file_mb"),
    ("open s", "7.2f", "open_s"),
    ("p50 ms", "8.1f", "p50_ms"),
    ("p99 ms", "8.1f", "p99_ms"),
    ("all ms", "8.1f", "p50_uniform_ms"),
    ("cpu ms", "8.1f", "cpu_ms"),
    ("uniform", "8.3f", "uniform"),
    ("learnt", "8.3f", "learnt"),
    ("part", "8.3f", "worst_part"),
    ("signed", "8.3f", "signed"),
    ("+1 ms", "8.1f", "append_1_ms"),
    ("+100 ms", "8.1f", "append_100_ms"),
)


def head() -> str:
    """The header; the four shares are recall@100."""
    return " ".join(f"{name:{'<' if kind[-1] == 's' else '>'}{_width(kind)}}" for name, kind, _ in COLUMNS)


def _width(kind: str) -> int:
    return int(kind[:-1].split(".")[0])


def line(found: Mapping[str, Any]) -> str:
    """The printed line of a trial."""
    if "error" in found:
        return f"{found['engine']:34s} {found['variant']:28s} {found['rows']:8d} {found['error']}"
    return " ".join(f"{found[key]:{kind}}" if key in found else " " * _width(kind) for _, kind, key in COLUMNS)


def arguments_of(doc: str | None) -> argparse.ArgumentParser:
    """The options of all trials."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"), help="folder of the synthetic vectors")
    parser.add_argument("--work", type=Path, default=Path("build/engines"), help="folder for what the engines write")
    parser.add_argument("--only", default="", help="only engines whose name contains this")
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument(
        "--budget", type=float, default=60, help="approximate limit for searching one variant, in seconds"
    )
    parser.add_argument("--keep", action="store_true", help="keep what was built, and use it if it exists")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to which the figures are appended")
    return parser


def main(doc: str | None, engines: Mapping[str, Callable[[], Engine]], argv: Sequence[str] | None = None) -> None:
    """Command line of a trial script."""
    parser = arguments_of(doc)
    parser.add_argument("--phase", choices=("build", "search"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    chosen = {name: make for name, make in engines.items() if arguments.only in name}
    chosen = {arguments.only: engines[arguments.only]} if arguments.only in engines else chosen
    if not chosen:
        parser.error(f"no engine has {arguments.only!r} in its name; choose from {', '.join(engines)}")
    if arguments.phase:
        ((name, make),) = [(name, make) for name, make in chosen.items() if name == arguments.only]
        _phase(arguments, name, make)
        return
    from benchmarks.vector_search.ground_truth import exact

    exact(arguments.folder, arguments.rows)
    module = f"benchmarks.vector_search.{Path(sys.argv[0]).stem}"
    print(head(), flush=True)
    for name in chosen:
        for phase in ("build", "search"):
            command = [sys.executable, "-m", module, "--phase", phase, "--only", name, "--rows", str(arguments.rows)]
            command += ["--folder", str(arguments.folder), "--work", str(arguments.work)]
            command += ["--queries", str(arguments.queries), "--budget", str(arguments.budget)]
            command += ["--results", str(arguments.results)]
            command += ["--keep"] * arguments.keep
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                last = done.stderr.strip().splitlines()[-1:] or [f"ended with code {done.returncode}"]
                _report(
                    arguments.results,
                    {"engine": name, "variant": phase, "rows": arguments.rows, "error": last[0][:300]},
                )
                (arguments.work / f"{_place(name, arguments.rows)}.log").write_text(done.stderr)
                break
        if not arguments.keep:
            shutil.rmtree(arguments.work / _place(name, arguments.rows), ignore_errors=True)


def _place(name: str, rows: int) -> str:
    return f"{name.replace(' ', '-').replace(',', '')}-{rows}"


def _phase(arguments: argparse.Namespace, name: str, make: Callable[[], Engine]) -> None:
    rows, _ = opened(arguments.folder, arguments.rows)
    place = arguments.work / _place(name, arguments.rows)
    figures = place.with_suffix(".json")
    if arguments.phase == "build":
        if arguments.keep and figures.exists() and place.exists():
            return
        os.nice(10)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        figures.write_text(json.dumps(build(make, rows, place)))
        return
    built = json.loads(figures.read_text())
    for found in measure(make, rows, place, arguments.folder, arguments.queries, arguments.budget):
        _report(arguments.results, {"engine": name, "rows": arguments.rows, **built, **found})


def _report(results: Path, found: Mapping[str, Any]) -> None:
    print(line(found), flush=True)
    with results.open("a") as out:
        out.write(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M"), **found}) + "\n")
