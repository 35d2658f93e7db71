"""What kind of file it is: a song, a loop or a one-shot.

Length decides first (`SONG_SECONDS`); then a loop chunk in the file, which states it; then the course of the sound: a
loop has onsets up to its end, a one-shot has one (or a few close together) and decays. Editors mark what they do not know
as a one-shot: a file so marked is a loop if its sound is one and its onsets divide its length into beats.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.audio.onsets import onset_times
from soundalike.audio.waveform import Waveform
from soundalike.errors import InputError

Kind = Literal["song", "loop", "one-shot"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SONG_SECONDS = 20.0
"""A file of this length or longer is a song, unless the user gives its kind."""

_SHORTEST_LOOP = 0.8  # s: a bar at 300 bpm; anything shorter holds no rhythm
_FEWEST_ONSETS = 4  # of a loop
_SHORTEST_STEP = 0.1  # s: a sixteenth at 150 bpm
_ON_THE_BEAT = 0.015  # s, largest distance of an onset from its beat
_MOST_ONSETS = 0.9
_LATER_ENERGY = 0.3  # least share of a loop's energy after its first quarter


def check_kind(kind: str) -> Kind:
    """The kind that `kind` names, in any case, singular or plural, with or without a hyphen. Raises InputError."""
    written = kind.strip().lower().replace(" ", "-").replace("_", "-").replace("oneshot", "one-shot")
    for known in KINDS:
        if written in (known, f"{known}s"):
            return known
    raise InputError(f"unknown kind {kind!r}; the kinds are {', '.join(KINDS)}")


def detect_kind(duration: float, beginning: Waveform, tags: Tags) -> Kind:
    """The kind of a file of `duration` s, from its beginning (all of what is shorter than a song) and its tags."""
    if duration >= SONG_SECONDS:
        return "song"
    return estimate_kind(beginning.mono(), beginning.sample_rate, tags.loop)


def estimate_kind(samples: NDArray[np.float32], sample_rate: int, chunk: LoopChunk | None) -> Kind:
    """Loop or one-shot, of a mono waveform (samples,) shorter than a song; `chunk` is the file's loop chunk, if any."""
    stated = None if chunk is None else chunk.one_shot
    if stated is False:
        return "loop"
    duration = len(samples) / sample_rate
    if duration < _SHORTEST_LOOP:
        return "one-shot"
    onsets = onset_times(samples, sample_rate)
    if not _sounds_like_a_loop(samples, onsets / duration) or (stated and not _divide_into_beats(onsets, duration)):
        return "one-shot"
    return "loop"


def _sounds_like_a_loop(samples: NDArray[np.float32], onsets: NDArray[np.float64]) -> bool:
    """Whether the onsets (in shares of the length) and the energy go on to the end."""
    if len(onsets) < _FEWEST_ONSETS:
        return False
    energy = np.square(samples, dtype=np.float64)
    sustained = energy[len(energy) // 4 :].sum() > _LATER_ENERGY * energy.sum()
    quarters = np.unique(np.minimum((onsets * 4).astype(int), 3))
    return bool(sustained and len(quarters) >= 3)


def _divide_into_beats(onsets: NDArray[np.float64], duration: float) -> bool:
    """Whether nearly all onsets (s) lie where the length is divided into 2, 4, 8, ... or 3, 6, 12, ... equal steps."""
    for steps in (2 ** np.arange(1, 9)).tolist() + (3 * 2 ** np.arange(8)).tolist():
        step = duration / steps
        if step < _SHORTEST_STEP:
            continue
        distance = np.abs(onsets - step * np.round(onsets / step))
        if np.mean(distance < _ON_THE_BEAT) >= _MOST_ONSETS:
            return True
    return False
