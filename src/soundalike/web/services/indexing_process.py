"""The process that indexes a folder for the page: `python -m soundalike.web.services.indexing_process LIBRARY FOLDER [--demo]`.

Writes its progress to stdout, one JSON object a line: done, total, current; at the end added, found and skipped (files) or
error. With `--demo`, music is generated in FOLDER first. Ctrl-C and SIGTERM end it between two files, as Ctrl-C ends
`soundalike index`.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import SoundalikeError, system_error_text

if TYPE_CHECKING:
    from soundalike.library.indexing.index_report import Progress

DEMO_SEED = 1


def main(library: str, folder: str, *, demo: bool) -> None:
    """Index `folder` into `library`, after making music there if `demo`."""
    from soundalike.library.indexing.library_update import index
    from soundalike.synth.music_library import MusicOptions, write_library
    from soundalike.synth.truth import TRUTH_FILE

    try:
        if demo and not (Path(folder) / TRUTH_FILE).exists():
            _write(current="making music")
            write_library(Path(folder), MusicOptions(seed=DEMO_SEED))
        report = index(library, [folder], on_progress=_show)
    except SoundalikeError as error:
        _write(error=str(error))
    except OSError as error:
        _write(error=system_error_text(error))
    except Exception as error:
        _write(error=f"internal error, a bug: {type(error).__name__}: {error}; the output of the server has more")
        raise
    else:
        if report.excluded_paths and not report.found:
            path, pattern = report.excluded_paths[0]
            _write(
                error=f"{path} is left out, excluded by {pattern!r}; `soundalike index --no-exclude` forgets all patterns"
            )
            return
        _write(added=report.indexed, found=report.found, skipped=len(report.skipped))


def _show(progress: Progress) -> None:
    _write(done=progress.done, total=progress.total, current=progress.current)


def _write(**values: object) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    # A server that a script has started with `&` ignores SIGINT, and so do its children: it sends SIGTERM.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with suppress(KeyboardInterrupt):
        main(sys.argv[1], sys.argv[2], demo="--demo" in sys.argv[3:])
