"""Decoding the texts of tags whose encoding is not stated, or stated wrongly."""

from __future__ import annotations

import codecs
import itertools
import re

_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")

_CYRILLIC = {
    "cp1251": re.compile(rb"[\xc0-\xff\xa8\xb8\xb2\xb3\xaf\xbf\xaa\xba]+"),
    "koi8-r": re.compile(rb"[\xc0-\xff\xa3\xb3]+"),
}
"""Code pages, and the bytes of their Cyrillic letters."""

_FREQUENT = frozenset("оеаинтсрвлкмдпуя")  # four fifths of the letters of Russian texts
_LETTERS, _ALL_LETTERS = 4, 8  # that one of the words must have, or all together
_CAPITALS = 0.1  # what a text in capitals counts against a code page
_SHIFT_JIS_RUN = re.compile(rb"(?:[\x81-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]|[0-9 ])+")
_SHIFT_JIS_PAIR = re.compile(rb"[\x81-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]")
_JAPANESE = re.compile("[\u3041-\u30fe]")  # kana
_EAST_ASIAN = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef\u2010-\u203b\x20-\x7e]+")
_C1_CONTROLS = re.compile("[\x80-\x9f]")


def decode_text(data: bytes, code_page: str | None = None) -> str:
    """The text in a field of unstated encoding, up to its terminator.

    Tried in this order: UTF-16 (with a byte order mark, or where it makes a text and 8 bits do not), UTF-8, `code_page` if
    it is given, a code page that the bytes look like (Windows-1251, KOI8-R, Shift JIS), and Windows-1252,
    which includes what Latin-1 can print.
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
    """The code page of Cyrillic, Greek or Japanese text, None for what may be Western.

    Western words mix letters above 127 with ASCII letters; Cyrillic words have none of these. In KOI8-R and Windows-1251,
    capitals and small letters have each other's bytes: the right one has the frequent letters, and no capitals after small
    ones. Shift JIS begins its characters with bytes that are typographic signs in Windows-1252, which do not follow each
    other in Western words.
    """
    words = [word for word in _WORDS.findall(data) if max(word) > 127]
    if words and (max(map(len, words)) >= _LETTERS or sum(map(len, words)) >= _ALL_LETTERS):
        scores = {
            code_page: _likelihood([word.decode(code_page, "replace") for word in words])
            for code_page, letters in _CYRILLIC.items()
            if all(letters.fullmatch(word) for word in words)
        }
        if scores:
            return max(scores, key=lambda code_page: scores[code_page])
    return "cp932" if _is_shift_jis(data) else None


def _likelihood(words: list[str]) -> float:
    """How much words are like Russian, 1 at most."""
    text = "".join(words)
    frequent = sum(letter.lower() in _FREQUENT for letter in text) / len(text)
    capitals = sum(letter.isupper() for letter in text) / len(text)
    inside = sum(first.islower() and second.isupper() for word in words for first, second in itertools.pairwise(word))
    return frequent - _CAPITALS * capitals - inside / len(words)


def _is_shift_jis(data: bytes) -> bool:
    """Whether the bytes above 127 are Japanese in Shift JIS: kana, or two characters in a row that Western words lack."""
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return False
    pairs = [_SHIFT_JIS_PAIR.findall(run) for run in _SHIFT_JIS_RUN.findall(data)]
    longest = max(pairs, key=len, default=[])
    if len(longest) < 2:
        return False
    # In a Western word, a letter above 127 begins a pair and an ASCII letter ends it: "élève", "Žižek".
    unlike = sum(pair[1] > 0x7F or not pair[1:].isalpha() or pair[0] in b"\x81\x82\x83\x84" for pair in longest)
    return 2 * unlike >= len(longest) or (2 * unlike > 0 and _JAPANESE.search(text) is not None)


def code_page_name(number: int) -> str | None:
    """The codec of a Windows code page, None if there is none."""
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return None


def _utf16_without_mark(data: bytes) -> str | None:
    """The UTF-16 encoding of a text without a byte order mark, None if 8 bits are as likely.

    Either most characters are of the blocks below U+0700 (Latin to Arabic): a text in 8 bits has no control characters
    before its terminator, which the other byte of these would be. Or all are East Asian and most are kana, or there is a
    byte that no text in 8 bits has.
    """
    body = data.rstrip(b"\0")
    if not body or len(data) < 3:
        return None
    body += bytes(len(body) % 2)
    for encoding, high, low in (("utf-16-le", body[1::2], body[0::2]), ("utf-16-be", body[0::2], body[1::2])):
        wide = sum(byte < 0x07 for byte in high) > len(high) / 2 and sum(byte == 0 for byte in low) <= len(low) / 4
        if wide and (len(body) > 2 or encoding == "utf-16-be" or len(data) >= 4):
            return encoding
    return next((encoding for encoding in ("utf-16-le", "utf-16-be") if _is_east_asian(body, encoding)), None)


def _is_east_asian(body: bytes, encoding: str) -> bool:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        return False
    if _EAST_ASIAN.fullmatch(text) is None:
        return False
    controls = any(byte < 0x20 and byte not in b"\t\n\r" for byte in body.rstrip(b"\0"))
    return controls or 2 * len(_JAPANESE.findall(text)) > len(text)


def _until_zero(text: str) -> str:
    return text.split("\0", 1)[0]
