"""`soundalike status`: show what a library holds and how it was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import counted, library_option, library_path, say

if TYPE_CHECKING:
    from soundalike.search.finder import Finder
    from soundalike.search.index.vectors import Table


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

    finder = Finder.open(library_path(library), tell=say)
    found = _status(finder, hubness)
    if form == "json":
        if skipped:
            found["skipped"] = finder.library.skipped().to_pylist()
        print(json.dumps(found, indent=2))
        return
    if skipped:
        for row in finder.library.skipped().to_pylist():
            print(f"{row['root']}/{row['path']}: {row['reason']}")
        return
    _print(found)


def _status(finder: Finder, hubness: bool) -> dict[str, Any]:
    from collections import Counter
    from dataclasses import asdict

    from soundalike.search.index.vectors import TABLES
    from soundalike.search.vector_statistics import hubness as measure
    from soundalike.search.vector_statistics import stored_spread

    library = finder.library
    items = finder.items
    parts = library.recipe.parts
    found: dict[str, Any] = {
        "path": str(library.path),
        "recipe": library.recipe.to_json(),
        "licences": library.licences,
        "roots": {name: {"path": str(path), "in_reach": path.is_dir()} for name, path in library.roots.items()},
        "items": dict(Counter(item["kind"] for item in items)),
        "missing": sum(item["status"] == "missing" for item in items),
        "skipped": library.skipped().num_rows,
        "windows": library.windows(["start"]).num_rows,
        "hours": sum(item["duration"] for item in items) / 3600,
        "bytes": library.size_on_disk(),
        "search": {table: _search(finder, table) for table in TABLES},
        "spread": {part: asdict(value) for part, value in stored_spread(finder.vectors, "windows", parts).items()},
    }
    if hubness:
        measured = {part: measure(finder.vectors, "windows", part) for part in parts}
        measured["whole sounds"] = measure(finder.vectors, "wholes", "mix")
        found["hubness"] = {part: asdict(value) if value else None for part, value in measured.items()}
    return found


def _search(finder: Finder, table: Table) -> dict[str, Any]:
    """How a table is searched, and what that misses."""
    from dataclasses import asdict

    from soundalike.search.index.recall import recall, stored_recall

    vectors = finder.vectors
    found: dict[str, Any] = {"rows": len(vectors.rows(table)), "bytes": vectors.bytes_in_memory(table)}
    if vectors.in_memory(table):
        return found | {"by": "memory", "recall": None}
    if stored_recall(vectors, table) is None:
        say("measuring recall on the library's own vectors ...")
    measured = recall(vectors, table)
    return found | {"by": "sketches", "recall": asdict(measured) | {"worst": measured.worst}}


def _print_search(found: dict[str, Any]) -> None:
    for table, search in found.items():
        if not search["rows"]:
            continue
        name = "songs" if table == "windows" else "loops and one-shots"
        if search["by"] == "memory":
            print(f"search    {name}: exact, in memory ({search['bytes'] / 1e6:,.0f} MB of vectors)")
            continue
        recall = search["recall"]
        worst, least = recall["worst"]
        print(
            f"search    {name}: by sketches, since {search['bytes'] / 1e6:,.0f} MB of vectors are past the memory budget "
            f"(SOUNDALIKE_MEMORY); scores are exact, recall@{recall['count']} is {least:.3f} at worst ({worst})"
        )
        print("          " + ", ".join(f"{weights} {share:.3f}" for weights, share in recall["by_weights"].items()))


def _print(found: dict[str, Any]) -> None:
    recipe = found["recipe"]
    kinds = ", ".join(counted(count, kind) for kind, count in sorted(found["items"].items())) or "nothing yet"
    print(f"library   {found['path']}  ({max(1, round(found['bytes'] / 1e3)):,} kB)")
    print(f"holds     {kinds}; {counted(found['windows'], 'window')}, {60 * found['hours']:.1f} minutes")
    print(f"missing   {found['missing']} (their vectors are kept; `soundalike remove --missing` forgets them)")
    print(f"skipped   {found['skipped']}")
    for name, root in found["roots"].items():
        print(f"root      {name}: {root['path']}{'' if root['in_reach'] else '  [out of reach]'}")
    print(
        f"made by   encoder {recipe['encoder']} {recipe['encoder_version']}, separator {recipe['separator']} "
        f"{recipe['separator_version']}, windows of {recipe['window']:g} s every {recipe['hop']:g} s"
        + (f", the {recipe['windows']} that represent a song best" if recipe["windows"] else "")
        + (", precision fast" if recipe["precision"] == "fast" else "")
    )
    for model, licence in found["licences"].items():
        print(f"licence   {model}: {licence}")
    _print_search(found["search"])
    print("cosine between random windows of different files:")
    for part, spread in found["spread"].items():
        if not spread["pairs"]:
            print(f"  {part:10} too few songs to tell")
            continue
        print(f"  {part:10} mean {spread['mean']:+.3f}  deviation {spread['deviation']:.3f}  ({spread['pairs']} pairs)")
    if "hubness" in found:
        print("hubness (10-occurrence):")
        for part, value in found["hubness"].items():
            if value is None:
                print(f"  {part:12} too few files to tell")
            else:
                print(
                    f"  {part:12} skewness {value['skewness']:+.2f}  never returned {value['never']:.0%}  "
                    f"most often {value['largest']}  ({value['windows']} windows)"
                )
    if not found["items"]:
        say("index something: soundalike index PATH...")
