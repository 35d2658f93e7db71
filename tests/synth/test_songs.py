from dataclasses import replace

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.parts import ordered
from soundalike.synth import dsp, mixing
from soundalike.synth.songs import TAIL, Song, render_loop, render_song
from soundalike.synth.specs import SongSpec
from soundalike.synth.styles import STYLES

RATE = dsp.SAMPLE_RATE


def _flux(signal: np.ndarray, hop: int = 441) -> np.ndarray:
    """Rises of level, one value every 10 ms."""
    mono = signal.mean(axis=0)
    frames = mono[: mono.size // hop * hop].reshape(-1, hop)
    return np.maximum(0.0, np.diff(np.log10(2e-3 + np.sqrt(np.mean(frames**2, axis=1)))))


def test_mixture_is_the_sum_of_its_stems(songs: tuple[Song, ...]) -> None:
    for song in songs:
        assert tuple(song.stems) == ordered(song.spec.parts)
        assert np.array_equal(mixing.total(song.stems), song.mixture)
        exact = np.sum([stem.astype(np.float64) for stem in song.stems.values()], axis=0)
        np.testing.assert_allclose(song.mixture, exact, atol=1e-6)


def test_songs_are_fit_to_be_heard(songs: tuple[Song, ...]) -> None:
    for song in songs:
        mixture = song.mixture
        assert mixture.dtype == np.float32
        assert mixture.shape == (2, round(song.duration * RATE))
        assert np.isfinite(mixture).all()
        assert 0.3 < np.abs(mixture).max() < 0.98
        assert -18.0 < mixing.loudness(mixture) < -14.0
        assert np.abs(mixture[:, -50:]).max() < 1e-3, "ends with a click"
        assert abs(float(mixture.mean())) < 5e-3
        levels = {part: 20 * np.log10(mixing.active_level(stem)) for part, stem in song.stems.items()}
        assert max(levels.values()) - min(levels.values()) < 15.0, levels
        assert song.duration == pytest.approx(song.spec.bars * 240.0 / song.spec.tempo + TAIL, abs=1e-3)


def test_same_specification_same_samples(specs: tuple[SongSpec, ...], songs: tuple[Song, ...]) -> None:
    again = render_song(specs[0])
    assert all(np.array_equal(again.stems[part], stem) for part, stem in songs[0].stems.items())
    other = render_song(replace(specs[0], seed=specs[0].seed + 1))
    assert not np.array_equal(other.mixture, songs[0].mixture)


def test_strokes_lie_on_the_grid(songs: tuple[Song, ...]) -> None:
    for song in songs:
        style = STYLES[song.spec.style]
        step = 15.0 / song.spec.tempo
        for hit in song.hits:
            nearest = round(hit.time / step)
            grid = [(n + (style.swing if n % 2 else 0.0)) * step for n in (nearest - 1, nearest, nearest + 1)]
            assert min(abs(hit.time - time) for time in grid) <= 2 * style.loose + 1e-6


def test_drums_are_heard_where_they_are_struck(songs: tuple[Song, ...]) -> None:
    for song in songs:
        flux = _flux(song.stems["drums"])
        loud = [hit.time for hit in song.hits if hit.voice in ("kick", "snare", "clap") and hit.time > 0.05]
        loud = [time for time in loud if time < song.duration - 0.1]
        struck = np.array([flux[max(0, round(time * 100) - 2) : round(time * 100) + 3].max() for time in loud])
        assert np.mean(struck > 0.1) > 0.9, song.spec.style
        steps = np.arange(flux.size) / 100
        far = np.array([min(abs(time - hit.time) for hit in song.hits) > 0.06 for time in steps])
        if far.sum() > 20:
            assert np.mean(flux[far] > 0.1) < 0.05, song.spec.style


def test_bars_repeat_at_the_tempo(songs: tuple[Song, ...]) -> None:
    for song in songs:
        flux = _flux(song.stems["drums"])
        flux = flux - flux.mean()

        def likeness(lag: float, flux: np.ndarray = flux) -> float:
            frames = round(100 * lag)
            return max(float(flux[: -frames + d] @ flux[frames - d :]) for d in (-1, 0, 1))

        bar = 240.0 / song.spec.tempo
        off = max(likeness(bar * factor) for factor in (0.93, 0.97, 1.03, 1.07))
        assert likeness(bar) > 1.5 * off, song.spec.style


def test_pitched_stems_are_in_the_key(songs: tuple[Song, ...]) -> None:
    for song in songs:
        for part, stem in song.stems.items():
            # Short bass notes are too low to be told apart by a spectrum; test_patterns looks at what they play.
            if part in ("drums", "bass"):
                continue
            power = np.abs(np.fft.rfft(stem.mean(axis=0), 2**21)) ** 2
            hz = np.fft.rfftfreq(2**21, 1 / RATE)
            heard = (hz > 80.0) & (hz < 1000.0)
            classes = np.round(12 * np.log2(hz[heard] / 440.0) + 69).astype(int) % 12
            chroma = np.bincount(classes, weights=power[heard], minlength=12)
            inside = chroma[list(song.spec.key.pitch_classes)].sum() / chroma.sum()
            assert inside > 0.85, (song.spec.style, part, inside)


def test_arrangement_changes(songs: tuple[Song, ...]) -> None:
    for song in songs:
        bar = 240.0 / song.spec.tempo
        start = 0.0
        for section in song.spec.sections:
            # The last bar of a section: what rang on from the one before is gone.
            end = start + section.bars * bar
            window = slice(round((end - bar) * RATE), round(end * RATE))
            for part, stem in song.stems.items():
                level = float(np.std(stem[:, window]))
                if part in section.parts:
                    assert level > 1e-3, (song.spec.style, section.name, part)
                else:
                    assert level < 0.1 * mixing.active_level(stem), (song.spec.style, section.name, part)
            start = end


def test_the_same_pattern_on_another_kit(specs: tuple[SongSpec, ...], songs: tuple[Song, ...]) -> None:
    spec = specs[0]
    kit = "maple" if spec.kit != "maple" else "garage"
    other = render_song(replace(spec, kit=kit))
    assert other.hits == songs[0].hits
    assert not np.allclose(other.stems["drums"], songs[0].stems["drums"], atol=1e-3)


def test_loops_are_whole_bars_without_a_seam(specs: tuple[SongSpec, ...]) -> None:
    for spec in specs[:8]:
        for part in spec.parts:
            loop = render_loop(spec, part)
            assert loop.shape == (2, round(2 * 240.0 / spec.tempo * RATE))
            assert np.abs(loop).max() == pytest.approx(0.8, abs=1e-4)
            assert np.isfinite(loop).all()
            assert max(np.abs(loop[:, 0]).max(), np.abs(loop[:, -1]).max()) < 1e-3
            assert np.array_equal(loop, render_loop(spec, part))


def test_what_rings_over_the_end_of_a_loop_is_at_its_beginning(specs: tuple[SongSpec, ...]) -> None:
    ballad = next(spec for spec in specs if spec.style == "ballad")
    pad = render_loop(replace(ballad, patches=(("bass", "sub"), ("residuals", "warm"))), "residuals")
    # The pad fades in over 0.4 s: what sounds in the first 0.1 s is the release of the chord before.
    assert np.std(pad[:, 500:4000]) > 0.3 * np.std(pad)


def test_loop_of_a_part_that_is_not_there(specs: tuple[SongSpec, ...]) -> None:
    bare = replace(specs[0], patches=specs[0].patches[:1])
    with pytest.raises(InputError, match=r"no 'piano'; it has bass, drums"):
        render_loop(bare, "piano")
