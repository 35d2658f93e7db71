from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.preferences.triplets import KINDS, STRICT_SUBSET, Votes, above_cut_off, cut_off_filter
from soundalike.research.datasets.inst_sim_abx import read_answers
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import (
    agreement_cell,
    same_track_predictions,
    triplet_key,
)
from soundalike.research.reproduce.answers_tables import answers_table, splits_table
from soundalike.research.reproduce.reconciliation import reconciliation_table
from soundalike.research.reproduce.table_1 import table_1
from soundalike.research.reproduce.tables import Cell, Section, Table
from tests.research.reproduce.made_up import triplet

FILTERS = (cut_off_filter(0.75), cut_off_filter(0.80))


def row_of(section: Section, label: str) -> dict[str, Cell | None]:
    return next(dict(zip(section.columns, row.cells, strict=True)) for row in section.rows if row.label == label)


def section_of(table: Table, start: str) -> Section:
    return next(section for section in table.sections if section.title.startswith(start))


@pytest.mark.parametrize(("right", "total", "printed"), [(105, 146, "71.9"), (92, 127, "72.4"), (280, 331, "84.6")])
def test_the_paper_s_percentages_are_these_counts(right: int, total: int, printed: str) -> None:
    triplets = [triplet(n, (3, 0, 0, 0)) for n in range(total)]
    predictions = {triplet_key(one): 1 if n < right else -1 for n, one in enumerate(triplets)}
    figure = agreement_cell(triplets, predictions)
    assert figure is not None
    assert str(figure).startswith(f"{printed} [")
    assert str(figure).endswith(f"({right}/{total})")


def test_every_cell_of_table_1_is_a_ratio_of_the_paper_s_counts() -> None:
    # The percentages that the paper prints for the mix.
    printed = {("clap", "XAB"): 71.9, ("clap", "XYC"): 89.3, ("muq-mulan", "XAB"): 72.4, ("muq-mulan", "XYC"): 96.6}
    for (encoder, kind), percentage in printed.items():
        right, total = published.RIGHT[encoder, kind]["mix"], published.KEPT[kind, published.CUT_OFFS[encoder]]["mix"]
        assert round(100 * right / total, 1) == percentage


def test_a_tie_of_the_model_agrees_with_nobody() -> None:
    triplets = [triplet(0, (3, 0, 0, 0)), triplet(1, (0, 0, 0, 3))]
    figure = agreement_cell(triplets, {triplet_key(one): 0 for one in triplets})
    assert figure is not None
    assert (figure.right, figure.total) == (0, 2)


def test_what_could_not_be_used_is_counted_and_not_dropped() -> None:
    triplets = [triplet(n, (3, 0, 0, 0), part="drums") for n in range(10)]
    predictions = {triplet_key(one): 1 for one in triplets[:7]}
    section = section_of(table_1(triplets, {"builtin": predictions}, [cut_off_filter(0.8)]), "builtin, XAB")
    agreement, lacking = row_of(section, "agreement"), row_of(section, "kept, but without audio")
    assert (agreement["drums"].right, agreement["drums"].total) == (7, 7)  # type: ignore[union-attr]
    assert lacking["drums"] == Cell(3, decimals=0)
    assert agreement["mix"] is None
    whole = section_of(table_1(triplets[:7], {"builtin": predictions}, [cut_off_filter(0.8)]), "builtin, XAB")
    assert "kept, but without audio" not in [row.label for row in whole.rows]


def test_the_paper_stands_only_where_it_has_a_figure() -> None:
    triplets = [triplet(n, (3, 0, 0, 0)) for n in range(4)]
    table = table_1(triplets, {name: {} for name in ("clap", "muq-mulan", "builtin")}, FILTERS)
    with_paper = [section.title for section in table.sections if section.rows[-2].label == "the paper"]
    with_paper += [section.title for section in table.sections if section.rows[-1].label == "the paper"]
    assert sorted(with_paper) == [
        "clap, XAB, agreement of 75% or more",
        "clap, XYC, agreement of 75% or more",
        "muq-mulan, XAB, agreement of 80% or more",
        "muq-mulan, XYC, agreement of 80% or more",
    ]


