"""Slakh2100's layouts, what is missing in them, and clips cut from them; on tracks of two seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.errors import AudioError, InputError
from soundalike.parts import ordered
from soundalike.research.datasets.slakh import SLAKH_PARTS, ClipCut, Slakh
from tests.models.separators.slakh import SAMPLE_RATE, Samples, tone, write_slakh

SECONDS = 2.0
DRUMS, BASS, STRINGS, ORGAN = (tone(hertz, SECONDS) for hertz in (3000, 60, 500, 900))
TRACK: dict[str, tuple[str, Samples | None]] = {
    "S00": ("Drums", DRUMS),
    "S01": ("Bass", BASS),
    "S02": ("Strings (continued)", STRINGS),
    "S03": ("Organ", ORGAN),
    "S04": ("Piano", None),
}
MIXTURE = DRUMS + BASS + STRINGS + ORGAN
ROUNDING = 1 / 2**15
"""Of a 16-bit file."""


def cut(start: int, end: int, track: str = "Track00001", sample_rate: int = SAMPLE_RATE) -> ClipCut:
    return ClipCut(track, start, end, sample_rate)


@pytest.fixture
def one(tmp_path: Path) -> Slakh:
    """A dataset of one track."""
    write_slakh(tmp_path / "test" / "Track00001", TRACK)
    return Slakh(tmp_path)


class TestLayouts:
    @pytest.mark.parametrize("suffix", ["flac", "wav"])
    @pytest.mark.parametrize("places", [("train", "validation", "test"), ("train", "test", "omitted"), ("", "", "")])
    def test_tracks_are_found(self, tmp_path: Path, places: tuple[str, ...], suffix: str) -> None:
        for number, place in enumerate(places, start=1):
            write_slakh(tmp_path / place / f"Track{number:05d}", TRACK, suffix=suffix)
        slakh = Slakh(tmp_path)
        assert slakh.tracks == ("Track00001", "Track00002", "Track00003")
        assert slakh.mixture("Track00003") == tmp_path / places[2] / "Track00003" / f"mix.{suffix}"
        assert slakh.missing(slakh.tracks) == {}

    def test_a_split_alone_is_a_folder_of_tracks(self, one: Slakh) -> None:
        assert Slakh(one.root / "test").tracks == ("Track00001",)

    def test_babyslakh_calls_all_its_stems_unrendered(self, tmp_path: Path) -> None:
        write_slakh(tmp_path / "Track00001", TRACK, suffix="wav", sample_rate=16_000, rendered=False)
        slakh = Slakh(tmp_path)
        assert slakh.missing(["Track00001"]) == {}
        stem = slakh.cut_stem(cut(0, 8_000, sample_rate=16_000), "bass")
        assert stem is not None
        np.testing.assert_allclose(stem.samples[0], BASS[:8_000], atol=ROUNDING)

    def test_other_names_are_no_tracks(self, one: Slakh) -> None:
        for name in ("Track1", "track00002", "Track000021", "._Track00003"):
            (one.root / "test" / name).mkdir()
        (one.root / "test" / "Track00004").touch()
        assert one.tracks == ("Track00001",)

    def test_a_track_in_two_places_is_refused(self, one: Slakh) -> None:
        write_slakh(one.root / "train" / "Track00001", TRACK)
        with pytest.raises(InputError, match=r"Track00001 is in .*train and in .*test; remove one"):
            _ = one.tracks

    def test_where_to_get_it_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"contains no tracks .*zenodo\.org/records/4599666"):
            _ = Slakh(tmp_path).tracks
        with pytest.raises(InputError, match=r"nowhere is not a folder; Slakh2100 .*zenodo\.org/records/4599666"):
            Slakh(tmp_path / "nowhere").missing(["Track00001"])

    def test_flac_is_taken_before_wav(self, one: Slakh) -> None:
        folder = one.root / "test" / "Track00001"
        shutil.copy(folder / "mix.flac", folder / "mix.wav")
        assert one.mixture("Track00001").name == "mix.flac"


class TestMissing:
    def test_each_kind_has_its_reason(self, tmp_path: Path) -> None:
        for number in range(1, 7):
            write_slakh(tmp_path / f"Track{number:05d}", TRACK)
        (tmp_path / "Track00002" / "mix.flac").unlink()
        (tmp_path / "Track00003" / "metadata.yaml").unlink()
        (tmp_path / "Track00004" / "stems" / "S01.flac").unlink()
        shutil.rmtree(tmp_path / "Track00005" / "stems")
        (tmp_path / "Track00006" / "metadata.yaml").write_text("stems: 3")
        slakh = Slakh(tmp_path)
        found = slakh.missing([*reversed(slakh.tracks), "Track00009", "Track00009"])
        assert list(found) == [f"Track0000{number}" for number in (6, 5, 4, 3, 2, 9)]
        for number, reason in {
            2: "holds no mix.flac or mix.wav",
            3: "holds no metadata.yaml",
            4: "the stems S01 are missing",
            5: "stems holds no stems",
            6: "lists no stems",
            9: "is not under",
        }.items():
            assert reason in found[f"Track0000{number}"]

    def test_stems_by_name_do_not_stand_in_for_slakh_s_own(self, tmp_path: Path) -> None:
        write_slakh(tmp_path / "Track00001", TRACK)
        folder = tmp_path / "Track00001"
        shutil.rmtree(folder / "stems")
        soundfile.write(folder / "drums.wav", DRUMS, SAMPLE_RATE)
        assert "stems holds no stems" in Slakh(tmp_path).missing(["Track00001"])["Track00001"]
        (folder / "metadata.yaml").unlink()
        assert "holds no metadata.yaml" in Slakh(tmp_path).missing(["Track00001"])["Track00001"]

    def test_problems_are_what_is_missing_and_what_ends_too_soon(self, tmp_path: Path) -> None:
        for number in (1, 2, 3):
            write_slakh(tmp_path / f"Track{number:05d}", TRACK)
        (tmp_path / "Track00001" / "metadata.yaml").unlink()
        whole = round(SECONDS * SAMPLE_RATE)
        clips = [
            cut(0, 1, "Track00001"),
            cut(5, whole + 1, "Track00002"),
            cut(0, 9, "Track00002"),
            cut(0, whole, "Track00003"),
        ]
        found = Slakh(tmp_path).problems(clips)
        assert set(found) == {"Track00001", "Track00002"}
        assert "metadata.yaml" in found["Track00001"]
        assert "lasts 2.00 s, but a clip is Track00002 from 0.00 to 2.00 s" in found["Track00002"]
        assert Slakh(tmp_path).problems([]) == {}


class TestMixture:
    @pytest.mark.parametrize(("start", "end"), [(0, 44_100), (1, 2), (12_345, 30_001), (44_099, 44_100)])
    def test_samples_are_those_asked_for(self, one: Slakh, start: int, end: int) -> None:
        found = one.cut_mixture(cut(start, end))
        assert (found.sample_rate, found.samples.shape) == (SAMPLE_RATE, (1, end - start))
        whole, _ = soundfile.read(one.mixture("Track00001"), dtype="float32")
        np.testing.assert_array_equal(found.samples[0], whole[start:end])

    def test_another_rate_counts_seconds(self, one: Slakh) -> None:
        found = one.cut_mixture(cut(10_000, 30_000, sample_rate=2 * SAMPLE_RATE))
        np.testing.assert_allclose(found.samples[0], MIXTURE[5_000:15_000], atol=ROUNDING)

    @pytest.mark.parametrize(("start", "end"), [(0, 44_101), (44_000, 44_200), (50_000, 60_000)])
    def test_a_clip_beyond_the_end_is_refused(self, one: Slakh, start: int, end: int) -> None:
        for take in (
            one.cut_mixture,
            lambda clip: one.cut_stem(clip, "drums"),
            lambda clip: one.cut_stem(clip, "piano"),
        ):
            with pytest.raises(AudioError, match=r"mix\.flac: lasts 2\.00 s, but a clip is Track00001 from"):
                take(cut(start, end))

    def test_a_truncated_file_is_refused_and_named(self, one: Slakh) -> None:
        path = one.mixture("Track00001")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        # Its header still claims all of it, but not more than the bytes can hold is believed.
        assert "mix.flac" in one.problems([cut(40_000, 44_100)])["Track00001"]
        with pytest.raises(AudioError, match=r"mix\.flac"):
            one.cut_mixture(cut(0, 44_100))
        with pytest.raises(AudioError, match=r"mix\.flac"):
            one.cut_mixture(cut(40_000, 44_100))

    def test_a_file_that_is_no_audio_is_refused_and_named(self, one: Slakh) -> None:
        one.mixture("Track00001").write_bytes(b"<html>404</html>")
        assert "mix.flac: not audio" in one.problems([cut(0, 9)])["Track00001"]
        with pytest.raises(AudioError, match=r"mix\.flac: not audio"):
            one.cut_mixture(cut(0, 9))

    def test_a_track_that_is_not_there_is_refused(self, one: Slakh) -> None:
        with pytest.raises(AudioError, match=r"Track00002 is not under .*zenodo"):
            one.cut_mixture(cut(0, 9, "Track00002"))


class TestStem:
    @pytest.mark.parametrize(("part", "expected"), [("drums", DRUMS), ("bass", BASS), ("residuals", STRINGS + ORGAN)])
    def test_stems_of_a_part_are_summed(self, one: Slakh, part: str, expected: Samples) -> None:
        found = one.cut_stem(cut(1_000, 9_000), part)
        assert found is not None
        assert (found.sample_rate, found.samples.shape) == (SAMPLE_RATE, (1, 8_000))
        np.testing.assert_allclose(found.samples[0], expected[1_000:9_000], atol=2 * ROUNDING)

    def test_all_parts_together_are_the_mixture(self, one: Slakh) -> None:
        clip = cut(20_000, 44_100)
        stems = [stem.samples for part in SLAKH_PARTS if (stem := one.cut_stem(clip, part)) is not None]
        assert len(stems) == 3
        np.testing.assert_allclose(sum(stems), one.cut_mixture(clip).samples, atol=5 * ROUNDING)

    def test_guitar_and_piano_are_not_among_the_residuals(self, tmp_path: Path) -> None:
        write_slakh(
            tmp_path / "Track00001", {"S00": ("Guitar", DRUMS), "S01": ("Piano", BASS), "S02": ("Organ", ORGAN)}
        )
        found = Slakh(tmp_path).cut_stem(cut(0, 5_000), "residuals")
        assert found is not None
        np.testing.assert_allclose(found.samples[0], ORGAN[:5_000], atol=ROUNDING)

    @pytest.mark.parametrize("part", ["guitar", "piano"])
    def test_a_class_that_is_not_there_is_none(self, one: Slakh, part: str) -> None:
        assert one.cut_stem(cut(0, 100), part) is None

    @pytest.mark.parametrize("part", ["vocals", "mix", "Drums"])
    def test_other_parts_are_refused(self, one: Slakh, part: str) -> None:
        with pytest.raises(InputError, match=f"no stem '{part}'; choose from bass, drums, guitar, piano, residuals"):
            one.cut_stem(cut(0, 100), part)

    def test_a_missing_stem_is_refused_whichever_part_is_asked_for(self, one: Slakh) -> None:
        (one.root / "test" / "Track00001" / "stems" / "S00.flac").unlink()
        for part in ("drums", "bass"):
            with pytest.raises(AudioError, match="stems S00 are missing"):
                one.cut_stem(cut(0, 100), part)

    def test_a_damaged_stem_is_refused_and_named(self, one: Slakh) -> None:
        (one.root / "test" / "Track00001" / "stems" / "S01.flac").write_bytes(b"")
        with pytest.raises(AudioError, match=r"S01\.flac"):
            one.cut_stem(cut(0, 100), "bass")
        assert one.cut_stem(cut(0, 100), "drums") is not None

    def test_a_stem_that_is_cut_short_is_not_filled_with_silence(self, one: Slakh) -> None:
        path = one.root / "test" / "Track00001" / "stems" / "S01.flac"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(AudioError, match=r"S01\.flac"):
            one.cut_stem(cut(0, 44_100), "bass")


def test_parts_are_in_the_order_of_all_parts() -> None:
    assert ordered(SLAKH_PARTS) == SLAKH_PARTS
