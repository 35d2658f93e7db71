"""How well signs represent vectors, real and synthetic: with and without a rotation, the query as signs or as floats.

    python -m benchmarks.vector_search.sign_quantisation LIBRARY [--folder build/vectors]

Needs soundalike and a LIBRARY that it has indexed. Per part, x = mean + r. The estimate is <q, mean> + <mean, r> +
<q - mean, r>, with the last term from the signs of r. *Symmetric*: |q - mean| |r| cos(pi * share of different signs).
*Asymmetric*: <q - mean, signs> |r|^2 / |r|_1. Printed: the standard deviation of the estimate from the cosine, and how
many of the 10 nearest rows are among the 30 with the highest estimates.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.synthetic_vectors import PARTS, opened
from soundalike.library.storage.store import Library

Float64 = NDArray[np.float64]


def estimates(vectors: Float64, rotation: Float64 | None) -> tuple[Float64, Float64]:
    """(N, N) symmetric and asymmetric; row: query, column: stored."""
    mean = vectors.mean(axis=0)
    rest = vectors - mean
    turned = rest if rotation is None else rest @ rotation
    signs = np.where(turned > 0, 1.0, -1.0)
    dimension = vectors.shape[1]
    norms, known = np.linalg.norm(rest, axis=1), (vectors @ mean)[:, None] + (rest @ mean)[None]
    differ = (dimension - signs @ signs.T) / 2
    symmetric = norms[:, None] * norms[None] * np.cos(np.pi * differ / dimension)
    asymmetric = (turned @ signs.T) * (norms**2 / np.abs(turned).sum(axis=1))[None]
    return known + symmetric, known + asymmetric


def kept(estimate: Float64, cosines: Float64, nearest: int = 10, candidates: int = 30) -> float:
    """Mean share of the nearest rows, without the query itself, that are among the candidates."""
    found = []
    for guess, truth in zip(estimate - 9 * np.eye(len(cosines)), cosines - 9 * np.eye(len(cosines)), strict=True):
        found.append(len(np.intersect1d(np.argsort(-truth)[:nearest], np.argsort(-guess)[:candidates])) / nearest)
    return float(np.mean(found))


def report(name: str, vectors: Float64) -> None:
    """Print two lines: without and with a rotation."""
    vectors = vectors[vectors.any(axis=1)]
    cosines, others = vectors @ vectors.T, ~np.eye(len(vectors), dtype=bool)
    size = vectors.shape[1]
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((size, size)))[0]
    for what, turn in (("as they are", None), ("rotated", rotation)):
        figures = []
        for kind, estimate in zip(("symmetric", "asymmetric"), estimates(vectors, turn), strict=True):
            figures.append(f"{kind} {np.std((estimate - cosines)[others]):.4f}, kept {kept(estimate, cosines):.3f}")
        print(f"{name:22s} {len(vectors):5d} rows {what:12s} error {'; '.join(figures)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    arguments = parser.parse_args()
    library = Library.open(arguments.library)
    for part in library.recipe.parts:
        report(f"real {part}", library.vectors("windows", part).astype(np.float64))
    report("real clips", library.vectors("clips", "mix").astype(np.float64))
    rows, _ = opened(arguments.folder, 1000)
    for part in ("drums", "mix"):
        report(f"synthetic {part}", rows[:, PARTS.index(part)].astype(np.float64))


if __name__ == "__main__":
    main()
