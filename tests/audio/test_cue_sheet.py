"""Cue sheets: tracks, times, texts and encodings."""

from __future__ import annotations

import pytest

from soundalike.audio.cue_sheet import CueFile, Track, read_cue_sheet

ALBUM = """REM GENRE Jazz
PERFORMER "Björk"
TITLE "Début"
FILE "album.flac" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Zwölf \\"Zoll\\""
    PERFORMER "Somebody Else"
    INDEX 00 00:24:00
    INDEX 01 00:25:37
  TRACK 03 AUDIO
    INDEX 01 100:50:74
"""
TRACKS = (
    Track(1, 0.0, 25 + 37 / 75, "One", "Björk", "Début"),
    Track(2, 25 + 37 / 75, 6050 + 74 / 75, 'Zwölf \\"Zoll\\"', "Somebody Else", "Début"),
    Track(3, 6050 + 74 / 75, None, None, "Björk", "Début"),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_tracks_have_their_seconds_and_texts(encoding: str, ending: str) -> None:
    assert read_cue_sheet(ALBUM.replace("\n", ending).encode(encoding)) == (CueFile("album.flac", TRACKS),)


def test_commands_may_be_lower_case_and_names_unquoted() -> None:
    sheet = b"file my album.wav wave\ntrack 1 audio\nindex 1 0:0:0\n\ttrack 2 Audio\n  index 01 0:10:00"
    assert read_cue_sheet(sheet) == (CueFile("my album.wav", (Track(1, 0.0, 10.0), Track(2, 10.0, None))),)


def test_words_may_be_parted_by_tabs() -> None:
    text = ALBUM.replace("  ", "\t").replace("TRACK ", "TRACK\t").replace(" AUDIO", "\tAUDIO")
    assert read_cue_sheet(text.replace("INDEX 01 ", "INDEX\t01\t\t").encode()) == read_cue_sheet(ALBUM.encode())


def test_a_file_that_is_repeated_before_every_track_is_one() -> None:
    lines = ["FILE a.wav WAVE", "TRACK 01 AUDIO", "INDEX 01 00:00:00"]
    lines += ["FILE a.wav WAVE", "TRACK 02 AUDIO", "INDEX 01 00:30:00"]
    assert read_cue_sheet("\n".join(lines).encode()) == (CueFile("a.wav", (Track(1, 0.0, 30.0), Track(2, 30.0, None))),)


@pytest.mark.parametrize(
    ("encoding", "name"), [("koi8-r", "Группа крови"), ("cp1251", "Группа крови"), ("cp932", "千のナイフ")]
)
def test_sheets_in_code_pages(encoding: str, name: str) -> None:
    sheet = (
        f'REM COMMENT "ExactAudioCopy v1.6"\nFILE "{name}.wav" WAVE\nTRACK 01 AUDIO\nTITLE "Live"\nINDEX 01 00:00:00\n'
    )
    assert read_cue_sheet(sheet.encode(encoding))[0].name == f"{name}.wav"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (r'FILE "C:\music\CD 1\album.wav" WAVE', "album.wav"),
        ('FILE "/home/me/album.wav" WAVE', "album.wav"),
        ("FILE album.wav", "album.wav"),
        ('FILE "" WAVE', ""),
    ],
)
def test_folders_of_another_machine_are_left_out(line: str, name: str) -> None:
    assert read_cue_sheet(f"{line}\nTRACK 01 AUDIO\nINDEX 01 00:00:00".encode())[0].name == name


def test_a_track_belongs_to_the_file_of_its_first_index() -> None:
    sheet = b"""FILE "a.wav" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 01 00:30:00
  TRACK 03 AUDIO
    INDEX 00 00:50:00
FILE "b.wav" WAVE
    INDEX 01 00:00:00
  TRACK 04 AUDIO
    INDEX 01 00:20:00"""
    assert read_cue_sheet(sheet) == (
        CueFile("a.wav", (Track(1, 0.0, 30.0), Track(2, 30.0, None))),
        CueFile("b.wav", (Track(3, 0.0, 20.0), Track(4, 20.0, None))),
    )


def test_data_tracks_are_left_out_and_end_the_track_before() -> None:
    sheet = b"""FILE "a.bin" BINARY
  TRACK 01 MODE1/2352
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 01 01:00:00
  TRACK 03 MODE1/2352
    INDEX 01 02:00:00"""
    assert read_cue_sheet(sheet) == (CueFile("a.bin", (Track(2, 60.0, 120.0),)),)


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (b"", "no tracks"),
        (b"\x00\xff\x07 not a sheet", "no tracks"),
        (b'FILE "a" WAVE', "no tracks"),
        (
            b'FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:10:00\nTRACK 02 AUDIO\nINDEX 01 00:05:00',
            "track 2 does not begin after",
        ),
        (b'FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 01 AUDIO\nINDEX 01 00:05:00', "track 1 twice"),
    ],
)
def test_what_is_no_sheet_raises(sheet: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_cue_sheet(sheet)


def test_impossible_times_are_ignored() -> None:
    first = b'FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
    sheet = first + b"TRACK 02 AUDIO\nINDEX 01 00:99:00\nINDEX 02 00:07:80\nINDEX 03 00:08:00"
    assert [track.start for track in read_cue_sheet(sheet)[0].tracks] == [0.0, 8.0]
