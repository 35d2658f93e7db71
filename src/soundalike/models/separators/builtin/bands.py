"""The bands in which the networks of the built-in separator see a spectrum: single bins, then bands that are each 12 % wider than
the one before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.models.separators.builtin.masks import BINS, REACH

Floats = NDArray[np.float32]

BAND_GROWTH = 1.12

_FLOOR = np.float32(1e-12)  # of power, as in `masks`
_QUIET = np.float32(1e-7)  # of the power around: 70 dB below it a level counts no more


class Bands:
    """Bands of the bins of a short-time spectrum.

    edges: first bin of each band, then BINS; count: of the bands; single: how many of them are one bin each; widths: in bins.
    """

    def __init__(self, single: int) -> None:
        edges, width = list(range(single)), single * (BAND_GROWTH - 1)
        while edges[-1] < BINS:
            edges.append(min(BINS, edges[-1] + round(width)))
            width *= BAND_GROWTH
        self.edges = np.array(edges, np.intp)
        self.count, self.single = len(edges) - 1, single
        self.widths: Floats = np.diff(self.edges).astype(np.float32)
        self.centres = (self.edges[:-1] + self.edges[1:] - 1) / 2
        points = np.arange(single, BINS, dtype=np.float64)
        upper = [np.interp(points, self.centres[single - 1 :], row) for row in np.eye(self.count - single + 1)]
        self._upper: Floats = np.stack(upper).astype(np.float32)

    def sums(self, values: Floats) -> Floats:
        """Sums of values (frames, BINS) over each band (frames, count)."""
        return np.asarray(np.add.reduceat(values, self.edges[:-1], axis=1))

    def means(self, values: Floats) -> Floats:
        """Means of values (frames, BINS) over each band (frames, count)."""
        return np.asarray(self.sums(values) / self.widths, np.float32)

    def bins(self, values: Floats) -> Floats:
        """Values of bins (frames, BINS) from those of bands (frames, count): as they are in single bins, then interpolated
        between the centres of bands."""
        return np.concatenate([values[:, : self.single], values[:, self.single - 1 :] @ self._upper], axis=1)


def levels(banded: Floats) -> Floats:
    """(frames - 2 REACH, bands): half the logarithm of the power of each band over that of all of them in the half second
    on either side, in steps of two nepers, about -2 to 3.5."""
    total = np.zeros(len(banded) + 1)
    np.cumsum(banded.sum(axis=1, dtype=np.float64), out=total[1:])
    around = ((total[2 * REACH + 1 :] - total[: -2 * REACH - 1]) / ((2 * REACH + 1) * banded.shape[1])).astype(
        np.float32
    )
    level = banded[REACH : len(banded) - REACH] / (around[:, None] + _FLOOR) + _QUIET
    return np.asarray(0.5 * np.log(level) + 4, np.float32) * np.float32(0.5)
