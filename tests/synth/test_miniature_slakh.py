from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from soundalike.errors import InputError
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.research.datasets.slakh import SLAKH_PARTS, Slakh
from soundalike.synth.miniature_slakh import MiniTrack, plan_tracks, write_slakh
from soundalike.synth.seeds import split_variant
from soundalike.synth.specs import SongSpec


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[MiniTrack, ...]]:
    folder = tmp_path_factory.mktemp("slakh")
    return folder, write_slakh(folder, seed=2, tracks=3, length=12.0)


def test_the_layout_is_slakh_s(written: tuple[Path, tuple[MiniTrack, ...]]) -> None:
    folder, tracks = written
    assert [track.name for track in tracks] == ["Track01876", "Track01877", "Track01878"]
    for track in tracks:
        place = folder / "test" / track.name
        info = soundfile.info(place / "mix.flac")
        assert (info.samplerate, info.channels, info.subtype) == (44_100, 1, "PCM_16")
        assert info.duration == pytest.approx(track.duration)
        metadata = yaml.safe_load((place / "metadata.yaml").read_text(encoding="utf-8"))
        assert sorted(metadata["stems"]) == sorted(path.stem for path in (place / "stems").iterdir())
        for stem in metadata["stems"].values():
            assert stem["audio_rendered"] is True
            assert stem["is_drum"] == (stem["inst_class"] == "Drums")


def test_the_mixture_is_the_sum_of_the_stems(written: tuple[Path, tuple[MiniTrack, ...]]) -> None:
    for track in written[1]:
        place = written[0] / "test" / track.name
        mixture = soundfile.read(place / "mix.flac")[0]
        stems = sum(soundfile.read(path)[0] for path in sorted((place / "stems").iterdir()))
        assert 20 * np.log10(np.sqrt(np.mean((mixture - stems) ** 2))) < -80


def test_its_readers_find_every_part_that_plays(written: tuple[Path, tuple[MiniTrack, ...]]) -> None:
    slakh = Slakh(written[0])
    assert slakh.missing(slakh.tracks) == {}
    for track in written[1]:
        found = StemsSeparator().files(slakh.mixture(track.name))
        assert sorted(found) == sorted(track.spec.parts)
        assert set(found) <= set(SLAKH_PARTS)


def test_the_same_numbers_give_the_same_bytes(written: tuple[Path, tuple[MiniTrack, ...]], tmp_path: Path) -> None:
    write_slakh(tmp_path, seed=2, tracks=1, length=12.0)
    for path in sorted((tmp_path / "test").rglob("*.*")):
        assert path.read_bytes() == (written[0] / path.relative_to(tmp_path)).read_bytes()


def test_no_tracks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 tracks requested"):
        write_slakh(tmp_path, tracks=0)


def sounds(specs: tuple[SongSpec, ...]) -> set[str]:
    """All kits and patches that play."""
    return {name for spec in specs for name in (spec.kit, *dict(spec.patches).values())}


@pytest.mark.parametrize(
    ("split", "first"), [("train", "Track00001"), ("validation", "Track01501"), ("test", "Track01876")]
)
def test_a_split_has_a_folder_and_numbers_of_its_own(tmp_path: Path, split: str, first: str) -> None:
    tracks = write_slakh(tmp_path, seed=2, tracks=1, length=12.0, split=split, variants=(4,))
    assert [path.name for path in tmp_path.iterdir()] == [split]
    assert Slakh(tmp_path / split).tracks == (first,)
    assert [track.name for track in tracks] == [first]


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split 'eval'; choose from train, validation, test"):
        write_slakh(tmp_path, split="eval")
    assert not list(tmp_path.iterdir())


def test_variants_give_each_split_kits_and_patches_of_its_own() -> None:
    plain, train, test = plan_tracks(2, 24), plan_tracks(2, 24, variants=(1, 2, 3)), plan_tracks(2, 24, variants=(8, 9))
    assert sounds(train).isdisjoint(sounds(test) | sounds(plain))
    assert {split_variant(name)[0] for name in sounds(train)} == sounds(plain)
    assert {split_variant(name)[1] for name in sounds(train)} == {1, 2, 3}
    for one, other in zip(plain, train, strict=True):  # the songs are the same, only their sounds are not
        assert (one.title, one.tempo, one.key, one.seed, one.sections) == (
            other.title, other.tempo, other.key, other.seed, other.sections
        )  # fmt: skip
        assert [(part, split_variant(patch)[0]) for part, patch in other.patches] == list(one.patches)


def test_variants_are_heard(written: tuple[Path, tuple[MiniTrack, ...]], tmp_path: Path) -> None:
    track = write_slakh(tmp_path, seed=2, tracks=1, length=12.0, variants=(4,))[0]
    for stem in sorted((tmp_path / "test" / track.name / "stems").iterdir()):
        plain = soundfile.read(written[0] / stem.relative_to(tmp_path))[0]
        varied = soundfile.read(stem)[0]
        assert np.abs(varied - plain).max() > 0.1 * np.abs(plain).max()


def test_more_tracks_continue_a_split() -> None:
    assert plan_tracks(5, 30, variants=(1, 2))[:12] == plan_tracks(5, 12, variants=(1, 2))
    assert plan_tracks(5, 12) != plan_tracks(6, 12)
