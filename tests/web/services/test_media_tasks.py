from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.analysis import analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.web.services import media_tasks
from soundalike.web.services.media_tasks import (
    ExtractStem,
    MakeQuery,
    Summarise,
    WarmUp,
    WriteWav,
    make_worker,
    segments_of,
    stem_range,
    summarise,
    write_wav,
)
from tests.web.services.conftest import RATE


def test_segments_cover_the_whole_file(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_tasks, "SEGMENT_VALUES", 2 * 3 * RATE)
    segments = list(segments_of(noise))
    assert [segment.offset for segment in segments] == [0, 3, 6, 9]
    np.testing.assert_array_equal(
        np.concatenate([segment.waveform.samples for segment in segments], axis=1),
        soundfile.read(noise)[0].T.astype(np.float32),
    )
    some = list(segments_of(noise, 2.0, 9.5))
    assert sum(segment.waveform.samples.shape[1] for segment in some) == 7.5 * RATE


def test_the_length_is_limited_by_the_audio_itself(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_tasks, "MAX_SECONDS", 9.0)
    with pytest.raises(AudioError, match=r"noise\.flac is longer than"):
        list(segments_of(noise))


def test_a_summary_in_segments_equals_that_of_the_whole(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = summarise(Summarise(noise, 50))
    monkeypatch.setattr(media_tasks, "SEGMENT_VALUES", 2 * 3 * RATE)
    pieces = summarise(Summarise(noise, 50))
    assert pieces["duration"] == whole["duration"] == 10
    assert pieces["loudness"] == pytest.approx(whole["loudness"], abs=0.2)
    assert np.abs(pieces["peaks"] - whole["peaks"]).mean() < 0.05


def test_an_excerpt_is_written_as_wav(noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(WriteWav(noise, tmp_path / "out.wav", 2.0, 4.5))
    samples, rate = soundfile.read(tmp_path / "out.wav")
    assert (len(samples), rate) == (2.5 * RATE, RATE)
    np.testing.assert_allclose(samples, soundfile.read(noise)[0][2 * RATE : round(4.5 * RATE)], atol=1e-4)
    monkeypatch.setattr(media_tasks, "MAX_WAV_BYTES", 1_000)
    with pytest.raises(AudioError, match="too long to be sent"):
        write_wav(WriteWav(noise, tmp_path / "more.wav"))


def test_the_length_of_a_stem_is_limited(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stem_range(ExtractStem(noise, "drums", 2.0, 99.0)) == (2.0, 10.0)
    with pytest.raises(InputError, match="is not inside it"):
        stem_range(ExtractStem(noise, "drums", 10.0, None))
    monkeypatch.setattr(media_tasks, "MAX_STEM_SECONDS", 5.0)
    with pytest.raises(InputError, match="give start and end"):
        stem_range(ExtractStem(noise, "drums", 0.0, None))


def test_a_warmed_up_worker_loads_nothing_more(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_tasks, "limit_memory", lambda _: None)
    recipe = make_recipe()
    work = make_worker(recipe, Runtime(threads=1), None)
    assert work(WarmUp(queries=True)) is None
    for name in ("load_encoder", "load_separator"):
        monkeypatch.setattr(analyser, name, lambda *_: pytest.fail("it was loaded again"))
    assert work(MakeQuery(noise, (0.0, 5.0))).parts == recipe.parts
