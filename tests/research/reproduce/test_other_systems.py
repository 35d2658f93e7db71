"""The systems that the paper compares with, end to end: D-CSN, Cascade, Cascade-PAFT and MERT, narrow."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.config import Runtime  # noqa: E402
from soundalike.models.encoders import ENCODERS, PartEncoder, load_encoder  # noqa: E402
from soundalike.models.encoders.trained.mel_spectra import magnitudes  # noqa: E402
from soundalike.models.encoders.trained.trained_file import read_trained  # noqa: E402
from soundalike.parts import MIX  # noqa: E402
from soundalike.preferences.estimators import METHODS  # noqa: E402
from soundalike.preferences.triplets import above_cut_off  # noqa: E402
from soundalike.research.baselines.preference_tuning import (  # noqa: E402
    ClipAudio,
    SeparatedClips,
    TuningOptions,
    split_answers,
    tune,
)
from soundalike.research.baselines.training import prepare_training, train  # noqa: E402
from soundalike.research.baselines.training_options import TrainingOptions  # noqa: E402
from soundalike.research.baselines.training_triplets import TripletSampler  # noqa: E402
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations  # noqa: E402
from soundalike.research.datasets.slakh import ClipCut, Slakh  # noqa: E402
from soundalike.research.reproduce.clip_jobs import Callbacks  # noqa: E402
from soundalike.research.reproduce.conditions import get_stems  # noqa: E402
from soundalike.research.reproduce.pipeline import ReproduceOptions, reproduce  # noqa: E402
from soundalike.research.reproduce.report import Report  # noqa: E402
from soundalike.synth.miniature_inst_sim_abx import write_inst_sim_abx  # noqa: E402
from soundalike.synth.miniature_slakh import write_slakh  # noqa: E402
from tests.models.neural.narrow_mert import narrow_mert  # noqa: E402
from tests.research.reproduce.conftest import Miniature  # noqa: E402
from tests.research.reproduce.test_pipeline import records  # noqa: E402

pytestmark = pytest.mark.neural

TRAINED = ("dcsn", "cascade", "cascade-paft")
SMALL = {"width": 1 / 32, "clip": 1.0, "batch": 2, "steps": 1, "joint_steps": 1}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory, miniature: Miniature) -> Miniature:
    """Tracks for training, with other kits and patches than those that are evaluated, and one of those; answers about them."""
    folder = tmp_path_factory.mktemp("others")
    tracks = write_slakh(folder / "slakh", seed=4, tracks=5, length=11.0, split="train", variants=(1, 2))
    seen = miniature.tracks[:1]
    (folder / "slakh" / "test").mkdir()
    (folder / "slakh" / "test" / seen[0].name).symlink_to(miniature.slakh / "test" / seen[0].name)
    tracks = (*tracks, *seen)
    write_inst_sim_abx(folder / "abx", tracks, mixes=2, parts=12)
    return Miniature(folder / "slakh", folder / "abx", tracks)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, miniature: Miniature, others: Miniature) -> Iterator[Path]:
    """All systems trained for a step on the miniature Slakh, and MERT with random weights. PAFT: about other tracks."""
    folder, root = tmp_path_factory.mktemp("checkpoints"), tmp_path_factory.mktemp("slakh")
    (root / "train").symlink_to(miniature.slakh / "test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CHECKPOINTS", str(folder))
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        load = functools.cache(lambda runtime: narrow_mert(folder, runtime))
        patch.setitem(ENCODERS, "mert", replace(ENCODERS["mert"], load=load))
        for system in ("dcsn", "cascade"):
            options = TrainingOptions(system, root, folder / system, runtime=Runtime("cpu", threads=1), **SMALL)
            train(prepare_training(options, Callbacks()))
        tune(tuning(others, folder / "cascade-paft"), Callbacks())
        yield folder


def tuning(others: Miniature, out: Path) -> TuningOptions:
    runtime = Runtime("cpu", threads=1)
    return TuningOptions(
        others.slakh, others.answers, out, held_out=0.2, cut_off=0.5, steps=1, batch=2, seed=1, runtime=runtime
    )


@pytest.fixture(scope="module")
def report(checkpoints: Path, miniature: Miniature) -> Report:
    options = ReproduceOptions(
        miniature.answers,
        miniature.slakh,
        (*TRAINED, "mert"),
        (get_stems("true-4"),),
        (METHODS["ols"],),
        splits=3,
    )
    return reproduce(options, checkpoints / "vectors.sqlite", runtime=Runtime("cpu"))


def test_each_system_is_a_row_of_every_table(report: Report) -> None:
    assert report.problems == {}
    for name in (*TRAINED, "mert"):
        stems = "true stems, 4" if name == "mert" else "from the mixture"
        assert any(r["section"].startswith(f"{name}, XAB") for r in records(report, "table-1", row="agreement"))
        rows = {r["row"] for r in records(report, f"weights-{name}", section="Agreement over")}
        gated = {f"{stems}, gated at -40 dB"}  # nothing is known of levels in a mixture
        assert rows - gated == {stems}
        assert name == "mert" or not rows & gated
        assert any(r["section"] == f"{name}, {stems}" for r in records(report, "table-4", row="ols, mean"))
    assert "Euclidean" in report.provenance["encoder dcsn"]
    assert "Euclidean" not in report.provenance["encoder mert"]


def test_parts_come_from_the_mixture_and_only_those_that_a_system_has(report: Report) -> None:
    rows = [r for r in records(report, "table-1", row="agreement") if "80%" in r["section"]]
    columns = {name: {r["column"] for r in rows if r["section"].startswith(f"{name}, ")} for name in TRAINED[:2]}
    assert columns["dcsn"] - columns["cascade"] == {"residuals"}
    weights = {r["column"] for r in records(report, "table-4", row="ols, mean") if r["section"].startswith("cascade,")}
    assert weights == {"bass", "drums", "guitar", "piano", "mix"}


def test_a_tuned_system_records_its_tracks(checkpoints: Path, others: Miniature, tmp_path: Path) -> None:
    encoder = load_encoder("cascade-paft", Runtime("cpu"))
    assert isinstance(encoder, PartEncoder)
    triplets = read_answers(others.answers).triplets
    parts = [part for part in encoder.parts if part != "mix"]
    answers, used = split_answers(triplets, parts, tuning(others, tmp_path))
    assert encoder.tuned_tracks == used
    for split in answers.values():
        tuned = {track for t in split.tuned for track in t.tracks}
        assert tuned <= used
        assert tuned.isdisjoint(track for t in split.held_out for track in t.tracks)


@pytest.mark.parametrize("recombine", [False, True])
def test_tuning_goes_on_with_the_mixtures_that_cascade_was_trained_with(
    others: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recombine: bool
) -> None:
    base = TrainingOptions(
        "cascade",
        others.slakh,
        tmp_path / "base",
        parts=("drums",),
        recombine=recombine,
        runtime=Runtime("cpu", threads=1),
        **SMALL,
    )
    path = train(prepare_training(base, Callbacks()))
    drawn: list[str | None] = []
    draw = TripletSampler.draw_recombined

    def count(sampler: TripletSampler, number: int, rng: np.random.Generator, part: str | None = None) -> Any:
        drawn.append(part)
        return draw(sampler, number, rng, part)

    monkeypatch.setattr(TripletSampler, "draw_recombined", count)
    tune(replace(tuning(others, tmp_path / "tuned"), base=path), Callbacks())
    assert drawn == (["drums"] if recombine else [])


def test_the_weight_of_the_preferences_decides_what_tuning_minimises(
    checkpoints: Path, others: Miniature, tmp_path: Path
) -> None:
    found = {}
    for weight in (0.0, 1.0, 2.0):
        out = tmp_path / str(weight)
        tune(replace(tuning(others, out), weight=weight), Callbacks())
        line = json.loads((out / "curves.jsonl").read_text(encoding="utf-8").splitlines()[0])
        found[weight] = line
    assert "preference" not in found[0.0]
    assert found[1.0]["preference"] > 0.0
    assert found[2.0]["preference"] == pytest.approx(2 * found[1.0]["preference"], rel=1e-4)


def test_a_fixed_separator_is_not_tuned_and_separates_each_clip_once(
    checkpoints: Path, others: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    separated: list[ClipCut] = []
    mixture_at = ClipAudio.mixture_at

    def count(clips: ClipAudio, cut: ClipCut) -> Any:
        separated.append(cut)
        return mixture_at(clips, cut)

    monkeypatch.setattr(ClipAudio, "mixture_at", count)
    base_path = checkpoints / "cascade" / "cascade.pt"
    options = replace(tuning(others, tmp_path), held_out=0.0, steps=4, scale=100.0, preferences=6, fix_separator=True)
    tuned = read_trained(tune(options, Callbacks()), "cascade-paft").network.state_dict()
    base = read_trained(base_path, "cascade").network.state_dict()
    parts = {name.split(".")[1] for name in base}
    assert max(Counter(separated).values()) <= len(parts)  # once for each part, though triplets are drawn 24 times
    for name, values in base.items():
        changed = not torch.equal(values, tuned[name])
        assert changed == (".embedding." in name), name
    lines = (tmp_path / "curves.jsonl").read_text(encoding="utf-8").splitlines()
    assert all({"preference", "triplet"} <= set(json.loads(line)) for line in lines)
    assert not any("separation" in json.loads(line) for line in lines)


def test_excerpts_of_separated_clips_are_those_of_the_mixture_as_a_whole(checkpoints: Path, others: Miniature) -> None:
    network = read_trained(checkpoints / "cascade" / "cascade.pt", "cascade").network.of_part["drums"]
    names = [t.reference for t in read_answers(others.answers).triplets if t.part == "drums"][:3]
    clips = ClipAudio(Slakh(others.slakh), read_configurations(others.answers), names)
    separated = SeparatedClips(network, clips, names, torch.device("cpu"))
    whole = magnitudes(torch.from_numpy(clips.mixture(names[1]))[None])
    expected = network.mel.power(network.eval().separate(whole))[0]
    frames = expected.shape[1]
    for share, start in ((0.0, 0), (0.5, (frames - 39) // 2), (0.999999, frames - 40)):
        found = separated.excerpt(separated.number(names[1]), share, 40)
        torch.testing.assert_close(found, expected[:, start : start + 40])
    assert separated.excerpt(0, 0.9, 10_000).shape == expected.shape  # an excerpt is never longer than the clip


def test_a_finished_tuning_is_not_repeated(checkpoints: Path, others: Miniature, tmp_path: Path) -> None:
    options = tuning(others, tmp_path)
    tune(options, Callbacks())
    curves = (tmp_path / "curves.jsonl").read_bytes()
    tune(options, Callbacks())
    assert (tmp_path / "curves.jsonl").read_bytes() == curves


def test_a_tuned_system_is_not_evaluated_on_the_tracks_it_was_tuned_to(
    checkpoints: Path, report: Report, miniature: Miniature
) -> None:
    encoder = load_encoder("cascade-paft", Runtime("cpu"))
    assert isinstance(encoder, PartEncoder)
    both = encoder.tuned_tracks & {track.name for track in miniature.tracks}
    assert both == {miniature.tracks[0].name}
    mixes = [triplet for triplet in read_answers(miniature.answers).triplets if triplet.part == MIX]
    for kind in ("XAB", "XYC"):
        kept = above_cut_off([triplet for triplet in mixes if triplet.kind == kind], 0.8)
        left = [t for t in kept if both.isdisjoint(t.tracks)]
        assert 0 < len(left) < len(kept)
        for name, expected in (("cascade", kept), ("cascade-paft", left)):
            section = f"{name}, {kind}, agreement of 80%"
            (found,) = records(report, "table-1", section=section, row="agreement", column=MIX)
            assert found["total"] == len(expected)


def test_a_part_s_vector_is_that_of_the_whole_mixture(checkpoints: Path, miniature: Miniature, tmp_path: Path) -> None:
    from soundalike.audio import decode
    from soundalike.research.clips.clip_embedding import Clip, ClipEmbedder
    from soundalike.research.clips.vector_cache import VectorCache

    encoder = load_encoder("dcsn", Runtime("cpu"))
    assert isinstance(encoder, PartEncoder)
    path = miniature.slakh / "test" / miniature.tracks[0].name / "mix.flac"
    expected = encoder.embed_parts([decode.read(path, 2.0, 3.0).mono()])[0]
    with VectorCache(tmp_path / "vectors.sqlite") as cache:
        for parts in (("drums",), encoder.parts):  # the second time from the cache, which has all parts
            found = ClipEmbedder({"dcsn": encoder}, None, parts, cache).embed(Clip(path, 2.0, 3.0))["dcsn"]
            for part, vector in zip(found.parts, found.vectors, strict=True):
                np.testing.assert_allclose(vector, expected[encoder.parts.index(part)], atol=1e-5)
        assert len(cache) == len(encoder.parts)
