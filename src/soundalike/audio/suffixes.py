"""The suffixes by which a folder scan recognises files with audio."""

from __future__ import annotations

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("wav", "wave", "bwf", "rf64", "bw64", "w64", "aif", "aiff", "aifc", "caf", "au", "snd", "voc", "flac"),
        *("ogg", "oga", "opus", "spx", "mp1", "mp2", "mp3", "mpga", "m4a", "m4b", "m4r", "aac", "wma", "asf", "wv"),
        *("ape", "tta", "tak", "shn", "mpc", "mp+", "dsf", "dff", "ac3", "eac3", "dts", "amr", "awb", "3gp", "3ga"),
        *("mka", "weba", "mp4", "m4v", "mov", "webm", "mkv", "avi", "m2ts"),
        *("wmv", "flv", "f4v", "3g2", "ogv", "ogx", "sph", "8svx"),
    )
)
"""Suffixes (lower case) of formats that can be decoded, the sound of videos included. A file given by name may have any
suffix: `.ts` is more often a program in TypeScript than a transport stream."""
