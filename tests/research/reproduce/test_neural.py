"""The paper's own rows, end to end: the real code of CLAP, MuQ-MuLan and Demucs, narrow and with random weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.audio import decode  # noqa: E402
from soundalike.audio.waveform import resample  # noqa: E402
from soundalike.config import Runtime  # noqa: E402
from soundalike.models.encoders import ENCODERS  # noqa: E402
from soundalike.models.separators import SEPARATORS  # noqa: E402
from soundalike.preferences.estimators import METHODS  # noqa: E402
from soundalike.research.clips.clip_embedding import Clip, ClipEmbedder  # noqa: E402
from soundalike.research.clips.vector_cache import VectorCache  # noqa: E402
from soundalike.research.reproduce import published  # noqa: E402
from soundalike.research.reproduce.conditions import PAPER_ENCODERS, PAPER_STEMS, get_stems  # noqa: E402
from soundalike.research.reproduce.pipeline import ReproduceOptions, reproduce  # noqa: E402
from soundalike.research.reproduce.report import Report  # noqa: E402
from tests.models.neural.narrow_clap import narrow_clap  # noqa: E402
from tests.models.neural.narrow_demucs import narrow_demucs  # noqa: E402
from tests.models.neural.narrow_muq_mulan import narrow_muq_mulan  # noqa: E402
from tests.research.reproduce.conftest import Miniature  # noqa: E402
from tests.research.reproduce.test_pipeline import records  # noqa: E402

pytestmark = pytest.mark.neural


@pytest.fixture(scope="module")
def miniature(small_miniature: Miniature) -> Miniature:
    return small_miniature


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The paper's rows load narrow models."""
    folder = tmp_path_factory.mktemp("narrow")

    def patched(table: dict[str, Any], name: str, load: Callable[[Path, Runtime], object]) -> None:
        place = folder / name
        place.mkdir()
        patch.setitem(table, name, replace(table[name], load=functools.cache(lambda runtime: load(place, runtime))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        patched(ENCODERS, "clap", narrow_clap)
        patched(ENCODERS, "muq-mulan", narrow_muq_mulan)
        for name in ("htdemucs", "htdemucs_6s"):
            patched(SEPARATORS, name, functools.partial(narrow_demucs, name=name))
        yield


@pytest.fixture(scope="module")
def report(narrow: None, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Report:
    stems = tuple(get_stems(name) for name in PAPER_STEMS)
    methods = (METHODS["ols"], METHODS["ridge"])
    options = ReproduceOptions(miniature.answers, miniature.slakh, PAPER_ENCODERS, stems, methods, splits=5)
    return reproduce(options, tmp_path_factory.mktemp("cache") / "vectors.sqlite", runtime=Runtime("cpu"))


def test_tables_1_to_4_include_the_papers_figures(report: Report) -> None:
    names = [table.name for table in report.tables]
    answers_alone = ["reconciliation", "answers", "sides", "splits"]
    assert names == ["table-1", "table-2", "table-3", "tests", "table-4", "perspectives", *answers_alone]
    assert report.problems == {}
    for table, encoder in (("table-2", "clap"), ("table-3", "muq-mulan")):
        rows = records(report, table, section="Agreement over")
        ours = {(r["row"], r["column"]) for r in rows if not r["row"].endswith(": the paper")}
        theirs = {(r["row"], r["column"]): r["value"] for r in rows if r["row"].endswith(": the paper")}
        for stems in PAPER_STEMS:
            title = get_stems(stems).title
            for method in ("ols", "ridge"):
                assert (title, method) in ours
                assert theirs[f"{title}: the paper", method] == published.AGREEMENT[encoder, stems, method][0]


def test_each_source_of_stems_has_its_parts(report: Report) -> None:
    for stems, count in zip(PAPER_STEMS, (5, 4, 7, 6), strict=True):
        title = f"clap, {get_stems(stems).title}"
        rows = [r for r in records(report, "table-4", row="ols, mean") if r["section"] == title]
        assert len(rows) == count
    (weight,) = [
        r
        for r in records(report, "table-4", row="the paper", column="drums")
        if r["section"] == "muq-mulan, htdemucs_6s"
    ]
    assert weight["value"] == 0.83


def test_a_clip_is_separated_in_isolation(narrow: None, miniature: Miniature, tmp_path: Path) -> None:
    encoder, separator = ENCODERS["clap"].load(Runtime("cpu")), SEPARATORS["htdemucs"].load(Runtime("cpu"))
    path = miniature.slakh / "test" / miniature.tracks[0].name / "mix.flac"
    with VectorCache(tmp_path / "vectors.sqlite") as cache:
        embedder = ClipEmbedder({"clap": encoder}, separator, ("drums", "mix"), cache)
        found = embedder.embed(Clip(path, 5.0, 4.969))["clap"]
    native = decode.read(path, 5.0, 4.969)
    stems = separator.separate(np.repeat(native.samples, 2, axis=0))  # type: ignore[union-attr]
    for index, sound in ((0, stems["drums"].mean(axis=0)), (1, native.samples[0])):
        expected = encoder.embed([resample(sound, 44_100, encoder.sample_rate)])[0]
        np.testing.assert_allclose(found.vectors[index], expected, atol=1e-5)
