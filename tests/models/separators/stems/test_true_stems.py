"""True stems from files: every layout, what is summed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.errors import AudioError
from soundalike.models.separators import StemFiles, load_separator
from soundalike.models.separators.stems.stem_files import is_mixture, part_from_name
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.parts import STEMS
from tests.models.separators.slakh import SAMPLE_RATE, tone, write_named, write_slakh

DRUMS, BASS, REST, VOICE = tone(3000), tone(60), tone(500), tone(900)
FOUR = {"drums.wav": DRUMS, "bass.wav": BASS, "other.wav": REST, "vocals.wav": VOICE}
TRACK: dict[str, tuple[str, np.ndarray | None]] = {
    "S00": ("Guitar", tone(700)),
    "S01": ("Drums", DRUMS),
    "S02": ("Piano", tone(800)),
    "S03": ("Bass", BASS),
    "S04": ("Strings (continued)", REST),
    "S05": ("Guitar", tone(710)),
    "S06": ("Sound Effects", None),
}
ROUNDING = 2 / 2**15
"""Of 16-bit files, two of which are summed."""


def names(mixture: Path) -> dict[str, list[str]]:
    """The files of each part, relative to the mixture's folder."""
    found = StemsSeparator().files(mixture)
    return {part: [file.relative_to(mixture.parent).as_posix() for file in files] for part, files in found.items()}


def read(mixture: Path, *parts: str, start: float = 0.0, seconds: float = 1.0) -> dict[str, np.ndarray]:
    found = StemsSeparator().read(mixture, start, seconds, parts)
    assert all(waveform.channels == 1 for waveform in found.values())
    return {part: waveform.samples[0] for part, waveform in found.items()}


def test_it_stands_in_for_a_separator() -> None:
    loaded = load_separator("stems")
    assert isinstance(loaded, StemFiles)
    assert (loaded.name, loaded.parts) == ("stems", STEMS)
    assert loaded.version


