"""Small results derived from a library's tables, stored as JSON beside them: lost ones are computed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from soundalike.config import replace_file


def read_derived(path: Path) -> Any:
    """The stored values; None where there are none, or they cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_derived(path: Path, values: Mapping[str, Any]) -> None:
    """Store `values`, unless the library may only be read: it is searched all the same."""
    with suppress(OSError):
        replace_file(path, json.dumps(values, indent=1))
