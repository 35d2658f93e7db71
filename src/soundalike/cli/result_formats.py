"""How hits are shown: a table for people, json and csv for programs, m3u8 for players."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from soundalike.cli.common import clock, counted, say, shown_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from soundalike.search.finder import Found, Hit

FORMATS = ("table", "json", "csv", "m3u8")
BAR = 8
PIPED_WIDTH = 1_000
NAME_MAY_FOLD = 8
"""So many characters of the longest file name may go to a second line before other columns give way."""


def stdout_console() -> Console:
    """A console on stdout; wide where stdout is no terminal, so that nothing is cut for a program that reads it."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def bar(value: float, scale: float) -> str:
    """`value` as a bar of up to `BAR` cells, eighths of a cell fine; a minus in front of a negative one."""
    if scale <= 0:
        return ""
    eighths = min(BAR * 8, round(abs(value) / scale * BAR * 8))
    cells = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8].strip() if eighths % 8 else "")
    return ("-" if value < 0 and cells else "") + cells


def print_found(found: Found, form: str, *, raw: bool = False) -> None:
    """Hits to stdout in one of `FORMATS`; `raw` shows cosines in place of contributions in the table."""
    print_groups([found], form, raw=raw, grouped=False)


def print_groups(answers: Sequence[Found], form: str, *, raw: bool = False, grouped: bool = True) -> None:
    """Several answers to stdout as one document (tables: one below the other); csv gets a column `group` where
    `grouped`."""
    if form == "json":
        values = [found_to_json(found) for found in answers]
        print(json.dumps({"groups": values} if grouped else values[0], indent=2))
    elif form == "csv":
        _print_csv(answers, grouped)
    elif form == "m3u8":
        print("#EXTM3U")
        for number, found in enumerate(answers, 1):
            _print_m3u8(found, number if grouped else None)
    else:
        for number, found in enumerate(answers, 1):
            if grouped:
                print(group_title(found, number))
            if found.hits:
                _print_table(found, raw)


def group_title(found: Found, number: int) -> str:
    """`group 2: 5 hits, at 0:01.2, 0:03.4, ...`: what a group of like hits is."""
    times = [clock(time) for time in sorted(found.query.starts)]
    return f"group {number}: {counted(len(times), 'hit')}, at {', '.join(times[:5])}{', ...' if len(times) > 5 else ''}"


def found_to_json(found: Found) -> dict[str, Any]:
    """The answer as JSON-ready values."""
    seconds = () if found.query.texts else zip(found.query.starts, found.query.ends, strict=True)
    return {
        "query": {
            "label": found.query.label,
            "texts": list(found.query.texts),
            "windows": [[float(start), float(end)] for start, end in seconds],
            "silent": list(found.silent),
            "same": list(found.same),
        },
        "weights": found.weights,
        "effective_weights": found.effective,
        "weighting": found.weighting,
        "searched": found.searched,
        "kinds": list(found.kinds),
        "scales": {
            kind: {"items": len(scale.scores), "mean": scale.mean, "deviation": scale.deviation}
            for kind, scale in found.scales.items()
        },
        "hits": [asdict(hit) for hit in found.hits],
    }


def _print_csv(answers: Sequence[Found], grouped: bool) -> None:
    parts = list(dict.fromkeys(part for found in answers for hit in found.hits for part in hit.contributions))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = ["rank", "path", "kind", "start", "end", "score"]
    if any(found.query.texts for found in answers):
        names += ["deviations", "above"]
    facts = ["duration", "loudness", "tempo", "tempo_source", "key", "key_source", "artist", "title", "album"]
    columns = [*names, *(f"contribution {part}" for part in parts), *(f"cosine {part}" for part in parts), *facts]
    writer.writerow(["group", *columns] if grouped else columns)
    for number, found in enumerate(answers, 1):
        for hit in found.hits:
            row = [
                *(getattr(hit, name) for name in names),
                *(hit.contributions.get(part, "") for part in parts),
                *(hit.cosines.get(part, "") for part in parts),
                *(getattr(hit, name) for name in facts),
            ]
            writer.writerow([number, *row] if grouped else row)


