"""`soundalike doctor`: what each reader reports about a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import clock, counted

if TYPE_CHECKING:
    from soundalike.library.maintenance.diagnosis import Section


@click.command(
    "doctor",
    short_help="Report what is read from a file, for bug reports.",
    epilog="""\b
Examples:
  soundalike doctor loop.wav
  soundalike doctor loop.wav --format json
  soundalike doctor "album.flac#t=75,150"      only these seconds

The exit code is 3 if the file would be skipped.""",
)
@click.argument("file")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
def command(file: str, form: str) -> None:
    """Report what each reader finds in FILE: container, codec, tags, loop chunks, level, and what would be indexed."""
    import json

    from soundalike import __version__
    from soundalike.config import expanded
    from soundalike.errors import AudioError
    from soundalike.library.maintenance.diagnosis import diagnose

    report = diagnose(expanded(file).absolute())
    report["versions"] = {"soundalike": __version__, **report["versions"]}
    if form == "json":
        print(json.dumps(report, indent=2))
    else:
        for label, text in lines(report):
            print(f"{label:<11} {text}")
    if "error" in report["indexing"]:
        raise AudioError(f"{_safe(file)} would be skipped: {report['indexing']['error']}")


def lines(report: dict[str, Section]) -> list[tuple[str, str]]:
    """(label, text) of each line of the report."""
    file, indexing = report["file"], report["indexing"]
    found = [
        ("file", _safe(file["path"])),
        ("", f"{file['bytes']:,} bytes, changed {file['modified']}, begins with {file['begins_with']!r}"),
        *((name, _or_error(report[key], text)) for name, key, text in _READERS),
    ]
    if "error" not in report["tags"]:
        found += _tag_lines(report["tags"])
    found.append(("indexing", _or_error(indexing, _indexing)))
    for name, unit in (("tempo", " BPM"), ("key", "")):
        if (fact := indexing.get(name)) is not None:
            value = f"{fact['value']:g}" if isinstance(fact["value"], float) else fact["value"]
            found.append((name, f"{value}{unit}, source: {fact['source']}, confidence {fact['confidence']:.2f}"))
    for track in indexing.get("tracks", ()):
        end = "the end" if track["end"] is None else clock(track["end"])
        found.append(
            ("track", f"{track['number']:02d}  {clock(track['start'])} to {end}  {_safe(track['title'] or '')}")
        )
    found += [("stem", f"{part}: {_safe(', '.join(files))}") for part, files in indexing.get("stems", {}).items()]
    found += [("warning", _safe(text)) for text in indexing["warnings"]]
    found.append(("versions", ", ".join(f"{name} {version}" for name, version in report["versions"].items())))
    return found


def _or_error(section: Section, text: Any) -> str:
    return _safe(f"failed: {section['error']}" if "error" in section else text(section))


def _libsndfile(found: Section) -> str:
    used = "" if found["used"] else " (not used for this file)"
    return f"{found['format']}, {_stream(found)}, {found['frames']:,} frames{used}"


def _ffmpeg(found: Section) -> str:
    return f"{found['container']}: " + "; ".join(f"{stream['codec']}, {_stream(stream)}" for stream in found["streams"])


def _header(found: Section) -> str:
    return f"by {found['decoder']} as {found['codec']}: {_stream(found)}, {found['frames']:,} frames"


def _stream(found: Section) -> str:
    texts = [f"{found['sample_rate']} Hz", counted(found["channels"] or 0, "channel")]
    if found.get("seconds"):
        texts.append(f"{found['seconds']:.3f} s")
    return ", ".join(texts)


def _sound(found: Section) -> str:
    values = (("peak", "peak_db", "dBFS"), ("RMS", "rms_db", "dBFS"), ("loudness", "loudness_lufs", "LUFS"))
    levels = [f"{name} {found[key]:.1f} {unit}" for name, key, unit in values if found[key] is not None]
    mean = ", ".join(f"{value:+.5f}" for value in found["mean"])
    return f"{found['frames']:,} frames decoded, {', '.join(levels) or 'all samples are zero'}, DC offset {mean}"


def _tags(found: Section) -> str:
    names = ("artist", "title", "album", "tempo", "key")
    return ", ".join(f"{name} {found[name]!r}" for name in names if found[name] is not None) or "none"


def _tag_lines(found: Section) -> list[tuple[str, str]]:
    result = []
    if (loop := found["loop_chunk"]) is not None:
        facts = [f"{name} {value}" for name, value in loop.items() if value is not None and name != "source"]
        result.append(("loop chunk", f"{loop['source']}: {', '.join(facts)}"))
    named = [f"{name} {found[f'name_{name}']}" for name in ("tempo", "key") if found[f"name_{name}"] is not None]
    if named:
        result.append(("file name", ", ".join(named)))
    return result


def _indexing(found: Section) -> str:
    if found["tracks"]:
        return f"{counted(len(found['tracks']), 'track')}, by a cue sheet"
    return f"{found['kind']}, {found['seconds']:.3f} s, {counted(found['windows'], 'window')}"


_READERS = (
    ("libsndfile", "libsndfile", _libsndfile),
    ("FFmpeg", "ffmpeg", _ffmpeg),
    ("decoding", "header", _header),
    ("sound", "sound", _sound),
    ("tags", "tags", _tags),
)


def _safe(text: str) -> str:
    """`text` on one printable line."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
