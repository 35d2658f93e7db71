"""Clips to part vectors: each clip is decoded once, separated by itself, and embedded by one or several encoders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from soundalike.models.encoders import Encoder, PartEncoder
from soundalike.models.separators import Separator, StemFiles, gates_of
from soundalike.parts import MIX, ordered
from soundalike.research.clips.vector_cache import CachedVector, VectorCache

Float32 = NDArray[np.float32]

SHORT_BY = 0.01
"""Seconds by which a clip may end early: decoders of lossy files differ by some samples."""

SILENT_RATE = 8_000
"""Sample rate (Hz) of the silence that replaces a missing stem."""


@dataclass(frozen=True)
class Clip:
    """A clip of a mixture's file: `seconds` from `start` (s), or everything after it if None.

    True stems are read from beside `path` (`soundalike.models.separators.stems.stem_files`).
    """

    path: Path
    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True)
class PartVectors:
    """One clip by one encoder: vectors (K, D) of `parts`, and levels (K,) in dB of full scale.

    The vectors are of unit norm or zero, except those of a `PartEncoder`, whose levels are all that of the mixture. gates: of
    the separator (`SeparatorRow.gates`).
    """

    parts: tuple[str, ...]
    vectors: Float32
    levels: NDArray[np.float64]
    gates: Mapping[str, float] = field(default_factory=dict)

    def present(self, gate_db: float) -> NDArray[np.bool_]:
        """(K,) whether each part's level lies no more than -gate_db, or less if a gate of the separator is higher, under that
        of the mix, which must be among the parts."""
        mixture = self.levels[self.parts.index(MIX)]
        gates = np.array([max(gate_db, self.gates.get(part, gate_db)) for part in self.parts])
        return above_gate(self.levels, mixture, gates)


class ClipEmbedder:
    """Clips to part vectors, from the cache if possible.

    Nearly silent parts are embedded too; `PartVectors.present` applies the level gate, which the paper does not have. Cache
    keys depend on the samples, the versions of separator and encoder, and the precision.
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
        """parts: those to embed, including `mix` if wanted; among: all parts that true stems are summed to (None: just
        `parts`); see `StemFiles.read`."""
        self.encoders = dict(encoders)
        self.separator = separator
        self.parts = ordered(parts)
        self._among = ordered(among or parts)
        self._cache = cache
        self._precision = precision

    def embed(self, clip: Clip) -> dict[str, PartVectors]:
        """The part vectors of a clip, by encoder.

        Raises AudioError for a file that cannot be decoded or ends before the clip does, or if true stems are missing.
        """
        if any(isinstance(encoder, PartEncoder) for encoder in self.encoders.values()):
            return self._heard_in_mixture(clip)
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
        entries = self._cached(keys)
        missing = {part for part, _ in self._missing(entries)}
        if native is not None and isinstance(self.separator, Separator) and missing - {MIX}:
            sounds |= separate_waveform(
                self.separator, native, [part for part in self.parts if part in missing - {MIX}]
            )
        new = self._embedded(sounds, self._missing(entries))
        self._cache.put({self._key(keys[part], name): entry for (part, name), entry in new.items()})
        entries |= new
        return {
            name: PartVectors(
                self.parts,
                np.stack([entries[part, name].vector for part in self.parts]),
                np.array([entries[part, name].level for part in self.parts]),
                {} if self.separator is None else gates_of(self.separator.name),
            )
            for name in self.encoders
        }

    def _heard_in_mixture(self, clip: Clip) -> dict[str, PartVectors]:
        """The part vectors of a clip by encoders that hear the mixture."""
        native = _read(clip)
        mixture = Waveform(native.mono()[np.newaxis], native.sample_rate)
        digest, level, found = _digest(mixture), rms_level(mixture.mono()), {}
        for name, encoder in self.encoders.items():
            assert isinstance(encoder, PartEncoder)
            keys = {part: self._key(f"{digest} in the mixture: {part}", name) for part in encoder.parts}
            entries = {part: self._cache.get(keys[part]) for part in self.parts}
            if None in entries.values():
                samples = resample(mixture.mono(), mixture.sample_rate, encoder.sample_rate)
                rows = encoder.embed_parts([samples])[0]
                new = {part: CachedVector(row, level) for part, row in zip(encoder.parts, rows, strict=True)}
                self._cache.put({keys[part]: entry for part, entry in new.items()})
                entries = {part: new[part] for part in self.parts}
            vectors = np.stack([entry.vector for entry in entries.values() if entry is not None])
            found[name] = PartVectors(self.parts, vectors, np.full(len(self.parts), level))
        return found

    def _direct(self, clip: Clip) -> tuple[dict[str, Waveform], dict[str, str]]:
        """Waveforms that need no separation (true stems and the mix, mono) and their digests."""
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
                _check_end(clip)  # otherwise checked when the mix is read
            files = self.separator.read(clip.path, clip.start, seconds, wanted, among=self._among)
            silence = Waveform(np.zeros((1, round(seconds * SILENT_RATE)), dtype=np.float32), SILENT_RATE)
            sounds |= {part: files.get(part, silence) for part in wanted}
        return sounds, {part: _digest(sound) for part, sound in sounds.items()}

    def _cached(self, keys: Mapping[str, str]) -> dict[tuple[str, str], CachedVector]:
        entries = {}
        for part, key in keys.items():
            for name in self.encoders:
                entry = self._cache.get(self._key(key, name))
                if entry is not None:
                    entries[part, name] = entry
        return entries

    def _missing(self, entries: Mapping[tuple[str, str], CachedVector]) -> list[tuple[str, str]]:
        return [(part, name) for part in self.parts for name in self.encoders if (part, name) not in entries]

    def _embedded(
        self, sounds: Mapping[str, Waveform], wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], CachedVector]:
        """New entries for the wanted parts and encoders, one batch for each encoder."""
        new = {}
        for name, encoder in self.encoders.items():
            parts = [part for part, other in wanted if other == name]
            if not parts:
                continue
            inputs = [resample(sounds[part].mono(), sounds[part].sample_rate, encoder.sample_rate) for part in parts]
            for part, vector in zip(parts, encoder.embed(inputs), strict=True):
                new[part, name] = CachedVector(vector, rms_level(sounds[part].mono()))
        return new

    def _key(self, content: str, name: str) -> str:
        encoder = self.encoders[name]
        return f"{content} {encoder.name} {encoder.version} {self._precision}"


def _read(clip: Clip) -> Waveform:
    """The clip of the mixture at its native rate. Raises AudioError if the file ends before the clip does."""
    native = decode.read(clip.path, clip.start, clip.seconds)
    if clip.seconds is not None and native.duration < clip.seconds - SHORT_BY:
        raise AudioError(
            f"{clip.path} has {native.duration:.2f} s after {clip.start:.2f} s, but the clip lasts "
            f"{clip.seconds:.2f} s; the file is damaged or not the one used in the test"
        )
    return native


def _check_end(clip: Clip) -> None:
    duration = decode.probe(clip.path).duration
    if clip.seconds is not None and 0 < duration < clip.start + clip.seconds - SHORT_BY:
        raise AudioError(
            f"{clip.path} lasts {duration:.2f} s, but the clip ends at {clip.start + clip.seconds:.2f} s; the file is "
            "damaged or not the one used in the test"
        )


def _digest(sound: Waveform) -> str:
    digest = hashlib.blake2b(sound.samples.tobytes(), digest_size=16)
    digest.update(f"{sound.samples.shape} {sound.sample_rate}".encode())
    return digest.hexdigest()
