import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.synth import dsp
from soundalike.synth.drum_shapes import FAMILIES, VOICES
from soundalike.synth.drums import KITS, kit_named, render_hit


def _centroid(hit: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(hit, 2**16)) ** 2
    return float((power * np.fft.rfftfreq(2**16, 1 / dsp.SAMPLE_RATE)).sum() / power.sum())


@pytest.mark.parametrize("kit", KITS)
def test_every_voice_is_a_clean_hit(kit: str) -> None:
    for voice in VOICES:
        hit = render_hit(kit, voice)
        assert hit.dtype == np.float32
        assert hit.ndim == 1
        assert np.isfinite(hit).all()
        assert 0.02 < hit.size / dsp.SAMPLE_RATE < 3.0
        assert 0.5 < np.abs(hit).max() <= 0.901
        assert hit[0] == 0.0
        assert np.abs(hit[-20:]).max() < 0.01, "ends with a click"
        # The attack is at the beginning: the loudest moment comes within the first 60 ms.
        assert np.abs(hit).argmax() < 0.06 * dsp.SAMPLE_RATE


def test_kicks_are_low_snares_between_and_hats_high() -> None:
    for kit in KITS:
        kick, snare, hat = (_centroid(render_hit(kit, voice)) for voice in ("kick", "snare", "closed_hat"))
        assert kick < 400.0 < snare < hat


def test_kits_sound_different_and_machines_repeat_themselves() -> None:
    assert {kit.family for kit in KITS.values()} == set(FAMILIES)
    snares = [render_hit(kit, "snare") for kit in KITS]
    assert len({snare.tobytes() for snare in snares}) == len(KITS)
    assert np.array_equal(render_hit("club909", "snare", 0), render_hit("club909", "snare", 3))
    assert not np.array_equal(render_hit("maple", "snare", 0), render_hit("maple", "snare", 3))


def test_strokes_of_one_kit_are_nearer_than_kits() -> None:
    strokes = [_centroid(render_hit("maple", "snare", seed)) for seed in range(4)]
    others = [_centroid(render_hit(kit, "snare")) for kit in KITS if kit != "maple"]
    assert np.ptp(strokes) < 0.15 * np.mean(strokes)
    assert min(abs(other - np.mean(strokes)) for other in others) > np.std(strokes)


def test_hits_are_kept_and_cannot_be_spoilt() -> None:
    with pytest.raises(ValueError, match="read-only"):
        render_hit("maple", "kick")[0] = 1.0


def test_unknown_names_teach() -> None:
    with pytest.raises(InputError, match=r"'tr77'.*maple"):
        kit_named("tr77")
    with pytest.raises(InputError, match=r"'cowbell'.*kick"):
        render_hit("maple", "cowbell")
