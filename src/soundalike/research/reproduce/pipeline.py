"""From answers and audio to the report: which clips, which experiments, which tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.config import Runtime
from soundalike.models.encoders import Encoder, PartEncoder
from soundalike.parts import MIX
from soundalike.preferences.estimators import METHODS, Method
from soundalike.preferences.evaluation import SPLITS
from soundalike.preferences.triplets import (
    STRICT_SUBSET,
    Triplet,
    TripletFilter,
    above_cut_off,
    check_cut_off,
    cut_off_filter,
)
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import Predictions, TripletKey, triplet_key
from soundalike.research.reproduce.agreement_tables import agreement_table
from soundalike.research.reproduce.answers_tables import answers_table, splits_table
from soundalike.research.reproduce.baseline_tests import baseline_tests_table
from soundalike.research.reproduce.clip_jobs import Callbacks
from soundalike.research.reproduce.conditions import Stems, check_gate
from soundalike.research.reproduce.experiments import Experiment, ExperimentResult, run_experiment
from soundalike.research.reproduce.layer_table import layers_table
from soundalike.research.reproduce.listener_tables import side_table
from soundalike.research.reproduce.plot_data import Plot
from soundalike.research.reproduce.plots import agreement_plot, calibration_plot, learning_plot, weights_plot
from soundalike.research.reproduce.reconciliation import reconciliation_table
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.slakh_vectors import EmbeddedClips, Sources, embed_clips
from soundalike.research.reproduce.table_1 import table_1
from soundalike.research.reproduce.tables import Table
from soundalike.research.reproduce.triplet_features import Similarity, features, usable
from soundalike.research.reproduce.weight_tables import perspectives_table, weights_table

TITLE = "Part-wise music similarity compared with listeners: Inst-Sim-ABX"
GATE = -40.0
KEPT_RULE = "A triplet is kept by the majority's share of its overall answers, ignoring strength; a model's tie counts as wrong."


@dataclass(frozen=True)
class ReproduceOptions:
    """What to reproduce.

    answers: folder of Inst-Sim-ABX; slakh: folder of Slakh2100, None for tables of the answers alone.
    encoders, stems: conditions; methods: to fit; splits, seed: of the shuffled splits; gate: in dB, for gated rows.
    cut_offs: of Table 1; similarity: of single parts.
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
    similarity: Similarity = "cosine"

    @property
    def filters(self) -> tuple[TripletFilter, ...]:
        """The rules of Table 1 for keeping triplets."""
        return (*(cut_off_filter(cut_off) for cut_off in self.cut_offs), STRICT_SUBSET)


def reproduce(
    options: ReproduceOptions, cache: Path, *, runtime: Runtime | None = None, callbacks: Callbacks | None = None
) -> Report:
    """The paper's tables beside its own figures.

    cache: file of cached vectors, so that an interrupted run resumes. Raises InputError for invalid data or options,
    CheckpointError if weights are missing; single clips that cannot be used are listed in the report.
    """
    callbacks, runtime = callbacks or Callbacks(), runtime or Runtime()
    for cut_off in options.cut_offs:
        check_cut_off(cut_off)
    check_gate(options.gate)
    answers = read_answers(options.answers)
    triplets = answers.triplets
    if options.slakh is None:
        return Report(TITLE, _provenance(options, answers, {}, None), (KEPT_RULE,), _answers_tables(options, answers))
    sources = Sources(options.answers, options.slakh, options.encoders, options.stems, cache, runtime)
    embedded = embed_clips(sources, _part_triplets(options, triplets), _mixes(triplets), callbacks)
    results = [
        run_experiments(experiments, options, callbacks) for experiments in _experiments(options, triplets, embedded)
    ]
    every = [result for of_encoder in results for result in of_encoder]
    predictions = _predictions(options, triplets, embedded)
    layers = layers_table(triplets, predictions)
    tables = [
        table_1(triplets, predictions, options.filters),
        *([] if layers is None else [layers]),
        *(agreement_table(of_encoder[0].experiment.encoder, of_encoder) for of_encoder in results),
        baseline_tests_table(every),
        weights_table(every),
        perspectives_table([result.experiment for result in every if result.experiment.gate is None]),
        *_answers_tables(options, answers),
    ]
    callbacks.on_status("drawing plots")
    return Report(
        TITLE,
        _provenance(options, answers, embedded.encoders, runtime),
        _assumptions(options),
        tuple(tables),
        tuple(report_plots(results, options.seed)),
        embedded.problems,
    )


def _part_triplets(options: ReproduceOptions, triplets: Sequence[Triplet]) -> list[Triplet]:
    """The triplets of single parts that Table 1 needs."""
    lowest = min(*options.cut_offs, published.FIT_CUT_OFF)
    return above_cut_off([triplet for triplet in triplets if triplet.part != MIX], lowest)


def _mixes(triplets: Sequence[Triplet]) -> list[Triplet]:
    """All mix triplets: models of votes learn from those below the cut-off too."""
    return [triplet for triplet in triplets if triplet.part == MIX]


def _predictions(
    options: ReproduceOptions, triplets: Sequence[Triplet], embedded: EmbeddedClips
) -> dict[str, Predictions]:
    """By encoder, the predictions of the cosine of the part itself (or of the mix)."""
    predictions: dict[str, dict[TripletKey, int]] = {encoder: {} for encoder in options.encoders}
    for job, by_encoder in embedded.vectors.items():
        part = MIX if MIX in job.parts else job.parts[0]
        for encoder, vectors in by_encoder.items():
            of_part = usable(_unseen(triplets, embedded.encoders[encoder], part), vectors)
            similarity = _similarity_of(embedded.encoders[encoder], options)
            values = features(of_part, vectors, similarity=similarity)[:, job.parts.index(part)]
            for triplet, value in zip(of_part, values, strict=True):
                predictions[encoder][triplet_key(triplet)] = int(value > 0) - int(value < 0)
    return dict(predictions)


