"""The paper's counts beside what the released answers give: no audio and no model."""

from __future__ import annotations

from collections.abc import Sequence

from soundalike.parts import MIX
from soundalike.preferences.triplets import KINDS, STRICT_SUBSET, Triplet, cut_off_filter
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import CEILING, ceiling_cell, human_row
from soundalike.research.reproduce.tables import Cell, Row, Section, Table, count, percent, row

NEEDED_FOR_THE_REST = (
    "The rest of Tables 1 to 4 needs the audio of Slakh2100 (--slakh FOLDER; its test split is enough), the configuration "
    "files beside the answers, and the weights of the encoders and separators (`soundalike models`)."
)


def reconciliation_table(triplets: Sequence[Triplet]) -> Table:
    """Each number of triplets in the paper beside the one in the answers, with ceilings and a single listener."""
    return Table(
        "reconciliation",
        "The paper's counts and the answers",
        (
            *(_counts_section(triplets, cut_off) for cut_off in (0.75, 0.80)),
            _strict_section(triplets),
            _mix_section(triplets),
        ),
        NEEDED_FOR_THE_REST,
    )


def _columns(triplets: Sequence[Triplet], kind: str) -> dict[str, list[Triplet]]:
    return {part: [t for t in triplets if t.part == part and t.kind == kind] for part in published.COLUMNS}


def _counts_section(triplets: Sequence[Triplet], cut_off: float) -> Section:
    rule, rows = cut_off_filter(cut_off), []
    for kind in KINDS:
        kept = [count(len(rule.select(of_part))) for of_part in _columns(triplets, kind).values()]
        rows.append(row(f"{kind}, the answers", kept))
        rows.append(
            row(f"{kind}, the paper", [count(published.KEPT[kind, cut_off][part]) for part in published.COLUMNS])
        )
    return Section(f"Triplets kept, {rule.label}", published.COLUMNS, tuple(rows))


def _strict_section(triplets: Sequence[Triplet]) -> Section:
    columns = _columns(triplets, "XAB")
    reported = [published.STRICT_KEPT.get(part) for part in columns]
    return Section(
        f"Triplets kept, {STRICT_SUBSET.label} (other systems' figures in Table 1)",
        published.COLUMNS,
        (
            row("XAB, the answers", [count(len(STRICT_SUBSET.select(of_part))) for of_part in columns.values()]),
            row("XAB, as reported", [None if number is None else count(number) for number in reported]),
        ),
    )


def _mix_section(triplets: Sequence[Triplet]) -> Section:
    """Tables 2 and 3: 331 = 127 + 204, ceilings, a single listener."""
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    columns: dict[str, list[Triplet]] = {kind: [t for t in mixes if t.kind == kind] for kind in KINDS}
    columns["both"] = mixes
    rule = cut_off_filter(published.FIT_CUT_OFF)
    paper = [published.KEPT[kind, published.FIT_CUT_OFF][MIX] for kind in KINDS]
    rows: list[Row] = [
        row("kept, the answers", [count(len(rule.select(of_kind))) for of_kind in columns.values()]),
        row("kept, the paper", [count(number) for number in (*paper, sum(paper))]),
        human_row(columns, published.FIT_CUT_OFF),
        row(CEILING, [ceiling_cell(of_kind, published.FIT_CUT_OFF) for of_kind in columns.values()]),
    ]
    rows += [
        _table_1_row(encoder) for encoder, cut_off in published.CUT_OFFS.items() if cut_off == published.FIT_CUT_OFF
    ]
    return Section(f"Mixes, {rule.label}: the triplets of Tables 2 and 3", tuple(columns), tuple(rows))


def _table_1_row(encoder: str) -> Row:
    """The cosine of the mix in the paper's Table 1, and both kinds together."""
    correct = [published.RIGHT[encoder, kind][MIX] for kind in KINDS]
    totals = [published.KEPT[kind, published.FIT_CUT_OFF][MIX] for kind in KINDS]
    pairs = [*zip(correct, totals, strict=True), (sum(correct), sum(totals))]
    return row(f"cosine of {encoder}, the paper", [Cell(percent(c / n), right=c, total=n) for c, n in pairs])
