from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundalike.analysis import analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.jobs.worker_pool import WorkerPool
from soundalike.web.services import media_workers
from soundalike.web.services.media_workers import AsWav, BoundedPool, BusyError, Desk, Look, Stem, segments_of

RATE = 8_000


@pytest.fixture(scope="module")
def at_work() -> Iterator[Desk]:
    made = Desk(make_recipe(), Runtime(threads=1))
    yield made
    made.close()


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    samples = 0.1 * np.random.default_rng(1).standard_normal((10 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.flac", samples, RATE)
    return tmp_path / "noise.flac"


def test_segments_are_the_whole_file(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "PIECE_VALUES", 2 * 3 * RATE)
    segments = list(segments_of(noise))
    assert [segment.offset for segment in segments] == [0, 3, 6, 9]
    np.testing.assert_array_equal(
        np.concatenate([segment.waveform.samples for segment in segments], axis=1),
        soundfile.read(noise)[0].T.astype(np.float32),
    )
    some = list(segments_of(noise, 2.0, 9.5))
    assert sum(segment.waveform.samples.shape[1] for segment in some) == 7.5 * RATE


def test_length_is_bounded_by_what_is_there(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "LONGEST", 9.0)
    with pytest.raises(AudioError, match=r"noise\.flac lasts longer than"):
        list(segments_of(noise))


def test_a_look_in_pieces_is_a_look_at_all(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = media_workers._look(Look(noise, 50))
    monkeypatch.setattr(media_workers, "PIECE_VALUES", 2 * 3 * RATE)
    pieces = media_workers._look(Look(noise, 50))
    assert pieces["duration"] == whole["duration"] == 10
    assert pieces["loudness"] == pytest.approx(whole["loudness"], abs=0.2)
    assert np.abs(pieces["peaks"] - whole["peaks"]).mean() < 0.05


def test_a_part_of_a_file_as_wav(noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media_workers._write_wav(AsWav(noise, tmp_path / "out.wav", 2.0, 4.5))
    samples, rate = soundfile.read(tmp_path / "out.wav")
    assert (len(samples), rate) == (2.5 * RATE, RATE)
    np.testing.assert_allclose(samples, soundfile.read(noise)[0][2 * RATE : round(4.5 * RATE)], atol=1e-4)
    monkeypatch.setattr(media_workers, "MOST_WAV_BYTES", 1_000)
    with pytest.raises(AudioError, match="too long to be sent"):
        media_workers._write_wav(AsWav(noise, tmp_path / "more.wav"))


def test_seconds_of_a_stem_are_bounded(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert media_workers._seconds_of(Stem(noise, "drums", 2.0, 99.0)) == (2.0, 10.0)
    with pytest.raises(InputError, match="is no part of it"):
        media_workers._seconds_of(Stem(noise, "drums", 10.0, None))
    monkeypatch.setattr(media_workers, "LONGEST_STEM", 5.0)
    with pytest.raises(InputError, match="name start and end"):
        media_workers._seconds_of(Stem(noise, "drums", 0.0, None))


def test_a_file_that_takes_too_long_costs_itself_and_no_other(
    at_work: Desk, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_work.ask(Look(noise, 10))["channels"] == 2
    monkeypatch.setattr(media_workers, "SECONDS", 0.0)
    monkeypatch.setattr(media_workers, "BYTES_PER_SECOND", 10**15)

    def again_and_again() -> None:
        for _ in range(50):  # what is done before it is looked at is no fault
            at_work.ask(Stem(noise, "drums", 0.0, None))

    with pytest.raises(AudioError, match="did not end within"):
        again_and_again()
    monkeypatch.undo()
    assert at_work.ask(Look(noise, 10))["channels"] == 2


def test_a_file_that_is_gone_is_said(at_work: Desk, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav cannot be read"):
        at_work.ask(Look(tmp_path / "gone.wav", 10))


def make_sleep() -> Callable[[Any], Any]:
    """The setup of a worker whose tasks are seconds to sleep."""
    return time.sleep


def test_a_bounded_number_of_tasks_wait_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "MOST_WAITING", 0)
    monkeypatch.setattr(media_workers, "WAIT", 0.5)
    refused: list[str] = []
    with WorkerPool(make_sleep, 1, tasks_per_worker=1) as pool:
        busy = pool.submit(1000, 1000.0)
        bounded = BoundedPool(pool)

        def run() -> None:
            with pytest.raises(BusyError) as error:
                bounded.run(0, 1.0)
            refused.append(str(error.value))

        first, second = threading.Thread(target=run), threading.Thread(target=run)
        first.start()
        second.start()
        first.join(20)
        second.join(20)
        assert sorted(message.split()[0] for message in refused) == ["many", "other"]
        run()  # there is room to wait again
        assert busy.running()


def test_workers_that_got_ready_are_there_before_the_first_task(noise: Path) -> None:
    made = Desk(make_recipe(), Runtime(threads=1))
    try:
        assert made.pids() == []
        made.get_ready()
        pids = made.pids()
        assert len(pids) == 3
        assert made.ask(Stem(noise, "drums", 0.0, 1.0))[:4] == b"RIFF"
        assert made.ask(Look(noise, 10))["channels"] == 2
        assert made.pids() == pids
    finally:
        made.close()
    with pytest.raises(BusyError, match="the server is ending"):
        made.ask(Look(noise, 10))


def test_whoever_got_ready_loads_nothing_more(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "_bound_memory", lambda _: None)
    recipe = make_recipe()
    work = media_workers._make(recipe, Runtime(threads=1), None)
    assert work(media_workers.GetReady(queries=True)) is None
    for name in ("load_encoder", "load_separator"):
        monkeypatch.setattr(analyser, name, lambda *_: pytest.fail("it was not loaded"))
    assert work(media_workers.MakeQuery(noise, (0.0, 5.0))).parts == recipe.parts


def test_models_that_are_not_here_are_told_to_whoever_needs_them(noise: Path) -> None:
    made = Desk(replace(make_recipe(), encoder="of elsewhere"), Runtime(threads=1))
    try:
        made.get_ready()
        assert made.ask(Look(noise, 10))["channels"] == 2
        with pytest.raises(InputError, match="of elsewhere"):
            made.ask(media_workers.MakeQuery(noise, None))
    finally:
        made.close()
