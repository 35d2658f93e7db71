"""One file -> rows: decode, separate, gate, embed. The one way in, for libraries and for queries.

A *song* is cut into windows; each window becomes one unit vector a part (its stems and `mix`). A *loop* or *one-shot*
is embedded whole, unseparated: one vector, in its `mix`. A part whose stem lies more than `gate_db` under its mixture
is absent: zero vector, `present` false (the cosine of near-silence is noise). Where the recipe asks for few windows a
song, those that represent it best are chosen by a cheap encoder first, and only they are separated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.kinds import SONG_SECONDS, Kind, estimate_kind
from soundalike.analysis.recipe import Recipe
from soundalike.analysis.segments import Source, Stretch, groups, part_of
from soundalike.analysis.window_selection import choice_version, choose_windows
from soundalike.audio import decode
from soundalike.audio.metadata import facts
from soundalike.audio.metadata.tags import Tags, read_tags
from soundalike.audio.onsets import snap_to_onset
from soundalike.audio.waveform import Waveform, resample
from soundalike.audio.waveform_overview import FINE, STRETCHES, Int8, Outline, as_bytes, joined, outline
from soundalike.audio.windows import window_starts
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError, LibraryError
from soundalike.models.encoders import Encoder, TextEncoder, load_encoder
from soundalike.models.separators import Separator, StemFiles, load_separator
from soundalike.parts import MIX

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

SILENCE_DB = -70.0
"""A mixture under this level (RMS, dB of full scale) is silence: it has no vector at all."""

SEGMENT_SECONDS = 600.0
"""Songs are decoded this many seconds at a time, so that memory stays bounded whatever their length."""

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
    (N, K, D) float32, unit rows or zero; present (N, K); peaks: (low, high) of the waveform's outline
    (`audio.waveform_overview`),
    None for what is made for a query alone.
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
    peaks: tuple[Int8, Int8] | None = None


@dataclass(frozen=True)
class Prepared:
    """What is known of a file before any model has heard it: header, tags, its first `SEGMENT_SECONDS`, and what is
    estimated from those."""

    info: decode.AudioInfo
    tags: Tags
    kind: Kind
    first: Waveform
    tempo: facts.Estimate
    key: facts.Estimate

    @property
    def whole(self) -> bool:
        """Whether `first` is all of the file."""
        return self.info.duration <= SEGMENT_SECONDS


@dataclass(frozen=True)
class _Rows:
    """Vectors of some windows: starts, ends (N,) s, vectors (N, K, D), present (N, K)."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32
    present: Bool


