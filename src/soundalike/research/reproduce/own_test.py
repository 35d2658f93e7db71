"""Weights from one's own listening test: answers in the columns of Inst-Sim-ABX, audio in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio import decode
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.models.encoders import load_encoder
from soundalike.parts import MIX
from soundalike.preferences.estimators import Fit, Method
from soundalike.preferences.evaluation import right
from soundalike.preferences.intervals import mcnemar
from soundalike.preferences.noise_ceiling import ceiling
from soundalike.preferences.triplets import KINDS, Perspective, check_cut_off
from soundalike.research.clips.clip_embedding import Clip
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import read_answers
from soundalike.research.reproduce.agreement import answers_table
from soundalike.research.reproduce.clip_jobs import Embedding, jobs_for
from soundalike.research.reproduce.conditions import Stems, check_gate
from soundalike.research.reproduce.experiments import Case, Judgement, cosine_right, judge, of_kind
from soundalike.research.reproduce.figures import agreement_plot, calibration_plot, learning_plot, weights_plot
from soundalike.research.reproduce.fit_tables import agreement_table, counted_share
from soundalike.research.reproduce.paper_tables import Tell, duration_words
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.tables import percent
from soundalike.research.reproduce.triplet_features import features, usable
from soundalike.research.reproduce.weight_tables import apart_words, weights_table
from soundalike.similarity.profiles import Profile
from soundalike.similarity.weights import checked


@dataclass(frozen=True)
class OwnTest:
    """What to fit.

    answers: the CSV file; audio: the folder that its paths are relative to; stems: the row; method; cut_off: agreement
    from which a triplet has a label and is tested on; perspective: which answers; gate: dB, None for no gate.
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
class Fitted:
    """profile: for `similar --profile`; judgement: the method tested in every way; report."""

    profile: Profile
    judgement: Judgement
    report: Report


def fit_own(
    test: OwnTest, cache: Path, name: str, *, runtime: Runtime | None = None, tell: Tell | None = None
) -> Fitted:
    """Fit weights to answers; `name`: the profile's. Raises InputError where there is too little to learn from; clips that
    cannot be used are named in the report."""
    tell, runtime = tell or Tell(), runtime or Runtime()
    check_cut_off(test.cut_off)
    check_gate(test.gate)
    answers = read_answers(test.answers)
    mixes = [triplet for triplet in answers.triplets if triplet.part == MIX]
    if not mixes:
        raise InputError(
            f"all triplets of {test.answers} compare single parts (their clips lie in folders called after parts); weights "
            "are learnt on whole mixtures"
        )
    if not test.audio.is_dir():
        raise InputError(
            f"{test.audio} is no folder; name the one that the paths in {test.answers.name} are relative to"
        )
    (job,) = jobs_for([], mixes, [test.stems])
    encoder = load_encoder(test.encoder, runtime)

    def find(clip: str) -> Clip:
        path = test.audio / clip
        if not path.is_file():
            raise AudioError(f"there is no file {path}")
        return Clip(path)

    with VectorCache(cache) as kept:
        embedding = Embedding({test.encoder: encoder}, kept, find, runtime=runtime)
        seconds = embedding.estimate([job])
        tell.words(f"{len(job.clips)} clips, about {duration_words(seconds)}; what is embedded is kept in {cache}")
        vectors = embedding.run(job, tell.progress)[test.encoder]
    chosen = usable(mixes, vectors)
    if not chosen:
        first = next(iter(embedding.problems.values()), "no clip could be embedded")
        raise AudioError(f"no triplet's audio could be used: {first}")
    values = features(chosen, vectors, test.gate)
    case = Case(
        test.encoder,
        test.stems.name,
        test.stems.title,
        test.gate,
        job.parts,
        tuple(chosen),
        values,
        test.cut_off,
        test.perspective,
    )
    judgement = judge(case, [test.method], report=tell.words)
    if test.method.name in judgement.failed:
        raise InputError(judgement.failed[test.method.name])
    profile = _profile(test, name, judgement, _median_seconds(find, job.clips), runtime)
    made_of = {
        "answers": f"{test.answers.name}: {answers.answers:,} of {answers.subjects} subjects",
        "triplets": f"{len(chosen)} of {len(mixes)} mix triplets could be used"
        + (
            f"; {len(answers.triplets) - len(mixes)} of single parts are left out"
            if len(mixes) < len(answers.triplets)
            else ""
        ),
        "encoder": f"{test.encoder}, version {encoder.version}",
        "stems": test.stems.title,
        "method": f"{test.method.name}: {test.method.summary}",
        "perspective": test.perspective,
    }
    plots = [weights_plot(judgement), agreement_plot(test.encoder, [judgement])]
    plots += [plot for plot in (calibration_plot(judgement), learning_plot(judgement)) if plot is not None]
    report = Report(
        f"Weights learnt from {test.answers.name}",
        made_of,
        _beware(test),
        (
            agreement_table(test.encoder, [judgement]),
            weights_table([judgement]),
            answers_table(mixes, (test.cut_off,), parts=(MIX,)),
        ),
        tuple(plots),
        embedding.problems,
    )
    return Fitted(profile, judgement, report)


