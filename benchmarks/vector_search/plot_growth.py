"""Plot how latency and build time grow with the number of rows.

    python -m benchmarks.vector_search.plot_growth OUT.svg FIGURES.json [FIGURES.json ...]

Each FIGURES.json is the output of `benchmarks.large_library` when it quantised a library; the figures of other engines
are the latest of results.jsonl. Needs the extra `report` (Matplotlib).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

RESULTS = Path(__file__).parent / "results.jsonl"
OTHERS = {
    "NumPy exact": ("columns, float32", "exact, in memory (NumPy)"),
    "faiss RaBitQ": ("re-rank 4000, query 8 bits", "faiss RaBitQ, re-ranked"),
    "LanceDB scan": ("float16", "LanceDB scan"),
}


def main(out: Path, built: list[Path]) -> None:
    ours = sorted((json.loads(place.read_text()) for place in built), key=lambda one: one["rows"])
    rows = [figures["rows"] for figures in ours]
    figure, (searching, building) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    searching.plot(
        rows,
        [figures["p50_ms_by_weights"]["uniform"] for figures in ours],
        "o-",
        color="#0063a6",
        label="quantised, all 7 parts",
    )
    searching.plot(
        rows,
        [figures["p50_ms_by_weights"]["drums"] for figures in ours],
        "o--",
        color="#0063a6",
        label="quantised, one part",
    )
    for colour, (engine, (variant, label)) in zip(("#777777", "#b35900", "#7a3fa0"), OTHERS.items(), strict=True):
        found = latest(engine, variant)
        searching.plot(list(found), [one["p50_uniform_ms"] for one in found.values()], "s-", color=colour, label=label)
    building.plot(rows, [figures["quantised_s"] for figures in ours], "o-", color="#0063a6", label="quantised")
    found = latest("faiss RaBitQ", "re-rank 4000, query 8 bits")
    building.plot(list(found), [one["build_s"] for one in found.values()], "s-", color="#b35900", label="faiss RaBitQ")
    for axes, title, unit in ((searching, "one search, median", "ms"), (building, "building", "s")):
        axes.set(xscale="log", yscale="log", xlabel="windows (7 parts of 512)", ylabel=unit, title=title)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False, fontsize="small")
    figure.savefig(out)


def latest(engine: str, variant: str) -> dict[int, Any]:
    """The latest figures of an engine by number of rows, ascending."""
    found = {}
    for line in RESULTS.read_text().splitlines():
        one = json.loads(line)
        if one["engine"] == engine and one["variant"] == variant and "p50_uniform_ms" in one:
            found[one["rows"]] = one
    return dict(sorted(found.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(place) for place in sys.argv[2:]])
