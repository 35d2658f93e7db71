"""Cutting the excerpts of a test: windows with something to hear, as mixes or stems, written at equal loudness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analyser
from soundalike.audio import decode
from soundalike.audio.waveform import Waveform, to_channels
from soundalike.errors import AudioError, InputError
from soundalike.listening.clip_levels import Level, at_gain, common_loudness, faded, measure_level
from soundalike.listening.design import Excerpt, Presentation
from soundalike.listening.excerpt_vectors import ExcerptVectors
from soundalike.listening.song_windows import SongWindows
from soundalike.parts import MIX

QUIETER_THAN_SONG = 12.0
"""A window so many LU quieter than its song is passed over: an intro, a pause, a fade."""
QUIETER_THAN_MIX = 25.0
"""A stem so many LU quieter than the mix around it is passed over: amplified, one would hear what separation leaves behind."""
MIN_HEADROOM_LOUDNESS = -32.0
"""A clip that could not be made as loud as this (LUFS) without clipping is passed over: all others would be as quiet."""

SUFFIX = ".flac"


@dataclass(frozen=True)
class CutExcerpts:
    """excerpts: with clips and gains; audible: by id, the parts that can be heard; vectors; loudness of all clips in LUFS."""

    excerpts: tuple[Excerpt, ...]
    audible: Mapping[str, frozenset[str]]
    vectors: ExcerptVectors
    loudness: float


@dataclass(frozen=True)
class CutOptions:
    """presentation: mixes or stems; parts: the stems to cut; per_song: windows of each song, which do not overlap."""

    presentation: Presentation
    parts: tuple[str, ...]
    per_song: int = 2


@dataclass(frozen=True)
class _Piece:
    """A clip at its own level, in a temporary WAV file."""

    song: SongWindows
    window: int
    part: str
    file: Path
    level: Level


def cut_excerpts(
    songs: Sequence[SongWindows],
    analyser: Analyser,
    options: CutOptions,
    clips: Path,
    rng: np.random.Generator,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> CutExcerpts:
    """Cut windows of `songs` and write them below the folder `clips`.

    Raises InputError if fewer than three songs have something to hear.
    """
    with TemporaryDirectory(dir=clips.parent) as folder:
        pieces: list[_Piece] = []
        for number, song in enumerate(songs):
            on_progress(number, len(songs))
            pieces += _pieces_of_song(song, analyser, options, Path(folder) / f"{number}", rng)
        on_progress(len(songs), len(songs))
        if len({piece.song.item for piece in pieces}) < 3:
            raise InputError(
                "fewer than three songs have a window with something to hear; index other songs, or choose other paths"
            )
        return _written(pieces, analyser.recipe.parts, clips)


def _pieces_of_song(
    song: SongWindows, analyser: Analyser, options: CutOptions, prefix: Path, rng: np.random.Generator
) -> list[_Piece]:
    """The clips of up to `per_song` windows; those that cannot be decoded or have nothing to hear are passed over."""
    pieces: list[_Piece] = []
    chosen: list[int] = []
    for window in song.in_order_of_choice(rng):
        if len(chosen) == options.per_song:
            break
        if any(song.starts[window] < song.ends[other] and song.starts[other] < song.ends[window] for other in chosen):
            continue
        try:
            found = list(_audible_parts(song, window, analyser, options))
        except AudioError:
            continue
        for part, waveform, level in found:
            file = prefix.with_name(f"{prefix.name}-{window}-{part}.wav")
            soundfile.write(file, waveform.samples.T, waveform.sample_rate, subtype="FLOAT")
            pieces.append(_Piece(song, window, part, file, level))
        if found:
            chosen.append(window)
    return pieces


def _audible_parts(
    song: SongWindows, window: int, analyser: Analyser, options: CutOptions
) -> Iterator[tuple[str, Waveform, Level]]:
    """The clips of a window that have something to hear."""
    start, end = float(song.starts[window]), float(song.ends[window])
    waveform = decode.read(song.path, start, end - start)
    mixture = faded(Waveform(to_channels(waveform.samples, min(2, waveform.channels)), waveform.sample_rate))
    level = measure_level(mixture)
    if level is None or (song.loudness is not None and level.loudness < song.loudness - QUIETER_THAN_SONG):
        return
    if options.presentation == "mix":
        if _can_be_loud(level):
            yield MIX, mixture, level
        return
    names = analyser.recipe.parts
    present = [part for part in options.parts if song.present[window, names.index(part)]]
    stems, rate = analyser.stems(song.path, start, end, parts=present) if present else ({}, 0)
    for part in present:
        stem = faded(Waveform(stems[part][np.newaxis], rate))
        of_stem = measure_level(stem)
        if of_stem is not None and of_stem.loudness >= level.loudness - QUIETER_THAN_MIX and _can_be_loud(of_stem):
            yield part, stem, of_stem


def _can_be_loud(level: Level) -> bool:
    return common_loudness([level]) >= MIN_HEADROOM_LOUDNESS


def _written(pieces: Sequence[_Piece], parts: tuple[str, ...], clips: Path) -> CutExcerpts:
    """Write the clips at their common loudness, named by number so that a name gives nothing away."""
    loudness = common_loudness([piece.level for piece in pieces])
    excerpts, audible, vectors, present = [], {}, [], []
    for number, piece in enumerate(pieces, 1):
        song, gain = piece.song, loudness - piece.level.loudness
        name = f"e{number:03d}"
        clip = f"{piece.part}/{name}{SUFFIX}"
        samples, rate = soundfile.read(piece.file, dtype="float32", always_2d=True)
        (clips / piece.part).mkdir(parents=True, exist_ok=True)
        soundfile.write(clips / clip, _sixteen_bit(at_gain(samples, gain)), rate)
        start, end = float(song.starts[piece.window]), float(song.ends[piece.window])
        excerpt = Excerpt(name, song.item, str(song.path), piece.part, start, end - start, clip)
        excerpts.append(replace(excerpt, start=round(start, 6), seconds=round(end - start, 6), gain=round(gain, 3)))
        heard = song.present[piece.window]
        audible[name] = frozenset(part for part, here in zip(parts, heard, strict=True) if here)
        if piece.part != MIX:
            audible[name] = frozenset((piece.part,))
        vectors.append(song.vectors[piece.window])
        present.append(heard)
    ids = tuple(excerpt.id for excerpt in excerpts)
    return CutExcerpts(
        tuple(excerpts), audible, ExcerptVectors(ids, parts, np.stack(vectors), np.stack(present)), loudness
    )


def _sixteen_bit(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples as 16-bit integers; true peaks are below full scale, so that nothing is cut off."""
    return np.asarray(np.clip(np.round(samples * 32767.0), -32768, 32767), dtype=np.int16)
