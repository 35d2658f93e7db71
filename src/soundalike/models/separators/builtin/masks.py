"""Masks of version 1 of the built-in separator, which `learned_masks` corrects: the share of each spectral band that belongs
to bass, drums and residuals.

There are two estimates, both local in time (half a second on either side) and independent of level:

- *Cues*: the classic signs of percussion, harmony and bass (Ono et al. 2008; FitzGerald 2010; Driedger et al. 2014) in
  52 bands. They compare the level of a band with its levels before and after (onset and decay: percussion; plateau: a
  note) and with its neighbours (a ridge: a partial), and measure how peaky it is and what the whole spectrum does at that
  moment (the click above the body of a kick). A small network with two hidden layers (`builtin_masks.npz`, about 5,000
  numbers, shared by all bands) turns them into shares. `benchmarks/separator_fit.py` fits it to synthetic music, without
  any recording; its target is the Wiener mask, the share of energy, which among real masks has the least squared error
  for uncorrelated sources.
- *Excess* (low frequencies only): the part of the magnitude of a bin above its running median over 0.4 s, that is, what
  does not last (FitzGerald's median over time, as a dilated remedian: Rousseeuw & Bassett 1990). The body of a kick is
  tonal and low, so frequency alone does not separate it from the bass, but it decays sooner than most basses.

Below `EXCESS_BELOW` the mask of drums is the mean of both estimates, above it is the first alone. Below `BASS_BELOW`
everything but drums is bass, so low notes of an organ or piano are compared as bass.

Conventions: power is float32 (frames, BINS), squared magnitudes of frames of `FRAME` samples at hop `HOP`; times are in
frames; masks are float32 (frames, BINS) in 0..1. Nothing here loads audio.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SAMPLE_RATE = 32000
FRAME = 2048
HOP = 512
BINS = FRAME // 2 + 1
REACH = 31  # frames on either side of a frame that its masks depend on
SINGLE_BINS = 18  # bands of one bin each, below 280 Hz
BAND_GROWTH = 1.155
EXCESS_BELOW = 200.0  # Hz
BASS_BELOW = 160.0  # Hz
LOW_BINS = 40
WEIGHTS = Path(__file__).with_name("builtin_masks.npz")

_FLOOR = np.float32(1e-12)  # of power: white noise at -150 dB, below the resolution of 24 bits
_CLIP = 4.0  # nats, 35 dB
_SPANS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, REACH))
_NEAR_SPANS = (0, 1, 5, 4)  # indices of cues made from _SPANS: 1 after, 1 before, 3-4 before, 3-4 after
_OWN_CUES = 2 * len(_SPANS) + 6 + 2 * len(_NEAR_SPANS) + 1
_REMEDIAN = (1, 3, 9)


def band_edges() -> NDArray[np.intp]:
    """First bin of each band, then BINS: single bins first, then bands that are each 15 % wider than the one before."""
    edges = list(range(SINGLE_BINS))
    width = 1.0
    while edges[-1] < BINS:
        width *= BAND_GROWTH
        edges.append(min(BINS, edges[-1] + max(1, round(width))))
    return np.array(edges, np.intp)


EDGES = band_edges()
BANDS = len(EDGES) - 1
GROUPS = (0, 8, 20, BANDS // 2 + 6, BANDS)  # bands up to 125, 310, 1500, 16000 Hz


@dataclass(frozen=True)
class Network:
    """Weights from cues to shares: `own` (cues of a band, H), `group` (cues of the frame, H), `bias` (BANDS, H), then a
    hidden layer (H, H), (H,) and the output (H, 3), (3,) for drums, bass and residuals."""

    own: Floats
    group: Floats
    bias: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def shares(self, own: Floats, group: Floats) -> Floats:
        """Shares of drums, bass and residuals (3, frames, BANDS), which add up to 1, from `cues`."""
        count, frames, bands = own.shape
        first = self.own.T @ own.reshape(count, -1)
        first = first.reshape(-1, frames, bands)
        first += (self.group.T @ group)[:, :, None]
        first += self.bias.T[:, None, :]
        np.maximum(first, 0, out=first)
        second = self.hidden.T @ first.reshape(len(first), -1)
        second += self.hidden_bias[:, None]
        np.maximum(second, 0, out=second)
        scores = self.out.T @ second
        scores += self.out_bias[:, None]
        scores -= scores.max(axis=0)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=0)
        return scores.reshape(3, frames, bands)


def load_network(path: Path = WEIGHTS) -> Network:
    """The network in `path`, as `benchmarks/separator_fit.py` writes it."""
    with np.load(path, allow_pickle=False) as stored:
        return Network(**{name: np.asarray(stored[name], np.float32) for name in stored.files})


def masks(power: Floats, network: Network) -> tuple[Floats, Floats]:
    """Masks of bass and drums (frames - 2 REACH, BINS), for the frames of `power` with REACH frames on either side."""
    drums_share, bass_share, rest_share = network.shares(*cues(power))
    low = power[REACH - sum(_REMEDIAN) : len(power) - REACH + sum(_REMEDIAN), :LOW_BINS]
    drums = to_bins(drums_share)
    drums[:, :LOW_BINS] += _EXCESS_PART * (excess(low) - drums[:, :LOW_BINS])
    bass = to_bins(bass_share / (bass_share + rest_share + _FLOOR))
    bass[:, :LOW_BINS] += _BASS_PART * (1 - bass[:, :LOW_BINS])
    bass *= 1 - drums
    return bass, drums


def cues(power: Floats) -> tuple[Floats, Floats]:
    """Inputs of the network: cues of each band (27, frames - 2 REACH, BANDS), and of the whole frame (40, ...).

    All are differences of log magnitudes in nats, clipped to +-4.
    """
    level: Floats = np.add.reduceat(power, EDGES[:-1], axis=1)
    level = np.asarray(0.5 * np.log(level + _FLOOR), np.float32)
    here = level[REACH : len(level) - REACH]
    peaks = np.add.reduceat(np.sqrt(power[REACH : len(power) - REACH]), EDGES[:-1], axis=1)
    total = np.zeros((len(level) + 1, BANDS), np.float64)
    np.cumsum(level, axis=0, dtype=np.float64, out=total[1:])
    cube = np.empty((_OWN_CUES, *here.shape), np.float32)
    row = 0
    for first, last in _SPANS:  # mean level of the same band after and before
        for low, high in ((first, last), (-last, -first)):
            after, before = total[REACH + high + 1 :][: len(here)], total[REACH + low :][: len(here)]
            np.multiply(after - before, 1 / (high - low + 1), out=cube[row])
            row += 1
    for step in (-4, -2, -1, 1, 2, 4):  # current level of the neighbours
        _neighbour(here, step, cube[row])
        row += 1
    for step in (-1, 1):  # and shortly before and after
        for span in _NEAR_SPANS:
            _neighbour(cube[span], step, cube[row])
            row += 1
    np.subtract(np.log(peaks + np.sqrt(_FLOOR)), _HALF_LOG_WIDTH, out=cube[row])
    cube -= here
    np.clip(cube, -_CLIP, _CLIP, out=cube)
    group = cube[: 2 * len(_SPANS) - 2] @ _GROUPING
    return cube, np.ascontiguousarray(np.moveaxis(group, 2, 1)).reshape(-1, len(here))


def excess(power: Floats) -> Floats:
    """Share of the magnitude above its running (remedian) level, in 0..1; removes 13 frames on either side.

    A dilated remedian takes the median of three frames 1 apart, then of three such medians 3 apart, then 9 apart: a robust
    average of 27 frames for twelve comparisons.
    """
    margin = sum(_REMEDIAN)
    magnitude = np.sqrt(power)
    lasting = magnitude
    for step in _REMEDIAN:
        before, middle, after = lasting[: -2 * step], lasting[step:-step], lasting[2 * step :]
        lasting = np.maximum(np.minimum(before, after), np.minimum(np.maximum(before, after), middle))
    magnitude = magnitude[margin : len(magnitude) - margin]
    return np.asarray(np.maximum(magnitude - lasting, 0) / (magnitude + np.sqrt(_FLOOR)), np.float32)


def _neighbour(values: Floats, step: int, out: Floats) -> None:
    """Write the neighbour `step` bands above each band to `out`, the outermost band if there is none."""
    if step > 0:
        out[:, :-step], out[:, -step:] = values[:, step:], values[:, -1:]
    else:
        out[:, -step:], out[:, :-step] = values[:, :step], values[:, :1]


def to_bins(shares: Floats) -> Floats:
    """Shares of bins from shares of bands, interpolated linearly between the centres of bands."""
    return shares @ _INTERPOLATION


def _interpolation() -> Floats:
    """The matrix (BANDS, BINS) of `to_bins`."""
    centres = (EDGES[:-1] + EDGES[1:] - 1) / 2
    bins = np.arange(BINS)
    return np.stack([np.interp(bins, centres, row) for row in np.eye(BANDS)]).astype(np.float32)


def _grouping() -> Floats:
    """The matrix (BANDS, groups) of means over groups of bands."""
    matrix = np.zeros((BANDS, len(GROUPS) - 1), np.float32)
    for group, (first, last) in enumerate(pairwise(GROUPS)):
        matrix[first:last, group] = 1 / (last - first)
    return matrix


def _low_pass(cutoff: float) -> Floats:
    """(LOW_BINS,): 1 below `cutoff` Hz, 1/2 at `cutoff`, then falling like the power of an eighth-order filter."""
    frequency = np.arange(LOW_BINS) * (SAMPLE_RATE / FRAME)
    return np.asarray(1 / (1 + (frequency / cutoff) ** 8), np.float32)


_HALF_LOG_WIDTH: Floats = (0.5 * np.log(np.diff(EDGES))).astype(np.float32)
_INTERPOLATION = _interpolation()
_GROUPING = _grouping()
_EXCESS_PART: Floats = np.float32(0.5) * _low_pass(EXCESS_BELOW)
_BASS_PART = _low_pass(BASS_BELOW)
