"""Song, loop or one-shot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundalike.analysis.kinds import SONG_SECONDS, check_kind, detect_kind, estimate_kind
from soundalike.analysis.preparation import prepare
from soundalike.audio import decode
from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.audio.waveform import waveform
from soundalike.errors import InputError
from soundalike.synth.truth import read_truth

RATE = 22_050


def hit(seconds: float = 0.2) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (np.random.default_rng(1).standard_normal(len(time)) * np.exp(-time * 40)).astype(np.float32)


def pattern(seconds: float, every: float) -> np.ndarray:
    out = np.zeros(round(seconds * RATE), np.float32)
    for start in np.arange(0, seconds - 0.1, every):
        at = round(start * RATE)
        struck = hit()[: len(out) - at]
        out[at : at + len(struck)] += struck
    return out


def uneven(seconds: float) -> np.ndarray:
    """Sounds at irregular times up to the end."""
    out = np.zeros(round(seconds * RATE), np.float32)
    for place in (0.0, 0.083, 0.19, 0.31, 0.386, 0.47, 0.585, 0.71, 0.795, 0.93):
        at = round(place * len(out))
        struck = hit()[: len(out) - at]
        out[at : at + len(struck)] += struck
    return out


def test_onsets_throughout_make_a_loop_and_one_onset_a_one_shot() -> None:
    assert estimate_kind(pattern(4.0, 0.25), RATE, None) == "loop"
    assert estimate_kind(hit(), RATE, None) == "one-shot"
    assert estimate_kind(np.pad(hit(), (0, 4 * RATE)), RATE, None) == "one-shot"


def test_the_kind_in_a_loop_chunk_is_used() -> None:
    assert estimate_kind(hit(), RATE, LoopChunk("acid", one_shot=False)) == "loop"
    assert estimate_kind(uneven(4.0), RATE, None) == "loop"
    assert estimate_kind(uneven(4.0), RATE, LoopChunk("acid", one_shot=True)) == "one-shot"
    assert estimate_kind(hit(), RATE, LoopChunk("acid", one_shot=True)) == "one-shot"


@pytest.mark.parametrize("source", ["acid", "basc"])
@pytest.mark.parametrize("beats", [4, 8, 12, 16])
@pytest.mark.parametrize("tempo", [85.0, 124.0, 174.0])
def test_a_loop_that_is_marked_as_a_one_shot_is_a_loop(tempo: float, beats: int, source: str) -> None:
    for every in (0.5, 1.0) if beats > 4 else (0.5,):
        sound = pattern(beats * 60 / tempo, every * 60 / tempo)
        assert estimate_kind(sound, RATE, LoopChunk(source, one_shot=True)) == "loop"


def test_the_reported_loop_that_is_marked_as_a_one_shot_is_a_loop(test_data: Path) -> None:
    prepared = prepare(test_data / "reports" / "oneshotflag_loop.wav")
    assert prepared.kind == "loop"
    assert prepared.tempo.value == pytest.approx(124.0)


def test_kinds_are_recognised_in_any_spelling_and_others_are_rejected() -> None:
    assert [check_kind(word) for word in ("loop", "Loops", "SONG", "oneshot", "one shots")] == [
        "loop",
        "loop",
        "song",
        "one-shot",
        "one-shot",
    ]
    with pytest.raises(InputError, match=r"'album'.*one-shot"):
        check_kind("album")


def test_generated_one_shots_and_drum_loops_are_recognised(music: Path) -> None:
    truth = read_truth(music)
    for wanted, files in (
        ("one-shot", [shot.file for shot in truth.one_shots]),
        ("loop", [loop.file for loop in truth.loops if loop.part == "drums"]),
    ):
        sounds = [decode.read(music / file) for file in files]
        kinds = [estimate_kind(sound.mono(), sound.sample_rate, None) for sound in sounds]
        assert kinds
        assert set(kinds) == {wanted}


def drone(seconds: float, *, decay: float = 0.0) -> np.ndarray:
    """A tone with one onset; decay: in 1/s."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 110 * time) * np.exp(-decay * time)).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["loop_drone", "DroneLoop2", "Drone-Loops", "drone LOOP", "loop3d_printer", "drumloop", "synthloop_07"]
)
def test_a_sound_that_goes_on_is_a_loop_if_its_name_contains_the_word(name: str) -> None:
    assert estimate_kind(drone(4.0), RATE, None) == "one-shot"
    assert estimate_kind(drone(4.0), RATE, None, name) == "loop"


@pytest.mark.parametrize(
    "name", ["bloop", "loophole", "loopy drone", "one-shot of a loop", "Loop Oneshots 3", "drone", ""]
)
def test_other_names_are_no_evidence_of_a_loop(name: str) -> None:
    assert estimate_kind(drone(4.0), RATE, None, name) == "one-shot"


def test_a_name_does_not_make_a_loop_of_what_is_short_or_dies_away() -> None:
    assert estimate_kind(drone(0.2), RATE, None, "loop end") == "one-shot"
    assert estimate_kind(drone(4.0, decay=3.0), RATE, None, "loop end") == "one-shot"
    assert estimate_kind(drone(4.0), RATE, LoopChunk("acid", one_shot=True), "loop") == "one-shot"
    assert estimate_kind(pattern(4.0, 0.25), RATE, None, "one shot") == "loop"  # what is measured counts as before


def test_a_tempo_at_which_a_sound_lasts_whole_beats_is_evidence_beside_two_onsets() -> None:
    halves = np.concatenate([drone(2.0), 0.3 * drone(2.0) + pattern(2.0, 4.0)])  # 4 s: 8 beats at 120
    assert estimate_kind(halves, RATE, None) == "one-shot"
    assert estimate_kind(halves, RATE, None, "drone 120bpm") == "loop"
    assert estimate_kind(halves, RATE, None, "drone 123bpm") == "one-shot"  # 8.2 beats
    assert estimate_kind(halves, RATE, None, "shot 120bpm") == "one-shot"
    assert estimate_kind(drone(4.0), RATE, None, "riser 120bpm") == "one-shot"


def test_the_name_of_a_file_counts_when_it_is_read(tmp_path: Path) -> None:
    for name in ("loop drone.wav", "drone.wav"):
        sf.write(tmp_path / name, drone(4.0), RATE)
    assert prepare(tmp_path / "loop drone.wav").kind == "loop"
    assert prepare(tmp_path / "drone.wav").kind == "one-shot"


def test_real_one_shots_and_loops_are_recognised(test_data: Path) -> None:
    """At least 95 % of 195 samples, and all that are called a loop."""
    right = 0
    paths = sorted((test_data / "samples").glob("*.flac"))
    for path in paths:
        sound = decode.read(path)
        wanted = "loop" if path.name.startswith(("loop_", "arovane_")) else "one-shot"
        kind = estimate_kind(sound.mono(), sound.sample_rate, None, path.stem)
        right += kind == wanted
        assert not (path.name.startswith("loop_") and kind == "one-shot"), path.name
    assert len(paths) == 195
    assert right >= 0.95 * len(paths)


def test_the_length_of_a_file_decides_first() -> None:
    beginning = waveform(hit(), RATE)
    assert detect_kind(SONG_SECONDS, beginning, Tags(loop=LoopChunk("acid", one_shot=True))) == "song"
    assert detect_kind(0.2, beginning, Tags()) == "one-shot"
    assert detect_kind(0.2, beginning, Tags(loop=LoopChunk("acid", one_shot=False))) == "loop"
