"""Examples for the network of the vocals, of small stores of sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin.vocal_masks import VOCAL_BANDS, VOCAL_INPUTS
from tests.training.test_separator_examples import burst, tone
from training.alterations import RATE
from training.clip_store import HITS, NOTES, REST, Clip, save_clips
from training.separator_examples import LENGTH, table
from training.vocal_examples import SUNG, example, voice_kind, voice_stem, without_voices

Float32 = NDArray[np.float32]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song with a beat, a bass and chords, another one undivided; every kind of voice."""
    folder = tmp_path_factory.mktemp("work")
    beat = np.tile(np.pad(burst(0), (0, RATE // 4)), 24)
    song = {"drums": beat, "bass": tone(60, 12), "residuals": tone(500, 12)}
    save_clips(
        folder,
        "stems-multitrack",
        [
            *(Clip(stem, "s", part, -1, f"a/{part}") for part, stem in song.items()),
            Clip(tone(300, 12), "s", "residuals", -1, "b/vocals"),
            Clip(beat, "s", "drums", -1, "b/drums"),
            Clip(tone(350, 12), "s", REST, -1, "b/other"),
        ],
    )
    invented = [Clip(tone(200 + index, 12), "i", "residuals", -1, f"invented {index}/residuals") for index in range(5)]
    save_clips(folder, "stems-invented", invented)
    save_clips(folder, "stems-voices", [Clip(tone(250, 14), "f", "residuals", -1, "slt 0/voice")])
    save_clips(folder, SUNG, [Clip(tone(240, 14), "r", "voice", -1, "ru 0")])
    save_clips(folder, HITS, [Clip(burst(1), "kit", "hit", -1, "hit 1")])
    save_clips(folder, NOTES, [Clip(tone(400, 1.0), "f", "note", -1, "n"), Clip(tone(50, 1.0), "f", "bass", -1, "b")])
    return folder


def test_an_example_is_finite_and_depends_on_its_number_only(work: Path) -> None:
    first, other, again = (example(work, 1, number) for number in (0, 1, 0))
    frames = first["power"].shape[0]
    assert first["inputs"].shape == (frames, VOCAL_INPUTS)
    assert first["power"].shape == first["shares"].shape == (frames, VOCAL_BANDS.count)
    for name, values in first.items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(first["power"], other["power"])


def test_voices_are_taken_out_of_the_music(work: Path) -> None:
    """Every fourth invented accompaniment is a voice."""
    kept = without_voices(work)
    stems = [stem for source in kept["parts"]["residuals"] for stems in source for stem in stems]
    assert sorted(stems) == [("stems-invented", index) for index in (1, 2, 3)] + [("stems-multitrack", 2)]
    assert all(voice_kind(work, *stem) is None for stem in stems)
    assert "residuals" not in kept["songs"]["b"]
    assert "residuals" in table(work)["songs"]["b"]


def test_some_examples_have_no_voice(work: Path) -> None:
    power = [np.exp(row["power"].astype(float)) * np.square(row["shares"].astype(float)) for row in _examples(work, 12)]
    silent = sum(float(values.sum()) == 0 for values in power)
    assert 1 <= silent <= 9


def test_a_voice_has_the_length_of_an_example_however_it_is_altered(work: Path) -> None:
    for seed in range(30):
        voice = voice_stem(work, np.random.default_rng(seed))
        assert voice.shape == (LENGTH,)
        assert np.isfinite(voice).all()
        assert np.abs(voice).max() > 1e-4


def _examples(work: Path, count: int) -> list[dict[str, NDArray[np.float16]]]:
    return [example(work, 2, number) for number in range(count)]
