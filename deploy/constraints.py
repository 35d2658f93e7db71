"""Write the versions that the lock files pin as constraints for pip: one `name==version` per line, without hashes."""

from __future__ import annotations

import re
from pathlib import Path

LOCKS = (
    "requirements.lock",
    "requirements-test.lock",
    "requirements-dev.lock",
    "requirements-cluster.lock",
    "requirements-neural.lock",
)


def main() -> None:
    """Print the constraints; if several lock files pin a package, the first one counts."""
    seen: set[str] = set()
    for name in LOCKS:
        for line in Path(name).read_text(encoding="utf-8").splitlines():
            found = re.match(r"([A-Za-z0-9._-]+)==[^\s\\;]+(\s*;[^\\]+)?", line)
            if found and found[1].lower() not in seen:
                seen.add(found[1].lower())
                print(found[0].strip())


if __name__ == "__main__":
    main()
