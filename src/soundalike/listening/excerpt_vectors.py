"""The vectors of a test's excerpts, in `vectors.npz` beside the design: what weights are fitted to.

They are those of the library's windows when the test was made, so a profile that is fitted to them acts on the same cosines as
a search, and fitting needs neither the library nor its models.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.config import replacing
from soundalike.errors import InputError
from soundalike.listening.design import VECTORS_FILE, Design, DesignTriplet

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class ExcerptVectors:
    """Vectors of E excerpts.

    ids: (E,); parts: K names; vectors: (E, K, D) float16, unit length; present: (E, K), False for a silent part.
    """

    ids: tuple[str, ...]
    parts: tuple[str, ...]
    vectors: NDArray[np.float16]
    present: NDArray[np.bool_]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.ids)}

    @cached_property
    def _cosines(self) -> Float64:
        """(K, E, E) cosines of all pairs; 0 where a part is silent in either."""
        vectors = self.vectors.astype(np.float32)
        by_part = vectors.transpose(1, 0, 2)
        cosines: Float64 = (by_part @ by_part.transpose(0, 2, 1)).astype(np.float64)
        present = self.present.T
        cosines[~(present[:, :, np.newaxis] & present[:, np.newaxis])] = 0
        return cosines

    def features(self, triplets: Sequence[DesignTriplet], weighted_parts: Sequence[str]) -> Float64:
        """(N, K) cos(X_k, A_k) - cos(X_k, B_k) of `weighted_parts`, Eq. 2 of Vohra & Akama.

        0 where a part is silent in any of the three clips, and, in triplets of one stem, for all other parts: they were not
        heard.
        """
        columns = [self.parts.index(part) for part in weighted_parts]
        x, a, b = (
            np.array([self._positions[getattr(triplet, name)] for triplet in triplets], dtype=np.intp) for name in "xab"
        )
        features = (self._cosines[:, x, a] - self._cosines[:, x, b]).T
        features = np.where(self.present[x] & self.present[a] & self.present[b], features, 0.0)
        for row, triplet in enumerate(triplets):
            if triplet.part != "mix":
                features[row, [part != triplet.part for part in self.parts]] = 0
        return np.asarray(features[:, columns])


def write_vectors(folder: Path, vectors: ExcerptVectors) -> None:
    """Write the vectors into a test's folder. Raises OSError."""
    with replacing(folder / VECTORS_FILE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            ids=np.array(vectors.ids),
            parts=np.array(vectors.parts),
            vectors=vectors.vectors,
            present=vectors.present,
        )


def read_vectors(folder: Path, design: Design) -> ExcerptVectors:
    """The vectors of the test in `folder`. Raises InputError if they are missing, damaged or of another design."""
    place = folder / VECTORS_FILE
    try:
        with place.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            vectors = ExcerptVectors(
                tuple(arrays["ids"].tolist()), tuple(arrays["parts"].tolist()), arrays["vectors"], arrays["present"]
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{place} cannot be read ({error}); without it no weights can be fitted; restore it from a copy of the test, or "
            "fit to the clips: `soundalike listen export`, then `soundalike fit`"
        ) from None
    shape = (len(vectors.ids), len(vectors.parts))
    known = set(vectors.ids)
    missing = [excerpt.id for excerpt in design.excerpts if excerpt.id not in known]
    if missing or vectors.present.shape != shape or vectors.vectors.shape[:2] != shape:
        reason = f"has no vectors of excerpt {missing[0]!r}" if missing else "is damaged"
        raise InputError(f"{place} {reason}; it belongs to another design")
    return vectors
