"""Answers prepared for fitting: mirrored triplets, repeated answers, screening, and the method that fits them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.preferences.estimators import METHODS
from soundalike.preferences.listeners import parse_rule
from soundalike.preferences.triplet_data import TripletData
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers
from soundalike.research.reproduce.own_answers import OwnAnswers, prepare_answers, usable_method

HEADER = "subject_id,reference,sample_a,sample_b,answer_total"


def answers(folder: Path, rows: list[str]) -> Answers:
    file = folder / "answers.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n")
    return read_answers(file)


def prepared(folder: Path, rows: list[str], *rules: str) -> OwnAnswers:
    return prepare_answers(answers(folder, rows), [parse_rule(rule) for rule in rules], "total")


def test_the_order_of_the_candidates_does_not_matter(tmp_path: Path) -> None:
    """900 planted answers to 180 triplets, once in fixed order, once with A and B drawn for each listener."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 0.15, (180, 2))
    fixed, shuffled = [], []
    for number, odds in enumerate(features @ [8.0, 4.0]):
        for listener in range(5):
            grade = "A" if rng.random() < 1 / (1 + np.exp(-odds)) else "B"
            strength = "+-"[rng.integers(2)]
            fixed.append(f"s{listener},x{number},a{number},b{number},{grade}{strength}")
            mirrored = f"s{listener},x{number},b{number},a{number},{'BA'['AB'.index(grade)]}{strength}"
            shuffled.append(mirrored if rng.random() < 0.5 else fixed[-1])
    raw = answers(tmp_path, shuffled).triplets
    assert len(raw) > 300
    by_order = {name: prepared(tmp_path, rows).triplets for name, rows in (("fixed", fixed), ("shuffled", shuffled))}
    assert {len(triplets) for triplets in by_order.values()} == {180}
    labels = {}
    for name, triplets in by_order.items():
        signs = np.array([1.0 if t.a.startswith("a") else -1.0 for t in triplets])
        data = TripletData.from_triplets(features * signs[:, np.newaxis], triplets, 0.8)
        labels[name] = data.labels * signs * data.kept
        assert METHODS["ridge"].fit(data).weights == pytest.approx(
            METHODS["ridge"].fit(TripletData.from_triplets(features, by_order["fixed"], 0.8)).weights
        )
    assert np.array_equal(labels["fixed"], labels["shuffled"])


def test_what_was_merged_and_dropped_is_noted(tmp_path: Path) -> None:
    rows = ["ann,x,a,b,A", "bob,x,b,a,A", "ann,x,b,a,A", "ann,drums/x,drums/a,drums/b,A"]
    result = prepared(tmp_path, rows)
    (triplet,) = result.triplets
    assert triplet.counts() == (0, 1, 1, 0)  # ann's second answer, in the other order, does not count
    assert result.notes == (
        "1 triplets were asked in both orders; their answers are merged",
        "1 answers repeat a triplet by the same listener; only the first of each counts",
    )
    assert result.of_parts == 1
    assert [one.listener for one in result.listeners] == ["ann", "bob"]


def test_screening_is_noted_with_its_rules(tmp_path: Path) -> None:
    rows = ["ann,x,a,b,A", "ann,x,x,b,B", "bob,x,a,b,B", "bob,x,x,b,A"]
    result = prepared(tmp_path, rows, "checks>=0.9")
    assert result.triplets[0].counts() == (0, 0, 1, 0)
    assert result.notes == ("screening by checks >= 0.9 excludes 1 of 2 listeners (ann: checks >= 0.9)",)
    with pytest.raises(InputError, match="screening excludes all listeners"):
        prepared(tmp_path, rows, "answers>=2")


def test_answers_without_strength_are_fitted_without_it(tmp_path: Path) -> None:
    triplets = prepared(tmp_path, [f"s{n % 4},x{n // 4},a{n // 4},b{n // 4},{'AB'[n % 2]}" for n in range(80)]).triplets
    method, note = usable_method(METHODS["ordinal-cv"], triplets, "total")
    assert method.name == "logistic-cv"
    assert "0 clear and 80 hesitant answers" in note
    assert "fitted with logistic-cv" in note
    assert usable_method(METHODS["ordinal"], triplets, "total")[0].name == "logistic"
    assert usable_method(METHODS["ridge"], triplets, "total") == (METHODS["ridge"], "")


def test_answers_with_strength_are_fitted_with_it(tmp_path: Path) -> None:
    triplets = prepared(tmp_path, [f"s{n % 4},x{n},a{n},b{n},A{'+-'[n % 2]}" for n in range(20)]).triplets
    assert usable_method(METHODS["ordinal-cv"], triplets, "total") == (METHODS["ordinal-cv"], "")
