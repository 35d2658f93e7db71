"""From answers and audio to the report: which clips, which rows, which tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.models.encoders import Encoder, load_encoder
from soundalike.parts import MIX
from soundalike.preferences.estimators import METHODS, Method
from soundalike.preferences.evaluation import SPLITS
from soundalike.preferences.triplets import Triplet, check_cut_off, kept
from soundalike.research.clips.clip_embedding import Clip
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers, read_configurations
from soundalike.research.datasets.slakh import Slakh
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement import Predictions, answers_table, asked, splits_table, table_1
from soundalike.research.reproduce.clip_jobs import Embedding, Job, Progress, Vectors, jobs_for
from soundalike.research.reproduce.conditions import Stems, check_gate
from soundalike.research.reproduce.experiments import Case, Judgement, judge
from soundalike.research.reproduce.figures import agreement_plot, calibration_plot, learning_plot, weights_plot
from soundalike.research.reproduce.fit_tables import agreement_table
from soundalike.research.reproduce.plot_data import Plot
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.tables import Table
from soundalike.research.reproduce.triplet_features import features, usable
from soundalike.research.reproduce.weight_tables import perspectives_table, weights_table

TITLE = "Part-wise music similarity beside listeners: Inst-Sim-ABX"
GATE = -40.0
KEPT_RULE = (
    "A triplet is kept by the majority's share of its overall answers, strength ignored; a tie of a model is wrong."
)


@dataclass(frozen=True)
class Plan:
    """What to reproduce.

    answers: folder of Inst-Sim-ABX; slakh: folder of Slakh2100, None for what the answers say alone; encoders and stems:
    the rows; methods: those to fit; splits, seed: of the shuffled splits; gate: dB, for the rows that have one.
    """

    answers: Path
    slakh: Path | None
    encoders: tuple[str, ...]
    stems: tuple[Stems, ...]
    methods: tuple[Method, ...] = tuple(METHODS.values())
    splits: int = SPLITS
    seed: int = 0
    gate: float = GATE
    cut_offs: tuple[float, ...] = (0.75, 0.80)


@dataclass(frozen=True)
class Tell:
    """How the person at the keyboard hears of it: words, and progress of the embedding."""

    words: Callable[[str], None] = lambda _: None
    progress: Callable[[Progress], None] = lambda _: None


def reproduce(plan: Plan, cache: Path, *, runtime: Runtime | None = None, tell: Tell | None = None) -> Report:
    """The paper's tables beside its own figures.

    cache: the file that keeps the clips' vectors, so that an interrupted run goes on. Raises InputError for data that are not
    what they should be, CheckpointError where weights are missing; single clips that cannot be used stand in the report.
    """
    tell, runtime = tell or Tell(), runtime or Runtime()
    for cut_off in plan.cut_offs:
        check_cut_off(cut_off)
    check_gate(plan.gate)
    answers = read_answers(plan.answers)
    if plan.slakh is None:
        return Report(TITLE, _made_of(plan, answers, {}, None), (KEPT_RULE,), _of_answers(plan, answers))
    embedded = _embed(plan, answers.triplets, cache, runtime, tell)
    judgements = [judge_all(cases, plan, tell) for cases in _cases(plan, answers.triplets, embedded)]
    tables = [
        table_1(answers.triplets, _predictions(plan, answers.triplets, embedded), plan.cut_offs),
        *(agreement_table(several[0].case.encoder, several) for several in judgements),
        weights_table([one for several in judgements for one in several]),
        perspectives_table([one.case for several in judgements for one in several if one.case.gate is None]),
        *_of_answers(plan, answers),
    ]
    tell.words("drawing")
    return Report(
        TITLE,
        _made_of(plan, answers, embedded.encoders, runtime),
        _assumptions(plan),
        tuple(tables),
        tuple(pictures(judgements, plan.seed)),
        embedded.problems,
    )


@dataclass(frozen=True)
class _Embedded:
    """encoders; by job, vectors by encoder and clip; problems: clip -> reason."""

    encoders: Mapping[str, Encoder]
    vectors: Mapping[Job, Vectors]
    problems: Mapping[str, str]


def _embed(plan: Plan, triplets: Sequence[Triplet], path: Path, runtime: Runtime, tell: Tell) -> _Embedded:
    assert plan.slakh is not None  # the caller has looked
    cuts, slakh = read_configurations(plan.answers), Slakh(plan.slakh)
    lowest = min(*plan.cut_offs, published.FIT_CUT_OFF)
    alone = kept([triplet for triplet in triplets if triplet.part != MIX], lowest)
    mixes = [triplet for triplet in triplets if triplet.part == MIX]  # all: models of votes learn from the unclear ones
    jobs = jobs_for(alone, mixes, plan.stems)
    wanted = [cuts[name] for name in dict.fromkeys(name for job in jobs for name in job.clips) if name in cuts]
    unusable = slakh.problems(wanted)
    if unusable and len(unusable) == len({cut.track for cut in wanted}):
        raise InputError(f"{plan.slakh} holds no usable track of these answers: {next(iter(unusable.values()))}")

    def find(name: str) -> Clip:
        if name not in cuts:
            raise AudioError(f"{name} has no place in the configurations beside the answers")
        cut = cuts[name]
        if cut.track in unusable:
            raise AudioError(unusable[cut.track])
        return Clip(slakh.mixture(cut.track), cut.start_seconds, cut.seconds)

    tell.words("loading " + ", ".join(plan.encoders))
    encoders = {name: load_encoder(name, runtime) for name in plan.encoders}
    with VectorCache(path) as cache:
        embedding = Embedding(encoders, cache, find, runtime=runtime)
        clips = sum(len(job.clips) for job in jobs)
        tell.words(
            f"{clips:,} clips in {len(jobs)} ways; what is among the {len(cache):,} vectors in {path} is not made again"
        )
        seconds = embedding.estimate(jobs)
        tell.words(
            f"about {duration_words(seconds)}, going by the first of them; it may be interrupted and goes on from there"
        )
        vectors = {job: embedding.run(job, tell.progress) for job in jobs}
    problems = {**unusable, **{name: why for name, why in embedding.problems.items() if why not in unusable.values()}}
    return _Embedded(encoders, vectors, problems)


def duration_words(seconds: float) -> str:
    """Seconds as one would say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _predictions(plan: Plan, triplets: Sequence[Triplet], embedded: _Embedded) -> dict[str, Predictions]:
    """By encoder, what the cosine of the part (or the mix) alone predicts."""
    found: dict[str, dict[tuple[str, str, str], int]] = {encoder: {} for encoder in plan.encoders}
    for job, by_encoder in embedded.vectors.items():
        part = MIX if MIX in job.parts else job.parts[0]
        for encoder, vectors in by_encoder.items():
            chosen = usable([triplet for triplet in triplets if triplet.part == part], vectors)
            for triplet, row in zip(chosen, features(chosen, vectors), strict=True):
                value = row[job.parts.index(part)]
                found[encoder][asked(triplet)] = int(value > 0) - int(value < 0)
    return dict(found)


