"""Writes the versions that the lock files pin, as constraints for pip: one `name==version` a line, no hashes."""

from __future__ import annotations

import re
from pathlib import Path

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-cluster.lock", "requirements-neural.lock")


def main() -> None:
    """Of a package that several pin, the first counts."""
    seen: set[str] = set()
    for name in LOCKS:
        for line in Path(name).read_text(encoding="utf-8").splitlines():
            found = re.match(r"([A-Za-z0-9._-]+)==[^\s\\;]+(\s*;[^\\]+)?", line)
            if found and found[1].lower() not in seen:
                seen.add(found[1].lower())
                print(found[0].strip())


if __name__ == "__main__":
    main()
