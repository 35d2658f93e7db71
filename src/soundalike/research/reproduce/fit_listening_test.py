"""Weights fitted to a listening test: answers in the columns of Inst-Sim-ABX, audio in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from soundalike.audio import decode
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.models.encoders import Encoder, load_encoder
from soundalike.parts import MIX
from soundalike.preferences.estimators import METHODS, Method
from soundalike.preferences.evaluation import is_correct
from soundalike.preferences.listeners import ScreeningRule, human_agreement, side_bias
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplets import KINDS, Perspective, Triplet, check_cut_off
from soundalike.research.clips.clip_embedding import Clip, PartVectors
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers
from soundalike.research.reproduce.agreement_cells import correct_cell, share_cell
from soundalike.research.reproduce.agreement_tables import agreement_table
from soundalike.research.reproduce.answers_tables import answers_table
from soundalike.research.reproduce.baseline_tests import baseline_test, baseline_tests_table
from soundalike.research.reproduce.clip_jobs import Callbacks, ClipJob, ClipJobRunner, jobs_for
from soundalike.research.reproduce.conditions import Stems, check_gate
from soundalike.research.reproduce.experiments import (
    Experiment,
    ExperimentResult,
    baseline_correct,
    kept_of_kind,
    links_of,
    model_correct,
    run_experiment,
)
from soundalike.research.reproduce.listener_tables import listeners_table, side_table
from soundalike.research.reproduce.own_answers import OwnAnswers, prepare_answers, usable_method
from soundalike.research.reproduce.plots import agreement_plot, calibration_plot, learning_plot, weights_plot
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.slakh_vectors import format_duration
from soundalike.research.reproduce.tables import percent
from soundalike.research.reproduce.triplet_features import features, usable
from soundalike.research.reproduce.weight_tables import power_message, weights_table
from soundalike.similarity.profiles import Profile
from soundalike.similarity.weights import checked


@dataclass(frozen=True)
class FitOptions:
    """What to fit.

    answers: CSV file; audio: folder that its paths are relative to; stems: source of the stems.
    cut_off: agreement from which a triplet has a label and is tested on; perspective: which answers to use.
    gate: in dB, None for no gate; track_pattern: regular expression that finds the track in a clip's path.
    screening: rules that listeners must pass.
    """

    answers: Path
    audio: Path
    encoder: str
    stems: Stems
    method: Method
    cut_off: float = 0.8
    perspective: Perspective = "total"
    gate: float | None = -40.0
    track_pattern: str | None = None
    screening: tuple[ScreeningRule, ...] = ()


@dataclass(frozen=True)
class ListeningTestFit:
    """profile: for `similar --profile`; method: the one used; answers: as prepared; result: evaluation; report."""

    profile: Profile
    method: Method
    answers: OwnAnswers
    result: ExperimentResult
    report: Report


def fit_listening_test(
    options: FitOptions,
    cache: Path,
    name: str,
    *,
    runtime: Runtime | None = None,
    callbacks: Callbacks | None = None,
) -> ListeningTestFit:
    """Fit weights to answers; name: of the profile; cache: file of cached vectors.

    Raises InputError if there is too little data. Clips that cannot be used are listed in the report.
    """
    callbacks, runtime = callbacks or Callbacks(), runtime or Runtime()
    check_cut_off(options.cut_off)
    check_gate(options.gate)
    table = read_answers(options.answers, options.track_pattern)
    answers = prepare_answers(table, options.screening, options.perspective)
    method, note = usable_method(options.method, answers.triplets, options.perspective)
    answers = replace(answers, notes=(*answers.notes, *filter(None, [note])))
    for message in answers.notes:
        callbacks.on_status(message)
    clips = _embed_clips(options, answers.triplets, cache, runtime, callbacks)
    chosen = usable(answers.triplets, clips.vectors)
    if not chosen:
        reason = next(iter(clips.problems.values()), "no clip could be embedded")
        raise AudioError(f"no triplet's audio could be used: {reason}")
    experiment = Experiment(
        options.encoder,
        options.stems.name,
        options.stems.title,
        options.gate,
        clips.job.parts,
        tuple(chosen),
        features(chosen, clips.vectors, options.gate),
        options.cut_off,
        options.perspective,
    )
    result = run_experiment(experiment, [method], on_status=callbacks.on_status)
    if method.name in result.failed:
        raise InputError(result.failed[method.name])
    fitted = FittedAnswers(options, table, answers, clips, method, result)
    return ListeningTestFit(fitted.profile(name, runtime), method, answers, result, fitted.report())


@dataclass(frozen=True)
class _EmbeddedClips:
    """The clips of a listening test. seconds: median length."""

    job: ClipJob
    encoder: Encoder
    vectors: Mapping[str, PartVectors]
    seconds: float
    problems: Mapping[str, str]


def _embed_clips(
    options: FitOptions, triplets: Sequence[Triplet], cache: Path, runtime: Runtime, callbacks: Callbacks
) -> _EmbeddedClips:
    if not options.audio.is_dir():
        raise InputError(
            f"{options.audio} is not a folder; choose the one that the paths in {options.answers.name} are relative to"
        )
    (job,) = jobs_for([], triplets, [options.stems])
    encoder = load_encoder(options.encoder, runtime)

    def locate(clip: str) -> Clip:
        path = options.audio / clip
        if not path.is_file():
            raise AudioError(f"there is no file {path}")
        return Clip(path)

    with VectorCache(cache) as vector_cache:
        runner = ClipJobRunner({options.encoder: encoder}, vector_cache, locate, runtime)
        seconds = runner.estimate([job])
        callbacks.on_status(f"{len(job.clips)} clips, about {format_duration(seconds)}; vectors are cached in {cache}")
        vectors = runner.run(job, callbacks.on_progress)[options.encoder]
    return _EmbeddedClips(job, encoder, vectors, _median_seconds(locate, job.clips), runner.problems)


def _median_seconds(locate: Callable[[str], Clip], clips: Sequence[str]) -> float:
    """The median length (s) of the readable clips; NaN if there is none."""
    lengths = []
    for clip in clips:
        with contextlib.suppress(AudioError):
            lengths.append(decode.probe(locate(clip).path).duration)
    return float(np.median(lengths)) if lengths else float("nan")


@dataclass(frozen=True)
class FittedAnswers:
    """Everything that the profile and the report are made of."""

    options: FitOptions
    table: Answers
    answers: OwnAnswers
    clips: _EmbeddedClips
    method: Method
    result: ExperimentResult

    def profile(self, name: str, runtime: Runtime) -> Profile:
        """The fitted weights as a profile."""
        options, fit = self.options, self.result.fits[self.method.name]
        parts, intervals = self.result.experiment.parts, fit.intervals()
        evaluation = self.result.leave_tracks_out[self.method.name]
        correct = is_correct(self.result.data, evaluation.predictions)[evaluation.tested]
        penalty = f", penalty {fit.alpha:g}" if fit.alpha else ""
        bounds = {} if intervals is None else dict(zip(parts, intervals.tolist(), strict=True))
        return Profile(
            name=name,
            encoder=options.encoder,
            separator=options.stems.separator,
            weights=checked(dict(zip(parts, fit.weights.tolist(), strict=True)), parts),
            method=f"{self.method.name}, no intercept, {fit.triplets} triplets{penalty}",
            source="fitted by soundalike",
            data=f"{options.answers.name}, {options.perspective} answers",
            clip_seconds=round(self.clips.seconds, 3),
            agreement=float(correct.mean()) if len(correct) else None,
            intervals={part: (low, high) for part, (low, high) in bounds.items() if np.isfinite([low, high]).all()},
            notes=f"Agreement: leave-one-out without shared {shared_unit(self.answers)}s, {int(correct.sum())} of "
            f"{len(correct)}. Precision {runtime.precision}.",
        )

    def report(self) -> Report:
        """The full report."""
        options, result = self.options, self.result
        plots = [
            weights_plot(result),
            agreement_plot(options.encoder, [result]),
            calibration_plot(result),
            learning_plot(result),
        ]
        return Report(
            f"Weights fitted to {options.answers.name}",
            {
                "answers": f"{options.answers.name}: {self.table.answers:,} by {self.table.subjects} listeners",
                "triplets": self._triplets_used(),
                "encoder": f"{options.encoder}, version {self.clips.encoder.version}",
                "stems": options.stems.title,
                "method": f"{self.method.name}: {self.method.summary}",
                "perspective": options.perspective,
            },
            (*self.answers.notes, *self._caveats()),
            (
                replace(agreement_table(options.encoder, [result]), title="Agreement with listeners"),
                baseline_tests_table([result]),
                replace(weights_table([result]), title="Weights"),
                answers_table(self.answers.triplets, (options.cut_off,), parts=(MIX,)),
                side_table(self.answers.triplets, options.perspective),
                *([listeners_table(self.answers.listeners, self.answers.excluded)] if self.answers.listeners else []),
            ),
            tuple(plot for plot in plots if plot is not None),
            self.clips.problems,
        )

    def _triplets_used(self) -> str:
        used, total = len(self.result.experiment.triplets), len(self.answers.triplets)
        message = f"{used} of {total} mix triplets could be used"
        return f"{message}; {self.answers.of_parts} of single parts are left out" if self.answers.of_parts else message

    def _caveats(self) -> tuple[str, ...]:
        return (
            *([] if self.answers.tracks_known else [TRACKS_UNKNOWN]),
            *filter(None, [few_tracks(self.result), short_clips(self.clips.seconds)]),
            f"Triplets with agreement of {self.options.cut_off:.0%} or more are tested on; models of votes learn from the "
            "others too.",
            "The weights apply to raw cosines of this encoder and these stems only.",
        )


ENOUGH_TRACKS = 60
"""From so many tracks on, intervals cover as they should without being much wider than necessary (benchmarks/coverage.py)."""

WINDOW_SECONDS = 10.0
"""The usual length of a song's window."""

