"""Describes a served library in numbers."""

from __future__ import annotations

from pathlib import Path

from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.errors import SoundalikeError
from soundalike.library import Library
from soundalike.models.encoders import ENCODERS, TextEncoder
from soundalike.search.finder import Finder
from soundalike.search.index.recall import stored_recall
from soundalike.search.index.table_rows import TABLES
from soundalike.search.index.vector_index import VectorIndex
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.server_state import ServerState


def describe_library(server: ServerState, *, reveal: bool) -> schemas.LibraryOut:
    """What the library holds and was made with. reveal: whether files can be shown in this machine's file manager."""
    snapshot = server.library.refresh()
    library, finder = snapshot.library, snapshot.finder
    spreads = finder.opened.spread(library.recipe.parts)
    return schemas.LibraryOut(
        name=library.path.name,
        state=snapshot.state,
        parts=list(library.recipe.parts),
        encoder=library.recipe.encoder,
        separator=library.recipe.separator,
        text=_has_text(finder),
        counts=snapshot.counts,
        spread={part: spread.deviation if spread.deviation > 0 else None for part, spread in spreads.items()},
        licences=library.licences,
        profiles=server.profiles.names(),
        extensions=sorted(AUDIO_SUFFIXES),
        most_bytes=server.uploads.max_bytes,
        favourites=sum(item_id in snapshot for item_id in server.marks.favourites.ids()),
        collections={
            name: sum(item_id in snapshot for item_id in ids) for name, ids in server.marks.collections.all().items()
        },
        answers=server.feedback.count(),
        reveal=reveal,
        indexing=server.local_only and isinstance(library.path, Path),
        search={table: _index_out(library, finder.indexes[table]) for table in TABLES},
    )


def library_state(snapshot: LibrarySnapshot) -> schemas.StateOut:
    """The library's state in short."""
    return schemas.StateOut(state=snapshot.state, items=len(snapshot))


def _has_text(finder: Finder) -> bool:
    """Whether the encoder embeds texts; false if its model is not available here. Loads only models that embed texts."""
    row = ENCODERS.get(finder.library.recipe.encoder)
    if row is None or not row.text:
        return False
    try:
        return isinstance(finder.analyser.encoder, TextEncoder)
    except SoundalikeError:
        return False


def _index_out(library: Library, index: VectorIndex) -> schemas.IndexOut:
    """How a table is searched, as far as that is known without measuring it."""
    recall = None if index.exact else stored_recall(library, index)
    return schemas.IndexOut(
        by=index.method,
        rows=len(index.rows),
        recall=None if recall is None else dict(recall.by_weights),
        worst=None if recall is None else recall.worst[1],
    )