def headlines(fitted: Fitted, method: str) -> list[str]:
    """What the report comes to, a line each."""
    judgement = fitted.judgement
    found, cosine = judgement.apart[method], cosine_right(judgement)
    hits, tested = right(judgement.judged, found.predictions), found.tested
    lines = []
    if found.failed:
        lines.append(
            f"for {found.failed} of {found.failed + int(tested.sum())} triplets too little is left to fit to: not tested"
        )
    for name, chosen in (("all", tested), *((kind, tested & of_kind(judgement, kind)) for kind in KINDS)):
        if chosen.any() and (name == "all" or chosen.sum() < tested.sum()):
            lines.append(
                f"{name}: these weights {counted_share(hits[chosen])}, the cosine of the mix {counted_share(cosine[chosen])}"
            )
    case = judgement.case
    top = percent(ceiling(case.triplets, case.cut_off, case.perspective))
    lines.append(
        f"a perfect model of all listeners would agree with {top:.1f} %"
        if np.isfinite(top)
        else "what a perfect model would reach cannot be told: too few triplets were answered by several listeners"
    )
    if tested.any():
        test = mcnemar(hits[tested], cosine[tested])
        better, worse = test.only_first > test.only_second, test.only_first < test.only_second
        shown = ("better" if better else "worse") if test.p < 0.05 and (better or worse) else "not shown to be better"
        lines.append(
            f"{shown} than the cosine of the mix: {test.only_first} triplets are right with the weights alone, "
            f"{test.only_second} with the cosine alone (McNemar, p = {test.p:.3f})"
        )
    return [*lines, *filter(None, [apart_words(judgement)])]


def _beware(test: OwnTest) -> tuple[str, ...]:
    return (
        "Each file counts as a track of its own unless it is named as in Inst-Sim-ABX (X_1913-28.wav), so files "
        "cut from the same music share it unseen.",
        f"Triplets with agreement of {test.cut_off:.0%} or more are tested on; models of votes learn from the others too.",
        "The weights act on raw cosines of this encoder and these stems, and on no others.",
    )


def _profile(test: OwnTest, name: str, judgement: Judgement, seconds: float, runtime: Runtime) -> Profile:
    fit: Fit = judgement.whole[test.method.name]
    parts = judgement.case.parts
    intervals = fit.intervals()
    found = judgement.apart[test.method.name]
    hits = right(judgement.judged, found.predictions)[found.tested]
    return Profile(
        name=name,
        encoder=test.encoder,
        separator=test.stems.separator,
        weights=checked(dict(zip(parts, fit.weights.tolist(), strict=True)), parts),
        method=f"{test.method.name}, no intercept, {fit.triplets} triplets"
        + (f", penalty {fit.alpha:g}" if fit.alpha else ""),
        source="fitted by soundalike",
        data=f"{test.answers.name}, {test.perspective} answers",
        clip_seconds=round(seconds, 3),
        agreement=float(hits.mean()) if len(hits) else None,
        intervals={}
        if intervals is None
        else {part: (float(low), float(high)) for part, (low, high) in zip(parts, intervals, strict=True)},
        notes=f"Agreement: leave-one-out without shared tracks, {int(hits.sum())} of {len(hits)}. Precision {runtime.precision}.",
    )


def _median_seconds(find: Callable[[str], Clip], clips: Sequence[str]) -> float:
    """The median length (s) of the clips that can be read."""
    lengths = []
    for clip in clips:
        with contextlib.suppress(AudioError):
            lengths.append(decode.probe(find(clip).path).duration)
    return float(np.median(lengths))
