"""One file -> vectors: decode, separate, gate, embed. The only way in, for libraries and for queries.

A *song* is cut into windows; each window gets one unit vector for each part (its stems and `mix`). A *loop* or
*one-shot* is embedded whole and not separated: one vector, in its `mix`. A part whose stem is more than `gate_db` below
its mixture is absent: zero vector, `present` false. If the recipe limits the windows of a song, those that represent it
best are selected by a fast encoder first, and only they are separated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.kinds import Kind
from soundalike.analysis.level_gate import SILENCE, SILENCE_DB
from soundalike.analysis.preparation import UNKNOWN, Prepared, prepare
from soundalike.analysis.recipe import Recipe
from soundalike.analysis.segments import Segment, Segmenter, SeparatedSegment, Separation, Times
from soundalike.analysis.window_selection import WindowSelector, selection_encoder, selection_version
from soundalike.analysis.window_vectors import WindowVectors, embed_clip, embed_windows
from soundalike.audio import decode
from soundalike.audio.audio_summary import AudioSummary
from soundalike.audio.metadata import facts
from soundalike.audio.metadata.tags import Tags, read_tags
from soundalike.audio.offset import remove_offset
from soundalike.audio.onsets import snap_to_onset
from soundalike.audio.waveform import Waveform
from soundalike.audio.waveform_overview import Int8, overview_to_int8
from soundalike.audio.windows import window_starts
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError, LibraryError
from soundalike.models.encoders import Encoder, TextEncoder, load_encoder
from soundalike.models.separators import Separator, StemFiles, load_separator
from soundalike.parts import MIX

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

SNAP_SECONDS = 1.0
"""A shorter region is meant for a single onset: its start snaps to the nearest one."""

SHORTEST_REGION = 0.05
"""Seconds; a shorter region cannot hold a sound."""


@dataclass(frozen=True)
class Analysis:
    """The result of analysing one file.

    kind: song, loop or one-shot; duration in s; loudness in LUFS (None: silent or too short); parts (K,) names of the
    vectors' second axis: the recipe's for a song, only `mix` for a loop or one-shot; starts, ends (N,) in s; vectors
    (N, K, D) float32, unit rows or zero; present (N, K); peaks: (low, high) of the waveform overview
    (`audio.waveform_overview`), None for an analysis that is made for a query.
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
    starts: Times
    ends: Times
    vectors: Float32
    present: Bool
    peaks: tuple[Int8, Int8] | None = None


