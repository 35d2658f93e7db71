"""Output formats of search results: a table for people, JSON and CSV for programs, M3U8 for players."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soundalike.cli.common import clock, counted, echo, shown_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from soundalike.search.results import Hit, SearchResult, Version

FORMATS = ("table", "json", "csv", "m3u8")
BAR_WIDTH = 8
PIPED_WIDTH = 1_000
MAX_FOLDED = 8
"""Characters of the longest file name that may wrap to a second line before other columns are dropped."""


def stdout_console() -> Console:
    """A console on stdout; very wide where stdout is not a terminal, so that nothing is cut for programs."""
    from rich.console import Console

    class StdoutConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # the BrokenPipeError that rich is handling: rich would exit with code 1

    console = StdoutConsole(highlight=False)
    return console if console.is_terminal else StdoutConsole(highlight=False, width=PIPED_WIDTH)


def bar(value: float, scale: float) -> str:
    """`|value| / scale` as a bar of up to `BAR_WIDTH` cells in steps of an eighth; negative values start with a minus."""
    if scale <= 0:
        return ""
    eighths = min(BAR_WIDTH * 8, round(abs(value) / scale * BAR_WIDTH * 8))
    cells = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8].strip() if eighths % 8 else "")
    return ("-" if value < 0 and cells else "") + cells


@dataclass(frozen=True)
class PlaylistOptions:
    """How a playlist is written. relative_to: the folder that paths are relative to, None for absolute paths; bom: whether it
    begins with a byte order mark, by which some programs recognise UTF-8."""

    relative_to: str | None = None
    bom: bool = False


def print_result(
    result: SearchResult, form: str, *, raw: bool = False, playlist: PlaylistOptions = PlaylistOptions()
) -> None:
    """Print a result to stdout in one of `FORMATS`; `raw`: the table shows cosines instead of contributions."""
    print_groups([result], form, raw=raw, grouped=False, playlist=playlist)


def print_groups(
    results: Sequence[SearchResult],
    form: str,
    *,
    raw: bool = False,
    grouped: bool = True,
    playlist: PlaylistOptions = PlaylistOptions(),
) -> None:
    """Print several results to stdout as one document, with the group of each hit where `grouped`."""
    if form == "json":
        values = [result_to_json(result) for result in results]
        print(json.dumps({"groups": values} if grouped else values[0], indent=2))
    elif form == "csv":
        _print_csv(results, grouped)
    elif form == "m3u8":
        print("\ufeff#EXTM3U" if playlist.bom else "#EXTM3U")
        for number, result in enumerate(results, 1):
            _print_m3u8(result, number if grouped else None, playlist.relative_to)
    else:
        for number, result in enumerate(results, 1):
            if grouped:
                print(group_title(result, number))
            if result.hits:
                _print_table(result, raw)


def group_title(result: SearchResult, number: int) -> str:
    """`group 2: 5 onsets, like a snare, at 0:01.2, 0:03.4, ...`: the onsets of a group."""
    like = f", like a {result.sound_class.name}" if result.sound_class else ""
    times = [clock(time) for time in sorted(result.query.starts)]
    return f"group {number}: {counted(len(times), 'onset')}{like}, at {', '.join(times[:5])}{', ...' if len(times) > 5 else ''}"


def result_to_json(result: SearchResult) -> dict[str, Any]:
    """The result as JSON-ready values."""
    from soundalike.search.item_classes import class_fields

    seconds = () if result.query.texts else zip(result.query.starts, result.query.ends, strict=True)
    return {
        "query": {
            "label": result.query.label,
            "texts": list(result.query.texts),
            "windows": [[float(start), float(end)] for start, end in seconds],
            "silent": list(result.silent),
            "same": list(result.same),
            "versions": [asdict(version) for version in result.versions],
        },
        "weights": result.weights,
        "effective_weights": result.effective,
        "weighting": result.weighting,
        "searched": result.searched,
        "absent": result.absent,
        "share": result.share,
        "kinds": list(result.kinds),
        **class_fields(result.sound_class),
        "class_preferred": result.class_preferred,
        "scales": {
            kind: {"items": len(scale.scores), "mean": scale.mean, "deviation": scale.deviation}
            for kind, scale in result.distributions.items()
        },
        "hits": [asdict(hit) for hit in result.hits],
    }


def _print_csv(results: Sequence[SearchResult], grouped: bool) -> None:
    parts = list(dict.fromkeys(part for result in results for hit in result.hits for part in hit.contributions))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = ["rank", "path", "kind", "start", "end", "score"]
    if any(result.query.texts for result in results):
        names += ["deviations", "above"]
    facts = ["duration", "loudness", "tempo", "tempo_source", "key", "key_source", "artist", "title", "album"]
    last = ["sound_class", "class_share"]
    columns = [
        *names,
        *(f"contribution {part}" for part in parts),
        *(f"cosine {part}" for part in parts),
        *facts,
        *last,
        "versions",
    ]
    writer.writerow(["group", *columns] if grouped else columns)
    for number, result in enumerate(results, 1):
        for hit in result.hits:
            row = [
                *(getattr(hit, name) for name in names),
                *(
                    "" if _is_silent(result, hit, part) else values.get(part, "")
                    for values in (hit.contributions, hit.cosines)
                    for part in parts
                ),
                *(getattr(hit, name) for name in (*facts, *last)),
                "; ".join(version.path for version in hit.versions),
            ]
            writer.writerow([number, *row] if grouped else row)


def _print_m3u8(result: SearchResult, group: int | None, relative_to: str | None) -> None:
    for hit in result.hits:
        if any(ord(char) < 32 for char in hit.path):
            echo(f"left out of the playlist, since its name has control characters: {shown_path(hit.path)}")
            continue
        if group is not None:
            print(f"#EXTGRP:group {group}")
        print(f"#EXTINF:{playlist_seconds(hit.duration)},{_title(hit)}")
        if hit.file is not None:  # VLC's options: only the track is played
            print(f"#EXTVLCOPT:start-time={hit.offset:.3f}\n#EXTVLCOPT:stop-time={hit.offset + hit.duration:.3f}")
        print(playlist_path(hit.file or hit.path, relative_to))


def playlist_seconds(duration: float) -> int:
    """A duration (s) as playlists state it: whole seconds, 1 for what is shorter, since 0 is taken for no sound, and -1 if it is
    unknown (0 or NaN)."""
    return max(1, round(duration)) if duration > 0 else -1


def playlist_path(path: str, relative_to: str | None = None) -> str:
    """An item's path as a line of a playlist, with forward slashes; relative to a folder if one is given.

    Paths that cannot be relative (on another drive, or in object storage) stay absolute.
    """
    if relative_to is not None and os.path.isabs(path):
        path = _relative(path, relative_to)
    path = path.replace(os.sep, "/")
    # A line that begins with # is a comment, and players strip blanks.
    return f"./{path}" if path[:1] in ("#", " ") else path


def _relative(path: str, folder: str) -> str:
    """`path` relative to `folder`, with links resolved if that is the shorter way up: what leads out of a linked folder by its
    name does not always do so by its place."""
    try:
        plain = os.path.relpath(path, os.path.abspath(folder))
        if not plain.startswith(os.pardir):
            return plain
        resolved = os.path.relpath(os.path.realpath(path), os.path.realpath(folder))
    except ValueError:  # on another drive of Windows
        return path
    return min((plain, resolved), key=lambda way: way.split(os.sep).count(os.pardir))


def _print_table(result: SearchResult, raw: bool) -> None:
    """The widest table that fits the terminal: with bars and facts, without facts, without bars, or plain lines."""
    console = stdout_console()
    for with_bars, with_facts in ((True, True), (True, False), (False, False)):
        table = _table(result, raw, with_bars, with_facts)
        if _width(console, table) <= console.width + MAX_FOLDED:
            console.print(table)
            return
    for hit in result.hits:
        print(_plain_lines(result, hit, raw=raw))


def print_widest(tables: Sequence[Table]) -> None:
    """Print the first of `tables` that fits the terminal, else the last one."""
    console = stdout_console()
    console.print(next((table for table in tables if _width(console, table) <= console.width), tables[-1]))


def _width(console: Console, table: Table) -> int:
    """Characters that a table takes on `console` where nothing is cut."""
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(max_width=PIPED_WIDTH), table).maximum


def _plain_lines(result: SearchResult, hit: Hit, *, raw: bool) -> str:
    """A hit on two lines, for terminals too narrow for a table."""
    stands = f"  {standing(hit)}" if result.query.texts else ""
    return (
        f"{hit.rank:3} {hit.score:6.3f}{stands}  {shown_path(hit.path)}  {_matched(hit)}\n"
        + " " * 12
        + ", ".join(f"{part} {_part_cell(result, hit, part, raw, 0.0)}" for part in hit.contributions)
        + "".join(f"\n{' ' * 12}{version_line(version)}" for version in hit.versions)
    )


def _table(result: SearchResult, raw: bool, with_bars: bool, with_facts: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    is_text = bool(result.query.texts)
    parts = list(result.hits[0].contributions)
    scale = 1.0 if raw else max(abs(value) for hit in result.hits for value in hit.contributions.values())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("#", "score", *(["among its kind"] if is_text else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for part in parts:
        table.add_column(f"{part} cosine" if raw else part, no_wrap=True)
    if with_facts:
        table.add_column("tempo", justify="right", no_wrap=True)
    for heading in (*(["key", "kind"] if with_facts else []), "matched"):
        table.add_column(heading, no_wrap=True)
    table.add_column("file", overflow="fold")
    for hit in result.hits:
        cells = [str(hit.rank), f"{hit.score:.3f}", *([standing(hit)] if is_text else [])]
        cells += [_part_cell(result, hit, part, raw, scale if with_bars else 0.0) for part in parts]
        if with_facts:
            cells += [_fact(hit.tempo, hit.tempo_source, "{:.0f}"), _fact(hit.key, hit.key_source, "{}"), hit.kind]
        table.add_row(*(Text(cell) for cell in (*cells, _matched(hit), _file_cell(hit))))
    return table


def _is_silent(result: SearchResult, hit: Hit, part: str) -> bool:
    """Whether a part is silent in the reference or in the hit, so that it is not compared."""
    return part in result.silent or part in hit.silent


def _part_cell(result: SearchResult, hit: Hit, part: str, raw: bool, scale: float) -> str:
    """The cosine or contribution of a part, with a bar relative to `scale` (none if 0)."""
    if _is_silent(result, hit, part):
        return "silent"
    value = hit.cosines[part] if raw else hit.contributions[part]
    return f"{value:+.2f} {bar(value, scale)}" if scale > 0 else f"{value:+.2f}"


def _file_cell(hit: Hit) -> str:
    copies = f" (+{counted(len(hit.copies), 'copy', 'copies')})" if hit.copies else ""
    first = shown_path(hit.path) + copies + (" [missing]" if hit.status == "missing" else "")
    return "\n".join([first, *map(version_line, hit.versions)])


def version_line(version: Version) -> str:
    """`+ another version, 2:31: path`: a song that is listed under a hit."""
    what = "a near-identical copy" if version.near_identical else "another version"
    return f"+ {what}, {clock(version.duration)}: {shown_path(version.path)}"


def standing(hit: Hit) -> str:
    """`+3.1 sd, above 99.4 %`: where the score lies among all items of the hit's kind; empty where that is unknown.

    The share is rounded down, so that it never reads 100 %.
    """
    if hit.above is None:
        return ""
    share = f"above {math.floor(round(1000 * hit.above, 6)) / 10:.1f} %"
    return share if hit.deviations is None else f"{hit.deviations:+.1f} sd, {share}"


def _matched(hit: Hit) -> str:
    return f"{clock(hit.start)}-{clock(hit.end)}" if hit.kind == "song" else f"whole, {hit.end - hit.start:.2f} s"


def _fact(value: object, source: str | None, template: str) -> str:
    """A tempo or key; `~` marks those estimated from the audio."""
    if value is None:
        return ""
    return ("~" if source == "estimate" else "") + template.format(value)


def _title(hit: Hit) -> str:
    """`artist - title`; the path where there is no title: an artist alone would not name the file."""
    if not hit.title:
        return shown_path(hit.path)
    return f"{hit.artist} - {hit.title}" if hit.artist else hit.title
