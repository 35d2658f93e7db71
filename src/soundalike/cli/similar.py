"""`soundalike similar`: find similar files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from soundalike.cli.common import (
    ListOption,
    clock,
    counted,
    device_option,
    echo,
    library_option,
    library_path,
    parse_range,
    parse_region,
    shown_path,
)
from soundalike.cli.ray_option import ray_cluster, ray_option
from soundalike.cli.result_formats import FORMATS, PlaylistOptions
from soundalike.search.version_share import MOST_OF_IT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundalike.search.catalogue import Catalogue
    from soundalike.search.filters import Filters
    from soundalike.search.finder import Finder
    from soundalike.search.request import SearchRequest
    from soundalike.search.results import Hit, SearchResult


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
  soundalike similar hit.wav --class snare                      find snares like a hit
  soundalike similar a.ogg b.ogg --not c.ogg --diverse          like a and b, unlike c
  soundalike similar song.ogg --tempo 118-126 --key Am --format m3u8 > hits.m3u8
  soundalike similar song.ogg --format m3u8 --relative-to /mnt/nas/Music > /mnt/nas/Music/hits.m3u8
  soundalike similar --text "dry funk snare" --kind one-shot
  soundalike similar --text "dry funk snare" --part drums       find songs with such drums
  soundalike similar song.ogg --ray auto                        search a library that is too large for one machine

Weights are in units of each part's spread in your library; with --raw they multiply the cosines as they are.
Text search needs a library indexed with an encoder that supports text (see `soundalike models`). Its hits show
where the score lies among all items of the same kind: "+3.1 sd" is 3.1 standard deviations above the mean,
"above 99.4 %" is the share of items with a lower score.""",
)
@click.argument("references", nargs=-1, metavar="[FILE...]")
@library_option
@click.option("--text", "-t", "texts", multiple=True, help="Describe the sound instead of giving a FILE; repeatable.")
@click.option("--region", "-r", metavar="START-END", help="Use only this region of FILE, such as 1:02-1:12.")
@click.option(
    "--weights", "-w", cls=ListOption, metavar="PART=N,...", help="Weight of each part, such as drums=1,bass=.3."
)
@click.option(
    "--profile",
    "-p",
    metavar="NAME",
    help="Use a profile of weights: the name of a shipped one (see `soundalike models`) or of your own, or a JSON file.",
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
    "onsets",
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
@click.option("-n", "n", default=10, show_default=True, type=click.IntRange(min=1), help="Number of hits.")
@click.option(
    "--tempo",
    metavar="BPM",
    help="Only this tempo (within 4 %) or range, such as 118-126; half and double tempo match too.",
)
@click.option("--key", help="Only keys compatible with this one, such as Am, F# or 8A.")
@click.option("--duration", metavar="SECONDS", help="Only files of this length (within 10 %) or range, such as 2-8.")
@click.option(
    "--path", "paths", multiple=True, help="Only paths that contain this text or match this pattern; repeatable."
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="CLASS",
    help="Only one-shots of this class, such as kick, snare, clap, hat, vocal or fx; repeatable.",
)
@click.option(
    "--same-class",
    type=click.Choice(["prefer", "require", "ignore"]),
    default="prefer",
    show_default=True,
    help="Hits of the class of a one-shot FILE come earlier, are the only ones, or count like others.",
)
@click.option(
    "--versions",
    type=click.Choice(["fold", "show"]),
    default="fold",
    show_default=True,
    help="List other versions of a song (cut, shifted) under it, or as hits of their own.",
)
@click.option(
    "--version-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=MOST_OF_IT,
    show_default=True,
    help="How much of the shorter song a version has in common with the other; 0.3 folds more, 0.9 less.",
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
@ray_option("Search in the memory of a Ray cluster")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="Output format.")
@click.option(
    "--relative-to",
    metavar="DIR",
    help="With --format m3u8: write paths relative to DIR, such as the playlist's folder.",
)
@click.option("--bom", is_flag=True, help="With --format m3u8: begin with a byte order mark, which some players need.")
def command(library: str | None, device: str, ray: str | None, form: str, onsets: bool, **options: Any) -> None:
    """Find files similar to FILE or matching a text, best first, with the contribution of each part.

    FILE is an audio file, or the path or id of an item of the library. With several, hits are similar to all of them.
    """
    from soundalike.search.finder import Finder

    playlist = _playlist(options, form)
    if onsets:
        _refuse_with_onsets(options)
        request = None
    else:
        if options["profile"] is not None:
            from soundalike.listening.user_profiles import profile_named

            options["profile"] = profile_named(library_path(library), options["profile"])
        request = _request(options)
    with ray_cluster(ray) as cluster:
        finder = Finder.open(library_path(library), device=device, on_status=echo, cluster=cluster)
        if request is None:
            _show_onset_groups(finder, options, form, playlist)
        else:
            _show_hits(finder, request, form, playlist)


def _request(options: Mapping[str, Any]) -> SearchRequest:
    """The request that the options make. Raises InputError for values that are not allowed or that exclude each other."""
    from soundalike.errors import InputError
    from soundalike.search.request import SearchRequest
    from soundalike.similarity.weights import parse_weights

    references, texts, weights = options["references"], options["texts"], options["weights"]
    if not references and not texts:
        raise InputError("there is nothing to search for; name a FILE or give --text")
    if options["negative_texts"] and not texts:
        raise InputError("--not-text goes with --text; to avoid the sound of a file, use --not FILE")
    return SearchRequest(
        references=references,
        texts=texts,
        region=_region(options),
        weights=parse_weights(weights) if weights is not None else None,
        filters=_filters(options),
        negatives=options["negative"],
        **{
            name: options[name]
            for name in (
                "profile",
                "part",
                "raw",
                "negative_texts",
                "n",
                "diverse",
                "exclude_same",
                "include_self",
                "same_class",
                "versions",
                "version_share",
            )
        },
    )


def _playlist(options: Mapping[str, Any], form: str) -> PlaylistOptions:
    """How to write a playlist. Raises InputError if another format is written."""
    from soundalike.errors import InputError

    for name, option in (("relative_to", "--relative-to"), ("bom", "--bom")):
        if options[name] and form != "m3u8":
            raise InputError(f"{option} goes with --format m3u8, not with {form}")
    return PlaylistOptions(options["relative_to"], options["bom"])


def _region(options: Mapping[str, Any]) -> tuple[float, float | None] | None:
    return parse_region(options["region"]) if options["region"] is not None else None


def _filters(options: Mapping[str, Any]) -> Filters:
    from soundalike.search.filters import NEARLY, make_filters

    tempo, duration = options["tempo"], options["duration"]
    low, high = parse_range(tempo, "BPM") if tempo is not None else (None, None)
    return make_filters(
        kinds=options["kinds"],
        durations=parse_range(duration, "seconds", NEARLY) if duration is not None else (None, None),
        tempo=(low or 0.0, high if high is not None else 1000.0) if tempo is not None else None,
        key=options["key"],
        paths=options["paths"],
        classes=options["classes"],
    )


def _show_hits(finder: Finder, request: SearchRequest, form: str, playlist: PlaylistOptions) -> None:
    from soundalike.cli.result_formats import print_result

    result = finder.similar(request)
    _explain(result, request.diverse)
    if not result.hits:
        echo(f"no hits: {_why_none(finder.catalogue, request.filters, result)}")
    print_result(result, form, raw=request.raw, playlist=playlist)
    _name_absent(result.hits)


def _name_absent(hits: Iterable[Hit]) -> None:
    """Report to stderr whose files are not where they were; object stores are not asked."""
    paths = dict.fromkeys(hit.file or hit.path for hit in hits if hit.status == "present")
    absent = [path for path in paths if os.path.isabs(path) and not os.path.exists(path)]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        echo(
            f"not there now: {shown_path(absent[0])}{more}; connect the drive, or name the new folder with "
            "`soundalike relocate`, or run `soundalike index` again"
        )


def _explain(result: SearchResult, diverse: bool) -> None:
    """Report to stderr what was searched for, and how."""
    _explain_query(result)
    _explain_scope(result)
    if diverse:
        echo("diverse: hits differ from one another, so scores may rise from hit to hit")


def _why_none(catalogue: Catalogue, filters: Filters, result: SearchResult) -> str:
    """`of the songs in the library (9), 3 match --tempo, 0 match --key`: each condition by itself."""
    from soundalike.analysis.kinds import check_kind
    from soundalike.search.filters import Filters

    kinds = tuple(map(check_kind, result.kinds))
    count = int(catalogue.admitted(Filters(kinds=kinds)).sum())
    if not count:
        return f"the library has no {_kinds(result)} (`soundalike status` shows what it holds)"
    conditions = {
        "--duration": Filters(kinds=kinds, durations=filters.durations),
        "--tempo": Filters(kinds=kinds, tempo=filters.tempo),
        "--key": Filters(kinds=kinds, key=filters.key),
        "--path": Filters(kinds=kinds, paths=filters.paths),
        "--class": Filters(kinds=kinds, classes=filters.classes),
    }
    matches = [
        f"{int(catalogue.admitted(one).sum())} match {option}"
        for option, one in conditions.items()
        if one != Filters(kinds=kinds)
    ]
    return f"of the {_kinds(result)} in the library ({count}), {', '.join(matches) or 'none is left to compare with'}"


def _explain_query(result: SearchResult) -> None:
    query = result.query
    if query.texts:
        echo(f"text: {query.label}")
    else:
        windows = f" ({len(query.starts)} windows)"
        if len(query.starts) == 1:  # the label of a region states its seconds
            windows = f" ({clock(query.starts[0])}-{clock(query.ends[0])})" if query.complete else ""
        echo(f"reference: {query.label}{windows}")
    weights = ", ".join(f"{part}={weight:g}" for part, weight in result.weights.items())
    echo(f"weights: {weights} ({result.weighting})")
    if result.effective != result.weights:
        echo("  on cosines: " + ", ".join(f"{part}={weight:.3f}" for part, weight in result.effective.items()))
    if result.silent:
        echo(f"silent in the reference, so without effect: {', '.join(result.silent)}")
    if result.sound_class is not None:
        name, share = result.sound_class
        source = "its name" if share is None else f"{100 * share:.0f} % of the vote of its nearest named neighbours"
        note = "; such hits come first unless others are much closer (--same-class)" if result.class_preferred else ""
        echo(f"class: {name}, by {source}{note}")
    for path in result.same:
        echo(f"left out, the reference itself or a copy: {shown_path(path)}")
    for version in result.versions:
        what = "a near-identical copy" if version.near_identical else "another version"
        echo(f"left out, {what} of the reference (--versions show): {shown_path(version.path)}")


def _explain_scope(result: SearchResult) -> None:
    from soundalike.analysis.kinds import KINDS

    other = "one kind only" if len(result.kinds) == len(KINDS) else "other kinds"
    echo(f"searched {counted(result.searched, 'file')}: {_kinds(result)} ({other}: --kind)")
    if result.query.kind == "song" and result.kinds == ("one-shot",):
        echo(
            "a whole song is compared with single sounds; --hits takes its drum hits apart, --region chooses one sound"
        )
    if result.absent:
        compared = " or ".join(part for part in result.effective if part not in result.silent)
        echo(f"not listed: {counted(result.absent, 'file')} without {compared}")
    if result.share < 1:
        echo(
            f"only {100 * result.share:.1f} % of them could be searched: a machine of the cluster is down, and its share is "
            "being loaded again; search again in a moment"
        )
    for kind, scores in result.distributions.items():
        spread = "too few or too similar to compare" if scores.deviation is None else f"sd {scores.deviation:.3f}"
        echo(f"  scale: {counted(len(scores.scores), kind)}, mean score {scores.mean:+.3f}, {spread}")


def _kinds(result: SearchResult) -> str:
    """`songs`, `loops and one-shots`, `songs, loops and one-shots`."""
    names = [f"{kind}s" for kind in result.kinds]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


WITHOUT_ONSETS = {
    "texts": "--text",
    "weights": "--weights",
    "profile": "--profile",
    "negative": "--not",
    "negative_texts": "--not-text",
    "same_class": "--same-class",
    "versions": "--versions",
    "version_share": "--version-share",
    "diverse": "--diverse",
    "exclude_same": "--exclude-same",
    "include_self": "--include-self",
    "raw": "--raw",
}
"""Options that do not go with `--hits`, by the name of their parameter."""


def _refuse_with_onsets(options: Mapping[str, Any]) -> None:
    from soundalike.errors import InputError

    given = click.get_current_context().get_parameter_source
    for name, option in WITHOUT_ONSETS.items():
        if given(name) is not ParameterSource.DEFAULT:
            raise InputError(f"{option} does not go with --hits, which compares the onsets of a file with one-shots")
    if len(options["references"]) != 1:
        raise InputError(f"--hits takes one FILE, not {len(options['references'])}")


def _show_onset_groups(finder: Finder, options: Mapping[str, Any], form: str, playlist: PlaylistOptions) -> None:
    """`--hits`: one result for each group of onsets."""
    from soundalike.cli.result_formats import print_groups

    (reference,) = options["references"]
    part = options["part"] or "drums"
    groups = finder.onset_groups(
        reference, part=part, region=_region(options), filters=_filters(options), n=options["n"]
    )
    echo(f"onsets in the {part} of {reference}, most frequent groups first")
    print_groups([result for _, result in groups], form, playlist=playlist)
    _name_absent(hit for _, result in groups for hit in result.hits)
