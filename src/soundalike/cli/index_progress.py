"""The progress bar of indexing: files done, rate, time left. On stderr; a few plain lines if that is not a terminal."""

from __future__ import annotations

import math
import mimetypes
from typing import TYPE_CHECKING

from soundalike.cli.common import shown_path
from soundalike.cli.progress_bar import LiveBar

if TYPE_CHECKING:
    from soundalike.library import IndexReport, Progress


SUFFIXES_SHOWN = 12

BAR_WIDTH = 12


def summary(report: IndexReport) -> str:
    """The outcome of a run in one line: found = indexed + unchanged + skipped."""
    more = [
        f"{count} {word}"
        for count, word in (
            (report.moved, "moved"),
            (report.copied, "copies of known files"),
            (report.returned, "returned"),
            (report.missing, "missing"),
            (report.dropped, "dropped"),
            (report.excluded, "removed as excluded"),
        )
        if count
    ]
    rate = f", {report.audio_seconds / report.seconds:.0f} x real time" if report.audio_seconds else ""
    return (
        f"found {report.found} = indexed {report.indexed} + unchanged {report.unchanged} + skipped "
        f"{len(report.skipped)}{' (' + ', '.join(more) + ')' if more else ''} in {report.seconds:.1f} s{rate}"
    )


def other_files(report: IndexReport) -> str | None:
    """The files that may be audio and were left out for their suffix, in one line, most frequent suffixes first.

    None if there are none. Pictures, texts and documents next to the audio are not mentioned.
    """
    by_count = sorted(
        ((suffix, count) for suffix, count in report.other.items() if _may_be_audio(suffix)),
        key=lambda one: (-one[1], one[0]),
    )
    if not by_count:
        return None
    shown = [f"{count} {shown_path(suffix)}" for suffix, count in by_count[:SUFFIXES_SHOWN]]
    if rest := sum(count for _, count in by_count[SUFFIXES_SHOWN:]):
        shown.append(f"{rest} with other suffixes")
    return f"left out, not known as audio by their suffix: {', '.join(shown)}"


def _may_be_audio(suffix: str) -> bool:
    """Whether a suffix is unknown or that of audio or video."""
    media_type = mimetypes.guess_type(f"name{suffix}")[0]
    return bool(suffix) and (media_type is None or media_type.startswith(("audio/", "video/")))


class IndexProgress(LiveBar):
    """A context manager whose `update` draws each `Progress`."""

    def __init__(self, *, show: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.table import Column

        super().__init__(
            BarColumn(BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            # what is left of the line: a narrow terminal cuts the name, not the numbers
            TextColumn("{task.fields[current]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            show=show,
            rate="",
            current="",
        )

    def update(self, progress: Progress) -> None:
        """Draw the state of a run."""
        rate = rate_text(progress)
        current = progress.current or ("" if progress.done else "starting")
        self.draw(
            ", ".join(filter(None, (f"{progress.done} of {progress.total} files", rate))),
            completed=progress.done,
            total=progress.total or None,
            rate=rate,
            current=current,
        )


def rate_text(progress: Progress) -> str:
    """The rate since the first result and the time left, such as "3.1 files/s, 80x real time, 0:12 left".

    Empty before the second result, which is the first that allows an estimate.
    """
    rate = progress.rate
    if rate is None:
        return ""
    left = math.ceil(rate.seconds_left)
    hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{rate.files:.1f} files/s, {rate.audio_seconds:.0f}x real time, {clock} left"
