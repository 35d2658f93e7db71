from __future__ import annotations

import pytest

from soundalike.library.indexing import progress_reporter
from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.progress_reporter import PROGRESS_SECONDS, ProgressReporter
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.indexing.work_estimate import Rate


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as the only number in a list."""
    now = [100.0]
    monkeypatch.setattr(progress_reporter.time, "monotonic", lambda: now[0])
    return now


def test_progress_is_counted_and_reported(clock: list[float]) -> None:
    seen: list[Progress] = []
    report, names = IndexReport(), ["a.wav", "b.wav", None, None]
    progress = ProgressReporter(seen.append, report, lambda: names[len(seen)])
    files = [ScannedFile("r", name, 0, 0) for name in ("a.wav", "b.wav", "c.wav")]
    clock[0] += 3.0
    progress.start(files)
    assert seen == [Progress(done=0, total=3, audio_seconds=0.0, seconds=3.0, current="a.wav")]
    for found in files[:2]:
        report.audio_seconds += 10.0
        clock[0] += 2.0
        progress.count_done(found)
    assert progress.done == 2
    assert seen[1] == Progress(done=1, total=3, audio_seconds=10.0, seconds=5.0, current="b.wav")
    rate = Rate(files=0.5, audio_seconds=5.0, seconds_left=pytest.approx(2.0))
    assert seen[2] == Progress(done=2, total=3, audio_seconds=20.0, seconds=7.0, current=None, rate=rate)


def test_progress_is_reported_again_after_a_while(clock: list[float]) -> None:
    seen: list[Progress] = []
    progress = ProgressReporter(seen.append, IndexReport(), lambda: None)
    progress.start([])
    clock[0] += 0.9 * PROGRESS_SECONDS
    progress.send_if_due()
    assert len(seen) == 1
    clock[0] += 0.1 * PROGRESS_SECONDS
    progress.send_if_due()
    progress.send_if_due()
    assert len(seen) == 2


def test_who_asks_for_no_progress_costs_nothing(clock: list[float]) -> None:
    def current() -> str | None:
        raise AssertionError

    progress = ProgressReporter(None, IndexReport(), current)
    progress.start([])
    progress.count_done(ScannedFile("r", "a.wav", 0, 0))
    assert progress.done == 1
