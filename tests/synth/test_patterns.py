import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.synth import patterns
from soundalike.synth.patterns import Clock, DrumFeel, GuitarFeel
from soundalike.synth.seeds import generator
from soundalike.synth.theory import Key

AM, CLOCK = Key(9, "minor"), Clock(120.0)
ROCK = patterns.style_named("rock").grooves[0]


def _bar(**changes: bool) -> list[patterns.Hit]:
    flags = {"sparse": False, "crash": False, "fill": False, **changes}
    return patterns.drum_bar(ROCK, CLOCK, 0, generator("t"), DrumFeel(**flags))


def test_clock_divides_the_bar_and_swings_the_offbeats() -> None:
    assert CLOCK.bar == pytest.approx(2.0)
    swung = Clock(120.0, 1 / 3)
    assert swung.time(4) == CLOCK.time(4) == pytest.approx(0.5)
    assert swung.time(1) == pytest.approx(0.125 * 4 / 3)


def test_drums_play_what_the_lanes_say() -> None:
    hits = _bar()
    times = {voice: [hit.time for hit in hits if hit.voice == voice] for voice in ROCK}
    assert times["snare"] == pytest.approx([0.5, 1.5])
    assert times["kick"] == pytest.approx([0.0, 0.75, 1.0])
    assert len(times["closed_hat"]) == 8
    assert all(0.0 < hit.velocity <= 1.0 for hit in hits)
    assert hits == sorted(hits, key=lambda hit: (hit.time, hit.voice))


def test_sections_thin_out_crash_and_fill() -> None:
    assert "snare" not in {hit.voice for hit in _bar(sparse=True)}
    assert [hit.time for hit in _bar(crash=True) if hit.voice == "cymbal"] == [0.0]
    filled = _bar(fill=True)
    assert {"high_tom", "low_tom"} <= {hit.voice for hit in filled}
    assert not [hit for hit in filled if hit.voice == "closed_hat" and hit.time >= 1.0]


def test_a_drummer_strays_from_the_grid_a_little() -> None:
    played = patterns.drum_bar(ROCK, CLOCK, 0, generator("t"), DrumFeel(loose=0.004))
    off = [abs(hit.time / CLOCK.step - round(hit.time / CLOCK.step)) * CLOCK.step for hit in played]
    assert 0.0005 < max(off) <= 0.008 + 1e-9


def test_bass_follows_the_chords_within_the_key() -> None:
    notes = patterns.bass_bar("1===5=..8=7=..<.", CLOCK, AM, 1, 6, 28)
    assert [note.midis[0] % 12 for note in notes] == [9, 4, 9, 7, 4]
    assert notes[0].duration == pytest.approx(3.9 * CLOCK.step)
    assert min(note.midis[0] for note in notes) >= 28


@pytest.mark.parametrize("degree", range(1, 8))
def test_all_pitched_parts_stay_in_the_key(degree: int) -> None:
    bars = [
        patterns.guitar_bar("D.mU1.2.3.4.5.D.", CLOCK, AM, degree, 45, GuitarFeel()),
        patterns.guitar_bar("D.mU1.2.3.4.5.D.", CLOCK, AM, degree, 40, GuitarFeel(power_chords=True, skank=True)),
        patterns.keys_bar("C=c=1234C.......", CLOCK, AM, degree, 48, True),
        *(patterns.lead_bar(kind, CLOCK, AM, degree, 52, generator("l", degree)) for kind in ("pad", "stab", "melody")),
    ]
    for notes in bars:
        assert notes
        for note in notes:
            assert {midi % 12 for midi in note.midis} <= set(AM.pitch_classes)
            assert 0.0 <= note.time < CLOCK.bar
            assert note.duration > 0.0
            assert 0.0 < note.velocity <= 1.0


def test_strums_mutes_and_power_chords() -> None:
    down, mute, up = patterns.guitar_bar("D...m...U.......", CLOCK, AM, 1, 45, GuitarFeel())
    assert (down.muted, mute.muted) == (False, True)
    assert list(up.midis) == sorted(up.midis, reverse=True)
    assert down.duration > mute.duration
    (power,) = patterns.guitar_bar("D...............", CLOCK, AM, 1, 40, GuitarFeel(power_chords=True))
    assert {midi % 12 for midi in power.midis} == {9, 4}


def test_unknown_style_teaches() -> None:
    with pytest.raises(InputError, match=r"'polka'.*rock"):
        patterns.style_named("polka")
    assert np.isclose(Clock(60.0).step, 0.25)
