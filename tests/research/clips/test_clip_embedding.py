from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.errors import AudioError
from soundalike.models.encoders import load_encoder
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.separators import load_separator
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.research.clips.clip_embedding import Clip, ClipEmbedder
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs
from tests.models.separators.slakh import write_slakh

PARTS = ("bass", "drums", "residuals", "mix")


class CountingEncoder(BuiltinEncoder):
    """The built-in encoder; counts what it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        self.embedded += len(waveforms)
        return super().embed(waveforms)


class CountingSeparator(BuiltinSeparator):
    """The built-in separator; counts how often it separates."""

    separated = 0

    def separate(self, mixture: np.ndarray) -> dict[str, np.ndarray]:
        self.separated += 1
        return super().separate(mixture)


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered song in Slakh's layout: drums, bass, one part more; at 44.1 kHz."""
    song = render_song(song_specs(3, 1, 14.0)[0])
    classes = {"drums": "Drums", "bass": "Bass", "guitar": "Guitar", "piano": "Piano", "residuals": "Organ"}
    stems = {f"S{n:02}": (classes[part], stem[0]) for n, (part, stem) in enumerate(song.stems.items())}
    return write_slakh(tmp_path_factory.mktemp("slakh") / "Track00001", stems, sample_rate=44_100)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VectorCache]:
    with VectorCache(tmp_path / "cache.sqlite") as opened:
        yield opened


def test_a_clip_is_separated_by_itself(track: Path, cache: VectorCache) -> None:
    encoder, separator = load_encoder("builtin"), BuiltinSeparator()
    found = ClipEmbedder({"builtin": encoder}, separator, PARTS, cache).embed(Clip(track, 4.0, 5.0))["builtin"]
    native = decode.read(track, 4.0, 5.0)
    fed = resample(np.repeat(native.samples, separator.channels, axis=0), native.sample_rate, separator.sample_rate)
    stems = separator.separate(fed)
    for part in PARTS[:-1]:
        expected = resample(stems[part].mean(axis=0), separator.sample_rate, encoder.sample_rate)
        np.testing.assert_allclose(found.vectors[PARTS.index(part)], encoder.embed([expected])[0], atol=1e-5)
    mix = resample(native.samples[0], native.sample_rate, encoder.sample_rate)
    np.testing.assert_allclose(found.vectors[3], encoder.embed([mix])[0], atol=1e-6)
    np.testing.assert_allclose(found.levels[3], 10 * np.log10(np.mean(native.samples.astype(float) ** 2)), atol=1e-6)


def test_nothing_is_done_twice(track: Path, cache: VectorCache) -> None:
    encoder, separator = CountingEncoder(), CountingSeparator()
    embedder = ClipEmbedder({"builtin": encoder}, separator, PARTS, cache)
    first = embedder.embed(Clip(track, 2.0, 4.0))["builtin"]
    again = embedder.embed(Clip(track, 2.0, 4.0))["builtin"]
    assert (encoder.embedded, separator.separated) == (4, 1)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.levels, again.levels)
    embedder.embed(Clip(track, 2.5, 4.0))
    assert (encoder.embedded, separator.separated) == (8, 2)  # other seconds, other content
    ClipEmbedder({"builtin": encoder}, None, ("mix",), cache).embed(Clip(track, 2.0, 4.0))
    assert encoder.embedded == 8  # the mix is the same whatever the separator


def test_another_version_or_precision_is_another_model(track: Path, cache: VectorCache) -> None:
    clip = Clip(track, 2.0, 4.0)
    encoder = CountingEncoder()
    ClipEmbedder({"builtin": encoder}, CountingSeparator(), ("bass",), cache).embed(clip)
    newer = CountingSeparator()
    newer.version = "newer"  # type: ignore[misc]
    ClipEmbedder({"builtin": encoder}, newer, ("bass",), cache).embed(clip)
    assert (newer.separated, encoder.embedded) == (1, 2)
    ClipEmbedder({"builtin": encoder}, newer, ("bass",), cache, precision="fast").embed(clip)
    assert (newer.separated, encoder.embedded) == (2, 3)
    other = CountingEncoder()
    other.version = "other"  # type: ignore[misc]
    ClipEmbedder({"builtin": other}, newer, ("bass",), cache).embed(clip)
    assert (newer.separated, other.embedded) == (3, 1)


def test_only_what_is_lacking_is_embedded(track: Path, cache: VectorCache) -> None:
    clip, encoder, separator = Clip(track, 2.0, 4.0), CountingEncoder(), CountingSeparator()
    ClipEmbedder({"one": encoder}, separator, ("bass", "mix"), cache).embed(clip)
    found = ClipEmbedder({"one": encoder}, separator, PARTS, cache).embed(clip)["one"]
    assert (encoder.embedded, separator.separated) == (4, 2)
    fresh = ClipEmbedder({"one": load_encoder("builtin")}, BuiltinSeparator(), PARTS, cache).embed(clip)["one"]
    np.testing.assert_array_equal(found.vectors, fresh.vectors)


