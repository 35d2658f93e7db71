"""Diverse hits."""

from __future__ import annotations

import numpy as np

from soundalike.search.diversity import diversify
from soundalike.search.index.vector_index import Match
from soundalike.similarity.cosine import unit
from tests.search.index.made_up_vectors import DIMENSION, PARTS, StoredVectors, best_matches, flat, terms_of


def test_diverse_hits_are_less_similar_to_each_other_than_the_best_ones() -> None:
    rng = np.random.default_rng(7)
    centre = rng.normal(size=DIMENSION)
    copies = np.repeat(unit(centre + 0.3 * rng.normal(size=(1, DIMENSION))), 10, axis=0)
    others = unit(centre + 0.4 * rng.normal(size=(30, DIMENSION)))
    column = np.concatenate([copies, others]).astype(np.float16)
    index = flat(StoredVectors([f"c{row:02}" for row in range(40)], [0.0] * 40, dict.fromkeys(PARTS, column)))
    query = unit(centre[np.newaxis, np.newaxis].repeat(len(PARTS), axis=1))
    terms = terms_of(query, {"mix": 1.0})
    matches = best_matches(index, terms, 40, {content: content for content in index.rows.contents.to_pylist()})

    def similarity(chosen: list[Match]) -> float:
        block = column[[int(match.content[1:]) for match in chosen]].astype(float)
        return float((block @ block.T)[np.triu_indices(len(chosen), 1)].mean())

    diverse = diversify(index, matches, terms, 5)
    assert diverse[0] == matches[0]
    assert len({match.content for match in diverse}) == 5
    assert similarity(matches[:5]) > 0.999  # the best five are copies of one another
    assert similarity(diverse) < 0.98
    assert diversify(index, matches[:1], terms, 5) == matches[:1]
