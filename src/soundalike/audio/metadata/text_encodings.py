"""Decoding the texts of tags whose encoding is not stated, or stated wrongly."""

from __future__ import annotations

import codecs
import re

_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_C1_CONTROLS = re.compile("[\x80-\x9f]")


def decode_text(data: bytes, code_page: str | None = None) -> str:
    """The text in a field of unstated encoding, up to its terminator.

    Tried in this order: UTF-16 (with a byte order mark, or where every other byte is of an alphabet's block), UTF-8,
    `code_page` if it is given, and Windows-1252, which includes what Latin-1 can print.
    """
    for mark, encoding in _UTF16:
        if data.startswith(mark):
            return _until_zero(data[2:].decode(encoding, "ignore"))
    if (wide := _utf16_without_mark(data)) is not None:
        return _until_zero((data + bytes(len(data) % 2)).decode(wide, "ignore"))
    data = data.split(b"\0", 1)[0].removeprefix(codecs.BOM_UTF8)
    for candidate in ("utf-8", code_page, "cp1252"):
        if candidate is not None:
            try:
                return data.decode(candidate)
            except (UnicodeDecodeError, LookupError):
                continue
    return data.decode("latin-1")


def repair_text(text: str) -> str:
    """A text that was decoded as Latin-1 although its bytes were UTF-8 or Windows-1252, decoded again; any other as it is."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    if data.isascii():
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _C1_CONTROLS.search(text):
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass
    return text


def code_page_name(number: int) -> str | None:
    """The codec of a Windows code page, None if there is none."""
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return None


def _utf16_without_mark(data: bytes) -> str | None:
    """The UTF-16 encoding in which most characters are of the blocks below U+0700 (Latin to Arabic), None if there is none.

    A text in 8 bits has no control characters before its terminator, which the other byte of these would be.
    """
    body = data.rstrip(b"\0")
    if not body or len(data) < 3:
        return None
    body += bytes(len(body) % 2)
    for encoding, high, low in (("utf-16-le", body[1::2], body[0::2]), ("utf-16-be", body[0::2], body[1::2])):
        wide = sum(byte < 0x07 for byte in high) > len(high) / 2 and sum(byte == 0 for byte in low) <= len(low) / 4
        if wide and (len(body) > 2 or encoding == "utf-16-be" or len(data) >= 4):
            return encoding
    return None


def _until_zero(text: str) -> str:
    return text.split("\0", 1)[0]
