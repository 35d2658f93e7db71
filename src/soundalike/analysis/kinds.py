"""What kind of file it is: a song, a loop or a one-shot.

Length decides first (`SONG_SECONDS`); then a loop chunk in the file, which states it; then the course of the sound: a
loop has onsets up to its end, a one-shot has one (or a few close together) and decays. Editors mark what they do not know
as a one-shot: a file so marked is a loop if its sound is one and its onsets divide its length into beats.

A name is evidence beside the sound, never instead of it. A sound with few onsets (a drone, a machine) is a loop if its name
contains the word `loop` and its energy goes on, or if its name states a tempo at which it lasts whole beats and it has onsets
in two quarters at least.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.metadata.class_names import words_of
from soundalike.audio.metadata.filename_metadata import metadata_from_filename
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
_FEWEST_BEATS = 4  # a bar
_WHOLE = 0.03  # of a beat
_LOOP_WORD = re.compile(r"(drum|beat|break|groove|perc|hat|top|bass|guitar|synth|vocal|chord|melody)?loops?")
_ONE_SHOT_WORDS = frozenset({"shot", "shots", "oneshot", "oneshots"})
_LATER_ENERGY = 0.3  # least share of a loop's energy after its first quarter


def check_kind(kind: str) -> Kind:
    """The kind that `kind` names, in any case, singular or plural, with or without a hyphen. Raises InputError."""
    written = kind.strip().lower().replace(" ", "-").replace("_", "-").replace("oneshot", "one-shot")
    for known in KINDS:
        if written in (known, f"{known}s"):
            return known
    raise InputError(f"unknown kind {kind!r}; the kinds are {', '.join(KINDS)}")


def detect_kind(duration: float, beginning: Waveform, tags: Tags, name: str = "") -> Kind:
    """The kind of a file of `duration` s, from its beginning (all of what is shorter than a song), its tags and its name
    (without folder and suffix)."""
    if duration >= SONG_SECONDS:
        return "song"
    return estimate_kind(beginning.mono(), beginning.sample_rate, tags.loop, name)


def estimate_kind(samples: NDArray[np.float32], sample_rate: int, chunk: LoopChunk | None, name: str = "") -> Kind:
    """Loop or one-shot, of a mono waveform (samples,) shorter than a song; `chunk` is the file's loop chunk, if any; `name` its
    name without folder and suffix, if it has one."""
    stated = None if chunk is None else chunk.one_shot
    if stated is False:
        return "loop"
    duration = len(samples) / sample_rate
    if duration < _SHORTEST_LOOP:
        return "one-shot"
    onsets = onset_times(samples, sample_rate)
    quarters = len(np.unique(np.minimum((onsets / duration * 4).astype(int), 3)))
    sounds = len(onsets) >= _FEWEST_ONSETS and quarters >= 3
    if not sounds and not stated and name:
        sounds = names_loop(name) or (quarters >= 2 and lasts_whole_beats(name, duration))
    if not sounds or not _goes_on(samples) or (stated and not _divide_into_beats(onsets, duration)):
        return "one-shot"
    return "loop"


def names_loop(name: str) -> bool:
    """Whether a name contains the word `loop`, alone or as in `drumloop`, and does not state that it is a one-shot."""
    words = words_of(name)
    if _ONE_SHOT_WORDS.intersection(words):
        return False
    return any(_LOOP_WORD.fullmatch(word) for word in words)


def lasts_whole_beats(name: str, duration: float) -> bool:
    """Whether a name states a tempo at which `duration` s are whole beats, four or more, and not that it is a one-shot."""
    tempo, _ = metadata_from_filename(name)
    if tempo is None or _ONE_SHOT_WORDS.intersection(words_of(name)):
        return False
    beats = duration * tempo / 60.0
    return round(beats) >= _FEWEST_BEATS and abs(beats - round(beats)) <= _WHOLE


def _goes_on(samples: NDArray[np.float32]) -> bool:
    """Whether the energy of a waveform does not die away after its first quarter."""
    energy = np.square(samples, dtype=np.float64)
    return bool(energy[len(energy) // 4 :].sum() > _LATER_ENERGY * energy.sum())


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