def test_true_stems(track: Path, cache: VectorCache) -> None:
    encoder = CountingEncoder()
    four = ClipEmbedder({"builtin": encoder}, StemsSeparator(), PARTS, cache, among=PARTS[:-1])
    found = four.embed(Clip(track, 3.0, 5.0))["builtin"]
    rate = encoder.sample_rate
    stems = {
        part: resample(np.sum([decode.read(file, 3.0, 5.0).samples[0] for file in files], axis=0), 44_100, rate)
        for part, files in StemsSeparator().files(track).items()
    }
    np.testing.assert_allclose(found.vectors[1], BuiltinEncoder().embed([stems["drums"]])[0], atol=1e-6)
    residuals = np.sum([stem for part, stem in stems.items() if part not in ("bass", "drums")], axis=0)
    np.testing.assert_allclose(found.vectors[2], BuiltinEncoder().embed([residuals])[0], atol=1e-5)
    alone = ClipEmbedder({"builtin": encoder}, StemsSeparator(), ("drums",), cache).embed(Clip(track, 3.0, 5.0))
    assert encoder.embedded == 4  # the drums' stem is the same sound, alone or beside others
    np.testing.assert_array_equal(alone["builtin"].vectors[0], found.vectors[1])


def test_a_stem_that_is_not_there_is_silent(track: Path, cache: VectorCache) -> None:
    there = StemsSeparator().files(track)
    absent = next(part for part in ("guitar", "piano", "vocals") if part not in there)
    embedder = ClipEmbedder({"builtin": load_encoder("builtin")}, StemsSeparator(), ("drums", absent, "mix"), cache)
    found = embedder.embed(Clip(track, 3.0, 5.0))["builtin"]
    index = found.parts.index(absent)
    assert not found.vectors[index].any()
    assert found.levels[index] == -np.inf
    assert found.present(-300.0).tolist() == [part != absent for part in found.parts]


def test_the_gate_is_relative_to_the_mix(track: Path, cache: VectorCache) -> None:
    embedder = ClipEmbedder({"builtin": load_encoder("builtin")}, StemsSeparator(), ("bass", "drums", "mix"), cache)
    found = embedder.embed(Clip(track, 3.0, 5.0))["builtin"]
    bass, drums, mix = found.levels
    assert found.present(min(bass, drums) - mix - 0.1).all()
    assert found.present((bass + drums) / 2 - mix).tolist() == [bass > drums, drums > bass, True]


def test_a_clip_beyond_its_file_is_named(track: Path, cache: VectorCache) -> None:
    embedder = ClipEmbedder({"builtin": load_encoder("builtin")}, load_separator("builtin"), PARTS, cache)
    duration = decode.probe(track).duration
    with pytest.raises(AudioError, match=r"mix\.flac has 2\.00 s after .* but the clip lasts 5\.00 s"):
        embedder.embed(Clip(track, duration - 2.0, 5.0))
    stems = ClipEmbedder({"builtin": load_encoder("builtin")}, StemsSeparator(), ("drums",), cache)
    with pytest.raises(AudioError, match=r"mix\.flac lasts .* but the clip ends at"):
        stems.embed(Clip(track, duration - 2.0, 5.0))
    assert len(cache) == 0


def test_a_whole_file(tmp_path: Path, cache: VectorCache) -> None:
    samples = np.random.default_rng(1).standard_normal(44_100).astype(np.float32) * 0.1
    soundfile.write(tmp_path / "noise.wav", samples, 44_100)
    embedder = ClipEmbedder({"builtin": load_encoder("builtin")}, load_separator("builtin"), PARTS, cache)
    whole = embedder.embed(Clip(tmp_path / "noise.wav"))["builtin"]
    named = embedder.embed(Clip(tmp_path / "noise.wav", 0.0, 1.0))["builtin"]
    np.testing.assert_array_equal(whole.vectors, named.vectors)


def test_a_part_with_a_gate_of_its_own_has_the_higher_of_both(track: Path, cache: VectorCache) -> None:
    embedder = ClipEmbedder({"builtin": BuiltinEncoder()}, BuiltinSeparator(), ("vocals", "mix"), cache)
    found = embedder.embed(Clip(track, 2.0, 4.0))["builtin"]
    assert found.gates == {"vocals": -20.0}
    for decibels, gate, present in ((-19, -40.0, True), (-21, -40.0, False), (-19, -18.0, False)):
        clip = replace(found, levels=np.array([decibels, 0.0]))
        assert clip.present(gate).tolist() == [present, True]
