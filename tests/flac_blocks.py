"""FLAC files with metadata blocks of any kind."""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf


def comments(**fields: str) -> bytes:
    """The content of a Vorbis comment block (Vorbis I, section 5.2.3)."""
    texts = [f"{name}={text}".encode() for name, text in fields.items()]
    listed = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return b"\x04\0\0\0test" + len(texts).to_bytes(4, "little") + listed


def flac_with(*blocks: tuple[int, bytes], sound: np.ndarray | None = None, rate: int = 44_100) -> bytes:
    """A FLAC file with these metadata blocks, (type, content), behind its STREAMINFO; sound: (frames,) or (frames, channels),
    a short silence by default."""
    made = io.BytesIO()
    sf.write(made, np.zeros(4_410) if sound is None else sound, rate, format="FLAC")
    content = made.getvalue()
    info = content[4:42]
    place, last = 42, content[4] & 0x80
    while not last:
        last = content[place] & 0x80
        place += 4 + int.from_bytes(content[place + 1 : place + 4], "big")
    written = [(0, info[4:]), *blocks]
    heads = [
        bytes([kind | (0x80 if number == len(blocks) else 0)]) + len(body).to_bytes(3, "big") + body
        for number, (kind, body) in enumerate(written)
    ]
    return b"fLaC" + b"".join(heads) + content[place:]
