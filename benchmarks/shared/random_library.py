"""Libraries of random vectors, for measuring search and the server without any audio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.library.storage import schema
from soundalike.library.storage.manifest import generation_folder, read_manifest, write_manifest
from soundalike.library.storage.store import Library, Tables
from soundalike.similarity.cosine import unit

WINDOWS = 10  # of 10 s, per song
LATENT = 32  # dimensions that vary in a part: real embeddings have few
BATCH = 2_000  # songs
KEYS = ("A minor", "C major", "E minor", "G major", "F# minor", None)


def write_random_library(place: Path, songs: int, rng: np.random.Generator) -> Library:
    """Write and open a library of `songs` songs of 10 windows with the built-in models' parts and dimension.

    Windows of a song resemble each other. Items have all the facts that the search page shows.
    """
    recipe = make_recipe()
    Library.create(place, recipe)
    tables = Tables(generation_folder(place, 1), recipe)
    bases = {part: rng.normal(size=(LATENT, recipe.dimension)) for part in recipe.parts}
    for begin in range(0, songs, BATCH):
        numbers = np.arange(begin, min(songs, begin + BATCH))
        tables.append(schema.WINDOWS, _windows(recipe, numbers, bases, rng))
        rows = [_item(int(number), rng) for number in numbers]
        tables.append(schema.ITEMS, schema.row_table(rows, schema.ITEMS_SCHEMA))
    tables.compact(at_end=True)
    write_manifest(place, replace(read_manifest(place), roots={"music": place.parent / "music"}))
    return Library.open(place)


def _windows(recipe: Recipe, numbers: np.ndarray, bases: dict[str, np.ndarray], rng: np.random.Generator) -> pa.Table:
    songs = np.repeat(numbers, WINDOWS)
    starts = np.tile(10.0 * np.arange(WINDOWS), len(numbers))
    ends = starts + 10
    ends[WINDOWS - 1 :: WINDOWS] -= [_missing_seconds(number) for number in numbers]
    columns: dict[str, object] = {"content": [f"{number:032x}" for number in songs], "start": starts, "end": ends}
    for part in recipe.parts:
        of_song = np.repeat(rng.normal(size=(len(numbers), LATENT)), WINDOWS, axis=0)
        vectors = unit((of_song + 0.7 * rng.normal(size=of_song.shape)) @ bases[part])
        columns[part] = schema.vector_array(vectors.astype(np.float16))
        columns[f"{part}_present"] = np.ones(len(songs), dtype=bool)
    return pa.table(columns, schema=schema.windows_schema(recipe))


def _missing_seconds(number: int) -> float:
    """By how much the last window of a song is shorter, so that songs differ in duration (copies have equal ones)."""
    return number * 7919 % 8999 / 1000


def _item(number: int, rng: np.random.Generator) -> dict[str, object]:
    key = KEYS[number % len(KEYS)]
    return {
        **dict.fromkeys(schema.ITEMS_SCHEMA.names),
        "id": f"{number * 2654435761 % 2**32:016x}",
        "root": "music",
        "path": f"artist {number % 400}/album {number % 1300}/{number:05d} a song with a name.flac",
        "size": 30_000_000,
        "mtime_ns": 1,
        "content": f"{number:032x}",
        "kind": "song",
        "kind_source": "estimate",
        "status": "present",
        "duration": 10.0 * WINDOWS - _missing_seconds(number),
        "sample_rate": 44_100,
        "channels": 2,
        "loudness": -14.0,
        "tempo": float(rng.integers(70, 180)),
        "tempo_source": "estimate",
        "key": key,
        "key_source": None if key is None else "estimate",
        "artist": f"Artist {number % 400}",
        "title": f"Song {number}",
        "album": f"Album {number % 1300}",
        "basis": "{}",
        "windows": WINDOWS,
        "indexed_at": "2026-01-01T00:00:00+00:00",
    }
