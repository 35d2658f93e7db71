"""What a fit says, one line each: for the command line and the report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from soundalike.listening.active_blocks import needed_for
from soundalike.listening.answered_triplets import Repeats
from soundalike.listening.held_out import baseline_name
from soundalike.listening.weight_fit import QuestionFit, listeners_text
from soundalike.preferences.active_design import Contrast
from soundalike.preferences.cluster_robust import Links, paired_test
from soundalike.preferences.intervals import wilson
from soundalike.preferences.listeners import human_agreement, side_bias
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplets import KINDS, Triplet
from soundalike.research.reproduce.agreement_cells import correct_cell, share_cell
from soundalike.research.reproduce.tables import Cell, percent

ENOUGH_SONGS = 60
TELL_APART_WIDTH = 1.0
"""Width, in mean weights, at which the message about drums and bass aims without a goal."""


def screening_lines(fitted: QuestionFit) -> list[str]:
    """The rules and whom they leave out."""
    rules = ", ".join(fitted.design.screening) or "none"
    count = len(fitted.summaries)
    names = "; ".join(f"{name}: {rule}" for name, rule in fitted.excluded.items())
    left_out = f"{len(fitted.excluded)} of {listeners_text(count)} left out" + (f" ({names})" if names else "")
    return [f"screening, fixed when the test was made: {rules}: {left_out}"]


def answer_lines(fitted: QuestionFit) -> list[str]:
    """How many answers there are, how reliable, and which side they prefer."""
    answered = fitted.answered
    cant_tell = sum(answered.cant_tell.values())
    origins = Counter(triplet.origin for triplet in answered.designed)
    drawn = f" ({origins['random']} at random, {origins['active']} chosen)" if origins["active"] else ""
    lines = [
        f"{len(fitted.observations)} {answered.question} answers of {listeners_text(len(fitted.listeners))} about "
        f"{len(answered.triplets)} triplets{drawn}"
        + (f'; besides, {cant_tell} trials were answered with "can\'t tell"' if cant_tell else "")
    ]
    lines.append(reliability_line(answered.repeats.values()))
    bias = share_cell(side_bias(answered.triplets, answered.perspective).first)
    if bias is not None:
        lines.append(
            f"the candidate shown first was chosen in {_shown(bias)}; the fit sets that apart as "
            f"{fitted.fit.side_bias:+.2f} log-odds"
        )
    return lines


def reliability_line(repeats: Iterable[Repeats]) -> str:
    """How often a repeated trial got the same preference, and what that means for any model."""
    repeats = list(repeats)
    pairs, same = sum(one.pairs for one in repeats), sum(one.same for one in repeats)
    if not pairs:
        return "reliability unknown: no trial was answered twice"
    interval = wilson(same, pairs)
    line = (
        f"reliability: {same} of {pairs} repeated trials got the same preference ({same / pairs:.0%}, "
        f"{interval.low:.0%} to {interval.high:.0%})"
    )
    reach = consistent_share(same / pairs)
    return f"{line}; a perfect model would agree with about {reach:.0%} of single answers" if reach > 0.5 else line


def consistent_share(same: float) -> float:
    """How often a listener gives their own usual answer, if two answers agree in a share `same`: p^2 + (1 - p)^2 = same."""
    return 0.5 + 0.5 * math.sqrt(max(0.0, 2 * same - 1))


def weight_lines(fitted: QuestionFit) -> list[str]:
    """The weights with their intervals."""
    return [
        f"{part:10} {weight:+7.2f}   [{low:+.2f}, {high:+.2f}]" if known else f"{part:10} not heard in any triplet"
        for part, weight, (low, high), known in zip(
            fitted.parts, fitted.fit.weights, fitted.fit.intervals(), fitted.observations.scale > 0, strict=True
        )
    ]


def agreement_lines(fitted: QuestionFit) -> list[str]:
    """Agreement on held-out triplets, beside the baseline, a single listener and the noise ceiling."""
    held_out, answered = fitted.held_out, fitted.answered
    lines = ["agreement with majorities of random triplets, each predicted from those that share no song with it:"]
    if not held_out.tested.any():
        return [*lines, f"  none could be predicted: too few answers are left ({held_out.failed} triplets)"]
    kinds = np.array([triplet.kind for triplet in answered.triplets])
    for kind in (*KINDS, "all"):
        selection = held_out.tested & ((kinds == kind) | (kind == "all"))
        if selection.any() and (kind == "all" or selection.sum() < held_out.tested.sum()):
            lines.append(
                f"  {kind}: these weights {_cell(fitted, held_out.correct, selection)}, {baseline_name(answered)} "
                f"{_cell(fitted, held_out.baseline, selection)}"
            )
    tested = held_out.tested
    test = paired_test(held_out.correct[tested], held_out.baseline[tested], _links(fitted, tested))
    verdict = "not shown to differ from it"
    if test.p < 0.05:
        verdict = "better than it" if test.difference > 0 else "worse than it"
    lines.append(f"  {verdict} (p = {test.p:.3f}, robust to shared songs)")
    if held_out.failed:
        lines.append(f"  {held_out.failed} triplets are not predicted: too few answers are left without their songs")
    return [*lines, *(f"  {line}" for line in (*_context_lines(fitted), *_own_lines(fitted)))]


def random_triplets(fitted: QuestionFit) -> list[Triplet]:
    """The answered triplets that were drawn at random."""
    answered = fitted.answered
    pairs = zip(answered.designed, answered.triplets, strict=True)
    return [triplet for designed, triplet in pairs if designed.origin == "random"]


def _context_lines(fitted: QuestionFit) -> list[str]:
    triplets, perspective = random_triplets(fitted), fitted.answered.perspective
    human = share_cell(human_agreement(triplets, fitted.cut_off, perspective))
    ceiling = percent(noise_ceiling(triplets, fitted.cut_off, perspective))
    return [
        "a single listener: unknown, no triplet has several answers"
        if human is None
        else f"a single listener agrees with the majority of the others in {_shown(human)}",
        f"noise ceiling: a perfect model of all listeners would agree with {ceiling:.1f} %"
        if math.isfinite(ceiling)
        else "noise ceiling unknown: too few triplets were answered by several listeners",
    ]


def _own_lines(fitted: QuestionFit) -> list[str]:
    """Do listeners' own weights predict their answers better than the group's?"""
    held_out = fitted.held_out
    if len(fitted.listeners) < 2 or not held_out.answers.any():
        return []
    own, group = (float(one[held_out.answers].mean()) for one in (held_out.own_correct, held_out.group_correct))
    return [
        f"single answers: own weights predict {own:.1%}, the group's {group:.1%}; tastes differ by "
        f"{fitted.fit.taste:.2f} log-odds for a typical triplet, triplets by {fitted.fit.triplet_effect:.2f}"
    ]


def difference_lines(fitted: QuestionFit) -> list[str]:
    """The difference of drums and bass (or of the goal), and what would make it known."""
    goal, parts = fitted.design.goal, fitted.parts
    first, second = (goal.first, goal.second) if goal else ("drums", "bass")
    width = goal.width if goal else TELL_APART_WIDTH
    if first not in parts or (second and second not in parts):
        return []
    contrast = Contrast(parts.index(first), parts.index(second) if second else None)
    low, high = contrast.interval(fitted.fit.weights, fitted.fit.covariance)
    relative = contrast.relative_width(fitted.fit.weights, fitted.fit.covariance)
    if not math.isfinite(relative):
        return []
    needed = needed_for(fitted.fit, contrast, width)
    name = f"{first} - {second}" if second else first
    ending = "narrow enough" if needed is None else f"{needed} until it is {width:g} wide"
    return [f"{name}: {low:+.2f} to {high:+.2f}, {relative:.2f} mean weights wide; {ending}"]


def caveat_lines(fitted: QuestionFit) -> list[str]:
    """What limits the result."""
    songs = len(frozenset().union(*fitted.data.tracks))
    lines = []
    if songs < ENOUGH_SONGS:
        lines.append(
            f"{songs} songs say little about other music, whatever the number of answers; {ENOUGH_SONGS} are better"
        )
    if len(fitted.listeners) == 1:
        lines.append("one listener: the weights are that listener's, and the intervals hold for no one else")
    if fitted.design.presentation == "stems":
        lines.append("stems were heard one at a time: weights of different parts cannot be compared as in a mix")
    return lines


def _links(fitted: QuestionFit, selection: np.ndarray) -> Links:
    return Links([tracks for tracks, chosen in zip(fitted.data.tracks, selection, strict=True) if chosen])


def agreement_of(fitted: QuestionFit, correct: np.ndarray, selection: np.ndarray) -> Cell | None:
    """Agreement on selected triplets (N,), with its interval; None for none."""
    return correct_cell(correct[selection], _links(fitted, selection)) if selection.any() else None


def _cell(fitted: QuestionFit, correct: np.ndarray, selection: np.ndarray) -> str:
    cell = agreement_of(fitted, correct, selection)
    return "unknown" if cell is None else _shown(cell)


def _shown(cell: Cell) -> str:
    return f"{cell.main} % {cell.details}".strip()