class Analyser:
    """A recipe with its models, which load when they are first needed: turns files into vectors."""

    def __init__(self, recipe: Recipe, runtime: Runtime | None = None) -> None:
        """`runtime`: device and threads; the precision is the recipe's. Loads nothing."""
        self.recipe = recipe
        self._runtime = replace(runtime or Runtime(), precision=recipe.precision)

    def with_recipe(self, recipe: Recipe) -> Self:
        """The same loaded models under another recipe. Raises LibraryError if that recipe has other models."""
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
        """The recipe's encoder. Raises LibraryError if its version is not the recipe's, else as `load_encoder`."""
        encoder = load_encoder(self.recipe.encoder, self._runtime, self.recipe.encoder_version)
        self._check(replace(self.recipe, encoder_version=encoder.version, dimension=encoder.dimension))
        return encoder

    @cached_property
    def separator(self) -> Separator | StemFiles:
        """The recipe's separator. Raises LibraryError if its version is not the recipe's, else as `load_separator`."""
        separator = load_separator(self.recipe.separator, self._runtime, self.recipe.separator_version)
        self._check(replace(self.recipe, separator_version=separator.version))
        return separator

    @cached_property
    def _selection_encoder(self) -> Encoder:
        """The encoder that selects windows. Raises LibraryError if the recipe's windows were selected in another way."""
        self._check(replace(self.recipe, windows_version=selection_version()))
        return selection_encoder()

    def load(self) -> None:
        """Load what indexing needs and run it on some noise, so that a problem with a model shows at once rather than file
        by file. Raises as the properties do."""
        noise = 0.1 * np.random.default_rng(0).standard_normal((2, 96_000)).astype(np.float32)
        self.encoder.embed([noise[0, : self.encoder.sample_rate]])
        if self.recipe.parts != (MIX,) and isinstance(self.separator, Separator):
            self.separator.separate(noise[: self.separator.channels, : self.separator.sample_rate])
        if self.recipe.windows is not None:
            _ = self._selection_encoder

    def analyse(
        self, path: Path, kind: Kind | None = None, *, with_facts: bool = True, parts: Sequence[str] | None = None
    ) -> Analysis:
        """All vectors and facts of the file at `path`; `kind` overrides the estimate.

        with_facts: whether to measure tempo, key, loudness and the waveform overview; parts: those to embed (None: all
        of the recipe's); the others come back absent, and nothing is separated if only `mix` is wanted. Raises AudioError
        if the file cannot be decoded or all of it is silent.
        """
        return self.finish(path, prepare(path, kind, with_facts=with_facts), with_facts=with_facts, parts=parts)

    def finish(
        self, path: Path, prepared: Prepared, *, with_facts: bool = True, parts: Sequence[str] | None = None
    ) -> Analysis:
        """What `analyse` returns, from what `prepare` returned; `path` is read only if `prepared` is not complete, or for
        true stems."""
        beginning = prepared.beginning
        summary = AudioSummary()
        if prepared.kind == "song":
            windows = self._song(self._segmenter(path, prepared, parts), summary)
            names = self.recipe.parts
        else:
            waveform = self._beginning(prepared) if prepared.complete else self._without_offset(decode.read(path))
            summary.add(waveform, 0.0)
            windows = embed_clip(self.encoder, self.recipe.dimension, waveform)
            names = (MIX,)
        if not len(windows.starts):
            raise AudioError(f"{path} is silent (all of it below {SILENCE_DB:.0f} dB); there is nothing to compare")
        return Analysis(
            kind=prepared.kind,
            duration=summary.duration,
            sample_rate=beginning.sample_rate,
            channels=beginning.channels,
            loudness=summary.loudness() if with_facts else None,
            tags=prepared.tags,
            tempo=prepared.tempo,
            key=prepared.key,
            parts=names,
            starts=windows.starts,
            ends=windows.ends,
            vectors=windows.vectors,
            present=windows.present,
            peaks=overview_to_int8(summary.overview()) if with_facts else None,
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
        shorter than `SNAP_SECONDS` is meant for a single onset: its start moves to the nearest one, in the stem `focus`
        if given. parts: as in `analyse`. Raises InputError for a region outside the file, AudioError as `analyse` does.
        """
        info = decode.probe(path)
        end = _check_region(path, start, end, info.duration)
        starts = start + np.array(window_starts(end - start, self.recipe.window, self.recipe.hop))
        ends = np.minimum(starts + self.recipe.window, end)
        separation = self._separation(parts)
        collected = [self._no_windows()]
        for group, segment in Segmenter(path, info.duration, separation).separated(starts, ends):
            if end - start < SNAP_SECONDS:
                starts, ends = _snapped(segment, focus, starts, ends)
            collected.append(self._embed(separation, segment, starts[group], ends[group]))
        windows = WindowVectors.concatenate(collected)
        if not len(windows.starts):
            raise AudioError(f"{path} is silent from {start:g} s to {end:g} s; there is nothing to compare")
        return Analysis(
            kind="song",
            duration=end - start,
            sample_rate=info.sample_rate,
            channels=info.channels,
            loudness=None,
            tags=read_tags(path),
            tempo=UNKNOWN,
            key=UNKNOWN,
            parts=self.recipe.parts,
            starts=windows.starts,
            ends=windows.ends,
            vectors=windows.vectors,
            present=windows.present,
        )

    def embed_clips(self, waveforms: Sequence[Float32]) -> Float32:
        """Vectors (N, D) of N mono clips (samples,) at the encoder's rate, embedded whole as one-shots are."""
        return self.encoder.embed(waveforms)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Vectors (N, D) of N texts. Raises InputError if the recipe's encoder does not embed text."""
        if not isinstance(self.encoder, TextEncoder):
            raise InputError(
                f"the encoder {self.recipe.encoder} has no text, it embeds audio only; index with --encoder clap or "
                "--encoder muq-mulan to search by text"
            )
        return self.encoder.embed_text(texts)

    def stems(
        self, path: Path, start: float = 0.0, end: float | None = None, *, parts: Sequence[str] | None = None
    ) -> tuple[dict[str, Float32], int]:
        """The stems (samples,) of a region, mono, `mix` among them, separated with its context, and their rate in Hz.

        parts: those wanted besides the mix (None: all of the recipe's).
        """
        duration = decode.probe(path).duration
        separation = self._separation(parts)
        end = duration if end is None else min(end, duration)
        return Segmenter(path, duration, separation).stems(start, end), separation.sample_rate

    def _check(self, now: Recipe) -> None:
        if now != self.recipe:
            raise LibraryError(
                f"this library was made by other versions of the models ({'; '.join(self.recipe.differences(now))}); "
                "its items can still be compared with each other; run `soundalike index --upgrade` to re-index what "
                "changed"
            )

    def _without_offset(self, waveform: Waveform) -> Waveform:
        return remove_offset(waveform) if self.recipe.removes_offset else waveform

    def _beginning(self, prepared: Prepared) -> Waveform:
        """The first segment as models get it."""
        if self.recipe.removes_offset and prepared.without_offset is not None:
            return prepared.without_offset
        return self._without_offset(prepared.beginning)

    def _separation(self, parts: Sequence[str] | None) -> Separation:
        wanted = tuple(part for part in self.recipe.parts if parts is None or part in parts)
        separator = None if set(wanted) <= {MIX} else self.separator
        return Separation(
            separator, wanted, self.recipe.parts, self.encoder.sample_rate, removes_offset=self.recipe.removes_offset
        )

    def _segmenter(self, path: Path, prepared: Prepared, parts: Sequence[str] | None) -> Segmenter:
        if not prepared.complete:
            return Segmenter(path, prepared.info.duration, self._separation(parts))
        whole = Segment(self._beginning(prepared), 0.0)
        return Segmenter(path, whole.end, self._separation(parts), whole)  # what a truncated file really holds

    def _song(self, segmenter: Segmenter, summary: AudioSummary) -> WindowVectors:
        """The windows of a song, segment by segment; what is measured of the segments goes into `summary`."""
        separation, duration = segmenter.separation, segmenter.duration
        starts = np.array(window_starts(duration, self.recipe.window, self.recipe.hop))
        ends = np.minimum(starts + self.recipe.window, duration)
        selector = None
        if self.recipe.windows is not None and len(starts) > self.recipe.windows:
            selector = WindowSelector(self._selection_encoder, self.recipe.windows)
        collected = [self._no_windows()]
        for group, segment in segmenter.decoded(starts, ends):
            summary.add(segment.waveform, segment.offset)
            complete = ends[group] <= segment.end + 1 / segment.waveform.sample_rate
            if selector is not None:
                selector.add(segment, starts[group][complete], ends[group][complete])
            else:
                collected += self._windows(segmenter, starts[group][complete], ends[group][complete], within=segment)
            if not complete.all():
                break  # the header promised more than the file holds
        if selector is not None:
            selected = selector.selected()
            collected += self._windows(segmenter, starts[selected], ends[selected], gap=2 * separation.context)
        return WindowVectors.concatenate(collected)

    def _windows(
        self,
        segmenter: Segmenter,
        starts: Times,
        ends: Times,
        *,
        within: Segment | None = None,
        gap: float = np.inf,
    ) -> list[WindowVectors]:
        """The windows from `starts` to `ends`, those in silent segments left out; within, gap: as in
        `Segmenter.separated`."""
        return [
            self._embed(segmenter.separation, segment, starts[group], ends[group])
            for group, segment in segmenter.separated(starts, ends, within=within, gap=gap, audible=SILENCE)
        ]

    def _embed(self, separation: Separation, segment: SeparatedSegment, starts: Times, ends: Times) -> WindowVectors:
        return embed_windows(self.encoder, self.recipe, separation.parts, segment, starts, ends)

    def _no_windows(self) -> WindowVectors:
        return WindowVectors.none(len(self.recipe.parts), self.recipe.dimension)


def _check_region(path: Path, start: float, end: float | None, duration: float) -> float:
    """The end (s) of a region of a file of `duration` s. Raises InputError if it is outside the file or too short."""
    requested, end = end, duration if end is None else min(end, duration)
    if not 0 <= start < end:
        to = "its end" if requested is None else f"{requested:g} s"
        raise InputError(f"the region from {start:g} s to {to} is not inside {path.name}, which lasts {duration:.2f} s")
    if end - start < SHORTEST_REGION - 1e-6:
        raise InputError(
            f"a region of {(end - start) * 1000:.0f} ms is too short; give {SHORTEST_REGION * 1000:.0f} ms or more"
        )
    return end


def _snapped(segment: SeparatedSegment, focus: str | None, starts: Times, ends: Times) -> tuple[Times, Times]:
    """The one window (starts, ends in s) of a short region, moved to the nearest onset in the stem `focus`, else in the
    mix."""
    stem = segment.stems[focus if focus in segment.stems else MIX]
    onset = segment.offset + snap_to_onset(stem, segment.sample_rate, starts[0] - segment.offset)
    return np.array([onset]), ends + (onset - starts[0])
