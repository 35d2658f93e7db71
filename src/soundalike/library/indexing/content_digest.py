"""The digest of a file's bytes, by which its content is known wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location, Remote

_BLOCK = 1 << 20


def content_digest(
    path: Location,
    sidecars: SidecarFiles | None = None,
    *,
    on_block: Callable[[bytes | memoryview], None] | None = None,
) -> str:
    """BLAKE2b-128 of a file's bytes, in hex; with sidecars, of its own digest and of their names and digests, and of a file that
    has inside what others have in sidecars, another one than of the same bytes under a name without this meaning.

    on_block: called with the bytes of the file itself, block by block. Raises OSError if one cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for block in path.blocks() if isinstance(path, Remote) else _blocks(path):
        digest.update(block)
        if on_block is not None:
            on_block(block)
    others = () if sidecars is None or isinstance(path, Remote) else sidecars.sidecars(path)
    has_inside = sidecars is not None and isinstance(path, Path) and sidecars.has_inside(path)
    if others or has_inside:
        facts = [("", digest.hexdigest()), *((other.name, content_digest(other)) for other in others)]
        digest = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            yield block
