"""The main job with neural models: the real code of CLAP and Demucs, narrow and with random weights."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import LibraryError  # noqa: E402
from soundalike.library.indexing.analysis_tasks import load_analyser  # noqa: E402
from soundalike.library.indexing.library_update import index  # noqa: E402
from soundalike.models.encoders import ENCODERS  # noqa: E402
from soundalike.models.encoders.clap.clap_encoder import ClapEncoder  # noqa: E402
from soundalike.models.neural.device import cpu_has_bfloat16  # noqa: E402
from soundalike.models.separators import SEPARATORS  # noqa: E402
from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator  # noqa: E402
from soundalike.search.filters import make_filters  # noqa: E402
from soundalike.search.finder import Finder  # noqa: E402
from tests.made_up_library import InlineBackend  # noqa: E402
from tests.models.neural.narrow_clap import narrow_model, write_files  # noqa: E402
from tests.models.neural.narrow_demucs import arguments, demucs_checkpoint, write_demucs  # noqa: E402

pytestmark = pytest.mark.neural


def _load(patch: pytest.MonkeyPatch, table: dict[str, Any], name: str, load: Callable[[Runtime], object]) -> None:
    patch.setitem(table, name, replace(table[name], load=functools.cache(load)))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The rows `clap` and `htdemucs` load narrow models; work is done in this process, where they are known."""
    folder = tmp_path_factory.mktemp("narrow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        clap, demucs = write_files(folder), write_demucs(folder / "htdemucs.safetensors", arguments("htdemucs"))
        stems = demucs_checkpoint(demucs, "htdemucs")
        _load(patch, ENCODERS, "clap", lambda runtime: ClapEncoder(narrow_model(), clap, runtime))
        _load(patch, SEPARATORS, "htdemucs", lambda runtime: DemucsSeparator.load(stems, runtime))
        yield folder


@pytest.fixture(scope="module")
def neural_library(narrow: Path, music: Path) -> Path:
    place = narrow / "library"
    backend = InlineBackend(load_analyser)
    report = index(place, [music], encoder="clap", separator="htdemucs", windows=2, device="cpu", backend=backend)
    assert not report.skipped
    return place


def test_the_library_says_what_it_was_made_with(neural_library: Path) -> None:
    finder = Finder.open(neural_library)
    recipe = finder.library.recipe
    assert (recipe.encoder, recipe.separator, recipe.precision, recipe.windows) == ("clap", "htdemucs", "exact", 2)
    assert recipe.encoder_version.startswith("1+")
    assert "+" in recipe.separator_version
    assert recipe.parts == ("bass", "drums", "vocals", "residuals", "mix")
    assert finder.library.licences == {"clap": ENCODERS["clap"].licence, "htdemucs": SEPARATORS["htdemucs"].licence}
    songs = [item for item in finder.items if item["kind"] == "song"]
    assert songs
    assert all(item["windows"] == 2 for item in songs)


def test_a_file_is_found_by_itself_and_by_its_region(neural_library: Path, music: Path) -> None:
    finder = Finder.open(neural_library, device="cpu")
    path = next(iter(sorted((music / "songs").iterdir())))
    found = finder.similar(path, include_self=True, n=3)
    assert found.hits[0].path == str(path)
    assert "clap-4" in found.weighting, "the paper's weights for these models"
    assert set(found.hits[0].contributions) == set(finder.library.recipe.parts)
    drums = finder.similar(path, region=(2, 8), part="drums", filters=make_filters(kinds=("loop",)), n=3)
    assert [hit.kind for hit in drums.hits] == ["loop"] * 3


def test_texts_find_sounds_of_a_part(neural_library: Path) -> None:
    finder = Finder.open(neural_library, device="cpu")
    found = finder.similar(text="dry funk snare", part="drums", n=3)
    vector = finder.analyser.embed_text(["dry funk snare"])[0]
    rows = finder.library.windows(["drums"])
    cosines = finder.library.as_vectors(rows["drums"]).astype(np.float64) @ vector
    assert found.hits[0].cosines["drums"] == pytest.approx(cosines.max(), abs=1e-5)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


def test_precisions_are_never_mixed(neural_library: Path, music: Path) -> None:
    if not cpu_has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    with pytest.raises(LibraryError, match=r"precision exact, not fast.*--upgrade"):
        index(neural_library, [music], precision="fast")


def test_changed_weights_are_noticed(
    neural_library: Path, narrow: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = replace(write_files(narrow), digest="0" * 16)
    _load(monkeypatch, ENCODERS, "clap", lambda runtime: ClapEncoder(narrow_model(), files, runtime))
    with pytest.raises(LibraryError, match=r"encoder version 1\+.*, not 1\+0000000000000000"):
        _ = Finder.open(neural_library).analyser.encoder


def test_missing_weights_are_reported_before_a_library_is_created(music: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "SOUNDALIKE_CHECKPOINTS": str(tmp_path / "none")}
    command = [sys.executable, "-m", "soundalike", "index", str(music), "-L", str(tmp_path / "library")]
    done = subprocess.run(
        [*command, "--encoder", "clap", "--separator", "htdemucs", "-q"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 5
    assert "soundalike models fetch clap" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "library").exists()
