"""Exact results of all queries, computed chunk by chunk and stored beside the vectors as `truth-N.npz`.

    python -m benchmarks.vector_search.ground_truth --rows 100000 [--folder build/vectors]

For each weight setting and query: the best 100 rows, and the best 100 songs by their best window.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.synthetic_vectors import PARTS, opened

COUNT = 100
CHUNK = 8192
PROFILES = Path(__file__).parents[2] / "src" / "soundalike" / "profiles"


def settings() -> dict[str, NDArray[np.float32]]:
    """Weights (7,) by name with absolute values that sum to 1: uniform, two learnt, each part alone, one signed."""
    found = {"uniform": np.ones(len(PARTS))}
    for name in ("muq-mulan-6", "clap-6"):
        learned = json.loads((PROFILES / f"{name}.json").read_text())["weights"]
        found[name] = np.array([learned[part] for part in PARTS])
    found |= {part: np.eye(len(PARTS))[index] for index, part in enumerate(PARTS)}
    found["signed"] = np.zeros(len(PARTS))
    found["signed"][[PARTS.index("drums"), PARTS.index("vocals")]] = 1, -0.5
    return {name: (weights / np.abs(weights).sum()).astype(np.float32) for name, weights in found.items()}


def scores_of(
    rows: NDArray[np.float16], queries: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, W, Q) for rows (n, 7, D), queries (Q, 7, D), weights (W, 7)."""
    cosines = np.stack([rows[:, k].astype(np.float32) @ queries[:, k].T for k in range(len(PARTS))])  # (7, n, Q)
    found = np.tensordot(weights, cosines, axes=1)  # (W, n, Q)
    return np.ascontiguousarray(found.transpose(1, 0, 2))


def exact(folder: Path, count: int) -> dict[str, NDArray[np.generic]]:
    """The contents of `truth-N.npz`; computed if the file is missing."""
    kept = folder / f"truth-{count}.npz"
    if kept.exists():
        with np.load(kept) as stored:
            return dict(stored)
    rows, songs = opened(folder, count)
    queries = np.load(folder / "queries.npy")
    weights = np.stack(list(settings().values()))
    pairs = len(weights) * len(queries)
    best_rows = np.zeros((pairs, 0), np.int64)
    best_scores = np.zeros((pairs, 0), np.float32)
    last_song = int(songs[-1])
    song_scores = np.full((pairs, last_song + 1), -np.inf, np.float32)
    song_rows = np.zeros((pairs, last_song + 1), np.int32)
    for begin in range(0, count, CHUNK):
        end = min(begin + CHUNK, count)
        scores = scores_of(rows[begin:end], queries, weights).reshape(end - begin, pairs)
        best_rows = np.concatenate([best_rows, np.broadcast_to(np.arange(begin, end), (pairs, end - begin))], axis=1)
        best_scores = np.concatenate([best_scores, scores.T], axis=1)
        if best_rows.shape[1] > COUNT:
            chosen = np.argpartition(-best_scores, COUNT, axis=1)[:, :COUNT]
            best_rows = np.take_along_axis(best_rows, chosen, axis=1)
            best_scores = np.take_along_axis(best_scores, chosen, axis=1)
        inside = songs[begin:end]
        first = np.flatnonzero(np.diff(inside, prepend=-1))
        best = np.maximum.reduceat(scores, first, axis=0)
        for index, (start, stop) in enumerate(zip(first, np.append(first[1:], end - begin), strict=True)):
            song = inside[start]
            better = best[index] > song_scores[:, song]
            where = begin + start + scores[start:stop].argmax(axis=0)
            song_rows[better, song] = where[better]
            song_scores[better, song] = best[index][better]
    order = np.lexsort((best_rows, -best_scores), axis=1)
    songs_best = np.argsort(-song_scores, axis=1, kind="stable")[:, :COUNT]
    shape = (len(weights), len(queries), -1)
    found = {
        "names": np.array(list(settings())),
        "weights": weights,
        "rows": np.take_along_axis(best_rows, order, axis=1).reshape(shape),
        "row_scores": np.take_along_axis(best_scores, order, axis=1).reshape(shape),
        "songs": songs_best.reshape(shape),
        "song_scores": np.take_along_axis(song_scores, songs_best, axis=1).reshape(shape),
        "song_rows": np.take_along_axis(song_rows, songs_best, axis=1).astype(np.int64).reshape(shape),
    }
    np.savez(kept, **found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    arguments = parser.parse_args()
    began = time.perf_counter()
    found = exact(arguments.folder, arguments.rows)
    print(f"truth of {arguments.rows} rows: {time.perf_counter() - began:.1f} s")
    for name, scores in zip(found["names"], found["row_scores"], strict=True):
        print(f"  {name:12s} best {scores[:, 0].mean():.3f}, 100th {scores[:, -1].mean():.3f}")


if __name__ == "__main__":
    main()