class TestSlakh:
    @pytest.mark.parametrize("suffix", ["flac", "wav"])
    def test_classes_become_parts(self, tmp_path: Path, suffix: str) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK, suffix=suffix)
        assert names(mixture) == {
            "bass": [f"stems/S03.{suffix}"],
            "drums": [f"stems/S01.{suffix}"],
            "guitar": [f"stems/S00.{suffix}", f"stems/S05.{suffix}"],
            "piano": [f"stems/S02.{suffix}"],
            "residuals": [f"stems/S04.{suffix}"],
        }

    def test_six_parts_are_read_and_those_of_one_part_summed(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        found = read(mixture, *STEMS)
        assert set(found) == {"bass", "drums", "guitar", "piano", "residuals"}  # no vocals
        np.testing.assert_allclose(found["guitar"], tone(700) + tone(710), atol=ROUNDING)
        np.testing.assert_allclose(found["drums"], DRUMS, atol=ROUNDING)
        np.testing.assert_allclose(found["residuals"], REST, atol=ROUNDING)

    def test_slakh_4_has_guitar_and_piano_in_its_residuals(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        found = read(mixture, "drums", "bass", "residuals")
        assert set(found) == {"drums", "bass", "residuals"}
        np.testing.assert_allclose(found["residuals"], REST + tone(700) + tone(710) + tone(800), atol=4 * ROUNDING)
        assert set(read(mixture, "drums")) == {"drums"}

    def test_a_query_for_few_parts_has_the_residuals_of_the_library(self, tmp_path: Path) -> None:
        """Residuals alone do not include drums if drums are a part of the library."""
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        separator = StemsSeparator()
        alone = separator.read(mixture, 0.0, 1.0, ["residuals"], among=["bass", "drums", "residuals"])
        whole = separator.read(mixture, 0.0, 1.0, ["bass", "drums", "residuals"])
        np.testing.assert_array_equal(alone["residuals"].samples, whole["residuals"].samples)

    def test_stems_marked_as_not_rendered_count_if_they_exist(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK, suffix="wav", rendered=False)
        assert names(mixture)["drums"] == ["stems/S01.wav"]

    def test_submixes_below_the_stems_are_not_stems(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        before = names(mixture)
        write_named(tmp_path / "Track00001" / "stems" / "band", {"residuals.wav": REST})
        assert names(mixture) == before
        assert StemsSeparator().belongs(tmp_path / "Track00001" / "stems" / "band" / "residuals.wav")

    def test_missing_stems_are_listed(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        for name in ("S01", "S04"):
            (mixture.parent / "stems" / f"{name}.flac").unlink()
        with pytest.raises(AudioError, match=r"S01, S04 are missing"):
            StemsSeparator().files(mixture)

    def test_a_stem_that_the_metadata_do_not_list_is_refused(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        write_named(mixture.parent / "stems", {"drums.wav": DRUMS})
        with pytest.raises(AudioError, match=r"does not list the stem drums\.wav; it lists S00, S01"):
            StemsSeparator().files(mixture)

    @pytest.mark.parametrize("text", ["stems: [", "stems: drums", "- S00", "", "stems:\n  S00: Drums\n", "\x00"])
    def test_damaged_metadata_are_refused(self, tmp_path: Path, text: str) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        (mixture.parent / "metadata.yaml").write_text(text)
        with pytest.raises(AudioError, match=r"metadata\.yaml") as caught:
            StemsSeparator().files(mixture)
        assert "\n" not in str(caught.value)

    def test_metadata_do_not_run_code(self, tmp_path: Path) -> None:
        mixture = write_slakh(tmp_path / "Track00001", TRACK)
        order = f"stems: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n"
        (mixture.parent / "metadata.yaml").write_text(order)
        with pytest.raises(AudioError, match="cannot be read as YAML"):
            StemsSeparator().files(mixture)
        assert not (tmp_path / "made").exists()


PARTS = {"bass": "bass.wav", "drums": "drums.wav", "vocals": "vocals.wav", "residuals": "other.wav"}


@pytest.mark.parametrize(
    ("mixture", "place"),
    [
        ("track/mixture.wav", "track"),  # MUSDB18-HQ
        ("track/mix.wav", "track"),
        ("song.wav", "song.stems"),
        ("song.wav", "song"),
        ("song.wav", "stems/song"),
        ("song.wav", "stems"),
        ("Song.wav", "song.Stems"),
        ("song.wav", "Stems/Song"),
        ("mix.wav", "stems"),
    ],
)
def test_layouts_by_name(tmp_path: Path, mixture: str, place: str) -> None:
    write_named(tmp_path / place, FOUR)
    write_named((tmp_path / mixture).parent, {Path(mixture).name: sum(FOUR.values())})
    found = StemsSeparator().files(tmp_path / mixture)
    assert found == {part: (tmp_path / place / name,) for part, name in PARTS.items()}
    assert all(StemsSeparator().belongs(tmp_path / place / name) for name in FOUR)
    assert not StemsSeparator().belongs(tmp_path / mixture)
    assert StemsSeparator().sidecars(tmp_path / mixture) == tuple(sorted(tmp_path / place / name for name in FOUR))
    np.testing.assert_allclose(
        read(tmp_path / mixture, "residuals", "drums", "bass", "vocals")["residuals"], REST, atol=ROUNDING
    )


def test_a_folder_called_stems_belongs_only_to_the_single_song_beside_it(tmp_path: Path) -> None:
    write_named(tmp_path / "stems", FOUR)
    write_named(tmp_path, {"one.wav": REST, "two.wav": REST})
    separator = StemsSeparator()
    with pytest.raises(
        AudioError, match=r"one\.wav: there are no stems beside it; put them into the folder one\.stems"
    ):
        separator.files(tmp_path / "one.wav")
    assert not separator.belongs(tmp_path / "stems" / "drums.wav")
    write_named(tmp_path / "two.stems", FOUR)
    assert separator.files(tmp_path / "two.wav")["drums"] == (tmp_path / "two.stems" / "drums.wav",)


def test_an_album_with_the_name_of_a_song_is_not_a_folder_of_stems(tmp_path: Path) -> None:
    write_named(tmp_path, {"Blue.wav": REST, "other song.wav": REST})
    write_named(tmp_path / "Blue", {"All I Want.wav": REST, "Carey.wav": REST})
    assert StemsSeparator().sidecars(tmp_path / "Blue.wav") == ()
    assert not StemsSeparator().belongs(tmp_path / "Blue" / "Carey.wav")


def test_songs_beside_a_file_called_mix_are_not_stems(tmp_path: Path) -> None:
    write_named(tmp_path, {"mix.wav": REST, "Blue.wav": REST})
    assert StemsSeparator().sidecars(tmp_path / "mix.wav") == ()
    assert not StemsSeparator().belongs(tmp_path / "Blue.wav")


def test_numbered_stems_are_summed_without_a_mix_among_them(tmp_path: Path) -> None:
    write_named(tmp_path, {"song.wav": REST})
    stems = {"01 drums.wav": DRUMS, "guitar 1.wav": BASS, "guitar_2.flac": VOICE, "00 Mix.wav": REST, "Other.wav": REST}
    write_named(tmp_path / "song.stems", stems)
    assert names(tmp_path / "song.wav") == {
        "drums": ["song.stems/01 drums.wav"],
        "guitar": ["song.stems/guitar 1.wav", "song.stems/guitar_2.flac"],
        "residuals": ["song.stems/Other.wav"],
    }
    np.testing.assert_allclose(read(tmp_path / "song.wav", "guitar")["guitar"], BASS + VOICE, atol=ROUNDING)
    assert StemsSeparator().belongs(tmp_path / "song.stems" / "00 Mix.wav")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("drums.wav", "drums"),
        ("Drum.WAV", "drums"),
        ("01 drums.flac", "drums"),
        ("1-drums_2.wav", "drums"),
        ("others.ogg", "residuals"),
        ("keys.wav", None),
        ("drums left.wav", None),
        ("snaredrums.wav", None),
        ("01.wav", None),
        ("S00.wav", None),
    ],
)
def test_part_from_name(name: str, part: str | None) -> None:
    assert part_from_name(name) == part
    assert not is_mixture(name)


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        (
            {"drums.wav": DRUMS, "keys.wav": REST},
            r"the stem keys\.wav .* does not have the name of a part; the names are bass, drum",
        ),
        ({"drums.wav": DRUMS, "drums.flac": DRUMS}, r"drums\.flac and drums\.wav .* are the same stem"),
        ({"mix.wav": DRUMS}, r"has no stems"),
    ],
)
def test_stems_that_cannot_be_assigned_are_refused(tmp_path: Path, stems: dict[str, np.ndarray], message: str) -> None:
    write_named(tmp_path, {"song.wav": REST})
    write_named(tmp_path / "song.stems", stems)
    with pytest.raises(AudioError, match=message) as caught:
        StemsSeparator().files(tmp_path / "song.wav")
    assert str(caught.value).startswith(str(tmp_path / "song.wav"))


def test_a_stem_that_is_not_audio_is_refused(tmp_path: Path) -> None:
    write_named(tmp_path / "song.stems", {"drums.wav": DRUMS})
    write_named(tmp_path, {"song.wav": REST})
    (tmp_path / "song.stems" / "bass.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"bass\.wav: not audio"):
        read(tmp_path / "song.wav", "bass")
    assert set(read(tmp_path / "song.wav", "drums")) == {"drums"}


def test_a_region_is_read_from_its_start_and_continued_with_silence(tmp_path: Path) -> None:
    long, short = tone(60, 3.0), tone(3000, 1.0)
    write_named(tmp_path / "song.stems", {"drums 1.wav": long, "drums 2.wav": short, "bass.wav": short})
    write_named(tmp_path, {"song.wav": long})
    mixture = tmp_path / "song.wav"
    found = read(mixture, "drums", "bass", start=0.5, seconds=1.0)
    half = SAMPLE_RATE // 2
    expected = long[half : half + SAMPLE_RATE].copy()
    expected[:half] += short[half:]
    np.testing.assert_allclose(found["drums"], expected, atol=ROUNDING)
    np.testing.assert_allclose(found["bass"][:half], short[half:], atol=ROUNDING)
    assert not found["bass"][half:].any()
    late = read(mixture, "drums", "bass", start=2.5, seconds=0.5)
    assert (len(late["bass"]), late["bass"].any(), late["drums"].any()) == (half, False, True)


def test_stems_of_different_rates_and_channels_are_combined(tmp_path: Path) -> None:
    low, high = tone(400, sample_rate=22_050), tone(500, sample_rate=44_100)
    write_named(tmp_path / "song.stems", {"drums 1.wav": low, "bass.wav": low}, 22_050)
    write_named(tmp_path / "song.stems", {"drums 2.wav": np.stack([2 * high, 0 * high], axis=1)}, 44_100)
    write_named(tmp_path, {"song.wav": low})
    found = StemsSeparator().read(tmp_path / "song.wav", 0.0, 1.0, ["bass", "drums"])
    assert (found["bass"].sample_rate, found["drums"].sample_rate) == (22_050, 44_100)
    assert found["drums"].samples.shape == (1, 44_100)
    inside = slice(2_000, -2_000)  # away from the resampler's ends
    np.testing.assert_allclose(
        found["drums"].samples[0, inside], (tone(400, sample_rate=44_100) + high)[inside], atol=1e-3
    )


@pytest.mark.long
def test_an_analysis_has_the_vectors_of_the_true_stems(tmp_path: Path) -> None:
    """The vector of a part is that of its file; parts without one are absent; a part analysed alone has the same vector."""
    long = {name: (kind, None if x is None else np.tile(x, 12)) for name, (kind, x) in TRACK.items()}
    mixture = write_slakh(tmp_path / "Track00001", long)
    analyser = Analyser(make_recipe(separator="stems"))
    whole = analyser.analyse(mixture, "song", with_facts=False)
    assert whole.parts == (*STEMS, "mix")
    assert dict(zip(whole.parts, whole.present.all(axis=0), strict=True)) == {
        part: part != "vocals" for part in whole.parts
    }
    bass = analyser.analyse(mixture.parent / "stems" / "S03.flac", "song", parts=["mix"], with_facts=False)
    np.testing.assert_allclose(whole.vectors[0, 0], bass.vectors[0, -1], atol=2e-3)
    residuals = whole.parts.index("residuals")
    alone = analyser.analyse(mixture, "song", parts=["residuals"], with_facts=False)
    np.testing.assert_array_equal(alone.vectors[:, residuals], whole.vectors[:, residuals])
    slakh_4 = Analyser(make_recipe(separator="stems", parts=["drums", "bass", "residuals"]))
    four = slakh_4.analyse(mixture, "song", with_facts=False)
    cosine = float(four.vectors[0, four.parts.index("residuals")] @ whole.vectors[0, residuals])
    assert cosine < 0.99, "the guitar and the piano are in the residuals now"


@pytest.mark.parametrize("layout", ["{}.stems/{}", "stems/{}/{}", "{}/{}"])
def test_folders_are_found_however_unicode_composes_their_names(tmp_path: Path, layout: str) -> None:
    composed, decomposed = "Bj\u00f6rk", "Bjo\u0308rk"
    for mixture, folder in ((composed, decomposed), (decomposed, composed), ("STRASSE", "stra\u00dfe")):
        here = tmp_path / str(len(list(tmp_path.iterdir())))
        write_named(here, {f"{mixture}.wav": DRUMS, "x.wav": BASS})
        write_named((here / layout.format(folder, "drums.wav")).parent, {"drums.wav": DRUMS})
        found = StemsSeparator().files(here / f"{mixture}.wav")
        assert [path.name for path in found["drums"]] == ["drums.wav"]
        assert StemsSeparator().belongs(found["drums"][0])
