"""Tables of listeners: which side they prefer, and one row for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from soundalike.preferences.listeners import ListenerSummary, same_track_chosen, side_bias
from soundalike.preferences.triplets import Perspective, Triplet
from soundalike.research.reproduce.agreement_cells import share_cell
from soundalike.research.reproduce.tables import Cell, Row, Section, Table, count, percent, row


def side_table(triplets: Sequence[Triplet], perspective: Perspective = "total") -> Table:
    """How often the candidate shown first was chosen, by experiment, and what that does to XYC triplets."""
    experiments = sorted({ballot.experiment for triplet in triplets for ballot in triplet.ballots})
    selections = {"all answers": list(triplets)}
    if len(experiments) > 1:
        selections |= {name: _of_experiment(triplets, name) for name in experiments}
    rows: list[Row] = []
    for label, selection in selections.items():
        bias = side_bias(selection, perspective)
        rows.append(row(label, [share_cell(bias.first), Cell(bias.z)]))
    own = [
        share_cell(same_track_chosen(triplets, shown_first=first, perspective=perspective)) for first in (True, False)
    ]
    return Table(
        "sides",
        "Preference for the side shown first",
        (
            Section("Answers for sample_a", ("chosen, %", "z against 50 %"), tuple(rows)),
            Section(
                "XYC: the candidate from the reference's own track was chosen",
                ("as sample_a", "as sample_b"),
                (row("", own),),
            ),
        ),
        "Intervals and z are robust to shared tracks and listeners. Models of votes estimate this preference as a nuisance "
        "term, which is not part of the weights.",
    )


def _of_experiment(triplets: Sequence[Triplet], name: str) -> list[Triplet]:
    chosen = (t.with_ballots(ballot for ballot in t.ballots if ballot.experiment == name) for t in triplets)
    return [triplet for triplet in chosen if triplet.ballots]


def listeners_table(summaries: Sequence[ListenerSummary], excluded: Mapping[str, str]) -> Table:
    """One row for each listener; excluded: listener -> the screening rule."""
    columns = ("answers", "agreement with the others, %", "checks correct, %", "chose first, %", "median seconds")
    rows = [
        row(
            f"{one.listener} (excluded: {excluded[one.listener]})" if one.listener in excluded else one.listener,
            [
                count(one.answers),
                _percent_cell(one.agreement),
                Cell(percent(one.checks_right / one.checks), right=one.checks_right, total=one.checks)
                if one.checks
                else None,
                _percent_cell(one.first),
                None if math.isnan(one.seconds) else Cell(one.seconds),
            ],
        )
        for one in summaries
    ]
    return Table(
        "listeners",
        "Listeners",
        (Section("", columns, tuple(rows)),),
        "Agreement: with the majority of the other listeners of the same triplet, ties left out. Screening by it raises the "
        "agreement of what is left by construction; rules must be set before the answers are seen.",
    )


def _percent_cell(share: float) -> Cell | None:
    return None if math.isnan(share) else Cell(percent(share))
