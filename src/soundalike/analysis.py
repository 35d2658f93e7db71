"""One file -> rows: decode, separate, gate, embed. The one way in, for libraries and for queries.

A *song* is cut into windows; each window becomes one unit vector a part (its stems and `mix`). A *loop* or *one-shot*
is embedded whole, unseparated: one vector, in its `mix`. A part whose stem lies more than `gate_db` under its mixture
is absent: zero vector, `present` false (the cosine of near-silence is noise).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decode, facts
from soundalike.audio.onsets import snap_to_onset
from soundalike.audio.tags import Tags, read_tags
from soundalike.audio.waveform import Waveform, resample, to_channels
from soundalike.audio.windows import window_starts
from soundalike.encoders import Encoder, load_encoder
from soundalike.errors import AudioError, InputError, LibraryError
from soundalike.kinds import SONG_SECONDS, Kind, estimate_kind
from soundalike.parts import MIX
from soundalike.recipe import Recipe
from soundalike.separators import Separator, load_separator

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

SILENCE_DB = -70.0
"""A mixture under this level (RMS, dB of full scale) is silence: it has no vector at all."""

SEGMENT_SECONDS = 600.0
"""Songs are decoded and separated this many seconds at a time, so that memory stays bounded whatever their length."""

SNAP_SECONDS = 1.0
"""A region shorter than this is meant for a hit: its start snaps to the onset nearby."""

SHORTEST_REGION = 0.05
"""Seconds; a region shorter than this holds no hit."""

SURE_OF_KEY = 0.3
"""Estimated keys of less confidence are left out: drums alone reach 0.26."""

SURE_OF_TEMPO = 0.1
"""Estimated tempos of less confidence are left out: music without a beat reaches 0.05."""

UNKNOWN = facts.Estimate(None, 0.0)


@dataclass(frozen=True)
class Analysis:
    """What one file became.

    kind: song, loop or one-shot; duration in s; loudness in LUFS (None: silent or too short); parts (K,) names of the
    vectors' second axis: the recipe's for a song, only `mix` for a loop or one-shot; starts, ends (N,) in s; vectors
    (N, K, D) float32, unit rows or zero; present (N, K).
    """

    kind: Kind
    duration: float
    sample_rate: int
    channels: int
    loudness: float | None
    tags: Tags
    tempo: facts.Estimate
    key: facts.Estimate
    parts: tuple[str, ...]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32
    present: Bool


@dataclass(frozen=True)
class _Rows:
    """Vectors of some windows: starts, ends (N,) s, vectors (N, K, D), present (N, K)."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32
    present: Bool


