"""The words of the progress bar of indexing."""

from __future__ import annotations

import pytest

from soundalike.cli.index_progress import IndexProgress, rate_text
from soundalike.library import Progress
from soundalike.library.indexing.work_estimate import Rate


def progress(done: int, rate: Rate | None, current: str | None = None) -> Progress:
    return Progress(done=done, total=9, audio_seconds=0.0, seconds=1.0, current=current, rate=rate)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (None, ""),
        (Rate(3.14, 80.4, 11.2), "3.1 files/s, 80x real time, 0:12 left"),
        (Rate(0.5, 8.0, 3_725.0), "0.5 files/s, 8x real time, 1:02:05 left"),
        (Rate(0.5, 8.0, 0.0), "0.5 files/s, 8x real time, 0:00 left"),
    ],
)
def test_the_rate_is_shown_once_it_is_known(rate: Rate | None, words: str) -> None:
    assert rate_text(progress(2, rate)) == words


def test_the_first_file_is_named_before_anything_is_done() -> None:
    with IndexProgress(show=False) as bar:
        bar.update(progress(0, None))
        assert bar.bar.tasks[0].fields["current"] == "starting"
        bar.update(progress(0, None, "a song.flac"))
        assert bar.bar.tasks[0].fields["current"] == "a song.flac"
        assert bar.bar.tasks[0].fields["rate"] == ""
