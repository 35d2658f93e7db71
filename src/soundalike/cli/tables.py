"""How hits are shown: a table for people, json and csv for programs, m3u8 for players."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from soundalike.cli.common import clock, shown_path

if TYPE_CHECKING:
    from rich.console import Console

    from soundalike.finder import Found, Hit

FORMATS = ("table", "json", "csv", "m3u8")
BAR = 8
PIPED_WIDTH = 1_000


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
    if form == "json":
        print(json.dumps(found_to_json(found), indent=2))
    elif form == "csv":
        sys.stdout.write(_csv(found))
    elif form == "m3u8":
        print("#EXTM3U")
        for hit in found.hits:
            print(f"#EXTINF:{round(hit.duration)},{_title(hit)}\n{hit.path}")
    else:
        _print_table(found, raw)


def found_to_json(found: Found) -> dict[str, Any]:
    """The answer as JSON-ready values."""
    return {
        "query": {
            "label": found.query.label,
            "windows": [
                [float(start), float(end)] for start, end in zip(found.query.starts, found.query.ends, strict=True)
            ],
            "silent": list(found.silent),
            "same": list(found.same),
        },
        "weights": found.weights,
        "effective_weights": found.effective,
        "weighting": found.weighting,
        "searched": found.searched,
        "hits": [asdict(hit) for hit in found.hits],
    }


def _csv(found: Found) -> str:
    parts = list(found.hits[0].contributions) if found.hits else list(found.effective)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["rank", "path", "kind", "start", "end", "score"]
    facts = ["duration", "loudness", "tempo", "tempo_source", "key", "key_source", "artist", "title", "album"]
    writer.writerow(
        [*names, *(f"contribution {part}" for part in parts), *(f"cosine {part}" for part in parts), *facts]
    )
    for hit in found.hits:
        writer.writerow(
            [
                *(getattr(hit, name) for name in names),
                *(hit.contributions.get(part, "") for part in parts),
                *(hit.cosines.get(part, "") for part in parts),
                *(getattr(hit, name) for name in facts),
            ]
        )
    return out.getvalue()


def _print_table(found: Found, raw: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    parts = list(found.hits[0].contributions) if found.hits else []
    for part in parts:
        table.add_column(f"{part} cosine" if raw else part, no_wrap=True)
    for heading, justify in (("tempo", "right"), ("key", "left"), ("kind", "left"), ("matched", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("file", overflow="fold")
    scale = max((abs(value) for hit in found.hits for value in hit.contributions.values()), default=1.0)
    for hit in found.hits:
        cells = [str(hit.rank), f"{hit.score:.3f}"]
        for part in parts:
            value = hit.cosines[part] if raw else hit.contributions[part]
            shown = "silent" if part in hit.silent else f"{value:+.2f} {bar(value, 1.0 if raw else scale)}"
            cells.append(shown)
        cells += [
            _fact(hit.tempo, hit.tempo_source, "{:.0f}"),
            _fact(hit.key, hit.key_source, "{}"),
            hit.kind,
            f"{clock(hit.start)}-{clock(hit.end)}",
        ]
        name = shown_path(hit.path) + (f" (+{len(hit.copies)} copies)" if hit.copies else "")
        table.add_row(*(Text(cell) for cell in cells), Text(name + (" [missing]" if hit.status == "missing" else "")))
    stdout_console().print(table)


def _fact(value: object, source: str | None, form: str) -> str:
    """A fact; estimated ones carry a tilde, so that nobody takes them for what the file says."""
    if value is None:
        return ""
    return ("~" if source == "estimate" else "") + form.format(value)


def _title(hit: Hit) -> str:
    names = [name for name in (hit.artist, hit.title) if name]
    return " - ".join(names) if names else shown_path(hit.path)