class Analyser:
    """A recipe with its models loaded: turns files into vectors."""

    def __init__(self, recipe: Recipe) -> None:
        """Loads the recipe's models. Raises LibraryError where their versions are not the recipe's."""
        self.recipe = recipe
        self._encoder: Encoder = load_encoder(recipe.encoder)
        self._separator: Separator = load_separator(recipe.separator)
        now = replace(recipe, encoder_version=self._encoder.version, separator_version=self._separator.version)
        if now != recipe:
            raise LibraryError(
                f"this library was made by other versions of the models ({'; '.join(recipe.differences(now))}); "
                "its items can still be searched by each other; `soundalike index --upgrade` redoes what changed"
            )

    def analyse(self, path: Path, kind: Kind | None = None, *, with_facts: bool = True) -> Analysis:
        """All vectors and facts of the file at `path`; `kind` overrules the estimate.

        Raises AudioError for a file that cannot be decoded or is silent throughout.
        """
        info = decode.probe(path)
        tags = read_tags(path)
        first = decode.read(path, 0.0, min(info.duration, SEGMENT_SECONDS) if info.duration > 0 else None)
        if kind is None:
            kind = (
                "song" if info.duration >= SONG_SECONDS else estimate_kind(first.mono(), first.sample_rate, tags.loop)
            )
        if kind == "song":
            rows, loudness, duration = self._song(path, info.duration, first)
            parts = self.recipe.parts
        else:
            whole = first if info.duration <= SEGMENT_SECONDS else decode.read(path)
            rows = self._whole(whole)
            loudness, duration = facts.estimate_loudness(whole), whole.duration
            parts = (MIX,)
        if not len(rows.starts):
            raise AudioError(f"{path} is silent (all of it under {SILENCE_DB:.0f} dB); there is nothing to compare")
        estimates = _estimates(first, kind, duration) if with_facts else (UNKNOWN, UNKNOWN)
        return Analysis(
            kind=kind,
            duration=duration,
            sample_rate=first.sample_rate,
            channels=first.samples.shape[0],
            loudness=loudness,
            tags=tags,
            tempo=estimates[0],
            key=estimates[1],
            parts=parts,
            starts=rows.starts,
            ends=rows.ends,
            vectors=rows.vectors,
            present=rows.present,
        )

    def analyse_region(self, path: Path, start: float, end: float | None, *, focus: str | None = None) -> Analysis:
        """Vectors of the seconds `start` to `end` (None: the file's end) of a mixed song, as many windows as they hold.

        The region is separated with the music around it and cropped afterwards, so it may be as short as 50 ms. One
        shorter than `SNAP_SECONDS` is meant for a hit: its start moves to the onset nearby, in the stem called `focus`
        where one is given. Raises InputError for a region outside the file, AudioError as `analyse` does.
        """
        info = decode.probe(path)
        asked, end = end, info.duration if end is None else min(end, info.duration)
        if not 0 <= start < end:
            to = "its end" if asked is None else f"{asked:g} s"
            raise InputError(
                f"the region from {start:g} s to {to} is not inside {path.name}, which lasts {info.duration:.2f} s"
            )
        if end - start < SHORTEST_REGION - 1e-6:
            raise InputError(
                f"a region of {(end - start) * 1000:.0f} ms is too short; give {SHORTEST_REGION * 1000:.0f} ms or more"
            )
        length = end - start
        starts = start + np.array(window_starts(length, self.recipe.window, self.recipe.hop))
        ends = np.minimum(starts + self.recipe.window, end)
        stretch = self._decode_stretch(path, starts[0], ends[-1], info.duration)
        if length < SNAP_SECONDS:
            voice = stretch.stems[focus if focus in stretch.stems else MIX]
            at = snap_to_onset(voice, stretch.sample_rate, starts[0] - stretch.offset)
            ends += stretch.offset + at - starts[0]
            starts[0] = stretch.offset + at
        rows = self._embed(stretch, starts, ends)
        if not len(rows.starts):
            raise AudioError(f"{path} is silent from {start:g} s to {end:g} s; there is nothing to compare")
        return Analysis(
            kind="song",
            duration=length,
            sample_rate=info.sample_rate,
            channels=info.channels,
            loudness=None,
            tags=read_tags(path),
            tempo=UNKNOWN,
            key=UNKNOWN,
            parts=self.recipe.parts,
            starts=rows.starts,
            ends=rows.ends,
            vectors=rows.vectors,
            present=rows.present,
        )

    def embed_whole(self, waveforms: Sequence[Float32]) -> Float32:
        """Vectors (N, D) of N mono sounds (samples,) at the encoder's rate, embedded whole as one-shots are."""
        return self._encoder.embed(waveforms)

    def stems(self, path: Path, start: float = 0.0, end: float | None = None) -> tuple[dict[str, Float32], int]:
        """The stems (samples,) of a region, mono, `mix` among them, separated with its context, and their rate in
        Hz."""
        info = decode.probe(path)
        end = info.duration if end is None else min(end, info.duration)
        stretch = self._decode_stretch(path, start, end, info.duration)
        first = round((start - stretch.offset) * stretch.sample_rate)
        last = first + round((end - start) * stretch.sample_rate)
        return {part: stem[first:last] for part, stem in stretch.stems.items()}, stretch.sample_rate

    def _song(self, path: Path, duration: float, first: Waveform) -> tuple[_Rows, float | None, float]:
        """Rows and loudness of a song, segment by segment, and its duration as decoded (s)."""
        if duration <= SEGMENT_SECONDS:
            duration = first.duration  # what a truncated file really holds
        starts = np.array(window_starts(duration, self.recipe.window, self.recipe.hop))
        ends = np.minimum(starts + self.recipe.window, duration)
        collected: list[_Rows] = []
        loudnesses: list[float] = []
        for group in _segments(starts, ends):
            begin, finish = float(starts[group][0]), float(ends[group][-1])
            if duration <= SEGMENT_SECONDS:
                native, offset = first, 0.0
            else:
                native, offset = self._read_stretch(path, begin, finish, duration)
            held = offset + native.duration
            whole = ends[group] <= held + 1 / native.sample_rate
            collected.append(self._embed(self._separate(native, offset), starts[group][whole], ends[group][whole]))
            loudness = facts.estimate_loudness(native)
            if loudness is not None:
                loudnesses.append(loudness)
            if held < finish - 1 / native.sample_rate:
                duration = held  # the header promised more than the file holds
                break
        rows = _Rows(
            np.concatenate([rows.starts for rows in collected]),
            np.concatenate([rows.ends for rows in collected]),
            np.concatenate([rows.vectors for rows in collected]),
            np.concatenate([rows.present for rows in collected]),
        )
        power = [10 ** (value / 10) for value in loudnesses]
        return rows, float(10 * np.log10(np.mean(power))) if power else None, duration

    def _whole(self, waveform: Waveform) -> _Rows:
        """The one row of a loop or one-shot: embedded as it is, from its first audible moment on."""
        mono = resample(waveform.mono(), waveform.sample_rate, self._encoder.sample_rate)
        sounding = _without_silent_ends(mono)
        if not len(sounding) or _level(sounding) < SILENCE_DB:
            return _Rows(
                np.empty(0),
                np.empty(0),
                np.empty((0, 1, self.recipe.dimension), np.float32),
                np.empty((0, 1), bool),
            )
        vectors = self._encoder.embed([sounding])[:, np.newaxis]
        return _Rows(np.zeros(1), np.array([waveform.duration]), vectors, np.ones((1, 1), dtype=bool))

    def _read_stretch(self, path: Path, start: float, end: float, duration: float) -> tuple[Waveform, float]:
        """The native waveform of `start` to `end` with the separator's context, and the second it begins at."""
        begin = max(0.0, start - self._separator.context)
        finish = min(duration, end + self._separator.context)
        return decode.read(path, begin, finish - begin), begin

    def _decode_stretch(self, path: Path, start: float, end: float, duration: float) -> _Stretch:
        return self._separate(*self._read_stretch(path, start, end, duration))

    def _separate(self, waveform: Waveform, offset: float) -> _Stretch:
        """The mono stems, at the encoder's rate, of a stretch that begins `offset` s into its file."""
        to_rate = self._separator.sample_rate
        mixture = resample(to_channels(waveform.samples, self._separator.channels), waveform.sample_rate, to_rate)
        stems = {**self._separator.separate(mixture), MIX: mixture}
        rate = self._encoder.sample_rate
        monos = {part: resample(to_channels(stems[part], 1)[0], to_rate, rate) for part in self.recipe.parts}
        return _Stretch(monos, rate, offset)

    def _embed(self, stretch: _Stretch, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> _Rows:
        """Gate and embed the windows of a stretch; windows without a sound are left out."""
        parts = self.recipe.parts
        first = np.round((starts - stretch.offset) * stretch.sample_rate).astype(int)
        last = np.round((ends - stretch.offset) * stretch.sample_rate).astype(int)
        levels = np.array(
            [[_level(stretch.stems[part][a:b]) for part in parts] for a, b in zip(first, last, strict=True)]
        ).reshape(len(starts), len(parts))
        mixture = levels[:, [parts.index(MIX)]]
        present = (mixture >= SILENCE_DB) & (levels >= mixture + self.recipe.gate_db)
        vectors = np.zeros((len(starts), len(parts), self.recipe.dimension), dtype=np.float32)
        for column, part in enumerate(parts):
            rows = np.flatnonzero(present[:, column])
            if len(rows):
                crops = [stretch.stems[part][first[row] : last[row]] for row in rows]
                vectors[rows, column] = self._encoder.embed(crops)
        audible = present.any(axis=1)
        return _Rows(starts[audible], ends[audible], vectors[audible], present[audible])


@dataclass(frozen=True)
class _Stretch:
    """Mono stems (samples,) by part, `mix` among them, of a stretch that begins `offset` s into its file."""

    stems: dict[str, Float32]
    sample_rate: int
    offset: float


def _segments(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> Iterator[slice]:
    """Slices of consecutive windows that span at most `SEGMENT_SECONDS`."""
    begin = 0
    for index in range(1, len(starts) + 1):
        if index == len(starts) or ends[index] - starts[begin] > SEGMENT_SECONDS:
            yield slice(begin, index)
            begin = index


def _level(samples: Float32) -> float:
    """RMS in dB of full scale; -inf for silence or nothing."""
    if not len(samples):
        return -np.inf
    power = float(np.dot(samples, samples)) / len(samples)
    return 10 * np.log10(power) if power > 0 else -np.inf


def _without_silent_ends(samples: Float32) -> Float32:
    """`samples` from the first to the last within 60 dB of the peak: a one-shot begins where it sounds."""
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max(initial=0.0))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def _estimates(waveform: Waveform, kind: Kind, duration: float) -> tuple[facts.Estimate, facts.Estimate]:
    """Tempo and key; a one-shot has no tempo, a loop's is one that its length allows, and a key that is a mere guess is
    none."""
    mono = waveform.mono()
    tempo = UNKNOWN if kind == "one-shot" else facts.estimate_tempo(mono, waveform.sample_rate)
    if kind == "loop":
        tempo = facts.loop_tempo(duration, tempo)
    key = facts.estimate_key(mono, waveform.sample_rate)
    tempo = tempo if tempo.confidence >= SURE_OF_TEMPO else UNKNOWN
    return tempo, key if key.confidence >= SURE_OF_KEY else UNKNOWN
