from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.audio.metadata.tags import Tags, read_tags
from tests.audio.conftest import RATE, make_signal, write_sndfile
from tests.audio.metadata.test_chunks import riff
from tests.audio.metadata.test_loop_chunks import acid, aiff, wav
from tests.flac_blocks import comments, flac_with

Encoded = Callable[[str], Path]


def id3(frames: dict[str, bytes]) -> bytes:
    body = b"".join(name.encode() + len(data).to_bytes(4, "big") + b"\0\0" + data for name, data in frames.items())
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body


def tagged_mp3(path: Path, encoded: Encoded, **frames: bytes) -> Path:
    path.write_bytes(id3(frames) + encoded("lame.mp3").read_bytes())
    return path


def test_id3_tags(tmp_path: Path, encoded: Encoded) -> None:
    path = tagged_mp3(
        tmp_path / "a.mp3",
        encoded,
        TPE1=b"\0Artist",
        TIT2=b"\0A  Title\0",
        TALB=b"\0Album",
        TBPM=b"\x00128",
        TKEY=b"\0F#m",
    )
    assert read_tags(path) == Tags("Artist", "A Title", "Album", 128.0, "F# minor", None)


@pytest.mark.parametrize(
    ("text", "tempo"),
    [(b"127.50", 127.5), (b"127,5", 127.5), (b"0", None), (b"abc", None), (b"9999", None), (b"", None)],
)
def test_tempo_tags(text: bytes, tempo: float | None, tmp_path: Path, encoded: Encoded) -> None:
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TBPM=b"\0" + text)).tempo == tempo


@pytest.mark.parametrize(
    ("text", "key"), [(b"C", "C major"), (b"Bbm", "Bb minor"), (b"8A", "A minor"), (b"1m", "A minor"), (b"o", None)]
)
def test_key_tags_with_a_root_alone_are_major(text: bytes, key: str | None, tmp_path: Path, encoded: Encoded) -> None:
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TKEY=b"\0" + text)).key == key


def test_tags_of_other_containers(tmp_path: Path) -> None:
    samples = make_signal(seconds=0.3)
    for name, codec, container in (("a.m4a", "aac", "ipod"), ("a.wma", "wmav2", "asf"), ("a.ogg", "libvorbis", "ogg")):
        if codec not in av.codecs_available:
            continue
        with av.open(str(tmp_path / name), "w", format=container) as output:
            output.metadata.update({"title": "Über", "artist": "音", "album": "x"})
            stream = output.add_stream(codec, rate=RATE, layout="stereo")
            stream.bit_rate = 128_000
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, :1024]), format="fltp", layout="stereo")
            frame.sample_rate = RATE
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        tags = read_tags(tmp_path / name)
        assert (tags.title, tags.artist, tags.album) == ("Über", "音", "x")


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mka", "libopus", "matroska"),
        ("a.webm", "libopus", "webm"),
        ("a.caf", "pcm_s16le", "caf"),
        ("a.flv", "aac", "flv"),
    ],
)
def test_tags_of_containers_that_ffmpeg_reads(name: str, codec: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / name
    texts = {"title": "Über", "artist": "音", "album": "x", "BPM": "127.5", "INITIAL_KEY": "8A"}
    with av.open(str(path), "w", format=container) as output:
        output.metadata.update(texts)
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        stream.metadata["title"] = "Commentary"
        form = "s16" if codec in ("pcm_s16le", "libopus") else "fltp"
        silence = np.zeros((1, 960), np.int16 if form == "s16" else np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format=form, layout="mono")
        frame.sample_rate = 48_000
        output.mux(stream.encode(frame))  # type: ignore[union-attr, arg-type]
        output.mux(stream.encode(None))  # type: ignore[union-attr]
    assert read_tags(path) == Tags("音", "Über", "x", 127.5, "A minor", None)


def ebml(name: int, content: bytes) -> bytes:
    """An element of Matroska (RFC 8794)."""
    return (
        name.to_bytes((name.bit_length() + 7) // 8, "big")
        + (0x0100_0000_0000_0000 | len(content)).to_bytes(8, "big")
        + content
    )


def test_tags_of_matroska_have_levels(tmp_path: Path) -> None:
    def tag(level: int, kind: bytes, **texts: str) -> bytes:
        target = ebml(0x63C0, ebml(0x68CA, bytes([level])) + ebml(0x63CA, kind))
        simple = [
            ebml(0x67C8, ebml(0x45A3, name.encode()) + ebml(0x4487, text.encode())) for name, text in texts.items()
        ]
        return ebml(0x7373, target + b"".join(simple))

    tags = tag(50, b"ALBUM", TITLE="The Album", ARTIST="The Band") + tag(30, b"TRACK", TITLE="The Song", BPM="98")
    form = ebml(0xB5, struct.pack(">f", 8_000)) + ebml(0x9F, b"\1") + ebml(0x6264, b"\x10")
    track = (
        ebml(0xD7, b"\1") + ebml(0x73C5, b"\1") + ebml(0x83, b"\2") + ebml(0x86, b"A_PCM/INT/LIT") + ebml(0xE1, form)
    )
    sound = ebml(0x1F43B675, ebml(0xE7, b"\0") + ebml(0xA3, b"\x81\0\0\x80" + bytes(1600)))
    path = tmp_path / "a.mka"
    segment = ebml(0x1654AE6B, ebml(0xAE, track)) + ebml(0x1254C367, tags) + sound
    path.write_bytes(ebml(0x1A45DFA3, ebml(0x4282, b"matroska")) + ebml(0x18538067, segment))
    assert read_tags(path) == Tags("The Band", "The Song", "The Album", 98.0, None, None)


def test_loop_chunks_are_included(tmp_path: Path) -> None:
    tags = read_tags(wav(tmp_path / "a.wav", acid(0x00)))
    assert tags.loop is not None
    assert tags.loop.tempo == 120.0


def test_files_without_tags(tmp_path: Path, encoded: Encoded) -> None:
    assert read_tags(write_sndfile(tmp_path / "a.flac", make_signal(seconds=0.1), RATE, "FLAC", "PCM_16")) == Tags()
    (tmp_path / "text.mp3").write_text("no music at all")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("text.mp3", "empty.wav", "absent.ogg"):
        assert read_tags(tmp_path / name) == Tags()


def test_texts_are_one_clean_line(tmp_path: Path, encoded: Encoded) -> None:
    tags = read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TIT2=b"\0one\ntwo\x07\tthree", TPE1=b"\0 \x01 "))
    assert (tags.title, tags.artist) == ("one two three", None)


