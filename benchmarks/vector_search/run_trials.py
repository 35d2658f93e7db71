"""Run all trials at one size, then print a Markdown table of the latest figures.

    python -m benchmarks.vector_search.run_trials --rows 100000 [--only faiss] [--queries 20] [--budget 60]
    python -m benchmarks.vector_search.run_trials --table        print only the table of everything in results.jsonl

Writes the vectors and the exact results first if they are missing. An engine is skipped at sizes where its figures for
a tenth of the rows are already hopeless (`LARGEST`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.vector_search.trial import COLUMNS, arguments_of

PACKAGE = "benchmarks.vector_search"
LARGEST = {  # rows up to which an engine is tried; the others: any number
    "NumPy exact": 100_000,  # 1.4 GB then; 14 GB for a million
    "faiss RaBitQ unrotated": 10_000,
    "faiss RaBitQ random rotation": 10_000,
    "faiss RaBitQ 4 bits": 10_000,
    "faiss RaBitQFastScan": 100_000,
    "faiss RaBitQFastScan 2 bits": 100_000,
    "faiss SQ8": 100_000,
    "usearch int8 exact": 100_000,
    "LanceDB scan": 100_000,
    "LanceDB IVF_PQ": 100_000,
    "LanceDB IVF_RQ columns": 100_000,
    "Milvus Lite": 10_000,  # 36 s of inserting for these, 1 GB
}
LEFT_OUT = {"rows", "open s", "+100 ms"}
TRIALS = ("numpy", "numkong", "faiss", "lance", "milvus")


def run(arguments: argparse.Namespace) -> None:
    """Run every engine whose name contains `only`, script by script."""
    options = ["--rows", str(arguments.rows), "--folder", str(arguments.folder)]
    for module in ("synthetic_vectors", "ground_truth"):
        subprocess.run([sys.executable, "-m", f"{PACKAGE}.{module}", *options], check=True, stdout=subprocess.DEVNULL)
    options += ["--work", str(arguments.work), "--queries", str(arguments.queries), "--budget", str(arguments.budget)]
    options += ["--results", str(arguments.results)]
    options += ["--keep"] * arguments.keep
    for trial in TRIALS:
        for name in importlib.import_module(f"{PACKAGE}.trial_{trial}").ENGINES:
            if arguments.only in name and arguments.rows <= _largest(name):
                subprocess.run(
                    [sys.executable, "-m", f"{PACKAGE}.trial_{trial}", *options, "--only", name], check=False
                )


def _largest(name: str) -> float:
    family = "Milvus Lite" if name.startswith("Milvus Lite") else name
    return LARGEST.get(family, float("inf"))


def latest(results: Path) -> list[dict[str, Any]]:
    """The latest figures of each engine, variant and number of rows."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for text in results.read_text().splitlines():
        figures = json.loads(text)
        found[figures["rows"], figures["engine"], figures["variant"]] = figures
    return [found[key] for key in sorted(found, key=lambda key: key[0])]


def table(results: Path) -> str:
    """Markdown, one table per number of rows."""
    shown = [column for column in COLUMNS if column[0] not in LEFT_OUT]
    lines = []
    for count in sorted({figures["rows"] for figures in latest(results)}):
        here = [figures for figures in latest(results) if figures["rows"] == count]
        lines += [f"### {count:,} rows", ""]
        lines += ["| " + " | ".join(name for name, _, _ in shown) + " |", "|" + "---|" * len(shown)]
        for found in here:
            if "error" not in found:
                cells = [f"{found[key]:{kind}}".strip() if key in found else "" for _, kind, key in shown]
                lines.append("| " + " | ".join(cells) + " |")
        failed = [f"{found['engine']}: `{found['error']}`" for found in here if "error" in found]
        lines += ["", *(f"- {message}" for message in failed), *([""] if failed else [])]
    return "\n".join(lines)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--table", action="store_true", help="only print the table")
    arguments = parser.parse_args()
    if not arguments.table:
        run(arguments)
    print(table(arguments.results))


if __name__ == "__main__":
    main()
