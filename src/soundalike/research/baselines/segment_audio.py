"""The waveforms of segments: decoded from the tracks, kept in memory within a bound, and mixed."""

from __future__ import annotations

from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from soundalike.audio.waveform import resample
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE
from soundalike.parts import MIX
from soundalike.research.baselines.training_triplets import Recombination, SegmentRef, Sound
from soundalike.research.datasets.slakh import SLAKH_PARTS, ClipCut, Slakh

Samples = NDArray[np.float32]

_SCALE = 32_767.0

_Stored = tuple[float, NDArray[np.int16]]


class SegmentAudio:
    """Reads segments of tracks. May be used by several threads."""

    def __init__(self, slakh: Slakh, clip: float, memory: int) -> None:
        """clip: seconds of a segment; memory: bytes for those that are kept."""
        self._slakh, self._clip = slakh, clip
        self._kept: LRUCache[tuple[str, float, str], _Stored] = LRUCache(memory, getsizeof=lambda one: one[1].nbytes)
        self._lock = Lock()

    def stem(self, segment: SegmentRef, part: str) -> Samples:
        """Mono samples of a part, or of `mix`, at 44.1 kHz; zeros if the track lacks it.

        Raises AudioError if a file cannot be decoded.
        """
        key = (segment.track, segment.start, part)
        with self._lock:
            stored = self._kept.get(key)
        if stored is None:
            stored = _stored(self._read(segment, part))
            with self._lock:
                if stored[1].nbytes <= self._kept.maxsize:
                    self._kept[key] = stored
        scale, values = stored
        return values.astype(np.float32) * np.float32(scale)

    def mixture(self, sound: Sound, part: str) -> Samples:
        """The mixture that `sound` describes, with `part` as its target. Raises AudioError as `stem` does."""
        if sound.target == sound.others:
            return self.stem(sound.target, MIX)
        total = self.stem(sound.target, part)
        for other in SLAKH_PARTS:
            if other != part:
                total = total + self.stem(sound.others, other)
        return total

    def recombined(self, mixture: Recombination) -> Samples:
        """The sum of the parts of `mixture`. Raises AudioError as `stem` does."""
        stems = [self.stem(segment, part) for part, segment in mixture.segments.items()]
        return np.asarray(np.sum(stems, axis=0), np.float32)

    def recombined_stem(self, mixture: Recombination, part: str) -> Samples:
        """What `part` is in `recombined(mixture)`; zeros if it is silent there. Raises AudioError as `stem` does."""
        segment = mixture.segments.get(part)
        return np.zeros(round(self._clip * SAMPLE_RATE), np.float32) if segment is None else self.stem(segment, part)

    def _read(self, segment: SegmentRef, part: str) -> Samples:
        rate = SAMPLE_RATE
        start, size = round(segment.start * rate), round(self._clip * rate)
        clip = ClipCut(segment.track, start, start + size, rate)
        waveform = self._slakh.cut_mixture(clip) if part == MIX else self._slakh.cut_stem(clip, part)
        samples = np.zeros(size, np.float32)
        if waveform is not None:
            found = resample(waveform.mono(), waveform.sample_rate, rate)[:size]
            samples[: len(found)] = found
        return samples


def _stored(samples: Samples) -> _Stored:
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return 0.0, np.zeros(len(samples), np.int16)
    return peak / _SCALE, np.round(samples * (_SCALE / peak)).astype(np.int16)
