import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from soundalike.synth import dsp

RATE = dsp.SAMPLE_RATE


def test_modal_is_the_sum_of_its_partials() -> None:
    hz, levels = np.array([110.0, 1234.5, 9000.0]), np.array([1.0, 0.5, 0.2])
    falls, phases = np.array([3.0, 0.5, np.inf]), np.array([0.0, 0.3, 1.0])
    t = np.arange(50_001) / RATE
    rows = levels * np.sin(2 * np.pi * np.outer(t, hz) + phases) * np.exp(-np.log(1000.0) * np.outer(t, 1 / falls))
    np.testing.assert_allclose(dsp.modal(50_001, hz, levels, falls, phases), rows.sum(axis=1), atol=2e-6)


def test_modal_leaves_out_what_the_rate_cannot_carry() -> None:
    assert not dsp.modal(1000, [21_000.0, 30_000.0], 1.0, 1.0).any()


def test_modal_with_more_partials_than_one_product_takes() -> None:
    hz = np.linspace(100.0, 2000.0, 130)
    whole = dsp.modal(5000, hz, 0.01, 1.0)
    np.testing.assert_allclose(whole, sum(dsp.modal(5000, one, 0.01, 1.0) for one in hz), atol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("threads", ["1", "2"])
def test_samples_do_not_depend_on_the_number_of_threads(threads: str) -> None:
    code = (
        "import hashlib; from soundalike.synth import dsp; import numpy as np;"
        "print(hashlib.sha256(dsp.modal(100_000, np.arange(1, 200) * 50.0, 0.1, 2.0).tobytes()).hexdigest())"
    )
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, threads)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = hashlib.sha256(dsp.modal(100_000, np.arange(1, 200) * 50.0, 0.1, 2.0).tobytes()).hexdigest()
    assert done.stdout.strip() == here


def test_decay_falls_by_sixty_decibels_in_its_time() -> None:
    envelope = dsp.decay(RATE, 0.5)
    assert envelope[0] == 1.0
    assert 20 * np.log10(envelope[RATE // 2]) == pytest.approx(-60.0, abs=0.01)


def test_gate_starts_and_ends_in_silence_and_holds_between() -> None:
    envelope = dsp.gate(1000, 0.002, 0.005)
    assert envelope[0] == 0.0
    assert envelope[-1] == pytest.approx(0.0, abs=1e-12)
    assert (envelope[100:700] == 1.0).all()
    assert dsp.gate(3, 1.0, 1.0).max() <= 1.0


def test_sweep_goes_from_one_frequency_to_the_other() -> None:
    crossings = np.flatnonzero(np.diff(np.signbit(dsp.sweep(RATE, 400.0, 50.0, 0.02)).astype(int)) == 1)
    heard = RATE / np.diff(crossings)
    assert heard[0] > 250.0
    assert heard[-1] == pytest.approx(50.0, rel=0.01)


@pytest.mark.parametrize(
    ("filtered", "passed", "stopped"),
    [
        (lambda x: dsp.lowpass(x, 1000.0), 200.0, 8000.0),
        (lambda x: dsp.highpass(x, 1000.0), 8000.0, 100.0),
        (lambda x: dsp.bandpass(x, 800.0, 1200.0), 1000.0, 8000.0),
        (lambda x: dsp.bandpass(x, 800.0, 40_000.0), 4000.0, 80.0),
    ],
)
def test_filters_pass_and_stop(filtered, passed: float, stopped: float) -> None:  # type: ignore[no-untyped-def]
    t = dsp.seconds(RATE // 4)
    level = {hz: float(np.std(filtered(np.sin(2 * np.pi * hz * t))[2000:])) for hz in (passed, stopped)}
    assert level[passed] > 0.6
    assert level[stopped] < 0.05


def test_overdrive_is_bounded_and_zero_drive_leaves_alone() -> None:
    signal = np.linspace(-1.0, 1.0, 101)
    assert dsp.overdrive(signal, 0.0) is signal
    driven = dsp.overdrive(signal, 8.0)
    assert np.abs(driven).max() == pytest.approx(1.0)
    assert np.abs(driven[60]) > 2 * np.abs(signal[60])


def test_crush_holds_and_quantises() -> None:
    crushed = dsp.crush(np.sin(np.arange(99) / 5.0), 4.0, 3)
    assert crushed.size == 99
    assert (crushed[0::3] == crushed[2::3]).all()
    assert set(np.unique(crushed * 8) % 1) == {0.0}


def test_notes_pans_and_peaks() -> None:
    assert dsp.to_hz(69) == pytest.approx(440.0)
    assert dsp.to_hz(57) == pytest.approx(220.0)
    for pan in (-1.0, -0.3, 0.0, 0.7):
        left, right = dsp.pan_gains(pan)
        assert left**2 + right**2 == pytest.approx(2.0)
    assert dsp.pan_gains(-1.0)[1] == pytest.approx(0.0, abs=1e-12)
    assert np.abs(dsp.normalise(np.array([0.1, -0.4]), 0.8)).max() == pytest.approx(0.8)
    assert not dsp.normalise(np.zeros(4), 0.8).any()