class Analyser:
    """A recipe with its models, which load when they are first needed: turns files into vectors."""

    def __init__(self, recipe: Recipe, runtime: Runtime | None = None) -> None:
        """`config`: device and threads; the precision is the recipe's. Loads nothing."""
        self.recipe = recipe
        self._runtime = replace(runtime or Runtime(), precision=recipe.precision)

    def with_recipe(self, recipe: Recipe) -> Self:
        """The same loaded models under a recipe of the same models. Raises LibraryError where it has others."""
        other = type(self)(recipe, self._runtime)
        other._check(
            replace(
                recipe,
                encoder=self.recipe.encoder,
                encoder_version=self.recipe.encoder_version,
                separator=self.recipe.separator,
                separator_version=self.recipe.separator_version,
                dimension=self.recipe.dimension,
                precision=self.recipe.precision,
            )
        )
        other.__dict__["encoder"], other.__dict__["separator"] = self.encoder, self.separator
        return other

    @cached_property
    def encoder(self) -> Encoder:
        """The recipe's encoder. Raises LibraryError where its version is not the recipe's, else as `load_encoder`."""
        encoder = load_encoder(self.recipe.encoder, self._runtime)
        self._check(replace(self.recipe, encoder_version=encoder.version, dimension=encoder.dimension))
        return encoder

    @cached_property
    def separator(self) -> Separator | StemFiles:
        """The recipe's separator. Raises LibraryError where its version is not the recipe's, else as
        `load_separator`."""
        separator = load_separator(self.recipe.separator, self._runtime)
        self._check(replace(self.recipe, separator_version=separator.version))
        return separator

    @cached_property
    def _scout(self) -> Encoder:
        """What representative windows are chosen by. Raises LibraryError where it is another than the recipe's."""
        self._check(replace(self.recipe, windows_version=choice_version()))
        return load_encoder("builtin")

    def load(self) -> None:
        """Load now what indexing needs, and run it on a moment of noise: what is wrong with a model shows at once, not
        file by file. Raises as the properties do."""
        noise = 0.1 * np.random.default_rng(0).standard_normal((2, 96_000)).astype(np.float32)
        self.encoder.embed([noise[0, : self.encoder.sample_rate]])
        if self.recipe.parts != (MIX,) and isinstance(self.separator, Separator):
            self.separator.separate(noise[: self.separator.channels, : self.separator.sample_rate])
        if self.recipe.windows is not None:
            _ = self._scout

    def analyse(
        self, path: Path, kind: Kind | None = None, *, with_facts: bool = True, parts: Sequence[str] | None = None
    ) -> Analysis:
        """All vectors and facts of the file at `path`; `kind` overrules the estimate.

        parts: those to embed (None: all of the recipe's); the others come back absent, and where only `mix` is asked for
        nothing is separated. Raises AudioError for a file that cannot be decoded or is silent throughout.
        """
        return self.finish(path, prepare(path, kind, with_facts=with_facts), with_facts=with_facts, parts=parts)

    def finish(
        self, path: Path, prepared: Prepared, *, with_facts: bool = True, parts: Sequence[str] | None = None
    ) -> Analysis:
        """What `analyse` gives, from what `prepare` gave; `path` is read only where `prepared` does not hold all of it, or
        for true stems."""
        info, tags, kind, first = prepared.info, prepared.tags, prepared.kind, prepared.first
        outlines: list[tuple[float, float, Outline]] = []
        if kind == "song":
            rows, loudness, duration = self._song(self._source(path, parts), info.duration, first, outlines)
            names = self.recipe.parts
        else:
            whole = first if prepared.whole else decode.read(path)
            rows = self._whole(whole)
            loudness, duration = facts.estimate_loudness(whole), whole.duration
            outlines.append((0.0, duration, outline(whole.samples)))
            names = (MIX,)
        if not len(rows.starts):
            raise AudioError(f"{path} is silent (all of it under {SILENCE_DB:.0f} dB); there is nothing to compare")
        return Analysis(
            kind=kind,
            duration=duration,
            sample_rate=first.sample_rate,
            channels=first.samples.shape[0],
            loudness=loudness,
            tags=tags,
            tempo=prepared.tempo,
            key=prepared.key,
            parts=names,
            starts=rows.starts,
            ends=rows.ends,
            vectors=rows.vectors,
            present=rows.present,
            peaks=as_bytes(joined(outlines)) if with_facts else None,
        )

    def analyse_region(
        self,
        path: Path,
        start: float,
        end: float | None,
        *,
        focus: str | None = None,
        parts: Sequence[str] | None = None,
    ) -> Analysis:
        """Vectors of the seconds `start` to `end` (None: the file's end) of a mixed song, as many windows as they hold.

        The region is separated with the music around it and cropped afterwards, so it may be as short as 50 ms. One
        shorter than `SNAP_SECONDS` is meant for a hit: its start moves to the onset nearby, in the stem called `focus`
        where one is given. parts: as in `analyse`. Raises InputError for a region outside the file, AudioError as
        `analyse` does.
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
        source = self._source(path, parts)
        collected = [_no_rows(self.recipe)]
        for group in groups(starts, ends, source.longest):
            stretch = source.read(float(starts[group][0]), float(ends[group][-1]), info.duration)
            if length < SNAP_SECONDS:
                voice = stretch.stems[focus if focus in stretch.stems else MIX]
                at = snap_to_onset(voice, stretch.sample_rate, starts[0] - stretch.offset)
                ends += stretch.offset + at - starts[0]
                starts[0] = stretch.offset + at
            collected.append(self._embed(stretch, starts[group], ends[group], source.parts))
        rows = _joined(collected)
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
        return self.encoder.embed(waveforms)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Vectors (N, D) of N texts. Raises InputError where the recipe's encoder has no text."""
        if not isinstance(self.encoder, TextEncoder):
            raise InputError(
                f"the encoder {self.recipe.encoder} has no text, it knows sounds only; index with --encoder clap or "
                "--encoder muq-mulan to search by words"
            )
        return self.encoder.embed_text(texts)

    def stems(
        self, path: Path, start: float = 0.0, end: float | None = None, *, parts: Sequence[str] | None = None
    ) -> tuple[dict[str, Float32], int]:
        """The stems (samples,) of a region, mono, `mix` among them, separated with its context, and their rate in Hz;
        parts: those to give besides the mix (None: all of the recipe's)."""
        info = decode.probe(path)
        end = info.duration if end is None else min(end, info.duration)
        source = self._source(path, parts)
        edges = np.arange(start, end, source.longest)
        pieces = []
        for begin, finish in zip(edges, [*edges[1:], end], strict=True):
            stretch = source.read(float(begin), float(finish), info.duration)
            first = round((begin - stretch.offset) * stretch.sample_rate)
            last = first + round((finish - begin) * stretch.sample_rate)
            pieces.append({part: stem[first:last] for part, stem in stretch.stems.items()})
        return {part: np.concatenate([piece[part] for piece in pieces]) for part in pieces[0]}, source.sample_rate

    def _check(self, now: Recipe) -> None:
        if now != self.recipe:
            raise LibraryError(
                f"this library was made by other versions of the models ({'; '.join(self.recipe.differences(now))}); "
                "its items can still be searched by each other; `soundalike index --upgrade` redoes what changed"
            )

    def _source(self, path: Path, parts: Sequence[str] | None) -> Source:
        asked = tuple(part for part in self.recipe.parts if parts is None or part in parts)
        separator = None if set(asked) <= {MIX} else self.separator
        return Source(path, separator, asked, self.recipe.parts, self.encoder.sample_rate, SEGMENT_SECONDS)

    def _song(
        self, source: Source, duration: float, first: Waveform, outlines: list[tuple[float, float, Outline]]
    ) -> tuple[_Rows, float | None, float]:
        """Rows and loudness of a song, segment by segment, and its duration as decoded (s); the segments' outlines are put
        into `outlines`."""
        if duration <= SEGMENT_SECONDS:
            duration = first.duration  # what a truncated file really holds
            outlines.append((0.0, duration, outline(first.samples)))
        starts = np.array(window_starts(duration, self.recipe.window, self.recipe.hop))
        ends = np.minimum(starts + self.recipe.window, duration)
        few = self.recipe.windows is not None and len(starts) > self.recipe.windows
        collected: list[_Rows] = []
        scouted: list[tuple[Float32, NDArray[np.float64]]] = []
        loudnesses: list[float] = []
        for group in groups(starts, ends, SEGMENT_SECONDS):
            begin, finish = float(starts[group][0]), float(ends[group][-1])
            native, offset = (first, 0.0) if duration <= SEGMENT_SECONDS else source.decode(begin, finish, duration)
            held = offset + native.duration
            if native is not first:
                outlines.append((offset, held, outline(native.samples, FINE * STRETCHES)))
            whole = ends[group] <= held + 1 / native.sample_rate
            if few:
                scouted.append(self._scouted(native, starts[group][whole] - offset, ends[group][whole] - offset))
            else:
                collected.append(self._rows(source, native, offset, starts[group][whole], ends[group][whole]))
            loudness = facts.estimate_loudness(native)
            if loudness is not None:
                loudnesses.append(loudness)
            if held < finish - 1 / native.sample_rate:
                duration = held  # the header promised more than the file holds
                break
        if few:
            chosen = self._chosen(scouted)
            collected = self._few_rows(source, duration, first, starts[chosen], ends[chosen])
        power = [10 ** (value / 10) for value in loudnesses]
        return _joined(collected), float(10 * np.log10(np.mean(power))) if power else None, duration

    def _scouted(
        self, native: Waveform, starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> tuple[Float32, NDArray[np.float64]]:
        """What representative windows are chosen by: vectors (n, D) of the mix and levels (n,) in dB of windows of
        `native`."""
        rate = self._scout.sample_rate
        mono = resample(native.mono(), native.sample_rate, rate)
        crops = [mono[round(a * rate) : round(b * rate)] for a, b in zip(starts, ends, strict=True)]
        return self._scout.embed(crops), np.array([_level(crop) for crop in crops], dtype=np.float64)

    def _chosen(self, scouted: Sequence[tuple[Float32, NDArray[np.float64]]]) -> NDArray[np.intp]:
        """Which windows represent the song."""
        vectors, levels = (np.concatenate(several) for several in zip(*scouted, strict=True))
        assert self.recipe.windows is not None  # the caller has looked
        return choose_windows(vectors, np.where(levels < SILENCE_DB, -np.inf, levels), self.recipe.windows)

    def _few_rows(
        self,
        source: Source,
        duration: float,
        first: Waveform,
        starts: NDArray[np.float64],
        ends: NDArray[np.float64],
    ) -> list[_Rows]:
        """Rows of windows that lie apart, each separated with its context; of what lies between nothing is."""
        collected = []
        for group in groups(starts, ends, source.longest, gap=2 * source.context):
            begin, finish = float(starts[group][0]), float(ends[group][-1])
            if duration <= SEGMENT_SECONDS:
                native, offset = part_of(first, begin - source.context, finish + source.context)
            else:
                native, offset = source.decode(begin, finish, duration)
            collected.append(self._embed(source.take_apart(native, offset), starts[group], ends[group], source.parts))
        return collected or [_no_rows(self.recipe)]

    def _rows(
        self,
        source: Source,
        native: Waveform,
        offset: float,
        starts: NDArray[np.float64],
        ends: NDArray[np.float64],
    ) -> _Rows:
        """Rows of the windows of a waveform that begins `offset` s into its file, as much at a time as the separator
        takes."""
        collected = [_no_rows(self.recipe)]
        for group in groups(starts, ends, source.longest):
            begin, finish = float(starts[group][0]) - offset, float(ends[group][-1]) - offset
            piece, at = part_of(native, begin - source.context, finish + source.context)
            stretch = source.take_apart(piece, offset + at)
            collected.append(self._embed(stretch, starts[group], ends[group], source.parts))
        return _joined(collected)

    def _whole(self, waveform: Waveform) -> _Rows:
        """The one row of a loop or one-shot: embedded as it is, from its first audible moment on."""
        mono = resample(waveform.mono(), waveform.sample_rate, self.encoder.sample_rate)
        sounding = _without_silent_ends(mono)
        if not len(sounding) or _level(sounding) < SILENCE_DB:
            return _Rows(
                np.empty(0),
                np.empty(0),
                np.empty((0, 1, self.recipe.dimension), np.float32),
                np.empty((0, 1), bool),
            )
        vectors = self.encoder.embed([sounding])[:, np.newaxis]
        return _Rows(np.zeros(1), np.array([waveform.duration]), vectors, np.ones((1, 1), dtype=bool))

    def _embed(
        self, stretch: Stretch, starts: NDArray[np.float64], ends: NDArray[np.float64], parts: Sequence[str]
    ) -> _Rows:
        """Gate and embed `parts` of the windows of a stretch, all in one batch; windows without a sound are left out."""
        first = np.round((starts - stretch.offset) * stretch.sample_rate).astype(int)
        last = np.round((ends - stretch.offset) * stretch.sample_rate).astype(int)
        crops = list(zip(first, last, strict=True))
        mixture = np.array([_level(stretch.stems[MIX][a:b]) for a, b in crops])
        present = np.zeros((len(starts), len(self.recipe.parts)), dtype=bool)
        for part in parts:
            levels = np.array([_level(stretch.stems[part][a:b]) for a, b in crops])
            present[:, self.recipe.parts.index(part)] = np.isfinite(levels) & (levels >= mixture + self.recipe.gate_db)
        audible = mixture >= SILENCE_DB
        present &= audible[:, np.newaxis]
        rows, columns = np.nonzero(present)
        vectors = np.zeros((*present.shape, self.recipe.dimension), dtype=np.float32)
        if len(rows):
            vectors[rows, columns] = self.encoder.embed(
                [
                    stretch.stems[self.recipe.parts[column]][first[row] : last[row]]
                    for row, column in zip(rows, columns, strict=True)
                ]
            )
        return _Rows(starts[audible], ends[audible], vectors[audible], present[audible])


def _no_rows(recipe: Recipe) -> _Rows:
    parts = len(recipe.parts)
    return _Rows(
        np.empty(0), np.empty(0), np.empty((0, parts, recipe.dimension), np.float32), np.empty((0, parts), dtype=bool)
    )


def _joined(several: Sequence[_Rows]) -> _Rows:
    return _Rows(
        np.concatenate([rows.starts for rows in several]),
        np.concatenate([rows.ends for rows in several]),
        np.concatenate([rows.vectors for rows in several]),
        np.concatenate([rows.present for rows in several]),
    )


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


def prepare(path: Path, kind: Kind | None = None, *, with_facts: bool = True) -> Prepared:
    """The part of `Analyser.analyse` that needs no model. Raises AudioError for a file that cannot be decoded."""
    info = decode.probe(path)
    tags = read_tags(path)
    first = decode.read(path, 0.0, min(info.duration, SEGMENT_SECONDS) if info.duration > 0 else None)
    if kind is None:
        kind = kind_of(info.duration, first, tags)
    tempo, key = UNKNOWN, UNKNOWN
    if with_facts:
        whole = kind == "song" or info.duration <= SEGMENT_SECONDS
        tempo, key = _estimates(first, kind, first.duration if whole else decode.read(path).duration)
    return Prepared(info, tags, kind, first, tempo, key)


def kind_of(duration: float, first: Waveform, tags: Tags) -> Kind:
    """What a file of `duration` s is taken for, by its beginning (all of what is shorter than a song) and its tags."""
    return "song" if duration >= SONG_SECONDS else estimate_kind(first.mono(), first.sample_rate, tags.loop)


def tempo_of(mono: Float32, sample_rate: int, kind: Kind, duration: float) -> facts.Estimate:
    """The estimated tempo of a file of `duration` s from its beginning `mono` (samples,); unknown where it is a mere guess. A
    one-shot has none, a loop's is one that its length allows."""
    tempo = UNKNOWN if kind == "one-shot" else facts.estimate_tempo(mono, sample_rate)
    if kind == "loop":
        tempo = facts.loop_tempo(duration, tempo)
    return tempo if tempo.confidence >= SURE_OF_TEMPO else UNKNOWN


def _estimates(waveform: Waveform, kind: Kind, duration: float) -> tuple[facts.Estimate, facts.Estimate]:
    """Tempo and key; a key that is a mere guess is none."""
    mono = waveform.mono()
    tempo = tempo_of(mono, waveform.sample_rate, kind, duration)
    key = facts.estimate_key(mono, waveform.sample_rate)
    return tempo, key if key.confidence >= SURE_OF_KEY else UNKNOWN