@pytest.mark.parametrize(
    "name", ["lame.mp3", "aac.m4a", "vorbis.ogg", "opus.opus", "pcm.flac", "wma2.wma", "pcm.wav", "pcm.aiff"]
)
def test_damaged_files_raise_no_error(
    name: str, tmp_path: Path, encoded: Encoded, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encoded(name).read_bytes()[:20_000]
    if name == "lame.mp3":
        content = id3({"TPE1": b"\0Artist", "TKEY": b"\1\xff\xfeA\0m\0", "APIC": bytes(50)}) + content
    random = np.random.default_rng(11)
    for _ in range(60):
        damaged = bytearray(content[: random.integers(1, len(content))])
        for place in random.integers(0, min(len(damaged), 2_000), 8):
            damaged[place] = int(random.integers(256))
        (tmp_path / name).write_bytes(damaged)
        assert isinstance(read_tags(tmp_path / name), Tags)
    assert capfd.readouterr() == ("", "")


def info(encoding: str, *, padded: bool = True, **texts: str) -> tuple[bytes, bytes]:
    """A LIST chunk of INFO texts."""
    content = b"INFO"
    for name, text in texts.items():
        data = text.encode(encoding) + (b"\0\0" if encoding.startswith("utf-16") else b"\0")
        content += name.encode() + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2 if padded else 0)
    return b"LIST", content


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_info_texts_of_wav_in_any_encoding(encoding: str, padded: bool, tmp_path: Path) -> None:
    chunk = info(encoding, padded=padded, INAM="Café® Ü", IART="Björk", IPRD="Homogénic", IBPM="127.5", IKEY="F#m")
    assert read_tags(wav(tmp_path / "a.wav", chunk)) == Tags("Björk", "Café® Ü", "Homogénic", 127.5, "F# minor")


def test_info_texts_in_the_stated_code_page(tmp_path: Path) -> None:
    code_page = (b"CSET", (1251).to_bytes(2, "little") + bytes(6))
    tags = read_tags(wav(tmp_path / "a.wav", code_page, info("cp1251", IART="Кино", INAM="Группа крови")))
    assert (tags.artist, tags.title) == ("Кино", "Группа крови")


def test_info_texts_of_rf64(tmp_path: Path) -> None:
    parts = [(b"fmt ", bytes(16)), (b"data", bytes(101)), info("cp1252", IART="Björk")]
    for magic in (b"RF64", b"BW64"):
        for padded in (True, False):
            (tmp_path / "a.wav").write_bytes(riff(parts, magic=magic, padded=padded, ds64=True))
            assert read_tags(tmp_path / "a.wav").artist == "Björk"