def _print_m3u8(found: Found, group: int | None) -> None:
    for hit in found.hits:
        if any(ord(sign) < 32 for sign in hit.path):
            say(f"left out, since a playlist cannot hold its name: {shown_path(hit.path)}")
            continue
        if group is not None:
            print(f"#EXTGRP:group {group}")
        print(f"#EXTINF:{round(hit.duration)},{_title(hit)}\n{hit.path}")


def _print_table(found: Found, raw: bool) -> None:
    """The fullest form that fits: without the bars, then without the facts, then line by line, where a terminal is
    narrow."""
    from rich.measure import Measurement

    console = stdout_console()
    unbounded = console.options.update(max_width=PIPED_WIDTH)
    for bars, facts in ((True, True), (True, False), (False, False)):
        table = _table(found, raw, bars, facts)
        if Measurement.get(console, unbounded, table).maximum <= console.width + NAME_MAY_FOLD:
            console.print(table)
            return
    for hit in found.hits:
        stands = f"  {standing(hit)}" if found.query.texts else ""
        print(f"{hit.rank:3} {hit.score:6.3f}{stands}  {shown_path(hit.path)}  {_matched(hit)}")
        shares = hit.cosines if raw else hit.contributions
        print(" " * 12 + ", ".join(f"{part} {value:+.2f}" for part, value in shares.items()))


def _table(found: Found, raw: bool, bars: bool, facts: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    if found.query.texts:
        table.add_column("among its kind", justify="right", no_wrap=True)
    parts = list(found.hits[0].contributions)
    for part in parts:
        table.add_column(f"{part} cosine" if raw else part, no_wrap=True)
    if facts:
        table.add_column("tempo", justify="right", no_wrap=True)
        for heading in ("key", "kind"):
            table.add_column(heading, no_wrap=True)
    table.add_column("matched", no_wrap=True)
    table.add_column("file", overflow="fold")
    scale = max((abs(value) for hit in found.hits for value in hit.contributions.values()), default=1.0)
    for hit in found.hits:
        cells = [str(hit.rank), f"{hit.score:.3f}"]
        if found.query.texts:
            cells.append(standing(hit))
        for part in parts:
            value = hit.cosines[part] if raw else hit.contributions[part]
            drawn = f" {bar(value, 1.0 if raw else scale)}" if bars else ""
            cells.append("silent" if part in hit.silent else f"{value:+.2f}{drawn}")
        if facts:
            cells += [_fact(hit.tempo, hit.tempo_source, "{:.0f}"), _fact(hit.key, hit.key_source, "{}"), hit.kind]
        cells.append(_matched(hit))
        name = shown_path(hit.path) + (f" (+{counted(len(hit.copies), 'copy', 'copies')})" if hit.copies else "")
        table.add_row(*(Text(cell) for cell in cells), Text(name + (" [missing]" if hit.status == "missing" else "")))
    return table


def standing(hit: Hit) -> str:
    """`+3.1 sd, above 99.4 %`: how the score stands among all items of the hit's kind; nothing where that is not known.

    The share is rounded down, so that 100 % is never said.
    """
    if hit.above is None:
        return ""
    share = f"above {math.floor(round(1000 * hit.above, 6)) / 10:.1f} %"
    return share if hit.deviations is None else f"{hit.deviations:+.1f} sd, {share}"


def _matched(hit: Hit) -> str:
    return f"{clock(hit.start)}-{clock(hit.end)}" if hit.kind == "song" else f"whole, {hit.end - hit.start:.2f} s"


def _fact(value: object, source: str | None, form: str) -> str:
    """A fact; estimated ones carry a tilde, so that nobody takes them for what the file says."""
    if value is None:
        return ""
    return ("~" if source == "estimate" else "") + form.format(value)


def _title(hit: Hit) -> str:
    names = [name for name in (hit.artist, hit.title) if name]
    return " - ".join(names) if names else shown_path(hit.path)
