"""Odd and damaged files for `stress_damaged_files`, of the kinds that real collections contain.

Each maker writes one audio file called `name` plus a suffix into a folder (with a cue sheet beside it, where it is about
those). Files of the kinds in `READABLE` must be indexed; of the others some may be refused, with a reason.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 44_100
Samples = NDArray[np.float32]
Random = np.random.Generator


def tone(rng: Random, seconds: float) -> Samples:
    """A decaying tone, twice per second."""
    times = np.arange(round(seconds * RATE)) / RATE
    decay = np.exp(-(times % 0.5) * rng.uniform(4, 20))
    return np.asarray(0.4 * np.sin(2 * np.pi * rng.uniform(80, 2_000) * times) * decay, dtype=np.float32)


def flipped(content: bytes, rng: Random, share: float = 1e-3) -> bytes:
    """`content` with some bits flipped."""
    data = bytearray(content)
    for place in rng.integers(0, len(data), max(1, int(share * len(data)))):
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def encode(path: Path, sound: Samples, codec: str, container: str, rate: int, streams: int = 1) -> None:
    """Write mono sound as so many equal streams of one codec."""
    form = {"amr_nb": "s16", "libopencore_amrnb": "s16", "tta": "s16"}.get(codec, "fltp")
    with av.open(str(path), "w", format=container) as output:
        made = [output.add_stream(codec, rate=rate, layout="mono") for _ in range(streams)]
        for stream in made:
            for begin in range(0, len(sound), 960):
                block = sound[np.newaxis, begin : begin + 960]
                if form == "s16":
                    block = np.round(block * 32_767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), form, "mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
                output.mux(stream.encode(frame))  # type: ignore[union-attr, arg-type]
            output.mux(stream.encode(None))  # type: ignore[union-attr]


def cue_sheet(folder: Path, name: str, rng: Random) -> None:
    """A file of three tones with a sheet that is right, or wrong in one of many ways."""
    path = folder / f"{name}.flac"
    soundfile.write(path, np.concatenate([tone(rng, 1.5) for _ in range(3)]), RATE)
    times = ["00:00:00", "00:01:37", "00:03:00"]
    listed, coding = path.name, "utf-8"
    match int(rng.integers(8)):
        case 0:
            times[1] = str(rng.choice(["00:99:99", "-1:00:00", "aa:bb:cc", "99999999999:00:00", "0:0", ""]))
        case 1:
            times.reverse()
        case 2:
            listed = "missing.wav"
        case 3:
            (folder / f"{name}.cue").write_bytes(rng.bytes(3_000))
            return
        case 4:
            coding = "utf-16"
        case 5:
            times[2] = "70:00:00"  # behind the end of the file
        case 6:
            listed = str(rng.choice(["../../etc/passwd", "", "\0", "x" * 5_000]))
    lines = [f'FILE "{listed}" WAVE']
    for number, time in enumerate(times, 1):
        lines += [f"  TRACK {number:02} AUDIO", f'    TITLE "T\u00f6ne {number}"', f"    INDEX 01 {time}"]
    (folder / f"{name}.cue").write_text("\n".join(lines), coding)


def stem_file(folder: Path, name: str, rng: Random) -> None:
    """Five streams, truncated or with a damaged atom."""
    path = folder / f"{name}.stem.m4a"
    encode(path, tone(rng, 1.0), "aac", "ipod", RATE, streams=5)
    data = path.read_bytes()
    if rng.random() < 0.5:
        path.write_bytes(data[: int(rng.uniform(0.05, 1) * len(data))])
    else:
        place = int(rng.integers(0, max(1, len(data) - 8)))
        for atom in (b"moov", b"trak", b"stsz", b"stco", b"mdhd"):
            if rng.random() < 0.5 and atom in data:
                place = data.index(atom) - 4
        path.write_bytes(data[:place] + rng.bytes(4) + data[place + 4 :])


def offset(folder: Path, name: str, rng: Random) -> None:
    """A clip with an offset, a ramp or rumble."""
    sound = tone(rng, rng.uniform(0.3, 2)) * np.float32(0.5)
    times = np.arange(len(sound)) / RATE
    extra = (0.3, 0.4 * times / times[-1], 0.3 * np.sin(2 * np.pi * 3 * times))[int(rng.integers(3))]
    soundfile.write(folder / f"{name}.wav", sound + extra, RATE)


def chained_ogg(folder: Path, name: str, rng: Random) -> None:
    """Two or three links, of one rate or of several."""
    path = folder / f"{name}.ogg"
    links = []
    for _ in range(int(rng.integers(2, 4))):
        soundfile.write(path, tone(rng, rng.uniform(0.3, 2)), int(rng.choice([44_100, 48_000, 22_050])), format="OGG")
        links.append(path.read_bytes())
    path.write_bytes(b"".join(links))


def flac_without_length(folder: Path, name: str, rng: Random) -> None:
    """STREAMINFO states 0 samples, or far too many."""
    path = folder / f"{name}.flac"
    soundfile.write(path, tone(rng, rng.uniform(0.3, 2)), RATE)
    data = bytearray(path.read_bytes())
    data[21] = data[21] & 0xF0 | (0 if rng.random() < 0.5 else 0x0F)
    data[22:26] = bytes(4) if data[21] & 0x0F == 0 else b"\xff" * 4
    path.write_bytes(data)


def antiphase(folder: Path, name: str, rng: Random) -> None:
    """Right = -left, or nearly so."""
    sound = tone(rng, rng.uniform(0.3, 2))
    right = -sound * np.float32(rng.uniform(0.9, 1.0))
    soundfile.write(folder / f"{name}.flac", np.stack([sound, right], axis=1), RATE)


def riff(folder: Path, name: str, rng: Random) -> None:
    """RIFF, RF64 or BW64 with odd chunks first, often without pad bytes, and with or without a size of the samples."""
    data = np.round(tone(rng, rng.uniform(0.3, 2)) * 32_767).astype("<i2").tobytes()
    kind = (b"RIFF", b"RF64", b"BW64")[int(rng.integers(3))]
    stated = int(rng.choice([len(data), 0, 0xFFFFFFFF]))
    before = b"".join(
        chunk_name + struct.pack("<I", size) + rng.bytes(size) + bytes(size % 2 and rng.random() < 0.5)
        for chunk_name, size in zip((b"JUNK", b"acid", b"LIST"), rng.integers(1, 60, 3).tolist(), strict=True)
    )
    sizes = b"" if kind == b"RIFF" else b"ds64" + struct.pack("<IQQQI", 28, 0, int(rng.choice([0, len(data)])), 0, 0)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    body = b"WAVE" + sizes + before + form + b"data" + struct.pack("<I", stated) + data
    (folder / f"{name}.wav").write_bytes(kind + struct.pack("<I", 0xFFFFFFFF) + body)


def odd_tags(folder: Path, name: str, rng: Random) -> None:
    """MP3 behind ID3 tags of wrong sizes, several of them, or tags at its end."""
    path = folder / f"{name}.mp3"
    soundfile.write(path, tone(rng, 2.0), RATE, format="MP3")
    size = bytes(rng.integers(0, 128, 4, dtype=np.uint8) & [0, 0, 1, 127])
    head = b"ID3" + bytes([int(rng.integers(2, 6)), 0, int(rng.choice([0, 0x10, 0x40, 0xFF]))]) + size
    frame = b"TIT2" + rng.bytes(6) + rng.bytes(int(rng.integers(0, 300)))
    tail = (b"TAG" + rng.bytes(125), b"APETAGEX" + rng.bytes(24), b"")[int(rng.integers(3))]
    path.write_bytes((head + frame) * int(rng.integers(1, 4)) + path.read_bytes() + tail)


def rare_codec(folder: Path, name: str, rng: Random) -> None:
    """AMR, WavPack, TTA, MP2 or AC-3, cut or with flipped bits."""
    suffix, codec, container, rate = (
        ("amr", "libopencore_amrnb", "amr", 8_000),
        ("wv", "wavpack", "wv", RATE),
        ("tta", "tta", "tta", RATE),
        ("ac3", "ac3", "ac3", RATE),
    )[int(rng.integers(4))]
    path = folder / f"{name}.{suffix}"
    encode(path, tone(rng, 1.0), codec, container, rate)
    data = path.read_bytes()
    path.write_bytes(data[: int(rng.uniform(0.1, 1) * len(data))] if rng.random() < 0.5 else flipped(data, rng))


def number_sign(folder: Path, name: str, rng: Random) -> None:
    """A name like that of a track."""
    soundfile.write(folder / f"{name}#{int(rng.integers(100)):02}.wav", tone(rng, rng.uniform(0.3, 2)), RATE)


MAKERS: dict[str, Callable[[Path, str, Random], None]] = {
    "cue": cue_sheet,
    "stemfile": stem_file,
    "offset": offset,
    "chain": chained_ogg,
    "nolength": flac_without_length,
    "antiphase": antiphase,
    "riff": riff,
    "tags": odd_tags,
    "rare": rare_codec,
    "sign": number_sign,
}
READABLE = {"cue", "offset", "chain", "nolength", "antiphase", "riff", "sign"}
"""Kinds of which every file must be indexed."""
