"""`soundalike similar`: find similar files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from soundalike.cli.common import (
    clock,
    counted,
    device_option,
    library_option,
    library_path,
    parse_range,
    parse_region,
    say,
    shown_path,
)
from soundalike.cli.result_formats import FORMATS

if TYPE_CHECKING:
    from soundalike.search.filters import Filters
    from soundalike.search.finder import Finder, Found
    from soundalike.search.query import Query


@click.command(
    "similar",
    short_help="Find files similar to FILE or matching a text.",
    epilog="""\b
Examples:
  soundalike similar song.ogg                                   use all parts
  soundalike similar song.ogg --weights drums=1,bass=.3         mostly the drums, a little bass
  soundalike similar song.ogg --weights drums=1,mix=-.5         similar drums in a different mix
  soundalike similar song.ogg --region 1:02-1:12                use only these seconds
  soundalike similar song.ogg --part drums --kind loop          find loops like its drums
  soundalike similar song.ogg --part drums --region 0:31.2-0:31.4 --kind one-shot
  soundalike similar song.ogg --hits                            find one-shots for each drum sound in it
  soundalike similar a.ogg b.ogg --not c.ogg --diverse          like a and b, unlike c
  soundalike similar song.ogg --tempo 118-126 --key Am --format m3u8 > hits.m3u8
  soundalike similar --text "dry funk snare" --kind one-shot
  soundalike similar --text "dry funk snare" --part drums       find songs with such drums

