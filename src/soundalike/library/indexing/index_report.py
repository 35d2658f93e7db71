"""What an indexing run says while it goes on and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from soundalike.errors import LibraryError


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    done, total: files that have to be looked into (unchanged ones do not count); audio_seconds: of audio analysed;
    seconds: since the run began; current: name of a file at hand, if any.
    """

    done: int
    total: int
    audio_seconds: float
    seconds: float
    current: str | None


@dataclass
class IndexReport:
    """The outcome of a run. found = indexed + unchanged + len(skipped), once it has come to its end.

    indexed = new + changed + copied: items written, copied ones without analysis since their content was known;
    unchanged: as on record, moved (found elsewhere) and returned (were missing) ones among them; skipped: (path,
    reason) of files that could not be used, remembered ones among them; missing: items whose files were not found
    any more by this run; unreachable: (root name, folder) of roots not there, of which nothing was marked;
    unreadable: (folder, reason); dropped: items that an upgrade left behind because their files are gone; seconds:
    of the run; audio_seconds: of audio analysed; sketched: windows that were sketched, where the library is past the
    memory budget; interrupted: whether it was ended before its end.
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
    dropped: int = 0
    seconds: float = 0.0
    audio_seconds: float = 0.0
    sketched: int = 0
    interrupted: bool = False

    @property
    def indexed(self) -> int:
        """Items written."""
        return self.new + self.changed + self.copied

    @property
    def open(self) -> int:
        """Files found of which nothing is decided: those an interrupted run did not get to."""
        return self.found - self.indexed - self.unchanged - len(self.skipped)

    def check(self) -> None:
        """Raise LibraryError where the numbers do not add up: a file would have been lost silently."""
        if self.open != 0 and not self.interrupted:
            raise LibraryError(
                f"the run does not add up: {self.found} files found, but {self.indexed} indexed, {self.unchanged} "
                f"unchanged and {len(self.skipped)} skipped; this is a fault of soundalike, please report it"
            )


class IndexInterrupted(KeyboardInterrupt):
    """A run was ended by Ctrl-C. What had been analysed is in; `report` says how much."""

    def __init__(self, report: IndexReport) -> None:
        super().__init__(f"interrupted: {report.indexed} files are in; run it again to continue")
        self.report = report
