"""Decoding the texts of tags whose encoding is not stated, or stated wrongly."""

from __future__ import annotations

import codecs
import re

_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")
_CYRILLIC = re.compile(rb"[\xc0-\xff\xa8\xb8\xb2\xb3\xaf\xbf\xaa\xba]+")
_CYRILLIC_WORD = 4  # letters that one of the words must have
_SHIFT_JIS = re.compile(rb"[\x81-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]")
_C1_CONTROLS = re.compile("[\x80-\x9f]")


def decode_text(data: bytes, code_page: str | None = None) -> str:
    """The text in a field of unstated encoding, up to its terminator.

    Tried in this order: UTF-16 (with a byte order mark, or where every other byte is of an alphabet's block), UTF-8,
    `code_page` if it is given, Windows-1251 and Shift JIS where the bytes look like Cyrillic or Japanese words, and
    Windows-1252, which includes what Latin-1 can print.
    """
    for mark, encoding in _UTF16:
        if data.startswith(mark):
            return _until_zero(data[2:].decode(encoding, "ignore"))
    if (wide := _utf16_without_mark(data)) is not None:
        return _until_zero((data + bytes(len(data) % 2)).decode(wide, "ignore"))
    data = data.split(b"\0", 1)[0].removeprefix(codecs.BOM_UTF8)
    for candidate in ("utf-8", code_page, _likely_code_page(data), "cp1252"):
        if candidate is not None:
            try:
                return data.decode(candidate)
            except (UnicodeDecodeError, LookupError):
                continue
    return data.decode("latin-1")


def repair_text(text: str) -> str:
    """A text that was decoded as Latin-1 although its bytes were UTF-8 or of a code page, decoded again; any other as it is."""
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
    if (likely := _likely_code_page(data)) is not None:
        return data.decode(likely)
    if _C1_CONTROLS.search(text):
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass
    return text


def _likely_code_page(data: bytes) -> str | None:
    """The code page of Cyrillic or Japanese text, None for what may be Western.

    Western words mix letters above 127 with ASCII letters; Cyrillic words have none of these. Shift JIS begins its characters
    with bytes that are typographic signs in Windows-1252, of which a Western text is never mostly made.
    """
    words = [word for word in _WORDS.findall(data) if max(word) > 127]
    if words and all(_CYRILLIC.fullmatch(word) for word in words) and max(map(len, words)) >= _CYRILLIC_WORD:
        return "cp1251"
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    pairs = len(_SHIFT_JIS.findall(data))
    return "cp932" if pairs >= 2 and 2 * pairs > len(text) else None


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
