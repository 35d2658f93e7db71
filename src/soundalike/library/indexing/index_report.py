"""The progress and the outcome of an indexing run."""

from __future__ import annotations

from dataclasses import dataclass, field

from soundalike.errors import LibraryError
from soundalike.library.indexing.work_estimate import Rate


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    done, total: files that have to be read (unchanged ones do not count); audio_seconds: of audio analysed; seconds: since
    the run began; current: name of the file being analysed, if any; rate: since the first result, None before the second.
    """

    done: int
    total: int
    audio_seconds: float
    seconds: float
    current: str | None
    rate: Rate | None = None


@dataclass
class IndexReport:
    """The outcome of a run. found = indexed + unchanged + len(skipped), unless it was interrupted.

    indexed = new + changed + copied: items written, copied ones without analysis since their content was known;
    unchanged: includes moved (found at another place) and returned (were missing) ones; skipped: (path, reason) of files
    that could not be used, including those remembered from earlier runs; missing: items whose files are gone since the last
    run; unreachable: (root name, folder) of roots that are not there, whose items were not changed; unreadable: (folder,
    reason); replaced: items whose files a cue sheet divides now, or no longer, or that were imported before their files were
    indexed: others are in their place; dropped: items that an upgrade left behind because their files are gone; excluded:
    items that were removed because patterns exclude them; excluded_paths: (path, pattern) of what was named to be updated and
    is left out, because the pattern excludes it; unmatched_patterns: to exclude, that match nothing in what was scanned, or only
    what another one excludes; seconds: of the run; audio_seconds: of audio analysed; other: how many files
    in the folders were left out for their suffix, by suffix; sketched: windows whose one-bit codes were written, in a library
    larger than the memory budget, by whoever prepares searches afterwards; interrupted: whether the run was ended early;
    libraries: folders of other libraries, which were left out.
    """

    found: int = 0
    new: int = 0
    changed: int = 0
    copied: int = 0
    unchanged: int = 0
    moved: int = 0
    returned: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    missing: int = 0
    unreachable: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    replaced: int = 0
    dropped: int = 0
    excluded: int = 0
    excluded_paths: list[tuple[str, str]] = field(default_factory=list)
    unmatched_patterns: list[str] = field(default_factory=list)
    seconds: float = 0.0
    audio_seconds: float = 0.0
    other: dict[str, int] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    sketched: int = 0
    interrupted: bool = False

    @property
    def indexed(self) -> int:
        """Items written."""
        return self.new + self.changed + self.copied

    @property
    def open(self) -> int:
        """Files that an interrupted run did not reach."""
        return self.found - self.indexed - self.unchanged - len(self.skipped)

    def check(self) -> None:
        """Raise LibraryError if the numbers do not add up: a file would have been lost silently."""
        if self.open != 0 and not self.interrupted:
            raise LibraryError(
                f"the run does not add up: {self.found} files found, but {self.indexed} indexed, {self.unchanged} "
                f"unchanged and {len(self.skipped)} skipped; this is a bug of soundalike, please report it"
            )


class IndexInterrupted(KeyboardInterrupt):
    """A run was ended by Ctrl-C. What had been analysed is stored; `report` has the numbers."""

    def __init__(self, report: IndexReport) -> None:
        super().__init__(f"interrupted: {report.indexed} files are indexed; run it again to continue")
        self.report = report
