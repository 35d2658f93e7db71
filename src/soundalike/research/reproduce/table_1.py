"""Table 1: how often the cosine of Eq. 1 agrees with the majority, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from soundalike.preferences.triplets import KINDS, Kind, Triplet, TripletFilter, merge_mirrored
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import (
    Predictions,
    agreement_cell,
    ceiling_row,
    human_row,
    predicted,
    triplet_key,
)
from soundalike.research.reproduce.tables import Cell, Section, Table, count, percent, row


def table_1(
    triplets: Sequence[Triplet], predictions: Mapping[str, Predictions], filters: Sequence[TripletFilter]
) -> Table:
    """Agreement of the cosine by encoder, rule for keeping triplets, kind and part."""
    sections = [
        _section(encoder, rule, kind, triplets, of_encoder)
        for encoder, of_encoder in predictions.items()
        for rule in filters
        for kind in KINDS
    ]
    sections += [_other_systems(kind) for kind in KINDS]
    return Table(
        "table-1",
        "Table 1: agreement of the cosine, part by part",
        tuple(sections),
        "Agreement in percent [95 % interval, robust to shared tracks] (correct/kept). Columns of single parts compare the "
        "clips of true stems by themselves; mix compares full mixtures. XAB compares three different tracks; in XYC one "
        "candidate is another segment of the reference's own track, so XAB is the hard question. The paper keeps triplets from "
        "75 % for CLAP and from 80 % for MuQ-MuLan: its two rows rest on different triplets. Other systems were evaluated on "
        "the subset of Imamura et al. A single listener: how often one agrees with the others' majority, where that reaches "
        "the cut-off.",
    )


def _section(
    encoder: str, rule: TripletFilter, kind: Kind, triplets: Sequence[Triplet], predictions: Predictions
) -> Section:
    columns = {
        part: [triplet for triplet in triplets if triplet.part == part and triplet.kind == kind]
        for part in published.COLUMNS
    }
    kept = {part: rule.select(of_part) for part, of_part in columns.items()}
    merged = {part: rule.select(merge_mirrored(of_part)) for part, of_part in columns.items()}

    def included(triplet: Triplet) -> bool:
        return rule.accepts(triplet) and triplet_key(triplet) in predictions

    rows = [
        row("agreement", [agreement_cell(of_part, predictions) for of_part in kept.values()]),
        row("mirrored triplets merged", [agreement_cell(of_part, predictions) for of_part in merged.values()]),
        human_row(columns, rule.cut_off),
        ceiling_row(columns, rule.cut_off, included),
    ]
    if published.CUT_OFFS.get(encoder) == rule.cut_off and not rule.strict:
        rows.append(row("the paper", [_paper_cell(encoder, kind, part) for part in columns]))
    missing = [len(of_part) - len(predicted(of_part, predictions)) for of_part in kept.values()]
    if any(missing):
        rows.append(row("kept, but without audio", [count(number) for number in missing]))
    return Section(f"{encoder}, {kind}, {rule.label}", published.COLUMNS, tuple(rows))


def _other_systems(kind: Kind) -> Section:
    """Agreement of other systems as reported in the paper."""
    columns = published.COLUMNS[:-1]
    systems = {name: values for (name, of_kind), values in published.OTHERS.items() if of_kind == kind}
    rows = [
        row(name, [Cell(values[part]) if part in values else None for part in columns])
        for name, values in systems.items()
    ]
    return Section(f"Other systems, {kind}, as reported in the paper (on other subsets)", columns, tuple(rows))


def _paper_cell(encoder: str, kind: Kind, part: str) -> Cell:
    correct, total = published.RIGHT[encoder, kind][part], published.KEPT[kind, published.CUT_OFFS[encoder]][part]
    return Cell(percent(correct / total), right=correct, total=total)
