from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from soundalike.preferences.cluster_robust import holm
from soundalike.preferences.estimators import METHODS
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_tables import agreement_table
from soundalike.research.reproduce.baseline_tests import baseline_tests_table
from soundalike.research.reproduce.experiments import BASELINE, Experiment, ExperimentResult, run_experiment
from soundalike.research.reproduce.plots import agreement_plot, calibration_plot, learning_plot, weights_plot
from soundalike.research.reproduce.weight_tables import perspectives_table, weights_table
from tests.research.reproduce.made_up import triplet
from tests.research.reproduce.test_table_1 import row_of, section_of

PARTS = ("bass", "drums", "mix")
TRUE = np.array([0.0, 12.0, 4.0])


def experiment(
    *, encoder: str = "muq-mulan", stems: str = "htdemucs", gate: float | None = None, count: int = 120
) -> Experiment:
    """Listeners who go by the drums; XAB and XYC in turn."""
    rng = np.random.default_rng(3)
    features = rng.normal(0, 0.15, (count, 3))
    triplets = []
    for number, row in enumerate(features):
        p = 1 / (1 + np.exp(-row @ TRUE))
        for_a, strong = rng.binomial(9, p), rng.random() < 0.5
        counts = (for_a, 0, 9 - for_a, 0) if strong else (0, for_a, 0, 9 - for_a)
        kind = ("XAB", "XYC")[number % 2]
        triplets.append(triplet(number, tuple(map(int, counts)), kind=kind))  # type: ignore[arg-type]
    return Experiment(encoder, stems, stems, gate, PARTS, tuple(triplets), features)


@cache
def result() -> ExperimentResult:
    methods = [METHODS[name] for name in ("ols", "ridge", "ordinal")]
    return run_experiment(experiment(), methods, splits=20)


@pytest.mark.parametrize(
    ("names", "said"), [(("ridge",), ": ridge, 3 splits"), (("ols", "ridge"), ": 2 methods, 3 splits")]
)
def test_what_is_fitted_is_reported(names: tuple[str, ...], said: str) -> None:
    lines: list[str] = []
    run_experiment(experiment(), [METHODS[name] for name in names], splits=3, on_status=lines.append)
    assert lines[0].endswith(said)


def test_weights_beat_the_cosine_where_the_drums_decide() -> None:
    table = agreement_table("muq-mulan", [result()])
    assert (table.name, table.title) == ("table-3", "Table 3: MuQ-MuLan")
    over = row_of(table.sections[0], "htdemucs")
    assert over["ols"].value > over[BASELINE].value + 5  # type: ignore[union-attr]
    assert row_of(table.sections[0], "htdemucs: the paper")["ridge"] == paper_figure(87.0, 3.3)
    assert row_of(table.sections[0], "htdemucs: the paper")[BASELINE] == paper_figure(86.8, 2.7)
    assert row_of(table.sections[0], "htdemucs: the paper")["ordinal"] is None


def paper_figure(value: float, deviation: float) -> object:
    from soundalike.research.reproduce.tables import Cell

    return Cell(value, deviation=deviation)


def test_pooled_agreement_lies_between_those_of_the_kinds() -> None:
    table = agreement_table("muq-mulan", [result()])
    pooled = row_of(section_of(table, "Leave one triplet out"), "htdemucs")
    xab = row_of(section_of(table, "Leave one out without shared tracks, XAB"), "htdemucs")
    xyc = row_of(section_of(table, "Leave one out without shared tracks, XYC"), "htdemucs")
    for name in ("ols", BASELINE):
        one, other, both = xab[name], xyc[name], pooled[name]
        assert both.right == one.right + other.right  # type: ignore[union-attr,operator]
        assert both.total == one.total + other.total == int(result().data.kept.sum())  # type: ignore[union-attr,operator]


def test_the_tests_are_of_the_same_triplets_as_the_tables() -> None:
    tests = baseline_tests_table([result()])
    rows = {
        row.label: dict(zip(section.columns, row.cells, strict=True))
        for section in tests.sections
        for row in section.rows
    }
    pooled = row_of(section_of(agreement_table("muq-mulan", [result()]), "Leave one triplet out"), "htdemucs")
    for name in ("ols", "ridge", "ordinal"):
        cells = rows[f"muq-mulan, htdemucs: {name}"]
        gain = cells["only weights correct"].value - cells["only cosine correct"].value  # type: ignore[union-attr]
        assert gain == pooled[name].right - pooled[BASELINE].right  # type: ignore[union-attr,operator]
        assert 0 <= cells["p"].value <= 1  # type: ignore[union-attr]