TRACKS_UNKNOWN = (
    "The tracks of the clips are not known, so each file counts as a track of its own. If files are cut from the same music, "
    "the agreement is too high and the intervals are too narrow: add the columns reference_track, sample_a_track and "
    "sample_b_track, or use --track-pattern."
)


def shared_unit(answers: OwnAnswers) -> str:
    """What training and test triplets do not share: `track`, or `file` if tracks are unknown."""
    return "track" if answers.tracks_known else "file"


def headlines(fitted: ListeningTestFit) -> list[str]:
    """The main results, one line each."""
    result, answers = fitted.result, fitted.answers
    evaluation = result.leave_tracks_out[fitted.method.name]
    unit = shared_unit(answers)
    lines = [f"agreement with majorities, each triplet predicted from those that share no {unit} with it:"]
    if evaluation.failed:
        total = evaluation.failed + int(evaluation.tested.sum())
        lines.append(
            f"  {evaluation.failed} of {total} triplets are not tested: too little data is left to fit a model"
        )
    lines += [f"  {line}" for line in (*_agreement_lines(fitted), *_context_lines(result))]
    lines += filter(None, [_side_line(result, fitted.method.name), power_message(result), few_tracks(result)])
    lines += filter(None, [short_clips(fitted.profile.clip_seconds)])
    return lines if answers.tracks_known else [*lines, TRACKS_UNKNOWN]


