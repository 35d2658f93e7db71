#!/usr/bin/env python3
"""Check whether the server in this container answers: exit code 0 if it does. For HEALTHCHECK; needs only Python."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request


def main() -> None:
    """Request the description of the library, with the token if there is one."""
    port = os.environ.get("SOUNDALIKE_PORT", "8765")
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/library")
    if token := os.environ.get("SOUNDALIKE_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            sys.exit(answer.status != 200)
    except (urllib.error.URLError, OSError) as error:
        sys.exit(f"no answer: {error}")


if __name__ == "__main__":
    main()
