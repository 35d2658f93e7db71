"""Writes a folder of generated music with known truth: `songs/`, `loops/`, `one-shots/`, and `stems/` when
asked.

Formats vary as they do in a real folder: songs are tagged FLAC (or the requested format), loops .wav with tempo
chunks and .flac, one-shots mono .wav.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from soundalike.errors import InputError
from soundalike.synth.audio_files import write_audio, write_loop
from soundalike.synth.drum_shapes import VOICES
from soundalike.synth.drums import KITS, render_hit
from soundalike.synth.patches import PATCHES, patch_named, render_note
from soundalike.synth.seeds import generator
from soundalike.synth.songs import Song, render_loop, render_song
from soundalike.synth.specs import SongSpec, song_specs
from soundalike.synth.styles import STYLES
from soundalike.synth.theory import PITCH_CLASSES, at_or_above
from soundalike.synth.truth import LoopTruth, OneShotTruth, SongTruth, Truth, write_truth


@dataclass(frozen=True)
class MusicOptions:
    """What to generate.

    songs: number of songs, of about `length` seconds; loops, one_shots: at most so many; stems: also write the true stems as
    `stems/<song>/<part>.flac`; song_format: flac, wav or ogg.
    """

    seed: int = 1
    songs: int = 16
    loops: int = 40
    one_shots: int = 90
    length: float = 28.0
    stems: bool = False
    song_format: str = "flac"


def write_library(folder: Path, options: MusicOptions = MusicOptions()) -> Truth:
    """Write generated music into `folder` (created if missing); returns its truth, also written as `truth.json`.

    Files of the same name are overwritten, others kept. Raises InputError for a number out of range.
    """
    _check(folder, options)
    specs = song_specs(options.seed, options.songs, options.length)
    song_truths = tuple(_write_song(folder, render_song(spec), options) for spec in specs)
    files = {spec.title: truth.file for spec, truth in zip(specs, song_truths, strict=True)}
    (folder / "loops").mkdir(parents=True, exist_ok=True)
    (folder / "one-shots").mkdir(parents=True, exist_ok=True)
    chosen = _loop_choices(specs, options.loops, options.seed)
    loop_truths = tuple(
        _write_loop(folder, number, spec, part, files.get(spec.title)) for number, (spec, part) in enumerate(chosen)
    )
    truth = Truth(options.seed, song_truths, loop_truths, tuple(_write_one_shots(folder, options.one_shots)))
    write_truth(folder, truth)
    return truth


def _check(folder: Path, options: MusicOptions) -> None:
    if options.loops < 0 or options.one_shots < 0:
        raise InputError(
            f"the numbers of loops and one-shots are {options.loops} and {options.one_shots}; they must not be negative"
        )
    if options.song_format not in ("flac", "wav", "ogg"):
        raise InputError(f"unknown song format {options.song_format!r}; choose from flac, wav, ogg")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder")


def _write_song(folder: Path, song: Song, options: MusicOptions) -> SongTruth:
    spec = song.spec
    path = folder / "songs" / f"{spec.artist} - {spec.title}.{options.song_format}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, song.mixture, spec.title, spec.artist, spec.album)
    places: dict[str, str] = {}
    if options.stems:
        for part, stem in song.stems.items():
            place = folder / "stems" / spec.title / f"{part}.flac"
            place.parent.mkdir(parents=True, exist_ok=True)
            write_audio(place, stem)
            places[part] = place.relative_to(folder).as_posix()
    hits: dict[str, tuple[float, ...]] = {}
    for hit in song.hits:
        hits[hit.voice] = (*hits.get(hit.voice, ()), round(hit.time, 4))
    return SongTruth(
        file=path.relative_to(folder).as_posix(),
        title=spec.title,
        artist=spec.artist,
        album=spec.album,
        style=spec.style,
        groove=spec.groove_name,
        tempo=spec.tempo,
        key=spec.key.name,
        kit=spec.kit,
        patches=dict(spec.patches),
        duration=round(song.duration, 4),
        hits=hits,
        stems=places,
    )


def _loop_choices(specs: tuple[SongSpec, ...], count: int, seed: int) -> list[tuple[SongSpec, str]]:
    """The first `count` of: drum loops of every song, bass loops, unmatched drum loops, loops of the other parts."""
    harmony = [(spec, part) for spec in specs for part in spec.parts if part not in ("drums", "bass")]
    order = generator("loops", seed).permutation(len(harmony)).tolist()
    ranked = [
        *((spec, "drums") for spec in specs),
        *((spec, "bass") for spec in specs),
        *((spec, "drums") for spec in _unmatched(specs, seed)),
        *(harmony[index] for index in order),
    ]
    return ranked[:count]


def _unmatched(specs: tuple[SongSpec, ...], seed: int) -> Iterator[SongSpec]:
    """Grooves of songs on kits that no song combines them with: the right rhythm with the wrong sound."""
    taken = {(spec.groove_name, spec.kit) for spec in specs}
    for spec in specs[: len(specs) // 2]:
        free = [kit for kit in STYLES[spec.style].kits if (spec.groove_name, kit) not in taken]
        if free:
            kit = str(generator("stranger", seed, spec.title).choice(free))
            taken.add((spec.groove_name, kit))
            yield replace(spec, title=f"{spec.title} on {kit}", kit=kit)


def _write_loop(folder: Path, number: int, spec: SongSpec, part: str, song: str | None) -> LoopTruth:
    drums = part == "drums"
    player = spec.kit if drums else spec.patch(part)
    bars = 2
    name = [
        player,
        spec.style,
        part,
        f"{number + 1:02}",
        f"{spec.tempo}bpm",
        *([] if drums else [spec.key.short]),
    ]
    samples = render_loop(spec, part, bars)
    if not drums:
        samples = samples[:1]  # without room or pan both channels are the same
    path = folder / "loops" / ("_".join(name) + (".flac" if number % 2 else ".wav"))
    if path.suffix == ".wav":
        root = None if drums else at_or_above(spec.key.tonic, 48)
        write_loop(path, samples, float(spec.tempo), 4 * bars, root)
    else:
        write_audio(path, samples)
    return LoopTruth(
        file=path.relative_to(folder).as_posix(),
        part=part,
        style=spec.style,
        groove=spec.groove_name if drums else None,
        tempo=spec.tempo,
        key=None if drums else spec.key.name,
        bars=bars,
        kit=spec.kit if drums else None,
        patch=None if drums else player,
        song=song,
    )


def _write_one_shots(folder: Path, count: int) -> Iterator[OneShotTruth]:
    """Kicks of all kits first, then snares and so on, then one note of every patch."""
    strokes = [(kit, voice) for voice in VOICES for kit in KITS]
    for kit, voice in strokes[:count]:
        path = folder / "one-shots" / f"{kit}_{voice}.wav"
        write_audio(path, render_hit(kit, voice))
        yield OneShotTruth(path.relative_to(folder).as_posix(), kit=kit, voice=voice)
    for name in list(PATCHES)[: max(0, count - len(strokes))]:
        note = patch_named(name).low + 8
        path = folder / "one-shots" / f"{name}_{PATCHES[name].part}_{_note_name(note)}.wav"
        sound = render_note(name, note, 1.2)
        write_audio(path, sound)
        yield OneShotTruth(path.relative_to(folder).as_posix(), patch=name, note=note)


def _note_name(midi: int) -> str:
    return f"{PITCH_CLASSES[midi % 12]}{midi // 12 - 1}"