Weights are in units of each part's spread in your library; with --raw they multiply the cosines as they are.
Text search needs a library indexed with an encoder that supports text (see `soundalike models`). Its hits show
where the score lies among all items of the same kind: "+3.1 sd" is 3.1 standard deviations above the mean,
"above 99.4 %" is the share of items with a lower score.""",
)
@click.argument("references", nargs=-1, metavar="[FILE...]")
@library_option
@click.option("--text", "-t", "texts", multiple=True, help="Describe the sound instead of giving a FILE; repeatable.")
@click.option("--region", "-r", metavar="START-END", help="Use only this region of FILE, such as 1:02-1:12.")
@click.option("--weights", "-w", metavar="PART=N,...", help="Weight of each part, such as drums=1,bass=.3.")
@click.option(
    "--profile", "-p", metavar="NAME", help="Use a profile of weights: a name (see `soundalike models`) or a JSON file."
)
@click.option(
    "--part", metavar="PART", help="Use only this part of FILE; with --kind, compare it with whole loops or one-shots."
)
@click.option(
    "--kind",
    "-k",
    "kinds",
    metavar="KIND",
    multiple=True,
    help="Search only this kind: song, loop or one-shot; repeatable.  [default: song for songs, else loop and one-shot]",
)
@click.option(
    "--hits",
    is_flag=True,
    help="Find one-shots for each group of similar onsets in --part (default: drums).",
)
@click.option("--not", "negative", multiple=True, metavar="FILE", help="Prefer files unlike this one; repeatable.")
@click.option(
    "--not-text",
    "negative_texts",
    multiple=True,
    metavar="TEXT",
    help="With --text: prefer files unlike this description; repeatable.",
)
@click.option("-n", "count", default=10, show_default=True, type=click.IntRange(min=1), help="Number of hits.")
@click.option(
    "--tempo", metavar="BPM", help="Only this tempo or range, such as 118-126; half and double tempo match too."
)
@click.option("--key", help="Only keys compatible with this one, such as Am, F# or 8A.")
@click.option("--duration", metavar="SECONDS", help="Only files of this length or range, such as 2-8.")
@click.option(
    "--path", "paths", multiple=True, help="Only paths that contain this text or match this pattern; repeatable."
)
@click.option("--diverse", is_flag=True, help="Prefer hits that differ from each other.")
@click.option(
    "--exclude-same",
    multiple=True,
    type=click.Choice(["artist", "album"]),
    help="Leave out files by the same artist or of the same album.",
)
@click.option("--include-self", is_flag=True, help="Keep FILE itself among the hits.")
@click.option("--raw", is_flag=True, help="Apply weights to raw cosines, and show the cosines.")
@device_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="Output format.")
def command(
    references: tuple[str, ...],
    library: str | None,
    texts: tuple[str, ...],
    region: str | None,
    weights: str | None,
    profile: str | None,
    part: str | None,
    kinds: tuple[str, ...],
    hits: bool,
    negative: tuple[str, ...],
    negative_texts: tuple[str, ...],
    count: int,
    tempo: str | None,
    key: str | None,
    duration: str | None,
    paths: tuple[str, ...],
    diverse: bool,
    exclude_same: tuple[str, ...],
    include_self: bool,
    raw: bool,
    device: str,
    form: str,
) -> None:
    """Find files similar to FILE or matching a text, best first, with the contribution of each part.

    FILE is an audio file, or the path or id of an item of the library. With several, hits are similar to all of them.
    """
    from soundalike.cli.result_formats import print_result
    from soundalike.errors import InputError
    from soundalike.search.finder import Finder
    from soundalike.similarity.weights import parse_weights

    asked = parse_weights(weights) if weights is not None else None
    seconds = parse_region(region) if region is not None else None
    filters = _filters(kinds, tempo, key, duration, paths)
    finder = Finder.open(library_path(library), device=device, tell=say)
    if hits:
        _refuse_with_hits(
            text=texts,
            weights=weights,
            profile=profile,
            negative=negative,
            negative_texts=negative_texts,
            diverse=diverse,
            exclude_same=exclude_same,
            raw=raw,
        )
        _hits(finder, references, part or "drums", seconds, filters, count, form)
        return
    if not references and not texts:
        raise InputError("nothing was asked for; name a FILE or give --text")
    if negative_texts and not texts:
        raise InputError("--not-text goes with --text; what a file must not sound like is another file, --not FILE")
    unlike: list[str | Query] = list(negative)
    if negative_texts:
        unlike.append(finder.query_text(negative_texts))
    found = finder.similar(
        list(references) or None,
        text=list(texts) or None,
        region=seconds,
        weights=asked,
        profile=profile,
        part=part,
        filters=filters,
        negative=unlike,
        n=count,
        raw=raw,
        diverse=diverse,
        exclude_same=exclude_same,
        include_self=include_self,
    )
    _explain(found, diverse)
    print_result(found, form, raw=raw)


def _refuse_with_hits(**given: object) -> None:
    from soundalike.errors import InputError

    names = {"negative": "--not", "negative_texts": "--not-text", "exclude_same": "--exclude-same"}
    for name, value in given.items():
        if value:
            raise InputError(
                f"{names.get(name, '--' + name)} does not go with --hits, which compares the hits of a file with whole "
                "one-shots"
            )


def _explain(found: Found, diverse: bool) -> None:
    """What was asked, in words, to stderr."""
    from soundalike.analysis.kinds import KINDS

    query = found.query
    if query.texts:
        say(f"text: {query.label}")
    else:
        one = len(query.starts) == 1
        windows = f"{clock(query.starts[0])}-{clock(query.ends[0])}" if one else f"{len(query.starts)} windows"
        say(f"reference: {query.label} ({windows})")
    shares = ", ".join(f"{part}={weight:g}" for part, weight in found.weights.items())
    say(f"weights: {shares} ({found.weighting})")
    if found.effective != found.weights:
        say("  on cosines: " + ", ".join(f"{part}={weight:.3f}" for part, weight in found.effective.items()))
    if found.silent:
        say(f"silent in the reference, so without effect: {', '.join(found.silent)}")
    for path in found.same:
        say(f"the reference itself (or a copy), left out: {shown_path(path)}")
    kinds = _listed([f"{kind}s" for kind in found.kinds])
    other = "one kind only" if len(found.kinds) == len(KINDS) else "other kinds"
    say(f"searched {counted(found.searched, 'file')}: {kinds} ({other}: --kind)")
    for kind, scale in found.scales.items():
        spread = "too few or too alike for a scale" if scale.deviation is None else f"sd {scale.deviation:.3f}"
        say(f"  scale: {counted(len(scale.scores), kind)}, mean score {scale.mean:+.3f}, {spread}")
    if diverse:
        say("diverse: chosen to be good and unlike each other, so scores need not fall from hit to hit")
    if not found.hits:
        say(
            f"no hits: none of the library's {kinds} fulfils these conditions (`soundalike status` shows what it holds)"
        )


def _listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _filters(
    kinds: tuple[str, ...], tempo: str | None, key: str | None, duration: str | None, paths: tuple[str, ...]
) -> Filters:
    from soundalike.search.filters import make_filters

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
    from soundalike.cli.result_formats import print_groups
    from soundalike.errors import InputError

    if len(references) != 1:
        raise InputError(f"--hits takes one FILE, not {len(references)}")
    answers = [found for _, found in finder.hits(references[0], part=part, region=region, filters=filters, n=count)]
    say(f"hits in the {part} of {references[0]}, most frequent groups first")
    print_groups(answers, form)