def few_tracks(result: ExperimentResult) -> str:
    """A warning if the triplets come from few tracks."""
    tracks = len(frozenset().union(*result.data.tracks))
    if tracks >= ENOUGH_TRACKS:
        return ""
    return (
        f"The clips come from {tracks} tracks only. So few say little about other music, and the intervals are wide whatever the "
        f"number of answers; {ENOUGH_TRACKS} tracks or more are needed for useful ones."
    )


def short_clips(seconds: float) -> str:
    """A note if clips of `seconds` are shorter than a window of a song: their weights may have been meant for one-shots."""
    if not seconds < WINDOW_SECONDS:
        return ""
    return (
        f"The clips last {seconds:.3g} s (median), less than a window of a song ({WINDOW_SECONDS:g} s). The profile is for "
        "searches of songs: loops and one-shots have no parts, so `similar` refuses it for them unless only the mix has a weight."
    )


def _agreement_lines(fitted: ListeningTestFit) -> list[str]:
    """Weights and baseline, of all triplets and by kind, and whether they differ."""
    result, name = fitted.result, fitted.method.name
    evaluation = model_correct(result, name)
    if evaluation is None:
        return []
    (tested, correct), baseline = evaluation, baseline_correct(result)
    lines = []
    for label, selection in (("all", tested), *((kind, tested & kept_of_kind(result, kind)) for kind in KINDS)):
        if selection.any() and (label == "all" or selection.sum() < tested.sum()):
            links = links_of(result, selection)
            lines.append(
                f"{label}: these weights {correct_cell(correct[selection], links)}, the cosine of the mix "
                f"{correct_cell(baseline[selection], links)}"
            )
    comparison = baseline_test(result, name)
    if comparison is not None:
        test = comparison.test
        verdict = "not shown to be better"
        if test.p < 0.05:
            verdict = "better" if test.difference > 0 else "worse"
        lines.append(
            f"{verdict} than the cosine of the mix: {test.only_first} triplets are correct with the weights only, "
            f"{test.only_second} with the cosine only (p = {test.p:.3f}, robust to shared {shared_unit(fitted.answers)}s)"
        )
    return lines


def _context_lines(result: ExperimentResult) -> list[str]:
    """A single listener, and the noise ceiling."""
    experiment = result.experiment
    human = share_cell(human_agreement(experiment.triplets, experiment.cut_off, experiment.perspective))
    ceiling = percent(noise_ceiling(experiment.triplets, experiment.cut_off, experiment.perspective))
    return [
        "a single listener: unknown, no triplet has several answers"
        if human is None
        else f"a single listener agrees with the majority of the others in {human}",
        f"noise ceiling: a perfect model of all listeners would agree with {ceiling:.1f} %"
        if np.isfinite(ceiling)
        else "noise ceiling unknown: too few triplets were answered by several listeners",
    ]


def _side_line(result: ExperimentResult, method: str) -> str:
    """The preference for the side shown first."""
    bias = side_bias(result.experiment.triplets, result.experiment.perspective)
    fit = result.fits[method]
    if not bias.first.total:
        return ""
    cell = share_cell(bias.first)
    assert cell is not None  # there are answers
    line = f"sample_a was chosen in {cell.main} % of the answers {cell.details}"
    if fit.side_bias is not None:
        return f"{line}; the fit sets that apart as {fit.side_bias:+.2f} log-odds"
    if METHODS[method].uses == "votes":
        return f"{line}; that is not a preference for a side but the order of the table, so no side bias was estimated"
    return line
