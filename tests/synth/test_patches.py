import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.parts import STEMS
from soundalike.synth import dsp
from soundalike.synth.patches import PATCHES, VOICES, patch_named, render_chord, render_note


@pytest.mark.parametrize("name", PATCHES)
def test_every_patch_plays_in_tune_and_ends_quietly(name: str) -> None:
    patch = PATCHES[name]
    assert patch.part in STEMS
    assert patch.voice in VOICES
    midi = patch.low + 8
    note = render_note(name, midi, 1.0)
    assert note.dtype == np.float32
    assert np.isfinite(note).all()
    assert 1.0 <= note.size / dsp.SAMPLE_RATE < 1.6
    assert 0.05 < np.abs(note).max() < 2.0
    assert np.abs(note[:2]).max() < 0.02
    assert np.abs(note[-20:]).max() < 0.005
    spectrum = np.abs(np.fft.rfft(note * np.hanning(note.size), 2**18))
    loudest = spectrum.argmax() * dsp.SAMPLE_RATE / 2**18
    partial = loudest / (dsp.to_hz(midi) / 2)  # organ and synthesiser basses sound an octave below as well
    assert 0.5 < partial < 12.5
    assert abs(1200 * np.log2(partial / round(partial))) < 25, f"{loudest:.1f} Hz"


def test_patches_of_one_part_sound_different() -> None:
    for part in ("bass", "guitar", "piano", "residuals"):
        names = [patch.name for patch in PATCHES.values() if patch.part == part]
        assert len(names) >= 4
        spectra = [np.abs(np.fft.rfft(render_note(name, 57, 0.5), 2**15))[:8000] for name in names]
        unit = np.stack([spectrum / np.linalg.norm(spectrum) for spectrum in spectra])
        likeness = unit @ unit.T - np.eye(len(names))
        assert likeness.max() < 0.999, part


def test_chord_is_the_notes_together_where_nothing_distorts() -> None:
    chord = render_chord("grand", (60, 64, 67), 0.5)
    notes = sum(render_note("grand", midi, 0.5) for midi in (60, 64, 67))
    np.testing.assert_allclose(chord, notes, atol=1e-6)


def test_strum_delays_later_strings_and_mutes_are_short() -> None:
    strummed = render_chord("steel", (45, 52), 1.0, strum=0.05)
    low = render_chord("steel", (45,), 1.0)
    before = round(0.049 * dsp.SAMPLE_RATE)
    np.testing.assert_allclose(strummed[:before], low[:before], atol=1e-6)
    tail = slice(dsp.SAMPLE_RATE // 2, None)
    muted = render_chord("steel", (45, 52), 1.0, muted=True)
    assert np.std(muted[tail]) < 0.1 * np.std(strummed[tail])


def test_velocity_is_level_and_brightness() -> None:
    soft, loud = render_note("grand", 57, 0.5, 0.25), render_note("grand", 57, 0.5, 1.0)
    assert np.std(soft) < 0.5 * np.std(loud)

    def share_of_highs(note: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(note)) ** 2
        return float(power[power.size // 20 :].sum() / power.sum())

    assert share_of_highs(soft) < share_of_highs(loud)


def test_errors_teach() -> None:
    with pytest.raises(InputError, match=r"'kazoo'.*grand"):
        patch_named("kazoo")
    with pytest.raises(InputError, match="one note at least"):
        render_chord("grand", (), 1.0)