def test_id3_chunks_of_wav_and_aiff(tmp_path: Path) -> None:
    tag = id3({"TPE1": b"\0Artist", "TKEY": b"\0A#m +50"})
    tags = read_tags(wav(tmp_path / "a.wav", info("cp1252", INAM="Ü"), (b"id3 ", tag)))
    assert (tags.artist, tags.title, tags.key) == ("Artist", "Ü", "Bb minor")
    plain = aiff(tmp_path / "a.aif", 4, 0, 0, 0).read_bytes()
    chunks = b"".join(
        name + len(data).to_bytes(4, "big") + data + bytes(len(data) % 2)
        for name, data in ((b"NAME", "Café".encode("cp1252")), (b"ID3 ", tag))
    )
    (tmp_path / "b.aif").write_bytes(plain + chunks)
    tags = read_tags(tmp_path / "b.aif")
    assert (tags.artist, tags.title, tags.key) == ("Artist", "Café", "Bb minor")


@pytest.mark.parametrize("first", ["LIST", "id3 "])
def test_id3_chunks_win_over_info_and_the_last_of_them(first: str, tmp_path: Path) -> None:
    listed = info("cp1252", INAM="A Title of Thirty Characters, C", IART="Pack", IKEY="Cm", IBPM="90")
    older, newer = id3({"TKEY": b"\0Dm", "TBPM": b"\x00100"}), id3({"TIT2": b"\0Title", "TKEY": b"\x008A"})
    chunks = [listed, (b"ID3 ", older), (b"id3 ", newer)]
    path = wav(tmp_path / "a.wav", *(chunks if first == "LIST" else [*chunks[1:], listed]))
    assert read_tags(path) == Tags("Pack", "Title", None, 100.0, "A minor", None)


def test_id3_texts_in_another_encoding_than_stated(tmp_path: Path, encoded: Encoded) -> None:
    path = tagged_mp3(tmp_path / "a.mp3", encoded, TPE1=b"\0" + "Björk".encode(), TIT2=b"\0Don\x92t")
    tags = read_tags(path)
    assert (tags.artist, tags.title) == ("Björk", "Don’t")


def test_tags_are_read_whatever_the_suffix(tmp_path: Path, encoded: Encoded) -> None:
    path = tagged_mp3(tmp_path / "a.wav", encoded, TPE1=b"\0Artist")
    assert read_tags(path).artist == "Artist"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("8A - Energy 7", "A minor"),
        ("8A - 7", "A minor"),
        ("12B - Energy 10 - bought at a shop", "E major"),
        ("8A - 70s classic", None),
        ("2B - or not", None),
        ("Am - 7", None),
        ("Ripped by 8A - 7", None),
    ],
)
def test_keys_with_an_energy_level_in_comments(text: str, key: str | None, tmp_path: Path, encoded: Encoded) -> None:
    comment = b"\x01eng" + "".encode("utf-16") + b"\0\0" + text.encode("utf-16")
    path = tagged_mp3(tmp_path / "a.mp3", encoded, COMM=comment)
    assert read_tags(path).key == key
    path = tagged_mp3(tmp_path / "b.mp3", encoded, COMM=b"\0eng\0" + text.encode(), TKEY=b"\0Cm")
    assert read_tags(path).key == "C minor", "a tag for the key counts more"
    path = tmp_path / "c.flac"
    path.write_bytes(flac_with((4, comments(COMMENT=text))))
    assert read_tags(path).key == key


def test_key_tags_of_mixed_in_key(tmp_path: Path, encoded: Encoded) -> None:
    json_key = base64.b64encode(b'{"algorithm":94,"key":"1A","source":"mixedinkey"}')
    for text in (json_key, b'{"key":"1A"}', b"1A - Energy 6", b"1A/2B", b"1A 128"):
        assert read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TKEY=b"\0" + text)).key == "G# minor"
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TXXX=b"\0KEY\0" + json_key)).key == "G# minor"


@pytest.mark.parametrize(
    "head",
    [b"\0application/json\0\0Key\0", b"\1application/json\0\xff\xfe\0\0\xff\xfeK\0e\0y\0\0\0"],
    ids=["latin-1", "utf-16"],
)
def test_key_objects_of_mixed_in_key(head: bytes, tmp_path: Path, encoded: Encoded) -> None:
    json_key = base64.b64encode(b'{"algorithm":94,"key":"1A","source":"mixedinkey"}')
    tag = id3({"TIT2": b"\0Title", "GEOB": head + json_key})
    assert read_tags(wav(tmp_path / "a.wav", (b"id3 ", tag))).key == "G# minor"
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", encoded, TIT2=b"\0Title", GEOB=head + json_key)).key == "G# minor"
    both = tagged_mp3(tmp_path / "b.mp3", encoded, GEOB=head + json_key, TKEY=b"\0Am")
    assert read_tags(both).key == "A minor"


@pytest.mark.parametrize("name", ["latin-1", "cp1252", "utf-16-le"])
def test_info_texts_of_reported_files(name: str, test_data: Path) -> None:
    tags = read_tags(test_data / "reports" / f"info-{name}.wav")
    assert (tags.artist, tags.title) == ("Björk", "Café® Ü")
