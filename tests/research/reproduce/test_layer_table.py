from __future__ import annotations

import numpy as np

from soundalike.research.reproduce.agreement_cells import triplet_key
from soundalike.research.reproduce.layer_table import CHOSEN, chosen_on_others, layers_of, layers_table
from tests.research.reproduce.made_up import triplet


def test_layers_are_found_by_model_and_in_their_order() -> None:
    names = ("mert:10", "clap", "mert:2", "mert", "mert-330m:5")
    assert layers_of(names) == {"mert": ["mert:2", "mert:10"]}


def test_a_layer_is_chosen_on_the_triplets_of_other_tracks() -> None:
    """Each layer is right where the other is wrong: a choice on the triplets themselves would reach two thirds, or more."""
    correct = np.array([[True, True, False], [False, False, True]])
    separate = [frozenset("a"), frozenset("b"), frozenset("c")]
    assert chosen_on_others(correct, separate) == [True, True, False]
    linked = [frozenset("ab"), frozenset("b"), frozenset("c")]
    assert chosen_on_others(correct, linked) == [False, False, False]
    assert chosen_on_others(correct[:, :2], linked[:2]) == [None, None]


def test_the_table_shows_each_layer_and_the_choice() -> None:
    triplets = [triplet(number, (9, 0, 0, 1)) for number in range(12)]
    predictions = {
        "mert:0": {triplet_key(one): 1 for one in triplets},
        "mert:1": {triplet_key(one): 1 if number < 3 else -1 for number, one in enumerate(triplets)},
    }
    table = layers_table(triplets, predictions)
    assert table is not None
    (section,) = [section for section in table.sections if section.title == "mert, XAB"]
    mix = section.columns.index("mix")
    values = {row.label: row.cells[mix] for row in section.rows}
    assert [(label, cell.value) for label, cell in values.items() if cell] == [
        ("layer 0", 100.0),
        ("layer 1", 25.0),
        (CHOSEN, 100.0),
    ]


def test_one_layer_alone_makes_no_table() -> None:
    assert layers_table([], {"mert:1": {}, "clap": {}}) is None
