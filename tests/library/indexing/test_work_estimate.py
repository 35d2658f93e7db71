"""The number of workers that pays, the rate and the time left."""

from __future__ import annotations

import pytest

from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.indexing.work_estimate import (
    BYTES_PER_SECOND,
    SECONDS_PER_FILE,
    SECONDS_PER_WORKER,
    WINDOW_SECONDS,
    RateMeter,
    useful_workers,
    work_of,
)


def file_of(size: int) -> ScannedFile:
    return ScannedFile("music", "a.wav", size, 0)


def test_work_grows_with_files_and_bytes() -> None:
    assert work_of(file_of(0)) == SECONDS_PER_FILE
    assert work_of(file_of(2 * BYTES_PER_SECOND)) == pytest.approx(2 + SECONDS_PER_FILE)


def test_few_short_files_use_one_worker_and_many_use_all_that_pay() -> None:
    assert useful_workers([]) == 1
    assert useful_workers([file_of(50_000)] * 9) == 1
    assert useful_workers([file_of(50_000)] * 2_600) > 16
    assert useful_workers([file_of(int(SECONDS_PER_WORKER * BYTES_PER_SECOND))] * 3) == 3


def test_slow_models_pay_for_more_workers() -> None:
    files = [file_of(BYTES_PER_SECOND)] * 2
    assert useful_workers(files) == 1
    assert useful_workers(files, slowness=20) == 20


def test_there_is_no_rate_before_the_second_result() -> None:
    meter = RateMeter(total=10)
    assert meter.rate() is None
    meter.add(work=1, audio_seconds=30, seconds=100.0)
    assert meter.rate() is None


def test_the_time_before_the_first_result_does_not_count() -> None:
    meter = RateMeter(total=10)
    for number in range(4):
        meter.add(work=1, audio_seconds=30.0 * (number + 1), seconds=100.0 + 0.5 * number)
    rate = meter.rate()
    assert rate is not None
    assert rate.files == pytest.approx(2)
    assert rate.audio_seconds == pytest.approx(60)
    assert rate.seconds_left == pytest.approx(3)


def test_the_time_left_is_by_work_and_not_by_files() -> None:
    meter = RateMeter(total=1 + 1 + 8)  # two short files, then a long one
    meter.add(work=1, audio_seconds=1, seconds=0.0)
    meter.add(work=1, audio_seconds=2, seconds=1.0)
    rate = meter.rate()
    assert rate is not None
    assert rate.seconds_left == pytest.approx(8)


def test_results_at_one_instant_give_no_rate() -> None:
    meter = RateMeter(total=3)
    for _ in range(3):
        meter.add(work=1, audio_seconds=1, seconds=5.0)
    assert meter.rate() is None


def test_the_rate_follows_the_last_minute() -> None:
    meter = RateMeter(total=10_000)
    for second in range(300):
        meter.add(work=1, audio_seconds=float(second), seconds=float(second))
    for step in range(1, 10 * int(WINDOW_SECONDS)):  # ten times as fast from here on
        meter.add(work=1, audio_seconds=300.0 + step, seconds=299 + step / 10)
    rate = meter.rate()
    assert rate is not None
    assert rate.files == pytest.approx(10, rel=0.05)