def test_one_test_is_primary_and_the_others_are_corrected() -> None:
    primary, others = baseline_tests_table([result()]).sections
    assert [row.label for row in primary.rows] == ["muq-mulan, htdemucs: ols"]
    assert primary.rows[0].cells[4] is None
    p = [row.cells[3].value for row in others.rows]  # type: ignore[union-attr]
    assert [row.cells[4].value for row in others.rows] == pytest.approx(holm(p))  # type: ignore[union-attr]
    best = run_experiment(experiment(stems="htdemucs_6s"), [METHODS["ols"], METHODS["ridge"]], splits=3)
    primary, others = baseline_tests_table([result(), best]).sections
    assert [row.label for row in primary.rows] == ["muq-mulan, htdemucs_6s: ridge"]
    assert len(others.rows) == 4


def test_table_4_has_the_paper_s_weights_beside_ours() -> None:
    (section,) = weights_table([result()]).sections
    assert row_of(section, "the paper")["drums"].value == 0.78  # type: ignore[union-attr]
    mean = row_of(section, "ols, mean over splits")
    assert mean["drums"].value > mean["mix"].value > abs(mean["bass"].value)  # type: ignore[union-attr]
    fitted = row_of(section, "ordinal, all triplets")["drums"]
    assert fitted.low < fitted.value < fitted.high  # type: ignore[union-attr,operator]
    assert "more triplets" in section.note or "suffice" in section.note


def test_gated_and_foreign_rows_have_no_paper_beside_them() -> None:
    methods = [METHODS["ols"]]
    gated = run_experiment(experiment(gate=-40.0), methods, splits=5)
    foreign = run_experiment(experiment(encoder="builtin", stems="builtin"), methods, splits=5)
    for one in (gated, foreign):
        labels = [row.label for row in agreement_table(one.experiment.encoder, [one]).sections[0].rows]
        assert labels == [one.experiment.label]
        assert "the paper" not in [row.label for row in weights_table([one]).sections[0].rows]
    assert gated.experiment.label == "htdemucs, gated at -40 dB"
    assert agreement_table("builtin", [foreign]).name == "weights-builtin"


def test_a_method_that_cannot_be_fitted_is_said_and_the_others_stand() -> None:
    one_sided = experiment()
    only_strong = Experiment(
        one_sided.encoder,
        one_sided.stems,
        one_sided.title,
        None,
        PARTS,
        tuple(triplet(n, (sum(t.counts()[:2]), 0, 0, sum(t.counts()[2:]))) for n, t in enumerate(one_sided.triplets)),
        one_sided.features,
    )
    found = run_experiment(only_strong, [METHODS["ols"], METHODS["ordinal"]], splits=5)
    assert "ordinal" not in found.fits
    table = agreement_table("muq-mulan", [found])
    assert "ordinal: all answers have the same strength" in table.note
    assert table.sections[0].columns == (BASELINE, "ols")


def test_perspectives_that_nobody_answered_are_left_out() -> None:
    (section,) = perspectives_table([experiment()]).sections
    assert [row.label.split(",")[0] for row in section.rows] == ["total"]


def test_every_agreement_of_the_paper_is_there_once() -> None:
    assert len(published.AGREEMENT) == 16
    assert published.AGREEMENT["muq-mulan", "htdemucs_6s", "ridge"] == (90.4, 2.3)
    assert published.weights("clap", "htdemucs_6s") == pytest.approx(
        {"bass": 0.11, "drums": 0.41, "guitar": 0.43, "piano": 0.1, "vocals": 0.21, "residuals": 0.57, "mix": 1.92}
    )
    assert published.weights("clap", "true-6") is None


def test_plots_show_what_was_fitted() -> None:
    one = result()
    weights = weights_plot(one)
    assert [series.label for series in weights.series] == ["ols", "ridge", "the paper"]
    for series in weights.series[:2]:
        assert sum(map(abs, series.y)) == pytest.approx(1)
    agreement = agreement_plot("muq-mulan", [one])
    assert [label for label, _ in agreement.references] == ["a single listener", "noise ceiling"]
    assert [series.label for series in agreement.series] == [BASELINE, "ols", "ridge"]
    calibration = calibration_plot(one)
    assert calibration is not None
    (series,) = calibration.series
    assert list(series.x) == sorted(series.x)
    assert series.y[-1] > series.y[0] + 0.5
    curve = learning_plot(one)
    assert curve is not None
    assert curve.series[0].y[-1] > curve.series[0].y[0]
