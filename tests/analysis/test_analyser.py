"""One file -> vectors, with small models whose results are known by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile as sf

from soundalike.analysis import segments
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.analysis.window_selection import selection_version
from soundalike.errors import AudioError, CheckpointError, InputError, LibraryError
from soundalike.models.encoders import ENCODERS, Embeddings, EncoderRow, Samples
from soundalike.models.separators import SEPARATORS, SeparatorRow

RATE = 8_000
D = 4


class LevelEncoder:
    """Embeds a sound as the direction (RMS, length in s, 1, 0): any two different sounds differ."""

    name, version, sample_rate, dimension, clip_seconds = "level", "1", RATE, D, None

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        rows = np.array(
            [[np.sqrt(np.mean(np.square(w))) if len(w) else 0, len(w) / RATE, 1, 0] for w in waveforms],
            dtype=np.float32,
        )
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class QuarterSeparator:
    """Returns a quarter of the mixture as drums, a ten-thousandth as bass, the rest as residuals; records its input."""

    name, version, parts, sample_rate, channels, context = "quarter", "1", ("bass", "drums", "residuals"), RATE, 1, 1.0
    segment_seconds = 600.0
    fed: list[float]

    def __init__(self) -> None:
        self.fed = []

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        self.fed.append(mixture.shape[1] / RATE)
        drums, bass = mixture / 4, mixture / 10_000
        return {"bass": bass, "drums": drums, "residuals": mixture - drums - bass}


@pytest.fixture
def small_models(monkeypatch: pytest.MonkeyPatch) -> QuarterSeparator:
    separator = QuarterSeparator()
    monkeypatch.setitem(ENCODERS, "level", EncoderRow(lambda _: LevelEncoder(), "", ""))
    monkeypatch.setitem(SEPARATORS, "quarter", SeparatorRow(lambda _: separator, "", (), ""))
    return separator


@pytest.fixture
def analyser(small_models: QuarterSeparator) -> Analyser:
    return Analyser(make_recipe("level", "quarter"))


def noise(seconds: float, level: float = 0.1, seed: int = 1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def written(folder: Path, samples: np.ndarray, name: str = "a.wav") -> Path:
    sf.write(folder / name, samples, RATE, subtype="FLOAT")
    return folder / name


def test_a_song_has_a_vector_for_each_window_and_part(analyser: Analyser, tmp_path: Path) -> None:
    found = analyser.analyse(written(tmp_path, noise(34.0)))
    assert found.kind == "song"
    assert found.parts == ("bass", "drums", "residuals", "mix")
    assert found.starts.tolist() == [0, 10, 20, 24]
    assert found.ends.tolist() == [10, 20, 30, 34]
    assert found.vectors.shape == (4, 4, D)
    assert found.duration == pytest.approx(34)


def test_a_part_far_below_its_mixture_is_absent(analyser: Analyser, tmp_path: Path) -> None:
    found = analyser.analyse(written(tmp_path, noise(30.0)))
    assert found.present.tolist() == [[False, True, True, True]] * 3
    assert not found.vectors[:, 0].any()
    np.testing.assert_allclose(np.linalg.norm(found.vectors[:, 1:], axis=2), 1, atol=1e-6)


def test_each_vector_is_that_of_its_stem_in_its_window(analyser: Analyser, tmp_path: Path) -> None:
    samples = np.concatenate([noise(10.0, 0.4), noise(10.0, 0.05, 2), noise(10.0, 0.2, 3)])
    found = analyser.analyse(written(tmp_path, samples))
    drums = found.parts.index("drums")
    for window in range(3):
        stem = samples[window * 10 * RATE : (window + 1) * 10 * RATE] / 4
        np.testing.assert_allclose(found.vectors[window, drums], LevelEncoder().embed([stem])[0], atol=1e-6)


def test_silent_windows_have_no_vectors(analyser: Analyser, tmp_path: Path) -> None:
    samples = np.concatenate([noise(10.0), np.zeros(10 * RATE, np.float32), noise(10.0)])
    assert analyser.analyse(written(tmp_path, samples)).starts.tolist() == [0, 20]


def test_what_is_silent_is_not_separated(
    analyser: Analyser, small_models: QuarterSeparator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_models, "segment_seconds", 10.0)
    samples = np.concatenate([noise(10.0), np.full(30 * RATE, 1e-5, np.float32), noise(10.0)])
    assert analyser.analyse(written(tmp_path, samples)).starts.tolist() == [0, 40]
    assert small_models.fed == [11.0, 12.0, 12.0, 11.0], "the silence beside the music is heard with its context"


@pytest.mark.parametrize("seconds", [0.5, 30.0])
def test_silent_files_are_rejected(analyser: Analyser, tmp_path: Path, seconds: float) -> None:
    path = written(tmp_path, np.zeros(round(seconds * RATE), np.float32))
    with pytest.raises(AudioError, match=r"a\.wav.*silent"):
        analyser.analyse(path)


def test_a_one_shot_is_embedded_whole_and_not_separated(
    analyser: Analyser, small_models: QuarterSeparator, tmp_path: Path
) -> None:
    hit = noise(0.5) * np.exp(-np.arange(RATE // 2) / 800).astype(np.float32)
    samples = np.concatenate([np.zeros(RATE // 10, np.float32), hit])
    found = analyser.analyse(written(tmp_path, samples))
    assert (found.kind, found.parts, small_models.fed) == ("one-shot", ("mix",), [])
    sounding = samples[np.abs(samples) > 1e-3 * np.abs(samples).max()]
    assert found.vectors.shape == (1, 1, D)
    # The leading silence is trimmed.
    length = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max())
    expected = LevelEncoder().embed([samples[length[0] : length[-1] + 1]])[0]
    np.testing.assert_allclose(found.vectors[0, 0], expected, atol=1e-6)
    assert len(sounding)


def test_the_kind_can_be_given(analyser: Analyser, tmp_path: Path) -> None:
    path = written(tmp_path, noise(3.0))
    assert analyser.analyse(path, "song").parts == analyser.recipe.parts
    assert analyser.analyse(path, "loop").parts == ("mix",)


def test_a_long_song_in_segments_gives_the_vectors_of_the_whole(
    analyser: Analyser, small_models: QuarterSeparator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, noise(65.0))
    whole = analyser.analyse(path)
    small_models.fed.clear()
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 25.0)
    parts = analyser.analyse(path)
    assert max(small_models.fed) <= 25.0 + 2 * small_models.context
    assert parts.starts.tolist() == whole.starts.tolist()
    np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-6)
    assert parts.duration == pytest.approx(whole.duration)
    assert parts.loudness == pytest.approx(whole.loudness, abs=0.01)


@pytest.mark.parametrize("parts", [None, ["mix"]])
def test_the_loudness_of_a_long_song_is_that_of_one_pass(
    analyser: Analyser, tmp_path: Path, parts: list[str] | None
) -> None:
    """610 s in two segments; the loud end must count as 10 s of 610 s, not as half of the song."""
    samples = np.concatenate([noise(600.0, 0.03), noise(10.0, 0.3, 2)])
    found = analyser.analyse(written(tmp_path, samples), parts=parts)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64))
    assert found.loudness == pytest.approx(expected, abs=0.01)
    assert found.duration == 610


def test_a_truncated_long_song_keeps_what_it_holds(
    analyser: Analyser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 25.0)
    path = tmp_path / "cut.flac"
    sf.write(path, noise(100.0), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 45 // 100])
    found = analyser.analyse(path)
    assert 35 < found.duration < 50
    assert found.starts.tolist() == [0, 10, 20, 30][: len(found.starts)]
    assert len(found.starts) >= 3
    assert found.ends[-1] <= found.duration + 0.01


def test_a_region_is_separated_with_its_context_and_cropped(
    analyser: Analyser, small_models: QuarterSeparator, tmp_path: Path
) -> None:
    samples = noise(30.0)
    found = analyser.analyse_region(written(tmp_path, samples), 12.0, 15.0)
    assert small_models.fed == [5.0]
    assert (found.starts.tolist(), found.ends.tolist()) == ([12.0], [15.0])
    expected = LevelEncoder().embed([samples[12 * RATE : 15 * RATE] / 4])[0]
    np.testing.assert_allclose(found.vectors[0, found.parts.index("drums")], expected, atol=1e-6)


def test_a_short_region_snaps_to_the_nearest_onset(analyser: Analyser, tmp_path: Path) -> None:
    samples = noise(5.0, 1e-3)
    samples[round(2.03 * RATE) : round(2.2 * RATE)] += noise(0.17, 0.3, 4)[: round(2.2 * RATE) - round(2.03 * RATE)]
    found = analyser.analyse_region(written(tmp_path, samples), 2.0, 2.1)
    assert found.starts[0] == pytest.approx(2.03, abs=0.01)
    assert found.ends[0] - found.starts[0] == pytest.approx(0.1)


@pytest.mark.parametrize(("start", "end"), [(-1.0, 2.0), (40.0, 50.0), (5.0, 5.0), (1.0, 1.01)])
def test_regions_outside_the_file_or_too_short_are_rejected(
    analyser: Analyser, tmp_path: Path, start: float, end: float
) -> None:
    with pytest.raises(InputError, match="region"):
        analyser.analyse_region(written(tmp_path, noise(30.0)), start, end)


def test_models_of_another_version_are_rejected_with_the_solution(small_models: QuarterSeparator) -> None:
    recipe = make_recipe("level", "quarter")
    older = Recipe.from_json({**recipe.to_json(), "encoder_version": "0"})
    with pytest.raises(LibraryError, match=r"encoder version 0, not 1.*--upgrade"):
        Analyser(older).load()


def test_only_requested_parts_are_embedded_and_the_mix_alone_is_not_separated(
    analyser: Analyser, small_models: QuarterSeparator, tmp_path: Path
) -> None:
    path = written(tmp_path, noise(34.0))
    whole = analyser.analyse(path)
    small_models.fed.clear()
    mix = analyser.analyse(path, parts=["mix"])
    assert small_models.fed == []
    assert mix.present.tolist() == [[False, False, False, True]] * 4
    np.testing.assert_array_equal(mix.vectors[:, 3], whole.vectors[:, 3])
    drums = analyser.analyse_region(path, 0.0, 34.0, parts=["drums"])
    assert drums.present.tolist() == [[False, True, False, False]] * 4
    np.testing.assert_allclose(drums.vectors[:, 1], whole.vectors[:, 1], atol=1e-6)
    assert not drums.vectors[:, 0].any()


def test_a_recipe_of_the_mix_alone_needs_no_separator(small_models: QuarterSeparator, tmp_path: Path) -> None:
    analyser = Analyser(make_recipe("level", "quarter", parts=["mix"]))
    analyser.load()
    found = analyser.analyse(written(tmp_path, noise(34.0)))
    assert (found.parts, found.vectors.shape, small_models.fed) == (("mix",), (4, 1, D), [])


def sections(*levels: float) -> np.ndarray:
    """Music of 10 s sections: a tone of its own and a pulse for each level, so that the sections sound different."""
    time = np.arange(10 * RATE) / RATE
    pieces = [
        level * np.sin(2 * np.pi * (200 + 2000 * level) * time) * (1 + np.sin(2 * np.pi * (1 + 20 * level) * time))
        for level in levels
    ]
    return np.concatenate(pieces).astype(np.float32)


def test_a_limited_number_of_windows_represents_the_song_and_only_they_are_separated(
    small_models: QuarterSeparator, tmp_path: Path
) -> None:
    path = written(tmp_path, sections(0.1, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4, 0.001, 0.1, 0.1))
    every = Analyser(make_recipe("level", "quarter")).analyse(path)
    small_models.fed.clear()
    few = Analyser(make_recipe("level", "quarter", windows=2)).analyse(path)
    assert len(few.starts) == 2
    assert sorted({0 <= start < 40 or start >= 80 for start in few.starts}) == [False, True], "one of each section"
    assert 70 not in few.starts, "the near-silent window represents nothing"
    assert sum(small_models.fed) <= 2 * 12, "two windows and their context"
    for start, vectors in zip(few.starts, few.vectors, strict=True):
        np.testing.assert_allclose(vectors, every.vectors[list(every.starts).index(start)], atol=1e-5)
    assert few.loudness == every.loudness
    assert few.duration == every.duration


def test_loaded_models_are_shared_with_another_recipe_of_the_same_models(analyser: Analyser) -> None:
    few = analyser.with_recipe(replace(analyser.recipe, windows=2, windows_version=selection_version()))
    assert few.encoder is analyser.encoder
    assert few.separator is analyser.separator
    for other in (replace(analyser.recipe, encoder_version="other"), replace(analyser.recipe, encoder="other")):
        with pytest.raises(LibraryError, match="other versions of the models"):
            analyser.with_recipe(other)


def test_selected_windows_of_a_long_file_are_those_of_the_whole(
    small_models: QuarterSeparator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, sections(0.1, 0.12, 0.4, 0.45, 0.2, 0.3, 0.14, 0.35))
    whole = Analyser(make_recipe("level", "quarter", windows=3)).analyse(path)
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 25.0)
    piecewise = Analyser(make_recipe("level", "quarter", windows=3)).analyse(path)
    np.testing.assert_array_equal(piecewise.starts, whole.starts)
    np.testing.assert_allclose(piecewise.vectors, whole.vectors, atol=1e-5)


def test_a_separator_gets_segments_of_its_maximal_length(
    small_models: QuarterSeparator, analyser: Analyser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, noise(64.0))
    whole = analyser.analyse(path)
    small_models.fed.clear()
    monkeypatch.setattr(QuarterSeparator, "segment_seconds", 20.0)
    pieces = analyser.analyse(path)
    assert len(small_models.fed) >= 3
    assert max(small_models.fed) <= 22.0 + 1e-6, "twenty seconds and the context"
    np.testing.assert_array_equal(pieces.starts, whole.starts)
    np.testing.assert_allclose(pieces.vectors, whole.vectors, atol=1e-6)
    joined, rate = analyser.stems(path)
    np.testing.assert_allclose(joined["drums"], analyser.stems(path, parts=["mix"])[0]["mix"] / 4, atol=1e-6)
    assert (len(joined["drums"]), rate) == (64 * RATE, RATE)


def test_an_encoder_without_text_names_those_that_have_it(analyser: Analyser) -> None:
    with pytest.raises(InputError, match=r"level has no text.*--encoder clap"):
        analyser.embed_text(["a dry snare"])


class BrokenEncoder(LevelEncoder):
    """Fails as a model with damaged weights does."""

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        raise CheckpointError("weights.pt is damaged")


def test_loading_reports_a_broken_model(small_models: QuarterSeparator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "level", EncoderRow(lambda _: BrokenEncoder(), "", ""))
    with pytest.raises(CheckpointError, match="damaged"):
        Analyser(make_recipe("level", "quarter")).load()


def test_the_overview_is_that_of_the_whole_file(analyser: Analyser, tmp_path: Path) -> None:
    samples = noise(34.0) * np.linspace(0, 1, 34 * RATE, dtype=np.float32)
    path = written(tmp_path, samples)
    low, high = analyser.analyse(path).peaks or pytest.fail("no overview")
    edges = np.arange(121) * len(samples) // 120
    expected = [samples[a:b].max() * 127 for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(high, expected, atol=0.51)
    assert (low[10:] < 0).all()
    assert analyser.analyse(path, with_facts=False).peaks is None


def test_the_overview_of_a_file_decoded_in_segments(
    analyser: Analyser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = noise(95.0) * np.linspace(0, 1, 95 * RATE, dtype=np.float32)
    path = written(tmp_path, samples)
    whole = analyser.analyse(path).peaks or pytest.fail("no overview")
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 30.0)
    pieces = analyser.analyse(path).peaks or pytest.fail("no overview")
    difference = np.abs(whole[1].astype(int) - pieces[1].astype(int))
    assert np.quantile(difference, 0.8) <= 1
    assert difference.max() <= 15


def _with_offset(tmp_path: Path, samples: Samples, offset: float, name: str) -> Path:
    path = tmp_path / f"{name}.wav"
    sf.write(path, (samples + np.float32(offset)).T, 44_100, "FLOAT")
    return path


@pytest.mark.parametrize("kind", ["one-shot", "loop", pytest.param("song", marks=pytest.mark.long)])
def test_an_offset_hardly_changes_vectors(tmp_path: Path, kind: str) -> None:
    times = np.arange(44_100 * 11) / 44_100
    beat = np.exp(-20 * (times % 0.5)) * np.random.default_rng(0).standard_normal((2, len(times)))
    samples = np.float32(0.1 * beat + 0.1 * np.sin(2 * np.pi * 220 * times))
    if kind != "song":
        samples = samples[:, : {"one-shot": 22_050, "loop": 88_200}[kind]]
    analyser = Analyser(make_recipe())
    plain, moved = (
        analyser.analyse(_with_offset(tmp_path, samples, offset, str(offset)), kind)  # type: ignore[arg-type]
        for offset in (0.0, 0.1)
    )
    cosines = np.einsum("nkd,nkd->nk", plain.vectors, moved.vectors)
    assert np.array_equal(plain.present, moved.present)
    assert plain.present.any()
    assert cosines[plain.present].min() > 0.98
    region = [
        analyser.analyse_region(_with_offset(tmp_path, samples, offset, str(offset)), 0.0, 0.4).vectors
        for offset in (0.0, 0.1)
    ]
    assert np.einsum("nkd,nkd->nk", *region).max() > 0.98


def test_a_library_from_before_keeps_the_offset(tmp_path: Path) -> None:
    samples = np.float32(np.random.default_rng(0).standard_normal((1, 8_000)) * np.exp(-np.arange(8_000) / 800) * 0.2)
    clean, moved = (_with_offset(tmp_path, samples, offset, str(offset)) for offset in (0.0, 0.1))
    now, before = Analyser(make_recipe()), Analyser(replace(make_recipe(), signal_version=""))
    np.testing.assert_array_equal(now.analyse(clean).vectors, before.analyse(clean).vectors)
    assert float(np.sum(now.analyse(moved).vectors * now.analyse(clean).vectors)) > 0.98
    assert float(np.sum(before.analyse(moved).vectors * before.analyse(clean).vectors)) < 0.95