def _experiments(
    options: ReproduceOptions, triplets: Sequence[Triplet], embedded: EmbeddedClips
) -> list[list[Experiment]]:
    """By encoder, one experiment for each source of stems, and a gated one where the gate changes any feature."""
    experiments: list[list[Experiment]] = []
    for encoder in options.encoders:
        experiments.append([])
        mixes = _unseen(triplets, embedded.encoders[encoder], MIX)
        similarity = _similarity_of(embedded.encoders[encoder], options)
        for job, by_encoder in embedded.vectors.items():
            if MIX not in job.parts or encoder not in by_encoder:
                continue
            chosen = usable(mixes, by_encoder[encoder])
            ungated = features(chosen, by_encoder[encoder], similarity=similarity)
            gated = features(chosen, by_encoder[encoder], options.gate, similarity)
            for gate, values in ((None, ungated), (options.gate, gated)):
                if gate is None or not np.array_equal(values, ungated):
                    stems = job.stems
                    experiments[-1].append(
                        Experiment(encoder, stems.name, stems.title, gate, job.parts, tuple(chosen), values)
                    )
    return experiments


def _unseen(triplets: Sequence[Triplet], encoder: Encoder, part: str) -> list[Triplet]:
    """The triplets of `part` without a track whose answers the encoder was tuned to."""
    tuned = encoder.tuned_tracks if isinstance(encoder, PartEncoder) else frozenset[str]()
    return [triplet for triplet in triplets if triplet.part == part and tuned.isdisjoint(triplet.tracks)]


def _similarity_of(encoder: Encoder, options: ReproduceOptions) -> Similarity:
    """Minus the Euclidean distance for encoders that are trained on it, else that of the options."""
    return "euclidean" if isinstance(encoder, PartEncoder) else options.similarity


def run_experiments(
    experiments: Sequence[Experiment], options: ReproduceOptions, callbacks: Callbacks
) -> list[ExperimentResult]:
    """Run each experiment with the methods of the options."""
    return [
        run_experiment(
            experiment, options.methods, splits=options.splits, seed=options.seed, on_status=callbacks.on_status
        )
        for experiment in experiments
    ]


def report_plots(results: Sequence[Sequence[ExperimentResult]], seed: int) -> list[Plot]:
    """Plots of the ungated experiments; calibration and learning curve of each encoder's best."""
    plots: list[Plot | None] = []
    for of_encoder in results:
        ungated = [result for result in of_encoder if result.experiment.gate is None]
        plots.append(agreement_plot(ungated[0].experiment.encoder, ungated))
        plots += [weights_plot(result) for result in ungated]
        best = max(ungated, key=_best_agreement)
        plots += [calibration_plot(best), learning_plot(best, seed=seed)]
    return [plot for plot in plots if plot is not None]


def _best_agreement(result: ExperimentResult) -> float:
    """The highest mean agreement over the splits of any method."""
    return max((float(cv.agreements.mean()) for cv in result.cross_validated.values()), default=0.0)


def _answers_tables(options: ReproduceOptions, answers: Answers) -> tuple[Table, ...]:
    return (
        reconciliation_table(answers.triplets),
        answers_table(answers.triplets, options.cut_offs),
        side_table(answers.triplets),
        splits_table(answers.triplets, splits=options.splits, seed=options.seed),
    )


def _provenance(
    options: ReproduceOptions, answers: Answers, encoders: Mapping[str, Encoder], runtime: Runtime | None
) -> dict[str, str]:
    tracks = {track for triplet in answers.triplets for track in triplet.tracks}
    checks = answers.checks
    provenance = {
        "answers": f"{answers.answers:,} by {answers.subjects} listeners to {len(answers.triplets):,} triplets of "
        f"{len(tracks)} tracks, including {checks.asked:,} attention checks ({checks.right:,} correct)",
    }
    provenance |= {f"encoder {name}": _describe(encoder) for name, encoder in encoders.items()}
    if encoders and runtime is not None:
        provenance["stems"] = ", ".join(source.title for source in options.stems)
        provenance["precision"] = runtime.precision
        provenance["similarity"] = options.similarity
        provenance["splits"] = f"{options.splits}, 70 % training, stratified by label, seed {options.seed}"
    return provenance


def _describe(encoder: Encoder) -> str:
    if not isinstance(encoder, PartEncoder):
        return f"version {encoder.version}"
    tuned = len(encoder.tuned_tracks)
    return (
        f"version {encoder.version}, trained here after the paper; parts from the mixture, minus the Euclidean distance as their "
        f"similarity" + (f"; tuned to answers about {tuned} tracks, whose triplets are left out" if tuned else "")
    )


def _assumptions(options: ReproduceOptions) -> tuple[str, ...]:
    return (
        "Ridge: alpha = 1 on unscaled features. The paper states neither; OLS and Ridge are both shown.",
        f"Splits: seed {options.seed}; the paper states none. Table 4: means over the splits; the paper does not state "
        "which fit its weights come from.",
        "Demucs: shifts = 0 (no random time shifts are averaged); the paper does not state it. Encoders see the whole clip.",
        "Stems come from the isolated clip, and rows without a gate keep nearly silent parts, as in the paper.",
        KEPT_RULE,
        "Models of votes learn from triplets below the cut-off too; every model is tested on kept triplets only.",
        "Repeated answers of one listener count as in the paper; triplets asked in both orders count twice unless a row says "
        "otherwise.",
        "The paper's ± is the standard deviation over splits of one data set, not a standard error; a fixed classifier has it "
        "too.",
    )
