"""A library of made-up songs that grows while it is searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.library.indexing.library_update import index
from soundalike.search.index import rabitq_segments
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE


class GrowingLibrary:
    """A folder `music` of made-up songs, and the library of them."""

    def __init__(self, folder: Path) -> None:
        self.music, self.path = folder / "music", folder / "library"
        self.music.mkdir()

    def index(self, numbers: range) -> None:
        """Add songs with these numbers, and index."""
        for number in numbers:
            (self.music / f"song-{number:03}.wav").write_text(f"song {1 + number % 4} {number}")
        index(self.path, [self.music], recipe=RECIPE, backend=InlineBackend())


@pytest.fixture
def growing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GrowingLibrary:
    """40 songs; 20 rows without a code are enough for a segment."""
    monkeypatch.setattr(rabitq_segments, "MAX_UNCODED_ROWS", 20)
    library = GrowingLibrary(tmp_path)
    library.index(range(40))
    return library
