"""`soundalike similar`: the main question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import (
    clock,
    counted,
    library_option,
    library_path,
    parse_range,
    parse_region,
    say,
    shown_path,
)
from soundalike.cli.tables import FORMATS

if TYPE_CHECKING:
    from soundalike.finder import Finder, Found
    from soundalike.library.filters import Filters


@click.command(
    "similar",
    short_help="What sounds like a file, and which parts decided it.",
    epilog="""\b
Examples:
  soundalike similar song.ogg                                     all parts count
  soundalike similar song.ogg --weights drums=1,bass=.3           drums first, a little bass
  soundalike similar song.ogg --weights drums=1,mix=-.5           these drums, another sound around them
  soundalike similar song.ogg --region 1:02-1:12                  only these seconds
  soundalike similar song.ogg --part drums --kind loop            its drums against whole loops
  soundalike similar song.ogg --part drums --region 0:31.2-0:31.4 --kind one-shot
  soundalike similar song.ogg --hits                              one-shots for each kind of drum hit
  soundalike similar a.ogg b.ogg --not c.ogg --diverse            like a and b, unlike c
  soundalike similar song.ogg --tempo 118-126 --key Am --format m3u8 > hits.m3u8

Weights set by hand act in units of each part's spread in your library; --raw lets them act on the cosines
as they are.""",
)
@click.argument("references", nargs=-1, required=True, metavar="FILE...")
@library_option
@click.option("--region", "-r", help="Seconds that matter, such as 1:02-1:12.")
@click.option("--weights", "-w", help="How much each part counts, such as drums=1,bass=.3.")
@click.option("--profile", "-p", help="Learnt weights: a name from `soundalike models`, or a JSON file.")
@click.option("--part", help="Only this part of the reference; may be asked of whole loops and one-shots.")
@click.option("--kind", "-k", "kinds", multiple=True, help="song, loop or one-shot; may be repeated.")
@click.option(
    "--hits",
    is_flag=True,
    help="Cut --part (drums) at its onsets and ask for one-shots for each group of like hits.",
)
@click.option("--not", "negative", multiple=True, metavar="FILE", help="What it must not sound like; may be repeated.")
@click.option("-n", "count", default=10, show_default=True, type=click.IntRange(min=1), help="How many hits.")
@click.option("--tempo", help="BPM, such as 118-126; half and double count too.")
@click.option("--key", help="Only keys that go with this one, such as Am, F# or 8A.")
@click.option("--duration", help="Seconds, such as 2-8.")
@click.option("--path", "paths", multiple=True, help="Only paths with this in them, or that match this pattern.")
@click.option("--diverse", is_flag=True, help="Hits that are unlike each other.")
@click.option(
    "--exclude-same",
    multiple=True,
    type=click.Choice(["artist", "album"]),
    help="Nothing by the same artist, or of the same album.",
)
@click.option("--include-self", is_flag=True, help="Keep the reference itself among the hits.")
@click.option("--raw", is_flag=True, help="Weights act on raw cosines, and the table shows these.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
def command(
    references: tuple[str, ...],
    library: Path | None,
    region: str | None,
    weights: str | None,
    profile: str | None,
    part: str | None,
    kinds: tuple[str, ...],
    hits: bool,
    negative: tuple[str, ...],
    count: int,
    tempo: str | None,
    key: str | None,
    duration: str | None,
    paths: tuple[str, ...],
    diverse: bool,
    exclude_same: tuple[str, ...],
    include_self: bool,
    raw: bool,
    form: str,
) -> None:
    """What sounds like FILE (or several, or items of the library), best first, and which parts decided it."""
    from soundalike.cli.tables import print_found
    from soundalike.finder import Finder
    from soundalike.weights import parse_weights

    asked = parse_weights(weights) if weights is not None else None
    seconds = parse_region(region) if region is not None else None
    filters = _filters(kinds, tempo, key, duration, paths)
    finder = Finder.open(library_path(library))
    if hits:
        _refuse_with_hits(
            weights=weights, profile=profile, negative=negative, diverse=diverse, exclude_same=exclude_same, raw=raw
        )
        _hits(finder, references, part or "drums", seconds, filters, count, form)
        return
    found = finder.similar(
        list(references),
        region=seconds,
        weights=asked,
        profile=profile,
        part=part,
        filters=filters,
        negative=list(negative),
        n=count,
        raw=raw,
        diverse=diverse,
        exclude_same=exclude_same,
        include_self=include_self,
    )
    _explain(found, diverse)
    print_found(found, form, raw=raw)


def _refuse_with_hits(**given: object) -> None:
    from soundalike.errors import InputError

    names = {"negative": "--not", "exclude_same": "--exclude-same"}
    for name, value in given.items():
        if value:
            raise InputError(f"{names.get(name, '--' + name)} does not go with --hits, which compares whole one-shots")


def _explain(found: Found, diverse: bool) -> None:
    """What was asked, in words, to stderr."""
    query = found.query
    windows = (
        f"{len(query.starts)} windows" if len(query.starts) > 1 else f"{clock(query.starts[0])}-{clock(query.ends[0])}"
    )
    say(f"reference: {query.label} ({windows})")
    shares = ", ".join(f"{part}={weight:g}" for part, weight in found.weights.items())
    say(f"weights: {shares} ({found.weighting})")
    if found.effective != found.weights:
        say("  on cosines: " + ", ".join(f"{part}={weight:.3f}" for part, weight in found.effective.items()))
    if found.silent:
        say(f"silent in the reference, so without effect: {', '.join(found.silent)}")
    for path in found.same:
        say(f"the reference itself (or a copy), left out: {shown_path(path)}")
    kinds = " and ".join(f"{kind}s" for kind in found.kinds)
    say(f"searched {counted(found.searched, 'file')}: {kinds} (other kinds: --kind)")
    if diverse:
        say("diverse: chosen to be good and unlike each other, so scores need not fall from hit to hit")
    if not found.hits:
        say(
            f"no hits: none of the library's {kinds} fulfils these conditions (`soundalike status` shows what it holds)"
        )


def _filters(
    kinds: tuple[str, ...], tempo: str | None, key: str | None, duration: str | None, paths: tuple[str, ...]
) -> Filters:
    from soundalike.library.filters import make_filters

    low, high = parse_range(tempo, "BPM") if tempo is not None else (None, None)
    return make_filters(
        kinds=kinds,
        durations=parse_range(duration, "seconds") if duration is not None else (None, None),
        tempo=(low or 0.0, high if high is not None else 1000.0) if tempo is not None else None,
        key=key,
        paths=paths,
    )


def _hits(
    finder: Finder,
    references: tuple[str, ...],
    part: str,
    region: tuple[float, float | None] | None,
    filters: Filters,
    count: int,
    form: str,
) -> None:
    """`--hits`: one answer a group."""
    from soundalike.cli.tables import print_groups
    from soundalike.errors import InputError

    if len(references) != 1:
        raise InputError(f"--hits takes one reference, not {len(references)}")
    answers = [found for _, found in finder.hits(references[0], part=part, region=region, filters=filters, n=count)]
    say(f"hits in the {part} of {references[0]}, most frequent groups first")
    print_groups(answers, form)