def _cases(plan: Plan, triplets: Sequence[Triplet], embedded: _Embedded) -> list[list[Case]]:
    """By encoder, a case for each kind of stems, and one with a gate where that makes a difference."""
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    found = []
    for encoder in plan.encoders:
        cases = []
        for job, by_encoder in embedded.vectors.items():
            if MIX not in job.parts:
                continue
            chosen = usable(mixes, by_encoder[encoder])
            as_the_paper = features(chosen, by_encoder[encoder])
            gated = features(chosen, by_encoder[encoder], plan.gate)
            for gate, values in ((None, as_the_paper), (plan.gate, gated)):
                if gate is None or not np.array_equal(values, as_the_paper):  # else no part is ever absent
                    cases.append(Case(encoder, job.stems.name, job.stems.title, gate, job.parts, tuple(chosen), values))
        found.append(cases)
    return found


def judge_all(cases: Sequence[Case], plan: Plan, tell: Tell) -> list[Judgement]:
    """Each case judged with the plan's methods."""
    return [judge(case, plan.methods, splits=plan.splits, seed=plan.seed, report=tell.words) for case in cases]


def pictures(judgements: Sequence[Sequence[Judgement]], seed: int) -> list[Plot]:
    """Plots of the rows without a gate; calibration and learning curve of each encoder's best."""
    plots: list[Plot | None] = []
    for several in judgements:
        ungated = [one for one in several if one.case.gate is None]
        plots.append(agreement_plot(ungated[0].case.encoder, ungated))
        plots += [weights_plot(one) for one in ungated]
        best = max(ungated, key=_agreement)
        plots += [calibration_plot(best), learning_plot(best, seed=seed)]
    return [plot for plot in plots if plot is not None]


def _agreement(judgement: Judgement) -> float:
    """The best mean agreement that a method reaches over the splits."""
    return max((float(found.agreements.mean()) for found in judgement.over.values()), default=0.0)


def _of_answers(plan: Plan, answers: Answers) -> tuple[Table, ...]:
    return (
        answers_table(answers.triplets, plan.cut_offs),
        splits_table(answers.triplets, splits=plan.splits, seed=plan.seed),
    )


def _made_of(plan: Plan, answers: Answers, encoders: Mapping[str, Encoder], runtime: Runtime | None) -> dict[str, str]:
    tracks = {track for triplet in answers.triplets for track in triplet.tracks}
    checks = answers.checks
    found = {
        "answers": f"{answers.answers:,} of {answers.subjects} subjects to {len(answers.triplets):,} triplets of {len(tracks)} "
        f"tracks, {checks.asked:,} attention checks among them ({checks.right:,} right)",
    }
    found |= {f"encoder {name}": f"version {encoder.version}" for name, encoder in encoders.items()}
    if encoders and runtime is not None:
        found["stems"] = ", ".join(one.title for one in plan.stems)
        found["precision"] = runtime.precision
        found["splits"] = f"{plan.splits}, 70 % training, stratified by label, seed {plan.seed}"
    return found


def _assumptions(plan: Plan) -> tuple[str, ...]:
    return (
        "Ridge: alpha = 1 on unscaled features. The paper states neither; OLS and Ridge are both shown.",
        f"Splits: seed {plan.seed}; the paper states none. Table 4: means over the splits; the paper does not say which fit.",
        "Stems come from the isolated clip, and rows without a gate keep parts that are nearly silent, as in the paper.",
        KEPT_RULE,
        "Models of votes learn from unclear triplets too; they are tested on the kept ones alone, as all are.",
        "The paper's ± is the deviation over splits of one data set, no error of the mean; a fixed classifier has it too.",
    )
