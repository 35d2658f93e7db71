"""Weights fitted to a listening test: answers in the columns of Inst-Sim-ABX, audio in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio import decode
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.models.encoders import Encoder, load_encoder
from soundalike.parts import MIX
from soundalike.preferences.estimators import Method
from soundalike.preferences.evaluation import is_correct
from soundalike.preferences.intervals import mcnemar
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplets import KINDS, Perspective, Triplet, check_cut_off
from soundalike.research.clips.clip_embedding import Clip, PartVectors
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers
from soundalike.research.reproduce.agreement_cells import correct_cell
from soundalike.research.reproduce.agreement_tables import agreement_table
from soundalike.research.reproduce.answers_tables import answers_table
from soundalike.research.reproduce.clip_jobs import Callbacks, ClipJob, ClipJobRunner, jobs_for
from soundalike.research.reproduce.conditions import Stems, check_gate
from soundalike.research.reproduce.experiments import (
    Experiment,
    ExperimentResult,
    baseline_correct,
    kept_of_kind,
    run_experiment,
)
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
    gate: in dB, None for no gate.
    """

    answers: Path
    audio: Path
    encoder: str
    stems: Stems
    method: Method
    cut_off: float = 0.8
    perspective: Perspective = "total"
    gate: float | None = -40.0


@dataclass(frozen=True)
class ListeningTestFit:
    """profile: for `similar --profile`; result: the method evaluated; report."""

    profile: Profile
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
    answers = read_answers(options.answers)
    mixes = _mixes(options, answers)
    clips = _embed_clips(options, mixes, cache, runtime, callbacks)
    chosen = usable(mixes, clips.vectors)
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
    result = run_experiment(experiment, [options.method], on_status=callbacks.on_status)
    if options.method.name in result.failed:
        raise InputError(result.failed[options.method.name])
    profile = _profile(options, name, result, clips.seconds, runtime)
    return ListeningTestFit(profile, result, _report(options, answers, mixes, clips, result))


@dataclass(frozen=True)
class _EmbeddedClips:
    """The clips of a listening test. seconds: median length."""

    job: ClipJob
    encoder: Encoder
    vectors: Mapping[str, PartVectors]
    seconds: float
    problems: Mapping[str, str]


def _mixes(options: FitOptions, answers: Answers) -> list[Triplet]:
    mixes = [triplet for triplet in answers.triplets if triplet.part == MIX]
    if not mixes:
        raise InputError(
            f"all triplets of {options.answers} compare single parts (their clips are in folders named after parts); weights "
            "are fitted to whole mixes"
        )
    return mixes


def _embed_clips(
    options: FitOptions, mixes: Sequence[Triplet], cache: Path, runtime: Runtime, callbacks: Callbacks
) -> _EmbeddedClips:
    if not options.audio.is_dir():
        raise InputError(
            f"{options.audio} is not a folder; choose the one that the paths in {options.answers.name} are relative to"
        )
    (job,) = jobs_for([], mixes, [options.stems])
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


def _report(
    options: FitOptions,
    answers: Answers,
    mixes: Sequence[Triplet],
    clips: _EmbeddedClips,
    result: ExperimentResult,
) -> Report:
    plots = [
        weights_plot(result),
        agreement_plot(options.encoder, [result]),
        calibration_plot(result),
        learning_plot(result),
    ]
    return Report(
        f"Weights fitted to {options.answers.name}",
        {
            "answers": f"{options.answers.name}: {answers.answers:,} by {answers.subjects} listeners",
            "triplets": _triplets_used(answers, mixes, result),
            "encoder": f"{options.encoder}, version {clips.encoder.version}",
            "stems": options.stems.title,
            "method": f"{options.method.name}: {options.method.summary}",
            "perspective": options.perspective,
        },
        _caveats(options),
        (
            agreement_table(options.encoder, [result]),
            weights_table([result]),
            answers_table(mixes, (options.cut_off,), parts=(MIX,)),
        ),
        tuple(plot for plot in plots if plot is not None),
        clips.problems,
    )


def _triplets_used(answers: Answers, mixes: Sequence[Triplet], result: ExperimentResult) -> str:
    message = f"{len(result.experiment.triplets)} of {len(mixes)} mix triplets could be used"
    of_parts = len(answers.triplets) - len(mixes)
    return f"{message}; {of_parts} of single parts are left out" if of_parts else message


def headlines(fitted: ListeningTestFit, method: str) -> list[str]:
    """The main results, one line each."""
    result = fitted.result
    evaluation, baseline = result.leave_tracks_out[method], baseline_correct(result)
    correct, tested = is_correct(result.data, evaluation.predictions), evaluation.tested
    lines = []
    if evaluation.failed:
        total = evaluation.failed + int(tested.sum())
        lines.append(f"{evaluation.failed} of {total} triplets are not tested: too little data is left to fit a model")
    for name, selection in (("all", tested), *((kind, tested & kept_of_kind(result, kind)) for kind in KINDS)):
        if selection.any() and (name == "all" or selection.sum() < tested.sum()):
            lines.append(
                f"{name}: these weights {correct_cell(correct[selection])}, the cosine of the mix "
                f"{correct_cell(baseline[selection])}"
            )
    experiment = result.experiment
    ceiling = percent(noise_ceiling(experiment.triplets, experiment.cut_off, experiment.perspective))
    lines.append(
        f"noise ceiling: a perfect model of all listeners would agree with {ceiling:.1f} %"
        if np.isfinite(ceiling)
        else "noise ceiling unknown: too few triplets were answered by several listeners"
    )
    if tested.any():
        test = mcnemar(correct[tested], baseline[tested])
        verdict = "not shown to be better"
        if test.p < 0.05:
            verdict = "better" if test.only_first > test.only_second else "worse"
        lines.append(
            f"{verdict} than the cosine of the mix: {test.only_first} triplets are correct with the weights only, "
            f"{test.only_second} with the cosine only (McNemar, p = {test.p:.3f})"
        )
    return [*lines, *filter(None, [power_message(result)])]


def _caveats(options: FitOptions) -> tuple[str, ...]:
    return (
        "Each file counts as a track of its own unless it is named as in Inst-Sim-ABX (X_1913-28.wav); files cut from the "
        "same music then share it without being recognised.",
        f"Triplets with agreement of {options.cut_off:.0%} or more are tested on; models of votes learn from the others too.",
        "The weights apply to raw cosines of this encoder and these stems only.",
    )


def _profile(options: FitOptions, name: str, result: ExperimentResult, seconds: float, runtime: Runtime) -> Profile:
    fit = result.fits[options.method.name]
    parts = result.experiment.parts
    intervals = fit.intervals()
    evaluation = result.leave_tracks_out[options.method.name]
    correct = is_correct(result.data, evaluation.predictions)[evaluation.tested]
    penalty = f", penalty {fit.alpha:g}" if fit.alpha else ""
    return Profile(
        name=name,
        encoder=options.encoder,
        separator=options.stems.separator,
        weights=checked(dict(zip(parts, fit.weights.tolist(), strict=True)), parts),
        method=f"{options.method.name}, no intercept, {fit.triplets} triplets{penalty}",
        source="fitted by soundalike",
        data=f"{options.answers.name}, {options.perspective} answers",
        clip_seconds=round(seconds, 3),
        agreement=float(correct.mean()) if len(correct) else None,
        intervals={}
        if intervals is None
        else {part: (float(low), float(high)) for part, (low, high) in zip(parts, intervals, strict=True)},
        notes=f"Agreement: leave-one-out without shared tracks, {int(correct.sum())} of {len(correct)}. "
        f"Precision {runtime.precision}.",
    )
