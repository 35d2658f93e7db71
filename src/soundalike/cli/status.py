"""`soundalike status`: show what a library holds and how it was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import counted, echo, library_option, library_path

if TYPE_CHECKING:
    from soundalike.library.storage.store import Library
    from soundalike.search.finder import Finder
    from soundalike.search.index.vector_index import VectorIndex

CLIPS_LABEL = "whole sounds"
"""The name of clips among the parts in the JSON output."""


@click.command(
    "status",
    short_help="Show what the library holds and how it was built.",
    epilog="""\b
Examples:
  soundalike status
  soundalike status --skipped       list the files that could not be used, with the reasons
  soundalike status --hubness       check whether some windows are hits of too many searches (slow)""",
)
@library_option
@click.option("--skipped", is_flag=True, help="List the files that could not be used.")
@click.option(
    "--hubness",
    is_flag=True,
    help="Measure hubness: for each part, the skewness of the 10-occurrence and the share of windows that are never a hit.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format."
)
def command(library: str | None, skipped: bool, hubness: bool, form: str) -> None:
    """Show what the library holds, how it was built, and how similar its items are to each other."""
    import json

    from soundalike.search.finder import Finder

    finder = Finder.open(library_path(library), on_status=echo)
    status = _status(finder, hubness)
    if form == "json":
        if skipped:
            status["skipped"] = finder.library.skipped().to_pylist()
        print(json.dumps(status, indent=2))
        return
    if skipped:
        for row in finder.library.skipped().to_pylist():
            print(f"{row['root']}/{row['path']}: {row['reason']}")
        return
    _print(status)


def _status(finder: Finder, hubness: bool) -> dict[str, Any]:
    from collections import Counter
    from dataclasses import asdict

    from soundalike.search.index.table_rows import TABLES

    library = finder.library
    items = finder.items
    spreads = finder.opened.spread(library.recipe.parts)
    status: dict[str, Any] = {
        "path": str(library.path),
        "recipe": library.recipe.to_json(),
        "licences": library.licences,
        "roots": {name: {"path": str(path), "in_reach": path.is_dir()} for name, path in library.roots.items()},
        "excluded": list(library.excluded),
        "items": dict(Counter(item["kind"] for item in items)),
        "classes": _classes(finder),
        "missing": sum(item["status"] == "missing" for item in items),
        "skipped": library.skipped().num_rows,
        "windows": library.windows(["start"]).num_rows,
        "hours": sum(item["duration"] for item in items) / 3600,
        "bytes": library.size_on_disk(),
        "search": {table: _search(library, finder.indexes[table]) for table in TABLES},
        "spread": {part: asdict(value) for part, value in spreads.items()},
    }
    if hubness:
        status["hubness"] = _hubness(finder)
    return status


def _classes(finder: Finder) -> dict[str, int]:
    """The number of one-shots of each class, and of unknown class under ""."""
    from soundalike.audio.metadata.class_names import CLASSES

    codes = finder.opened.classes.codes()
    counts = {name: int((codes == code).sum()) for code, name in enumerate(CLASSES)}
    shots = sum(kind == "one-shot" for kind in finder.catalogue.column("kind").to_pylist())
    counts[""] = shots - sum(counts.values())
    return {name: count for name, count in counts.items() if count}


def _hubness(finder: Finder) -> dict[str, Any]:
    from dataclasses import asdict

    from soundalike.search.index.table_rows import CLIPS, WINDOWS
    from soundalike.search.vector_statistics import hubness

    measured = {part: hubness(finder.indexes[WINDOWS], part) for part in finder.library.recipe.parts}
    measured[CLIPS_LABEL] = hubness(finder.indexes[CLIPS], "mix")
    return {part: asdict(value) if value else None for part, value in measured.items()}


def _search(library: Library, index: VectorIndex) -> dict[str, Any]:
    """How a table is searched, and what that misses."""
    from dataclasses import asdict

    from soundalike.search.index.recall import measure_if_missing, stored_recall

    search: dict[str, Any] = {"rows": len(index.rows), "bytes": index.nbytes, "by": index.method, "recall": None}
    if index.exact:
        return search
    if stored_recall(library, index) is None:
        echo("measuring recall on the library's own vectors ...")
    recall = measure_if_missing(library, index)
    return search | {"recall": asdict(recall) | {"worst": recall.worst}}


def _print_search(status: dict[str, Any]) -> None:
    for table, search in status.items():
        if not search["rows"]:
            continue
        name = "songs" if table == "windows" else "loops and one-shots"
        if search["by"] == "memory":
            print(f"search    {name}: exact, in memory ({search['bytes'] / 1e6:,.0f} MB of vectors)")
            continue
        recall = search["recall"]
        worst, least = recall["worst"]
        print(
            f"search    {name}: by one-bit codes, since {search['bytes'] / 1e6:,.0f} MB of vectors exceed the memory budget "
            f"(SOUNDALIKE_MEMORY); scores are exact, recall@{recall['count']} is {least:.3f} at worst ({worst})"
        )
        print("          " + ", ".join(f"{weights} {share:.3f}" for weights, share in recall["by_weights"].items()))


def _print_spread(spreads: dict[str, Any]) -> None:
    """How similar windows of songs are to each other."""
    title = "cosine between random windows of different files:"
    if not any(spread["pairs"] for spread in spreads.values()):
        print(f"{title} too few songs to measure")
        return
    print(title)
    for part, spread in spreads.items():
        if not spread["pairs"]:
            print(f"  {part:10} too few songs to measure")
            continue
        print(f"  {part:10} mean {spread['mean']:+.3f}  deviation {spread['deviation']:.3f}  ({spread['pairs']} pairs)")


def _print(status: dict[str, Any]) -> None:
    recipe = status["recipe"]
    kinds = ", ".join(counted(count, kind) for kind, count in sorted(status["items"].items())) or "nothing yet"
    print(f"library   {status['path']}  ({max(1, round(status['bytes'] / 1e3)):,} kB)")
    print(f"holds     {kinds}; {counted(status['windows'], 'window')}, {60 * status['hours']:.1f} minutes")
    if status["classes"]:
        print(
            "one-shots "
            + ", ".join(f"{count} {name or 'of unknown class'}" for name, count in status["classes"].items())
        )
    print(f"missing   {status['missing']} (their vectors are kept; `soundalike remove --missing` deletes them)")
    print(f"skipped   {status['skipped']}")
    for name, root in status["roots"].items():
        print(f"root      {name}: {root['path']}{'' if root['in_reach'] else '  [not available]'}")
    if status["excluded"]:
        print(f"excluded  {', '.join(status['excluded'])}")
    print(
        f"made by   encoder {recipe['encoder']} {recipe['encoder_version']}, separator {recipe['separator']} "
        f"{recipe['separator_version']}, windows of {recipe['window']:g} s every {recipe['hop']:g} s"
        + (f", the {recipe['windows']} that represent a song best" if recipe["windows"] else "")
        + (", precision fast" if recipe["precision"] == "fast" else "")
    )
    for model, licence in status["licences"].items():
        print(f"licence   {model}: {licence}")
    _print_search(status["search"])
    if status["windows"]:
        _print_spread(status["spread"])
    if "hubness" in status:
        print("hubness (10-occurrence):")
        for name, value in status["hubness"].items():
            part = "clips" if name == CLIPS_LABEL else name
            if value is None:
                print(f"  {part:12} too few files to measure")
            else:
                print(
                    f"  {part:12} skewness {value['skewness']:+.2f}  never returned {value['never']:.0%}  "
                    f"most often {value['largest']}  ({value['windows']} windows)"
                )
    if not status["items"]:
        echo("the library is empty; add files: soundalike index PATH...")
