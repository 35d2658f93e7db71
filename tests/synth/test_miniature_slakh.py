from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from soundalike.errors import InputError
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.research.datasets.slakh import SLAKH_PARTS, Slakh
from soundalike.synth.miniature_slakh import MiniTrack, write_slakh


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
