"""Rows of `items`: from an analysis, and again when a file gets another name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from soundalike.analysis.analyser import Analysis
from soundalike.audio.metadata.facts import Estimate, resolve_facts
from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.library.indexing.scanned_file import ScannedFile

Row = dict[str, Any]


def item_row(item_id: str, found: ScannedFile, content: str, analysis: Analysis, *, by_user: bool) -> Row:
    """The item of a file that was analysed; `by_user`: its kind was not estimated."""
    tags = analysis.tags
    basis = {"tags": asdict(tags), "tempo": asdict(analysis.tempo), "key": asdict(analysis.key)}
    row = {
        "content": content,
        "kind": analysis.kind,
        "kind_source": "user" if by_user else "estimate",
        "duration": float(analysis.duration),
        "sample_rate": int(analysis.sample_rate),
        "channels": int(analysis.channels),
        "loudness": None if analysis.loudness is None else float(analysis.loudness),
        "artist": tags.artist,
        "title": tags.title,
        "album": tags.album,
        "basis": json.dumps(basis),
        "windows": len(analysis.starts),
    }
    return placed(row, item_id, found)


def placed(row: Mapping[str, Any], item_id: str, found: ScannedFile) -> Row:
    """The row of another file with the same content, or of the same file at another place: facts are read from the new
    name; those of a track from its title, and its texts from the cue sheet."""
    basis = json.loads(row["basis"])
    texts: Row = {}
    name = PurePosixPath(found.path).stem
    if (track := found.track) is not None:
        tags = basis["tags"]
        basis["track"] = asdict(track)
        name = track.title or ""
        texts = {
            "title": track.title,
            "artist": track.performer or tags["artist"],
            "album": track.album or tags["album"],
            "basis": json.dumps(basis),
        }
    return {
        **row,
        **texts,
        "id": item_id,
        "root": found.root,
        "path": found.path,
        "size": found.size,
        "mtime_ns": found.mtime_ns,
        "status": "present",
        "indexed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **_facts(basis, name, is_loop=row["kind"] == "loop"),
    }


def present(found: ScannedFile, row: Row) -> Row:
    """The row of an item whose file is there and has the content that it had."""
    if found.track is not None:  # its title may have changed
        return {**placed(row, row["id"], found), "indexed_at": row["indexed_at"]}
    return {**row, "size": found.size, "mtime_ns": found.mtime_ns, "status": "present"}


def missing(row: Row) -> Row:
    """The row of an item whose file is not there."""
    return {**row, "status": "missing"}


def _facts(values: Mapping[str, Any], stem: str, *, is_loop: bool) -> Row:
    """Tempo and key with their sources; values: the basis."""
    tags = dict(values["tags"])
    if tags["loop"] is not None:
        tags["loop"] = LoopChunk(**tags["loop"])
    estimates = (Estimate(**values["tempo"]), Estimate(**values["key"]))
    tempo, key = resolve_facts(Tags(**tags), stem, estimates, is_loop=is_loop)
    row: Row = {}
    for name, fact in (("tempo", tempo), ("key", key)):
        row[name] = None if fact is None else fact.value
        row[f"{name}_source"] = None if fact is None else fact.source
        row[f"{name}_confidence"] = None if fact is None else fact.confidence
    return row
