"""Clips to part vectors: each clip decoded once, separated by itself, and embedded by one encoder or several."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.level_gate import above_gate
from soundalike.analysis.segments import separate_waveform
from soundalike.audio import decode
from soundalike.audio.level import rms_level
from soundalike.audio.waveform import Waveform, resample
from soundalike.config import Precision
from soundalike.errors import AudioError
from soundalike.models.encoders import Encoder
from soundalike.models.separators import Separator, StemFiles
from soundalike.parts import MIX, ordered
from soundalike.research.clips.vector_cache import Embedded, VectorCache

Float32 = NDArray[np.float32]

SHORT_BY = 0.01
"""Seconds by which a clip may end before it should: decoders of lossy files differ by some samples."""

SILENT_RATE = 8_000
"""Hz of the silence that stands for a stem that is not there."""


@dataclass(frozen=True)
class Clip:
    """A piece of a mixture's file: from `start` (s) on for `seconds`, None for all that follows.

    Where true stems are asked for, they lie beside `path` (`soundalike.models.separators.stems.stem_files`).
    """

    path: Path
    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True)
class PartVectors:
    """One clip by one encoder: vectors (K, D) of `parts`, unit or zero, and levels (K,) in dB of full scale."""

    parts: tuple[str, ...]
    vectors: Float32
    levels: NDArray[np.float64]

    def present(self, gate_db: float) -> NDArray[np.bool_]:
        """(K,) whether each part's level lies no more than -gate_db under that of the mix, which must be among the
        parts."""
        mixture = self.levels[self.parts.index(MIX)]
        return above_gate(self.levels, mixture, gate_db)


class ClipEmbedder:
    """Clips to part vectors, from the cache where they are in it. Near-silent parts are embedded too: whether a part
    counts is decided later (`PartVectors.present`), because the paper has no such gate.

    What is kept goes by content and model: the samples, the separator's and the encoder's version, the precision.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        separator: Separator | StemFiles | None,
        parts: Sequence[str],
        cache: VectorCache,
        *,
        among: Sequence[str] | None = None,
        precision: Precision = "exact",
    ) -> None:
        """parts: those to embed, `mix` only if named; among: all parts that true stems are to be summed to (None: just
        `parts`); see `StemFiles.read`."""
        self.encoders = dict(encoders)
        self.separator = separator
        self.parts = ordered(parts)
        self._among = ordered(among or parts)
        self._cache = cache
        self._precision = precision

    def embed(self, clip: Clip) -> dict[str, PartVectors]:
        """The part vectors of a clip, by the name of the encoder.

        Raises AudioError for a file that cannot be decoded or ends before the clip does, or true stems that are missing.
        """
        sounds, keys = self._direct(clip)
        native = None
        if isinstance(self.separator, Separator):
            native = _read(clip)
            origin = _digest(native)
            if MIX in self.parts:
                sounds[MIX] = Waveform(native.mono()[np.newaxis], native.sample_rate)
                keys[MIX] = _digest(sounds[MIX])
            stem = f"{origin} {self.separator.name} {self.separator.version} {self._precision}"
            keys |= {part: f"{stem} {part}" for part in self.parts if part != MIX}
        found = self._kept(keys)
        lacking = {part for part, _ in self._lacking(found)}
        if native is not None and isinstance(self.separator, Separator) and lacking - {MIX}:
            sounds |= separate_waveform(
                self.separator, native, [part for part in self.parts if part in lacking - {MIX}]
            )
        new = self._embedded(sounds, self._lacking(found))
        self._cache.put({self._key(keys[part], name): entry for (part, name), entry in new.items()})
        found |= new
        return {
            name: PartVectors(
                self.parts,
                np.stack([found[part, name].vector for part in self.parts]),
                np.array([found[part, name].level for part in self.parts]),
            )
            for name in self.encoders
        }

    def _direct(self, clip: Clip) -> tuple[dict[str, Waveform], dict[str, str]]:
        """Sounds that need no separation, mono, and their digests: true stems, and the mix beside them."""
        if isinstance(self.separator, Separator):
            return {}, {}
        sounds: dict[str, Waveform] = {}
        wanted = [part for part in self.parts if part != MIX]
        seconds = clip.seconds
        if MIX in self.parts or seconds is None:
            native = _read(clip)
            seconds = native.duration
            if MIX in self.parts:
                sounds[MIX] = Waveform(native.mono()[np.newaxis], native.sample_rate)
        if wanted and self.separator is not None:
            if MIX not in self.parts:
                _ends_in_time(clip)  # reading the mix would have shown it
            files = self.separator.read(clip.path, clip.start, seconds, wanted, among=self._among)
            silence = Waveform(np.zeros((1, round(seconds * SILENT_RATE)), dtype=np.float32), SILENT_RATE)
            sounds |= {part: files.get(part, silence) for part in wanted}
        return sounds, {part: _digest(sound) for part, sound in sounds.items()}

    def _kept(self, keys: Mapping[str, str]) -> dict[tuple[str, str], Embedded]:
        found = {}
        for part, key in keys.items():
            for name in self.encoders:
                entry = self._cache.get(self._key(key, name))
                if entry is not None:
                    found[part, name] = entry
        return found

    def _lacking(self, found: Mapping[tuple[str, str], Embedded]) -> list[tuple[str, str]]:
        return [(part, name) for part in self.parts for name in self.encoders if (part, name) not in found]

    def _embedded(
        self, sounds: Mapping[str, Waveform], wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Embedded]:
        """Vectors and levels of what is wanted, all parts of an encoder in one batch."""
        new = {}
        for name, encoder in self.encoders.items():
            parts = [part for part, other in wanted if other == name]
            if not parts:
                continue
            fed = [resample(sounds[part].mono(), sounds[part].sample_rate, encoder.sample_rate) for part in parts]
            for part, vector in zip(parts, encoder.embed(fed), strict=True):
                new[part, name] = Embedded(vector, rms_level(sounds[part].mono()))
        return new

    def _key(self, content: str, name: str) -> str:
        encoder = self.encoders[name]
        return f"{content} {encoder.name} {encoder.version} {self._precision}"


def _read(clip: Clip) -> Waveform:
    """The clip's mixture, at its native rate. Raises AudioError where the file ends before the clip does."""
    native = decode.read(clip.path, clip.start, clip.seconds)
    if clip.seconds is not None and native.duration < clip.seconds - SHORT_BY:
        raise AudioError(
            f"{clip.path} holds {native.duration:.2f} s from {clip.start:.2f} s on where the clip has "
            f"{clip.seconds:.2f} s; the file is damaged or another one than the test was made from"
        )
    return native


def _ends_in_time(clip: Clip) -> None:
    duration = decode.probe(clip.path).duration
    if clip.seconds is not None and 0 < duration < clip.start + clip.seconds - SHORT_BY:
        raise AudioError(
            f"{clip.path} lasts {duration:.2f} s, but the clip ends at {clip.start + clip.seconds:.2f} s; the file is "
            "damaged or another one than the test was made from"
        )


def _digest(sound: Waveform) -> str:
    digest = hashlib.blake2b(sound.samples.tobytes(), digest_size=16)
    digest.update(f"{sound.samples.shape} {sound.sample_rate}".encode())
    return digest.hexdigest()
