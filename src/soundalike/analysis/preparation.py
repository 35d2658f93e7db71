"""The part of an analysis that needs no model: header, tags, kind, and the estimates of tempo and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.kinds import SONG_SECONDS, Kind, detect_kind
from soundalike.analysis.segments import fits_one_segment, read_beginning
from soundalike.audio import decode
from soundalike.audio.file_part import part_of_address
from soundalike.audio.metadata import facts
from soundalike.audio.metadata.tags import Tags, read_tags
from soundalike.audio.offset import remove_offset
from soundalike.audio.waveform import Waveform

MIN_KEY_CONFIDENCE = 0.3
"""Estimated keys of lower confidence are discarded: drums alone reach 0.26."""

MIN_TEMPO_CONFIDENCE = 0.1
"""Estimated tempos of lower confidence are discarded: music without a beat reaches 0.05."""

UNKNOWN = facts.Estimate(None, 0.0)


@dataclass(frozen=True)
class Prepared:
    """What is known of a file before a model is run: header, tags, its first segment, and what is estimated from them.

    without_offset: the first segment as `remove_offset` returns it; None for files so long that no estimate needed it.
    """

    info: decode.AudioInfo
    tags: Tags
    kind: Kind
    beginning: Waveform
    without_offset: Waveform | None
    tempo: facts.Estimate
    key: facts.Estimate

    @property
    def complete(self) -> bool:
        """Whether `beginning` is all of the file."""
        return fits_one_segment(self.info.duration)


def prepare(path: Path, kind: Kind | None = None, *, with_facts: bool = True) -> Prepared:
    """Read and decode the file at `path` and estimate what needs no model; `kind` overrides the estimate.

    with_facts: whether to estimate tempo and key. Raises AudioError if the file cannot be decoded.
    """
    info = decode.probe(path)
    tags = read_tags(path)
    beginning = read_beginning(path, info.duration)
    # A song is long enough for an offset not to change its estimates.
    without_offset = remove_offset(beginning) if info.duration < SONG_SECONDS else None
    heard = without_offset or beginning
    mono = Waveform(heard.mono()[np.newaxis], heard.sample_rate) if kind is None or with_facts else heard
    if kind is None:
        place = part_of_address(path)
        name = "" if place.is_excerpt else place.file.stem  # the name of an album says nothing about a track of it
        kind = detect_kind(info.duration, mono, tags, name)
    tempo, key = UNKNOWN, UNKNOWN
    if with_facts:
        long_clip = kind != "song" and not fits_one_segment(info.duration)
        duration = decode.read(path).duration if long_clip else beginning.duration
        tempo = confident_tempo(mono.mono(), beginning.sample_rate, kind, duration)
        key = facts.estimate_key(mono.mono(), beginning.sample_rate)
        key = key if key.confidence >= MIN_KEY_CONFIDENCE else UNKNOWN
    return Prepared(info, tags, kind, beginning, without_offset, tempo, key)


def confident_tempo(mono: NDArray[np.float32], sample_rate: int, kind: Kind, duration: float) -> facts.Estimate:
    """The estimated tempo of a file of `duration` s from its beginning `mono` (samples,); unknown if the estimate is poor.

    A one-shot has no tempo; a loop has one that its length allows.
    """
    tempo = UNKNOWN if kind == "one-shot" else facts.estimate_tempo(mono, sample_rate)
    if kind == "loop":
        tempo = facts.loop_tempo(duration, tempo)
    return tempo if tempo.confidence >= MIN_TEMPO_CONFIDENCE else UNKNOWN
