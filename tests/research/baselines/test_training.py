"""Whole trainings, with tiny networks: they resume exactly, and learn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: train")

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import InputError, SoundalikeError  # noqa: E402
from soundalike.models.encoders.trained.trained_file import read_trained  # noqa: E402
from soundalike.research.baselines import training_loop  # noqa: E402
from soundalike.research.baselines.training import check_space, estimate, prepare_training, train  # noqa: E402
from soundalike.research.baselines.training_options import TrainingOptions  # noqa: E402
from soundalike.research.baselines.triplet_loss import (  # noqa: E402
    all_triplets_loss,
    distances,
    invariance_loss,
    mixtures_of,
    ordered_correctly,
    triplet_loss,
)
from soundalike.research.reproduce.clip_jobs import Callbacks  # noqa: E402
from tests.research.baselines.made_up_tracks import write_tracks  # noqa: E402
from tests.research.reproduce.made_up import run_command  # noqa: E402

pytestmark = pytest.mark.neural


@pytest.fixture(scope="module")
def slakh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("slakh")
    write_tracks(root, 4)
    return root


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(slakh: Path, out: Path, system: str = "dcsn", **changes: Any) -> TrainingOptions:
    values: dict[str, Any] = {"parts": ("bass", "drums"), "width": 1 / 32, "clip": 1.0, "batch": 2, "steps": 3}
    return TrainingOptions(system, slakh, out, joint_steps=2, runtime=Runtime("cpu"), **values | changes)


def curves(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "curves.jsonl").read_text().splitlines()]


class InterruptedRunError(Exception):
    pass


@pytest.mark.parametrize("system", ["dcsn", "cascade"])
def test_an_interrupted_training_ends_with_the_same_network(
    slakh: Path, tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "SAVE_SECONDS", -1.0)  # after every step
    schedule = "cosine" if system == "dcsn" else "constant"
    made = options(slakh, tmp_path / "whole", system, schedule=schedule)
    whole = read_trained(train(prepare_training(made, Callbacks())), system)
    stops = [2, 1] if system == "dcsn" else [2, 5, 7, 1]
    for stop in [*stops, 10_000]:
        steps = 0

        def count(progress: Any, stop: int = stop) -> None:
            nonlocal steps
            steps += progress.unit == "steps"
            if steps == stop:
                raise InterruptedRunError

        prepared = prepare_training(replace(made, out=tmp_path / "parts"), Callbacks(on_progress=count))
        if stop < 10_000:
            with pytest.raises(InterruptedRunError):
                train(prepared)
        else:
            resumed = read_trained(train(prepared), system)
    for name, values in whole.network.state_dict().items():
        torch.testing.assert_close(resumed.network.state_dict()[name], values, msg=name)
    timeless = [
        [{k: v for k, v in line.items() if k != "processor_seconds"} for line in curves(tmp_path / folder)]
        for folder in ("whole", "parts")
    ]
    assert timeless[0] == timeless[1]
    stages = list(dict.fromkeys(line["stage"] for line in timeless[0]))
    parts = ("bass", "drums")
    kinds = ("separator of {}", "embedding of {}", "{} end to end")
    assert stages == (["dcsn"] if system == "dcsn" else [kind.format(part) for part in parts for kind in kinds])


def test_training_lowers_the_loss(slakh: Path, tmp_path: Path) -> None:
    train(prepare_training(options(slakh, tmp_path, batch=4, steps=40, rate=1e-2), Callbacks()))
    losses = [line["triplet"] for line in curves(tmp_path)]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


def test_recombined_mixtures_teach_to_hear_a_part_through_the_others(slakh: Path, tmp_path: Path) -> None:
    chosen = options(slakh, tmp_path, batch=6, steps=40, rate=1e-2, recombine=True)
    prepared = prepare_training(chosen, Callbacks())
    source, parts = prepared.data.training, chosen.architecture.parts
    triplets = source.sampler.draw_many(60, np.random.default_rng(0), 1.0)
    waveforms = torch.from_numpy(np.stack(mixtures_of(source.audio, triplets)))
    numbers = torch.tensor([parts.index(triplet.part) for triplet in triplets] * 3)

    def agreement() -> float:
        prepared.network.eval()
        with torch.inference_mode():
            vectors = prepared.network(waveforms)[torch.arange(len(numbers)), numbers]
        return float(ordered_correctly(vectors).float().mean())

    before = agreement()
    train(prepared)
    assert agreement() > before + 0.2
    with pytest.raises(InputError, match="recombine was True, now None"):
        train(prepare_training(replace(chosen, recombine=False), Callbacks()))


@pytest.mark.long
def test_recombined_mixtures_teach_cascade_to_hear_a_part_through_the_others(slakh: Path, tmp_path: Path) -> None:
    chosen = options(slakh, tmp_path, "cascade", parts=("bass",), batch=4, steps=30, rate=1e-2, recombine=True)
    prepared = prepare_training(chosen, Callbacks())
    source = prepared.data.training
    triplets = source.sampler.draw_many(40, np.random.default_rng(0), 1.0)
    waveforms = torch.from_numpy(np.stack(mixtures_of(source.audio, triplets)))

    def agreement() -> float:
        prepared.network.eval()
        with torch.inference_mode():
            return float(ordered_correctly(prepared.network(waveforms)[:, 0]).float().mean())

    before = agreement()
    train(prepared)
    assert agreement() > before + 0.2
    assert read_trained(tmp_path / "cascade.pt", "cascade").provenance["recombine"]


@pytest.mark.parametrize("stage", ["embedding of bass", "bass end to end"])
def test_recombined_mixtures_are_all_that_the_triplet_losses_of_cascade_compare(
    slakh: Path, tmp_path: Path, stage: str
) -> None:
    prepared = prepare_training(options(slakh, tmp_path, "cascade", batch=3, recombine=True), Callbacks())
    (found,) = (one for one in prepared.stages if one.name == stage)
    mixtures, *stems, tracks = found.load(np.random.default_rng(0))
    assert mixtures.shape == (9, 44_100)
    assert tracks.shape == (9,)
    assert len(set(tracks[tracks >= 0].tolist())) > 1
    losses = found.losses([torch.from_numpy(array) for array in (mixtures, *stems, tracks)])
    assert set(losses) == ({"separation", "triplet"} if stems else {"triplet"})
    losses["triplet"].backward()
    moved = any(values.grad is not None for values in prepared.network.of_part["bass"].separator.parameters())
    assert moved == bool(stems)  # the embedding learns by itself from what a finished separator lets through
    none = found.losses([torch.from_numpy(array) for array in (mixtures, *stems, np.full_like(tracks, -1))])
    assert none["triplet"].item() == 0.0  # the accompaniment alone says nothing


@pytest.mark.parametrize("system", ["dcsn", "cascade"])
def test_curves_show_the_agreement_on_the_tracks_for_validation(tmp_path: Path, system: str) -> None:
    write_tracks(tmp_path, 3)
    write_tracks(tmp_path, 3, "validation", first=1501)
    train(prepare_training(options(tmp_path, tmp_path / "out", system, parts=("drums",)), Callbacks()))
    measured = {
        line["stage"]: line["validation_agreement"]
        for line in curves(tmp_path / "out")
        if "validation_agreement" in line
    }
    assert list(measured) == (["dcsn"] if system == "dcsn" else ["embedding of drums", "drums end to end"])
    assert all(0 <= share <= 1 for share in measured.values())


def test_curves_compare_the_separator_with_silence_on_the_tracks_for_validation(tmp_path: Path) -> None:
    write_tracks(tmp_path, 3)
    write_tracks(tmp_path, 3, "validation", first=1501)
    prepared = prepare_training(options(tmp_path, tmp_path / "out", "cascade", parts=("drums",)), Callbacks())
    train(prepared)
    lines = [line for line in curves(tmp_path / "out") if "validation_separation" in line]
    assert [line["stage"] for line in lines] == ["separator of drums"]
    stage, separator = prepared.stages[0], prepared.network.of_part["drums"].separator
    assert stage.validate is not None
    with torch.no_grad():
        separator.up[-1][0].weight.zero_()
        separator.up[-1][0].bias.fill_(-30.0)  # the mask is zero
    measured = stage.validate()
    silence = measured["validation_separation_of_silence"]
    assert silence > 0.0
    assert measured["validation_separation"] == pytest.approx(silence, rel=1e-4)
    with torch.no_grad():
        separator.up[-1][0].bias.fill_(30.0)  # the mask is one, and the rest of the mixtures remains
    assert stage.validate()["validation_separation"] != pytest.approx(silence, rel=1e-2)
    assert lines[0]["validation_separation_of_silence"] == pytest.approx(silence, rel=1e-3)


def test_another_seed_gives_another_network(slakh: Path, tmp_path: Path) -> None:
    paths = [train(prepare_training(options(slakh, tmp_path / str(s), seed=s), Callbacks())) for s in (0, 1)]
    first, second = (read_trained(path, "dcsn").network.state_dict()["network.linear.weight"] for path in paths)
    assert not torch.equal(first, second)


def test_other_settings_do_not_continue_a_training(slakh: Path, tmp_path: Path) -> None:
    train(prepare_training(options(slakh, tmp_path), Callbacks()))
    with pytest.raises(InputError, match="steps was 3, now 4"):
        train(prepare_training(options(slakh, tmp_path, steps=4), Callbacks()))


def test_a_full_disk_is_explained(slakh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    prepared = prepare_training(options(slakh, tmp_path), Callbacks())
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(SoundalikeError, match=r"No space left.*run the same command again"):
        train(prepared)
    with pytest.raises(InputError, match=r"GiB free.*--out"):
        check_space(tmp_path / "new" / "folder", 1 << 60)


def test_a_loss_that_is_not_finite_stops_the_training(slakh: Path, tmp_path: Path) -> None:
    prepared = prepare_training(options(slakh, tmp_path), Callbacks())
    stage = replace(prepared.stages[0], losses=lambda batch: {"triplet": prepared.network(batch[0]).sum() * torch.nan})
    with pytest.raises(SoundalikeError, match="not finite"):
        prepared.run.train([stage])


def test_an_estimate_does_not_change_the_network(slakh: Path, tmp_path: Path) -> None:
    prepared = prepare_training(options(slakh, tmp_path, "cascade"), Callbacks())
    before = {name: values.clone() for name, values in prepared.network.state_dict().items()}
    found = estimate(prepared)
    assert found.seconds > 0
    assert found.disk > sum(values.numel() * values.element_size() for values in before.values())
    for name, values in prepared.network.state_dict().items():
        assert torch.equal(values, before[name])


def test_the_triplet_loss_is_torch_s() -> None:
    vectors = torch.randn(12, 8, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.triplet_margin_loss(*vectors.chunk(3), margin=0.2)
    torch.testing.assert_close(triplet_loss(vectors), expected, atol=1e-4, rtol=0)
    weights = torch.tensor([1.0, 0.0, 0.0, 0.0])
    one = torch.nn.functional.triplet_margin_loss(*(v[:1] for v in vectors.chunk(3)), margin=0.2)
    torch.testing.assert_close(triplet_loss(vectors, weights), one, atol=1e-4, rtol=0)
    anchor, positive, negative = vectors.chunk(3)
    nearer = (anchor - positive).norm(dim=1) < (anchor - negative).norm(dim=1)
    assert torch.equal(ordered_correctly(vectors), nearer)


def test_the_loss_of_all_triplets_is_the_mean_over_those_that_are_not_ordered() -> None:
    vectors = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    labels = [0, 0, 0, 1, 1, 2, -1, -1, 2]
    losses = [
        max(0.0, float(distances(vectors[a], vectors[p]) - distances(vectors[a], vectors[n])) + 0.2)
        for a in range(9)
        for p in range(9)
        for n in range(9)
        if a != p and min(labels[a], labels[n]) >= 0 and labels[a] == labels[p] != labels[n]
    ]
    expected = np.mean([loss for loss in losses if loss > 0])
    assert 0 < len([loss for loss in losses if loss > 0]) < len(losses)
    assert float(all_triplets_loss(vectors, torch.tensor(labels))) == pytest.approx(expected, abs=1e-5)


def test_the_invariance_loss_is_the_ratio_of_mean_distances() -> None:
    generator = torch.Generator().manual_seed(4)
    vectors = torch.randn(7, 5, generator=generator, dtype=torch.float64).requires_grad_(True)
    labels = torch.tensor([0, 0, 1, 1, 1, -1, 2])
    alike, unlike = [], []
    for a in range(7):
        for b in range(a):
            if labels[a] >= 0 and labels[b] >= 0:
                between = float((vectors[a] - vectors[b]).detach().norm())
                (alike if labels[a] == labels[b] else unlike).append(between)
    found = invariance_loss(vectors, labels)
    assert float(found.detach()) == pytest.approx(np.mean(alike) / np.mean(unlike))
    assert float(invariance_loss(10 * vectors, labels).detach()) == pytest.approx(float(found.detach()))
    found.backward()
    assert torch.isfinite(vectors.grad).all()
    assert not vectors.grad[5].any()  # the part is silent there
    assert float(invariance_loss(vectors, torch.zeros(7, dtype=torch.long)).detach()) == 0.0


def test_the_invariance_loss_is_a_curve_of_its_own(slakh: Path, tmp_path: Path) -> None:
    for weight in (0.0, 1.0, 2.0):
        train(
            prepare_training(
                options(slakh, tmp_path / str(weight), recombine=True, invariance=weight, steps=1), Callbacks()
            )
        )
    plain, once, twice = (curves(tmp_path / str(weight))[0] for weight in (0.0, 1.0, 2.0))
    assert "invariance" not in plain
    assert twice["invariance"] == pytest.approx(2 * once["invariance"], rel=1e-4) != 0.0
    assert once["triplet"] == plain["triplet"]


def test_the_invariance_loss_needs_recombined_mixtures(slakh: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--recombine"):
        options(slakh, tmp_path, invariance=1.0)


def test_rates_follow_the_schedule(slakh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    step = torch.optim.Adam.step

    def record(optimiser: torch.optim.Adam, *arguments: Any) -> Any:
        rates.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", record)
    for schedule in ("constant", "cosine"):
        made = options(slakh, tmp_path / schedule, schedule=schedule, rate=1e-3, steps=4)
        train(prepare_training(made, Callbacks()))
    assert rates[:4] == [1e-3] * 4
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    torch_s = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 4)
    for rate in rates[4:]:
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        torch_s.step()
    assert len(rates) == 8
    with pytest.raises(InputError, match="--schedule"):
        options(slakh, tmp_path, schedule="linear")


def test_the_gradient_of_the_loss_of_all_triplets_is_finite() -> None:
    vectors = torch.ones(4, 3, requires_grad=True)
    for labels in ([-1, -1, -1, -1], [0, 1, 2, 3], [0, 0, 1, 1]):
        vectors.grad = None
        all_triplets_loss(vectors, torch.tensor(labels)).backward()
        assert vectors.grad is not None
        assert vectors.grad.isfinite().all()


def test_the_gradient_at_equal_vectors_is_finite() -> None:
    vectors = torch.ones(3, 4, requires_grad=True)
    triplet_loss(vectors).backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()


def test_the_command_trains_and_says_what_it_will_take(slakh: Path, tmp_path: Path) -> None:
    small = ("--width", 1 / 32, "--clip", 1, "--batch", 2, "--part", "bass", "--device", "cpu")
    result = run_command("train", "dcsn", "--slakh", slakh, "--out", tmp_path, *small, "--steps", 1, "--estimate")
    assert result.exit_code == 0
    assert "on disk" in result.stderr
    assert not (tmp_path / "dcsn.pt").exists()
    result = run_command("train", "dcsn", "--slakh", slakh, "--out", tmp_path, *small, "--steps", 1)
    assert result.stdout.strip() == str(tmp_path / "dcsn.pt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--slakh", "nowhere"), "nowhere is not a folder.*zenodo"),
        (("--width", "0"), "--width is 0"),
        (("--part", "vocals"), "dcsn has no part 'vocals'"),
        (("--part", "piano"), "0 of 4 tracks have piano"),
        (("--device", "cuda:99"), "not available"),
        (("--memory", "much"), "not a size"),
    ],
)
def test_bad_arguments_are_explained(slakh: Path, tmp_path: Path, arguments: tuple[str, str], message: str) -> None:
    result = run_command("train", "dcsn", "--slakh", slakh, "--out", tmp_path, "--device", "cpu", *arguments)
    assert isinstance(result.exception, InputError)
    assert result.exception.args[0]
    assert re.search(message, str(result.exception))