def test_shared_tracks_widen_the_interval() -> None:
    linked = [triplet(n, (3, 0, 0, 0), tracks=6) for n in range(60)]
    apart = [triplet(n, (3, 0, 0, 0)) for n in range(60)]
    predictions = {triplet_key(one): 1 if one.tracks[0] == "T0" else -1 for one in linked}
    wide, narrow = agreement_cell(linked, predictions), agreement_cell(apart, predictions)
    assert wide is not None
    assert narrow is not None
    assert (wide.right, wide.total) == (narrow.right, narrow.total)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)  # type: ignore[operator]


def test_the_subset_of_other_systems_is_a_rule_of_its_own(test_data: Path) -> None:
    triplets = read_answers(test_data / "inst_sim_abx").triplets
    for part, number in published.STRICT_KEPT.items():
        of_part = [t for t in triplets if t.part == part and t.kind == "XAB"]
        assert len(STRICT_SUBSET.select(of_part)) == number
    section = section_of(table_1([], {"builtin": {}}, [STRICT_SUBSET]), "builtin, XAB, Imamura")
    assert "the paper" not in [row.label for row in section.rows]


def test_the_strict_subset_by_hand() -> None:
    votes: list[Votes] = [(3, 0, 1, 0), (2, 2, 0, 1), (2, 0, 0, 0), (1, 2, 0, 0)]
    chosen = [STRICT_SUBSET.accepts(triplet(n, one)) for n, one in enumerate(votes)]
    assert chosen == [False, True, False, True]  # 75 % exactly; 80 %; two answers; three answers


@pytest.mark.long
def test_the_reconciliation_gives_the_paper_s_numbers(test_data: Path) -> None:
    table = reconciliation_table(read_answers(test_data / "inst_sim_abx").triplets)
    for section in table.sections[:2]:
        for kind in KINDS:
            assert row_of(section, f"{kind}, the answers") == row_of(section, f"{kind}, the paper")
    mixes = section_of(table, "Mixes")
    kept = row_of(mixes, "kept, the answers")
    assert [cell.value for cell in kept.values() if cell] == [127, 204, 331]
    assert kept == row_of(mixes, "kept, the paper")
    human = row_of(mixes, "a single listener")
    assert [round(cell.value, 1) for cell in human.values() if cell][:2] == [79.9, 94.8]
    assert "--slakh" in table.note


def test_the_same_track_answers_xyc_alone() -> None:
    triplets = [
        triplet(0, (3, 0, 0, 0), kind="XYC", same="a"),
        triplet(1, (3, 0, 0, 0), kind="XYC", same="b"),
        triplet(2, (3, 0, 0, 0)),
    ]
    assert list(same_track_predictions(triplets).values()) == [1, -1]


@pytest.mark.long
def test_the_released_answers_give_the_paper_s_numbers(test_data: Path) -> None:
    triplets = read_answers(test_data / "inst_sim_abx").triplets
    table = answers_table(triplets, [0.75, 0.80])
    for (kind, cut_off), expected in published.KEPT.items():
        section = section_of(table, f"{kind}, agreement of {cut_off:.0%}")
        found = row_of(section, "kept")
        assert {part: figure.value for part, figure in found.items() if figure} == dict(expected)
    xyc = row_of(section_of(table, "XYC, agreement of 80%"), "always the same track")["mix"]
    assert xyc is not None
    assert (xyc.right, xyc.total) == (198, 204)
    ceilings = [row_of(section_of(table, f"{kind}, agreement of 80%"), "noise ceiling")["mix"] for kind in KINDS]
    assert [one.value for one in ceilings if one] == [pytest.approx(94.6, abs=0.3), pytest.approx(99.4, abs=0.3)]
    assert len(above_cut_off([t for t in triplets if t.part == "mix"], 0.8)) == 331


@pytest.mark.long
def test_the_splits_of_the_released_answers_leak_and_deviate(test_data: Path) -> None:
    table = splits_table(read_answers(test_data / "inst_sim_abx").triplets)
    (shared,), noise = (section.rows[0].cells for section in table.sections)
    assert shared is not None
    assert shared.value > 95
    by_hand = [100 * (p * (1 - p) / 100 * 231 / 330) ** 0.5 for p in (0.70, 0.85, 0.90)]  # 100 drawn from 331
    assert [figure.value for figure in noise if figure] == pytest.approx(by_hand, rel=0.05)
