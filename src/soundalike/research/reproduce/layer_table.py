"""Layers of one model side by side, and what choosing one is worth when it is chosen on other triplets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from soundalike.preferences.cluster_robust import Links
from soundalike.preferences.triplet_data import Bool
from soundalike.preferences.triplets import KINDS, Kind, Triplet, above_cut_off
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import Predictions, agreement_cell, correct_cell, triplet_key
from soundalike.research.reproduce.tables import Cell, Row, Section, Table, row

CHOSEN = "a layer chosen on triplets of other tracks"


def layers_of(encoders: Sequence[str]) -> dict[str, list[str]]:
    """By model, its encoders with a layer (`mert:7`), in the order of layers; models with fewer than two are left out."""
    found: dict[str, list[str]] = {}
    for name in encoders:
        if ":" in name:
            found.setdefault(name.partition(":")[0], []).append(name)
    return {base: sorted(names, key=_layer) for base, names in found.items() if len(names) > 1}


def layers_table(
    triplets: Sequence[Triplet],
    predictions: Mapping[str, Predictions],
    parts: Sequence[str] = published.COLUMNS,
    cut_off: float = published.FIT_CUT_OFF,
) -> Table | None:
    """Agreement of the cosine by layer, kind and part; None if no model has two layers or more among `predictions`."""
    sections = [
        _section(base, names, kind, triplets, predictions, parts, cut_off)
        for base, names in layers_of(tuple(predictions)).items()
        for kind in KINDS
    ]
    if not sections:
        return None
    return Table(
        "layers",
        "Layers",
        tuple(sections),
        f"Agreement of the cosine in percent, as in Table 1, with agreement of {cut_off:.0%} or more. No layer is selected "
        "here: the highest row of a column is too high, because it is the best of several on the triplets that it is shown "
        "for. The last row is what a choice is worth: for each triplet the layer that is best on the triplets without any of "
        "its tracks.",
    )


def _section(
    base: str,
    names: Sequence[str],
    kind: Kind,
    triplets: Sequence[Triplet],
    predictions: Mapping[str, Predictions],
    parts: Sequence[str],
    cut_off: float,
) -> Section:
    of_kind = above_cut_off([triplet for triplet in triplets if triplet.kind == kind], cut_off)
    columns = [[triplet for triplet in of_kind if triplet.part == part] for part in parts]
    rows: list[Row] = [
        row(f"layer {_layer(name)}", [agreement_cell(column, predictions[name]) for column in columns])
        for name in names
    ]
    rows.append(row(CHOSEN, [_chosen_cell(column, [predictions[name] for name in names]) for column in columns]))
    return Section(f"{base}, {kind}", tuple(parts), tuple(rows))


def _chosen_cell(triplets: Sequence[Triplet], predictions: Sequence[Predictions]) -> Cell | None:
    usable = [t for t in triplets if all(triplet_key(t) in of_layer for of_layer in predictions)]
    tracks = [frozenset(triplet.tracks) for triplet in usable]
    correct = np.array(
        [[of_layer[triplet_key(t)] == t.label() for t in usable] for of_layer in predictions], dtype=bool
    )
    right = chosen_on_others(correct, tracks)
    tested = [index for index, value in enumerate(right) if value is not None]
    return correct_cell(np.array([right[index] for index in tested], dtype=bool), Links([tracks[i] for i in tested]))


def chosen_on_others(correct: Bool, tracks: Sequence[frozenset[str]]) -> list[bool | None]:
    """Whether the layer that is best on the triplets without a common track is correct; None where there is no such triplet.

    correct (layers, N); tracks: of the N triplets. The lowest of several equally good layers is taken.
    """
    right: list[bool | None] = []
    for index, own in enumerate(tracks):
        others = np.array([own.isdisjoint(other) for other in tracks], dtype=bool)
        right.append(bool(correct[int(correct[:, others].sum(axis=1).argmax()), index]) if others.any() else None)
    return right


def _layer(name: str) -> int:
    return int(name.partition(":")[2])
